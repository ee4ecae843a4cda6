/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web_headers.h: may a request be relied on, going by its headers? Where it could be read in two ways (a length that is
 * there twice, a blank in a header's name), a proxy in front may have read it in the other one: it is refused.
 */
#ifndef AGENT_SIDECAR_WEB_HEADERS_H
#define AGENT_SIDECAR_WEB_HEADERS_H

#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>

#include "agent/sidecar/web.h"

#define WEB_HEADERS_MAX 64                /* headers, cookies and arguments together */
#define WEB_HEADER_MAX  ((size_t)8 << 10) /* bytes of all that stands before the body */
/* What libmicrohttpd needs for all of that (cookies twice, and 72 bytes for each) and for an answer's headers. */
#define WEB_HEADER_POOL ((size_t)24 << 10)

/* False: A says why not (400, 411, 413, 431), and the connection cannot be used any more. No body has come yet; one
 * that is fine says how long it is, at most WEB_BODY_MAX bytes. */
bool web_headers_check(struct MHD_Connection *connection, struct web_answer *a);

#endif
