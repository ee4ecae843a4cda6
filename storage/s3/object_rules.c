/* SPDX-License-Identifier: Apache-2.0 */
/* object_rules.c: see object_rules.h. */
#include "storage/s3/object_rules.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"

#define KEY_FILE_MAX 256
#define LOCK_MAX_MS  ((int64_t)100 * 366 * 24 * 3600 * 1000) /* what S3 takes: a hundred years */
#define ALGORITHM    "AES256"

bool
s3_object_options_any(const struct s3_object_options *o)
{
    return o->storage_class != NULL || o->sse != S3_SSE_NONE || o->kms_key != NULL || o->customer_key_file != NULL ||
           o->lock != S3_LOCK_NONE || o->lock_for_ms != 0;
}

/* ---- what goes together ---- */

/* May TEXT be a header's value? */
static bool
is_clean(const char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < 0x20 || (unsigned char)*text >= 0x7f)
            return false;
    }
    return true;
}

static int
check(const struct s3_object_options *o, bool tls, struct err *err)
{
    if (o->storage_class != NULL && !is_clean(o->storage_class))
        return err_set(err, ERR_USAGE, "--s3-storage-class: no storage class has such a name");
    if (o->kms_key != NULL && o->sse != S3_SSE_KMS)
        return err_set(err, ERR_USAGE, "--s3-sse-kms-key-id goes with --s3-sse kms only");
    if (o->kms_key != NULL && !is_clean(o->kms_key))
        return err_set(err, ERR_USAGE, "--s3-sse-kms-key-id: no key has such an id");
    if (o->customer_key_file != NULL && o->sse != S3_SSE_CUSTOMER)
        return err_set(err, ERR_USAGE, "--s3-sse-customer-key-file goes with --s3-sse customer only");
    if (o->customer_key_file == NULL && o->sse == S3_SSE_CUSTOMER)
        return err_set(err, ERR_USAGE, "--s3-sse customer needs the key: give --s3-sse-customer-key-file");
    if (o->sse == S3_SSE_CUSTOMER && !tls)
        return err_set(err, ERR_USAGE,
                       "--s3-sse customer sends its key with every request, so it goes over https only, and S3 refuses "
                       "it otherwise; use an https endpoint");
    if (o->lock_for_ms != 0 && o->lock == S3_LOCK_NONE)
        return err_set(err, ERR_USAGE, "--s3-object-lock-for needs the kind of lock: give --s3-object-lock");
    if (o->lock_for_ms == 0 && o->lock != S3_LOCK_NONE)
        return err_set(err, ERR_USAGE, "--s3-object-lock needs to know for how long: give --s3-object-lock-for");
    if (o->lock_for_ms < 0 || o->lock_for_ms > LOCK_MAX_MS)
        return err_set(err, ERR_USAGE, "--s3-object-lock-for: an object can be locked for at most 100 years");
    return 0;
}

/* ---- the customer's key ---- */

/* LEN bytes at TEXT: the key itself, or its base64 with or without a line end. */
static bool
understand_key(char *text, size_t len, uint8_t key[S3_CUSTOMER_KEY_LEN])
{
    if (len == S3_CUSTOMER_KEY_LEN) {
        memcpy(key, text, S3_CUSTOMER_KEY_LEN);
        return true;
    }
    if (len > 0 && text[len - 1] == '\n')
        text[--len] = '\0';
    if (len > 0 && text[len - 1] == '\r')
        text[--len] = '\0';
    return strlen(text) == len && digest_unbase64(text, S3_CUSTOMER_KEY_LEN, key);
}

static int
load_key(struct s3_object_rules *r, const char *path, struct err *err)
{
    uint8_t key[S3_CUSTOMER_KEY_LEN], md5[DIGEST_MD5_LEN];
    struct err cause = ERR_INIT;
    char *text = NULL;
    size_t len = 0;
    int rc = 0;

    if (file_read_all(AT_FDCWD, path, KEY_FILE_MAX, &text, &len, &cause) < 0)
        return err_set(err, ERR_USAGE, "the file of --s3-sse-customer-key-file cannot be used: %s", cause.msg);
    if (!understand_key(text, len, key))
        rc = err_set(err, ERR_USAGE,
                     "the file %s holds no key for --s3-sse customer: that is %d bytes, as they are or in base64 "
                     "(`openssl rand -base64 %d` makes one)",
                     path, S3_CUSTOMER_KEY_LEN, S3_CUSTOMER_KEY_LEN);
    else if (!digest_md5(key, sizeof(key), md5))
        rc = err_set(err, ERR_UNSUPPORTED,
                     "--s3-sse customer needs MD5, which the policy of this machine's OpenSSL forbids");
    if (rc == 0) {
        digest_base64(key, sizeof(key), r->customer_key);
        digest_base64(md5, sizeof(md5), r->customer_key_md5);
    }
    mem_wipe(key, sizeof(key));
    mem_wipe(text, len);
    free(text);
    return rc;
}

int
s3_object_rules_load(struct s3_object_rules *r, const struct s3_object_options *o, bool tls, struct err *err)
{
    memset(r, 0, sizeof(*r));
    if (check(o, tls, err) < 0)
        return -1;
    r->storage_class = o->storage_class != NULL ? mem_strdup(o->storage_class) : NULL;
    r->kms_key = o->kms_key != NULL ? mem_strdup(o->kms_key) : NULL;
    r->sse = o->sse;
    r->lock = o->lock;
    r->lock_for_ms = o->lock_for_ms;
    return o->sse == S3_SSE_CUSTOMER ? load_key(r, o->customer_key_file, err) : 0;
}

void
s3_object_rules_fini(struct s3_object_rules *r)
{
    free(r->storage_class);
    free(r->kms_key);
    mem_wipe(r, sizeof(*r));
}

/* ---- headers ---- */

size_t
s3_object_rules_read(const struct s3_object_rules *r, struct http_header headers[S3_RULE_HEADERS_MAX])
{
    if (r->sse != S3_SSE_CUSTOMER)
        return 0;
    headers[0] = (struct http_header){"x-amz-server-side-encryption-customer-algorithm", ALGORITHM};
    headers[1] = (struct http_header){"x-amz-server-side-encryption-customer-key", r->customer_key};
    headers[2] = (struct http_header){"x-amz-server-side-encryption-customer-key-md5", r->customer_key_md5};
    return 3;
}

size_t
s3_object_rules_put(const struct s3_object_rules *r, bool permanent, int64_t now_ms, char until[UNITS_TEXT_MAX],
                    struct http_header headers[S3_RULE_HEADERS_MAX])
{
    static const char *const modes[] = {
        [S3_LOCK_NONE] = "", [S3_LOCK_GOVERNANCE] = "GOVERNANCE", [S3_LOCK_COMPLIANCE] = "COMPLIANCE"};
    size_t n = s3_object_rules_read(r, headers);

    if (r->sse == S3_SSE_AES256 || r->sse == S3_SSE_KMS)
        headers[n++] =
            (struct http_header){"x-amz-server-side-encryption", r->sse == S3_SSE_KMS ? "aws:kms" : ALGORITHM};
    if (r->kms_key != NULL)
        headers[n++] = (struct http_header){"x-amz-server-side-encryption-aws-kms-key-id", r->kms_key};
    if (r->storage_class != NULL)
        headers[n++] = (struct http_header){"x-amz-storage-class", r->storage_class};
    if (permanent && r->lock != S3_LOCK_NONE) {
        headers[n++] = (struct http_header){"x-amz-object-lock-mode", modes[r->lock]};
        headers[n++] = (struct http_header){"x-amz-object-lock-retain-until-date",
                                            units_format_time(now_ms + r->lock_for_ms, until)};
    }
    return n;
}

int
s3_object_rules_check_put(const struct s3_object_rules *r, const struct http_answer *answer, struct err *err)
{
    if (r->sse != S3_SSE_CUSTOMER || strcmp(answer->customer_algorithm, ALGORITHM) == 0)
        return 0;
    return err_set(err, ERR_UNSUPPORTED,
                   "the store took the object and did not encrypt it with the key of --s3-sse customer, which it seems "
                   "not to know: use another way to encrypt");
}

/* ---- what the store says against it ---- */

/* S3 has no common code for that: InvalidRequest, InvalidArgument, InvalidStorageClass, KMS.NotFoundException... But a
 * request of ours that is malformed in nothing else gets a 400 for no other reason that would not be known by its code.
 */
static bool
is_fault_of_request(const struct http_answer *answer, const struct err *err)
{
    return answer->status == 400 && err->code == ERR_STORAGE && err->retry_after_ms == ERR_NEVER_RETRY;
}

void
s3_object_rules_explain_put(const struct s3_object_rules *r, const struct http_answer *answer, struct err *err)
{
    if (!is_fault_of_request(answer, err) ||
        (r->storage_class == NULL && r->sse == S3_SSE_NONE && r->lock == S3_LOCK_NONE))
        return;
    (void)err_set(err, ERR_USAGE, "%s; the store finds fault with what was asked of it:%s%s%s%s", err->msg,
                  r->storage_class != NULL ? " --s3-storage-class" : "", r->sse != S3_SSE_NONE ? " --s3-sse" : "",
                  r->lock != S3_LOCK_NONE ? " --s3-object-lock" : "",
                  r->lock != S3_LOCK_NONE ? " (only a bucket that was made with object lock takes one)" : "");
}

void
s3_object_rules_explain_read(const struct s3_object_rules *r, const struct http_answer *answer, struct err *err)
{
    if (!is_fault_of_request(answer, err))
        return;
    (void)err_set(err, ERR_USAGE, "%s; %s", err->msg,
                  r->sse == S3_SSE_CUSTOMER
                      ? "was it put with the key of --s3-sse-customer-key-file, and with --s3-sse customer at all?"
                      : "if it was put with --s3-sse customer, it can be read only with that and the same key");
}
