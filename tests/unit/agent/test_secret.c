/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test_common.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/secret.h"
#include "base/file.h"

static char dir[256], path[300];

static int
set_up(void **state)
{
    (void)state;
    test_make_dir(dir);
    (void)snprintf(path, sizeof(path), "%s/secret", dir);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    test_remove_dir(dir);
    return 0;
}

static void
put(const char *data, size_t len)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
}

static void
check(const char *data, const char *expected)
{
    struct err err = ERR_INIT;
    char *secret = NULL;

    put(data, strlen(data));
    assert_ok(secret_read_file(path, &secret, &err), &err);
    assert_string_equal(secret, expected);
    secret_free(secret);
}

static void
secret_read_file__one_newline_at_the_end__is_dropped(void **state)
{
    (void)state;
    check("sesame\n", "sesame");
    check("sesame", "sesame");
    check("sesame\r\n", "sesame");
    check("sesame\n\n", "sesame\n");
    check(" two words \n", " two words ");
}

static void
secret_read_file__up_to_4_kb__is_taken_and_no_more(void **state)
{
    struct err err = ERR_INIT;
    char *secret = NULL, big[4097];

    (void)state;
    memset(big, 'x', sizeof(big));
    put(big, 4096);
    assert_ok(secret_read_file(path, &secret, &err), &err);
    assert_int_equal(strlen(secret), 4096);
    secret_free(secret);
    put(big, 4097);
    assert_fails(secret_read_file(path, &secret, &err), &err, ERR_USAGE);
}

static void
secret_read_file__no_password_in_it__is_refused(void **state)
{
    struct err err = ERR_INIT;
    char *secret = NULL;

    (void)state;
    assert_fails(secret_read_file(path, &secret, &err), &err, ERR_USAGE);
    put("", 0);
    assert_fails(secret_read_file(path, &secret, &err), &err, ERR_USAGE);
    put("\n", 1);
    assert_fails(secret_read_file(path, &secret, &err), &err, ERR_USAGE);
    put("a\0b\n", 4);
    assert_fails(secret_read_file(path, &secret, &err), &err, ERR_USAGE);
    assert_fails(secret_read_file(dir, &secret, &err), &err, ERR_USAGE);
}

static void
secret_mask_url__other_text__is_left(void **state)
{
    static const char *const texts[] = {"redis://host:6379", "user@host", "a:b@c", "/data/a@b", "--tag=mail=a@b", ""};
    char text[64];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        (void)snprintf(text, sizeof(text), "%s", texts[i]);
        secret_mask_url(text);
        assert_string_equal(text, texts[i]);
    }
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(secret_read_file__one_newline_at_the_end__is_dropped),
        TEST(secret_read_file__up_to_4_kb__is_taken_and_no_more),
        TEST(secret_read_file__no_password_in_it__is_refused),
        TEST(secret_mask_url__other_text__is_left),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
