/* SPDX-License-Identifier: Apache-2.0 */
/* s3_place.c: see s3_place.h. */
#include "tests/support/s3_place.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/mem.h"
#include "tests/support/test_common.h"

const char *
s3_place_env(const char *name)
{
    const char *value = getenv(name);

    return value != NULL && *value != '\0' ? value : NULL;
}

int
s3_place_skip(const char *what)
{
    fprintf(stderr, "[  SKIPPED ] %s: there is no S3 server; run `make conformance-s3`, which starts one\n", what);
    return 0;
}

void
s3_place_prepare(void)
{
    const struct s3_client_options options = {
        .bucket = S3_PLACE_BUCKET, .endpoint = s3_place_env("S3_TEST_HTTP"), .region = "us-east-1"};
    const struct s3_call create = {.method = "PUT", .has_body = true};
    struct s3_client *client;
    struct http_answer answer;
    struct s3_error error;
    struct err err = ERR_INIT;

    (void)setenv("AWS_ACCESS_KEY_ID", s3_place_env("S3_TEST_ACCESS_KEY"), 1);
    (void)setenv("AWS_SECRET_ACCESS_KEY", s3_place_env("S3_TEST_SECRET_KEY"), 1);
    (void)setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null", 1);
    (void)setenv("AWS_CONFIG_FILE", "/dev/null", 1);
    (void)unsetenv("AWS_SESSION_TOKEN");
    (void)unsetenv("AWS_PROFILE");
    (void)unsetenv("AWS_REGION");
    (void)unsetenv("AWS_ENDPOINT_URL");
    (void)unsetenv("AWS_ENDPOINT_URL_S3");
    client = s3_client_new(&options, &err);
    if (client == NULL)
        fail_msg("%s", err.msg);
    if (s3_client_call(client, &create, &answer, &error, &err) < 0 &&
        strcmp(error.code, "BucketAlreadyOwnedByYou") != 0)
        fail_msg("the bucket could not be made: %s", err.msg);
    http_answer_fini(&answer);
    s3_client_free(client);
}

char *
s3_place_new(void)
{
    char uuid[DIGEST_UUID_TEXT];

    digest_uuid(uuid);
    return mem_printf("s3://" S3_PLACE_BUCKET "/case+%s", uuid);
}

/* What is to be removed. */
struct keys {
    char **keys;
    size_t count;
};

static bool
note_key(const struct store_object *object, void *cookie)
{
    struct keys *k = cookie;

    k->keys = mem_grow(k->keys, k->count + 1, sizeof(*k->keys));
    k->keys[k->count++] = mem_strdup(object->key);
    return true;
}

void
s3_place_clear(const char *url)
{
    const struct store_s3_options options = {.url = url, .endpoint = s3_place_env("S3_TEST_HTTP")};
    struct err err = ERR_INIT;
    struct store *s = store_s3_open(&options, &err);
    struct keys k = {0};

    if (s == NULL)
        fail_msg("%s", err.msg);
    assert_ok(store_list(s, &(struct store_list){0}, note_key, &k, &err), &err);
    assert_ok(store_remove_many(s, (const char *const *)k.keys, k.count, &err), &err);
    for (size_t i = 0; i < k.count; i++)
        free(k.keys[i]);
    free(k.keys);
    store_free(s);
}
