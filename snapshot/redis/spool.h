/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spool.h: a bounded queue of bytes from one thread to another: some memory first, and behind it, where a folder is
 * given, a bounded file. It keeps a reader of a socket from waiting for whoever stores what was read.
 *
 * The file has no name (it is gone with the process, however that ends), is used in a circle, and never becomes larger
 * than was allowed. When its disk is full it stays as large as it is; the writer then waits, as it does when all is
 * full. The bytes are never synced: they are worth nothing after a crash.
 *
 * One thread writes, one reads; spool_cancel() and spool_stats() may come from either.
 */
#ifndef SNAPSHOT_REDIS_SPOOL_H
#define SNAPSHOT_REDIS_SPOOL_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define SPOOL_MEMORY_BYTES (1u << 20)

struct spool;

struct spool_stats {
    uint64_t file_peak; /* the most bytes that were in the file at once */
    int64_t waited_ms;  /* how long the writer waited for room, in all */
};

/* An empty spool. DIR: where its file goes, NULL for none; FILE_BYTES: how large that may become. ERR_USAGE when no
 * file can be made in DIR; ERR_NO_SPACE when its disk has less than 1 MiB to give, or there is no memory. Where the
 * disk has less than FILE_BYTES, what it has is the limit, and a warning is logged. */
struct spool *spool_new(const char *dir, uint64_t file_bytes, struct err *err) MUST_CHECK;

/* Add LEN bytes, waiting for room. ERR_INTERRUPTED after a signal or spool_cancel(). */
int spool_write(struct spool *s, const void *data, size_t len, struct err *err) MUST_CHECK;

/* Nothing more comes: the end, or (CAUSE not NULL) a failure, which the reader is told after the last byte. */
void spool_end(struct spool *s, const struct err *cause);

/* At least one and up to LEN bytes, waiting for them; *GOT 0 at the end. Errors: that of spool_end(), ERR_INTERRUPTED
 * after a signal. */
int spool_read(struct spool *s, void *buf, size_t len, size_t *got, struct err *err) MUST_CHECK;

/* The reader gives up: a waiting writer fails. */
void spool_cancel(struct spool *s);

void spool_stats(struct spool *s, struct spool_stats *out);

/* Both threads are done with it. NULL is fine. */
void spool_free(struct spool *s);

#endif
