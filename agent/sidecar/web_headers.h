/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web_headers.h: may a request be relied on, going by its headers? Where it could be read in two ways (a length that is
 * there twice, a blank in a header's name), a proxy in front may have read it in the other one: it is refused. Pure: it
 * knows nothing of libmicrohttpd.
 */
#ifndef AGENT_SIDECAR_WEB_HEADERS_H
#define AGENT_SIDECAR_WEB_HEADERS_H

#include <stdbool.h>
#include <stddef.h>

#include "agent/sidecar/web.h"

#define WEB_HEADERS_MAX 64                /* headers, cookies and arguments together */
#define WEB_HEADER_MAX  ((size_t)8 << 10) /* bytes of all that stands before the body */
/* What libmicrohttpd needs for all of that (cookies twice, and 72 bytes for each) and for an answer's headers. */
#define WEB_HEADER_POOL ((size_t)24 << 10)

/* What a request brings before its body. Zeros at the beginning. */
struct web_headers {
    size_t count;
    bool seen[4];
    const char *length;  /* of the body; NULL: not said. Not owned */
    bool has_coding;     /* Transfer-Encoding */
    const char *problem; /* constant; NULL: none */
};

/* One header, which lives as long as H. VALUE NULL: without one. */
void web_headers_add(struct web_headers *h, const char *name, const char *value);

/* All are there (cookies and arguments in h->count too), of BYTES. False: A says why not (400, 411, 413, 431), and the
 * connection cannot be used any more. Else the body has at most WEB_BODY_MAX bytes. */
bool web_headers_check(const struct web_headers *h, size_t bytes, struct web_answer *a);

#endif
