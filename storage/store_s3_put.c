/* SPDX-License-Identifier: Apache-2.0 */
/* store_s3_put.c: see store_s3.h: a put as one PUT. */
#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/log.h"
#include "base/mem.h"
#include "storage/store_s3_internal.h"

/* What a request's headers point to. */
struct texts {
    uint8_t sha256[DIGEST_SHA256_LEN];
    char checksum[DIGEST_BASE64(DIGEST_SHA256_LEN)];
    char md5[DIGEST_BASE64(DIGEST_MD5_LEN)];
    char until[UNITS_TEXT_MAX];
    struct http_header headers[S3_RULE_HEADERS_MAX + 4];
};

static size_t
write_headers(struct store_s3 *s, const struct store_put *put, bool create, struct texts *t)
{
    bool permanent = (put->flags & STORE_PUT_PERMANENT) != 0;
    const char *data = put->len > 0 ? put->data : "";
    uint8_t md5[DIGEST_MD5_LEN];
    size_t n = s3_object_rules_put(&s->rules, permanent, s3_client_now_ms(s->client), t->until, t->headers);

    if (put->sha256 != NULL)
        memcpy(t->sha256, put->sha256, sizeof(t->sha256));
    else
        digest_sha256(data, put->len, t->sha256);
    digest_base64(t->sha256, sizeof(t->sha256), t->checksum);
    /* Ceph 20 looks at the first only beside the second; older ones look at neither. */
    t->headers[n++] = (struct http_header){"x-amz-checksum-sha256", t->checksum};
    t->headers[n++] = (struct http_header){"x-amz-sdk-checksum-algorithm", "SHA256"};
    if (create)
        t->headers[n++] = (struct http_header){"if-none-match", "*"};
    /* A put with a lock needs a checksum, and older stores know no other. */
    if (permanent && s->rules.lock != S3_LOCK_NONE && digest_md5(data, put->len, md5)) {
        digest_base64(md5, sizeof(md5), t->md5);
        t->headers[n++] = (struct http_header){"content-md5", t->md5};
    }
    return n;
}

/* Put it; CREATE: only if it is not there. */
static int
put_once(struct store_s3 *s, const struct store_put *put, bool create, struct s3_error *error, struct err *err)
{
    char *key = store_s3_key(s, put->key);
    struct texts texts;
    struct s3_call call = {.method = "PUT",
                           .key = key,
                           .has_body = true,
                           .body = put->data,
                           .body_len = put->len,
                           .sha256 = texts.sha256,
                           .headers = texts.headers,
                           .fresh = create};
    struct http_answer answer;
    int rc;

    call.header_count = write_headers(s, put, create, &texts);
    rc = s3_client_call(s->client, &call, &answer, error, err);
    if (rc == 0 && answer.sha256[0] != '\0' && strcmp(answer.sha256, texts.checksum) != 0)
        rc = err_set(err, ERR_STORAGE, "the store took in other data than was sent: its checksum differs");
    else if (rc == 0)
        rc = s3_object_rules_check_put(&s->rules, &answer, err);
    else
        s3_object_rules_explain_put(&s->rules, &answer, err);
    if (rc < 0 && answer.status == 501 && error->code[0] == '\0')
        (void)snprintf(error->code, sizeof(error->code), "NotImplemented");
    http_answer_fini(&answer);
    free(key);
    return rc;
}

int
store_s3_put(struct store *store, const struct store_put *put, struct err *err)
{
    struct store_s3 *s = (struct store_s3 *)store;
    bool create = (put->flags & STORE_PUT_CREATE) != 0;
    struct err cause = ERR_INIT;
    struct s3_error error;

    if (put_once(s, put, create, &error, &cause) == 0)
        return 0;
    if (!create || strcmp(error.code, "NotImplemented") != 0) {
        *err = cause;
        return -1;
    }
    log_warn("the store has no create-only puts; it is used without them from now on", LOG_S("store", store->url));
    store_drop_features(store, STORE_CREATE_ONLY);
    return put_once(s, put, false, &error, err);
}
