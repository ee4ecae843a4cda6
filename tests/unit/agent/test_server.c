/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test_common.h"

#include <stdio.h>
#include <string.h>

#include "agent/server.h"
#include "tests/support/fake_redis.h"

static char dir[256], path[300];

static int
set_up(void **state)
{
    FILE *f;

    (void)state;
    test_make_dir(dir);
    (void)snprintf(path, sizeof(path), "%s/password", dir);
    f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs("of-the-file\n", f) >= 0);
    assert_int_equal(fclose(f), 0);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    test_remove_dir(dir);
    return 0;
}

/* The endpoint of CONFIG has PASSWORD (NULL: none). */
static void
check(const struct config *config, const char *password)
{
    struct err err = ERR_INIT;
    struct endpoint e = {0};

    assert_ok(server_endpoint(config, &e, &err), &err);
    if (password == NULL)
        assert_null(e.password);
    else
        assert_string_equal(e.password, password);
    endpoint_fini(&e);
}

static void
server_endpoint__password__url_then_file_then_environment(void **state)
{
    struct config c = {.redis_url = "redis://:of-the-url@h", .redis_password_file = path, .redis_auth = "of-the-env"};

    (void)state;
    check(&c, "of-the-url");
    c.redis_url = "redis://h";
    check(&c, "of-the-file");
    c.redis_password_file = NULL;
    check(&c, "of-the-env");
    c.redis_auth = NULL;
    check(&c, NULL);
}

static void
server_endpoint__no_url__is_the_server_here(void **state)
{
    const struct config c = {0};
    struct err err = ERR_INIT;
    struct endpoint e = {0};

    (void)state;
    assert_ok(server_endpoint(&c, &e, &err), &err);
    assert_string_equal(endpoint_describe(&e), "redis://127.0.0.1:6379");
    endpoint_fini(&e);
}

static void
server_endpoint__password_file_is_missing__never_falls_back(void **state)
{
    const struct config c = {.redis_url = "redis://h", .redis_password_file = "/no/such", .redis_auth = "of-the-env"};
    struct err err = ERR_INIT;
    struct endpoint e = {0};

    (void)state;
    assert_int_equal(server_endpoint(&c, &e, &err), -1);
    assert_int_equal(err.code, ERR_USAGE);
    assert_non_null(strstr(err.msg, "--redis-password-file"));
}

static void
server_endpoint__bad_url__does_not_repeat_the_password(void **state)
{
    const struct config c = {.redis_url = "redis://:s3cret@host:port"};
    struct err err = ERR_INIT;
    struct endpoint e = {0};

    (void)state;
    assert_int_equal(server_endpoint(&c, &e, &err), -1);
    assert_null(strstr(err.msg, "s3cret"));
    assert_non_null(strstr(err.msg, "--redis-url"));
}

/* A server that wants the password of the file, and holds a key. */
static void
guarded(const struct reply *command, struct fake_answer *answer, void *cookie)
{
    bool *open = cookie;

    if (fake_redis_word_is(command, 0, "AUTH")) {
        *open = fake_redis_word_is(command, 1, "of-the-file");
        fake_answer_raw(answer, *open ? "+OK\r\n" : "-WRONGPASS invalid username-password pair\r\n");
    } else if (*open) {
        fake_answer_bulk(answer, "# Replication\r\nrole:master\r\n# Keyspace\r\ndb0:keys=1,expires=0\r\n");
    } else {
        fake_answer_raw(answer, "-NOAUTH Authentication required.\r\n");
    }
}

static void
server_check_peers__passwords__as_for_the_server(void **state)
{
    const struct {
        const char *url, *file, *env;
        enum err_code code;
    } cases[] = {
        {NULL, path, NULL, ERR_REFUSED},
        {NULL, NULL, "of-the-file", ERR_REFUSED},
        {"redis://:of-the-file@elsewhere", NULL, NULL, ERR_REFUSED},
        {"redis://:of-the-url@elsewhere", path, NULL, ERR_SERVER_DENIED},
        {NULL, NULL, NULL, ERR_SERVER_DENIED},
        {NULL, "/no/such", NULL, ERR_USAGE},
    };
    bool open = false;
    struct fake_redis *f = fake_redis_start(guarded, &open);
    struct endpoint at;

    (void)state;
    fake_redis_endpoint(f, &at);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct config c = {.redis_url = cases[i].url,
                                 .redis_password_file = cases[i].file,
                                 .redis_auth = cases[i].env,
                                 .live_peers = strstr(endpoint_describe(&at), "127.")};
        struct err err = ERR_INIT;

        open = false;
        if (server_check_peers(&c, &err) != -1 || err.code != cases[i].code)
            fail_msg("case %zu: %s: %s", i, err_name(err.code), err.msg);
    }
    endpoint_fini(&at);
    fake_redis_stop(f);
}

static void
server_check_peers__not_asked_for__is_nothing(void **state)
{
    const struct config c = {.redis_url = "no URL", .redis_password_file = "/no/such"};
    struct err err = ERR_INIT;

    (void)state;
    assert_ok(server_check_peers(&c, &err), &err);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(server_endpoint__password__url_then_file_then_environment),
        TEST(server_endpoint__no_url__is_the_server_here),
        TEST(server_endpoint__password_file_is_missing__never_falls_back),
        TEST(server_endpoint__bad_url__does_not_repeat_the_password),
        TEST(server_check_peers__passwords__as_for_the_server),
        TEST(server_check_peers__not_asked_for__is_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
