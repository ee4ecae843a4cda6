/* SPDX-License-Identifier: Apache-2.0 */
/* transport.c: see transport.h. The plain socket (TCP and Unix) is here too: it is the whole of connecting. */
#include "snapshot/redis/transport.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/sig.h"
#include "snapshot/redis/transport_tls.h"

#define WAIT_SLICE_MS 200

/* Wait until FD is ready for EVENTS. */
static int
wait_ready(int fd, short events, int64_t deadline_ms, struct err *err)
{
    for (;;) {
        struct pollfd p = {.fd = fd, .events = events};
        int64_t left = deadline_ms - clock_mono_ms();
        int n;

        if (sig_check(err) < 0)
            return -1;
        if (left <= 0) {
            (void)err_set(err, ERR_SERVER, "no answer in time");
            err->sys = ETIMEDOUT;
            return -1;
        }
        n = poll(&p, 1, (int)(left < WAIT_SLICE_MS ? left : WAIT_SLICE_MS));
        if (n > 0)
            return 0;
        if (n < 0 && errno != EINTR)
            return err_sys(err, ERR_INTERNAL, errno, "wait for the server");
    }
}

int
transport_wait(const struct transport *t, enum transport_step step, int64_t deadline_ms, struct err *err)
{
    return wait_ready(t->fd, step == TRANSPORT_WANTS_INPUT ? POLLIN : POLLOUT, deadline_ms, err);
}

/* ---- the plain socket ------------------------------------------------------------------------------------------- */

static enum transport_step
socket_read(struct transport *t, void *buf, size_t len, size_t *got, struct err *err)
{
    ssize_t n;

    do {
        n = recv(t->fd, buf, len, 0);
    } while (n < 0 && errno == EINTR);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return TRANSPORT_WANTS_INPUT;
    if (n < 0) {
        (void)err_sys(err, ERR_SERVER, errno, "the connection was lost");
        return TRANSPORT_FAILED;
    }
    *got = (size_t)n;
    return TRANSPORT_DONE;
}

static enum transport_step
socket_write(struct transport *t, const void *buf, size_t len, size_t *put, struct err *err)
{
    ssize_t n;

    do {
        n = send(t->fd, buf, len, MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return TRANSPORT_WANTS_OUTPUT;
    if (n < 0) {
        (void)err_sys(err, ERR_SERVER, errno, "the connection was lost");
        return TRANSPORT_FAILED;
    }
    *put = (size_t)n;
    return TRANSPORT_DONE;
}

static void
socket_free(struct transport *t)
{
    (void)close(t->fd);
    free(t);
}

static const struct transport_ops socket_ops = {.read = socket_read, .write = socket_write, .free = socket_free};

/* A connected socket to one address, or -1. */
static int
connect_address(int family, const struct sockaddr *addr, socklen_t len, int64_t deadline_ms, struct err *err)
{
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int failure = 0;
    socklen_t size = sizeof(failure);

    if (fd < 0)
        return err_sys(err, ERR_SERVER, errno, "make a socket");
    if (connect(fd, addr, len) < 0) {
        /* A full backlog of a Unix socket is EAGAIN, at once; TCP answers EINPROGRESS. */
        if (errno != EINPROGRESS) {
            (void)err_sys(err, ERR_SERVER, errno, "connect");
            goto fail;
        }
        if (wait_ready(fd, POLLOUT, deadline_ms, err) < 0)
            goto fail;
        if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &size) < 0)
            failure = errno;
        if (failure != 0) {
            (void)err_sys(err, ERR_SERVER, failure, "connect");
            goto fail;
        }
    }
    return fd;
fail:
    (void)close(fd);
    return -1;
}

static int
connect_unix(const char *path, int64_t deadline_ms, struct err *err)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    size_t len = strlen(path);

    REQUIRE(len < sizeof(addr.sun_path)); /* endpoint_parse() saw to it */
    memcpy(addr.sun_path, path, len + 1);
    return connect_address(AF_UNIX, (const struct sockaddr *)&addr, sizeof(addr), deadline_ms, err);
}

static int
connect_tcp(const char *host, uint16_t port, int64_t deadline_ms, struct err *err)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *list = NULL;
    int64_t addresses = 0;
    char service[8];
    int fd = -1, on = 1, failed;

    (void)snprintf(service, sizeof(service), "%u", port);
    failed = getaddrinfo(host, service, &hints, &list);
    if (failed != 0)
        return err_set(err, ERR_SERVER, "look up the host name: %s", gai_strerror(failed));
    for (const struct addrinfo *a = list; a != NULL; a = a->ai_next)
        addresses++;
    for (const struct addrinfo *a = list; a != NULL && fd < 0; a = a->ai_next) {
        /* An equal share of the time that is left: one dead address must not take it all. */
        int64_t now = clock_mono_ms(), share = (deadline_ms - now) / addresses--;

        fd = connect_address(a->ai_family, a->ai_addr, a->ai_addrlen, now + share, err);
        if (fd < 0 && err->code == ERR_INTERRUPTED)
            break;
    }
    freeaddrinfo(list);
    if (fd < 0)
        return -1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    return fd;
}

/* ---- the calls -------------------------------------------------------------------------------------------------- */

struct transport *
transport_connect(const struct endpoint *e, int64_t deadline_ms, struct err *err)
{
    struct err why = ERR_INIT; /* an address that failed must not stand in ERR when the next one answers */
    struct transport *t;
    int fd = e->kind == ENDPOINT_UNIX ? connect_unix(e->path, deadline_ms, &why)
                                      : connect_tcp(e->host, e->port, deadline_ms, &why);

    if (fd < 0) {
        *err = why;
        (void)err_wrap(err, "cannot reach the server at %s", endpoint_describe(e));
        return NULL;
    }
    if (e->tls) {
        t = transport_tls_open(e, fd, deadline_ms, err);
        if (t == NULL)
            (void)err_wrap(err, "TLS to the server at %s", endpoint_describe(e));
        return t;
    }
    t = mem_new(sizeof(*t));
    t->ops = &socket_ops;
    t->fd = fd;
    return t;
}

int
transport_read(struct transport *t, void *buf, size_t len, int64_t deadline_ms, size_t *got, struct err *err)
{
    for (;;) {
        enum transport_step step = t->ops->read(t, buf, len, got, err);

        if (step == TRANSPORT_DONE)
            return 0;
        if (step == TRANSPORT_FAILED || transport_wait(t, step, deadline_ms, err) < 0)
            return -1;
    }
}

int
transport_write(struct transport *t, const void *buf, size_t len, int64_t deadline_ms, struct err *err)
{
    const char *p = buf;

    while (len > 0) {
        size_t put = 0;
        enum transport_step step = t->ops->write(t, p, len, &put, err);

        if (step == TRANSPORT_DONE) {
            p += put;
            len -= put;
        } else if (step == TRANSPORT_FAILED || transport_wait(t, step, deadline_ms, err) < 0) {
            return -1;
        }
    }
    return 0;
}

void
transport_shutdown(struct transport *t)
{
    (void)shutdown(t->fd, SHUT_RDWR);
}

void
transport_free(struct transport *t)
{
    if (t != NULL)
        t->ops->free(t);
}
