/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memory_plan.h: how a backup, or the reading of one, fits into the memory it may use, decided once, before anything is
 * allocated. The size of the dataset does not enter: a segment's size and the number of workers do.
 *
 *     backup:  buffers = (jobs + 1) * segment + jobs * (compressed bound of a segment + zstd's memory at the level)
 *     reading: buffers = ring * largest segment + jobs * (largest stored segment + zstd's memory)
 *              ring    = jobs + 2, jobs + 1 where that is too much, 1 (with one job) where that is too much as well
 *     copy:    buffers = jobs * largest stored segment + the index, twice
 *     import:  the same, and one more segment
 *     all:     buffers <= memory - 16 MiB     (the program itself, libraries, stacks, the index)
 */
#ifndef SNAPSHOT_MEMORY_PLAN_H
#define SNAPSHOT_MEMORY_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define MEMORY_PLAN_SEGMENT_MAX (8u << 20)
#define MEMORY_PLAN_SEGMENT_MIN (1u << 20)
#define MEMORY_PLAN_RESERVE     (16u << 20)

struct memory_plan {
    size_t segment_bytes;
    unsigned jobs;
    int level;
    size_t encoder_bytes; /* zstd's working memory, one worker's */
    size_t buffer_bytes;  /* all buffers together, by the formula above */
};

/* The most workers (at most JOBS), and with them the largest segments (8 MiB, halved down to 1 MiB), that fit into
 * MEMORY bytes at zstd's LEVEL: segments shrink before workers are given up. ERR_USAGE when not even the smallest plan
 * fits, or LEVEL is none of zstd's. */
int memory_plan_make(uint64_t memory, unsigned jobs, int level, struct memory_plan *plan, struct err *err) MUST_CHECK;

/* How a stored member is read. */
struct memory_read_plan {
    unsigned jobs;       /* workers, each with a buffer for one stored segment */
    unsigned ring;       /* buffers of a raw segment: no worker is further ahead of the reader than this */
    size_t raw_bytes;    /* a buffer of the ring */
    size_t stored_bytes; /* a worker's buffer */
    size_t buffer_bytes; /* all of it together, by the formula above */
};

/* The most workers (at most JOBS, at least 1), and for them the longer ring, that fit into MEMORY bytes, for segments
 * of at most RAW_BYTES, stored in at most STORED_BYTES (both above 0, and bounded by the caller). ERR_USAGE names the
 * least that would do when not even one worker with one buffer fits. */
int memory_plan_read(uint64_t memory, unsigned jobs, size_t raw_bytes, size_t stored_bytes,
                     struct memory_read_plan *plan, struct err *err) MUST_CHECK;

/* How a stored backup is carried from one place to another: segments as they are, and the index, whose bytes are kept.
 */
struct memory_carry_plan {
    unsigned jobs;       /* workers */
    unsigned buffers;    /* for a segment: one a worker, and one for the reader where there is one */
    size_t stored_bytes; /* a buffer */
    size_t buffer_bytes; /* all of it together, by the formula above */
};

/* The most workers (at most JOBS, at least 1) that fit into MEMORY bytes, for segments of at most STORED_BYTES and
 * indexes of INDEX_BYTES; with READER one buffer more. ERR_USAGE names the least that would do. */
int memory_plan_carry(uint64_t memory, unsigned jobs, bool reader, size_t stored_bytes, size_t index_bytes,
                      struct memory_carry_plan *plan, struct err *err) MUST_CHECK;

#endif
