/* SPDX-License-Identifier: Apache-2.0 */
/*
 * member_writer.h: bytes of a member become objects: a slice is compressed, its SHA-256 computed, and it is put as a
 * segment. The dump goes slice by slice, by several workers (backup.c); a small member that lies in memory in one call.
 */
#ifndef SNAPSHOT_MEMBER_WRITER_H
#define SNAPSHOT_MEMBER_WRITER_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "snapshot/repo/index.h"
#include "snapshot/repo/manifest.h"
#include "snapshot/repo/repo.h"
#include "snapshot/repo/segment.h"

/* What one thread needs to compress; all zeros: nothing. */
struct member_encoder {
    struct segment_encoder *zstd;
    uint8_t *out;
    size_t cap;
};

/* For slices of at most RAW bytes. ERR_NO_SPACE; member_encoder_fini() in any case. */
int member_encoder_init(struct member_encoder *e, int level, size_t raw, struct err *err) MUST_CHECK;
void member_encoder_fini(struct member_encoder *e);

struct member_slice {
    const uint8_t *raw;
    size_t len;
    uint64_t number, offset; /* in the member */
};

/* Where the objects of one member go. */
struct member_place {
    const struct repo *repo;
    const struct manifest *m; /* its id and instance count */
    const char *member;       /* "rdb", "config" */
};

/* Put one slice; *ENTRY is its line in the index. Several threads at once, each with an encoder of its own. */
int member_put_slice(const struct member_place *place, const struct member_encoder *e, const struct member_slice *slice,
                     struct index_segment *entry, struct err *err) MUST_CHECK;

/* How many segments LEN bytes (at least 1) make. */
uint64_t member_segments(size_t len, size_t segment_bytes);

/* Put LEN bytes (at least 1) at DATA in segments of SEGMENT_BYTES, one after the other, and fill in INDEX, which
 * is empty. What was put before a failure is the caller's to remove: all of member_segments() may be there. */
int member_put(const struct member_place *place, const void *data, size_t len, size_t segment_bytes, int level,
               struct index *index, struct err *err) MUST_CHECK;

/* Remove the first SEGMENTS segments of a member and its index, as far as they are there. -1: *LEFT (at most) are
 * not removed, and the store is not asked again. */
int member_remove(const struct member_place *place, uint64_t segments, uint64_t *left, struct err *err) MUST_CHECK;

#endif
