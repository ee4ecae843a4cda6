/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_s3.h: objects in a bucket of any S3-compatible store, over libcurl, signed with Signature v4 by us.
 *
 * A put is one PUT with its SHA-256 signed; a create-only put carries If-None-Match: * and goes over a connection of
 * its own, so that nothing below sends it twice. A store that answers 501 to that gets the object again without the
 * header, and the handle loses STORE_CREATE_ONLY. Only puts with STORE_PUT_PERMANENT carry the object lock. Nothing is
 * tried again here: wrap it in store_retry.h.
 */
#ifndef STORAGE_STORE_S3_H
#define STORAGE_STORE_S3_H

#include "storage/s3/client.h"
#include "storage/s3/object_rules.h"
#include "storage/store.h"

#define STORE_S3_PREFIX_MAX 120 /* bytes of the prefix: S3's keys have at most 1024 */

struct store_s3_options {
    const char *url; /* s3://bucket or s3://bucket/prefix */
    const char *endpoint, *region;
    enum s3_addressing addressing;
    const char *access_key_file;
    struct http_options http;
    struct s3_object_options objects;
};

/* Makes no request. NULL with ERR_USAGE for what cannot be right, or without an access key ERR_STORE_DENIED. */
struct store *store_s3_open(const struct store_s3_options *options, struct err *err) MUST_CHECK;

/* The bucket and the prefix ("" or ending in a slash) of s3://bucket/prefix; the caller frees both. ERR_USAGE. */
int store_s3_parse_url(const char *url, char **bucket, char **prefix, struct err *err) MUST_CHECK;

#endif
