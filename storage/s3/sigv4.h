/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sigv4.h: AWS Signature Version 4, the Authorization header of one request. Pure: no clock, no environment, no I/O.
 *
 * What is signed is what the caller says that it sends; the caller must send exactly that: the same encoded path, the
 * same sorted query, the same header values.
 */
#ifndef STORAGE_S3_SIGV4_H
#define STORAGE_S3_SIGV4_H

#include <stddef.h>
#include <stdint.h>

#define SIGV4_DATE 17 /* "20130524T000000Z" and the NUL */

struct sigv4_keys {
    char *id;
    char *secret;
    char *token; /* of temporary credentials; NULL: none */
};

struct sigv4_header {
    const char *name; /* in lower case */
    const char *value;
};

struct sigv4_request {
    const char *method;
    const char *path;  /* encoded, from the slash on */
    const char *query; /* encoded and sorted, without the question mark; "" for none */
    const struct sigv4_header *headers;
    size_t header_count;
    const char *payload_hash; /* hex SHA-256 of the body */
    const char *date;         /* of sigv4_date(): the value of x-amz-date, which is one of the headers */
    const char *region;
    const char *service;
};

/* MS since 1970 as "20130524T000000Z". */
void sigv4_date(int64_t ms, char out[SIGV4_DATE]);

/* The canonical request, for tests and for those who debug a signature. The caller frees. */
char *sigv4_canonical(const struct sigv4_request *r);

/* The value of the Authorization header. All headers are signed. The caller frees. */
char *sigv4_authorization(const struct sigv4_request *r, const struct sigv4_keys *keys);

#endif
