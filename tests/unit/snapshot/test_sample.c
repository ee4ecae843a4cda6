/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test_common.h"

#include "base/compiler.h"
#include "snapshot/sample.h"

/* The picks of N out of TIMES as a text of '1' and '0'. */
static void
picks(const int64_t *times_ms, size_t count, size_t n, const char *want)
{
    bool picked[32];
    char got[33] = "";

    assert_true(count <= ARRAY_LEN(picked));
    for (size_t i = 0; i < count; i++)
        picked[i] = (i & 1) != 0; /* whatever was there */
    sample_pick(times_ms, count, n, picked);
    for (size_t i = 0; i < count; i++)
        got[i] = picked[i] ? '1' : '0';
    assert_string_equal(got, want);
}

static void
sample_pick__no_more_than_n__all(void **state)
{
    static const int64_t times[] = {10, 20, 30};

    (void)state;
    picks(times, 0, 1, "");
    picks(times, 1, 1, "1");
    picks(times, 3, 3, "111");
    picks(times, 3, 10000, "111");
}

static void
sample_pick__one_then_two__newest_then_oldest(void **state)
{
    static const int64_t times[] = {10, 20, 30, 40};

    (void)state;
    picks(times, 4, 1, "0001");
    picks(times, 4, 2, "1001");
}

static void
sample_pick__even_times__evenly(void **state)
{
    static const int64_t times[] = {0, 10, 20, 30, 40, 50, 60, 70, 80};

    (void)state;
    picks(times, 9, 3, "100010001");
    picks(times, 9, 5, "101010101");
}

/* Many of today and few of the past: the past is looked at, too. */
static void
sample_pick__most_are_recent__by_time_and_not_by_number(void **state)
{
    static const int64_t times[] = {0, 240, 500, 990, 991, 992, 993, 994, 995, 996, 997, 998, 999, 1000};

    (void)state;
    picks(times, ARRAY_LEN(times), 3, "10100000000001");
    picks(times, ARRAY_LEN(times), 5, "11110000000001");
}

static void
sample_pick__all_of_one_moment__n_different_ones(void **state)
{
    static const int64_t times[] = {7, 7, 7, 7, 7};

    (void)state;
    picks(times, 5, 2, "10001");
    picks(times, 5, 3, "10011");
    picks(times, 5, 4, "10111");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sample_pick__no_more_than_n__all),
        cmocka_unit_test(sample_pick__one_then_two__newest_then_oldest),
        cmocka_unit_test(sample_pick__even_times__evenly),
        cmocka_unit_test(sample_pick__most_are_recent__by_time_and_not_by_number),
        cmocka_unit_test(sample_pick__all_of_one_moment__n_different_ones),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
