/* SPDX-License-Identifier: Apache-2.0 */
/* store_s3_many.c: see store_s3.h: listings, page by page, and multi-deletes. */
#include <string.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/mem.h"
#include "storage/store_s3_internal.h"

#define DELETE_BODY_MAX ((size_t)8 << 20) /* a thousand keys of 1024 bytes, each byte as the longest entity */

char *
store_s3_key(const struct store_s3 *s, const char *key)
{
    return mem_printf("%s%s", s->prefix, key);
}

/* ---- list ---- */

/* A page being received. */
struct reception {
    struct s3_reader *reader;
    struct err err; /* what the reader found wrong */
};

static bool
take_page(const struct http_answer *a, const void *data, size_t len, void *cookie)
{
    struct reception *r = cookie;

    (void)a;
    return s3_reader_feed(r->reader, data, len, &r->err) == 0;
}

static int
get_page(struct store_s3 *s, const struct uri_pair *query, size_t count, struct s3_page *page, struct err *err)
{
    struct reception r = {.reader = s3_reader_new_list(page), .err = ERR_INIT};
    const struct s3_call call = {
        .method = "GET", .query = query, .query_count = count, .sink = take_page, .cookie = &r};
    struct http_answer answer;
    struct s3_error error;
    int rc = s3_client_call(s->client, &call, &answer, &error, err);

    if (rc == 0 && r.err.code != ERR_NONE) {
        *err = r.err;
        rc = -1;
    } else if (rc == 0) {
        rc = s3_reader_finish(r.reader, err);
    }
    if (rc == 0 && s3_reader_error(r.reader)->code[0] != '\0')
        rc = err_set(err, ERR_STORAGE, "the store answered 200 and then an error: %s", s3_reader_error(r.reader)->code);
    http_answer_fini(&answer);
    s3_reader_free(r.reader);
    return rc;
}

/* Tell a page. 1: the callback has enough. */
static int
tell_page(const struct store_s3 *s, const struct store_list *what, const struct s3_page *page, store_list_fn *fn,
          void *cookie, struct err *err)
{
    size_t prefix_len = strlen(s->prefix);

    for (size_t i = 0; i < page->count; i++) {
        const struct s3_entry *e = &page->entries[i];
        struct store_object object = {.size = e->size, .mtime_ms = e->mtime_ms, .is_folder = e->is_folder};

        if (strncmp(e->key, s->prefix, prefix_len) != 0)
            return err_set(err, ERR_CORRUPT, "the store listed keys that do not begin as was asked for");
        object.key = e->key + prefix_len;
        /* A folder is told anew for keys of it behind start_after. */
        if (strcmp(object.key, what->start_after) <= 0)
            continue;
        if (!fn(&object, cookie))
            return 1;
    }
    return 0;
}

int
store_s3_list(struct store *store, const struct store_list *what, store_list_fn *fn, void *cookie, struct err *err)
{
    struct store_s3 *s = (struct store_s3 *)store;
    char *prefix = store_s3_key(s, what->prefix), *after = store_s3_key(s, what->start_after), *token = NULL;
    const char delimiter[] = {what->delimiter, '\0'};
    struct s3_page page = {0};
    bool more = true;
    int rc = 0;

    while (rc == 0 && more) {
        struct uri_pair query[8] = {
            {"list-type", "2"}, {"encoding-type", "url"}, {"max-keys", "1000"}, {"prefix", prefix}};
        size_t n = 4;

        if (what->delimiter != '\0')
            query[n++] = (struct uri_pair){"delimiter", delimiter};
        if (token != NULL)
            query[n++] = (struct uri_pair){"continuation-token", token};
        else if (*what->start_after != '\0')
            query[n++] = (struct uri_pair){"start-after", after};
        rc = get_page(s, query, n, &page, err);
        if (rc == 0)
            rc = tell_page(s, what, &page, fn, cookie, err);
        more = page.truncated;
        free(token);
        token = page.next;
        page.next = NULL;
        s3_page_fini(&page);
    }
    free(token);
    free(prefix);
    free(after);
    return rc < 0 ? -1 : 0;
}

/* ---- multi-delete ---- */

static int
add_escaped(struct buf *b, const char *text, struct err *err)
{
    for (; *text != '\0'; text++) {
        const char *entity = *text == '&'    ? "&amp;"
                             : *text == '<'  ? "&lt;"
                             : *text == '>'  ? "&gt;"
                             : *text == '"'  ? "&quot;"
                             : *text == '\'' ? "&apos;"
                                             : NULL;

        if (buf_append(b, entity != NULL ? entity : text, entity != NULL ? strlen(entity) : 1, err) < 0)
            return -1;
    }
    return 0;
}

static int
write_delete(const struct store_s3 *s, const char *const *keys, size_t count, struct buf *b, struct err *err)
{
    if (buf_printf(b, err, "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Quiet>true</Quiet>") < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        if (buf_printf(b, err, "<Object><Key>") < 0 || add_escaped(b, s->prefix, err) < 0 ||
            add_escaped(b, keys[i], err) < 0 || buf_printf(b, err, "</Key></Object>") < 0)
            return -1;
    }
    return buf_printf(b, err, "</Delete>");
}

static int
send_delete(struct store_s3 *s, const struct buf *body, struct s3_error *error, struct err *err)
{
    static const struct uri_pair query[] = {{"delete", ""}};
    uint8_t sha256[DIGEST_SHA256_LEN], md5[DIGEST_MD5_LEN];
    char checksum[DIGEST_BASE64(DIGEST_SHA256_LEN)], md5_text[DIGEST_BASE64(DIGEST_MD5_LEN)];
    struct http_header headers[4] = {{"x-amz-checksum-sha256", checksum}, {"x-amz-sdk-checksum-algorithm", "SHA256"}};
    struct s3_call call = {.method = "POST",
                           .query = query,
                           .query_count = 1,
                           .headers = headers,
                           .header_count = 2,
                           .has_body = true,
                           .body = body->data,
                           .body_len = body->len,
                           .sha256 = sha256};
    struct http_answer answer;
    int rc;

    digest_sha256(body->data, body->len, sha256);
    digest_base64(sha256, sizeof(sha256), checksum);
    if (digest_md5(body->data, body->len, md5)) { /* older stores accept nothing else */
        digest_base64(md5, sizeof(md5), md5_text);
        headers[call.header_count++] = (struct http_header){"content-md5", md5_text};
    }
    rc = s3_client_call(s->client, &call, &answer, error, err);
    http_answer_fini(&answer);
    return rc;
}

int
store_s3_remove_many(struct store *store, const char *const *keys, size_t count, struct err *err)
{
    struct store_s3 *s = (struct store_s3 *)store;
    struct err cause = ERR_INIT;
    struct s3_error error;
    struct buf body;
    int rc;

    buf_init(&body, DELETE_BODY_MAX);
    rc = write_delete(s, keys, count, &body, err);
    if (rc == 0) {
        rc = send_delete(s, &body, &error, &cause);
        if (rc < 0 && strcmp(error.code, "NoSuchKey") == 0)
            rc = 0;
        else if (rc < 0 && cause.code == ERR_UNSUPPORTED)
            rc = 1;
        else if (rc < 0)
            *err = cause;
    }
    buf_fini(&body);
    for (size_t i = 0; rc == 1 && i < count; i++) { /* the store has no multi-delete */
        if (store->ops->remove(store, keys[i], err) < 0)
            rc = -1;
    }
    return rc < 0 ? -1 : 0;
}
