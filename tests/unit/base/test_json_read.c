/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test_common.h"

#include <stdlib.h>
#include <string.h>

#include "base/json_read.h"

static json_t *
parse(const char *text)
{
    struct err err = ERR_INIT;
    json_t *object = json_read_object(text, strlen(text), &err);

    if (object == NULL)
        fail_msg("%s", err.msg);
    return object;
}

static void
read_object__not_one_good_object__is_corrupt(void **state)
{
    static const char *const bad[] = {"",
                                      " ",
                                      "{",
                                      "[]",
                                      "null",
                                      "\"a\"",
                                      "{} {}",
                                      "{}x",
                                      "{\"a\":1,\"a\":2}",
                                      "{'a':1}",
                                      "{\"a\":}",
                                      "{\"a\":\"\\u0000\"}",
                                      "{\"a\":\"\xff\"}",
                                      "{\"a\":99999999999999999999}",
                                      "{\"a\":nan}"};
    static const char head[] = {'{', '"', 'a', '"', ':'};
    char deep[20001];
    struct err err = ERR_INIT;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        if (json_read_object(bad[i], strlen(bad[i]), &err) != NULL)
            fail_msg("\"%s\" was taken", bad[i]);
        assert_int_equal(err.code, ERR_CORRUPT);
    }
    memset(deep, '[', sizeof(deep)); /* must not overflow the stack */
    memcpy(deep, head, sizeof(head));
    assert_null(json_read_object(deep, sizeof(deep), &err));
}

static void
read_object__length_given__looks_no_further(void **state)
{
    struct err err = ERR_INIT;
    json_t *object = json_read_object("{\"a\":1}garbage", 7, &err);

    (void)state;
    assert_non_null(object);
    json_decref(object);
}

static void
members__there_and_of_the_right_type__are_read(void **state)
{
    json_t *o = parse("{\"s\":\"text\",\"e\":\"\",\"u\":9223372036854775807,\"z\":0,\"o\":{\"in\":1},\"h\":\"00aBff\","
                      "\"t\":\"2026-11-22T10:30:00Z\",\"b\":true}");
    struct err err = ERR_INIT;
    const json_t *child = NULL;
    const char *s = NULL;
    uint64_t u = 1;
    uint8_t raw[3];
    int64_t ms = 0;

    (void)state;
    assert_ok(json_read_str(o, "s", &s, &err), &err);
    assert_string_equal(s, "text");
    assert_ok(json_read_str(o, "e", &s, &err), &err);
    assert_string_equal(s, "");
    assert_ok(json_read_u64(o, "u", &u, &err), &err);
    assert_true(u == INT64_MAX);
    assert_ok(json_read_u64(o, "z", &u, &err), &err);
    assert_int_equal(u, 0);
    assert_ok(json_read_child(o, "o", &child, &err), &err);
    assert_ok(json_read_u64(child, "in", &u, &err), &err);
    assert_ok(json_read_hex(o, "h", 3, raw, &err), &err);
    assert_memory_equal(raw, "\x00\xab\xff", 3);
    assert_ok(json_read_time(o, "t", &ms, &err), &err);
    assert_true(ms == 1795343400000);
    assert_string_equal(json_opt_str(o, "s", "d"), "text");
    assert_int_equal(json_opt_u64(o, "z", 5), 0);
    assert_true(json_opt_bool(o, "b", false));
    json_decref(o);
}

static void
members__missing_or_of_another_type__are_corrupt_and_named(void **state)
{
    json_t *o = parse("{\"n\":null,\"i\":1,\"neg\":-1,\"f\":1.0,\"s\":\"x\",\"a\":[],\"h\":\"00gg\",\"h3\":\"000\"}");
    struct err err = ERR_INIT;
    const json_t *child = NULL;
    const char *s = NULL;
    uint64_t u;
    uint8_t raw[2];
    int64_t ms;

    (void)state;
    assert_int_equal(json_read_str(o, "missing", &s, &err), -1);
    assert_non_null(strstr(err.msg, "\"missing\""));
    assert_fails(json_read_str(o, "i", &s, &err), &err, ERR_CORRUPT);
    assert_fails(json_read_str(o, "n", &s, &err), &err, ERR_CORRUPT);
    assert_fails(json_read_u64(o, "missing", &u, &err), &err, ERR_CORRUPT);
    assert_fails(json_read_u64(o, "neg", &u, &err), &err, ERR_CORRUPT);
    assert_fails(json_read_u64(o, "f", &u, &err), &err, ERR_CORRUPT);
    assert_fails(json_read_u64(o, "s", &u, &err), &err, ERR_CORRUPT);
    assert_fails(json_read_child(o, "a", &child, &err), &err, ERR_CORRUPT);
    assert_fails(json_read_child(o, "missing", &child, &err), &err, ERR_CORRUPT);
    assert_fails(json_read_hex(o, "h", 2, raw, &err), &err, ERR_CORRUPT);
    assert_fails(json_read_hex(o, "h3", 2, raw, &err), &err, ERR_CORRUPT);
    assert_fails(json_read_hex(o, "i", 2, raw, &err), &err, ERR_CORRUPT);
    assert_fails(json_read_time(o, "s", &ms, &err), &err, ERR_CORRUPT);
    assert_fails(json_read_time(o, "i", &ms, &err), &err, ERR_CORRUPT);
    assert_string_equal(json_opt_str(o, "i", "d"), "d");
    assert_int_equal(json_opt_u64(o, "neg", 5), 5);
    assert_int_equal(json_opt_u64(o, "missing", 5), 5);
    assert_true(json_opt_bool(o, "i", true));
    assert_false(json_opt_bool(o, "missing", false));
    json_decref(o);
}

static void
write_line__keeps_order_and_has_no_spaces(void **state)
{
    json_t *o = json_object();
    char *line;

    (void)state;
    assert_int_equal(json_object_set_new(o, "z", json_integer(1)), 0);
    assert_int_equal(json_object_set_new(o, "a", json_string("\xc3\xa9 \"/\n")), 0);
    assert_int_equal(json_object_set_new(o, "m", json_true()), 0);
    line = json_write_line(o);
    assert_string_equal(line, "{\"z\":1,\"a\":\"\xc3\xa9 \\\"/\\n\",\"m\":true}");
    free(line);
    json_decref(o);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(read_object__not_one_good_object__is_corrupt),
        cmocka_unit_test(read_object__length_given__looks_no_further),
        cmocka_unit_test(members__there_and_of_the_right_type__are_read),
        cmocka_unit_test(members__missing_or_of_another_type__are_corrupt_and_named),
        cmocka_unit_test(write_line__keeps_order_and_has_no_spaces),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
