/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web.h: the HTTP side of the agent (libmicrohttpd, whose only home web.c is): a table of routes. It never waits for
 * anything but the board's mutex; slow clients cost a connection and nothing else.
 *
 * GET and HEAD for what is read; POST with the bearer token for what changes something. One request a connection: so
 * nothing that follows a request, however it was framed, is ever taken for another one. No CORS, no cookies, and
 * nothing depends on the Host header. What is read is for everybody who can reach the port; that may be a browser's
 * page of another site, too, whose name was made to point here (DNS rebinding): no secret, no key name and no data is
 * in it.
 *
 * Limits: 1,000 connections (then the one that came first gives way to a new one), 10 s without progress, 60 s in all
 * where others want in, 8 kB and 64 of headers, cookies and arguments, 4 kB of body, 32 MB of answers that wait to be
 * sent. All answers have our headers, and refusals a body of JSON, but for what libmicrohttpd itself refuses before it
 * asks us: what is no HTTP/1 (400, 505), HTTP/1.1 without Host (400), a Content-Length that is no number of 64 bits
 * (400, 413), and a request line and headers that do not fit into 24 kB (414, 431; a little below that, nothing at
 * all). Those are constant pages of HTML, in which nothing of the request is.
 */
#ifndef AGENT_SIDECAR_WEB_H
#define AGENT_SIDECAR_WEB_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "agent/sidecar/board.h"
#include "base/buf.h"
#include "base/err.h"

#define WEB_BODY_MAX   4096
#define WEB_ANSWER_MAX ((size_t)4 << 20)

/* What a route answers. */
struct web_answer {
    unsigned status;
    const char *content_type; /* constant */
    const char *policy;       /* Content-Security-Policy; NULL: one that allows nothing */
    char location[64];        /* the header of that name; "": none */
    struct buf body;
};

struct web_request {
    struct board *board;
    const char *path;  /* as asked for, without the query; nothing is percent-decoded */
    const char *rest;  /* what follows the route's path: the ID of /api/v1/jobs/ID; "" */
    const char *limit; /* the query's `limit`; NULL without */
    const char *body;  /* POST; NUL-terminated */
    size_t body_len;
};

/* Called in the thread of the web, with ANSWER empty, of status 200. */
typedef void web_fn(const struct web_request *request, struct web_answer *answer);

struct web_route {
    const char *method; /* "GET" stands for HEAD too */
    const char *path;   /* ends with '/' (and is longer): everything below it */
    bool needs_token;
    web_fn *answer;
};

struct web;

/* "host:port", "[::1]:port", ":port" (all addresses). TOKEN_FILE (NULL: none, and what needs one is 403) is read again
 * when it changed; while it cannot be used, what needs it is 503. ROUTES ends with a NULL method; it, TOKEN_FILE and
 * BOARD must outlive the web. ERR_USAGE: LISTEN cannot be listened on, or the token file cannot be used. */
struct web *web_start(const char *listen, const char *token_file, const struct web_route *routes, struct board *board,
                      struct err *err) MUST_CHECK;
/* The port it listens on: for ":0". */
unsigned web_port(const struct web *w);
/* Let those that are being answered come to their end, for at most a second. NULL is fine. */
void web_stop(struct web *w);

/* ---- for routes (web_answer.c) ---- */

void web_answer_init(struct web_answer *a);
/* Instead of what A holds: {"error":{"status":STATUS,"message":...}}. The message says what to do. */
void web_answer_error(struct web_answer *a, unsigned status, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* OBJECT on one line. Takes OBJECT. */
void web_answer_json_take(struct web_answer *a, json_t *object);
void web_answer_text(struct web_answer *a, unsigned status, const char *text);

/* ---- the routes of the agent ---- */

extern const struct web_route sidecar_routes[];           /* routes.c */
web_fn web_healthz, web_readyz;                           /* api.c */
web_fn api_status, api_backups, api_backup_post, api_job; /* api.c, api_status.c */
web_fn web_metrics;                                       /* metrics.c */
web_fn web_page;                                          /* page.c */

#endif
