/* SPDX-License-Identifier: Apache-2.0 */
/* http_server.c: see http_server.h. */
#include "tests/support/http_server.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "tests/support/test_common.h"

#define CONNECTIONS_MAX 64

struct http_server {
    http_server_fn *fn;
    void *cookie;
    int listener;
    char url[64];
    pthread_t thread;
    atomic_bool stop;
    atomic_uint connections;
    pthread_mutex_t mutex; /* guards the requests */
    unsigned requests;
    pthread_t threads[CONNECTIONS_MAX];
};

struct connection {
    struct http_server *server;
    int fd;
};

/* Wait for input; false when the server is to stop. */
static bool
wait_input(struct http_server *s, int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};

    while (!atomic_load(&s->stop)) {
        if (poll(&p, 1, 20) > 0)
            return true;
    }
    return false;
}

/* One byte; false at the end. */
static bool
get_byte(struct connection *c, char *out)
{
    return wait_input(c->server, c->fd) && recv(c->fd, out, 1, 0) == 1;
}

static bool
get_line(struct connection *c, char *line, size_t size)
{
    size_t len = 0;

    while (len < size - 1 && get_byte(c, &line[len])) {
        if (line[len] == '\n') {
            line[len] = '\0';
            line[strcspn(line, "\r")] = '\0';
            return true;
        }
        len++;
    }
    return false;
}

const char *
http_server_header(const struct http_server_request *request, const char *name, char out[1024])
{
    const char *line = request->headers;
    size_t len = strlen(name);

    out[0] = '\0';
    for (; line != NULL && *line != '\0'; line = strchr(line, '\n') + 1) {
        if (strncmp(line, name, len) == 0 && line[len] == ':') {
            (void)snprintf(out, 1024, "%.*s", (int)strcspn(line + len + 2, "\n"), line + len + 2);
            break;
        }
    }
    return out;
}

static bool
get_request(struct connection *c, struct http_server_request *r)
{
    char line[4200], value[1024], byte;
    size_t at = 0, len;

    memset(r, 0, sizeof(*r));
    if (!get_line(c, line, sizeof(line)) || sscanf(line, "%15s %4095s", r->method, r->target) != 2)
        return false;
    for (;;) {
        if (!get_line(c, line, sizeof(line)))
            return false;
        if (line[0] == '\0')
            break;
        for (char *p = line; *p != '\0' && *p != ':'; p++)
            *p = (char)tolower((unsigned char)*p);
        at += (size_t)snprintf(r->headers + at, sizeof(r->headers) - at, "%s\n", line);
        if (at >= sizeof(r->headers))
            return false;
    }
    len = strtoul(http_server_header(r, "content-length", value), NULL, 10);
    for (; r->body_len < len; r->body_len++) {
        if (!get_byte(c, &byte))
            return false;
        if (r->body_len < sizeof(r->body) - 1)
            r->body[r->body_len] = byte;
    }
    return true;
}

static void
send_answer(struct connection *c, const struct http_server_answer *a)
{
    size_t len = strlen(a->bytes);

    if (a->slice_ms == 0) {
        (void)!send(c->fd, a->bytes, len, MSG_NOSIGNAL);
        return;
    }
    for (size_t i = 0; i < len && !atomic_load(&c->server->stop); i++) {
        if (send(c->fd, a->bytes + i, 1, MSG_NOSIGNAL) < 0)
            return;
        clock_sleep_ms(a->slice_ms);
    }
}

static void *
serve(void *arg)
{
    struct connection *c = arg;
    struct http_server *s = c->server;
    struct http_server_request *request = mem_new(sizeof(*request));
    struct http_server_answer *answer = mem_new(sizeof(*answer));
    bool open = true;

    while (open && get_request(c, request)) {
        memset(answer, 0, sizeof(*answer));
        REQUIRE(pthread_mutex_lock(&s->mutex) == 0);
        request->number = ++s->requests;
        s->fn(request, answer, s->cookie);
        REQUIRE(pthread_mutex_unlock(&s->mutex) == 0);
        while (answer->say_nothing && !atomic_load(&s->stop))
            clock_sleep_ms(20);
        if (answer->reset) {
            const struct linger now = {.l_onoff = 1, .l_linger = 0};

            (void)setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
            break;
        }
        send_answer(c, answer);
        open = !answer->hang_up;
    }
    (void)close(c->fd);
    free(request);
    free(answer);
    free(c);
    return NULL;
}

static void *
accept_all(void *arg)
{
    struct http_server *s = arg;

    while (wait_input(s, s->listener)) {
        struct connection *c = mem_new(sizeof(*c));
        unsigned n = atomic_load(&s->connections);

        c->server = s;
        c->fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC);
        if (c->fd < 0 || n == CONNECTIONS_MAX) {
            free(c);
            continue;
        }
        REQUIRE(pthread_create(&s->threads[n], NULL, serve, c) == 0);
        atomic_store(&s->connections, n + 1);
    }
    return NULL;
}

struct http_server *
http_server_start(http_server_fn *fn, void *cookie)
{
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(addr);
    struct http_server *s = mem_new(sizeof(*s));

    s->fn = fn;
    s->cookie = cookie;
    assert_int_equal(pthread_mutex_init(&s->mutex, NULL), 0);
    s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(s->listener >= 0);
    assert_int_equal(bind(s->listener, (const struct sockaddr *)&addr, sizeof(addr)), 0);
    assert_int_equal(getsockname(s->listener, (struct sockaddr *)&addr, &len), 0);
    assert_int_equal(listen(s->listener, 32), 0);
    (void)snprintf(s->url, sizeof(s->url), "http://127.0.0.1:%u", ntohs(addr.sin_port));
    assert_int_equal(pthread_create(&s->thread, NULL, accept_all, s), 0);
    return s;
}

void
http_server_stop(struct http_server *s)
{
    atomic_store(&s->stop, true);
    (void)pthread_join(s->thread, NULL);
    for (unsigned i = 0; i < atomic_load(&s->connections); i++)
        (void)pthread_join(s->threads[i], NULL);
    (void)close(s->listener);
    (void)pthread_mutex_destroy(&s->mutex);
    free(s);
}

const char *
http_server_url(const struct http_server *s)
{
    return s->url;
}

unsigned
http_server_requests(struct http_server *s)
{
    unsigned n;

    REQUIRE(pthread_mutex_lock(&s->mutex) == 0);
    n = s->requests;
    REQUIRE(pthread_mutex_unlock(&s->mutex) == 0);
    return n;
}

unsigned
http_server_connections(struct http_server *s)
{
    return atomic_load(&s->connections);
}

void
http_server_reply(struct http_server_answer *answer, const char *status, const char *headers, const char *body)
{
    (void)snprintf(answer->bytes, sizeof(answer->bytes), "HTTP/1.1 %s\r\n%sContent-Length: %zu\r\n\r\n%s", status,
                   headers, strlen(body), body);
}
