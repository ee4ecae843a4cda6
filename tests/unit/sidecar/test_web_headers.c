/* SPDX-License-Identifier: Apache-2.0 */
/* test_web_headers.c: requests that can be read in two ways, are too large, or are none at all. */
#include "agent/sidecar/web_headers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "tests/support/test_common.h"
#include "tests/support/web_scene.h"

/* What follows a request is never another one: so it does not matter how a proxy in front would have cut it. */
static void
requests__behind_the_first_on_a_connection__are_not_looked_at(void **state)
{
#define SECOND                                                                                                         \
    "POST /things HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " WEB_SCENE_TOKEN "\r\nContent-Length: 2\r\n\r\n{}"
    static const char *const first[] = {
        "GET /hello HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\n\r\n",
        "GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        "GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n",
        "PUT /hello HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: 100\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: x\r\nContent-Length : 100\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: x\r\nContent-Length:\r\n 100\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: x\r\nX: y\r\n Content-Length: 100\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: x\r\nTransfer-Encoding : chunked\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        "GET /hello HTTP/1.1\nHost: x\n\n",
        "POST /open HTTP/1.1\r\nHost: x\r\nContent-Length: 99999\r\n\r\n",
        "POST /things HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
    };
    struct web_scene *s = *state;
    char request[1024];

    for (size_t i = 0; i < ARRAY_LEN(first); i++) {
        (void)snprintf(request, sizeof(request), "%s" SECOND, first[i]);
        (void)web_scene_ask(s, request);
        if (web_scene_count(s->answer, "HTTP/1.1 ") != 1 || !raw_has_header(s->answer, "Connection: close"))
            fail_msg("%s: %s", first[i], s->answer);
    }
    assert_int_equal(web_scene_posts(), 0);
    assert_int_equal(web_scene_ask(s, SECOND), 202);
#undef SECOND
}

static void
headers__that_can_be_read_in_two_ways__are_400(void **state)
{
    static const char right_first[] = "Authorization: Bearer " WEB_SCENE_TOKEN "\r\nAuthorization: Bearer wrong\r\n";
    static const char wrong_first[] = "Authorization: Bearer wrong\r\nAuthorization: Bearer " WEB_SCENE_TOKEN "\r\n";
    static const char *const lines[] = {
        "Host: y\r\n",
        "Content-Length: 2\r\n",
        "content-length: 3\r\n",
        right_first,
        wrong_first,
        "X-Blank : y\r\n",
        "X Blank: y\r\n",
        "X\t: y\r\n",
        "X-\xc3\xa4: y\r\n",
        "X(y): y\r\n",
        "X: a\001b\r\n",
        "X: a\rContent-Length: 2\r\n",
        "X: y\r\n Z: folded\r\n",
    };
    struct web_scene *s = *state;
    char request[1024];

    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        (void)snprintf(request, sizeof(request),
                       "POST /open HTTP/1.1\r\n" WEB_SCENE_HOST "%sContent-Length: 2\r\n\r\n{}", lines[i]);
        if (web_scene_ask(s, request) != 400)
            fail_msg("%s: %.100s", lines[i], s->answer);
        assert_true(raw_has_header(s->answer, "Content-Type: application/json"));
        assert_true(raw_has_header(s->answer, "X-Content-Type-Options: nosniff"));
    }
    assert_int_equal(web_scene_posts(), 0);
    assert_int_equal(
        web_scene_ask(s, "POST /open HTTP/1.1\r\n" WEB_SCENE_HOST "X-Fine: \xff\xfe\t!\r\nX-Fine: y\r\nX-Fine:\r\n"
                         "Content-Length: 2\r\n\r\n{}"),
        202);
}

static void
headers__too_many__are_431_or_414(void **state)
{
    struct web_scene *s = *state;
    char *request = mem_new(300000), *at = request;
    int status;

    at += sprintf(at, "GET /hello HTTP/1.1\r\n" WEB_SCENE_HOST);
    for (int i = 0; i < 60; i++) /* so many, of 7.5 kB, are fine */
        at += sprintf(at, "X-%02d: %0118d\r\n", i, i);
    (void)sprintf(at, "\r\n");
    assert_int_equal(web_scene_ask(s, request), 200);
    for (int i = 0; i < 200; i++)
        at += sprintf(at, "X-%02d: %090d\r\n", i, i);
    (void)sprintf(at, "\r\n");
    status = web_scene_ask(s, request);
    if (status != 431 && status != 413)
        fail_msg("headers: %d", status);
    at = request + sprintf(request, "GET /hello?x=");
    memset(at, 'u', 200000);
    (void)sprintf(at + 200000, " HTTP/1.1\r\n" WEB_SCENE_HOST "\r\n");
    assert_int_equal(web_scene_ask(s, request), 414);
    at = request + sprintf(request, "GET /hello HTTP/1.1\r\nX-One: ");
    memset(at, 'h', 200000);
    (void)sprintf(at + 200000, "\r\n\r\n");
    assert_int_equal(web_scene_ask(s, request), 431);
    free(request);
}

/* Ours as long as libmicrohttpd can keep them, so that there is never a size that is not answered at all. */
static void
headers__somewhat_too_large__are_431_with_our_headers(void **state)
{
    static const char form[] = "GET /hello HTTP/1.1\r\n" WEB_SCENE_HOST;
    struct web_scene *s = *state;
    char *request = mem_new(65536), *at;

    for (size_t size = 7500; size < 16000; size += 100) {
        int wanted = size + 4 <= 8192 ? 200 : 431;

        at = request + sprintf(request, "%sX: ", form);
        memset(at, 'h', size - (size_t)(at - request));
        (void)sprintf(request + size, "\r\n\r\n");
        if (web_scene_ask(s, request) != wanted || !raw_has_header(s->answer, "X-Content-Type-Options: nosniff"))
            fail_msg("%zu bytes: %.40s", size, s->answer);
    }
    for (int count = 20; count < 300; count += 20) {
        int wanted = count + 2 <= 64 ? 200 : 431;

        at = request + sprintf(request, "%s", form);
        for (int i = 0; i < count; i++)
            at += sprintf(at, "a:\r\n");
        (void)sprintf(at, "\r\n");
        if (web_scene_ask(s, request) != wanted || !raw_has_header(s->answer, "X-Content-Type-Options: nosniff"))
            fail_msg("%d headers: %.40s", count, s->answer);
    }
    at = request + sprintf(request, "%sCookie: ", form);
    for (int i = 0; i < 40; i++) /* a browser's, of all that was ever at this host's other ports */
        at += sprintf(at, "c%02d=%0150d; ", i, i);
    (void)sprintf(at, "\r\n\r\n");
    assert_int_equal(web_scene_ask(s, request), 200);
    free(request);
}

static void
body__longer_than_allowed__is_413_before_it_comes(void **state)
{
    struct web_scene *s = *state;
    char *request = mem_new(WEB_BODY_MAX + 512);
    int len =
        snprintf(request, 512, "POST /open HTTP/1.1\r\n" WEB_SCENE_HOST "Content-Length: %d\r\n\r\n", WEB_BODY_MAX);

    memset(request + len, 'b', WEB_BODY_MAX);
    assert_int_equal(web_scene_ask(s, request), 202);
    assert_int_equal(strlen(raw_body(s->answer)), WEB_BODY_MAX + 1);
    assert_int_equal(web_scene_ask(s, "POST /open HTTP/1.1\r\n" WEB_SCENE_HOST "Content-Length: 4097\r\n\r\n"), 413);
    assert_int_equal(web_scene_ask(s, "POST /open HTTP/1.1\r\n" WEB_SCENE_HOST
                                      "Expect: 100-continue\r\nContent-Length: 99999999\r\n\r\n"),
                     413);
    assert_int_equal(web_scene_ask(s, "GET /hello HTTP/1.1\r\n" WEB_SCENE_HOST "Content-Length: 1\r\n\r\nx"), 413);
    assert_int_equal(web_scene_ask(s, "POST /open HTTP/1.1\r\n" WEB_SCENE_HOST
                                      "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"),
                     411);
    assert_int_equal(web_scene_posts(), 1);
    free(request);
}

/* It is read before it is refused: a socket that is closed with bytes unread is reset, and the answer may be lost. */
static void
body__that_comes_after_the_headers__is_waited_for(void **state)
{
    static const struct {
        const char *head;
        int status;
    } cases[] = {
        {"POST /things HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer wrong\r\nContent-Length: 2\r\n\r\n", 401},
        {"POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n", 404},
        {"PUT /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n", 405},
        {"GET /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n", 413},
        {"POST /open HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n", 202},
    };
    struct web_scene *s = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int fd = raw_connect(s->port);
        char byte;

        assert_true(raw_send(fd, cases[i].head, strlen(cases[i].head)));
        clock_sleep_ms(50);
        assert_int_equal(recv(fd, &byte, 1, MSG_DONTWAIT), -1); /* nothing yet */
        assert_true(raw_send(fd, "{", 1));
        clock_sleep_ms(50);
        assert_true(raw_send(fd, "}", 1));
        (void)raw_read(fd, s->answer, RAW_ANSWER_MAX - 1);
        assert_int_equal(raw_status(s->answer), cases[i].status);
        (void)close(fd);
    }
}

static void
body__with_a_length_that_is_none__is_400(void **state)
{
    static const char *const lengths[] = {"-1", "x", "0x10", "99999999999999999999999", "1 2", "", "+2"};
    struct web_scene *s = *state;
    char request[256];

    for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
        int status;

        (void)snprintf(request, sizeof(request),
                       "POST /open HTTP/1.1\r\n" WEB_SCENE_HOST "Content-Length: %s\r\n\r\n{}", lengths[i]);
        status = web_scene_ask(s, request);
        if (status != 400 && status != 413)
            fail_msg("Content-Length \"%s\": %d", lengths[i], status);
    }
    assert_int_equal(web_scene_posts(), 0);
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
    struct web_scene *s = *state;

    for (size_t i = 0; i < ARRAY_LEN(nonsense); i++) {
        int fd = raw_connect(s->port);

        assert_true(raw_send(fd, nonsense[i], strlen(nonsense[i])));
        (void)shutdown(fd, SHUT_WR);
        (void)raw_read(fd, s->answer, RAW_ANSWER_MAX - 1);
        if (raw_status(s->answer) == 200)
            fail_msg("\"%s\" was answered", nonsense[i]);
        (void)close(fd);
    }
    assert_int_equal(web_scene_ask(s, "GET /hello HTTP/1.1\r\n" WEB_SCENE_HOST "\r\n"), 200);
}

#define SCENE(test) cmocka_unit_test_setup_teardown(test, web_scene_setup, web_scene_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE(requests__behind_the_first_on_a_connection__are_not_looked_at),
        SCENE(headers__that_can_be_read_in_two_ways__are_400),
        SCENE(headers__too_many__are_431_or_414),
        SCENE(headers__somewhat_too_large__are_431_with_our_headers),
        SCENE(body__longer_than_allowed__is_413_before_it_comes),
        SCENE(body__that_comes_after_the_headers__is_waited_for),
        SCENE(body__with_a_length_that_is_none__is_400),
        SCENE(nonsense__of_any_kind__is_refused_and_the_web_lives_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
