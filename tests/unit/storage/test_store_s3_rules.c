/* SPDX-License-Identifier: Apache-2.0 */
/* store_s3 with storage class, encryption and object lock, against a scripted server: what it sends and signs, and what
 * it makes of a store's refusal. */
#include "tests/support/test_common.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/units.h"
#include "storage/store_retry.h"
#include "storage/store_s3.h"
#include "tests/support/http_server.h"

#define REQUESTS_MAX 4
#define DAY_MS       (INT64_C(24) * 3600 * 1000)

struct scene {
    const char *status, *body;
    struct http_server *server;
    struct store *store;
    struct http_server_request seen[REQUESTS_MAX];
};

static void
answer(const struct http_server_request *r, struct http_server_answer *a, void *cookie)
{
    struct scene *s = cookie;

    if (r->number <= REQUESTS_MAX)
        s->seen[r->number - 1] = *r;
    http_server_reply(a, s->status, "", s->body);
}

static struct scene *
open_scene(const struct s3_object_options *objects, const char *status, const char *body)
{
    struct store_s3_options options = {.url = "s3://bucket/pre", .region = "us-east-1", .objects = *objects};
    struct scene *s = calloc(1, sizeof(*s));
    struct err err = ERR_INIT;

    assert_non_null(s);
    (void)setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE", 1);
    (void)setenv("AWS_SECRET_ACCESS_KEY", "s3cr3t/of/tests", 1);
    (void)setenv("AWS_CONFIG_FILE", "/dev/null", 1);
    (void)setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null", 1);
    (void)unsetenv("AWS_PROFILE");
    (void)unsetenv("AWS_SESSION_TOKEN");
    s->status = status;
    s->body = body;
    s->server = http_server_start(answer, s);
    options.endpoint = http_server_url(s->server);
    s->store = store_s3_open(&options, &err);
    if (s->store == NULL)
        fail_msg("%s", err.msg);
    return s;
}

static void
close_scene(struct scene *s)
{
    store_free(s->store);
    http_server_stop(s->server);
    free(s);
}

static int
put(struct store *s, unsigned flags, struct err *err)
{
    return store_put(s, &(struct store_put){.key = "k", .data = "data", .len = 4, .flags = flags}, err);
}

/* Request NUMBER (from 0) carries the header, and it is signed; VALUE "": it does not. */
static void
assert_header(const struct scene *s, unsigned number, const char *name, const char *value)
{
    char found[1024], authorization[1024], in_list[128];
    char *names;

    assert_string_equal(http_server_header(&s->seen[number], name, found), value);
    names = strstr(http_server_header(&s->seen[number], "authorization", authorization), "SignedHeaders=");
    assert_non_null(names);
    names += strlen("SignedHeaders");
    *names = ';'; /* before each name */
    names[strcspn(names, ",")] = ';';
    (void)snprintf(in_list, sizeof(in_list), ";%s;", name);
    assert_int_equal(strstr(names, in_list) != NULL, *value != '\0');
}

static void
put__class_and_encryption__are_signed_headers_of_every_put(void **state)
{
    const struct s3_object_options kms = {.storage_class = "GLACIER_IR", .sse = S3_SSE_KMS, .kms_key = "alias/backup"};
    const struct s3_object_options own = {.sse = S3_SSE_AES256};
    struct scene *s = open_scene(&kms, "200 OK", "");
    struct err err = ERR_INIT;

    (void)state;
    assert_ok(put(s->store, 0, &err), &err);
    assert_ok(put(s->store, STORE_PUT_CREATE | STORE_PUT_PERMANENT, &err), &err);
    for (unsigned i = 0; i < 2; i++) {
        assert_header(s, i, "x-amz-storage-class", "GLACIER_IR");
        assert_header(s, i, "x-amz-server-side-encryption", "aws:kms");
        assert_header(s, i, "x-amz-server-side-encryption-aws-kms-key-id", "alias/backup");
        assert_header(s, i, "x-amz-object-lock-mode", "");
    }
    close_scene(s);
    s = open_scene(&own, "200 OK", "");
    assert_ok(put(s->store, 0, &err), &err);
    assert_header(s, 0, "x-amz-server-side-encryption", "AES256");
    assert_header(s, 0, "x-amz-server-side-encryption-aws-kms-key-id", "");
    assert_header(s, 0, "x-amz-storage-class", "");
    close_scene(s);
}

static void
put__with_object_lock__locks_permanent_objects_only(void **state)
{
    const struct s3_object_options lock = {.lock = S3_LOCK_GOVERNANCE, .lock_for_ms = 30 * DAY_MS};
    struct scene *s = open_scene(&lock, "200 OK", "");
    int64_t now = clock_wall_ms(), until = 0;
    struct err err = ERR_INIT;
    char text[1024];

    (void)state;
    s->store = store_retry_new(s->store, &(struct store_retry_options){0}); /* as the program has it */
    assert_ok(put(s->store, STORE_PUT_CREATE | STORE_PUT_PERMANENT, &err), &err);
    assert_ok(put(s->store, STORE_PUT_CREATE, &err), &err);
    assert_header(s, 0, "x-amz-object-lock-mode", "GOVERNANCE");
    assert_header(s, 0, "content-md5", "jXd/OF09/siBXSD3SWAm3A==");
    assert_header(s, 0, "if-none-match", "*");
    assert_ok(
        units_parse_time(http_server_header(&s->seen[0], "x-amz-object-lock-retain-until-date", text), &until, &err),
        &err);
    assert_header(s, 0, "x-amz-object-lock-retain-until-date", text);
    assert_in_range(until, now - 1000 + 30 * DAY_MS, now + 60000 + 30 * DAY_MS);
    assert_header(s, 1, "x-amz-object-lock-mode", "");
    assert_header(s, 1, "x-amz-object-lock-retain-until-date", "");
    assert_header(s, 1, "content-md5", "");
    close_scene(s);
}

static void
put__refused_for_what_was_asked__is_usage_and_names_it(void **state)
{
    const struct s3_object_options lock = {.lock = S3_LOCK_GOVERNANCE, .lock_for_ms = DAY_MS};
    const struct s3_object_options kms = {.sse = S3_SSE_KMS};
    struct scene *s = open_scene(&lock, "400 Bad Request",
                                 "<Error><Code>InvalidRequest</Code><Message>Bucket is missing Object Lock "
                                 "Configuration</Message></Error>");
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(put(s->store, STORE_PUT_PERMANENT, &err), -1);
    assert_non_null(strstr(err.msg, "--s3-object-lock (only a bucket"));
    assert_int_equal(err.code, ERR_USAGE);
    close_scene(s);
    s = open_scene(&kms, "400 Bad Request", "<Error><Code>KMS.NotFoundException</Code><Message>no</Message></Error>");
    assert_int_equal(put(s->store, 0, &err), -1);
    assert_non_null(strstr(err.msg, "KMS.NotFoundException"));
    assert_non_null(strstr(err.msg, "--s3-sse"));
    assert_int_equal(err.code, ERR_USAGE);
    close_scene(s);
}

static void
get_stat__of_an_object_with_another_key__say_what_to_look_at(void **state)
{
    const struct s3_object_options none = {0};
    struct scene *s = open_scene(&none, "400 Bad Request",
                                 "<Error><Code>InvalidRequest</Code><Message>The object was stored using a form of "
                                 "Server Side Encryption.</Message></Error>");
    struct store_object object;
    struct err err = ERR_INIT;
    char c;
    size_t got;

    (void)state;
    assert_int_equal(store_get(s->store, "k", 0, &c, 1, &got, &err), -1);
    assert_non_null(strstr(err.msg, "--s3-sse customer"));
    assert_fails(store_get(s->store, "k", 0, &c, 1, &got, &err), &err, ERR_USAGE);
    assert_int_equal(store_stat(s->store, "k", &object, &err), -1);
    assert_non_null(strstr(err.msg, "--s3-sse customer"));
    assert_int_equal(err.code, ERR_USAGE);
    close_scene(s);
}

static void
open__customer_key_over_http__is_refused_before_any_request(void **state)
{
    const struct store_s3_options options = {.url = "s3://bucket",
                                             .endpoint = "http://127.0.0.1:1",
                                             .objects = {.sse = S3_SSE_CUSTOMER, .customer_key_file = "/dev/null"}};
    struct err err = ERR_INIT;

    (void)state;
    assert_null(store_s3_open(&options, &err));
    assert_int_equal(err.code, ERR_USAGE);
    assert_non_null(strstr(err.msg, "https"));
}

/* ---- removals ---- */

static int
remove_one(struct store *s, struct err *err)
{
    return store_remove(s, "k", err);
}

static int
remove_two(struct store *s, struct err *err)
{
    static const char *const keys[] = {"k", "l"};

    return store_remove_many(s, keys, 2, err);
}

static void
remove__denied__a_lock_is_told_from_missing_rights(void **state)
{
#define ERROR(code, message) "<Error><Code>" code "</Code><Message>" message "</Message></Error>"
#define MANY(error)          "<DeleteResult>" error "</DeleteResult>"
    static const struct {
        const char *status, *body;
        int (*call)(struct store *s, struct err *err);
        enum err_code code;
    } cases[] = {
        {"403 Forbidden", ERROR("AccessDenied", "Access Denied because object protected by object lock."), remove_one,
         ERR_LOCKED},
        {"403 Forbidden", ERROR("AccessDenied", "forbidden by object lock"), remove_one, ERR_LOCKED},
        {"400 Bad Request", ERROR("InvalidRequest", "Object is WORM protected and cannot be overwritten"), remove_one,
         ERR_LOCKED},
        {"200 OK", MANY(ERROR("AccessDenied", "Access Denied because object protected by object lock.")), remove_two,
         ERR_LOCKED},
        {"403 Forbidden", ERROR("AccessDenied", "Access Denied"), remove_one, ERR_STORE_DENIED},
        {"403 Forbidden", ERROR("AccessDenied", ""), remove_one, ERR_STORE_DENIED},
        {"200 OK", MANY(ERROR("AccessDenied", "Access Denied")), remove_two, ERR_STORE_DENIED},
        {"403 Forbidden", ERROR("SignatureDoesNotMatch", "object lock"), remove_one, ERR_STORE_DENIED},
    };
    const struct s3_object_options none = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct scene *s = open_scene(&none, cases[i].status, cases[i].body);
        struct err err = ERR_INIT;

        s->store = store_retry_new(s->store, &(struct store_retry_options){0});
        assert_fails(cases[i].call(s->store, &err), &err, cases[i].code);
        assert_int_equal(http_server_requests(s->server), 1); /* neither gets better by asking again */
        close_scene(s);
    }
}

/* The words mean nothing in the answer to a put. */
static void
put__denied_with_such_words__is_denied(void **state)
{
    const struct s3_object_options none = {0};
    struct scene *s = open_scene(&none, "403 Forbidden", ERROR("AccessDenied", "no s3:PutObjectRetention"));
    struct err err = ERR_INIT;

    (void)state;
    assert_fails(put(s->store, 0, &err), &err, ERR_STORE_DENIED);
    close_scene(s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(put__class_and_encryption__are_signed_headers_of_every_put),
        cmocka_unit_test(put__with_object_lock__locks_permanent_objects_only),
        cmocka_unit_test(put__refused_for_what_was_asked__is_usage_and_names_it),
        cmocka_unit_test(get_stat__of_an_object_with_another_key__say_what_to_look_at),
        cmocka_unit_test(open__customer_key_over_http__is_refused_before_any_request),
        cmocka_unit_test(remove__denied__a_lock_is_told_from_missing_rights),
        cmocka_unit_test(put__denied_with_such_words__is_denied),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
