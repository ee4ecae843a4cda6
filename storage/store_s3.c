/* SPDX-License-Identifier: Apache-2.0 */
/* store_s3.c: see store_s3.h. The verbs of store.h as S3 requests; put is in store_s3_put.c, listings and
 * multi-deletes are in store_s3_many.c. */
#include "storage/store_s3.h"

#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/mem.h"
#include "storage/store_s3_internal.h"

/* ---- get and stat ---- */

/* Where a get's bytes go. */
struct target {
    uint64_t off; /* the first byte that is wanted */
    char *buf;
    size_t len, got;
    uint64_t at; /* the offset in the object of the next byte that comes */
    bool begun;
};

static bool
take_bytes(const struct http_answer *a, const void *data, size_t len, void *cookie)
{
    struct target *t = cookie;
    const char *p = data;
    uint64_t skip;

    if (!t->begun)
        t->at = a->has_range ? a->range_start : 0;
    t->begun = true;
    /* A store that knows no ranges sends the object from its beginning. */
    skip = t->at < t->off ? t->off - t->at : 0;
    skip = skip < len ? skip : len;
    t->at += len;
    p += skip;
    len -= (size_t)skip;
    if (len > t->len - t->got)
        len = t->len - t->got;
    memcpy(t->buf + t->got, p, len);
    t->got += len;
    /* What is left of an answer is read to its end where that is near: the connection can then be used again. */
    return t->got < t->len || a->status == 206 || (a->length >= 0 && t->at >= (uint64_t)a->length);
}

/* Did what should have come? */
static int
check_get(const struct http_answer *a, const struct target *t, struct err *err)
{
    uint64_t total = a->has_range ? a->range_total : a->length >= 0 ? (uint64_t)a->length : t->at;
    uint64_t expected = total > t->off ? total - t->off : 0;
    uint8_t sha256[DIGEST_SHA256_LEN];
    char checksum[DIGEST_BASE64(DIGEST_SHA256_LEN)];

    if (a->status == 206 && (!a->has_range || a->range_start != t->off))
        return err_set(err, ERR_CORRUPT, "the store sent another range of the object than was asked for");
    if (a->status == 200 && a->length < 0 && !a->chunked)
        return err_set(err, ERR_STORAGE, "the store did not say how long its answer is, so it may have been cut");
    expected = expected < t->len ? expected : t->len;
    if (t->got != expected)
        return err_set(err, ERR_STORAGE, "the store sent %zu bytes of %llu", t->got, (unsigned long long)expected);
    if (t->off > 0 || t->got != total || strlen(a->sha256) != sizeof(checksum) - 1)
        return 0; /* there is no checksum of the whole object, or this is not the whole */
    digest_sha256(t->got > 0 ? t->buf : "", t->got, sha256);
    digest_base64(sha256, sizeof(sha256), checksum);
    if (strcmp(checksum, a->sha256) != 0)
        return err_set(err, ERR_STORAGE, "the object was damaged on its way: its checksum differs from the store's");
    return 0;
}

static int
s3_get(struct store *store, const char *key, uint64_t off, void *buf, size_t len, size_t *got, struct err *err)
{
    struct store_s3 *s = (struct store_s3 *)store;
    struct target t = {.off = off, .buf = buf, .len = len};
    char range[64];
    struct http_header headers[2 + S3_RULE_HEADERS_MAX] = {{"range", range}, {"x-amz-checksum-mode", "ENABLED"}};
    struct s3_call call = {.method = "GET", .headers = headers, .sink = take_bytes, .cookie = &t};
    struct store_object object;
    struct http_answer answer;
    struct s3_error error;
    struct err cause = ERR_INIT;
    char *full;
    int rc;

    *got = 0;
    /* Behind any object, where stores fail to read the numbers and send everything. */
    if (off > INT64_MAX - len)
        return store->ops->stat(store, key, &object, err);
    (void)snprintf(range, sizeof(range), "bytes=%llu-%llu", (unsigned long long)off,
                   (unsigned long long)(off + len - 1));
    full = store_s3_key(s, key);
    call.key = full;
    call.header_count = 2 + s3_object_rules_read(&s->rules, headers + 2);
    rc = s3_client_call(s->client, &call, &answer, &error, &cause);
    if (rc < 0 && answer.status == 416) {
        rc = 0; /* at or behind the end */
    } else if (rc < 0) {
        s3_object_rules_explain_read(&s->rules, &answer, &cause);
        *err = cause;
    } else {
        rc = check_get(&answer, &t, err);
    }
    if (rc == 0)
        *got = t.got;
    http_answer_fini(&answer);
    free(full);
    return rc;
}

static bool
take_none(const struct http_answer *a, const void *data, size_t len, void *cookie)
{
    (void)a, (void)data, (void)len, (void)cookie;
    return false;
}

/* A HEAD has no body, so it cannot say whether the object, the bucket or all of S3 is missing. A GET can. */
static int
explain_stat(struct store_s3 *s, struct s3_call *call, struct err *err)
{
    struct http_answer answer;
    struct s3_error error;
    int rc;

    call->method = "GET";
    call->sink = take_none;
    rc = s3_client_call(s->client, call, &answer, &error, err);
    if (rc == 0)
        rc = err_set(err, ERR_STORAGE, "the object came or changed while it was asked for");
    else
        s3_object_rules_explain_read(&s->rules, &answer, err);
    http_answer_fini(&answer);
    return rc;
}

static int
s3_stat(struct store *store, const char *key, struct store_object *object, struct err *err)
{
    struct store_s3 *s = (struct store_s3 *)store;
    char *full = store_s3_key(s, key);
    struct http_header headers[S3_RULE_HEADERS_MAX];
    struct s3_call call = {
        .method = "HEAD", .key = full, .headers = headers, .header_count = s3_object_rules_read(&s->rules, headers)};
    struct http_answer answer;
    struct s3_error error;
    struct err cause = ERR_INIT;
    int rc = s3_client_call(s->client, &call, &answer, &error, &cause);

    if (rc < 0 && (answer.status == 404 || answer.status == 400)) {
        rc = explain_stat(s, &call, err);
    } else if (rc < 0) {
        *err = cause;
    } else if (answer.length < 0 || answer.last_modified_ms < 0) {
        rc = err_set(err, ERR_CORRUPT, "the store does not say the size and the time of the object");
    } else {
        object->size = (uint64_t)answer.length;
        object->mtime_ms = answer.last_modified_ms;
    }
    http_answer_fini(&answer);
    free(full);
    return rc;
}

/* ---- remove and now ---- */

static int
s3_remove(struct store *store, const char *key, struct err *err)
{
    struct store_s3 *s = (struct store_s3 *)store;
    char *full = store_s3_key(s, key);
    const struct s3_call call = {.method = "DELETE", .key = full};
    struct http_answer answer;
    struct s3_error error;
    struct err cause = ERR_INIT;
    int rc = s3_client_call(s->client, &call, &answer, &error, &cause);

    if (rc < 0 && strcmp(error.code, "NoSuchKey") == 0)
        rc = 0;
    else if (rc < 0)
        *err = cause;
    http_answer_fini(&answer);
    free(full);
    return rc;
}

static int
s3_now(struct store *store, int64_t *now_ms, struct err *err)
{
    struct store_s3 *s = (struct store_s3 *)store;
    const struct s3_call call = {.method = "HEAD"};
    struct http_answer answer;
    struct s3_error error;
    struct err cause = ERR_INIT;
    int rc = s3_client_call(s->client, &call, &answer, &error, &cause);

    /* Whoever is refused is still told the time. */
    if (answer.date_ms >= 0 && (rc == 0 || answer.status == 403)) {
        *now_ms = answer.date_ms;
        rc = 0;
    } else if (answer.status == 404) {
        rc = err_set(err, ERR_NOT_FOUND, "there is no bucket at %s", store->url);
    } else if (rc < 0) {
        *err = cause;
    } else {
        rc = err_set(err, ERR_CORRUPT, "the store does not say what time it is (no Date in its answer)");
    }
    http_answer_fini(&answer);
    return rc;
}

/* ---- the handle ---- */

static void
s3_free(struct store *store)
{
    struct store_s3 *s = (struct store_s3 *)store;

    s3_client_free(s->client);
    free(s->prefix);
    s3_object_rules_fini(&s->rules);
    free(s);
}

static void
s3_describe_credentials(struct store *store, char *text, size_t size)
{
    s3_client_describe_credentials(((struct store_s3 *)store)->client, text, size);
}

static const struct store_ops s3_ops = {
    .name = "s3",
    .put = store_s3_put,
    .get = s3_get,
    .stat = s3_stat,
    .list = store_s3_list,
    .remove = s3_remove,
    .remove_many = store_s3_remove_many,
    .now = s3_now,
    .describe_credentials = s3_describe_credentials,
    .free = s3_free,
};

int
store_s3_parse_url(const char *url, char **bucket, char **prefix, struct err *err)
{
    const char *name = url + strlen("s3://"), *path;
    size_t len;

    if (strncmp(url, "s3://", 5) != 0 || strpbrk(name, "?#@") != NULL)
        return err_set(err, ERR_USAGE, "write s3://bucket or s3://bucket/prefix, with nothing else in it");
    len = strcspn(name, "/");
    path = name + len + strspn(name + len, "/");
    if (*path != '\0') {
        char *trimmed = mem_strdup(path);
        size_t end = strlen(trimmed);
        int rc;

        while (trimmed[end - 1] == '/')
            trimmed[--end] = '\0';
        rc = store_key_check(trimmed, err);
        if (rc == 0 && end + 1 > STORE_S3_PREFIX_MAX)
            rc = err_set(err, ERR_USAGE, "the prefix has more than %d bytes", STORE_S3_PREFIX_MAX - 1);
        if (rc < 0) {
            free(trimmed);
            return -1;
        }
        *prefix = mem_printf("%s/", trimmed);
        free(trimmed);
    } else {
        *prefix = mem_strdup("");
    }
    *bucket = mem_strndup(name, len);
    return 0;
}

struct store *
store_s3_open(const struct store_s3_options *options, struct err *err)
{
    struct s3_client_options client = {.endpoint = options->endpoint,
                                       .region = options->region,
                                       .addressing = options->addressing,
                                       .access_key_file = options->access_key_file,
                                       .http = options->http};
    char *bucket = NULL, *prefix = NULL;
    struct store_s3 *s;

    if (store_s3_parse_url(options->url, &bucket, &prefix, err) < 0)
        return NULL;
    client.bucket = bucket;
    s = mem_new(sizeof(*s));
    s->store.ops = &s3_ops;
    s->store.features = STORE_CREATE_ONLY | STORE_WRITABLE;
    s->store.url = mem_printf("s3://%s%s%.*s", bucket, *prefix != '\0' ? "/" : "",
                              (int)(*prefix != '\0' ? strlen(prefix) - 1 : 0), prefix);
    s->prefix = prefix;
    s->client = s3_client_new(&client, err);
    free(bucket);
    if (s->client == NULL || s3_object_rules_load(&s->rules, &options->objects, s3_client_is_tls(s->client), err) < 0) {
        store_free(&s->store);
        return NULL;
    }
    return &s->store;
}
