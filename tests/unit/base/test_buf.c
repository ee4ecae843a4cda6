/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test_common.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "tests/support/test_child.h"

static void
append__up_to_the_cap__is_stored_and_terminated(void **state)
{
    struct err err = ERR_INIT;
    struct buf b;

    (void)state;
    buf_init(&b, 10);
    assert_null(b.data);
    assert_ok(buf_append(&b, "12345", 5, &err), &err);
    assert_ok(buf_append(&b, NULL, 0, &err), &err);
    assert_ok(buf_printf(&b, &err, "%s-%d", "ab", 12), &err);
    assert_string_equal(b.data, "12345ab-12");
    assert_int_equal(b.len, 10);
    buf_fini(&b);
}

static void
append__over_the_cap__stores_nothing(void **state)
{
    struct err err = ERR_INIT;
    struct buf b;

    (void)state;
    buf_init(&b, 6);
    assert_ok(buf_append(&b, "12345", 5, &err), &err);
    assert_fails(buf_append(&b, "67", 2, &err), &err, ERR_NO_SPACE);
    assert_fails(buf_append(&b, "67", SIZE_MAX, &err), &err, ERR_NO_SPACE);
    assert_fails(buf_printf(&b, &err, "%d", 67), &err, ERR_NO_SPACE);
    assert_string_equal(b.data, "12345");
    assert_ok(buf_append(&b, "6", 1, &err), &err);
    assert_string_equal(b.data, "123456");
    buf_fini(&b);
}

static void
append__many_times__never_allocates_over_the_cap(void **state)
{
    struct err err = ERR_INIT;
    struct buf b;

    (void)state;
    buf_init(&b, 100000);
    for (int i = 0; i < 100000; i++)
        assert_ok(buf_append(&b, &(char){(char)('a' + i % 26)}, 1, &err), &err);
    assert_true(b.allocated <= 100001);
    for (size_t i = 0; i < b.len; i++)
        assert_int_equal(b.data[i], 'a' + (int)(i % 26));
    buf_fini(&b);
    assert_null(b.data);
    assert_ok(buf_append(&b, "again", 5, &err), &err); /* it can be used on */
    buf_fini(&b);
}

static void
consume_reset_steal__leave_what_they_say(void **state)
{
    struct err err = ERR_INIT;
    struct buf b;
    char *stolen;

    (void)state;
    buf_init(&b, 100);
    buf_consume(&b, 0);
    assert_ok(buf_append(&b, "abcdef", 6, &err), &err);
    buf_consume(&b, 2);
    assert_string_equal(b.data, "cdef");
    buf_consume(&b, 4);
    assert_int_equal(b.len, 0);
    assert_string_equal(b.data, "");
    assert_ok(buf_append(&b, "xyz", 3, &err), &err);
    buf_reset(&b);
    assert_int_equal(b.len, 0);
    assert_ok(buf_append(&b, "kept", 4, &err), &err);
    stolen = buf_steal(&b);
    assert_string_equal(stolen, "kept");
    assert_int_equal(b.len, 0);
    free(stolen);
    stolen = buf_steal(&b); /* of an empty one: an empty string */
    assert_string_equal(stolen, "");
    free(stolen);
    buf_fini(&b);
}

static int
consume_too_much(void *arg)
{
    buf_consume(arg, 2);
    return 0;
}

static void
consume__more_than_there_is__stops_the_program(void **state)
{
    struct err err = ERR_INIT;
    struct buf b;

    (void)state;
    buf_init(&b, 10);
    assert_ok(buf_append(&b, "1", 1, &err), &err);
    assert_int_equal(test_child_run(consume_too_much, &b), 128 + SIGABRT);
    buf_fini(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(append__up_to_the_cap__is_stored_and_terminated),
        cmocka_unit_test(append__over_the_cap__stores_nothing),
        cmocka_unit_test(append__many_times__never_allocates_over_the_cap),
        cmocka_unit_test(consume_reset_steal__leave_what_they_say),
        cmocka_unit_test(consume__more_than_there_is__stops_the_program),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
