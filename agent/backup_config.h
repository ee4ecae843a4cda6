/* SPDX-License-Identifier: Apache-2.0 */
/* backup_config.h: `backup --with-config`: the member "config" of a backup, from the files that are named and from what
 * the server says. */
#ifndef AGENT_BACKUP_CONFIG_H
#define AGENT_BACKUP_CONFIG_H

#include <stdbool.h>

#include "agent/config.h"
#include "base/buf.h"
#include "base/err.h"
#include "snapshot/config_bundle.h"
#include "snapshot/redis/endpoint.h"

/* Read the files of --with-config: *OUT, which config_bundle_free() ends; NULL where there are none. ERR_USAGE. */
int backup_config_read(const struct config *config, struct config_bundle **out, struct err *err) MUST_CHECK;

/* Add what the server at E says (NULL: there is no server), and make TAR, which the caller ends with buf_fini(). A
 * server that cannot be talked to at all fails the backup that needs it (NEEDED), and is noted for another. */
int backup_config_finish(struct config_bundle *b, const struct endpoint *e, bool needed, struct buf *tar,
                         struct err *err) MUST_CHECK;

#endif
