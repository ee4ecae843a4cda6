/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test_common.h"

#include <errno.h>
#include <string.h>

static void
err_set__then_wrap__keeps_code_and_adds_context(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(err_set(&err, ERR_CORRUPT, "byte %d", 7), -1);
    assert_int_equal(err_wrap(&err, "read %s", "x"), -1);
    assert_string_equal(err.msg, "read x: byte 7");
    assert_int_equal(err.code, ERR_CORRUPT);
}

static void
err_set__argument_is_its_own_message__is_safe(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    (void)err_set(&err, ERR_SERVER, "inner");
    (void)err_set(&err, ERR_SERVER, "outer (%s)", err.msg);
    assert_string_equal(err.msg, "outer (inner)");
}

static void
err_wrap__too_long__is_cut_and_terminated(void **state)
{
    struct err err = ERR_INIT;
    char big[2000];

    (void)state;
    memset(big, 'x', sizeof(big));
    big[sizeof(big) - 1] = '\0';
    (void)err_set(&err, ERR_SERVER, "%s", big);
    (void)err_wrap(&err, "%s", big);
    assert_int_equal(strlen(err.msg), sizeof(err.msg) - 1);
}

static void
err_sys__full_disk__is_no_space_whatever_was_asked(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    (void)err_sys(&err, ERR_INTERNAL, ENOSPC, "write");
    assert_int_equal(err.code, ERR_NO_SPACE);
    assert_int_equal(err.sys, ENOSPC);
    assert_string_equal(err.msg, "write: No space left on device");
}

static void
err_exit_status__every_code__is_documented(void **state)
{
    static const int expected[ERR_CODE_COUNT] = {0, 1, 2, 3, 4, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13};

    (void)state;
    for (int code = 0; code < ERR_CODE_COUNT; code++) {
        assert_int_equal(err_exit_status((enum err_code)code), expected[code]);
        assert_true(strlen(err_name((enum err_code)code)) > 0);
    }
}

static void
err_of_exit_status__every_status__is_the_first_code_that_has_it(void **state)
{
    (void)state;
    for (int code = 0; code < ERR_CODE_COUNT; code++)
        assert_int_equal(err_exit_status(err_of_exit_status(err_exit_status((enum err_code)code))),
                         err_exit_status((enum err_code)code));
    assert_int_equal(err_of_exit_status(0), ERR_NONE);
    assert_int_equal(err_of_exit_status(4), ERR_REFUSED);
    assert_int_equal(err_of_exit_status(14), ERR_INTERNAL);
    assert_int_equal(err_of_exit_status(137), ERR_INTERNAL);
    assert_int_equal(err_of_exit_status(-1), ERR_INTERNAL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(err_set__then_wrap__keeps_code_and_adds_context),
        cmocka_unit_test(err_set__argument_is_its_own_message__is_safe),
        cmocka_unit_test(err_wrap__too_long__is_cut_and_terminated),
        cmocka_unit_test(err_sys__full_disk__is_no_space_whatever_was_asked),
        cmocka_unit_test(err_exit_status__every_code__is_documented),
        cmocka_unit_test(err_of_exit_status__every_status__is_the_first_code_that_has_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
