/* SPDX-License-Identifier: Apache-2.0 */
/*
 * object_rules.h: what the store is to do with the objects that we put: storage class, encryption at rest, object lock;
 * as headers. No requests.
 *
 * With a key of the customer's own (SSE-C) the store forgets the key after each request, so every request for an object
 * carries it: over TLS only. A store that does not know SSE-C stores the object readable and says nothing: its answer
 * to a put must therefore name the algorithm.
 */
#ifndef STORAGE_S3_OBJECT_RULES_H
#define STORAGE_S3_OBJECT_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/units.h"
#include "storage/s3/http.h"

#define S3_CUSTOMER_KEY_LEN 32 /* AES-256 */
#define S3_RULE_HEADERS_MAX 8  /* of one request */

enum s3_sse {
    S3_SSE_NONE,
    S3_SSE_AES256,   /* keys of the store's (SSE-S3) */
    S3_SSE_KMS,      /* a key service's */
    S3_SSE_CUSTOMER, /* ours, sent with every request (SSE-C) */
};

enum s3_lock { S3_LOCK_NONE, S3_LOCK_GOVERNANCE, S3_LOCK_COMPLIANCE };

/* As asked for. */
struct s3_object_options {
    const char *storage_class; /* STANDARD_IA, ...; NULL: the bucket's own */
    enum s3_sse sse;
    const char *kms_key;           /* S3_SSE_KMS: NULL: the account's */
    const char *customer_key_file; /* S3_SSE_CUSTOMER */
    enum s3_lock lock;
    int64_t lock_for_ms; /* 0: not given */
};

/* As understood. */
struct s3_object_rules {
    char *storage_class, *kms_key;
    enum s3_sse sse;
    enum s3_lock lock;
    int64_t lock_for_ms;
    char customer_key[DIGEST_BASE64(S3_CUSTOMER_KEY_LEN)];
    char customer_key_md5[DIGEST_BASE64(DIGEST_MD5_LEN)];
};

/* Is anything asked for? */
bool s3_object_options_any(const struct s3_object_options *o);

/* ERR_USAGE for what does not go together, with TLS or without, and for a key file that cannot be used. Says nothing of
 * what is in that file. s3_object_rules_fini() in any case, which wipes the key. */
int s3_object_rules_load(struct s3_object_rules *r, const struct s3_object_options *o, bool tls,
                         struct err *err) MUST_CHECK;
void s3_object_rules_fini(struct s3_object_rules *r);

/* The headers of a put go to HEADERS; returns how many. PERMANENT: with the lock, if there is one, until lock_for_ms
 * after NOW_MS; UNTIL is room for that. They are valid as long as R and UNTIL. */
size_t s3_object_rules_put(const struct s3_object_rules *r, bool permanent, int64_t now_ms, char until[UNITS_TEXT_MAX],
                           struct http_header headers[S3_RULE_HEADERS_MAX]);

/* The same for a request that reads an object, or asks for its size. */
size_t s3_object_rules_read(const struct s3_object_rules *r, struct http_header headers[S3_RULE_HEADERS_MAX]);

/* Did the store do as asked, by its good answer to a put? ERR_UNSUPPORTED: it stored the object without our key. */
int s3_object_rules_check_put(const struct s3_object_rules *r, const struct http_answer *answer,
                              struct err *err) MUST_CHECK;

/* A put with such headers, or a read, failed with ERR: say in it what to look at when the store found fault with them,
 * and make it ERR_USAGE. */
void s3_object_rules_explain_put(const struct s3_object_rules *r, const struct http_answer *answer, struct err *err);
void s3_object_rules_explain_read(const struct s3_object_rules *r, const struct http_answer *answer, struct err *err);

#endif
