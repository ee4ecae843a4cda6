/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test_common.h"

#include <string.h>

#include "snapshot/rdb/lzf.h"

/* Feed LEN bytes, STEP at a time, with what was left over in front of the next. */
static enum lzf_status
follow(const uint8_t *data, size_t len, uint64_t out_len, size_t step, uint8_t *out)
{
    struct lzf z;
    size_t taken = 0;
    enum lzf_status status = LZF_MORE;

    lzf_start(&z, len, out_len, out, out != NULL ? out_len : 0);
    for (size_t end = 0; end < len && status == LZF_MORE;) {
        const uint8_t *p = data + taken;

        end = end + step < len ? end + step : len;
        status = lzf_run(&z, &p, data + end);
        taken = (size_t)(p - data);
        assert_true(taken <= end);
        assert_true(status != LZF_MORE || end - taken < LZF_INSTRUCTION_MAX);
    }
    return status;
}

/* The same in every slicing, with output and without. */
static void
assert_status(const uint8_t *data, size_t len, uint64_t out_len, enum lzf_status expected)
{
    uint8_t out[1024];

    for (size_t step = 1; step <= len; step++) {
        assert_int_equal(follow(data, len, out_len, step, NULL), expected);
        if (out_len <= sizeof(out))
            assert_int_equal(follow(data, len, out_len, step, out), expected);
    }
}

#define STREAM(...) (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})

static void
lzf__literals_and_copies__unpack(void **state)
{
    uint8_t out[64] = {0};

    (void)state;
    assert_status(STREAM(0, 'a'), 1, LZF_DONE);
    assert_status(STREAM(2, 'a', 'b', 'c', 0x20, 2), 6, LZF_DONE);       /* three bytes, three back */
    assert_status(STREAM(0, 'a', 0xe0, 10, 0), 1 + 19, LZF_DONE);        /* overlapping, the long form */
    assert_status(STREAM(1, 'x', 'y', 0xe0, 255, 1), 2 + 264, LZF_DONE); /* the longest there is */
    assert_int_equal(follow(STREAM(3, 'a', 'b', 'c', 'a', 0xe0, 17, 2, 0, 'Z'), 31, 1, out), LZF_DONE);
    assert_memory_equal(out, "abcabcabcabcabcabcabcabcabcabcZ", 31);
}

static void
lzf__far_reference__uses_both_bytes_of_the_distance(void **state)
{
    uint8_t stream[33 * 16 + 2];
    uint8_t out[32 * 16 + 3];
    size_t n = 0;

    (void)state;
    for (int i = 0; i < 16; i++) {
        stream[n++] = 31;
        for (int j = 0; j < 32; j++)
            stream[n++] = (uint8_t)(i * 32 + j);
    }
    stream[n++] = 0x20 | 1; /* 512 back, that is the first three */
    stream[n++] = 255;
    assert_int_equal(follow(stream, n, sizeof(out), 7, out), LZF_DONE);
    assert_memory_equal(out + 512, "\x00\x01\x02", 3);
    assert_status(stream, n, sizeof(out), LZF_DONE);
    stream[n - 2] = 0x20 | 2; /* 768 back: before the start */
    assert_status(stream, n, sizeof(out), LZF_BAD);
}

static void
lzf__outside_its_bounds__is_bad(void **state)
{
    (void)state;
    assert_status(STREAM(0x20, 0), 3, LZF_BAD);                 /* nothing to copy yet */
    assert_status(STREAM(0, 'a', 0x20, 1), 4, LZF_BAD);         /* two back of one */
    assert_status(STREAM(1, 'a', 'b', 0x20, 0), 4, LZF_BAD);    /* one byte more than announced */
    assert_status(STREAM(1, 'a', 'b', 0x20, 0), 6, LZF_BAD);    /* one less */
    assert_status(STREAM(2, 'a', 'b'), 3, LZF_BAD);             /* literals behind the end of the stream */
    assert_status(STREAM(2, 'a', 'b', 'c'), 2, LZF_BAD);        /* and of the output */
    assert_status(STREAM(0, 'a', 0x20), 4, LZF_BAD);            /* half an instruction */
    assert_status(STREAM(0, 'a', 0xe0, 1), 11, LZF_BAD);        /* two thirds */
    assert_status(STREAM(0, 'a', 0, 'b'), UINT64_MAX, LZF_BAD); /* a size out of this world */
    assert_status(STREAM(0, 'a', 0xe0, 255, 0), 264, LZF_BAD);
}

/* Long enough for the fast path: every instruction in turn is made bad, and both ways must see it. */
static void
lzf__long_stream__one_bad_instruction_anywhere_is_seen(void **state)
{
    uint8_t stream[800];
    size_t n = 0;
    uint64_t out_len = 0;

    (void)state;
    for (int i = 0; i < 100; i++) {
        memcpy(stream + n, (const uint8_t[]){1, 'p', 'q', 0x40, 1, 0xe0, 3, 0}, 8);
        n += 8;
        out_len += 2 + 4 + 12;
    }
    assert_int_equal(follow(stream, n, out_len, n, NULL), LZF_DONE);
    assert_int_equal(follow(stream, n, out_len, 100, NULL), LZF_DONE);
    assert_int_equal(follow(stream, n, out_len - 1, n, NULL), LZF_BAD);
    assert_int_equal(follow(stream, n, out_len + 1, n, NULL), LZF_BAD);
    for (size_t i = 3; i < 400; i += 8) {
        stream[i] = 0x5f; /* 8 KiB back, which is not there yet */
        assert_int_equal(follow(stream, n, out_len, n, NULL), LZF_BAD);
        assert_int_equal(follow(stream, n, out_len, 50, NULL), LZF_BAD);
        stream[i] = 0x40;
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lzf__literals_and_copies__unpack),
        cmocka_unit_test(lzf__far_reference__uses_both_bytes_of_the_distance),
        cmocka_unit_test(lzf__outside_its_bounds__is_bad),
        cmocka_unit_test(lzf__long_stream__one_bad_instruction_anywhere_is_seen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
