/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test_common.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "snapshot/redis/resp.h"

static const char mixed[] = "*6\r\n$6\r\nmaster\r\n:-42\r\n$-1\r\n*2\r\n+OK\r\n-ERR no\r\n$0\r\n\r\n*0\r\n";

static void
check_mixed(const struct reply *r)
{
    assert_int_equal(r->type, REPLY_ARRAY);
    assert_int_equal(r->count, 6);
    assert_int_equal(r->elements[0]->type, REPLY_STRING);
    assert_string_equal(r->elements[0]->text, "master");
    assert_int_equal(r->elements[1]->integer, -42);
    assert_int_equal(r->elements[2]->type, REPLY_NIL);
    assert_int_equal(r->elements[3]->count, 2);
    assert_int_equal(r->elements[3]->elements[0]->type, REPLY_STATUS);
    assert_int_equal(r->elements[3]->elements[1]->type, REPLY_ERROR);
    assert_string_equal(r->elements[3]->elements[1]->text, "ERR no");
    assert_int_equal(r->elements[4]->len, 0);
    assert_int_equal(r->elements[5]->count, 0);
}

static void
resp_parser__split_at_every_byte__same_reply(void **state)
{
    struct err err = ERR_INIT;
    size_t len = strlen(mixed);

    (void)state;
    for (size_t cut = 0; cut <= len; cut++) {
        struct resp_parser *p = resp_parser_new();
        struct reply *r = NULL;

        assert_ok(resp_parser_feed(p, mixed, cut, &err), &err);
        assert_ok(resp_parser_take(p, &r, &err), &err);
        if (cut < len) {
            assert_null(r);
            assert_ok(resp_parser_feed(p, mixed + cut, len - cut, &err), &err);
            assert_ok(resp_parser_take(p, &r, &err), &err);
        }
        assert_non_null(r);
        check_mixed(r);
        reply_free(r);
        assert_ok(resp_parser_take(p, &r, &err), &err);
        assert_null(r);
        resp_parser_free(p);
    }
}

static void
resp_parser__freed_in_the_middle__leaks_nothing(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    for (size_t cut = 0; cut < strlen(mixed); cut++) {
        struct resp_parser *p = resp_parser_new();
        struct reply *r = NULL;

        assert_ok(resp_parser_feed(p, mixed, cut, &err), &err);
        assert_ok(resp_parser_take(p, &r, &err), &err);
        assert_null(r);
        resp_parser_free(p);
    }
}

static void
resp_parser__hostile_bytes__are_refused(void **state)
{
    static const char *const cases[] = {"HTTP/1.1 400 Bad Request\r\n",
                                        "*2147483647\r\n",
                                        "*4294967295\r\n",
                                        "*65537\r\n",
                                        "*-2\r\n",
                                        "$-2\r\n",
                                        "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err err = ERR_INIT;
        struct resp_parser *p = resp_parser_new();
        struct reply *r = NULL;

        assert_ok(resp_parser_feed(p, cases[i], strlen(cases[i]), &err), &err);
        assert_fails(resp_parser_take(p, &r, &err), &err, ERR_SERVER);
        resp_parser_free(p);
    }
}

static void
resp_parser__reply_over_the_ceiling__is_refused(void **state)
{
    struct resp_parser *p = resp_parser_new();
    struct err err = ERR_INIT;
    struct reply *r = NULL;
    size_t half = RESP_REPLY_MAX_BYTES / 2;
    char *bytes = mem_new(half);

    (void)state;
    memset(bytes, 'x', half);
    assert_ok(resp_parser_feed(p, "$100000000\r\n", 12, &err), &err);
    assert_ok(resp_parser_feed(p, bytes, half, &err), &err);
    assert_ok(resp_parser_take(p, &r, &err), &err);
    assert_null(r);
    assert_fails(resp_parser_feed(p, bytes, half, &err), &err, ERR_SERVER);
    resp_parser_free(p);
    free(bytes);
}

static void
resp_parser__many_replies__each_has_its_own_ceiling(void **state)
{
    struct resp_parser *p = resp_parser_new();
    struct err err = ERR_INIT;
    size_t len = 3u << 20;
    char *bytes = mem_new(len + 64);
    size_t head = (size_t)snprintf(bytes, 64, "$%zu\r\n", len);

    (void)state;
    memset(bytes + head, 'x', len);
    memcpy(bytes + head + len, "\r\n", 2);
    for (int i = 0; i < 4; i++) {
        struct reply *r = NULL;

        assert_ok(resp_parser_feed(p, bytes, head + len + 2, &err), &err);
        assert_ok(resp_parser_take(p, &r, &err), &err);
        assert_non_null(r);
        assert_int_equal(r->len, len);
        reply_free(r);
    }
    resp_parser_free(p);
    free(bytes);
}

static void
resp_command__words__are_counted_strings(void **state)
{
    const char *const argv[] = {"AUTH", "", "p w\r\n", NULL};
    size_t len = 0;
    char *command = resp_command(argv, &len);
    const char expected[] = "*3\r\n$4\r\nAUTH\r\n$0\r\n\r\n$5\r\np w\r\n\r\n";

    (void)state;
    assert_int_equal(len, strlen(expected));
    assert_memory_equal(command, expected, len);
    resp_command_free(command, len);
    resp_command_free(NULL, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resp_parser__split_at_every_byte__same_reply),
        cmocka_unit_test(resp_parser__freed_in_the_middle__leaks_nothing),
        cmocka_unit_test(resp_parser__hostile_bytes__are_refused),
        cmocka_unit_test(resp_parser__reply_over_the_ceiling__is_refused),
        cmocka_unit_test(resp_parser__many_replies__each_has_its_own_ceiling),
        cmocka_unit_test(resp_command__words__are_counted_strings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
