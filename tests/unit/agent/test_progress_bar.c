/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test_common.h"

#include <string.h>

#include "agent/progress_bar.h"

static char line[PROGRESS_BAR_WIDTH_MAX + 1];

static const char *
render(const struct progress *p, int64_t elapsed_ms, unsigned width)
{
    progress_bar_render(p, elapsed_ms, width, line);
    return line;
}

static void
progress_bar_render__half_way__shows_all(void **state)
{
    const struct progress p = {PROGRESS_STORING, 100u << 20, 200u << 20, 0};

    (void)state;
    assert_string_equal(render(&p, 10000, 81),
                        "storing  [##########..........]  50%  100 MiB of 200 MiB  10.0 MiB/s  10.0 s left");
}

static void
progress_bar_render__any_width__fits(void **state)
{
    const struct progress p = {PROGRESS_RESTORING, 123456789012, 987654321098, 0};

    (void)state;
    for (unsigned width = 20; width <= 400; width++) {
        render(&p, 123456, width);
        assert_true(strlen(line) <= width && strlen(line) <= PROGRESS_BAR_WIDTH_MAX);
        assert_memory_equal(line, "restoring", 9);
    }
}

static void
progress_bar_render__narrow__leaves_out_the_bar(void **state)
{
    const struct progress p = {PROGRESS_STORING, 100u << 20, 200u << 20, 0};

    (void)state;
    assert_string_equal(render(&p, 10000, 40), "storing  100 MiB of 200 MiB  10.0 MiB/s");
}

static void
progress_bar_render__no_total__has_no_bar_and_no_end(void **state)
{
    const struct progress p = {PROGRESS_STORING, 10u << 20, 0, 0};

    (void)state;
    assert_string_equal(render(&p, 10000, 80), "storing  10.0 MiB  1.00 MiB/s");
}

static void
progress_bar_render__saving__counts_keys(void **state)
{
    const struct progress p = {PROGRESS_SAVING, 500, 1000, 0};

    (void)state;
    render(&p, 500, 80);
    assert_non_null(strstr(line, "500 of 1,000 keys"));
    assert_null(strstr(line, "/s"));
}

static void
progress_bar_render__things__are_counted(void **state)
{
    const struct progress p = {PROGRESS_REMOVING, 1500, 3000, 0}, listing = {PROGRESS_LISTING, 7, 0, 0};

    (void)state;
    render(&p, 5000, 80);
    assert_non_null(strstr(line, "removing"));
    assert_non_null(strstr(line, "1,500 of 3,000"));
    assert_null(strstr(line, "iB"));
    assert_null(strstr(line, "/s"));
    assert_string_equal(render(&listing, 5000, 80), "listing  7");
}

static void
progress_bar_render__no_figures__is_the_phase_alone(void **state)
{
    const struct progress p = {PROGRESS_WAITING, 0, 0, 0};

    (void)state;
    assert_string_equal(render(&p, 60000, 80), "waiting");
}

static void
progress_bar_render__more_done_than_total__is_100_percent(void **state)
{
    const struct progress p = {PROGRESS_SAVING, 1200, 1000, 0};

    (void)state;
    assert_non_null(strstr(render(&p, 5000, 80), "] 100%"));
    assert_null(strstr(line, "left"));
}

static void
progress_bar_eta_ms__follows_the_pace(void **state)
{
    const struct progress p = {PROGRESS_STORING, 25, 100, 0};
    const struct progress none = {PROGRESS_STORING, 0, 100, 0};
    const struct progress huge = {PROGRESS_STORING, 1, UINT64_MAX, 0};

    (void)state;
    assert_int_equal(progress_bar_eta_ms(&p, 10000), 30000);
    assert_int_equal(progress_bar_eta_ms(&p, 10), -1);
    assert_int_equal(progress_bar_eta_ms(&none, 10000), -1);
    assert_int_equal(progress_bar_eta_ms(&huge, 10000), -1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(progress_bar_render__half_way__shows_all),
        cmocka_unit_test(progress_bar_render__any_width__fits),
        cmocka_unit_test(progress_bar_render__narrow__leaves_out_the_bar),
        cmocka_unit_test(progress_bar_render__no_total__has_no_bar_and_no_end),
        cmocka_unit_test(progress_bar_render__saving__counts_keys),
        cmocka_unit_test(progress_bar_render__things__are_counted),
        cmocka_unit_test(progress_bar_render__no_figures__is_the_phase_alone),
        cmocka_unit_test(progress_bar_render__more_done_than_total__is_100_percent),
        cmocka_unit_test(progress_bar_eta_ms__follows_the_pace),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
