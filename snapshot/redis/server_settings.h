/* SPDX-License-Identifier: Apache-2.0 */
/* server_settings.h: asks a server for what a rebuild of it needs and no dump holds: its settings and its users. */
#ifndef SNAPSHOT_REDIS_SERVER_SETTINGS_H
#define SNAPSHOT_REDIS_SERVER_SETTINGS_H

#include <stddef.h>

#include "base/err.h"
#include "snapshot/redis/endpoint.h"

#define SERVER_SETTINGS_MAX (4u << 20) /* bytes of each text */

/* One text, or why there is none: a sentence. */
struct server_text {
    char *text; /* NULL: the server did not tell it */
    size_t len;
    char why[512];
};

struct server_settings {
    struct server_text config; /* settings_text_config() */
    struct server_text acl;    /* settings_text_acl() */
    size_t secrets;            /* how many lines lost one */
};

/* Ask the server at E over a connection of its own. The texts are without their secrets, always. A command that is
 * denied, renamed or unknown is no failure. ERR_SERVER, ERR_SERVER_DENIED: there is no talking to the server at all.
 * OUT needs server_settings_fini() after success. */
int server_settings_ask(const struct endpoint *e, struct server_settings *out, struct err *err) MUST_CHECK;

/* Fine on a zeroed struct. */
void server_settings_fini(struct server_settings *s);

#endif
