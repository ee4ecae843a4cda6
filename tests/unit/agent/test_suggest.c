/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test_common.h"

#include "agent/suggest.h"

static void
suggest_distance__counts_single_letters(void **state)
{
    (void)state;
    assert_int_equal(suggest_distance("", ""), 0);
    assert_int_equal(suggest_distance("list", "list"), 0);
    assert_int_equal(suggest_distance("lsit", "list"), 2);
    assert_int_equal(suggest_distance("bakup", "backup"), 1);
    assert_int_equal(suggest_distance("", "abc"), 3);
    assert_int_equal(suggest_distance("kitten", "sitting"), 3);
}

static void
suggest_try__several__keeps_the_nearest(void **state)
{
    struct suggest s = {"restor", NULL, 0};

    (void)state;
    suggest_try(&s, "record");
    suggest_try(&s, "restore");
    suggest_try(&s, "backup");
    assert_string_equal(s.best, "restore");
}

static void
suggest_try__nothing_alike__keeps_none(void **state)
{
    struct suggest far = {"frobnicate", NULL, 0}, tiny = {"x", NULL, 0};

    (void)state;
    suggest_try(&far, "restore");
    suggest_try(&tiny, "al");
    suggest_try(&tiny, "tag");
    assert_null(far.best);
    assert_null(tiny.best);
}

static void
suggest_distance__very_long_words__are_far(void **state)
{
    static const char word[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

    (void)state;
    assert_true(suggest_distance(word, word) > 100);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(suggest_distance__counts_single_letters),
        cmocka_unit_test(suggest_try__several__keeps_the_nearest),
        cmocka_unit_test(suggest_try__nothing_alike__keeps_none),
        cmocka_unit_test(suggest_distance__very_long_words__are_far),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
