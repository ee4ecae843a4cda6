/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http.h: one HTTP request and its answer, over libcurl, whose only home this is. It knows nothing of S3: no signing,
 * no retries, no redirects followed.
 *
 * Connections are kept and used again: there is one handle for each thread that asks at the same time, so a worker has
 * its own connection. TLS certificates are always verified.
 */
#ifndef STORAGE_S3_HTTP_H
#define STORAGE_S3_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define HTTP_BODY_MAX 65536 /* of an answer that no sink takes; what is longer is cut */

struct http_options {
    const char *peer;           /* what messages call the other side; NULL: "the store" */
    const char *ca_option;      /* what gives CA_FILE, for messages; NULL: "--s3-ca" */
    const char *ca_file;        /* certificates to trust instead of the system's; NULL: the system's */
    int64_t connect_timeout_ms; /* 0: 10 s */
    int64_t stall_timeout_ms;   /* give up when less than 1 kB/s went through for so long; also the longest wait for the
                                   first byte of an answer; 0: 60 s */
    bool direct;                /* whatever proxy the environment names: it would see what is sent */
};

struct http;

struct http_header {
    const char *name;
    const char *value;
};

struct http_answer {
    int status;
    int64_t date_ms;          /* the server's clock; -1: it did not say */
    int64_t last_modified_ms; /* -1: not said */
    int64_t retry_after_ms;   /* 0: not said */
    int64_t length;           /* Content-Length; -1: not said */
    bool chunked;
    bool has_range;                               /* there is a proper Content-Range: */
    uint64_t range_start, range_end, range_total; /* the last byte is range_end */
    char location[1024];                          /* "": none */
    char region[64];                              /* x-amz-bucket-region */
    char sha256[64];                              /* x-amz-checksum-sha256, in base64 */
    char customer_algorithm[16];                  /* x-amz-server-side-encryption-customer-algorithm */
    struct buf body;                              /* what no sink took: errors above all */
};

/* The body of a 2xx answer, piece by piece. False: that is enough; the request then ends well. */
typedef bool http_sink_fn(const struct http_answer *answer, const void *data, size_t len, void *cookie);

struct http_request {
    const char *method;
    const char *url;
    const struct http_header *headers;
    size_t header_count;
    bool has_body;
    const void *body;
    size_t body_len;
    http_sink_fn *sink; /* NULL: into answer.body */
    void *cookie;
    bool fresh; /* on a new connection: libcurl sends a request once more, unasked, when a kept connection turns out to
                   be dead; a request that must not be sent twice unnoticed needs this */
};

/* ERR_USAGE when the CA file cannot be read. */
struct http *http_new(const struct http_options *options, struct err *err) MUST_CHECK;
void http_free(struct http *h);

/*
 * Ask, and wait for the whole answer. 0: there is an answer, of any status. -1: there is none that is whole:
 * ERR_STORAGE (with ECONNREFUSED in err->sys where nobody listens, and with ERR_NEVER_RETRY for what will not get
 * better by itself, such as a certificate that is not trusted), or ERR_INTERRUPTED when a signal asked to stop and the
 * request did not end within 5 s. Requests that begin after the signal are not cut short: they clean up. Thread-safe.
 * http_answer_fini() in any case.
 */
int http_perform(struct http *h, const struct http_request *request, struct http_answer *answer,
                 struct err *err) MUST_CHECK;

void http_answer_fini(struct http_answer *answer);

/* libcurl's version, for `remora version`. */
const char *http_library_version(void);

#endif
