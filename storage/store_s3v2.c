/* SPDX-License-Identifier: Apache-2.0 */
/* store_s3v2.c: see store_s3v2.h. libs3's calls are blocking ones with callbacks; each has its own struct here, which
 * begins with the outcome. */
#include "storage/store_s3v2.h"

#include <libs3.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>

#include "base/mem.h"
#include "storage/s3/answers.h"
#include "storage/s3/credentials.h"

/* libs3 2.0 writes its dates with gmtime(), whose buffer all threads share: one request at a time, in the whole
 * process. An old appliance's backend need not be fast. */
static pthread_mutex_t libs3_mutex = PTHREAD_MUTEX_INITIALIZER;

struct store_s3v2 {
    struct store store;
    struct credentials credentials;
    struct s3_place place;
    struct http *http; /* only to ask for the time */
    char *prefix;
    S3BucketContext bucket;
};

/* How a call ended. */
struct outcome {
    S3Status status;
    char message[256];
    uint64_t length;
    int64_t modified_s; /* -1: not said */
};

static S3Status
on_properties(const S3ResponseProperties *properties, void *cookie)
{
    struct outcome *o = cookie;

    o->length = properties->contentLength;
    o->modified_s = properties->lastModified;
    return S3StatusOK;
}

static void
on_complete(S3Status status, const S3ErrorDetails *details, void *cookie)
{
    struct outcome *o = cookie;

    o->status = status;
    if (details != NULL && details->message != NULL)
        (void)snprintf(o->message, sizeof(o->message), "%s", details->message);
}

static const S3ResponseHandler plain_handler = {on_properties, on_complete};

/* ---- failures ---- */

static enum err_code
code_of(S3Status status)
{
    switch (status) {
    case S3StatusErrorNoSuchKey:
    case S3StatusErrorNoSuchBucket:
    case S3StatusHttpErrorNotFound:
        return ERR_NOT_FOUND;
    case S3StatusErrorAccessDenied:
    case S3StatusErrorAccountProblem:
    case S3StatusErrorInvalidAccessKeyId:
    case S3StatusErrorSignatureDoesNotMatch:
    case S3StatusErrorRequestTimeTooSkewed:
    case S3StatusErrorExpiredToken:
    case S3StatusErrorInvalidToken:
    case S3StatusErrorNotSignedUp:
    case S3StatusHttpErrorForbidden:
        return ERR_STORE_DENIED;
    case S3StatusErrorNotImplemented:
    case S3StatusErrorMethodNotAllowed:
    case S3StatusErrorKeyTooLong:
    case S3StatusErrorEntityTooLarge:
    case S3StatusKeyTooLong:
    case S3StatusUriTooLong:
        return ERR_UNSUPPORTED;
    case S3StatusOutOfMemory:
        return ERR_NO_SPACE;
    case S3StatusXmlParseFailure:
        return ERR_CORRUPT;
    default:
        return ERR_STORAGE;
    }
}

/* 0, or -1 with what went wrong. */
static int
judge(const struct store_s3v2 *s, const struct outcome *o, struct err *err)
{
    bool said = o->message[0] != '\0';

    if (o->status == S3StatusOK)
        return 0;
    if (o->status == S3StatusErrorNoSuchBucket)
        return err_set(err, ERR_NOT_FOUND, "there is no bucket \"%s\"; check its name and the endpoint",
                       s->bucket.bucketName);
    if (code_of(o->status) == ERR_NOT_FOUND)
        return err_set(err, ERR_NOT_FOUND, "there is no such object");
    return err_set(err, code_of(o->status), "the store, asked with Signature v2, failed: %s%s%s%s%s",
                   S3_get_status_name(o->status), said ? " (" : "", o->message, said ? ")" : "",
                   code_of(o->status) == ERR_STORAGE ? "; check the endpoint, the store and the network" : "");
}

/* libs3 2.0 writes a space as a plus, also in a path, where a plus means itself: the object would get another key. */
static int
check_key(const char *key, struct err *err)
{
    if (strchr(key, ' ') != NULL)
        return err_set(err, ERR_UNSUPPORTED, "a key with a space cannot be used with Signature v2");
    return 0;
}

/* A store repeats the prefix in its answer, and libs3 reads no XML that is not UTF-8 through and through. */
static int
check_cut(const char *text, struct err *err)
{
    const unsigned char *p = (const unsigned char *)text;

    while (*p != '\0') {
        unsigned more = *p < 0x80 ? 0 : *p >= 0xc2 && *p < 0xe0 ? 1 : *p >= 0xe0 && *p < 0xf0 ? 2 : 3;
        bool bad = (*p >= 0x80 && *p < 0xc2) || *p > 0xf4;

        for (p++; !bad && more > 0; more--, p++)
            bad = (*p & 0xc0) != 0x80;
        if (bad)
            return err_set(err, ERR_UNSUPPORTED, "a listing with what is no UTF-8 is not possible with Signature v2");
    }
    return 0;
}

static char *
full_key(const struct store_s3v2 *s, const char *key)
{
    return mem_printf("%s%s", s->prefix, key);
}

/* ---- put ---- */

struct put_call {
    struct outcome outcome;
    const char *data;
    size_t left;
};

static int
on_put_data(int size, char *buffer, void *cookie)
{
    struct put_call *p = cookie;
    size_t len = p->left < (size_t)size ? p->left : (size_t)size;

    if (len > 0)
        memcpy(buffer, p->data, len);
    p->data += len;
    p->left -= len;
    return (int)len;
}

static int
v2_put(struct store *store, const struct store_put *put, struct err *err)
{
    static const S3PutObjectHandler handler = {{on_properties, on_complete}, on_put_data};
    struct store_s3v2 *s = (struct store_s3v2 *)store;
    struct put_call p = {.data = put->len > 0 ? put->data : "", .left = put->len};
    char *key;

    if (check_key(put->key, err) < 0)
        return -1;
    key = full_key(s, put->key);
    (void)pthread_mutex_lock(&libs3_mutex);
    S3_put_object(&s->bucket, key, put->len, NULL, NULL, &handler, &p);
    (void)pthread_mutex_unlock(&libs3_mutex);
    free(key);
    return judge(s, &p.outcome, err);
}

/* ---- get and stat ---- */

struct get_call {
    struct outcome outcome;
    char *buf;
    size_t len, got;
    bool overflow; /* more came than was asked for */
};

static S3Status
on_get_data(int size, const char *buffer, void *cookie)
{
    struct get_call *g = cookie;

    g->overflow = g->overflow || (size_t)size > g->len - g->got;
    if (g->overflow)
        return S3StatusAbortedByCallback;
    memcpy(g->buf + g->got, buffer, (size_t)size);
    g->got += (size_t)size;
    return S3StatusOK;
}

static int
get_range(struct store_s3v2 *s, const char *key, uint64_t off, struct get_call *g, struct err *err)
{
    static const S3GetObjectHandler handler = {{on_properties, on_complete}, on_get_data};
    char *full;

    if (check_key(key, err) < 0)
        return -1;
    full = full_key(s, key);
    (void)pthread_mutex_lock(&libs3_mutex);
    S3_get_object(&s->bucket, full, NULL, off, g->len, NULL, &handler, g);
    (void)pthread_mutex_unlock(&libs3_mutex);
    free(full);
    if (g->overflow)
        return err_set(err, ERR_CORRUPT, "the store sent more of the object than was asked for");
    if (g->outcome.status == S3StatusErrorInvalidRange)
        return 0; /* at or behind the end */
    if (judge(s, &g->outcome, err) < 0)
        return -1;
    if (g->got != g->outcome.length)
        return err_set(err, ERR_STORAGE, "the store sent %zu bytes of %llu", g->got,
                       (unsigned long long)g->outcome.length);
    return 0;
}

static int
v2_stat(struct store *store, const char *key, struct store_object *object, struct err *err)
{
    struct store_s3v2 *s = (struct store_s3v2 *)store;
    struct outcome o = {.modified_s = -1};
    char *full;

    if (check_key(key, err) < 0)
        return -1;
    full = full_key(s, key);
    (void)pthread_mutex_lock(&libs3_mutex);
    S3_head_object(&s->bucket, full, NULL, &plain_handler, &o);
    (void)pthread_mutex_unlock(&libs3_mutex);
    free(full);
    if (o.status == S3StatusHttpErrorNotFound) { /* a GET says whether the object or the bucket is missing */
        char c;
        struct get_call g = {.buf = &c, .len = 1};

        if (get_range(s, key, 0, &g, err) < 0)
            return -1;
        return err_set(err, ERR_STORAGE, "the object came while it was asked for");
    }
    if (judge(s, &o, err) < 0)
        return -1;
    if (o.modified_s < 0)
        return err_set(err, ERR_CORRUPT, "the store does not say the time of the object");
    object->size = o.length;
    object->mtime_ms = o.modified_s * 1000;
    return 0;
}

static int
v2_get(struct store *store, const char *key, uint64_t off, void *buf, size_t len, size_t *got, struct err *err)
{
    struct get_call g = {.buf = buf, .len = len};
    struct store_object object;

    *got = 0;
    if (off > INT64_MAX - len)
        return v2_stat(store, key, &object, err);
    if (get_range((struct store_s3v2 *)store, key, off, &g, err) < 0)
        return -1;
    *got = g.got;
    return 0;
}

/* ---- list ---- */

struct list_call {
    struct outcome outcome;
    struct s3_page page;
    bool too_many;
};

static void
add_entry(struct list_call *l, const struct s3_entry *entry)
{
    if (l->page.entries == NULL)
        l->page.entries = mem_array(S3_PAGE_MAX, sizeof(*l->page.entries));
    if (l->page.count == S3_PAGE_MAX) {
        l->too_many = true;
        return;
    }
    l->page.entries[l->page.count] = *entry;
    l->page.entries[l->page.count++].key = mem_strdup(entry->key);
}

/* Called several times a page. */
static S3Status
on_list(int truncated, const char *next, int count, const S3ListBucketContent *contents, int folders,
        const char **prefixes, void *cookie)
{
    struct list_call *l = cookie;

    (void)next;
    for (int i = 0; i < count; i++)
        add_entry(l, &(struct s3_entry){.key = (char *)(uintptr_t)contents[i].key,
                                        .size = contents[i].size,
                                        .mtime_ms = contents[i].lastModified * 1000});
    for (int i = 0; i < folders; i++)
        add_entry(l, &(struct s3_entry){.key = (char *)(uintptr_t)prefixes[i], .is_folder = true});
    l->page.truncated = truncated != 0;
    return l->too_many ? S3StatusAbortedByCallback : S3StatusOK;
}

static int
compare_entries(const void *a, const void *b)
{
    return strcmp(((const struct s3_entry *)a)->key, ((const struct s3_entry *)b)->key);
}

/* Fill L with the page behind MARKER. */
static int
get_page(struct store_s3v2 *s, const struct store_list *what, const char *marker, struct list_call *l, struct err *err)
{
    static const S3ListBucketHandler handler = {{on_properties, on_complete}, on_list};
    const char delimiter[] = {what->delimiter, '\0'};
    char *prefix = full_key(s, what->prefix);

    (void)pthread_mutex_lock(&libs3_mutex);
    S3_list_bucket(&s->bucket, prefix, *marker != '\0' ? marker : NULL, what->delimiter != '\0' ? delimiter : NULL,
                   S3_PAGE_MAX, NULL, &handler, l);
    (void)pthread_mutex_unlock(&libs3_mutex);
    free(prefix);
    if (l->too_many)
        return err_set(err, ERR_CORRUPT, "the store listed more keys in one page than it was asked for");
    if (judge(s, &l->outcome, err) < 0)
        return -1;
    if (l->page.count > 1)
        qsort(l->page.entries, l->page.count, sizeof(*l->page.entries), compare_entries);
    return 0;
}

/* Tell L's page; *MARKER becomes its last key. 1: the callback has enough. */
static int
tell_page(const struct store_s3v2 *s, const struct store_list *what, const struct list_call *l, char **marker,
          store_list_fn *fn, void *cookie, struct err *err)
{
    size_t prefix_len = strlen(s->prefix);
    const char *last = l->page.count > 0 ? l->page.entries[l->page.count - 1].key : "";

    for (size_t i = 0; i < l->page.count; i++) {
        const struct s3_entry *e = &l->page.entries[i];
        struct store_object object = {.size = e->size, .mtime_ms = e->mtime_ms, .is_folder = e->is_folder};

        if (strncmp(e->key, s->prefix, prefix_len) != 0)
            return err_set(err, ERR_CORRUPT, "the store listed keys that do not begin as was asked for");
        object.key = e->key + prefix_len;
        /* A folder is told again for keys of it behind the marker. */
        if (strcmp(object.key, what->start_after) <= 0 || strcmp(e->key, *marker) <= 0)
            continue;
        if (!fn(&object, cookie))
            return 1;
    }
    if (l->page.truncated && strcmp(last, *marker) <= 0)
        return err_set(err, ERR_CORRUPT, "the store's listing does not go on");
    free(*marker);
    *marker = mem_strdup(last);
    return 0;
}

static int
v2_list(struct store *store, const struct store_list *what, store_list_fn *fn, void *cookie, struct err *err)
{
    struct store_s3v2 *s = (struct store_s3v2 *)store;
    char *marker;
    bool more = true;
    int rc = 0;

    if (check_cut(what->prefix, err) < 0 || check_cut(what->start_after, err) < 0)
        return -1;
    marker = *what->start_after != '\0' ? full_key(s, what->start_after) : mem_strdup("");
    while (rc == 0 && more) {
        struct list_call l = {.page = {0}};

        rc = get_page(s, what, marker, &l, err);
        if (rc == 0)
            rc = tell_page(s, what, &l, &marker, fn, cookie, err);
        more = l.page.truncated;
        s3_page_fini(&l.page);
    }
    free(marker);
    return rc < 0 ? -1 : 0;
}

/* ---- remove and now ---- */

static int
v2_remove(struct store *store, const char *key, struct err *err)
{
    struct store_s3v2 *s = (struct store_s3v2 *)store;
    struct outcome o = {.modified_s = -1};
    char *full;

    if (check_key(key, err) < 0)
        return -1;
    full = full_key(s, key);
    (void)pthread_mutex_lock(&libs3_mutex);
    S3_delete_object(&s->bucket, full, NULL, &plain_handler, &o);
    (void)pthread_mutex_unlock(&libs3_mutex);
    free(full);
    if (o.status == S3StatusErrorNoSuchKey)
        return 0;
    return judge(s, &o, err);
}

/* libs3 does not tell the Date of an answer. Any answer has one: this one is asked for without a signature. By GET,
 * since a RADOS Gateway (16.2) answers HEAD of its root with the end of a chunked body, which the next request on that
 * connection then takes for its answer. */
static int
v2_now(struct store *store, int64_t *now_ms, struct err *err)
{
    struct store_s3v2 *s = (struct store_s3v2 *)store;
    char *url = mem_printf("http://%s/", s->place.host);
    const struct http_request request = {.method = "GET", .url = url};
    struct http_answer answer;
    int rc = http_perform(s->http, &request, &answer, err);

    if (rc == 0 && answer.date_ms < 0)
        rc = err_set(err, ERR_CORRUPT, "the store does not say what time it is (no Date in its answer)");
    if (rc == 0)
        *now_ms = answer.date_ms;
    http_answer_fini(&answer);
    free(url);
    return rc;
}

/* ---- the handle ---- */

static void
v2_free(struct store *store)
{
    struct store_s3v2 *s = (struct store_s3v2 *)store;

    credentials_fini(&s->credentials);
    s3_place_fini(&s->place);
    http_free(s->http);
    free(s->prefix);
    free(s);
}

static const struct store_ops v2_ops = {
    .name = "s3v2",
    .put = v2_put,
    .get = v2_get,
    .stat = v2_stat,
    .list = v2_list,
    .remove = v2_remove,
    .now = v2_now,
    .free = v2_free,
};

static void
init_library(void)
{
    REQUIRE(S3_initialize("remora/" REMORA_VERSION, S3_INIT_ALL, NULL) == S3StatusOK);
}

static int
check_options(const struct store_s3_options *o, const struct store_s3v2 *s, struct err *err)
{
    if (s->place.tls)
        return err_set(err, ERR_USAGE,
                       "Signature v2 is refused over https, since libs3 verifies no certificate; use "
                       "--s3-signature v4, or an http endpoint");
    if (s->credentials.keys.token != NULL)
        return err_set(err, ERR_USAGE, "Signature v2 has no session tokens; use --s3-signature v4");
    if (s3_object_options_any(&o->objects))
        return err_set(err, ERR_USAGE,
                       "Signature v2 goes with no storage class, encryption or object lock; use --s3-signature v4");
    return 0;
}

static int
open_parts(struct store_s3v2 *s, const struct store_s3_options *o, const char *bucket, struct err *err)
{
    const char *endpoint;

    if (credentials_load(o->access_key_file, &s->credentials, err) < 0)
        return -1;
    endpoint = credentials_endpoint(&s->credentials, o->endpoint);
    if (endpoint == NULL)
        return err_set(err, ERR_USAGE, "AWS itself does not accept Signature v2; give the store with --s3-endpoint");
    /* libs3 puts the bucket in front of the host itself, so the place is that of the path style. */
    if (s3_place_init(&s->place, endpoint, "us-east-1", bucket, S3_ADDRESSING_PATH, err) < 0 ||
        check_options(o, s, err) < 0)
        return -1;
    s->http = http_new(&o->http, err);
    return s->http != NULL ? 0 : -1;
}

struct store *
store_s3v2_open(const struct store_s3_options *options, struct err *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    char *bucket = NULL, *prefix = NULL;
    struct store_s3v2 *s;

    if (store_s3_parse_url(options->url, &bucket, &prefix, err) < 0)
        return NULL;
    REQUIRE(pthread_once(&once, init_library) == 0);
    s = mem_new(sizeof(*s));
    s->store.ops = &v2_ops;
    s->store.features = STORE_WRITABLE;
    s->store.url = mem_printf("s3://%s%s%.*s", bucket, *prefix != '\0' ? "/" : "",
                              (int)(*prefix != '\0' ? strlen(prefix) - 1 : 0), prefix);
    s->prefix = prefix;
    if (check_key(prefix, err) < 0 || open_parts(s, options, bucket, err) < 0) {
        free(bucket);
        store_free(&s->store);
        return NULL;
    }
    free(bucket);
    s->bucket = (S3BucketContext){
        .hostName = s->place.host,
        .bucketName = s->place.bucket,
        .protocol = S3ProtocolHTTP,
        .uriStyle = options->addressing == S3_ADDRESSING_VIRTUAL ? S3UriStyleVirtualHost : S3UriStylePath,
        .accessKeyId = s->credentials.keys.id,
        .secretAccessKey = s->credentials.keys.secret};
    return &s->store;
}
