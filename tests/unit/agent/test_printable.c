/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test_common.h"

#include <stdio.h>
#include <string.h>

#include "agent/printable.h"

static void
printable__control_characters__are_question_marks(void **state)
{
    static const char *const cases[][2] = {
        {"", ""},
        {"plain text ~", "plain text ~"},
        {"s\xc3\xa4ge \xc2\xa0 \xe2\x82\xac", "s\xc3\xa4ge \xc2\xa0 \xe2\x82\xac"},
        {"a\nb\tc\r", "a?b?c?"},
        {"\x1b[2J\x7f\x01", "?[2J??"},
        {"\xc2\x9b"
         "1m\xc2\x80\xc2\x9f",
         "??1m????"},
        {"cut \xc2", "cut \xc2"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[64];

        (void)snprintf(text, sizeof(text), "%s", cases[i][0]);
        assert_int_equal(printable_check(text), strcmp(cases[i][0], cases[i][1]) == 0);
        printable_make(text);
        assert_string_equal(text, cases[i][1]);
        assert_true(printable_check(text));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(printable__control_characters__are_question_marks)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
