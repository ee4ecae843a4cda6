/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client.h: one authenticated connection to a server, one command at a time.
 *
 * It does not reconnect. After a failure other than an error reply the connection is of no use (client_is_lost()). The
 * password is never part of a message. One thread per client.
 */
#ifndef SNAPSHOT_REDIS_CLIENT_H
#define SNAPSHOT_REDIS_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "snapshot/redis/endpoint.h"
#include "snapshot/redis/resp.h"
#include "snapshot/redis/transport.h"

struct client;

/* Zeros are the defaults. */
struct client_options {
    int64_t connect_timeout_ms; /* 5 s */
    int64_t reply_timeout_ms;   /* for one command; 30 s: a fork or one big DEL can hold up a server for long */
    int64_t deadline_ms;        /* for all together, by clock_mono_ms(); 0: none */
};

/* Connect and, when the endpoint has a user or a password, AUTH. E must outlive the client. NULL with ERR_SERVER, or
 * ERR_SERVER_DENIED when the server does not take them. */
struct client *client_connect(const struct endpoint *e, const struct client_options *options,
                              struct err *err) MUST_CHECK;

/* How long to wait for each reply from now on; 0: the default. */
void client_set_reply_timeout(struct client *c, int64_t timeout_ms);

/* A command's words: CLIENT_ARGS("CONFIG", "GET", "dir"). */
#define CLIENT_ARGS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* Send a command and wait for its reply, which may be an error reply; the caller frees it. -1 with ERR_SERVER: nothing
 * is known of what the server did. */
int client_call(struct client *c, const char *const *argv, struct reply **out, struct err *err) MUST_CHECK;

/* The same, an error reply being a failure as client_refused() says. */
int client_command(struct client *c, const char *const *argv, struct reply **out, struct err *err) MUST_CHECK;

/* Put the error reply R to ARGV into words: ERR_SERVER_DENIED for a missing or wrong password, a missing permission
 * (with the ACL rule to add), protected mode, and a command that the server does not have; ERR_SERVER for all else.
 * Always -1. */
int client_refused(const struct client *c, const char *const *argv, const struct reply *r, struct err *err);

/* Send a command and wait for nothing. */
int client_send(struct client *c, const char *const *argv, struct err *err) MUST_CHECK;

/* The byte stream below, which stays the client's: for what the server sends that is no reply. Nothing that awaits a
 * reply can be called any more. */
struct transport *client_transport(struct client *c);

/* Has the connection failed? */
bool client_is_lost(const struct client *c);

/* Does the error reply R start with the word CODE ("LOADING", "BUSY")? False for any other reply. */
bool reply_has_code(const struct reply *r, const char *code);

/* What a server said, on one line without control characters and not too long for a sentence. Returns OUT. */
#define CLIENT_WORDS_MAX 240
const char *client_words(const struct reply *r, char out[CLIENT_WORDS_MAX]);

/* NULL is fine. */
void client_free(struct client *c);

#endif
