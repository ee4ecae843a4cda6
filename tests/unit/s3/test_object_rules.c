/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test_common.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "storage/s3/object_rules.h"

/* The MD5 of these 32 bytes is from md5sum(1). */
#define RAW_KEY    "0123456789abcdef0123456789ABCDEF"
#define BASE64_KEY "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlBQkNERUY="
#define KEY_MD5    "V5euSAsQOO0sIBHETfEa4w=="

static char dir[256], key_file[300];

static int
set_up(void **state)
{
    (void)state;
    test_make_dir(dir);
    (void)snprintf(key_file, sizeof(key_file), "%s/key", dir);
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
write_key(const char *data, size_t len)
{
    FILE *f = fopen(key_file, "w");

    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
}

static const char *
value_of(const struct http_header *headers, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(headers[i].name, name) == 0)
            return headers[i].value;
    }
    return "";
}

/* Load O, and let go of it again. */
static int
try_options(const struct s3_object_options *o, bool tls, struct err *err)
{
    struct s3_object_rules r;
    int rc = s3_object_rules_load(&r, o, tls, err);

    s3_object_rules_fini(&r);
    return rc;
}

static void
load__nothing_asked_for__adds_no_headers(void **state)
{
    const struct s3_object_options none = {0};
    struct http_header headers[S3_RULE_HEADERS_MAX];
    struct s3_object_rules r;
    struct err err = ERR_INIT;
    char until[UNITS_TEXT_MAX];

    (void)state;
    assert_false(s3_object_options_any(&none));
    assert_ok(s3_object_rules_load(&r, &none, false, &err), &err);
    assert_int_equal(s3_object_rules_put(&r, true, 0, until, headers), 0);
    assert_int_equal(s3_object_rules_read(&r, headers), 0);
    s3_object_rules_fini(&r);
}

static void
load__what_does_not_go_together__is_usage_and_names_the_option(void **state)
{
    static const struct {
        struct s3_object_options options;
        bool tls;
        const char *word;
    } cases[] = {
        {{.storage_class = "A\r\nx-evil: 1"}, true, "--s3-storage-class"},
        {{.kms_key = "id"}, true, "--s3-sse-kms-key-id"},
        {{.kms_key = "id", .sse = S3_SSE_AES256}, true, "--s3-sse-kms-key-id"},
        {{.kms_key = "id\n", .sse = S3_SSE_KMS}, true, "--s3-sse-kms-key-id"},
        {{.customer_key_file = "/dev/null"}, true, "--s3-sse-customer-key-file"},
        {{.customer_key_file = "/dev/null", .sse = S3_SSE_KMS}, true, "--s3-sse-customer-key-file"},
        {{.sse = S3_SSE_CUSTOMER}, true, "--s3-sse-customer-key-file"},
        {{.sse = S3_SSE_CUSTOMER, .customer_key_file = "/dev/null"}, false, "https"},
        {{.sse = S3_SSE_CUSTOMER, .customer_key_file = "/dev/null"}, true, "32 bytes"},
        {{.sse = S3_SSE_CUSTOMER, .customer_key_file = "/no/such/file"}, true, "/no/such/file"},
        {{.lock = S3_LOCK_GOVERNANCE}, true, "--s3-object-lock-for"},
        {{.lock_for_ms = 1000}, true, "give --s3-object-lock"},
        {{.lock = S3_LOCK_COMPLIANCE, .lock_for_ms = INT64_MAX}, true, "100 years"},
    };
    struct err err = ERR_INIT;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_true(s3_object_options_any(&cases[i].options));
        assert_int_equal(try_options(&cases[i].options, cases[i].tls, &err), -1);
        if (err.code != ERR_USAGE || strstr(err.msg, cases[i].word) == NULL)
            fail_msg("%s: %s, not usage with \"%s\"", err_name(err.code), err.msg, cases[i].word);
        err_clear(&err);
    }
}

static void
customer_key__raw_or_in_base64__is_sent_with_every_request(void **state)
{
    static const char *const files[] = {RAW_KEY, BASE64_KEY, BASE64_KEY "\n", BASE64_KEY "\r\n"};
    const struct s3_object_options o = {.sse = S3_SSE_CUSTOMER, .customer_key_file = key_file};
    struct http_header headers[S3_RULE_HEADERS_MAX];
    struct s3_object_rules r;
    struct err err = ERR_INIT;
    char until[UNITS_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < 2 * ARRAY_LEN(files); i++) {
        size_t n;

        write_key(files[i / 2], strlen(files[i / 2]));
        assert_ok(s3_object_rules_load(&r, &o, true, &err), &err);
        n = i % 2 == 0 ? s3_object_rules_read(&r, headers) : s3_object_rules_put(&r, true, 0, until, headers);
        assert_int_equal(n, 3);
        assert_string_equal(value_of(headers, n, "x-amz-server-side-encryption-customer-algorithm"), "AES256");
        assert_string_equal(value_of(headers, n, "x-amz-server-side-encryption-customer-key"), BASE64_KEY);
        assert_string_equal(value_of(headers, n, "x-amz-server-side-encryption-customer-key-md5"), KEY_MD5);
        s3_object_rules_fini(&r);
        assert_int_equal(r.customer_key[0], '\0');
    }
}

static void
customer_key__of_another_length_or_form__is_refused_and_not_told(void **state)
{
    static const struct {
        const char *data;
        size_t len;
    } files[] = {{"", 0},
                 {"SECRETSECRETSECRETSECRETSECRET!", 31},
                 {"SECRETSECRETSECRETSECRETSECRETSE\n", 33},
                 {"SECRETSECRETSECRETSECRETSECRETSECRETSECRET==", 44},
                 {"SECRET!!SECRET!!SECRET!!SECRET!!SECRET!!SEC=", 44},
                 {"SECRETSECRETSECRETSECRETSECRETSECRETSECRETS\0", 44},
                 {"SECRETSECRETSECRETSECRETSECRETSECRETSECRETSE", 44},
                 {BASE64_KEY "\n\n", 46}};
    const struct s3_object_options o = {.sse = S3_SSE_CUSTOMER, .customer_key_file = key_file};
    struct err err = ERR_INIT;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        write_key(files[i].data, files[i].len);
        assert_int_equal(try_options(&o, true, &err), -1);
        assert_int_equal(err.code, ERR_USAGE);
        assert_null(strstr(err.msg, "SECRET"));
        err_clear(&err);
    }
}

static void
put__of_a_permanent_object__is_locked_until_its_day(void **state)
{
    const struct s3_object_options o = {.storage_class = "STANDARD_IA",
                                        .sse = S3_SSE_KMS,
                                        .kms_key = "arn:aws:kms:eu-west-1:1:key/2",
                                        .lock = S3_LOCK_COMPLIANCE,
                                        .lock_for_ms = INT64_C(30) * 24 * 3600 * 1000};
    const int64_t now = INT64_C(1795343400000); /* 2026-11-22T10:30:00Z */
    struct http_header headers[S3_RULE_HEADERS_MAX];
    struct s3_object_rules r;
    struct err err = ERR_INIT;
    char until[UNITS_TEXT_MAX];
    size_t n;

    (void)state;
    assert_ok(s3_object_rules_load(&r, &o, false, &err), &err);
    n = s3_object_rules_put(&r, true, now, until, headers);
    assert_int_equal(n, 5);
    assert_string_equal(value_of(headers, n, "x-amz-storage-class"), "STANDARD_IA");
    assert_string_equal(value_of(headers, n, "x-amz-server-side-encryption"), "aws:kms");
    assert_string_equal(value_of(headers, n, "x-amz-server-side-encryption-aws-kms-key-id"), o.kms_key);
    assert_string_equal(value_of(headers, n, "x-amz-object-lock-mode"), "COMPLIANCE");
    assert_string_equal(value_of(headers, n, "x-amz-object-lock-retain-until-date"), "2026-12-22T10:30:00Z");
    n = s3_object_rules_put(&r, false, now, until, headers);
    assert_int_equal(n, 3);
    assert_string_equal(value_of(headers, n, "x-amz-object-lock-mode"), "");
    assert_int_equal(s3_object_rules_read(&r, headers), 0);
    s3_object_rules_fini(&r);
}

static void
check_put__store_that_does_not_know_the_key__is_told(void **state)
{
    const struct s3_object_options o = {.sse = S3_SSE_CUSTOMER, .customer_key_file = key_file};
    struct http_answer answer = {.status = 200};
    struct s3_object_rules r;
    struct err err = ERR_INIT;

    (void)state;
    write_key(RAW_KEY, strlen(RAW_KEY));
    assert_ok(s3_object_rules_load(&r, &o, true, &err), &err);
    assert_fails(s3_object_rules_check_put(&r, &answer, &err), &err, ERR_UNSUPPORTED);
    (void)snprintf(answer.customer_algorithm, sizeof(answer.customer_algorithm), "AES256");
    assert_ok(s3_object_rules_check_put(&r, &answer, &err), &err);
    s3_object_rules_fini(&r);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(load__nothing_asked_for__adds_no_headers),
        cmocka_unit_test(load__what_does_not_go_together__is_usage_and_names_the_option),
        TEST(customer_key__raw_or_in_base64__is_sent_with_every_request),
        TEST(customer_key__of_another_length_or_form__is_refused_and_not_told),
        cmocka_unit_test(put__of_a_permanent_object__is_locked_until_its_day),
        TEST(check_put__store_that_does_not_know_the_key__is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
