/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source_bgsave.h: asks a server for a save of its own and reads the dump on its volume.
 *
 * What it promises: the dump was written by a BGSAVE that this call asked for, or by a later one. A save that was
 * running before is waited for and never taken: it forked before the request.
 */
#ifndef SNAPSHOT_REDIS_SOURCE_BGSAVE_H
#define SNAPSHOT_REDIS_SOURCE_BGSAVE_H

#include <stdbool.h>
#include <stdint.h>

#include "snapshot/guard.h"
#include "snapshot/redis/endpoint.h"
#include "snapshot/redis/source_progress.h"
#include "snapshot/source.h"

struct source_bgsave_options {
    const struct endpoint *endpoint;
    const char *data_dir; /* the server's `dir` as it is mounted here; the dump's name is asked with CONFIG GET */
    const char *rdb_file; /* or: the dump's own path here. NULL: data_dir with the server's dbfilename, or with
                             "dump.rdb" and a warning where CONFIG GET is not allowed */
    int64_t timeout_ms;   /* for waiting and saving together */
    bool allow_master;    /* false: a master is refused */
    struct guard_options guards;
    int64_t reconnect_ms; /* for how long a lost connection is tried again; 0: 10 s */
    void (*progress)(const struct source_progress *p, void *cookie); /* about twice a second; NULL: none */
    void *cookie;
};

/*
 * Everything up to the first byte: INFO, ROLE, CONFIG GET, space, BGSAVE, waiting for its end, opening the dump and
 * seeing that it is a new one. OPTIONS is not needed afterwards.
 *
 * ERR_USAGE: the folder or the dump cannot be read here, or it is not the server's. ERR_REFUSED: a master, and it may
 * not be one. ERR_NO_SPACE: found before BGSAVE was sent, or the cause of its failure. ERR_SERVER: unreachable,
 * restarted meanwhile, the save failed, or was not done in time (the server then goes on with it). ERR_SERVER_DENIED:
 * password or ACL; the rules that are needed: +ping +info +bgsave +lastsave +config|get +role, of which a missing
 * CONFIG or ROLE is lived with.
 *
 * source_confirm() fails with ERR_REFUSED when the file changed while it was read, with ERR_SERVER when the dump's
 * ctime says that it began before the request.
 */
int source_bgsave_open(const struct source_bgsave_options *options, struct source **out, struct err *err) MUST_CHECK;

#endif
