/* SPDX-License-Identifier: Apache-2.0 */
/* psync_attempt.h: one try to be sent a dump, from connecting to the dump's header. */
#ifndef SNAPSHOT_REDIS_PSYNC_ATTEMPT_H
#define SNAPSHOT_REDIS_PSYNC_ATTEMPT_H

#include <stdint.h>

#include "base/err.h"
#include "snapshot/redis/psync_stream.h"
#include "snapshot/redis/source_psync.h"

enum psync_outcome {
    PSYNC_FAILED = -1, /* ERR is set, and another try would fail too */
    PSYNC_READY,
    PSYNC_LATER,     /* refused for now: waiting_for says why */
    PSYNC_ABANDONED, /* the server began and then gave up, which cost it a fork: ERR says what was seen */
};

struct psync_attempt {
    const struct source_psync_options *options;
    int64_t deadline_ms;
    int64_t stall_ms;
    struct server_facts *facts;      /* filled in by the try */
    struct guard_findings *findings; /* the same */

    const char *waiting_for;
    struct psync_stream *stream; /* PSYNC_READY: the caller's */
    int64_t full_ms;             /* when +FULLRESYNC came, by this machine's clock */
};

/* ERR_REFUSED: a master, and it may not be one. All else as source_psync_open() says. */
enum psync_outcome psync_attempt_run(struct psync_attempt *a, struct err *err);

#endif
