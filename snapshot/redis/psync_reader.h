/* SPDX-License-Identifier: Apache-2.0 */
/* psync_reader.h: a thread that takes the dump from the connection as fast as it comes, so that the server waits only
 * when the spool is full. */
#ifndef SNAPSHOT_REDIS_PSYNC_READER_H
#define SNAPSHOT_REDIS_PSYNC_READER_H

#include <pthread.h>
#include <stdbool.h>

#include "base/err.h"
#include "snapshot/redis/psync_stream.h"
#include "snapshot/redis/spool.h"

struct psync_reader {
    struct psync_stream *stream; /* the thread's, from start to end */
    struct spool *spool;
    pthread_t thread;
    bool running;
};

/* Start the thread: STREAM has given its header. Both stay the caller's. ERR_NO_SPACE when there is no thread. */
int psync_reader_start(struct psync_reader *r, struct psync_stream *stream, struct spool *spool,
                       struct err *err) MUST_CHECK;

/* End it, wherever it stands, and wait for it. Fine when it was never started, and twice. */
void psync_reader_stop(struct psync_reader *r);

#endif
