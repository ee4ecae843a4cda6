/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test_common.h"

#include <string.h>

#include "agent/sidecar/exposition.h"

static const struct exposition_family colour = {"test_colour_bytes", EXPOSITION_GAUGE, "A colour."};
static const struct exposition_family taste = {"test_tastes_total", EXPOSITION_COUNTER, "Tastes."};
static const struct exposition_family span = {"test_span_seconds", EXPOSITION_HISTOGRAM, "Spans."};

static struct buf text;

static int
set_up(void **state)
{
    (void)state;
    buf_init(&text, 4096);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    buf_fini(&text);
    return 0;
}

static void
sample__families__have_their_header_once(void **state)
{
    const struct exposition_label a[] = {{"kind", "a"}, {NULL, NULL}}, b[] = {{"kind", "b"}, {"x", "y"}, {NULL, NULL}};
    struct exposition e;
    struct err err = ERR_INIT;

    (void)state;
    exposition_init(&e, &text, NULL);
    exposition_sample(&e, &colour, "", NULL, 7, 0);
    exposition_sample(&e, &taste, "", a, 0, 0);
    exposition_sample(&e, &taste, "", b, UINT64_MAX, 0);
    exposition_sample(&e, &span, "_sum", NULL, 12045, 3);
    assert_ok(exposition_finish(&e, &err), &err);
    assert_string_equal(text.data, "# HELP test_colour_bytes A colour.\n"
                                   "# TYPE test_colour_bytes gauge\n"
                                   "test_colour_bytes 7\n"
                                   "# HELP test_tastes_total Tastes.\n"
                                   "# TYPE test_tastes_total counter\n"
                                   "test_tastes_total{kind=\"a\"} 0\n"
                                   "test_tastes_total{kind=\"b\",x=\"y\"} 18446744073709551615\n"
                                   "# HELP test_span_seconds Spans.\n"
                                   "# TYPE test_span_seconds histogram\n"
                                   "test_span_seconds_sum 12.045\n");
}

/* A single byte that is no UTF-8, and Prometheus takes nothing of the whole text. */
static void
sample__odd_bytes_in_a_label__do_not_get_through(void **state)
{
    const struct exposition_label labels[] = {{"x", "a\xff\xc3\xa9\t\x7f\n\"\\z"}, {NULL, NULL}};
    struct exposition e;
    struct err err = ERR_INIT;

    (void)state;
    exposition_init(&e, &text, NULL);
    exposition_sample(&e, &colour, "", labels, 7, 0);
    assert_ok(exposition_finish(&e, &err), &err);
    assert_non_null(strstr(text.data, "\ntest_colour_bytes{x=\"a?????\\n\\\"\\\\z\"} 7\n"));
}

static void
sample__common_labels__stand_first_in_all(void **state)
{
    const struct exposition_label common[] = {{"who", "shop"}, {NULL, NULL}}, more[] = {{"x", "y"}, {NULL, NULL}};
    struct exposition e;

    (void)state;
    exposition_init(&e, &text, common);
    exposition_sample(&e, &colour, "", NULL, 1, 0);
    exposition_sample(&e, &colour, "", more, 2, 0);
    assert_non_null(strstr(text.data, "\ntest_colour_bytes{who=\"shop\"} 1\n"
                                      "test_colour_bytes{who=\"shop\",x=\"y\"} 2\n"));
}

static void
sample__values_with_quotes_backslashes_and_newlines__are_escaped(void **state)
{
    const struct exposition_label odd[] = {{"x", "a\"b\\c\nd"}, {"y", ""}, {"z", "\n"}, {NULL, NULL}};
    struct exposition e;
    uint64_t value = 0;

    (void)state;
    exposition_init(&e, &text, NULL);
    exposition_sample(&e, &colour, "", odd, 5, 0);
    assert_non_null(strstr(text.data, "\ntest_colour_bytes{x=\"a\\\"b\\\\c\\nd\",y=\"\",z=\"\\n\"} 5\n"));
    assert_true(exposition_find(&e, text.data, &colour, "", odd, 0, &value));
    assert_int_equal(value, 5);
}

static void
finish__no_room__is_an_error(void **state)
{
    struct exposition e;
    struct err err = ERR_INIT;
    struct buf small;

    (void)state;
    buf_init(&small, 100);
    exposition_init(&e, &small, NULL);
    for (int i = 0; i < 100; i++)
        exposition_sample(&e, &colour, "", NULL, 1, 0);
    assert_fails(exposition_finish(&e, &err), &err, ERR_NO_SPACE);
    buf_fini(&small);
}

static void
find__what_was_written__comes_back(void **state)
{
    static const struct {
        uint64_t value;
        unsigned decimals;
    } cases[] = {{0, 0}, {1, 3}, {999999999999999, 0}, {1795325921123, 3}, {42, 6}, {1000, 3}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct exposition e;
        uint64_t value = 77;

        buf_reset(&text);
        exposition_init(&e, &text, NULL);
        exposition_sample(&e, &taste, "", NULL, 3, 0);
        exposition_sample(&e, &colour, "", NULL, cases[i].value, cases[i].decimals);
        assert_true(exposition_find(&e, text.data, &colour, "", NULL, cases[i].decimals, &value));
        assert_int_equal(value, cases[i].value);
    }
}

static void
find__lines_that_are_not_ours__are_passed_over(void **state)
{
    static const char *const bad[] = {
        "",
        "test_colour_bytes",
        "test_colour_bytes ",
        "test_colour_bytes 1.000", /* a torn line */
        "test_colour_bytes 1\n",
        "test_colour_bytes 1.5\n",
        "test_colour_bytes 1.5000\n",
        "test_colour_bytes -1.000\n",
        "test_colour_bytes +1.000\n",
        "test_colour_bytes  1.000\n",
        "test_colour_bytes 1.000 \n",
        "test_colour_bytes 1.000 1795325921123\n",
        "test_colour_bytes 1e3\n",
        "test_colour_bytes NaN\n",
        "test_colour_bytes .000\n",
        "test_colour_bytes 1..000\n",
        "test_colour_bytes 9999999999999.000\n", /* 16 digits */
        "test_colour_bytes 99999999999999999999999999999.000\n",
        " test_colour_bytes 1.000\n",
        "# test_colour_bytes 1.000\n",
        "xtest_colour_bytes 1.000\n",
        "test_colour_bytes_total 1.000\n",
        "test_colour_bytes{who=\"shop\"} 1.000\n",
        "test_colour_bytes\t1.000\n",
    };
    struct exposition e;
    uint64_t value = 77;

    (void)state;
    exposition_init(&e, NULL, NULL);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        if (exposition_find(&e, bad[i], &colour, "", NULL, 3, &value))
            fail_msg("believed: %s", bad[i]);
        assert_int_equal(value, 77);
    }
    assert_true(
        exposition_find(&e, "x\n\ntest_colour_bytes 9\ntest_colour_bytes 1.000\n", &colour, "", NULL, 3, &value));
    assert_int_equal(value, 1000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(sample__families__have_their_header_once),
        TEST(sample__odd_bytes_in_a_label__do_not_get_through),
        TEST(sample__common_labels__stand_first_in_all),
        TEST(sample__values_with_quotes_backslashes_and_newlines__are_escaped),
        TEST(finish__no_room__is_an_error),
        TEST(find__what_was_written__comes_back),
        TEST(find__lines_that_are_not_ours__are_passed_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
