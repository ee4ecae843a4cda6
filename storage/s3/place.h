/* SPDX-License-Identifier: Apache-2.0 */
/* place.h: where a bucket is: from an endpoint and a bucket's name to URLs, in path style (https://host/bucket/key) or
 * virtual-host style (https://bucket.host/key). No I/O. */
#ifndef STORAGE_S3_PLACE_H
#define STORAGE_S3_PLACE_H

#include <stdbool.h>

#include "base/buf.h"

enum s3_addressing {
    S3_ADDRESSING_AUTO, /* virtual-host for AWS where the name allows it, path for all others */
    S3_ADDRESSING_PATH,
    S3_ADDRESSING_VIRTUAL,
};

struct s3_place {
    bool tls;
    char *host;   /* the Host header: with the port where it is not the usual one, and the bucket's name in
                     virtual-host style */
    char *prefix; /* encoded: what stands before a key, ends with a slash, such as "/bucket/" */
    char *bucket;
};

/*
 * ENDPOINT is http[s]://host[:port][/path]; NULL: AWS's for REGION. ERR_USAGE for one that is not understood or holds a
 * user, and for an impossible bucket name. s3_place_fini() in any case.
 */
int s3_place_init(struct s3_place *p, const char *endpoint, const char *region, const char *bucket,
                  enum s3_addressing addressing, struct err *err) MUST_CHECK;
void s3_place_fini(struct s3_place *p);

/* Append the encoded path of KEY; NULL: of the bucket itself. */
int s3_place_path(const struct s3_place *p, const char *key, struct buf *out, struct err *err) MUST_CHECK;

/*
 * Go where LOCATION, of a redirect, points: another host, the bucket and the style are the same. -1 where it must not
 * be followed: from https to http, or nothing that we understand.
 */
int s3_place_follow(struct s3_place *p, const char *location) MUST_CHECK;

#endif
