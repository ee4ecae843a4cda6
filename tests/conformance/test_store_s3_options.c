/* SPDX-License-Identifier: Apache-2.0 */
/* Storage class, encryption and object lock against a real S3 server: the suite with a customer's key, and that the
 * server understood what it was asked. Without a server it is skipped, and says so. */
#include "tests/conformance/store_suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/mem.h"
#include "storage/store_retry.h"
#include "storage/store_s3.h"
#include "tests/support/s3_place.h"
#include "tests/support/test_common.h"

#define KMS_KEY "remora-key" /* tests/servers/rgw.sh knows it */
#define DAY_MS  (INT64_C(24) * 3600 * 1000)

static char dir[256], key_file[300], other_key_file[300];

static void
write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    assert_int_equal(fputs(text, f) >= 0 && fclose(f) == 0, 1);
}

/* A handle by https on URL. */
static struct store *
open_with(const char *url, const struct s3_object_options *objects)
{
    const struct store_s3_options options = {.url = url,
                                             .endpoint = s3_place_env("S3_TEST_HTTPS"),
                                             .region = "us-east-1",
                                             .http.ca_file = s3_place_env("S3_TEST_CA"),
                                             .objects = *objects};
    struct err err = ERR_INIT;
    struct store *s = store_s3_open(&options, &err);

    if (s == NULL) {
        fprintf(stderr, "%s\n", err.msg);
        abort();
    }
    return store_retry_new(s, &(struct store_retry_options){0});
}

static int
put(struct store *s, const char *key, unsigned flags, struct err *err)
{
    return store_put(s, &(struct store_put){.key = key, .data = "data", .len = 4, .flags = flags}, err);
}

/* ---- encryption ---- */

static void
customer_key__another_or_none__cannot_read(void **state)
{
    const struct s3_object_options ours = {.sse = S3_SSE_CUSTOMER, .customer_key_file = key_file};
    const struct s3_object_options others[] = {{.sse = S3_SSE_CUSTOMER, .customer_key_file = other_key_file},
                                               {.sse = S3_SSE_NONE}};
    char *url = s3_place_new(), c[8];
    struct store *s = open_with(url, &ours);
    struct store_object object;
    struct err err = ERR_INIT;
    size_t got = 0;

    (void)state;
    assert_ok(put(s, "k", STORE_PUT_CREATE | STORE_PUT_PERMANENT, &err), &err);
    assert_ok(store_get(s, "k", 0, c, sizeof(c), &got, &err), &err);
    assert_int_equal(got, 4);
    store_free(s);
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        s = open_with(url, &others[i]);
        assert_fails(store_get(s, "k", 0, c, sizeof(c), &got, &err), &err, ERR_USAGE);
        assert_fails(store_stat(s, "k", &object, &err), &err, ERR_USAGE);
        store_free(s);
    }
    s3_place_clear(url);
    free(url);
}

static void
kms__key_the_server_knows__is_taken_and_another_is_not(void **state)
{
    const struct s3_object_options known = {.sse = S3_SSE_KMS, .kms_key = KMS_KEY};
    const struct s3_object_options unknown = {.sse = S3_SSE_KMS, .kms_key = "no-such-key"};
    char *url = s3_place_new(), c[8];
    struct store *s = open_with(url, &known);
    struct err err = ERR_INIT;
    size_t got = 0;

    (void)state;
    assert_ok(put(s, "k", 0, &err), &err);
    assert_ok(store_get(s, "k", 1, c, 2, &got, &err), &err);
    assert_int_equal(got, 2);
    assert_memory_equal(c, "at", 2);
    store_free(s);
    s = open_with(url, &unknown);
    assert_int_equal(put(s, "l", 0, &err), -1);
    assert_non_null(strstr(err.msg, "no-such-key"));
    store_free(s);
    s3_place_clear(url);
    free(url);
}

static void
storage_class__unknown_to_the_server__is_usage(void **state)
{
    const struct s3_object_options standard = {.storage_class = "STANDARD"}, odd = {.storage_class = "NO_SUCH_CLASS"};
    char *url = s3_place_new();
    struct store *s = open_with(url, &standard);
    struct err err = ERR_INIT;

    (void)state;
    assert_ok(put(s, "k", 0, &err), &err);
    store_free(s);
    s = open_with(url, &odd);
    assert_fails(put(s, "l", 0, &err), &err, ERR_USAGE);
    store_free(s);
    s3_place_clear(url);
    free(url);
}

/* ---- object lock ---- */

static char lock_bucket[64];

/* One plain request; the answer's body goes to BODY. Returns the failure's code, ERR_NONE for none. */
static enum err_code
ask(const char *method, const char *key, const struct uri_pair *query, const struct http_header *header,
    char body[4096])
{
    const struct s3_client_options options = {
        .bucket = lock_bucket, .endpoint = s3_place_env("S3_TEST_HTTP"), .region = "us-east-1"};
    const struct s3_call call = {.method = method,
                                 .key = key,
                                 .query = query,
                                 .query_count = query != NULL ? 1 : 0,
                                 .headers = header,
                                 .header_count = header != NULL ? 1 : 0,
                                 .has_body = strcmp(method, "PUT") == 0};
    struct err err = ERR_INIT;
    struct s3_client *client = s3_client_new(&options, &err);
    struct http_answer answer;
    struct s3_error error;

    assert_non_null(client);
    (void)!s3_client_call(client, &call, &answer, &error, &err);
    (void)snprintf(body, 4096, "%s", answer.body.len > 0 ? answer.body.data : "");
    http_answer_fini(&answer);
    s3_client_free(client);
    return err.code;
}

static void
assert_retention(const char *key, const char *mode)
{
    static const struct uri_pair query = {"retention", ""};
    char body[4096];

    (void)ask("GET", key, &query, NULL, body);
    if (strstr(body, mode) == NULL)
        fail_msg("%s: %s", key, body);
}

/* Of the one object in the bucket. */
static void
find_version(char version[128])
{
    const struct uri_pair query = {"versions", ""};
    char body[4096], *at;

    assert_int_equal(ask("GET", NULL, &query, NULL, body), ERR_NONE);
    at = strstr(body, "<VersionId>");
    assert_non_null(at);
    at += strlen("<VersionId>");
    (void)snprintf(version, 128, "%.*s", (int)strcspn(at, "<"), at);
}

static void
object_lock__permanent_objects__are_locked_and_others_are_not(void **state)
{
    static const struct http_header enabled = {"x-amz-bucket-object-lock-enabled", "true"};
    const struct s3_object_options lock = {.lock = S3_LOCK_GOVERNANCE, .lock_for_ms = 2 * DAY_MS};
    char body[4096], version[128], url[80], uuid[DIGEST_UUID_TEXT];
    struct uri_pair one_version = {"versionId", version};
    struct err err = ERR_INIT;
    struct store *s;

    (void)state;
    digest_uuid(uuid);
    (void)snprintf(lock_bucket, sizeof(lock_bucket), "lock-%s", uuid);
    (void)snprintf(url, sizeof(url), "s3://%s", lock_bucket);
    assert_int_equal(ask("PUT", NULL, NULL, &enabled, body), ERR_NONE);
    s = open_with(url, &lock);
    assert_ok(put(s, "data", STORE_PUT_PERMANENT | STORE_PUT_CREATE, &err), &err);
    find_version(version);
    assert_ok(put(s, "lease", 0, &err), &err);
    assert_retention("data", "<Mode>GOVERNANCE</Mode>");
    assert_retention("lease", "ObjectLockConfigurationNotFoundError");
    /* By its key an object goes behind a marker; only its version is locked, and the denial is told as such. */
    assert_int_equal(ask("DELETE", "data", &one_version, NULL, body), ERR_LOCKED);
    assert_ok(store_remove(s, "data", &err), &err);
    assert_ok(store_remove(s, "lease", &err), &err);
    store_free(s);
}

static void
object_lock__bucket_without_it__is_usage_and_unlocked_puts_go_on(void **state)
{
    const struct s3_object_options lock = {.lock = S3_LOCK_COMPLIANCE, .lock_for_ms = DAY_MS};
    char *url = s3_place_new();
    struct store *s = open_with(url, &lock);
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(put(s, "k", STORE_PUT_PERMANENT, &err), -1);
    assert_non_null(strstr(err.msg, "--s3-object-lock"));
    assert_int_equal(err.code, ERR_USAGE);
    assert_ok(put(s, "k", 0, &err), &err);
    store_free(s);
    s3_place_clear(url);
    free(url);
}

/* ---- the suite with a customer's key ---- */

static void *
place_new(void)
{
    return s3_place_new();
}

static void
place_free(void *place)
{
    s3_place_clear(place);
    free(place);
}

static struct store *
writer(void *place)
{
    const struct s3_object_options objects = {.sse = S3_SSE_CUSTOMER, .customer_key_file = key_file};

    return open_with(place, &objects);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(customer_key__another_or_none__cannot_read),
        cmocka_unit_test(kms__key_the_server_knows__is_taken_and_another_is_not),
        cmocka_unit_test(storage_class__unknown_to_the_server__is_usage),
        cmocka_unit_test(object_lock__permanent_objects__are_locked_and_others_are_not),
        cmocka_unit_test(object_lock__bucket_without_it__is_usage_and_unlocked_puts_go_on),
    };
    const struct store_suite suite = {.name = "s3 https, customer's key",
                                      .place_new = place_new,
                                      .place_free = place_free,
                                      .writer = writer,
                                      .rounds = 5,
                                      .sparse = 50,
                                      .many_keys = 30};
    int failed;

    if (s3_place_env("S3_TEST_HTTPS") == NULL)
        return s3_place_skip("test_store_s3_options");
    s3_place_prepare();
    test_make_dir(dir);
    (void)snprintf(key_file, sizeof(key_file), "%s/key", dir);
    (void)snprintf(other_key_file, sizeof(other_key_file), "%s/other", dir);
    write_file(key_file, "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlBQkNERUY=\n");
    write_file(other_key_file, "another key of thirty-two bytes.");
    failed = cmocka_run_group_tests(tests, NULL, NULL) + store_suite_run(&suite);
    test_remove_dir(dir);
    return failed;
}
