/* SPDX-License-Identifier: Apache-2.0 */
/*
 * member_fetch.h: the segments of a member, fetched, proven and decompressed by several workers and handed out in
 * order.
 *
 * A ring of buffers: segment n lies in buffer n modulo the ring's length, and the workers get it once segment n - ring
 * has been given back. So no worker runs further ahead than the ring is long, and the segment that is waited for always
 * has its buffer: a slow one can hold the others up, never lock them out. Segments are begun in order, and of several
 * that fail the first in order is told.
 */
#ifndef SNAPSHOT_MEMBER_FETCH_H
#define SNAPSHOT_MEMBER_FETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "snapshot/member_reader.h"
#include "snapshot/repo/index.h"

struct member_fetch;

/* A segment in the caller's hands. */
struct member_piece {
    const uint8_t *raw; /* or as stored, where the reading asks for that */
    size_t len;
    bool had; /* `have` of the reading gave it: nothing was fetched */
};

/* Plan the memory, make the buffers, start the workers. R and INDEX must outlive it. ERR_CORRUPT where INDEX tells of
 * segments that no writer makes; ERR_USAGE, ERR_NO_SPACE: not enough memory. */
struct member_fetch *member_fetch_start(const struct member_read *r, const struct index *index,
                                        struct err *err) MUST_CHECK;

/* Wait for the next segment; there must be one. It belongs to the caller until the next call. -1: it could not be had,
 * or a signal came; then only member_fetch_end() may follow. One thread only. */
int member_fetch_next(struct member_fetch *f, struct member_piece *piece, struct err *err) MUST_CHECK;

/* Drop what is queued, wait for what is under way, free everything. NULL is fine. */
void member_fetch_end(struct member_fetch *f);

#endif
