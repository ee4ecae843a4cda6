/* SPDX-License-Identifier: Apache-2.0 */
/* bgsave.h: one BGSAVE from asking to its proven end, as the server tells it. Opens no dump: that the file is a new one
 * is for the caller to see, with the stamp that is taken here at the right moment. */
#ifndef SNAPSHOT_REDIS_BGSAVE_H
#define SNAPSHOT_REDIS_BGSAVE_H

#include <stdint.h>

#include "snapshot/guard.h"
#include "snapshot/redis/dump_file.h"
#include "snapshot/redis/session.h"
#include "snapshot/redis/source_bgsave.h"

struct bgsave {
    struct session *session;
    const struct source_bgsave_options *options;
    const char *dump; /* the dump's path here */
    int64_t deadline_ms;
    int64_t reported_at_ms; /* when progress was last told */

    /* What is known of the save that was asked for. */
    struct dump_stamp before;       /* the dump just before the request */
    struct server_status asked;     /* the server just before the request: no child was running */
    struct guard_findings findings; /* of the guards, just before the request */
    int64_t accepted_ms;            /* when it was accepted, by this machine's clock */
    int64_t not_before_s;           /* no ctime of its dump can be earlier; by the server's clock where it tells it */
};

/* Wait until nothing else runs, ask, wait for the end. Errors as source_bgsave_open() says. */
int bgsave_run(struct bgsave *b, struct err *err) MUST_CHECK;

#endif
