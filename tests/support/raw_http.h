/* SPDX-License-Identifier: Apache-2.0 */
/* raw_http.h: HTTP as bytes on a socket, so that a test can ask in ways that no client would. */
#ifndef TESTS_SUPPORT_RAW_HTTP_H
#define TESTS_SUPPORT_RAW_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#define RAW_ANSWER_MAX 65536

/* A connection to 127.0.0.1:PORT; reads and writes that take more than 15 s fail the test. */
int raw_connect(unsigned port);

/* Send; false when the peer does not take it any more. */
bool raw_send(int fd, const char *bytes, size_t len);

/* What comes until the peer closes, or until BYTES have come; NUL-terminated. A broken connection ends it too. */
size_t raw_read(int fd, char *to, size_t bytes);

/* Send REQUEST, read until the end, close. Returns the status; 0: there was no answer. */
int raw_ask(unsigned port, const char *request, char answer[RAW_ANSWER_MAX]);

/* The status in a status line. */
int raw_status(const char *answer);

/* Is there the header line "NAME: VALUE"? */
bool raw_has_header(const char *answer, const char *line);

/* What follows the headers; "" without any. */
const char *raw_body(const char *answer);

#endif
