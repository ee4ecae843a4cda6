/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test_common.h"

#include <stdlib.h>
#include <string.h>

#include "agent/key_name.h"

static void
assert_text(const char *name, size_t len, bool is_cut, size_t columns, const char *expected)
{
    char *text = key_name_text((const uint8_t *)name, len, is_cut, columns);

    assert_string_equal(text, expected);
    free(text);
}

static void
text__any_bytes__are_printable_ascii(void **state)
{
    (void)state;
    assert_text("user:7 ~", 8, false, 100, "user:7 ~");
    assert_text("", 0, false, 100, "");
    assert_text("a\\b", 3, false, 100, "a\\\\b");
    assert_text("\0\n\x1b[31m\x7f\xff", 9, false, 100, "\\x00\\x0a\\x1b[31m\\x7f\\xff");
    assert_text("\xc3\xa9", 2, false, 100, "\\xc3\\xa9");
}

static void
text__too_long__ends_in_dots(void **state)
{
    (void)state;
    assert_text("0123456789", 10, false, 10, "0123456789");
    assert_text("0123456789a", 11, false, 10, "0123456...");
    assert_text("0123456789", 10, true, 10, "0123456...");
    assert_text("012", 3, true, 10, "012...");
    assert_text("01234\xff\xff\xff", 8, false, 10, "01234...");
    assert_text("\xff", 1, false, 3, "...");
}

static void
assert_json(const char *name, size_t len, const char *expected, size_t expected_len)
{
    json_t *value = key_name_json((const uint8_t *)name, len);

    assert_int_equal(json_string_length(value), expected_len);
    assert_memory_equal(json_string_value(value), expected, expected_len);
    json_decref(value);
}

#define SAME(text)            assert_json(text, sizeof(text) - 1, text, sizeof(text) - 1)
#define BECOMES(text, result) assert_json(text, sizeof(text) - 1, result, sizeof(result) - 1)

static void
json__valid_utf8__stays(void **state)
{
    (void)state;
    SAME("");
    SAME("user:7\n\t\0\x7f");
    SAME("\xc2\x80 \xdf\xbf \xe0\xa0\x80 \xed\x9f\xbf \xee\x80\x80 \xef\xbf\xbf \xf0\x90\x80\x80 \xf4\x8f\xbf\xbf");
}

static void
json__anything_else__is_escaped(void **state)
{
    (void)state;
    BECOMES("a\\b", "a\\\\b");
    BECOMES("\\xff", "\\\\xff");
    BECOMES("\xff", "\\xff");
    BECOMES("\x80x", "\\x80x");
    BECOMES("\xc3", "\\xc3");            /* cut off */
    BECOMES("\xe2\x82x", "\\xe2\\x82x"); /* the third byte is none */
    BECOMES("\xc0\x80", "\\xc0\\x80");   /* longer than needed */
    BECOMES("\xe0\x9f\xbf", "\\xe0\\x9f\\xbf");
    BECOMES("\xf0\x8f\xbf\xbf", "\\xf0\\x8f\\xbf\\xbf");
    BECOMES("\xed\xa0\x80", "\\xed\\xa0\\x80"); /* a surrogate */
    BECOMES("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80");
    BECOMES("\xf5\x80\x80\x80", "\\xf5\\x80\\x80\\x80");
}

/* Whatever comes, it is a string. */
static void
json__every_pair_of_bytes__is_a_string(void **state)
{
    (void)state;
    for (unsigned a = 0; a < 256; a++) {
        for (unsigned b = 0; b < 256; b++) {
            const uint8_t name[3] = {(uint8_t)a, (uint8_t)b, 0x80};
            json_t *value = key_name_json(name, sizeof(name));

            assert_true(json_is_string(value));
            json_decref(value);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text__any_bytes__are_printable_ascii),
        cmocka_unit_test(text__too_long__ends_in_dots),
        cmocka_unit_test(json__valid_utf8__stays),
        cmocka_unit_test(json__anything_else__is_escaped),
        cmocka_unit_test(json__every_pair_of_bytes__is_a_string),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
