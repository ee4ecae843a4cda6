/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test_common.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "snapshot/redis/psync_bulk.h"

#define ID   "0123456789abcdef0123456789abcdef01234567"
#define MARK "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"
#define FULL "+FULLRESYNC " ID " 1234\r\n"

/* Everything that a run of the parser said, as text: one letter a token, the dump's bytes between brackets. */
struct record {
    struct psync_bulk parser;
    char said[4096];
    size_t len;
    bool over; /* PSYNC_END, or a final token */
};

static void
note(struct record *r, const char *text, size_t len)
{
    assert_true(r->len + len < sizeof(r->said));
    memcpy(r->said + r->len, text, len);
    r->len += len;
    r->said[r->len] = '\0';
}

static void
feed(struct record *r, const char *bytes, size_t len)
{
    static const char *const letters[] = {
        [PSYNC_KEEPALIVE] = "k", [PSYNC_FULL] = "F", [PSYNC_CONTINUED] = "C", [PSYNC_REFUSED] = "R",
        [PSYNC_BEGUN] = "B",     [PSYNC_END] = "E",  [PSYNC_GARBAGE] = "G"};
    /* In memory of its own size: a sanitizer sees each byte too many. */
    uint8_t *copy = malloc(len > 0 ? len : 1);
    struct psync_span in = {copy, len}, out = {0};

    assert_non_null(copy);
    memcpy(copy, bytes, len);
    while (!r->over) {
        enum psync_token token = psync_bulk_next(&r->parser, &in, &out);

        if (token == PSYNC_NEED_MORE)
            break;
        if (token == PSYNC_DATA) {
            assert_true(out.len > 0);
            note(r, (const char *)out.data, out.len);
        } else {
            note(r, letters[token], 1);
        }
        r->over = token == PSYNC_END || token == PSYNC_GARBAGE || token == PSYNC_CONTINUED;
    }
    assert_true(r->over || in.len == 0);
    free(copy);
}

static struct record
run(const char *bytes, size_t len, size_t slice)
{
    struct record r = {0};

    psync_bulk_init(&r.parser);
    for (size_t at = 0; at < len; at += slice)
        feed(&r, bytes + at, len - at < slice ? len - at : slice);
    feed(&r, "", 0);
    return r;
}

static void
psync_bulk_next__every_slicing__same_tokens(void **state)
{
    static const struct {
        const char *bytes, *said;
        bool whole;
    } cases[] = {
        {FULL "$5\r\nREDIS", "FBREDISE", true},
        {FULL "$5\r\nREDISstream bytes", "FBREDISE", true},
        {FULL "$5\r\nREDI", "FBREDI", false},
        {FULL "$0\r\n", "FBE", true},
        {"\n\n" FULL "\n\n\n$5\r\n\n\r\n--", "kkFkkkB\n\r\n--E", true},
        {FULL "$EOF:" MARK "\r\nREDIS" MARK, "FBREDIS", true},
        {FULL "$EOF:" MARK "\r\n" MARK, "FB", true},
        {FULL "$EOF:" MARK "\r\nREDIS", "FB", false}, /* held back */
        {FULL "$EOF:" MARK "\r\n", "FB", false},
        /* A prefix of the mark in the data, right before the mark too; and one a too many. */
        {FULL "$EOF:" MARK "\r\nREDISaaaaaaaaaaaaaaaa.aaa" MARK, "FBREDISaaaaaaaaaaaaaaaa.aaa", true},
        {FULL "$EOF:" MARK "\r\na" MARK, "FBa", true},
        {FULL "$EOF:" MARK "\r\n" MARK "b", "FBa", false},
        /* The whole mark in the data: only the last one ends it. */
        {FULL "$EOF:" MARK "\r\nREDIS" MARK "more" MARK, "FBREDIS" MARK "more", true},
        {"-LOADING Redis is loading\r\n", "R", false},
        {"\n-NOMASTERLINK Can't SYNC\r\n", "kR", false},
        {FULL "\n-ERR BGSAVE failed\r\n", "FkR", false},
        {"+CONTINUE\r\n", "C", false},
        {"+CONTINUE " ID "\r\n", "C", false},
        {"+OK\r\n", "G", false},
        {"+FULLRESYNC\r\n", "G", false},
        {"+FULLRESYNC " ID "\r\n", "G", false},
        {"+FULLRESYNC " ID " 12x\r\n", "G", false},
        {"+FULLRESYNC " ID " -1\r\n", "G", false},
        {"+FULLRESYNC 0123456789abcdef0123456789abcdef0123456g 1\r\n", "G", false},
        {"+FULLRESYNC " ID "8 1\r\n", "G", false},
        {"+RDBCHANNELSYNC 12\r\n", "G", false},
        {"$5\r\nREDIS", "G", false}, /* SYNC's answer */
        {FULL "$-1\r\n", "FG", false},
        {FULL "$\r\n", "FG", false},
        {FULL "$99999999999999999999\r\n", "FG", false},
        {FULL "$EOF:short\r\n", "FG", false},
        {FULL "$EOF:" MARK "x\r\n", "FG", false},
        {FULL "REDIS0011", "F", false},
        {FULL FULL, "FG", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        size_t len = strlen(cases[i].bytes);

        for (size_t slice = 1; slice <= len; slice++) {
            struct record r = run(cases[i].bytes, len, slice);

            if (strcmp(r.said, cases[i].said) != 0 || psync_bulk_is_whole(&r.parser) != cases[i].whole)
                fail_msg("case %zu, slices of %zu: \"%s\", not \"%s\"; whole: %d", i, slice, r.said, cases[i].said,
                         psync_bulk_is_whole(&r.parser));
        }
    }
}

static void
psync_bulk_next__mark_split_at_each_place__is_found(void **state)
{
    static const char head[] = FULL "$EOF:" MARK "\r\nREDIS0011 some data aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    static const char mark[] = MARK;

    (void)state;
    for (size_t first = 1; first < PSYNC_MARK_LEN; first++) {
        for (size_t second = first; second < PSYNC_MARK_LEN; second++) {
            struct record r = {0};

            psync_bulk_init(&r.parser);
            feed(&r, head, strlen(head));
            feed(&r, mark, first);
            assert_false(psync_bulk_is_whole(&r.parser));
            feed(&r, &mark[first], second - first);
            assert_false(psync_bulk_is_whole(&r.parser));
            feed(&r, &mark[second], PSYNC_MARK_LEN - second);
            assert_true(psync_bulk_is_whole(&r.parser));
            assert_string_equal(r.said, "FBREDIS0011 some data aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
            assert_int_equal(r.parser.given, strlen(r.said) - 2);
        }
    }
}

static void
psync_bulk_next__what_was_said__is_kept(void **state)
{
    static const char full[] = FULL "$EOF:" MARK "\r\n", refused[] = "-ERR a reason\r\n";
    struct record r = run(full, strlen(full), 7);

    (void)state;
    assert_string_equal(r.parser.repl_id, ID);
    assert_int_equal(r.parser.repl_offset, 1234);
    assert_true(r.parser.has_mark);
    assert_int_equal(r.parser.size, 0);
    assert_true(psync_bulk_has_begun(&r.parser));
    r = run(refused, strlen(refused), 1);
    assert_string_equal(r.parser.line, "ERR a reason");
    assert_false(psync_bulk_has_begun(&r.parser));
}

static void
psync_bulk_next__endless_line__is_garbage(void **state)
{
    char bytes[4000];

    (void)state;
    memset(bytes, 'x', sizeof(bytes));
    for (size_t slice = 1; slice <= sizeof(bytes); slice = slice * 3 + 1) {
        struct record r = run(bytes, sizeof(bytes), slice);

        assert_string_equal(r.said, "G");
        assert_int_equal(strlen(r.parser.line), PSYNC_LINE_MAX);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(psync_bulk_next__every_slicing__same_tokens),
        cmocka_unit_test(psync_bulk_next__mark_split_at_each_place__is_found),
        cmocka_unit_test(psync_bulk_next__what_was_said__is_kept),
        cmocka_unit_test(psync_bulk_next__endless_line__is_garbage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
