/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resp.h: the serialization protocol of Redis as plain data: commands into bytes, bytes into replies. hiredis does the
 * work, and only resp.c knows it. No I/O. The protocol is RESP 2; what only RESP 3 has is taken for its nearest kin.
 *
 * A server is not trusted: a reply's bytes, and the number of its elements, have a ceiling.
 */
#ifndef SNAPSHOT_REDIS_RESP_H
#define SNAPSHOT_REDIS_RESP_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define RESP_REPLY_MAX_BYTES    (8u << 20)
#define RESP_REPLY_MAX_ELEMENTS (64u << 10) /* of one array */
#define RESP_REPLY_MAX_DEPTH    7           /* arrays within arrays */

enum reply_type { REPLY_STRING, REPLY_STATUS, REPLY_ERROR, REPLY_INTEGER, REPLY_NIL, REPLY_ARRAY };

struct reply {
    enum reply_type type;
    int64_t integer;         /* REPLY_INTEGER */
    char *text;              /* STRING, STATUS, ERROR: the bytes and a NUL behind them; else NULL */
    size_t len;              /* of the text */
    struct reply **elements; /* REPLY_ARRAY */
    size_t count;
};

/* NULL is fine. */
void reply_free(struct reply *r);

struct resp_parser;

/* A parser before the first byte. Never NULL. */
struct resp_parser *resp_parser_new(void);

/* The next LEN bytes. ERR_SERVER when a reply grows over its ceiling. */
int resp_parser_feed(struct resp_parser *p, const void *data, size_t len, struct err *err) MUST_CHECK;

/* The next whole reply (the caller frees it), or NULL in *OUT when more bytes are needed. -1 with ERR_SERVER on bytes
 * that are not the protocol: the parser is of no use then. */
int resp_parser_take(struct resp_parser *p, struct reply **out, struct err *err) MUST_CHECK;

/* NULL is fine. */
void resp_parser_free(struct resp_parser *p);

/* ARGV (ends with NULL) as a command. The caller gives *LEN bytes at the result back to resp_command_free(), which
 * wipes them: passwords travel in commands. */
char *resp_command(const char *const *argv, size_t *len) MUST_CHECK;
void resp_command_free(char *command, size_t len);

/* The version of hiredis that this was built with, for `remora version`. */
const char *resp_library_version(void);

#endif
