/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test_common.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/open_store.h"

static char dir[256];

static struct store *
open_url(const char *url, unsigned flags, struct err *err)
{
    const struct config config = {.repo = url};

    return open_store(&config, flags, err);
}

static int
set_up(void **state)
{
    (void)state;
    test_make_dir(dir);
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
open_store__url_and_bare_path__are_the_same_folder(void **state)
{
    struct err err = ERR_INIT;
    char url[300], data[8];
    struct store_put put = {.key = "a/b", .data = "hello", .len = 5};
    struct store *s;
    size_t got = 0;

    (void)state;
    (void)snprintf(url, sizeof(url), "file://%s", dir);
    s = open_url(url, 0, &err);
    assert_non_null(s);
    assert_ok(store_put(s, &put, &err), &err);
    store_free(s);
    s = open_url(dir, 0, &err);
    assert_non_null(s);
    assert_ok(store_get(s, "a/b", 0, data, sizeof(data), &got, &err), &err);
    assert_int_equal(got, 5);
    store_free(s);
}

static void
open_store__read_only__refuses_to_change_anything(void **state)
{
    struct err err = ERR_INIT;
    struct store_put put = {.key = "a", .data = "x", .len = 1};
    struct store *s = open_url(dir, OPEN_STORE_READ_ONLY, &err);

    (void)state;
    assert_non_null(s);
    assert_int_equal(store_features(s) & STORE_WRITABLE, 0);
    assert_fails(store_put(s, &put, &err), &err, ERR_REFUSED);
    assert_fails(store_remove(s, "a", &err), &err, ERR_REFUSED);
    store_free(s);
}

static void
open_store__missing_folder__is_made_only_on_request(void **state)
{
    struct err err = ERR_INIT;
    char path[300];
    struct stat st;
    struct store *s;

    (void)state;
    (void)snprintf(path, sizeof(path), "%s/new", dir);
    assert_fails(open_url(path, 0, &err) != NULL ? 0 : -1, &err, ERR_NOT_FOUND);
    assert_int_equal(stat(path, &st), -1);
    s = open_url(path, OPEN_STORE_MAKE, &err);
    assert_non_null(s);
    store_free(s);
    assert_int_equal(stat(path, &st), 0);
}

static void
open_store__other_urls__are_refused_without_their_secrets(void **state)
{
    static const char *const urls[] = {"s3://key:s3cret@bucket/x", "http://a:s3cret@host/", "file://relative",
                                       "://s3cret"};
    struct err err = ERR_INIT;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
        assert_null(open_url(urls[i], OPEN_STORE_MAKE, &err));
        assert_int_equal(err.code, ERR_USAGE);
        assert_null(strstr(err.msg, "s3cret"));
    }
}

static void
open_store__s3_options_that_do_not_go_together__are_usage(void **state)
{
    static const struct {
        struct config config;
        const char *word;
    } cases[] = {
        {{.s3_sse = SSE_CUSTOMER}, "--s3-sse-customer-key-file"},
        {{.s3_sse = SSE_CUSTOMER, .s3_sse_customer_key_file = "/dev/null"}, "https"},
        {{.s3_sse = SSE_AES256, .s3_sse_kms_key_id = "id"}, "--s3-sse kms"},
        {{.s3_object_lock = OBJECT_LOCK_GOVERNANCE}, "--s3-object-lock-for"},
        {{.s3_object_lock_for_ms = 1000}, "--s3-object-lock"},
#ifdef REMORA_LIBS3
        {{.s3_signature = SIGNATURE_V2, .s3_storage_class = "A"}, "v4"},
        {{.s3_signature = SIGNATURE_V2, .s3_sse = SSE_KMS}, "v4"},
        {{.s3_signature = SIGNATURE_V2, .s3_object_lock = OBJECT_LOCK_COMPLIANCE}, "v4"},
#endif
    };

    (void)state;
    (void)setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE", 1);
    (void)setenv("AWS_SECRET_ACCESS_KEY", "s3cr3t/of/tests", 1);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct config config = cases[i].config;
        struct err err = ERR_INIT;

        config.repo = "s3://bucket";
        config.s3_endpoint = "http://127.0.0.1:1";
        assert_null(open_store(&config, 0, &err));
        if (err.code != ERR_USAGE || strstr(err.msg, cases[i].word) == NULL)
            fail_msg("%s: %s, not usage with \"%s\"", err_name(err.code), err.msg, cases[i].word);
    }
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(open_store__url_and_bare_path__are_the_same_folder),
        TEST(open_store__read_only__refuses_to_change_anything),
        TEST(open_store__missing_folder__is_made_only_on_request),
        TEST(open_store__other_urls__are_refused_without_their_secrets),
        TEST(open_store__s3_options_that_do_not_go_together__are_usage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
