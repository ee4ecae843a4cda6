/* SPDX-License-Identifier: Apache-2.0 */
/* test_segment.c: frames there and back, what is refused, and whether zstd keeps to the memory that is planned. */
#define ZSTD_STATIC_LINKING_ONLY
#include "snapshot/repo/segment.h"

#include <string.h>
#include <zstd.h>

#include "base/mem.h"
#include "tests/support/test_common.h"

static char *
frame_of(const char *raw, size_t raw_len, size_t *len)
{
    struct err err = ERR_INIT;
    struct segment_encoder *e = segment_encoder_new(3, &err);
    char *out = mem_new(segment_bound(raw_len));

    assert_non_null(e);
    assert_ok(segment_encode(e, raw, raw_len, out, segment_bound(raw_len), len, &err), &err);
    segment_encoder_free(e);
    return out;
}

static char raw[5000];

static int
fill_raw(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(raw); i++)
        raw[i] = (char)(i * i / 7);
    return 0;
}

static void
segment__there_and_back__same_with_checksum_and_size(void **state)
{
    static const size_t sizes[] = {1, 2, 100, 4096, sizeof(raw)};
    struct err err = ERR_INIT;
    struct segment_decoder *d = segment_decoder_new(&err);

    (void)state;
    assert_non_null(d);
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        size_t len = 0;
        char *frame = frame_of(raw, sizes[i], &len), out[sizeof(raw)];
        ZSTD_frameHeader head;

        assert_ok(segment_decode(d, frame, len, out, sizes[i], &err), &err);
        assert_memory_equal(out, raw, sizes[i]);
        assert_int_equal(ZSTD_getFrameHeader(&head, frame, len), 0);
        assert_int_equal(head.checksumFlag, 1);
        assert_int_equal(head.frameContentSize, sizes[i]);
        free(frame);
    }
    segment_decoder_free(d);
}

static void
segment_decode__any_damage__corrupt(void **state)
{
    struct err err = ERR_INIT;
    struct segment_decoder *d = segment_decoder_new(&err);
    char out[sizeof(raw)], *longer;
    size_t len = 0;
    char *frame = frame_of(raw, 600, &len);

    (void)state;
    for (size_t cut = 0; cut < len; cut++)
        assert_fails(segment_decode(d, frame, cut, out, 600, &err), &err, ERR_CORRUPT);
    for (size_t at = 0; at < len; at++) {
        frame[at] = (char)(frame[at] ^ 0x10);
        if (segment_decode(d, frame, len, out, 600, &err) == 0)
            assert_memory_equal(out, raw, 600); /* a bit that zstd does not use: it must not change what comes out */
        else
            assert_fails(-1, &err, ERR_CORRUPT);
        frame[at] = (char)(frame[at] ^ 0x10);
    }
    assert_fails(segment_decode(d, frame, len, out, 599, &err), &err, ERR_CORRUPT);
    assert_fails(segment_decode(d, frame, len, out, 601, &err), &err, ERR_CORRUPT);
    longer = mem_new(2 * len);
    memcpy(longer, frame, len);
    memcpy(longer + len, frame, len); /* two frames are not one */
    assert_fails(segment_decode(d, longer, len + 1, out, 600, &err), &err, ERR_CORRUPT);
    assert_fails(segment_decode(d, longer, 2 * len, out, 1200, &err), &err, ERR_CORRUPT);
    free(longer);
    free(frame);
    segment_decoder_free(d);
}

/* What the plan counts on: zstd's context, used for segments of that size and shorter ones, is no larger than the
 * estimate. */
static void
segment_encoder_memory__every_level__not_exceeded(void **state)
{
    static const size_t sizes[] = {1u << 20, 8u << 20};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        char *in = mem_new(sizes[i]), *out = mem_new(segment_bound(sizes[i]));

        for (int level = SEGMENT_LEVEL_MIN; level <= segment_level_max(); level += sizes[i] > 1u << 20 ? 3 : 1) {
            ZSTD_CCtx *c = ZSTD_createCCtx();

            assert_false(ZSTD_isError(ZSTD_CCtx_setParameter(c, ZSTD_c_compressionLevel, level)));
            assert_false(ZSTD_isError(ZSTD_compress2(c, out, segment_bound(sizes[i]), in, sizes[i])));
            assert_false(ZSTD_isError(ZSTD_compress2(c, out, segment_bound(sizes[i]), in, 10000)));
            if (ZSTD_sizeof_CCtx(c) > segment_encoder_memory(level, sizes[i]))
                fail_msg("level %d, %zu bytes: %zu, planned %zu", level, sizes[i], ZSTD_sizeof_CCtx(c),
                         segment_encoder_memory(level, sizes[i]));
            ZSTD_freeCCtx(c);
        }
        free(in);
        free(out);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(segment__there_and_back__same_with_checksum_and_size),
        cmocka_unit_test(segment_decode__any_damage__corrupt),
        cmocka_unit_test(segment_encoder_memory__every_level__not_exceeded),
    };

    return cmocka_run_group_tests(tests, fill_raw, NULL);
}
