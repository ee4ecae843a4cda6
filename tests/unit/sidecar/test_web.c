/* SPDX-License-Identifier: Apache-2.0 */
/* test_web.c: the HTTP side over real sockets: what is answered, what is refused, tokens, and clients that are slow or
 * greedy. */
#include "agent/sidecar/web.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "tests/support/test_common.h"
#include "tests/support/web_scene.h"

/* ---- what is asked for ---- */

static void
get__a_route__is_answered_with_the_headers_that_protect(void **state)
{
    struct web_scene *s = *state;

    assert_int_equal(web_scene_ask(s, "GET /hello?limit=7&x=%41 HTTP/1.1\r\n" WEB_SCENE_HOST "\r\n"), 200);
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
    struct web_scene *s = *state;

    assert_int_equal(web_scene_ask(s, "HEAD /large HTTP/1.1\r\n" WEB_SCENE_HOST "\r\n"), 200);
    assert_true(raw_has_header(s->answer, "Content-Security-Policy: default-src 'self'; frame-ancestors 'none'"));
}

static void
get__below_a_folder__has_the_rest(void **state)
{
    struct web_scene *s = *state;

    assert_int_equal(web_scene_ask(s, "GET /things/abc HTTP/1.1\r\n" WEB_SCENE_HOST "\r\n"), 200);
    assert_string_equal(raw_body(s->answer), "hello path=/things/abc rest=abc limit=none\n");
    assert_int_equal(web_scene_ask(s, "GET /things/ HTTP/1.1\r\n" WEB_SCENE_HOST "\r\n"), 404);
    assert_int_equal(web_scene_ask(s, "GET / HTTP/1.1\r\n" WEB_SCENE_HOST "\r\n"), 200);
    assert_int_equal(web_scene_ask(s, "GET /nothing HTTP/1.1\r\n" WEB_SCENE_HOST "\r\n"), 404);
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
    struct web_scene *s = *state;
    char request[256];

    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        int status;

        (void)snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\n" WEB_SCENE_HOST "\r\n", paths[i]);
        status = web_scene_ask(s, request);
        if (status != 404 && status != 400)
            fail_msg("%s: %d", paths[i], status);
    }
    assert_int_equal(web_scene_ask(s, "GET /things/%2e%2e%2fhello HTTP/1.1\r\n" WEB_SCENE_HOST "\r\n"), 200);
    assert_string_equal(raw_body(s->answer), "hello path=/things/%2e%2e%2fhello rest=%2e%2e%2fhello limit=none\n");
}

static void
head__a_route__is_get_without_the_body(void **state)
{
    struct web_scene *s = *state;

    assert_int_equal(web_scene_ask(s, "HEAD /hello HTTP/1.1\r\n" WEB_SCENE_HOST "\r\n"), 200);
    assert_string_equal(raw_body(s->answer), "");
    assert_true(raw_has_header(s->answer, "Content-Length: 35"));
    assert_int_equal(web_scene_ask(s, "HEAD /nothing HTTP/1.1\r\n" WEB_SCENE_HOST "\r\n"), 404);
    assert_string_equal(raw_body(s->answer), "");
    assert_int_equal(web_scene_ask(s, "HEAD /open HTTP/1.1\r\n" WEB_SCENE_HOST "\r\n"), 405);
}

static void
other_methods__of_a_route__are_405_and_told_which_are_not(void **state)
{
    static const char *const methods[] = {"PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "POST", "BREW", "get"};
    struct web_scene *s = *state;
    char request[256];

    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        (void)snprintf(request, sizeof(request), "%s /hello HTTP/1.1\r\n" WEB_SCENE_HOST "Origin: http://evil\r\n\r\n",
                       methods[i]);
        assert_int_equal(web_scene_ask(s, request), 405);
        assert_true(raw_has_header(s->answer, "Allow: GET, HEAD"));
        assert_null(strstr(s->answer, "Access-Control-"));
    }
    assert_int_equal(web_scene_ask(s, "PUT /things HTTP/1.1\r\n" WEB_SCENE_HOST "Content-Length: 2\r\n\r\n{}"), 405);
    assert_true(raw_has_header(s->answer, "Allow: POST, GET, HEAD"));
}

static void
host__anything_or_strange__changes_nothing(void **state)
{
    struct web_scene *s = *state;
    static char other[RAW_ANSWER_MAX];

    assert_int_equal(web_scene_ask(s, "HEAD /hello HTTP/1.1\r\nHost: evil.example:1\r\nConnection: close\r\n\r\n"),
                     200);
    assert_null(strstr(s->answer, "evil"));
    assert_int_equal(raw_ask(s->port, "GET /hello HTTP/1.0\r\n\r\n", other), 200);
}

/* ---- tokens ---- */

static int
post_with(struct web_scene *s, const char *authorization)
{
    char request[8192];

    (void)snprintf(request, sizeof(request), "POST /things HTTP/1.1\r\n" WEB_SCENE_HOST "%sContent-Length: 2\r\n\r\n{}",
                   authorization);
    return web_scene_ask(s, request);
}

static void
token__the_right_one__lets_in(void **state)
{
    struct web_scene *s = *state;

    assert_int_equal(post_with(s, "Authorization: Bearer " WEB_SCENE_TOKEN "\r\n"), 202);
    assert_true(raw_has_header(s->answer, "Location: /things/1"));
    assert_int_equal(post_with(s, "authorization: bearer   " WEB_SCENE_TOKEN "\r\n"), 202);
    assert_int_equal(web_scene_posts(), 2);
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
        "Authorization: Bearer " WEB_SCENE_TOKEN " x\r\n",
        "Authorization: Basic " WEB_SCENE_TOKEN "\r\n",
        "Authorization: " WEB_SCENE_TOKEN "\r\n",
        "Authorization: Bearer" WEB_SCENE_TOKEN "\r\n",
        "X-Authorization: Bearer " WEB_SCENE_TOKEN "\r\n",
        "Cookie: token=" WEB_SCENE_TOKEN "\r\n",
    };
    struct web_scene *s = *state;
    char *text;

    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        if (post_with(s, wrong[i]) != 401)
            fail_msg("%s: %.60s", wrong[i], s->answer);
        assert_true(raw_has_header(s->answer, "WWW-Authenticate: Bearer"));
        assert_true(raw_has_header(s->answer, "Cache-Control: no-store"));
    }
    assert_int_equal(web_scene_ask(s, "POST /things?token=" WEB_SCENE_TOKEN " HTTP/1.1\r\n" WEB_SCENE_HOST
                                      "Content-Length: 0\r\n\r\n"),
                     401);
    assert_int_equal(web_scene_posts(), 0);
    text = web_scene_logged(s);
    assert_int_equal(web_scene_count(text, "without the right token"), 1); /* and not once a try */
    assert_non_null(strstr(text, "peer=127.0.0.1"));
    assert_null(strstr(text, "0123456789"));
    assert_null(strstr(text, "Bearer"));
    free(text);
}

static void
token__no_file_at_all__is_403(void **state)
{
    struct web_scene *s = *state;

    web_stop(s->web);
    web_scene_start(s, NULL);
    assert_int_equal(post_with(s, "Authorization: Bearer " WEB_SCENE_TOKEN "\r\n"), 403);
    assert_int_equal(web_scene_ask(s, "GET /things HTTP/1.1\r\n" WEB_SCENE_HOST "\r\n"), 200);
    assert_int_equal(web_scene_posts(), 0);
}

static void
token__file_changes__counts_at_once(void **state)
{
    struct web_scene *s = *state;
    char *text;

    web_scene_write_token(s, "another-token-of-many\r\n");
    assert_int_equal(post_with(s, "Authorization: Bearer " WEB_SCENE_TOKEN "\r\n"), 401);
    assert_int_equal(post_with(s, "Authorization: Bearer another-token-of-many\r\n"), 202);
    assert_int_equal(unlink(s->token_path), 0);
    assert_int_equal(post_with(s, "Authorization: Bearer another-token-of-many\r\n"), 503);
    assert_int_equal(post_with(s, "Authorization: Bearer another-token-of-many\r\n"), 503);
    assert_int_equal(web_scene_ask(s, "GET /things HTTP/1.1\r\n" WEB_SCENE_HOST "\r\n"),
                     200); /* what is read needs none */
    web_scene_write_token(s, "short\n");
    assert_int_equal(post_with(s, "Authorization: Bearer short\r\n"), 503);
    web_scene_write_token(s, WEB_SCENE_TOKEN);
    assert_int_equal(post_with(s, "Authorization: Bearer " WEB_SCENE_TOKEN "\r\n"), 202);
    text = web_scene_logged(s);
    assert_int_equal(web_scene_count(text, "until the token file is in order"), 1);
    assert_int_equal(web_scene_count(text, "read anew"), 2);
    assert_null(strstr(text, "another-token"));
    free(text);
}

/* A Secret's volume: token -> ..data/token, ..data -> a folder with a time stamp; an update turns ..data. */
static void
token__kubernetes_secret_is_updated__counts_at_once(void **state)
{
    struct web_scene *s = *state;
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
        web_scene_write_file(path, "token", i == 1 ? "first-token-00000000" : "other-token-00000000");
    }
    assert_int_equal(symlinkat("..1", dir, "..data"), 0);
    assert_int_equal(symlinkat("..data/token", dir, "token"), 0);
    web_scene_start(s, s->token_path);
    assert_int_equal(post_with(s, "Authorization: Bearer first-token-00000000\r\n"), 202);
    assert_int_equal(symlinkat("..2", dir, "..data_tmp"), 0);
    assert_int_equal(renameat(dir, "..data_tmp", dir, "..data"), 0);
    assert_int_equal(post_with(s, "Authorization: Bearer first-token-00000000\r\n"), 401);
    assert_int_equal(post_with(s, "Authorization: Bearer other-token-00000000\r\n"), 202);
    (void)close(dir);
}

/* Jobs are processes of their own: what they inherited would keep the port, and clients' connections, open. */
static void
descriptors__of_the_web__are_not_inherited(void **state)
{
    struct web_scene *s = *state;
    int fd = raw_connect(s->port), seen = 0;

    (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
    assert_true(raw_send(fd, "GET /hel", 8));
    assert_int_equal(web_scene_ask(s, "GET /hello HTTP/1.1\r\n" WEB_SCENE_HOST "\r\n"),
                     200); /* so FD's other end is there by now */
    for (int i = STDERR_FILENO + 1; i < 256; i++) {
        struct stat st;
        char path[32];
        int flags = fcntl(i, F_GETFD);

        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", i); /* by its name: the web may close it just now */
        if (flags < 0 || stat(path, &st) != 0 || !S_ISSOCK(st.st_mode))
            continue;
        seen++;
        if ((flags & FD_CLOEXEC) == 0)
            fail_msg("the descriptor %d would be inherited", i);
    }
    assert_true(seen >= 3); /* it listens, and both ends of a connection */
    (void)close(fd);
}

/* ---- slow and greedy clients ---- */

static void
slow_client__says_nothing_for_10_s__is_cut_off(void **state)
{
    struct web_scene *s = *state;
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
    static int fds[CLIENTS];
    struct web_scene *s = *state;
    struct rlimit limit;
    unsigned gone = 0;

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    if (limit.rlim_cur < 4 * CLIENTS)
        limit.rlim_cur = 4 * CLIENTS;
    if (limit.rlim_cur > limit.rlim_max)
        fail_msg("this test needs %d descriptors", 4 * CLIENTS);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    for (int i = 0; i < CLIENTS; i++) {
        fds[i] = raw_connect(s->port);
        assert_true(raw_send(fds[i], "GET /hel", 8));
        if (i % 100 == 0) /* others are served meanwhile */
            assert_int_equal(web_scene_ask(s, "HEAD /hello HTTP/1.1\r\n" WEB_SCENE_HOST "\r\n"), 200);
    }
    assert_int_equal(web_scene_ask(s, "GET /hello HTTP/1.1\r\n" WEB_SCENE_HOST "\r\n"), 200);
    for (int i = 0; i < CLIENTS; i++) {
        char byte;

        gone += recv(fds[i], &byte, 1, MSG_DONTWAIT) == 0;
        (void)close(fds[i]);
    }
    assert_in_range(gone, 100, 110);
}

static void
greedy_clients__read_nothing__cost_a_bounded_amount(void **state)
{
    enum { CLIENTS = 30 };
    struct web_scene *s = *state;
    static const char get[] = "GET /large HTTP/1.1\r\nHost: x\r\n\r\n";
    const int small = 4096;
    int fds[CLIENTS], refused = 0;

    for (int i = 0; i < CLIENTS; i++) {
        fds[i] = raw_connect(s->port);
        (void)setsockopt(fds[i], SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
        assert_true(raw_send(fds[i], get, strlen(get)));
    }
    assert_int_equal(web_scene_ask(s, "GET /hello HTTP/1.1\r\n" WEB_SCENE_HOST "\r\n"), 200);
    for (int i = 0; i < CLIENTS; i++) {
        (void)raw_read(fds[i], s->answer, 20);
        refused += raw_status(s->answer) == 503;
        (void)close(fds[i]);
    }
    /* 10 of 3 MB fit into 32 MB; as many again where the first ones were sent away (10 s) before the last had come. */
    assert_in_range(refused, CLIENTS - 20, CLIENTS - 10);
    clock_sleep_ms(200); /* their memory is given back */
    assert_int_equal(web_scene_ask(s, "HEAD /large HTTP/1.1\r\n" WEB_SCENE_HOST "\r\n"), 200);
}

/* A connection on which hardly anything can be on its way unread. */
static int
connect_with_a_small_window(unsigned port)
{
    const struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int small = 2048;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&at, sizeof(at)), 0);
    return fd;
}

/* The answers are in the kernel, and the connections closed: those too many are dropped there. */
static void
greedy_clients__leave_their_answers_unread__cost_the_kernel_a_bounded_amount(void **state)
{
    enum { CLIENTS = 400 };
    static const char get[] = "GET /medium HTTP/1.1\r\nHost: x\r\n\r\n";
    static int fds[CLIENTS];
    struct web_scene *s = *state;
    int reset = 0;

    for (int i = 0; i < CLIENTS; i++) {
        fds[i] = connect_with_a_small_window(s->port);
        assert_true(raw_send(fds[i], get, strlen(get)));
    }
    assert_int_equal(web_scene_ask(s, "GET /hello HTTP/1.1\r\n" WEB_SCENE_HOST "\r\n"), 200);
    clock_sleep_ms(200);
    for (int i = 0; i < CLIENTS; i++) {
        int error = 0;
        socklen_t len = sizeof(error);

        assert_int_equal(getsockopt(fds[i], SOL_SOCKET, SO_ERROR, &error, &len), 0);
        reset += error == ECONNRESET;
        (void)close(fds[i]);
    }
    if (reset < CLIENTS - 256 - 100 || reset > CLIENTS - 256)
        fail_msg("%d of %d were reset", reset, CLIENTS);
}

static void *
ask_slowly(void *cookie)
{
    struct web_scene *s = cookie;

    (void)raw_ask(s->port, "GET /slow HTTP/1.1\r\n" WEB_SCENE_HOST "\r\n", s->answer);
    return NULL;
}

static void
stop__while_one_is_answered__lets_it_come_to_its_end(void **state)
{
    struct web_scene *s = *state;
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
    struct web_scene *s = *state;
    struct err err = ERR_INIT;
    char *large = mem_new(5000);

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        web_scene_write_token(s, bad[i]);
        assert_null(web_start("127.0.0.1:0", s->token_path, web_scene_routes, &s->board, &err));
        assert_int_equal(err.code, ERR_USAGE);
        assert_non_null(strstr(err.msg, s->token_path));
        assert_null(strstr(err.msg, "letters\n"));
    }
    memset(large, 't', 4999);
    web_scene_write_token(s, large);
    free(large);
    assert_null(web_start("127.0.0.1:0", s->token_path, web_scene_routes, &s->board, &err));
    assert_int_equal(err.code, ERR_USAGE);
    assert_null(web_start("127.0.0.1:0", "/nonexistent/token", web_scene_routes, &s->board, &err));
    assert_int_equal(err.code, ERR_USAGE);
}

static void
start__port_in_use__is_usage_and_names_it(void **state)
{
    struct web_scene *s = *state;
    struct err err = ERR_INIT;
    char address[32];

    (void)snprintf(address, sizeof(address), "127.0.0.1:%u", s->port);
    assert_null(web_start(address, NULL, web_scene_routes, &s->board, &err));
    assert_int_equal(err.code, ERR_USAGE);
    assert_non_null(strstr(err.msg, address));
    assert_non_null(strstr(err.msg, "in use"));
}

#define SCENE(test) cmocka_unit_test_setup_teardown(test, web_scene_setup, web_scene_teardown)

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
        SCENE(host__anything_or_strange__changes_nothing),
        SCENE(token__the_right_one__lets_in),
        SCENE(token__any_other__is_401_and_nothing_happens),
        SCENE(token__no_file_at_all__is_403),
        SCENE(token__file_changes__counts_at_once),
        SCENE(token__kubernetes_secret_is_updated__counts_at_once),
        SCENE(descriptors__of_the_web__are_not_inherited),
        SCENE(slow_client__says_nothing_for_10_s__is_cut_off),
        SCENE(slow_clients__more_than_places__give_way_to_others),
        SCENE(greedy_clients__read_nothing__cost_a_bounded_amount),
        SCENE(greedy_clients__leave_their_answers_unread__cost_the_kernel_a_bounded_amount),
        SCENE(stop__while_one_is_answered__lets_it_come_to_its_end),
        SCENE(start__token_file_that_cannot_be_used__is_usage),
        SCENE(start__port_in_use__is_usage_and_names_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
