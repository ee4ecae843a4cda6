/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transport.h: a byte stream to a server, with deadlines. One table of functions per kind, so that TLS can stand beside
 * the plain socket; the waiting is done here, once for all kinds, in slices of at most 200 ms so that a signal is
 * noticed.
 *
 * Deadlines are points in time by clock_mono_ms(). A missed one is ERR_SERVER with err->sys ETIMEDOUT; a lost
 * connection is ERR_SERVER; a signal is ERR_INTERRUPTED. One thread per transport.
 */
#ifndef SNAPSHOT_REDIS_TRANSPORT_H
#define SNAPSHOT_REDIS_TRANSPORT_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "snapshot/redis/endpoint.h"

struct transport;

/* What one attempt to read or write did, without waiting. */
enum transport_step { TRANSPORT_DONE, TRANSPORT_WANTS_INPUT, TRANSPORT_WANTS_OUTPUT, TRANSPORT_FAILED };

struct transport_ops {
    /* Up to LEN bytes; DONE with *GOT 0 is the end of the stream. */
    enum transport_step (*read)(struct transport *t, void *buf, size_t len, size_t *got, struct err *err);
    /* Some of LEN bytes, *PUT of them. */
    enum transport_step (*write)(struct transport *t, const void *buf, size_t len, size_t *put, struct err *err);
    void (*free)(struct transport *t);
};

/* The first member of every kind's own struct. */
struct transport {
    const struct transport_ops *ops;
    int fd; /* to wait on */
};

/* Connect by DEADLINE_MS: every address of the host in turn; then, where the endpoint says so, TLS. Looking up a name
 * is the C library's work and takes its own time-outs. NULL with ERR_SERVER, the server named in it; with TLS also as
 * transport_tls_open() says. */
struct transport *transport_connect(const struct endpoint *e, int64_t deadline_ms, struct err *err) MUST_CHECK;

/* At least one and up to LEN bytes; *GOT is 0 when the peer has closed. */
int transport_read(struct transport *t, void *buf, size_t len, int64_t deadline_ms, size_t *got,
                   struct err *err) MUST_CHECK;

/* Wait until a step that wanted input or output can be tried again: for the kinds themselves. */
int transport_wait(const struct transport *t, enum transport_step step, int64_t deadline_ms,
                   struct err *err) MUST_CHECK;

/* All LEN bytes. */
int transport_write(struct transport *t, const void *buf, size_t len, int64_t deadline_ms, struct err *err) MUST_CHECK;

/* End the connection in both directions, without freeing anything: a thread that waits in transport_read() returns. The
 * one function here that another thread may call. */
void transport_shutdown(struct transport *t);

/* Close and free. NULL is fine. */
void transport_free(struct transport *t);

#endif
