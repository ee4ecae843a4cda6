/* SPDX-License-Identifier: Apache-2.0 */
/*
 * settings_text.h: what a server answers to CONFIG GET * and ACL LIST, as files that a server can be started with.
 * Pure: no I/O. Secrets are still in them: redact.h.
 */
#ifndef SNAPSHOT_REDIS_SETTINGS_TEXT_H
#define SNAPSHOT_REDIS_SETTINGS_TEXT_H

#include "base/buf.h"
#include "base/err.h"
#include "snapshot/redis/resp.h"

/*
 * Append a redis.conf to OUT: the names and values of CONFIG (CONFIG GET's reply), sorted, in the form that all
 * versions from 6.2 on read. ACL is ACL LIST's reply: where the server has no ACL file its users go behind the
 * settings, so that a server that is started with the text has them. ACL NULL: they are not known; then the text ends
 * in a line that no server starts with until somebody has put them there.
 *
 * ERR_SERVER: CONFIG is no such reply.
 */
int settings_text_config(const struct reply *config, const struct reply *acl, struct buf *out,
                         struct err *err) MUST_CHECK;

/* Append the users of ACL LIST's reply to OUT, as an ACL file. ERR_SERVER: ACL is no such reply. */
int settings_text_acl(const struct reply *acl, struct buf *out, struct err *err) MUST_CHECK;

#endif
