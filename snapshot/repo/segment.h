/* SPDX-License-Identifier: Apache-2.0 */
/*
 * segment.h: one segment's bytes, both ways: a slice of a member <-> one independent zstd frame that carries its
 * content size and checksum. The frames of a member, concatenated, are one valid zstd stream. The only file that knows
 * zstd. One thread per encoder or decoder.
 */
#ifndef SNAPSHOT_REPO_SEGMENT_H
#define SNAPSHOT_REPO_SEGMENT_H

#include <stddef.h>

#include "base/err.h"

#define SEGMENT_LEVEL_MIN     1
#define SEGMENT_LEVEL_DEFAULT 2 /* by `make bench`: a seventh smaller than level 1 for a tenth more CPU */

struct segment_encoder;
struct segment_decoder;

/* The highest level that the zstd library has. */
int segment_level_max(void);

/* The most bytes a frame of RAW bytes can have. */
size_t segment_bound(size_t raw);

/* zstd's working memory for segments of RAW bytes at LEVEL, in bytes. */
size_t segment_encoder_memory(int level, size_t raw);

/* NULL with ERR_NO_SPACE. */
struct segment_encoder *segment_encoder_new(int level, struct err *err) MUST_CHECK;
void segment_encoder_free(struct segment_encoder *e); /* NULL is fine */

/* Compress RAW bytes into OUT, which has room for segment_bound() of them; *LEN is what it took. */
int segment_encode(struct segment_encoder *e, const void *raw, size_t raw_len, void *out, size_t cap, size_t *len,
                   struct err *err) MUST_CHECK;

/* zstd's working memory for one decoder, in bytes. */
size_t segment_decoder_memory(void);

struct segment_decoder *segment_decoder_new(struct err *err) MUST_CHECK;
void segment_decoder_free(struct segment_decoder *d); /* NULL is fine */

/* Decompress one whole frame of LEN bytes into OUT, which must give exactly RAW_LEN bytes: anything else is
 * ERR_CORRUPT. */
int segment_decode(struct segment_decoder *d, const void *frame, size_t len, void *out, size_t raw_len,
                   struct err *err) MUST_CHECK;

/* zstd's version, for `remora version`. */
const char *segment_library_version(void);

#endif
