/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memory_plan.h: how a backup fits into the memory it may use, decided once, before anything is allocated. The size of
 * the dataset does not enter: a segment's size and the number of workers do.
 *
 *     buffers = (jobs + 1) * segment + jobs * (compressed bound of a segment + zstd's working memory at the level)
 *     buffers <= memory - 16 MiB     (the program itself, libraries, stacks, the index)
 */
#ifndef SNAPSHOT_MEMORY_PLAN_H
#define SNAPSHOT_MEMORY_PLAN_H

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

#endif
