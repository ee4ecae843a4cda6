/* SPDX-License-Identifier: Apache-2.0 */
/* test_index.c: the table of segments there and back, and every way in which it can be wrong. */
#include "snapshot/repo/index.h"

#include <string.h>

#include "base/mem.h"
#include "tests/support/test_common.h"

#define HEX "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define LINE(n, off, raw, stored)                                                                                      \
    "{\"n\":" #n ",\"off\":" #off ",\"raw\":" #raw ",\"stored\":" #stored ",\"sha256\":\"" HEX "\"}\n"

static void
index_write__known_table__exact_bytes(void **state)
{
    struct err err = ERR_INIT;
    struct index_segment a = {.raw_offset = 0, .raw_size = 10, .stored_size = 7};
    struct index_segment b = {.raw_offset = 10, .raw_size = 5, .stored_size = 6};
    struct index x;
    size_t len = 0;
    char *text;

    (void)state;
    for (size_t i = 0; i < sizeof(a.sha256); i++)
        a.sha256[i] = b.sha256[i] = (uint8_t)((i % 16) * 0x11);
    index_init(&x);
    assert_ok(index_set(&x, 1, &b, &err), &err); /* workers finish in any order */
    assert_ok(index_set(&x, 0, &a, &err), &err);
    assert_int_equal(index_raw_size(&x), 15);
    assert_int_equal(index_stored_size(&x), 13);
    text = index_write(&x, &len);
    assert_string_equal(text, LINE(0, 0, 10, 7) LINE(1, 10, 5, 6));
    assert_int_equal(len, strlen(text));
    index_fini(&x);
    free(text);
}

static void
index__many_segments__there_and_back(void **state)
{
    struct err err = ERR_INIT;
    struct index x, back;
    uint64_t offset = 0;
    size_t len = 0;
    char *text;

    (void)state;
    index_init(&x);
    for (uint64_t n = 0; n < 3000; n++) {
        struct index_segment s = {.raw_offset = offset, .raw_size = 1 + n * 31 % 8388608, .stored_size = 1 + n};

        digest_sha256(&n, sizeof(n), s.sha256);
        assert_ok(index_set(&x, n, &s, &err), &err);
        offset += s.raw_size;
    }
    text = index_write(&x, &len);
    assert_ok(index_parse(text, len, &back, &err), &err);
    assert_int_equal(back.count, x.count);
    assert_memory_equal(back.segments, x.segments, x.count * sizeof(*x.segments));
    index_fini(&back);
    /* Cut anywhere but behind a line, it is refused. */
    for (size_t cut = len - 200; cut < len; cut++) {
        if (text[cut - 1] == '\n')
            continue;
        assert_fails(index_parse(text, cut, &back, &err), &err, ERR_CORRUPT);
    }
    index_fini(&x);
    free(text);
}

static void
index_parse__nothing__empty_table(void **state)
{
    struct err err = ERR_INIT;
    struct index x;

    (void)state;
    assert_ok(index_parse("", 0, &x, &err), &err);
    assert_int_equal(x.count, 0);
    index_fini(&x);
}

static void
index_parse__unknown_field__ignored(void **state)
{
    struct err err = ERR_INIT;
    struct index x;
    static const char text[] =
        "{\"n\":0,\"off\":0,\"new\":[1],\"raw\":3,\"stored\":4,\"sha256\":\"" HEX "\",\"more\":{}}\n";

    (void)state;
    assert_ok(index_parse(text, strlen(text), &x, &err), &err);
    assert_int_equal(x.segments[0].raw_size, 3);
    index_fini(&x);
}

static void
index_parse__wrong__corrupt_with_the_line(void **state)
{
    static const struct {
        const char *text, *says;
    } bad[] = {
        {LINE(0, 0, 10, 7) LINE(2, 10, 5, 6), "line 2"},      /* a hole */
        {LINE(1, 0, 10, 7), "line 1"},                        /* not from the first */
        {LINE(0, 1, 10, 7), "line 1"},                        /* not from the start */
        {LINE(0, 0, 10, 7) LINE(1, 11, 5, 6), "line 2"},      /* a gap of bytes */
        {LINE(0, 0, 10, 7) LINE(1, 9, 5, 6), "line 2"},       /* an overlap */
        {LINE(0, 0, 10, 7) LINE(0, 0, 10, 7), "line 2"},      /* twice */
        {LINE(1, 10, 5, 6) LINE(0, 0, 10, 7), "line 1"},      /* wrong order */
        {LINE(0, 0, 0, 7), "line 1"},                         /* nothing in it */
        {LINE(0, 0, 10, 0), "line 1"},                        /* a hole that was written */
        {LINE(0, 0, -1, 7), "line 1"},                        /* negative */
        {LINE(0, 0, 10, 7) "\n", "line 2"},                   /* an empty line */
        {LINE(0, 0, 10, 7) "\n" LINE(1, 10, 5, 6), "line 2"}, /* in the middle too */
        {"\n", "line 1"},                                     /* alone */
        {LINE(0, 0, 1.5, 7), "line 1"},                       /* no whole number */
        {LINE(0, 0, "10", 7), "line 1"},                      /* no number */
        {LINE(0, 0, 99999999999999999999, 7), "line 1"},      /* beyond 64 bits */
        {LINE(0, 0, 9223372036854775807, 7) LINE(1, 9223372036854775807, 9223372036854775807, 7), "line 2"},
        {"{\"n\":0,\"n\":0,\"off\":0,\"raw\":1,\"stored\":1,\"sha256\":\"" HEX "\"}\n", "line 1"}, /* a key twice */
        {"{\"n\":0,\"off\":0,\"raw\":1,\"stored\":1,\"sha256\":\"" HEX "00\"}\n", "line 1"},
        {"{\"n\":0,\"off\":0,\"raw\":1,\"stored\":1,\"sha256\":\"00\"}\n", "line 1"},
        {"{\"n\":0,\"off\":0,\"raw\":1,\"stored\":1}\n", "line 1"},
        {"{\"n\":0,\"off\":0,\"raw\":1,\"sha256\":\"" HEX "\"}\n", "line 1"},
        {"[]\n", "line 1"},
        {"{}{}\n", "line 1"},
        {"no JSON\n", "line 1"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct err err = ERR_INIT;
        struct index x;

        if (index_parse(bad[i].text, strlen(bad[i].text), &x, &err) == 0)
            fail_msg("taken: %s", bad[i].text);
        assert_int_equal(err.code, ERR_CORRUPT);
        assert_non_null(strstr(err.msg, bad[i].says));
    }
}

static void
index_parse__nul_bytes__corrupt(void **state)
{
    struct err err = ERR_INIT;
    struct index x;
    char text[] = LINE(0, 0, 10, 7);

    (void)state;
    for (size_t at = 0; at < sizeof(text) - 2; at++) {
        char was = text[at];

        text[at] = '\0';
        assert_fails(index_parse(text, sizeof(text) - 1, &x, &err), &err, ERR_CORRUPT);
        text[at] = was;
    }
}

static void
index_set__beyond_the_limit__unsupported(void **state)
{
    struct err err = ERR_INIT;
    struct index_segment s = {.raw_size = 1, .stored_size = 1};
    struct index x;

    (void)state;
    index_init(&x);
    assert_fails(index_set(&x, INDEX_MAX_SEGMENTS, &s, &err), &err, ERR_UNSUPPORTED);
    assert_fails(index_set(&x, UINT64_MAX, &s, &err), &err, ERR_UNSUPPORTED);
    assert_int_equal(x.count, 0);
    assert_ok(index_set(&x, INDEX_MAX_SEGMENTS - 1, &s, &err), &err);
    index_fini(&x);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(index_write__known_table__exact_bytes),
        cmocka_unit_test(index__many_segments__there_and_back),
        cmocka_unit_test(index_parse__nothing__empty_table),
        cmocka_unit_test(index_parse__unknown_field__ignored),
        cmocka_unit_test(index_parse__wrong__corrupt_with_the_line),
        cmocka_unit_test(index_parse__nul_bytes__corrupt),
        cmocka_unit_test(index_set__beyond_the_limit__unsupported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
