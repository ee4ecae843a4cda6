/* SPDX-License-Identifier: Apache-2.0 */
/*
 * member_reader.h: a stored dump, read back and proven on the way: each segment against its size and SHA-256 in the
 * index, its decompression against its raw size, the index against the manifest, and all of the dump against the
 * scanner's judgement and the manifest's counts. What restore, --stdout and verify share.
 */
#ifndef SNAPSHOT_MEMBER_READER_H
#define SNAPSHOT_MEMBER_READER_H

#include <stddef.h>

#include "base/err.h"
#include "snapshot/progress.h"
#include "snapshot/repo/index.h"
#include "snapshot/repo/manifest.h"
#include "snapshot/repo/repo.h"

/* Gets the raw bytes in order. -1 stops the reading with that error. */
typedef int member_sink_fn(const void *data, size_t len, void *cookie, struct err *err);

struct member_read {
    const struct repo *repo;
    const struct manifest *m;
    member_sink_fn *sink; /* NULL: only the proof is wanted */
    void *cookie;
    const struct progress_sink *progress;
    enum progress_phase phase;
};

/* Read all of the dump. The bytes reach the sink before the end of the dump is proven: only 0 means that all of them
 * were good. Missing or wrong objects are ERR_CORRUPT. Memory: two buffers of a segment. */
int member_read_rdb(const struct member_read *r, struct err *err) MUST_CHECK;

/* The index of the dump, checked against the manifest. Caller does index_fini(). */
int member_read_index(const struct repo *repo, const struct manifest *m, struct index *index,
                      struct err *err) MUST_CHECK;

#endif
