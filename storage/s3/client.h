/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client.h: signed requests to one bucket. Knows where the bucket is, who we are and what time it is over there; knows
 * nothing of what is asked.
 *
 * It does what has to be done below a retry: a redirect to another host or region is followed and signed anew (never
 * from https to http), when the store finds our clock wrong, the difference is learnt from its Date header, once, and
 * used from then on, and when it does not take the keys any longer, others are got, once a call. Anything else is the
 * caller's, or the retry wrapper's. Thread-safe.
 */
#ifndef STORAGE_S3_CLIENT_H
#define STORAGE_S3_CLIENT_H

#include "storage/s3/answers.h"
#include "storage/s3/http.h"
#include "storage/s3/place.h"
#include "storage/s3/uri.h"

struct s3_client;

struct s3_client_options {
    const char *bucket;
    const char *endpoint; /* NULL: AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, the profile's, AWS's own */
    const char *region;   /* NULL: AWS_REGION, AWS_DEFAULT_REGION, the profile's, us-east-1 */
    enum s3_addressing addressing;
    const char *access_key_file; /* NULL: none; see credentials.h */
    struct http_options http;
};

struct s3_call {
    const char *method;
    const char *key; /* the whole key in the bucket; NULL: the bucket itself */
    const struct uri_pair *query;
    size_t query_count;
    const struct http_header *headers; /* names in lower case; all are signed */
    size_t header_count;
    bool has_body;
    const void *body;
    size_t body_len;
    const uint8_t *sha256; /* of the body, where it is known; NULL: computed */
    http_sink_fn *sink;    /* as http.h has it */
    void *cookie;
    bool fresh;
};

/* Makes no request. NULL with ERR_USAGE, or what credentials_new() says. */
struct s3_client *s3_client_new(const struct s3_client_options *options, struct err *err) MUST_CHECK;
void s3_client_free(struct s3_client *c);

/* Is the store asked over TLS? Once it is, no redirect leads away from it. */
bool s3_client_is_tls(struct s3_client *c);
/* See credentials_describe(). */
void s3_client_describe_credentials(struct s3_client *c, char *text, size_t size);
/* The time by the store's clock, as far as it has been learnt. */
int64_t s3_client_now_ms(struct s3_client *c);

/*
 * 0: the store did it: a 2xx without an error in it. -1: ERROR says what S3 said (code "" when nothing), ANSWER->status
 * is 0 when there was no whole answer, or no keys for a request, and ERR is what failure.h makes of it.
 * http_answer_fini(ANSWER) in any case.
 */
int s3_client_call(struct s3_client *c, const struct s3_call *call, struct http_answer *answer, struct s3_error *error,
                   struct err *err) MUST_CHECK;

#endif
