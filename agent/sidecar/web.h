/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web.h: the HTTP side of the agent (libmicrohttpd, whose only home web.c is): a table of routes. It never waits for
 * anything but the board's mutex; slow clients cost a connection and nothing else.
 *
 * GET and HEAD for what is read; POST with the bearer token for what changes something. No CORS, no cookies. Limits:
 * 1,024 connections, 10 s without progress, 8 kB of headers, 4 kB of body.
 */
#ifndef AGENT_SIDECAR_WEB_H
#define AGENT_SIDECAR_WEB_H

#include <stdbool.h>

#include "agent/sidecar/board.h"
#include "base/buf.h"
#include "base/err.h"

#define WEB_BODY_MAX 4096

/* What a route answers. */
struct web_answer {
    unsigned status;
    const char *content_type;
    const char *policy; /* Content-Security-Policy; NULL: one that allows nothing */
    struct buf body;
};

struct web_request {
    struct board *board;
    const char *path; /* as asked for, without the query */
    const char *rest; /* what follows the route's path: the ID of /api/v1/jobs/ID; "" */
    const char *body; /* POST; NUL-terminated */
    size_t body_len;
    const char *wait; /* the query's `wait`, NULL without */
};

typedef void web_fn(const struct web_request *request, struct web_answer *answer);

struct web_route {
    const char *method;
    const char *path; /* ends with '/': everything below it */
    bool needs_token;
    web_fn *answer;
};

/* "host:port", "[::1]:port", ":port" (all addresses). ERR_USAGE. TOKEN_FILE (NULL: none, and what needs one is 403) is
 * read again when it changed. ROUTES ends with a NULL method. */
struct web;
struct web *web_start(const char *listen, const char *token_file, const struct web_route *routes, struct board *board,
                      struct err *err) MUST_CHECK;
/* The port it listens on: for ":0". */
unsigned web_port(const struct web *w);
/* Let those that are being answered come to their end, for at most a second. NULL is fine. */
void web_stop(struct web *w);

/* The routes of the agent: api.c, metrics.c, page.c. */
extern const struct web_route sidecar_routes[];
web_fn web_healthz, web_readyz;                           /* api.c */
web_fn api_status, api_backups, api_backup_post, api_job; /* api.c */
web_fn web_metrics;                                       /* metrics.c */
web_fn web_page;                                          /* page.c */

#endif
