/* SPDX-License-Identifier: Apache-2.0 */
/*
 * psync_handshake.h: what a replica says before PSYNC, as far as it serves a backup, and which refusals pass by
 * themselves. What it never says: a port (the server would tell others that it can be reached there), a dual-channel
 * capability, a filter.
 */
#ifndef SNAPSHOT_REDIS_PSYNC_HANDSHAKE_H
#define SNAPSHOT_REDIS_PSYNC_HANDSHAKE_H

#include <stdbool.h>

#include "base/err.h"
#include "snapshot/redis/client.h"

/* The newest server whose dumps are understood here, as Valkey 9 and later want to be told. */
#define PSYNC_SPEAKS_VERSION "9.1.0"

enum psync_handshake {
    PSYNC_HANDSHAKE_FAILED = -1, /* ERR is set */
    PSYNC_HANDSHAKE_DONE,
    PSYNC_HANDSHAKE_LATER, /* the server cannot now, and will be able to later: *WHY says it */
};

/* Words that follow "waiting for" when LINE (an error reply without its "-") is a refusal that passes; else NULL. */
const char *psync_refusal_passes(const char *line);

/* PING. A refused permission for it is no failure. */
enum psync_handshake psync_ping(struct client *c, const char **why, struct err *err);

/* All of REPLCONF. *RDB_ONLY: the server will send the dump and close, and keeps no stream for us (6.2 and later).
 * ERR_SERVER_DENIED where REPLCONF is not allowed, or does not exist. */
enum psync_handshake psync_announce(struct client *c, bool *rdb_only, const char **why, struct err *err);

/* Put the error reply LINE to PSYNC into words, as client_refused(). Always -1. */
int psync_refused(const struct client *c, const char *line, struct err *err);

#endif
