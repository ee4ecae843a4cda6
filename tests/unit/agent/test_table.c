/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test_common.h"

#include "agent/table.h"

static const struct table_column columns[] = {{"NAME", false}, {"SIZE", true}, {"MARKS", false}};

static void
check(struct table *t, const char *expected)
{
    struct err err = ERR_INIT;
    struct buf out;

    buf_init(&out, 4096);
    assert_ok(table_write(t, &out, &err), &err);
    assert_string_equal(out.data, expected);
    buf_fini(&out);
    table_free(t);
}

static void
table_write__no_rows__is_the_titles(void **state)
{
    (void)state;
    check(table_new(columns, 3), "NAME  SIZE  MARKS\n");
}

static void
table_write__rows__are_aligned_without_trailing_spaces(void **state)
{
    static const char *const cells[] = {"a", "12345678", "", "longer name", "1", "held"};
    struct table *t = table_new(columns, 3);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cells); i++)
        table_cell(t, cells[i]);
    check(t, "NAME             SIZE  MARKS\n"
             "a            12345678\n"
             "longer name         1  held\n");
}

static void
table_write__empty_cell_in_the_middle__keeps_its_column(void **state)
{
    struct table *t = table_new(columns, 3);

    (void)state;
    table_cell(t, "a");
    table_cell(t, "");
    table_cell(t, "x");
    check(t, "NAME  SIZE  MARKS\na           x\n");
}

static void
table_write__too_small_a_buffer__fails(void **state)
{
    struct table *t = table_new(columns, 3);
    struct err err = ERR_INIT;
    struct buf out;

    (void)state;
    buf_init(&out, 8);
    assert_fails(table_write(t, &out, &err), &err, ERR_NO_SPACE);
    buf_fini(&out);
    table_free(t);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_write__no_rows__is_the_titles),
        cmocka_unit_test(table_write__rows__are_aligned_without_trailing_spaces),
        cmocka_unit_test(table_write__empty_cell_in_the_middle__keeps_its_column),
        cmocka_unit_test(table_write__too_small_a_buffer__fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
