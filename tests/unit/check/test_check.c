/* SPDX-License-Identifier: Apache-2.0 */
/* test_check.c: rows, and which failure is the gravest. */
#include "snapshot/check/check.h"

#include <string.h>

#include "tests/support/check_case.h"
#include "tests/support/test_common.h"

static void
check_ok__and_its_like__keep_area_name_and_texts(void **state)
{
    const struct err failure = {.code = ERR_STORAGE, .msg = "50% of it failed"};
    struct check c = {.area = "one"};

    (void)state;
    check_ok(&c, "fine", "%d of %d", 3, 3);
    c.area = "two";
    check_warn(&c, "odd", "do this", "it is %s", "odd");
    check_fail(&c, "bad", ERR_USAGE, "do that", "bad");
    check_failed(&c, "worse", &failure, "try again");
    assert_int_equal(c.count, 4);
    assert_string_equal(c.rows[0].area, "one");
    assert_string_equal(c.rows[3].area, "two");
    check_case_is(&c, "fine", CHECK_OK, "3 of 3");
    check_case_is(&c, "odd", CHECK_WARN, "it is odd");
    check_case_failed(&c, "bad", ERR_USAGE, "bad");
    check_case_failed(&c, "worse", ERR_STORAGE, "50% of it failed");
    assert_string_equal(check_verdict_name(CHECK_OK), "ok");
    assert_string_equal(check_verdict_name(CHECK_WARN), "warn");
    assert_string_equal(check_verdict_name(CHECK_FAIL), "fail");
    check_fini(&c);
    check_fini(&c);
}

static void
check_ok__control_characters__are_shown_as_question_marks(void **state)
{
    struct check c = {.area = "one"};
    char text[3000];

    (void)state;
    check_warn(&c, "words", "a\nb", "redis \x1b[31m7.0\r\n");
    assert_string_equal(c.rows[0].finding, "redis ?[31m7.0??");
    assert_string_equal(c.rows[0].remedy, "a?b");
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    check_ok(&c, "long", "%s", text);
    assert_true(strlen(c.rows[1].finding) < 1024);
    check_fini(&c);
}

static void
check_gravest__order__danger_before_denial_before_what_may_pass(void **state)
{
    static const enum err_code from_the_least[] = {
        ERR_INTERNAL, ERR_LOCKED,      ERR_SERVER,        ERR_STORAGE,      ERR_USAGE,   ERR_NOT_FOUND,
        ERR_NO_SPACE, ERR_UNSUPPORTED, ERR_SERVER_DENIED, ERR_STORE_DENIED, ERR_REFUSED, ERR_CORRUPT,
    };
    struct check c = {.area = "one"};

    (void)state;
    assert_null(check_gravest(&c));
    check_ok(&c, "fine", "fine");
    check_warn(&c, "odd", "look", "odd");
    assert_null(check_gravest(&c));
    for (size_t i = 0; i < ARRAY_LEN(from_the_least); i++) {
        check_fail(&c, "bad", from_the_least[i], "do", "%zu", i);
        assert_int_equal(check_gravest(&c)->code, from_the_least[i]);
    }
    check_fail(&c, "bad", ERR_SERVER, "do", "last");
    check_fail(&c, "bad", ERR_CORRUPT, "do", "the second of its kind");
    assert_string_equal(check_gravest(&c)->finding, "11");
    check_fini(&c);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(check_ok__and_its_like__keep_area_name_and_texts),
        cmocka_unit_test(check_ok__control_characters__are_shown_as_question_marks),
        cmocka_unit_test(check_gravest__order__danger_before_denial_before_what_may_pass),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
