/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source_psync.h: a dump over the wire: attaches to a master or a replica as a replica would, takes the dump of a full
 * synchronization, and leaves. No folder of the server is needed, and with the server's default (repl-diskless-sync
 * yes, from 7.0 on) none is written to.
 *
 * A thread of its own reads the connection (psync_reader.h) into a bounded spool (spool.h); source_read() takes from
 * that. A signal and source_free() end it at once.
 */
#ifndef SNAPSHOT_REDIS_SOURCE_PSYNC_H
#define SNAPSHOT_REDIS_SOURCE_PSYNC_H

#include <stdbool.h>
#include <stdint.h>

#include "snapshot/guard.h"
#include "snapshot/redis/endpoint.h"
#include "snapshot/redis/source_progress.h"
#include "snapshot/source.h"

struct source_psync_options {
    const struct endpoint *endpoint; /* must outlive the source */
    int64_t timeout_ms;              /* until the dump begins */
    bool allow_master;               /* false: a master is refused, and a server that does not tell its role */
    const char *spool_dir;           /* where to keep what the store is too slow for; NULL: 1 MiB of memory is all */
    uint64_t spool_bytes;            /* how much at most */
    struct guard_memory_options memory_guard;
    int64_t stall_ms; /* so long without any byte: the server is lost; 0: 60 s */
    int64_t pause_ms; /* before the second try; 0: 1 s; doubled with each further one */
    void (*progress)(const struct source_progress *p, void *cookie); /* about once a second; NULL: none */
    void *cookie;
};

/*
 * Everything up to the dump's header. A server that cannot now (it loads, a replica has lost its master, a script runs)
 * is asked again until the timeout; one that accepts and then gives up is asked three times, since each costs a fork.
 *
 * facts: what INFO, ROLE and CONFIG say where they are allowed (the least that the user needs is +ping +psync
 * +replconf); repl_id and repl_offset as +FULLRESYNC said them. snapshot_ms: when it came.
 *
 * ERR_REFUSED, ERR_SERVER, ERR_SERVER_DENIED as for bgsave; ERR_USAGE and ERR_NO_SPACE as spool_new() says, the
 * latter too when the memory guard refuses. Where INFO is denied that cannot judge.
 *
 * source_read() fails with ERR_SERVER when the connection ends before the dump, or nothing came for 60 s.
 * source_confirm() fails with ERR_SERVER when the dump names another point of the stream than +FULLRESYNC did.
 */
int source_psync_open(const struct source_psync_options *options, struct source **out, struct err *err) MUST_CHECK;

#endif
