/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fake_redis.h: a server that answers as a test tells it to: for what a real one does rarely, or never. One thread, one
 * connection at a time, on a port of 127.0.0.1.
 */
#ifndef TESTS_SUPPORT_FAKE_REDIS_H
#define TESTS_SUPPORT_FAKE_REDIS_H

#include <stdbool.h>
#include <stddef.h>

#include "snapshot/redis/endpoint.h"
#include "snapshot/redis/resp.h"

struct fake_redis;

/* How to answer one command. */
struct fake_answer {
    char bytes[16384]; /* a NUL-terminated reply, protocol and all; "" is silence */
    size_t slice;      /* send it in pieces of so many bytes, each its own packet; 0: at once */
    size_t repeat;     /* send it so many times more */
    bool hang_up;      /* close the connection afterwards */
    bool hang_up_long; /* and stop listening for good */
};

/* Called in the server's thread for each command; COMMAND is an array of strings. */
typedef void fake_redis_fn(const struct reply *command, struct fake_answer *answer, void *cookie);

struct fake_redis *fake_redis_start(fake_redis_fn *fn, void *cookie);

/* Where it listens; without user and password. The caller does endpoint_fini(). */
void fake_redis_endpoint(const struct fake_redis *f, struct endpoint *out);

/* End the thread; NULL is fine. */
void fake_redis_stop(struct fake_redis *f);

/* Is word number I of the command TEXT, in any case? */
bool fake_redis_word_is(const struct reply *command, size_t i, const char *text);

/* A formatted text as a bulk string reply. */
void fake_answer_bulk(struct fake_answer *answer, const char *text);
/* A reply as it stands, as "+OK\r\n". */
void fake_answer_raw(struct fake_answer *answer, const char *bytes);

#endif
