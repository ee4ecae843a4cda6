/* SPDX-License-Identifier: Apache-2.0 */
/* index.h: the table of a member's segments; stored as JSON lines, one a segment, in order. Pure. */
#ifndef SNAPSHOT_REPO_INDEX_H
#define SNAPSHOT_REPO_INDEX_H

#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"

/* 131,072 segments: 1 TiB at 8 MiB a segment. A larger member is ERR_UNSUPPORTED. */
#define INDEX_MAX_SEGMENTS (1u << 17)
/* No index is larger: the longest line times the most lines. */
#define INDEX_MAX_BYTES ((size_t)INDEX_MAX_SEGMENTS * 256)

struct index_segment {
    uint64_t raw_offset; /* in the member */
    uint64_t raw_size;
    uint64_t stored_size;
    uint8_t sha256[DIGEST_SHA256_LEN]; /* of the stored bytes */
};

struct index {
    struct index_segment *segments; /* segment number N at [N] */
    size_t count;
    size_t allocated;
};

/* An empty table. */
void index_init(struct index *x);
void index_fini(struct index *x);

/* Enter segment NUMBER; any order, each once. ERR_UNSUPPORTED beyond INDEX_MAX_SEGMENTS. Not thread-safe. */
int index_set(struct index *x, uint64_t number, const struct index_segment *segment, struct err *err) MUST_CHECK;

/* Bytes over all segments. */
uint64_t index_raw_size(const struct index *x);
uint64_t index_stored_size(const struct index *x);

/* The object's bytes and their number; the caller frees. Every segment from 0 to count - 1 must have been entered. */
char *index_write(const struct index *x, size_t *len) MUST_CHECK;

/* The reverse. ERR_CORRUPT unless the lines are segments 0, 1, 2... that follow one another without a hole. */
int index_parse(const char *data, size_t len, struct index *out, struct err *err) MUST_CHECK;

#endif
