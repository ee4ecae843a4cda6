/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_server.h: a server on a port of 127.0.0.1 that answers each request as a test tells it to: for what a real store
 * does rarely, or never. A thread a connection.
 */
#ifndef TESTS_SUPPORT_HTTP_SERVER_H
#define TESTS_SUPPORT_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http_server;

/* What came, and what is to go. */
struct http_server_request {
    unsigned number; /* 1 for the first since the start */
    char method[16];
    char target[4096];  /* path and query */
    char headers[8192]; /* "name: value\n" for each, names in lower case */
    size_t body_len;
    char body[4096]; /* its beginning */
};

struct http_server_answer {
    char bytes[16384]; /* all of it: status line, headers, body. Without a NUL in it */
    int64_t slice_ms;  /* > 0: send one byte in so many ms */
    bool hang_up;      /* close the connection afterwards */
    bool reset;        /* send nothing, and break the connection with a reset */
    bool say_nothing;  /* keep it open and silent until the server is stopped */
};

/* Called in a thread of the server, one request at a time. */
typedef void http_server_fn(const struct http_server_request *request, struct http_server_answer *answer, void *cookie);

struct http_server *http_server_start(http_server_fn *fn, void *cookie);
void http_server_stop(struct http_server *s);

/* "http://127.0.0.1:PORT" */
const char *http_server_url(const struct http_server *s);
/* How many requests and connections there were. */
unsigned http_server_requests(struct http_server *s);
unsigned http_server_connections(struct http_server *s);

/* A whole answer: STATUS as "200 OK", HEADERS each with "\r\n" at its end ("" for none). */
void http_server_reply(struct http_server_answer *answer, const char *status, const char *headers, const char *body);

/* The value of a header, into OUT; "" when it is not there. */
const char *http_server_header(const struct http_server_request *request, const char *name, char out[1024]);

#endif
