/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test_common.h"

#include <pthread.h>
#include <string.h>

#include "snapshot/rdb/crc64.h"
#include "snapshot/rdb/crc64_internal.h"

#define ROOM 2048
static uint8_t bytes[ROOM + 64];

/* The definition, word for word: no tables, nothing reflected in advance. */
static uint64_t
reflect(uint64_t v, int bits)
{
    uint64_t out = 0;

    for (int i = 0; i < bits; i++)
        out |= ((v >> i) & 1) << (bits - 1 - i);
    return out;
}

static uint64_t
bitwise(uint64_t crc, const uint8_t *p, size_t len)
{
    uint64_t v = reflect(crc, 64);

    for (; len > 0; p++, len--) {
        v ^= reflect(*p, 8) << 56;
        for (int bit = 0; bit < 8; bit++)
            v = (v >> 63) != 0 ? (v << 1) ^ UINT64_C(0xad93d23594c935a9) : v << 1;
    }
    return reflect(v, 64);
}

static int
fill(void **state)
{
    uint32_t x = 12345;

    (void)state;
    for (size_t i = 0; i < sizeof(bytes); i++) {
        x = x * 1664525 + 1013904223;
        bytes[i] = (uint8_t)(x >> 24);
    }
    return 0;
}

static void
crc64__check_string__is_the_published_value(void **state)
{
    (void)state;
    assert_true(bitwise(0, (const uint8_t *)"123456789", 9) == UINT64_C(0xe9c6d914c4b8d9ca));
    assert_true(crc64(0, "123456789", 9) == UINT64_C(0xe9c6d914c4b8d9ca));
    assert_true(crc64_tables(0, "123456789", 9) == UINT64_C(0xe9c6d914c4b8d9ca));
    assert_true(crc64(7, "", 0) == 7);
}

/* Every length at every alignment within 64 bytes, and a start value that is not 0. */
static void
compare_all(uint64_t (*way)(uint64_t, const void *, size_t))
{
    for (size_t align = 0; align < 64; align++) {
        const uint8_t *p = bytes + align;
        uint64_t start = align * UINT64_C(0x9e3779b97f4a7c15);
        uint64_t expected = start;

        for (size_t len = 0; len <= 1024; len++) {
            if (way(start, p, len) != expected)
                fail_msg("length %zu at alignment %zu", len, align);
            expected = bitwise(expected, p + len, 1);
        }
    }
}

static void
crc64_tables__all_lengths_and_alignments__are_as_defined(void **state)
{
    (void)state;
    compare_all(crc64_tables);
}

static void
crc64_clmul__all_lengths_and_alignments__are_as_defined(void **state)
{
    (void)state;
    if (!crc64_has_clmul()) {
        print_message("no PCLMULQDQ here: crc64() is the tables\n");
        assert_true(crc64(0, bytes, 1024) == crc64_tables(0, bytes, 1024));
        return;
    }
    compare_all(crc64_clmul);
}

static void
crc64__any_split__gives_the_same(void **state)
{
    uint64_t whole = bitwise(0, bytes, ROOM);

    (void)state;
    for (size_t split = 0; split <= ROOM; split++)
        assert_true(crc64(crc64(0, bytes, split), bytes + split, ROOM - split) == whole);
    assert_true(crc64_tables(crc64_tables(0, bytes, 700), bytes + 700, ROOM - 700) == whole);
}

static void *
crc_in_thread(void *out)
{
    *(uint64_t *)out = crc64(0, bytes, ROOM);
    return NULL;
}

static void
crc64__several_threads__agree(void **state)
{
    pthread_t threads[8];
    uint64_t got[8];
    uint64_t expected = bitwise(0, bytes, ROOM);

    (void)state;
    for (int i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, crc_in_thread, &got[i]), 0);
    for (int i = 0; i < 8; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_true(got[i] == expected);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crc64__several_threads__agree), /* first: so that they race for the set-up */
        cmocka_unit_test(crc64__check_string__is_the_published_value),
        cmocka_unit_test(crc64_tables__all_lengths_and_alignments__are_as_defined),
        cmocka_unit_test(crc64_clmul__all_lengths_and_alignments__are_as_defined),
        cmocka_unit_test(crc64__any_split__gives_the_same),
    };

    return cmocka_run_group_tests(tests, fill, NULL);
}
