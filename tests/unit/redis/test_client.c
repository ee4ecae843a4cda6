/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test_common.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "snapshot/redis/client.h"
#include "tests/support/fake_redis.h"

#define PASSWORD "s3cret-word"

/* What the fake answers, to AUTH and to all else. */
struct script {
    struct fake_answer auth, other;
    char seen[512]; /* the commands that came, by their words */
};

static void
play(const struct reply *command, struct fake_answer *answer, void *cookie)
{
    struct script *s = cookie;
    size_t at = strlen(s->seen);

    for (size_t i = 0; i < command->count; i++)
        at += (size_t)snprintf(s->seen + at, sizeof(s->seen) - at, "%s ", command->elements[i]->text);
    *answer = fake_redis_word_is(command, 0, "AUTH") ? s->auth : s->other;
}

/* A fake that plays S, and a connection to it. */
struct stage {
    struct script *script;
    struct fake_redis *fake;
    struct endpoint endpoint;
    struct client *client;
};

static void
stage_up(struct stage *st, struct script *script, const char *user, const char *password)
{
    memset(st, 0, sizeof(*st));
    st->script = script;
    st->fake = fake_redis_start(play, script);
    fake_redis_endpoint(st->fake, &st->endpoint);
    if (user != NULL)
        st->endpoint.user = strdup(user);
    endpoint_set_password(&st->endpoint, password);
}

static void
stage_down(struct stage *st)
{
    client_free(st->client);
    fake_redis_stop(st->fake);
    endpoint_fini(&st->endpoint);
    free(st->script);
}

static struct script *
new_script(const char *auth, const char *other)
{
    struct script *s = calloc(1, sizeof(*s));

    assert_non_null(s);
    fake_answer_raw(&s->auth, auth);
    fake_answer_raw(&s->other, other);
    return s;
}

static void
connect_to(struct stage *st, const struct client_options *options)
{
    struct err err = ERR_INIT;

    st->client = client_connect(&st->endpoint, options, &err);
    if (st->client == NULL)
        fail_msg("%s", err.msg);
}

static void
client_command__reply_in_single_bytes__is_whole(void **state)
{
    struct script *s = new_script("", "*2\r\n$3\r\ndir\r\n$5\r\n/data\r\n");
    struct err err = ERR_INIT;
    struct reply *r = NULL;
    struct stage st;

    (void)state;
    s->other.slice = 1;
    stage_up(&st, s, NULL, NULL);
    connect_to(&st, NULL);
    assert_ok(client_command(st.client, CLIENT_ARGS("CONFIG", "GET", "dir"), &r, &err), &err);
    assert_int_equal(r->count, 2);
    assert_string_equal(r->elements[1]->text, "/data");
    assert_string_equal(s->seen, "CONFIG GET dir "); /* no AUTH without a password */
    reply_free(r);
    stage_down(&st);
}

static void
client_connect__user_and_password__sends_both_or_one(void **state)
{
    static const struct {
        const char *user, *password, *seen;
    } cases[] = {{"bk", PASSWORD, "AUTH bk " PASSWORD " PING "},
                 {NULL, PASSWORD, "AUTH " PASSWORD " PING "},
                 {"bk", NULL, "AUTH bk  PING "},
                 {NULL, NULL, "PING "}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct script *s = new_script("+OK\r\n", "+PONG\r\n");
        struct err err = ERR_INIT;
        struct reply *r = NULL;
        struct stage st;

        stage_up(&st, s, cases[i].user, cases[i].password);
        connect_to(&st, NULL);
        assert_ok(client_command(st.client, CLIENT_ARGS("PING"), &r, &err), &err);
        assert_string_equal(s->seen, cases[i].seen);
        reply_free(r);
        stage_down(&st);
    }
}

static void
client_connect__auth_refused__no_word_of_the_password(void **state)
{
    static const struct {
        const char *reply, *user, *says;
    } cases[] = {
        {"-WRONGPASS invalid username-password pair or user is disabled.\r\n", "bk", "wrong password for the user bk"},
        {"-ERR invalid password\r\n", NULL, "wrong password for the user default"},
        {"-ERR AUTH <password> called without any password configured for the default user.\r\n", NULL, "has none"},
        {"-ERR Client sent AUTH, but no password is set\r\n", NULL, "has none"},
        {"-ERR wrong number of arguments for 'auth' command\r\n", "bk", "before 6.0"},
        {"-ERR unknown command `AUTH`, with args beginning with: `" PASSWORD "`, \r\n", NULL, "no such command"},
        {"-ERR strange " PASSWORD "\r\n", NULL, "did not take"},
        {"-DENIED Redis is running in protected mode\r\n", NULL, "protected mode"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct script *s = new_script(cases[i].reply, "+PONG\r\n");
        struct err err = ERR_INIT;
        struct stage st;

        stage_up(&st, s, cases[i].user, PASSWORD);
        st.client = client_connect(&st.endpoint, NULL, &err);
        assert_null(st.client);
        assert_int_equal(err.code, ERR_SERVER_DENIED);
        if (strstr(err.msg, cases[i].says) == NULL)
            fail_msg("%s: no \"%s\"", err.msg, cases[i].says);
        assert_null(strstr(err.msg, PASSWORD));
        stage_down(&st);
    }
}

static void
client_connect__password_in_the_users_place__is_not_told(void **state)
{
    struct script *s = new_script("-WRONGPASS invalid\r\n", "");
    struct err err = ERR_INIT;
    struct stage st;

    (void)state;
    stage_up(&st, s, PASSWORD, NULL);
    assert_null(client_connect(&st.endpoint, NULL, &err));
    assert_int_equal(err.code, ERR_SERVER_DENIED);
    assert_null(strstr(err.msg, PASSWORD));
    assert_non_null(strstr(err.msg, "redis://:password@host"));
    stage_down(&st);
}

static void
client_command__error_replies__class_and_remedy(void **state)
{
    static const struct {
        const char *reply;
        enum err_code code;
        const char *says;
    } cases[] = {
        {"-NOAUTH Authentication required.\r\n", ERR_SERVER_DENIED, "--redis-password-file"},
        {"-NOPERM this user has no permissions to run the 'config|get' command\r\n", ERR_SERVER_DENIED, "+config|get"},
        {"-DENIED Redis is running in protected mode because\r\n", ERR_SERVER_DENIED, "requirepass"},
        {"-ERR unknown command 'CONFIG', with args beginning with: 'GET'\r\n", ERR_SERVER_DENIED, "renamed"},
        {"-LOADING Redis is loading the dataset in memory\r\n", ERR_SERVER, "LOADING"},
        {"-BUSY Redis is busy running a script.\r\n", ERR_SERVER, "BUSY"},
        {"-ERR max number of clients reached\r\n", ERR_SERVER, "max number of clients"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err err = ERR_INIT;
        struct reply *r = NULL;
        struct stage st;

        stage_up(&st, new_script("", cases[i].reply), NULL, NULL);
        connect_to(&st, NULL);
        assert_int_equal(client_command(st.client, CLIENT_ARGS("CONFIG", "GET", "dir"), &r, &err), -1);
        assert_null(r);
        assert_int_equal(err.code, cases[i].code);
        if (strstr(err.msg, cases[i].says) == NULL)
            fail_msg("%s: no \"%s\"", err.msg, cases[i].says);
        assert_false(client_is_lost(st.client)); /* the next command may go well */
        stage_down(&st);
    }
}

static void
client_command__control_bytes_in_an_error__do_not_reach_the_log(void **state)
{
    struct err err = ERR_INIT;
    struct reply *r = NULL;
    struct stage st;

    (void)state;
    stage_up(&st, new_script("", "-ERR a\033[31m\tb\r\n"), NULL, NULL);
    connect_to(&st, NULL);
    assert_int_equal(client_command(st.client, CLIENT_ARGS("PING"), &r, &err), -1);
    assert_non_null(strstr(err.msg, "ERR a?[31m?b"));
    stage_down(&st);
}

static void
client_call__closed_in_mid_reply__is_lost(void **state)
{
    struct script *s = new_script("", "$100\r\nhalf");
    struct err err = ERR_INIT;
    struct reply *r = NULL;
    struct stage st;

    (void)state;
    s->other.hang_up = true;
    stage_up(&st, s, NULL, NULL);
    connect_to(&st, NULL);
    assert_fails(client_call(st.client, CLIENT_ARGS("INFO"), &r, &err), &err, ERR_SERVER);
    assert_true(client_is_lost(st.client));
    assert_null(r);
    stage_down(&st);
}

static void
client_call__oversized_reply__is_lost_not_stored(void **state)
{
    struct script *s = new_script("", "");
    struct err err = ERR_INIT;
    struct reply *r = NULL;
    struct stage st;

    (void)state;
    memset(s->other.bytes, 'x', sizeof(s->other.bytes) - 1);
    memcpy(s->other.bytes, "$500000000\r\n", 12);
    s->other.repeat = 600; /* some 9.8 MB */
    s->other.hang_up = true;
    stage_up(&st, s, NULL, NULL);
    connect_to(&st, NULL);
    assert_int_equal(client_call(st.client, CLIENT_ARGS("INFO"), &r, &err), -1);
    assert_int_equal(err.code, ERR_SERVER);
    assert_non_null(strstr(err.msg, "8 MiB"));
    assert_true(client_is_lost(st.client));
    stage_down(&st);
}

static void
client_call__not_the_protocol__is_lost(void **state)
{
    struct err err = ERR_INIT;
    struct reply *r = NULL;
    struct stage st;

    (void)state;
    stage_up(&st, new_script("", "HTTP/1.1 400 Bad Request\r\n"), NULL, NULL);
    connect_to(&st, NULL);
    assert_fails(client_call(st.client, CLIENT_ARGS("INFO"), &r, &err), &err, ERR_SERVER);
    assert_true(client_is_lost(st.client));
    stage_down(&st);
}

static void
client_call__silent_server__times_out(void **state)
{
    struct client_options per_reply = {.reply_timeout_ms = 150};
    struct client_options for_all = {.deadline_ms = clock_mono_ms() + 300};
    const struct client_options *options[] = {&per_reply, &for_all};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(options); i++) {
        struct err err = ERR_INIT;
        struct reply *r = NULL;
        struct stage st;
        int64_t start = clock_mono_ms();

        stage_up(&st, new_script("", ""), NULL, NULL);
        connect_to(&st, options[i]);
        assert_int_equal(client_call(st.client, CLIENT_ARGS("PING"), &r, &err), -1);
        assert_int_equal(err.code, ERR_SERVER);
        assert_int_equal(err.sys, ETIMEDOUT);
        assert_true(clock_mono_ms() - start < 5000);
        assert_true(client_is_lost(st.client));
        stage_down(&st);
    }
}

static void
client_connect__nobody_listens__names_the_server(void **state)
{
    static const char *const urls[] = {"redis://u:" PASSWORD "@127.0.0.1:1", "unix:///nonexistent/r.sock"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
        struct err err = ERR_INIT;
        struct endpoint e;

        assert_ok(endpoint_parse(urls[i], &e, &err), &err);
        assert_null(client_connect(&e, NULL, &err));
        assert_int_equal(err.code, ERR_SERVER);
        assert_non_null(strstr(err.msg, endpoint_describe(&e)));
        assert_null(strstr(err.msg, PASSWORD));
        endpoint_fini(&e);
    }
}

static void
client_connect__no_answer_to_auth__times_out(void **state)
{
    struct client_options options = {.connect_timeout_ms = 200, .reply_timeout_ms = 200};
    struct err err = ERR_INIT;
    struct stage st;
    int64_t start = clock_mono_ms();

    (void)state;
    /* The fake serves one connection at a time: the second one gets no answer to its AUTH. */
    stage_up(&st, new_script("", ""), NULL, NULL);
    connect_to(&st, NULL);
    endpoint_set_password(&st.endpoint, PASSWORD);
    assert_null(client_connect(&st.endpoint, &options, &err));
    assert_int_equal(err.code, ERR_SERVER);
    assert_true(clock_mono_ms() - start < 5000);
    stage_down(&st);
}

/* One client on a Unix socket says +PONG to whatever comes. */
static void *
answer_once(void *arg)
{
    int listener = *(const int *)arg, fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    char bytes[256];

    if (fd >= 0 && recv(fd, bytes, sizeof(bytes), 0) > 0)
        (void)send(fd, "+PONG\r\n", 7, MSG_NOSIGNAL);
    (void)close(fd);
    return NULL;
}

static void
client_command__unix_socket__works(void **state)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    struct err err = ERR_INIT;
    struct reply *r = NULL;
    struct endpoint e;
    struct client *c;
    pthread_t thread;
    char dir[256], url[300];
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)state;
    test_make_dir(dir);
    (void)snprintf(url, sizeof(url), "unix://%s/s", dir);
    assert_ok(endpoint_parse(url, &e, &err), &err);
    memcpy(addr.sun_path, e.path, strlen(e.path));
    assert_int_equal(bind(listener, (const struct sockaddr *)&addr, sizeof(addr)), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(pthread_create(&thread, NULL, answer_once, &listener), 0);
    c = client_connect(&e, NULL, &err);
    assert_non_null(c);
    assert_ok(client_command(c, CLIENT_ARGS("PING"), &r, &err), &err);
    assert_string_equal(r->text, "PONG");
    reply_free(r);
    client_free(c);
    (void)pthread_join(thread, NULL);
    (void)close(listener);
    endpoint_fini(&e);
    test_remove_dir(dir);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(client_command__reply_in_single_bytes__is_whole),
        cmocka_unit_test(client_connect__user_and_password__sends_both_or_one),
        cmocka_unit_test(client_connect__auth_refused__no_word_of_the_password),
        cmocka_unit_test(client_connect__password_in_the_users_place__is_not_told),
        cmocka_unit_test(client_command__error_replies__class_and_remedy),
        cmocka_unit_test(client_command__control_bytes_in_an_error__do_not_reach_the_log),
        cmocka_unit_test(client_call__closed_in_mid_reply__is_lost),
        cmocka_unit_test(client_call__oversized_reply__is_lost_not_stored),
        cmocka_unit_test(client_call__not_the_protocol__is_lost),
        cmocka_unit_test(client_call__silent_server__times_out),
        cmocka_unit_test(client_connect__nobody_listens__names_the_server),
        cmocka_unit_test(client_connect__no_answer_to_auth__times_out),
        cmocka_unit_test(client_command__unix_socket__works),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
