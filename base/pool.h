/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool.h: a fixed number of worker threads that take items from one bounded queue.
 *
 * The first failure is kept; from then on the workers hand items back undone (the `done` callback still sees each of
 * them), and pool_submit() says no. So a producer never hangs on workers that gave up.
 */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include <stdbool.h>

#include "base/err.h"

struct pool;

struct pool_ops {
    /* Work on ITEM in the thread of worker number WORKER (0 to workers - 1). 0, or -1 with ERR set. Not called once
     * anything failed. */
    int (*work)(void *item, unsigned worker, void *cookie, struct err *err);
    /* ITEM is finished with, worked on or not: give its memory back. Called once for each item that pool_submit() took.
     */
    void (*done)(void *item, void *cookie);
};

/* Start WORKERS threads (1 to 256). OPS and COOKIE must outlive the pool. NULL with ERR_NO_SPACE when threads cannot be
 * had. Signals are blocked in the workers, so that the main thread sees them. */
struct pool *pool_start(unsigned workers, const struct pool_ops *ops, void *cookie, struct err *err) MUST_CHECK;

/* Hand over ITEM; waits while all workers are busy. False, and the item stays the caller's, once a worker has failed.
 * One thread only. */
bool pool_submit(struct pool *p, void *item);

/* Make the pool fail with CAUSE as if a worker had (unless it failed before): what is queued is dropped. */
void pool_cancel(struct pool *p, const struct err *cause);

/* Wait for all that was submitted, end the threads, free the pool. 0, or -1 with the first failure. NULL is fine (0).
 */
int pool_finish(struct pool *p, struct err *err);

#endif
