/* SPDX-License-Identifier: Apache-2.0 */
/* segment.c: see segment.h. */
/* The memory estimate is in the part of zstd's interface that may change; it is exported by the shared library
 * since 1.4. */
#define ZSTD_STATIC_LINKING_ONLY
#include "snapshot/repo/segment.h"

#include <zstd.h>
#include <zstd_errors.h>

#include "base/mem.h"

struct segment_encoder {
    ZSTD_CCtx *ctx;
};

struct segment_decoder {
    ZSTD_DCtx *ctx;
};

int
segment_level_max(void)
{
    return ZSTD_maxCLevel();
}

size_t
segment_bound(size_t raw)
{
    return ZSTD_compressBound(raw);
}

size_t
segment_encoder_memory(int level, size_t raw)
{
    return ZSTD_estimateCCtxSize_usingCParams(ZSTD_getCParams(level, raw, 0));
}

struct segment_encoder *
segment_encoder_new(int level, struct err *err)
{
    struct segment_encoder *e = mem_new(sizeof(*e));

    e->ctx = ZSTD_createCCtx();
    if (e->ctx == NULL || ZSTD_isError(ZSTD_CCtx_setParameter(e->ctx, ZSTD_c_compressionLevel, level)) ||
        ZSTD_isError(ZSTD_CCtx_setParameter(e->ctx, ZSTD_c_checksumFlag, 1))) {
        (void)err_set(err, ERR_NO_SPACE, "zstd cannot compress at level %d: no memory", level);
        segment_encoder_free(e);
        return NULL;
    }
    return e;
}

void
segment_encoder_free(struct segment_encoder *e)
{
    if (e == NULL)
        return;
    (void)ZSTD_freeCCtx(e->ctx);
    free(e);
}

int
segment_encode(struct segment_encoder *e, const void *raw, size_t raw_len, void *out, size_t cap, size_t *len,
               struct err *err)
{
    size_t n = ZSTD_compress2(e->ctx, out, cap, raw, raw_len);

    if (ZSTD_isError(n))
        return err_set(err, ZSTD_getErrorCode(n) == ZSTD_error_memory_allocation ? ERR_NO_SPACE : ERR_INTERNAL,
                       "zstd: %s", ZSTD_getErrorName(n));
    *len = n;
    return 0;
}

size_t
segment_decoder_memory(void)
{
    return ZSTD_estimateDCtxSize();
}

struct segment_decoder *
segment_decoder_new(struct err *err)
{
    struct segment_decoder *d = mem_new(sizeof(*d));

    d->ctx = ZSTD_createDCtx();
    if (d->ctx == NULL) {
        (void)err_set(err, ERR_NO_SPACE, "zstd cannot decompress: no memory");
        free(d);
        return NULL;
    }
    return d;
}

void
segment_decoder_free(struct segment_decoder *d)
{
    if (d == NULL)
        return;
    (void)ZSTD_freeDCtx(d->ctx);
    free(d);
}

int
segment_decode(struct segment_decoder *d, const void *frame, size_t len, void *out, size_t raw_len, struct err *err)
{
    size_t n = ZSTD_findFrameCompressedSize(frame, len);

    if (ZSTD_isError(n) || n != len || ZSTD_getFrameContentSize(frame, len) != raw_len)
        return err_set(err, ERR_CORRUPT, "not one zstd frame of %zu raw bytes", raw_len);
    n = ZSTD_decompressDCtx(d->ctx, out, raw_len, frame, len);
    if (ZSTD_isError(n))
        return err_set(err, ERR_CORRUPT, "zstd: %s", ZSTD_getErrorName(n));
    if (n != raw_len)
        return err_set(err, ERR_CORRUPT, "%zu bytes came out, not %zu", n, raw_len);
    return 0;
}

const char *
segment_library_version(void)
{
    return ZSTD_versionString();
}
