/* SPDX-License-Identifier: Apache-2.0 */
/* What the S3 backend does with keys that run out: one server is both the store and the container's endpoint. */
#include "tests/support/test_common.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "storage/store_s3.h"
#include "tests/support/http_server.h"

struct stage {
    struct http_server *server;
    struct store *store;
    atomic_uint given;  /* keys that were handed out */
    atomic_uint good;   /* the number of the key that the store takes */
    atomic_bool same;   /* the first key, again and again */
    const char *status; /* of the answer to other keys */
    const char *code;   /* in its body; NULL: none */
    atomic_uint store_asked;
};

static void
hand_out(struct stage *s, struct http_server_answer *a)
{
    char body[200];
    unsigned n = s->same ? 1 : ++s->given;

    (void)snprintf(body, sizeof(body),
                   "{\"AccessKeyId\":\"ID%u\",\"SecretAccessKey\":\"s3cret\",\"Token\":\"token%u\","
                   "\"Expiration\":\"2099-01-01T00:00:00Z\"}",
                   n, n);
    http_server_reply(a, "200 OK", "", body);
}

static void
serve(const struct http_server_request *r, struct http_server_answer *a, void *cookie)
{
    struct stage *s = cookie;
    char token[1024], expected[40], body[200] = "";

    if (strcmp(r->target, "/keys") == 0) {
        hand_out(s, a);
        return;
    }
    s->store_asked++;
    (void)snprintf(expected, sizeof(expected), "token%u", s->good);
    if (strcmp(http_server_header(r, "x-amz-security-token", token), expected) == 0) {
        http_server_reply(a, "200 OK", "Last-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\n", "");
        return;
    }
    if (s->code != NULL && strcmp(r->method, "HEAD") != 0)
        (void)snprintf(body, sizeof(body), "<Error><Code>%s</Code></Error>", s->code);
    http_server_reply(a, s->status, "", body);
}

static void
begin(struct stage *s, const char *status, const char *code)
{
    struct store_s3_options o = {.url = "s3://bucket"};
    struct err err = ERR_INIT;
    char url[100];

    log_setup(2, LOG_TEXT, LOG_OFF);
    memset(s, 0, sizeof(*s));
    s->good = 2;
    s->status = status;
    s->code = code;
    s->server = http_server_start(serve, s);
    (void)setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null", 1);
    (void)setenv("AWS_CONFIG_FILE", "/dev/null", 1);
    (void)unsetenv("AWS_ACCESS_KEY_ID");
    (void)unsetenv("AWS_SECRET_ACCESS_KEY");
    (void)unsetenv("AWS_PROFILE");
    (void)unsetenv("AWS_WEB_IDENTITY_TOKEN_FILE");
    (void)unsetenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    (void)snprintf(url, sizeof(url), "%s/keys", http_server_url(s->server));
    (void)setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", url, 1);
    o.endpoint = http_server_url(s->server);
    s->store = store_s3_open(&o, &err);
    if (s->store == NULL)
        fail_msg("%s", err.msg);
    assert_int_equal(http_server_requests(s->server), 0);
}

static void
end(struct stage *s)
{
    store_free(s->store);
    http_server_stop(s->server);
}

static int
put(struct stage *s, struct err *err)
{
    return store_put(s->store, &(struct store_put){.key = "key", .data = "x", .len = 1}, err);
}

static void
call__stale_keys__are_renewed_and_it_is_sent_again(void **state)
{
    static const char *const said[][2] = {{"400 Bad Request", "ExpiredToken"},
                                          {"403 Forbidden", "InvalidAccessKeyId"},
                                          {"400 Bad Request", "TokenRefreshRequired"},
                                          {"403 Forbidden", "InvalidToken"}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(said); i++) {
        struct store_object object;
        struct err err = ERR_INIT;
        struct stage s;
        int64_t now_ms;
        char who[100];

        begin(&s, said[i][0], said[i][1]);
        store_describe_credentials(s.store, who, sizeof(who));
        assert_string_equal(who, "");
        assert_ok(put(&s, &err), &err);
        assert_int_equal(s.given, 2);
        assert_int_equal(s.store_asked, 2);
        store_describe_credentials(s.store, who, sizeof(who));
        assert_non_null(strstr(who, "the container's endpoint, for another "));
        s.good = 3; /* a HEAD is told nothing but the status */
        assert_int_equal(store_stat(s.store, "key", &object, &err), 0);
        s.good = 4;
        assert_int_equal(store_now(s.store, &now_ms, &err), -1); /* this server says no time */
        assert_int_equal(s.given, 4);
        end(&s);
    }
}

static void
call__the_same_or_no_better_keys__ends_with_the_stores_word(void **state)
{
    struct err err = ERR_INIT;
    struct stage s;

    (void)state;
    begin(&s, "400 Bad Request", "ExpiredToken");
    s.same = true;
    assert_int_equal(put(&s, &err), -1);
    assert_int_equal(err.code, ERR_STORE_DENIED);
    assert_non_null(strstr(err.msg, "ExpiredToken"));
    assert_int_equal(s.store_asked, 1);
    end(&s);
    begin(&s, "400 Bad Request", "ExpiredToken");
    s.good = 9;
    assert_int_equal(put(&s, &err), -1);
    assert_int_equal(s.given, 2); /* once a call */
    assert_int_equal(s.store_asked, 2);
    end(&s);
    begin(&s, "403 Forbidden", "AccessDenied");
    assert_int_equal(put(&s, &err), -1);
    assert_int_equal(s.given, 1); /* new keys may no more than the old */
    assert_null(strstr(err.msg, "s3cret"));
    end(&s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(call__stale_keys__are_renewed_and_it_is_sent_again),
        cmocka_unit_test(call__the_same_or_no_better_keys__ends_with_the_stores_word),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
