/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stored.h: what a backup consists of, as it lies in a store or comes from elsewhere: each object checked against the
 * one that vouches for it: an index against its manifest, a segment against its index. What reading, copy and import
 * share. Thread-safe.
 */
#ifndef SNAPSHOT_REPO_STORED_H
#define SNAPSHOT_REPO_STORED_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "snapshot/repo/index.h"
#include "snapshot/repo/manifest.h"
#include "snapshot/repo/repo.h"

/* No segment has more raw bytes, whatever an index says: that is what bounds a reader's memory. */
#define STORED_SEGMENT_RAW_MAX ((size_t)64 << 20)

/* The manifest of ID: its very bytes (the caller frees) and, with INSTANCE for its name, what they say
 * (manifest_free()). ERR_NOT_FOUND; otherwise as manifest_parse(), and ERR_CORRUPT for another backup's. */
int stored_manifest(const struct repo *repo, const char *instance, const struct backup_id *id, char **data, size_t *len,
                    struct manifest **out, struct err *err) MUST_CHECK;

/* The index of MEMBER, one of M's: its bytes, unchecked; the caller frees. ERR_CORRUPT when it is missing. */
int stored_index(const struct repo *repo, const struct manifest *m, const struct manifest_member *member, char **data,
                 size_t *len, struct err *err) MUST_CHECK;

/* Are these the bytes of the index that MEMBER's manifest speaks of? *INDEX is what they say then; index_fini(). */
int stored_index_check(const struct manifest_member *member, const char *data, size_t len, struct index *index,
                       struct err *err) MUST_CHECK;

/* The largest segment of INDEX, raw and stored (0 where it has none). ERR_CORRUPT where it tells of one that no writer
 * makes. */
int stored_index_bounds(const struct index *index, size_t *raw, size_t *stored, struct err *err) MUST_CHECK;

/* Are these the bytes of the segment S? ERR_CORRUPT. */
int stored_segment_check(const struct index_segment *s, const void *data, size_t len, struct err *err) MUST_CHECK;

/* Segment NUMBER of MEMBER, which is S, into BUF, with room for one byte more than S has. ERR_CORRUPT when it is
 * missing or not S. */
int stored_segment(const struct repo *repo, const struct manifest *m, const struct manifest_member *member,
                   uint64_t number, const struct index_segment *s, void *buf, struct err *err) MUST_CHECK;

#endif
