/* SPDX-License-Identifier: Apache-2.0 */
/* test_web.c: the HTTP side over real sockets: what is answered, what is refused, and clients that are slow, greedy or
 * wrong. */
#include "agent/sidecar/web.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "tests/support/raw_http.h"
#include "tests/support/test_common.h"

#define TOKEN      "0123456789abcdef-token"
#define CLOSE      "Host: x\r\nConnection: close\r\n"
#define LARGE_BODY ((size_t)3 << 20)

/* ---- routes for the tests ---- */

static atomic_uint posts;

static void
say_hello(const struct web_request *request, struct web_answer *answer)
{
    char text[512];

    (void)snprintf(text, sizeof(text), "hello path=%s rest=%s limit=%s", request->path, request->rest,
                   request->limit != NULL ? request->limit : "none");
    web_answer_text(answer, 200, text);
}

static void
take_post(const struct web_request *request, struct web_answer *answer)
{
    (void)atomic_fetch_add(&posts, 1);
    web_answer_text(answer, 202, request->body);
    (void)snprintf(answer->location, sizeof(answer->location), "/things/1");
}

static void
send_large(const struct web_request *request, struct web_answer *answer)
{
    char *text = mem_new(LARGE_BODY);

    (void)request;
    memset(text, 'x', LARGE_BODY - 1);
    web_answer_text(answer, 200, text);
    answer->policy = "default-src 'self'; frame-ancestors 'none'";
    free(text);
}

static void
take_a_while(const struct web_request *request, struct web_answer *answer)
{
    (void)request;
    clock_sleep_ms(300);
    web_answer_text(answer, 200, "after a while");
}

static const struct web_route routes[] = {
    {"GET", "/", false, say_hello},       {"GET", "/hello", false, say_hello},   {"GET", "/things/", false, say_hello},
    {"POST", "/things", true, take_post}, {"GET", "/things", false, say_hello},  {"POST", "/open", false, take_post},
    {"GET", "/large", false, send_large}, {"GET", "/slow", false, take_a_while}, {NULL, NULL, false, NULL},
};

/* ---- the scene: a web with a token, and a log that can be looked at ---- */

struct scene {
    char dir[256], token_path[300], log_path[300];
    struct board board;
    struct web *web;
    unsigned port;
    int log_fd, wake_fd;
    char answer[RAW_ANSWER_MAX];
};

static void
write_file(const char *dir, const char *name, const char *text)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct err err = ERR_INIT;

    assert_true(fd >= 0);
    assert_ok(file_write_atomic(fd, name, ".tmp-", text, strlen(text), 0600, &err), &err);
    (void)close(fd);
}

static void
write_token(const struct scene *s, const char *text)
{
    write_file(s->dir, "token", text);
}

static void
start(struct scene *s, const char *token_path)
{
    struct err err = ERR_INIT;

    s->web = web_start("127.0.0.1:0", token_path, routes, &s->board, &err);
    if (s->web == NULL)
        fail_msg("%s", err.msg);
    s->port = web_port(s->web);
}

static int
setup(void **state)
{
    struct scene *s = mem_new(sizeof(*s));

    (void)signal(SIGPIPE, SIG_IGN);
    test_make_dir(s->dir);
    (void)snprintf(s->token_path, sizeof(s->token_path), "%s/token", s->dir);
    (void)snprintf(s->log_path, sizeof(s->log_path), "%s/log", s->dir);
    write_token(s, TOKEN "\n");
    s->log_fd = open(s->log_path, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
    assert_true(s->log_fd >= 0);
    log_setup(s->log_fd, LOG_TEXT, LOG_DEBUG);
    s->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    board_init(&s->board, s->wake_fd);
    atomic_store(&posts, 0);
    start(s, s->token_path);
    *state = s;
    return 0;
}

static int
teardown(void **state)
{
    struct scene *s = *state;

    web_stop(s->web);
    board_fini(&s->board);
    (void)close(s->wake_fd);
    log_setup(STDERR_FILENO, LOG_TEXT, LOG_INFO);
    (void)close(s->log_fd);
    test_remove_dir(s->dir);
    free(s);
    return 0;
}

static int
ask(struct scene *s, const char *request)
{
    return raw_ask(s->port, request, s->answer);
}

/* Everything that was logged; the caller frees. */
static char *
logged(const struct scene *s)
{
    struct err err = ERR_INIT;
    char *text = NULL;
    size_t len = 0;

    assert_ok(file_read_all(AT_FDCWD, s->log_path, 1 << 20, &text, &len, &err), &err);
    return text;
}

static unsigned
count_in(const char *text, const char *what)
{
    unsigned n = 0;

    for (const char *at = strstr(text, what); at != NULL; at = strstr(at + 1, what))
        n++;
    return n;
}

/* ---- what is asked for ---- */

static void
get__a_route__is_answered_with_the_headers_that_protect(void **state)
{
    struct scene *s = *state;

    assert_int_equal(ask(s, "GET /hello?limit=7&x=%41 HTTP/1.1\r\n" CLOSE "\r\n"), 200);
    assert_string_equal(raw_body(s->answer), "hello path=/hello rest= limit=7\n");
    assert_true(raw_has_header(s->answer, "Cache-Control: no-store"));
    assert_true(raw_has_header(s->answer, "X-Content-Type-Options: nosniff"));
    assert_true(raw_has_header(s->answer, "X-Frame-Options: DENY"));
    assert_true(raw_has_header(s->answer, "Referrer-Policy: no-referrer"));
    assert_true(raw_has_header(s->answer, "Content-Security-Policy: default-src 'none'; base-uri 'none'; form-action "
                                          "'none'; frame-ancestors 'none'"));
    assert_null(strstr(s->answer, "Access-Control-"));
    assert_null(strstr(s->answer, "Set-Cookie"));
}

static void
get__a_route_with_a_policy_of_its_own__sends_that_one(void **state)
{
    struct scene *s = *state;

    assert_int_equal(ask(s, "HEAD /large HTTP/1.1\r\n" CLOSE "\r\n"), 200);
    assert_true(raw_has_header(s->answer, "Content-Security-Policy: default-src 'self'; frame-ancestors 'none'"));
}

static void
get__below_a_folder__has_the_rest(void **state)
{
    struct scene *s = *state;

    assert_int_equal(ask(s, "GET /things/abc HTTP/1.1\r\n" CLOSE "\r\n"), 200);
    assert_string_equal(raw_body(s->answer), "hello path=/things/abc rest=abc limit=none\n");
    assert_int_equal(ask(s, "GET /things/ HTTP/1.1\r\n" CLOSE "\r\n"), 404);
    assert_int_equal(ask(s, "GET / HTTP/1.1\r\n" CLOSE "\r\n"), 200);
    assert_int_equal(ask(s, "GET /nothing HTTP/1.1\r\n" CLOSE "\r\n"), 404);
    assert_true(raw_has_header(s->answer, "Content-Type: application/json"));
    assert_true(raw_has_header(s->answer, "X-Content-Type-Options: nosniff"));
}

static void
get__percent_encoded_paths__are_no_other_way_to_write_one(void **state)
{
    static const char *const paths[] = {"/%68ello",
                                        "/hello%00",
                                        "/hello%2f",
                                        "/./hello",
                                        "/x/../hello",
                                        "/hello%00/more",
                                        "//hello",
                                        "/hello/",
                                        "/HELLO",
                                        "/hello;x",
                                        "/%",
                                        "/%zz",
                                        "/%2",
                                        "*",
                                        "hello",
                                        "/things%2fabc",
                                        "http://x/hello"};
    struct scene *s = *state;
    char request[256];

    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        int status;

        (void)snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\n" CLOSE "\r\n", paths[i]);
        status = ask(s, request);
        if (status != 404 && status != 400)
            fail_msg("%s: %d", paths[i], status);
    }
    assert_int_equal(ask(s, "GET /things/%2e%2e%2fhello HTTP/1.1\r\n" CLOSE "\r\n"), 200);
    assert_string_equal(raw_body(s->answer), "hello path=/things/%2e%2e%2fhello rest=%2e%2e%2fhello limit=none\n");
}

static void
head__a_route__is_get_without_the_body(void **state)
{
    struct scene *s = *state;

    assert_int_equal(ask(s, "HEAD /hello HTTP/1.1\r\n" CLOSE "\r\n"), 200);
    assert_string_equal(raw_body(s->answer), "");
    assert_true(raw_has_header(s->answer, "Content-Length: 35"));
    assert_int_equal(ask(s, "HEAD /nothing HTTP/1.1\r\n" CLOSE "\r\n"), 404);
    assert_string_equal(raw_body(s->answer), "");
    assert_int_equal(ask(s, "HEAD /open HTTP/1.1\r\n" CLOSE "\r\n"), 405);
}

static void
other_methods__of_a_route__are_405_and_told_which_are_not(void **state)
{
    static const char *const methods[] = {"PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "POST", "BREW", "get"};
    struct scene *s = *state;
    char request[256];

    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        (void)snprintf(request, sizeof(request), "%s /hello HTTP/1.1\r\n" CLOSE "Origin: http://evil\r\n\r\n",
                       methods[i]);
        assert_int_equal(ask(s, request), 405);
        assert_true(raw_has_header(s->answer, "Allow: GET, HEAD"));
        assert_null(strstr(s->answer, "Access-Control-"));
    }
    assert_int_equal(ask(s, "PUT /things HTTP/1.1\r\n" CLOSE "Content-Length: 2\r\n\r\n{}"), 405);
    assert_true(raw_has_header(s->answer, "Allow: POST, GET, HEAD"));
}

static void
pipelining__requests_at_once__are_answered_in_order(void **state)
{
    static const char request[] = "GET /things/1 HTTP/1.1\r\nHost: x\r\n\r\n"
                                  "POST /open HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\ntwo"
                                  "HEAD /hello HTTP/1.1\r\nHost: x\r\n\r\n"
                                  "GET /things/4 HTTP/1.1\r\n" CLOSE "\r\n";
    struct scene *s = *state;
    const char *first, *second, *fourth;

    assert_int_equal(ask(s, request), 200);
    assert_int_equal(count_in(s->answer, "HTTP/1.1 "), 4);
    first = strstr(s->answer, "rest=1 ");
    second = strstr(s->answer, "\r\n\r\ntwo\n");
    fourth = strstr(s->answer, "rest=4 ");
    assert_true(first != NULL && second != NULL && fourth != NULL && first < second && second < fourth);
}

static void
host__anything_or_strange__changes_nothing(void **state)
{
    struct scene *s = *state;
    static char other[RAW_ANSWER_MAX];

    assert_int_equal(ask(s, "HEAD /hello HTTP/1.1\r\nHost: evil.example:1\r\nConnection: close\r\n\r\n"), 200);
    assert_null(strstr(s->answer, "evil"));
    assert_int_equal(raw_ask(s->port, "GET /hello HTTP/1.0\r\n\r\n", other), 200);
}

/* ---- tokens ---- */

static int
post_with(struct scene *s, const char *authorization)
{
    char request[8192];

    (void)snprintf(request, sizeof(request), "POST /things HTTP/1.1\r\n" CLOSE "%sContent-Length: 2\r\n\r\n{}",
                   authorization);
    return ask(s, request);
}

static void
token__the_right_one__lets_in(void **state)
{
    struct scene *s = *state;

    assert_int_equal(post_with(s, "Authorization: Bearer " TOKEN "\r\n"), 202);
    assert_true(raw_has_header(s->answer, "Location: /things/1"));
    assert_int_equal(post_with(s, "authorization: bearer   " TOKEN "\r\n"), 202);
    assert_int_equal(atomic_load(&posts), 2);
}

static void
token__any_other__is_401_and_nothing_happens(void **state)
{
    static const char *const wrong[] = {
        "",
        "Authorization: Bearer\r\n",
        "Authorization: Bearer \r\n",
        "Authorization: Bearer 0123456789abcdef-toke\r\n",
        "Authorization: Bearer 0123456789abcdef-tokeN\r\n",
        "Authorization: Bearer 0123456789abcdef-token1\r\n",
        "Authorization: Bearer " TOKEN " x\r\n",
        "Authorization: Basic " TOKEN "\r\n",
        "Authorization: " TOKEN "\r\n",
        "Authorization: Bearer" TOKEN "\r\n",
        "X-Authorization: Bearer " TOKEN "\r\n",
        "Cookie: token=" TOKEN "\r\n",
        "Authorization: Bearer wrong\r\nAuthorization: Bearer " TOKEN "\r\n",
    };
    struct scene *s = *state;
    char *text;

    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        if (post_with(s, wrong[i]) != 401)
            fail_msg("%s: %.60s", wrong[i], s->answer);
        assert_true(raw_has_header(s->answer, "WWW-Authenticate: Bearer"));
        assert_true(raw_has_header(s->answer, "Cache-Control: no-store"));
    }
    assert_int_equal(ask(s, "POST /things?token=" TOKEN " HTTP/1.1\r\n" CLOSE "Content-Length: 0\r\n\r\n"), 401);
    assert_int_equal(atomic_load(&posts), 0);
    text = logged(s);
    assert_int_equal(count_in(text, "without the right token"), 1); /* and not once a try */
    assert_non_null(strstr(text, "peer=127.0.0.1"));
    assert_null(strstr(text, "0123456789"));
    assert_null(strstr(text, "Bearer"));
    free(text);
}

static void
token__no_file_at_all__is_403(void **state)
{
    struct scene *s = *state;

    web_stop(s->web);
    start(s, NULL);
    assert_int_equal(post_with(s, "Authorization: Bearer " TOKEN "\r\n"), 403);
    assert_int_equal(ask(s, "GET /things HTTP/1.1\r\n" CLOSE "\r\n"), 200);
    assert_int_equal(atomic_load(&posts), 0);
}

static void
token__file_changes__counts_at_once(void **state)
{
    struct scene *s = *state;
    char *text;

    write_token(s, "another-token-of-many\r\n");
    assert_int_equal(post_with(s, "Authorization: Bearer " TOKEN "\r\n"), 401);
    assert_int_equal(post_with(s, "Authorization: Bearer another-token-of-many\r\n"), 202);
    assert_int_equal(unlink(s->token_path), 0);
    assert_int_equal(post_with(s, "Authorization: Bearer another-token-of-many\r\n"), 503);
    assert_int_equal(post_with(s, "Authorization: Bearer another-token-of-many\r\n"), 503);
    assert_int_equal(ask(s, "GET /things HTTP/1.1\r\n" CLOSE "\r\n"), 200); /* what is read needs none */
    write_token(s, "short\n");
    assert_int_equal(post_with(s, "Authorization: Bearer short\r\n"), 503);
    write_token(s, TOKEN);
    assert_int_equal(post_with(s, "Authorization: Bearer " TOKEN "\r\n"), 202);
    text = logged(s);
    assert_int_equal(count_in(text, "until the token file is in order"), 1);
    assert_int_equal(count_in(text, "read anew"), 2);
    assert_null(strstr(text, "another-token"));
    free(text);
}

/* A Secret's volume: token -> ..data/token, ..data -> a folder with a time stamp; an update turns ..data. */
static void
token__kubernetes_secret_is_updated__counts_at_once(void **state)
{
    struct scene *s = *state;
    char path[600];
    int dir;

    web_stop(s->web);
    s->web = NULL;
    assert_int_equal(unlink(s->token_path), 0);
    dir = open(s->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(dir >= 0);
    for (int i = 1; i <= 2; i++) {
        (void)snprintf(path, sizeof(path), "..%d", i);
        assert_int_equal(mkdirat(dir, path, 0700), 0);
        (void)snprintf(path, sizeof(path), "%s/..%d", s->dir, i);
        write_file(path, "token", i == 1 ? "first-token-00000000" : "other-token-00000000");
    }
    assert_int_equal(symlinkat("..1", dir, "..data"), 0);
    assert_int_equal(symlinkat("..data/token", dir, "token"), 0);
    start(s, s->token_path);
    assert_int_equal(post_with(s, "Authorization: Bearer first-token-00000000\r\n"), 202);
    assert_int_equal(symlinkat("..2", dir, "..data_tmp"), 0);
    assert_int_equal(renameat(dir, "..data_tmp", dir, "..data"), 0);
    assert_int_equal(post_with(s, "Authorization: Bearer first-token-00000000\r\n"), 401);
    assert_int_equal(post_with(s, "Authorization: Bearer other-token-00000000\r\n"), 202);
    (void)close(dir);
}

/* ---- what is too large ---- */

static void
body__longer_than_allowed__is_413_before_it_comes(void **state)
{
    struct scene *s = *state;
    char *request = mem_new(WEB_BODY_MAX + 512);
    int len = snprintf(request, 512, "POST /open HTTP/1.1\r\n" CLOSE "Content-Length: %d\r\n\r\n", WEB_BODY_MAX);

    memset(request + len, 'b', WEB_BODY_MAX);
    assert_int_equal(ask(s, request), 202);
    assert_int_equal(strlen(raw_body(s->answer)), WEB_BODY_MAX + 1);
    assert_int_equal(ask(s, "POST /open HTTP/1.1\r\n" CLOSE "Content-Length: 4097\r\n\r\n"), 413);
    assert_int_equal(ask(s, "POST /open HTTP/1.1\r\n" CLOSE "Expect: 100-continue\r\nContent-Length: 99999999\r\n\r\n"),
                     413);
    assert_int_equal(ask(s, "GET /hello HTTP/1.1\r\n" CLOSE "Content-Length: 1\r\n\r\nx"), 413);
    assert_int_equal(ask(s, "POST /open HTTP/1.1\r\n" CLOSE "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"),
                     411);
    assert_int_equal(atomic_load(&posts), 1);
    free(request);
}

static void
body__with_a_length_that_is_none__is_400(void **state)
{
    static const char *const lengths[] = {"-1", "x", "0x10", "99999999999999999999999", "1 2", "", "+2"};
    struct scene *s = *state;
    char request[256];

    for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
        int status;

        (void)snprintf(request, sizeof(request), "POST /open HTTP/1.1\r\n" CLOSE "Content-Length: %s\r\n\r\n{}",
                       lengths[i]);
        status = ask(s, request);
        if (status != 400 && status != 413)
            fail_msg("Content-Length \"%s\": %d", lengths[i], status);
    }
    assert_int_equal(atomic_load(&posts), 0);
}

static void
headers__too_many__are_431_or_414(void **state)
{
    struct scene *s = *state;
    char *request = mem_new(300000), *at = request;
    int status;

    at += sprintf(at, "GET /hello HTTP/1.1\r\n" CLOSE);
    for (int i = 0; i < 70; i++) /* 7 kB are fine */
        at += sprintf(at, "X-%02d: %090d\r\n", i, i);
    (void)sprintf(at, "\r\n");
    assert_int_equal(ask(s, request), 200);
    for (int i = 0; i < 200; i++)
        at += sprintf(at, "X-%02d: %090d\r\n", i, i);
    (void)sprintf(at, "\r\n");
    status = ask(s, request);
    if (status != 431 && status != 413)
        fail_msg("headers: %d", status);
    at = request + sprintf(request, "GET /hello?x=");
    memset(at, 'u', 200000);
    (void)sprintf(at + 200000, " HTTP/1.1\r\n" CLOSE "\r\n");
    assert_int_equal(ask(s, request), 414);
    at = request + sprintf(request, "GET /hello HTTP/1.1\r\nX-One: ");
    memset(at, 'h', 200000);
    (void)sprintf(at + 200000, "\r\n\r\n");
    assert_int_equal(ask(s, request), 431);
    free(request);
}

static void
nonsense__of_any_kind__is_refused_and_the_web_lives_on(void **state)
{
    static const char *const nonsense[] = {
        "\r\n\r\n\r\n",
        "GET\r\n\r\n",
        "GET /hello\r\n\r\n",
        "GET /hello HTTP/9.9\r\n\r\n",
        "GET /hello HTTP/1.1\r\n\r\n", /* without Host */
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a TLS hello\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: x\r\nBad Header\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "*1\r\n$4\r\nPING\r\n\r\n",
    };
    struct scene *s = *state;

    for (size_t i = 0; i < ARRAY_LEN(nonsense); i++) {
        int fd = raw_connect(s->port);

        assert_true(raw_send(fd, nonsense[i], strlen(nonsense[i])));
        (void)shutdown(fd, SHUT_WR);
        (void)raw_read(fd, s->answer, RAW_ANSWER_MAX - 1);
        if (raw_status(s->answer) == 200)
            fail_msg("\"%s\" was answered", nonsense[i]);
        (void)close(fd);
    }
    assert_int_equal(ask(s, "GET /hello HTTP/1.1\r\n" CLOSE "\r\n"), 200);
}

/* ---- slow and greedy clients ---- */

static void
slow_client__says_nothing_for_10_s__is_cut_off(void **state)
{
    struct scene *s = *state;
    int fd = raw_connect(s->port);
    int64_t began = clock_mono_ms(), took;

    assert_true(raw_send(fd, "GET /hello HT", 13));
    (void)raw_read(fd, s->answer, RAW_ANSWER_MAX - 1);
    took = clock_mono_ms() - began;
    (void)close(fd);
    if (took < 8000 || took > 14000)
        fail_msg("after %d ms", (int)took);
}

/* 1,100 that never come to an end: the last ones, and whoever asks properly, get in all the same. */
static void
slow_clients__more_than_places__give_way_to_others(void **state)
{
    enum { CLIENTS = 1100 };
    static const char head[] = "HEAD /hello HTTP/1.1\r\nHost: x\r\n\r\n";
    static int fds[CLIENTS];
    struct scene *s = *state;
    struct rlimit limit;
    unsigned gone = 0;
    int kept = raw_connect(s->port);

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    if (limit.rlim_cur < 4 * CLIENTS)
        limit.rlim_cur = 4 * CLIENTS;
    if (limit.rlim_cur > limit.rlim_max)
        fail_msg("this test needs %d descriptors", 4 * CLIENTS);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    for (int i = 0; i < CLIENTS; i++) {
        fds[i] = raw_connect(s->port);
        assert_true(raw_send(fds[i], "GET /hel", 8));
        if (i % 100 == 0) { /* one that is served now and then keeps its connection */
            assert_true(raw_send(kept, head, strlen(head)));
            assert_true(recv(kept, s->answer, RAW_ANSWER_MAX, 0) > 0);
            assert_int_equal(raw_status(s->answer), 200);
        }
    }
    assert_int_equal(ask(s, "GET /hello HTTP/1.1\r\n" CLOSE "\r\n"), 200);
    for (int i = 0; i < CLIENTS; i++) {
        char byte;

        gone += recv(fds[i], &byte, 1, MSG_DONTWAIT) == 0;
        (void)close(fds[i]);
    }
    assert_in_range(gone, 100, 110);
    (void)close(kept);
}

static void
greedy_clients__read_nothing__cost_a_bounded_amount(void **state)
{
    enum { CLIENTS = 30 };
    struct scene *s = *state;
    static const char get[] = "GET /large HTTP/1.1\r\nHost: x\r\n\r\n";
    const int small = 4096;
    int fds[CLIENTS], refused = 0;

    for (int i = 0; i < CLIENTS; i++) {
        fds[i] = raw_connect(s->port);
        (void)setsockopt(fds[i], SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
        assert_true(raw_send(fds[i], get, strlen(get)));
    }
    assert_int_equal(ask(s, "GET /hello HTTP/1.1\r\n" CLOSE "\r\n"), 200);
    for (int i = 0; i < CLIENTS; i++) {
        (void)raw_read(fds[i], s->answer, 20);
        refused += raw_status(s->answer) == 503;
        (void)close(fds[i]);
    }
    assert_int_equal(refused, CLIENTS - 10); /* 10 of 3 MB fit into 32 MB */
    clock_sleep_ms(200);                     /* their memory is given back */
    assert_int_equal(ask(s, "HEAD /large HTTP/1.1\r\n" CLOSE "\r\n"), 200);
}

static void *
ask_slowly(void *cookie)
{
    struct scene *s = cookie;

    (void)raw_ask(s->port, "GET /slow HTTP/1.1\r\n" CLOSE "\r\n", s->answer);
    return NULL;
}

static void
stop__while_one_is_answered__lets_it_come_to_its_end(void **state)
{
    struct scene *s = *state;
    int idle = raw_connect(s->port);
    int64_t began;
    pthread_t thread;

    assert_true(raw_send(idle, "GET /hel", 8));
    assert_int_equal(pthread_create(&thread, NULL, ask_slowly, s), 0);
    clock_sleep_ms(100);
    began = clock_mono_ms();
    web_stop(s->web);
    s->web = NULL;
    assert_true(clock_mono_ms() - began < 1500);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(raw_status(s->answer), 200);
    assert_string_equal(raw_body(s->answer), "after a while\n");
    assert_int_equal(raw_read(idle, s->answer, 10), 0);
    (void)close(idle);
}

static void
start__token_file_that_cannot_be_used__is_usage(void **state)
{
    static const char *const bad[] = {"",
                                      "\n",
                                      "short\n",
                                      "fifteen-letters\n",
                                      "two lines of\na token file\n",
                                      "a token with blanks\n",
                                      "t\xc3\xb6kens-have-no-umlauts\n"};
    struct scene *s = *state;
    struct err err = ERR_INIT;
    char *large = mem_new(5000);

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        write_token(s, bad[i]);
        assert_null(web_start("127.0.0.1:0", s->token_path, routes, &s->board, &err));
        assert_int_equal(err.code, ERR_USAGE);
        assert_non_null(strstr(err.msg, s->token_path));
        assert_null(strstr(err.msg, "letters\n"));
    }
    memset(large, 't', 4999);
    write_token(s, large);
    free(large);
    assert_null(web_start("127.0.0.1:0", s->token_path, routes, &s->board, &err));
    assert_int_equal(err.code, ERR_USAGE);
    assert_null(web_start("127.0.0.1:0", "/nonexistent/token", routes, &s->board, &err));
    assert_int_equal(err.code, ERR_USAGE);
}

static void
start__port_in_use__is_usage_and_names_it(void **state)
{
    struct scene *s = *state;
    struct err err = ERR_INIT;
    char address[32];

    (void)snprintf(address, sizeof(address), "127.0.0.1:%u", s->port);
    assert_null(web_start(address, NULL, routes, &s->board, &err));
    assert_int_equal(err.code, ERR_USAGE);
    assert_non_null(strstr(err.msg, address));
    assert_non_null(strstr(err.msg, "in use"));
}

#define SCENE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE(get__a_route__is_answered_with_the_headers_that_protect),
        SCENE(get__a_route_with_a_policy_of_its_own__sends_that_one),
        SCENE(get__below_a_folder__has_the_rest),
        SCENE(get__percent_encoded_paths__are_no_other_way_to_write_one),
        SCENE(head__a_route__is_get_without_the_body),
        SCENE(other_methods__of_a_route__are_405_and_told_which_are_not),
        SCENE(pipelining__requests_at_once__are_answered_in_order),
        SCENE(host__anything_or_strange__changes_nothing),
        SCENE(token__the_right_one__lets_in),
        SCENE(token__any_other__is_401_and_nothing_happens),
        SCENE(token__no_file_at_all__is_403),
        SCENE(token__file_changes__counts_at_once),
        SCENE(token__kubernetes_secret_is_updated__counts_at_once),
        SCENE(body__longer_than_allowed__is_413_before_it_comes),
        SCENE(body__with_a_length_that_is_none__is_400),
        SCENE(headers__too_many__are_431_or_414),
        SCENE(nonsense__of_any_kind__is_refused_and_the_web_lives_on),
        SCENE(slow_client__says_nothing_for_10_s__is_cut_off),
        SCENE(slow_clients__more_than_places__give_way_to_others),
        SCENE(greedy_clients__read_nothing__cost_a_bounded_amount),
        SCENE(stop__while_one_is_answered__lets_it_come_to_its_end),
        SCENE(start__token_file_that_cannot_be_used__is_usage),
        SCENE(start__port_in_use__is_usage_and_names_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
