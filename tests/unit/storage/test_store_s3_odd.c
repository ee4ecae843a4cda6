/* SPDX-License-Identifier: Apache-2.0 */
/* store_s3 against a scripted server: answers that a real store gives rarely, or only when it is broken. */
#include "tests/support/test_common.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "storage/store_retry.h"
#include "storage/store_s3.h"
#include "tests/support/http_server.h"

#define XML_ERROR(code) "<?xml version=\"1.0\"?><Error><Code>" code "</Code><Message></Message></Error>"

/* One line of a script: what to answer to request number N, the last line also to all that follow. */
struct line {
    const char *status, *headers, *body;
    const char *raw; /* instead: all of the bytes, and then the connection is closed */
    int64_t slice_ms;
    bool reset, say_nothing;
};

struct scene {
    const struct line *lines;
    unsigned count;
    struct http_server *server;
    struct store *store;
    char seen[8][1024];    /* the target of each request */
    char condition[8][64]; /* its If-None-Match */
    char credential[8][1024];
};

static void
answer(const struct http_server_request *r, struct http_server_answer *a, void *cookie)
{
    struct scene *s = cookie;
    const struct line *l = &s->lines[r->number <= s->count ? r->number - 1 : s->count - 1];
    char value[1024];

    if (r->number <= 8) {
        (void)snprintf(s->seen[r->number - 1], 1024, "%.8s %.1000s", r->method, r->target);
        (void)snprintf(s->condition[r->number - 1], 64, "%.60s", http_server_header(r, "if-none-match", value));
        (void)snprintf(s->credential[r->number - 1], 1024, "%s", http_server_header(r, "authorization", value));
    }
    a->slice_ms = l->slice_ms;
    a->reset = l->reset;
    a->say_nothing = l->say_nothing;
    a->hang_up = l->raw != NULL;
    if (l->raw != NULL)
        (void)snprintf(a->bytes, sizeof(a->bytes), "%s", l->raw);
    else if (l->status != NULL)
        http_server_reply(a, l->status, l->headers != NULL ? l->headers : "", l->body != NULL ? l->body : "");
}

static void
open_scene(struct scene *s, const struct line *lines, unsigned count)
{
    struct store_s3_options options = {.url = "s3://bucket/pre", .region = "us-east-1"};
    struct err err = ERR_INIT;

    memset(s, 0, sizeof(*s));
    (void)setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE", 1);
    (void)setenv("AWS_SECRET_ACCESS_KEY", "s3cr3t/of/tests", 1);
    (void)setenv("AWS_CONFIG_FILE", "/dev/null", 1);
    (void)setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null", 1);
    (void)unsetenv("AWS_PROFILE");
    (void)unsetenv("AWS_SESSION_TOKEN");
    s->lines = lines;
    s->count = count;
    s->server = http_server_start(answer, s);
    options.endpoint = http_server_url(s->server);
    options.http.stall_timeout_ms = 1000;
    s->store = store_s3_open(&options, &err);
    if (s->store == NULL)
        fail_msg("%s", err.msg);
}

static void
close_scene(struct scene *s)
{
    store_free(s->store);
    http_server_stop(s->server);
}

/* One call against one answer. */
static void
expect(const struct line *line, int (*call)(struct store *s, struct err *err), enum err_code code, const char *word)
{
    struct err err = ERR_INIT;
    struct scene s;
    int rc;

    open_scene(&s, line, 1);
    rc = call(s.store, &err);
    close_scene(&s);
    if (code == ERR_NONE) {
        assert_ok(rc, &err);
        return;
    }
    assert_int_equal(rc, -1);
    if (err.code != code || strstr(err.msg, word) == NULL)
        fail_msg("%s: %s, not %s with \"%s\"", err_name(err.code), err.msg, err_name(code), word);
    assert_null(strstr(err.msg, "s3cr3t"));
}

static int
call_put(struct store *s, struct err *err)
{
    return store_put(s, &(struct store_put){.key = "k", .data = "data", .len = 4}, err);
}

static int
call_create(struct store *s, struct err *err)
{
    return store_put(s, &(struct store_put){.key = "k", .data = "data", .len = 4, .flags = STORE_PUT_CREATE}, err);
}

static int
call_get(struct store *s, struct err *err)
{
    char buf[16];
    size_t got = 0;

    return store_get(s, "k", 0, buf, 8, &got, err);
}

static int
call_stat(struct store *s, struct err *err)
{
    struct store_object object;

    return store_stat(s, "k", &object, err);
}

static bool
no_more(const struct store_object *object, void *cookie)
{
    (void)object, (void)cookie;
    return false;
}

static int
call_list(struct store *s, struct err *err)
{
    return store_list(s, &(struct store_list){0}, no_more, NULL, err);
}

static int
call_remove(struct store *s, struct err *err)
{
    return store_remove(s, "k", err);
}

static int
call_remove_many(struct store *s, struct err *err)
{
    static const char *const keys[] = {"a<&>", "b"};

    return store_remove_many(s, keys, 2, err);
}

static void
answers__of_every_kind__mean_one_thing_each(void **state)
{
    static const struct {
        struct line line;
        int (*call)(struct store *s, struct err *err);
        enum err_code code;
        const char *word;
    } cases[] = {
        {{.status = "200 OK", .body = XML_ERROR("InternalError")}, call_put, ERR_STORAGE, "InternalError"},
        {{.status = "200 OK", .body = XML_ERROR("SlowDown")}, call_remove_many, ERR_STORAGE, "SlowDown"},
        {{.status = "200 OK", .body = XML_ERROR("InternalError")}, call_list, ERR_STORAGE, "InternalError"},
        {{.status = "200 OK", .body = "<html></html>"}, call_list, ERR_CORRUPT, "no listing"},
        {{.status = "200 OK", .body = "<ListBucketResult><IsTru"}, call_list, ERR_CORRUPT, "too early"},
        {{.status = "200 OK"}, call_put, ERR_NONE, ""},
        {{.status = "200 OK", .headers = "x-amz-checksum-sha256: AAAA\r\n"}, call_put, ERR_STORAGE, "checksum"},
        {{.status = "404 Not Found", .body = XML_ERROR("NoSuchKey")}, call_get, ERR_NOT_FOUND, "no such object"},
        {{.status = "404 Not Found", .body = XML_ERROR("NoSuchBucket")},
         call_get,
         ERR_NOT_FOUND,
         "no bucket \"bucket\""},
        {{.status = "404 Not Found", .body = XML_ERROR("NoSuchBucket")}, call_remove, ERR_NOT_FOUND, "no bucket"},
        {{.status = "404 Not Found", .body = XML_ERROR("NoSuchKey")}, call_remove, ERR_NONE, ""},
        {{.status = "404 Not Found", .body = "<html>nginx</html>"}, call_get, ERR_STORAGE, "endpoint"},
        {{.status = "404 Not Found", .body = "<html>nginx</html>"}, call_list, ERR_STORAGE, "endpoint"},
        {{.status = "403 Forbidden", .body = XML_ERROR("AccessDenied")}, call_get, ERR_STORE_DENIED, "AccessDenied"},
        {{.status = "403 Forbidden", .body = XML_ERROR("SignatureDoesNotMatch")}, call_put, ERR_STORE_DENIED, "secret"},
        {{.status = "403 Forbidden", .body = XML_ERROR("InvalidAccessKeyId")}, call_put, ERR_STORE_DENIED, "its id"},
        {{.status = "403 Forbidden"}, call_get, ERR_STORE_DENIED, "403"},
        {{.status = "400 Bad Request", .body = XML_ERROR("ExpiredToken")}, call_get, ERR_STORE_DENIED, "expired"},
        {{.status = "403 Forbidden", .body = XML_ERROR("QuotaExceeded")}, call_put, ERR_NO_SPACE, "quota"},
        {{.status = "507 Insufficient Storage"}, call_put, ERR_NO_SPACE, "507"},
        {{.status = "503 Service Unavailable", .body = XML_ERROR("SlowDown")}, call_put, ERR_STORAGE, "SlowDown"},
        {{.status = "502 Bad Gateway", .body = "<html>x"}, call_get, ERR_STORAGE, "502"},
        {{.status = "500 Internal", .body = XML_ERROR("InternalError")}, call_stat, ERR_STORAGE, "500"},
        {{.status = "412 Precondition Failed", .body = XML_ERROR("PreconditionFailed")}, call_create, ERR_EXISTS, ""},
        {{.status = "409 Conflict", .body = XML_ERROR("ConditionalRequestConflict")}, call_create, ERR_STORAGE, "409"},
        {{.status = "400 Bad Request", .body = XML_ERROR("KeyTooLongError")}, call_put, ERR_UNSUPPORTED, "KeyToo"},
        {{.status = "200 OK", .body = "12345678"}, call_get, ERR_NONE, ""},
        {{.status = "206 Partial Content", .headers = "Content-Range: bytes 0-7/9\r\n", .body = "12345678"},
         call_get,
         ERR_NONE,
         ""},
        {{.status = "206 Partial Content", .headers = "Content-Range: bytes 0-7/9\r\n", .body = "1234"},
         call_get,
         ERR_STORAGE,
         "4 bytes of 8"},
        {{.status = "206 Partial Content", .headers = "Content-Range: bytes 3-10/99\r\n", .body = "12345678"},
         call_get,
         ERR_CORRUPT,
         "another range"},
        {{.status = "206 Partial Content", .body = "12345678"}, call_get, ERR_CORRUPT, "another range"},
        {{.raw = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc"}, call_get, ERR_STORAGE, "broke"},
        {{.raw = "HTTP/1.1 200 OK\r\n\r\nabc"}, call_get, ERR_STORAGE, "how long"},
        {{.raw = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc"}, call_get, ERR_STORAGE, ""},
        {{.status = "200 OK",
          .headers = "x-amz-checksum-sha256: AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n",
          .body = "1234"},
         call_get,
         ERR_STORAGE,
         "damaged"},
        {{.raw = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n"}, call_stat, ERR_CORRUPT, "size and the time"},
        {{.raw = "not http at all\r\n\r\n"}, call_get, ERR_STORAGE, ""},
        {{.raw = ""}, call_get, ERR_STORAGE, "broke"},
        {{.reset = true}, call_put, ERR_STORAGE, "broke"},
        {{.say_nothing = true}, call_get, ERR_STORAGE, "in time"},
        {{.raw = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\naaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
          .slice_ms = 60},
         call_get,
         ERR_STORAGE,
         "in time"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        expect(&cases[i].line, cases[i].call, cases[i].code, cases[i].word);
}

static void
stat__head_says_404__a_get_tells_what_is_missing(void **state)
{
    static const struct line object[] = {{.raw = "HTTP/1.1 404 Not Found\r\nContent-Length: 10\r\n\r\n"},
                                         {.status = "404 Not Found", .body = XML_ERROR("NoSuchKey")}};
    static const struct line bucket[] = {{.raw = "HTTP/1.1 404 Not Found\r\nContent-Length: 10\r\n\r\n"},
                                         {.status = "404 Not Found", .body = XML_ERROR("NoSuchBucket")}};
    struct err err = ERR_INIT;
    struct scene s;

    (void)state;
    open_scene(&s, object, 2);
    assert_fails(call_stat(s.store, &err), &err, ERR_NOT_FOUND);
    assert_string_equal(s.seen[0], "HEAD /bucket/pre/k");
    assert_string_equal(s.seen[1], "GET /bucket/pre/k");
    close_scene(&s);
    open_scene(&s, bucket, 2);
    assert_int_equal(call_stat(s.store, &err), -1);
    assert_non_null(strstr(err.msg, "no bucket \"bucket\""));
    close_scene(&s);
}

static void
put__create_only_unknown_to_the_store__is_put_plainly_and_dropped(void **state)
{
    static const struct line lines[] = {{.status = "501 Not Implemented", .body = XML_ERROR("NotImplemented")},
                                        {.status = "200 OK"}};
    struct err err = ERR_INIT;
    struct scene s;

    (void)state;
    open_scene(&s, lines, 2);
    assert_ok(call_create(s.store, &err), &err);
    assert_string_equal(s.condition[0], "*");
    assert_string_equal(s.condition[1], "");
    assert_int_equal(store_features(s.store) & STORE_CREATE_ONLY, 0);
    assert_fails(call_create(s.store, &err), &err, ERR_UNSUPPORTED);
    close_scene(&s);
}

static void
redirect__to_another_region__is_signed_anew(void **state)
{
    static const struct line region[] = {
        {.status = "400 Bad Request",
         .body = "<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-1</Region></Error>"},
        {.status = "200 OK"}};
    struct line moved[] = {{.status = "307 Temporary Redirect"}, {.status = "200 OK"}};
    struct err err = ERR_INIT;
    struct scene s, other;
    char location[128];

    (void)state;
    open_scene(&s, region, 2);
    assert_ok(call_put(s.store, &err), &err);
    assert_non_null(strstr(s.credential[0], "/us-east-1/s3/"));
    assert_non_null(strstr(s.credential[1], "/eu-west-1/s3/"));
    close_scene(&s);

    open_scene(&other, &region[1], 1);
    (void)snprintf(location, sizeof(location), "Location: %s/elsewhere?x\r\n", http_server_url(other.server));
    moved[0].headers = location;
    open_scene(&s, moved, 2);
    assert_ok(call_put(s.store, &err), &err);
    assert_string_equal(other.seen[0], "PUT /bucket/pre/k");
    assert_int_equal(http_server_requests(s.server), 1);
    close_scene(&s);
    close_scene(&other);
}

static void
redirect__in_circles__ends(void **state)
{
    static const struct line lines[] = {{.status = "301 Moved", .headers = "Location: http://127.0.0.1:1/\r\n"}};
    struct err err = ERR_INIT;
    struct scene s;

    (void)state;
    open_scene(&s, lines, 1);
    assert_fails(call_put(s.store, &err), &err, ERR_STORAGE);
    close_scene(&s);
}

static void
clock__too_far_off__is_learnt_once_from_the_store(void **state)
{
    static const struct line lines[] = {{.status = "403 Forbidden",
                                         .headers = "Date: Tue, 01 Jan 2030 00:00:00 GMT\r\n",
                                         .body = XML_ERROR("RequestTimeTooSkewed")},
                                        {.status = "200 OK"}};
    struct err err = ERR_INIT;
    struct scene s;

    (void)state;
    open_scene(&s, lines, 2);
    assert_ok(call_put(s.store, &err), &err);
    assert_null(strstr(s.credential[0], "/20300101/"));
    assert_non_null(strstr(s.credential[1], "/20300101/"));
    assert_ok(call_put(s.store, &err), &err);
    assert_non_null(strstr(s.credential[2], "/20300101/"));
    assert_int_equal(http_server_requests(s.server), 3);
    assert_int_equal(http_server_connections(s.server), 1);
    close_scene(&s);
}

static void
now__of_the_store__is_its_date_even_when_it_refuses(void **state)
{
    static const struct line lines[] = {
        {.raw = "HTTP/1.1 403 Forbidden\r\nDate: Sun, 22 Nov 2026 10:30:00 GMT\r\n\r\n"}};
    struct err err = ERR_INIT;
    int64_t now = 0;
    struct scene s;

    (void)state;
    open_scene(&s, lines, 1);
    assert_ok(store_now(s.store, &now, &err), &err);
    assert_int_equal(now, INT64_C(1795343400000));
    close_scene(&s);
}

static void
retry__asked_for_a_pause__keeps_it_and_then_succeeds(void **state)
{
    static const struct line lines[] = {
        {.status = "503 Slow Down", .headers = "Retry-After: 1\r\n", .body = XML_ERROR("SlowDown")},
        {.reset = true},
        {.status = "200 OK"}};
    struct err err = ERR_INIT;
    int64_t began = clock_mono_ms();
    struct scene s;

    (void)state;
    open_scene(&s, lines, 3);
    s.store = store_retry_new(s.store, &(struct store_retry_options){.first_pause_ms = 1});
    assert_ok(call_put(s.store, &err), &err);
    assert_true(clock_mono_ms() - began >= 1000);
    assert_int_equal(http_server_requests(s.server), 3);
    close_scene(&s);
}

/* What a RADOS Gateway leaves on a connection behind the answer to HEAD of its root, met by the next request. */
static void
retry__remains_of_an_earlier_answer__asks_again(void **state)
{
    static const struct line lines[] = {{.raw = "0\r\n\r\n"}, {.status = "200 OK"}};
    struct err err = ERR_INIT;
    struct scene s;

    (void)state;
    expect(lines, call_put, ERR_STORAGE, "not HTTP");
    open_scene(&s, lines, 2);
    s.store = store_retry_new(s.store, &(struct store_retry_options){.first_pause_ms = 1});
    assert_ok(call_put(s.store, &err), &err);
    assert_int_equal(http_server_requests(s.server), 2);
    close_scene(&s);
}

static void
retry__lost_answer_then_412__one_get_decides(void **state)
{
    static const struct line ours[] = {{.reset = true},
                                       {.status = "412 Precondition Failed", .body = XML_ERROR("PreconditionFailed")},
                                       {.status = "200 OK", .body = "data"}};
    static const struct line others[] = {{.reset = true},
                                         {.status = "412 Precondition Failed", .body = XML_ERROR("PreconditionFailed")},
                                         {.status = "200 OK", .body = "date"}};
    struct err err = ERR_INIT;
    struct scene s;

    (void)state;
    open_scene(&s, ours, 3);
    s.store = store_retry_new(s.store, &(struct store_retry_options){.first_pause_ms = 1});
    assert_ok(call_create(s.store, &err), &err);
    assert_int_equal(http_server_requests(s.server), 3);
    close_scene(&s);
    open_scene(&s, others, 3);
    s.store = store_retry_new(s.store, &(struct store_retry_options){.first_pause_ms = 1});
    assert_fails(call_create(s.store, &err), &err, ERR_EXISTS);
    assert_int_equal(http_server_requests(s.server), 3);
    close_scene(&s);
}

static void
remove_many__odd_keys__are_escaped_in_one_request(void **state)
{
    static const struct line lines[] = {{.status = "200 OK", .body = "<DeleteResult></DeleteResult>"}};
    struct err err = ERR_INIT;
    struct scene s;

    (void)state;
    open_scene(&s, lines, 1);
    assert_ok(call_remove_many(s.store, &err), &err);
    assert_string_equal(s.seen[0], "POST /bucket?delete=");
    assert_int_equal(http_server_requests(s.server), 1);
    close_scene(&s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers__of_every_kind__mean_one_thing_each),
        cmocka_unit_test(stat__head_says_404__a_get_tells_what_is_missing),
        cmocka_unit_test(put__create_only_unknown_to_the_store__is_put_plainly_and_dropped),
        cmocka_unit_test(redirect__to_another_region__is_signed_anew),
        cmocka_unit_test(redirect__in_circles__ends),
        cmocka_unit_test(clock__too_far_off__is_learnt_once_from_the_store),
        cmocka_unit_test(now__of_the_store__is_its_date_even_when_it_refuses),
        cmocka_unit_test(retry__asked_for_a_pause__keeps_it_and_then_succeeds),
        cmocka_unit_test(retry__remains_of_an_earlier_answer__asks_again),
        cmocka_unit_test(retry__lost_answer_then_412__one_get_decides),
        cmocka_unit_test(remove_many__odd_keys__are_escaped_in_one_request),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
