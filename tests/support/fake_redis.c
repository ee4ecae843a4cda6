/* SPDX-License-Identifier: Apache-2.0 */
/* fake_redis.c: see fake_redis.h. */
#include "tests/support/fake_redis.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "tests/support/test_common.h"

struct fake_redis {
    fake_redis_fn *fn;
    void *cookie;
    pthread_t thread;
    uint16_t port;
    int listener;
    int stop[2]; /* a pipe: its end wakes the thread */
};

bool
fake_redis_word_is(const struct reply *command, size_t i, const char *text)
{
    return i < command->count && strcasecmp(command->elements[i]->text, text) == 0;
}

void
fake_answer_raw(struct fake_answer *answer, const char *bytes)
{
    (void)snprintf(answer->bytes, sizeof(answer->bytes), "%s", bytes);
}

void
fake_answer_bulk(struct fake_answer *answer, const char *text)
{
    (void)snprintf(answer->bytes, sizeof(answer->bytes), "$%zu\r\n%s\r\n", strlen(text), text);
}

/* Wait for input on FD; false when the test ends. */
static bool
wait_input(const struct fake_redis *f, int fd)
{
    struct pollfd p[2] = {{.fd = fd, .events = POLLIN}, {.fd = f->stop[0], .events = POLLIN}};

    while (poll(p, 2, -1) < 0)
        ;
    return p[1].revents == 0;
}

static void
send_answer(int fd, const struct fake_answer *a)
{
    size_t len = strlen(a->bytes), slice = a->slice > 0 ? a->slice : len;

    for (size_t times = 0; times <= a->repeat; times++) {
        for (size_t at = 0; at < len; at += slice) {
            if (send(fd, a->bytes + at, len - at < slice ? len - at : slice, MSG_NOSIGNAL) < 0)
                return;
        }
    }
}

/* Serve one connection. False: no further one is to be taken. */
static bool
serve(const struct fake_redis *f, int fd)
{
    struct resp_parser *parser = resp_parser_new();
    struct fake_answer *answer = mem_new(sizeof(*answer));
    struct err err = ERR_INIT;
    bool go_on = true, open = true;

    while (open && go_on && wait_input(f, fd)) {
        struct reply *command = NULL;
        char bytes[4096];
        ssize_t n = recv(fd, bytes, sizeof(bytes), 0);

        if (n <= 0 || resp_parser_feed(parser, bytes, (size_t)n, &err) < 0)
            break;
        while (open && resp_parser_take(parser, &command, &err) == 0 && command != NULL) {
            memset(answer, 0, sizeof(*answer));
            f->fn(command, answer, f->cookie);
            reply_free(command);
            command = NULL;
            send_answer(fd, answer);
            open = !answer->hang_up && !answer->hang_up_long;
            go_on = !answer->hang_up_long;
        }
    }
    free(answer);
    resp_parser_free(parser);
    return go_on;
}

static void *
run(void *arg)
{
    struct fake_redis *f = arg;
    bool go_on = true;

    while (go_on && wait_input(f, f->listener)) {
        int on = 1, fd = accept4(f->listener, NULL, NULL, SOCK_CLOEXEC);

        if (fd < 0)
            continue;
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        go_on = serve(f, fd);
        /* The listener first: nobody can slip in between. */
        if (!go_on) {
            (void)close(f->listener);
            f->listener = -1;
        }
        (void)close(fd);
    }
    return NULL;
}

struct fake_redis *
fake_redis_start(fake_redis_fn *fn, void *cookie)
{
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(addr);
    struct fake_redis *f = mem_new(sizeof(*f));

    f->fn = fn;
    f->cookie = cookie;
    f->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(f->listener >= 0);
    assert_int_equal(bind(f->listener, (const struct sockaddr *)&addr, sizeof(addr)), 0);
    assert_int_equal(getsockname(f->listener, (struct sockaddr *)&addr, &len), 0);
    assert_int_equal(listen(f->listener, 8), 0);
    f->port = ntohs(addr.sin_port);
    assert_int_equal(pipe(f->stop), 0);
    assert_int_equal(pthread_create(&f->thread, NULL, run, f), 0);
    return f;
}

void
fake_redis_endpoint(const struct fake_redis *f, struct endpoint *out)
{
    struct err err = ERR_INIT;
    char url[64];

    (void)snprintf(url, sizeof(url), "redis://127.0.0.1:%u", f->port);
    assert_ok(endpoint_parse(url, out, &err), &err);
}

void
fake_redis_stop(struct fake_redis *f)
{
    if (f == NULL)
        return;
    (void)close(f->stop[1]);
    (void)pthread_join(f->thread, NULL);
    (void)close(f->stop[0]);
    if (f->listener >= 0)
        (void)close(f->listener);
    free(f);
}
