/* SPDX-License-Identifier: Apache-2.0 */
/* test_web_token.c: the token and its file, as far as test_web.c does not show it over HTTP. */
#include "agent/sidecar/web_token.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "tests/support/test_common.h"

#define TOKEN "0123456789abcdef-token"
#define SHOWN "Bearer " TOKEN

struct scene {
    char dir[256], path[300];
};

static void
write_token(const struct scene *s, const char *text)
{
    int fd = open(s->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct err err = ERR_INIT;

    assert_true(fd >= 0);
    assert_ok(file_write_atomic(fd, "token", ".tmp-", text, strlen(text), 0600, &err), &err);
    (void)close(fd);
}

static struct web_token *
begin(struct scene *s)
{
    struct err err = ERR_INIT;
    struct web_token *t;

    test_make_dir(s->dir);
    (void)snprintf(s->path, sizeof(s->path), "%s/token", s->dir);
    write_token(s, TOKEN "\n");
    t = web_token_open(s->path, &err);
    if (t == NULL)
        fail_msg("%s", err.msg);
    return t;
}

static void
end(struct scene *s, struct web_token *t)
{
    web_token_free(t);
    test_remove_dir(s->dir);
}

static void
web_token_check__blanks_around_the_token__do_not_count(void **state)
{
    static const char *const right[] = {SHOWN, "bearer   " TOKEN, "BEARER " TOKEN " ", SHOWN "\t \t"};
    static const char *const wrong[] = {"Bearer",  "Bearer ",        "Bearer  \t",
                                        "",        "Bearer\t" TOKEN, SHOWN " x",
                                        SHOWN "x", " " SHOWN,        "Bearer 0123456789abcdef"};
    struct scene s;
    struct web_token *t = begin(&s);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(right); i++)
        assert_int_equal(web_token_check(t, right[i]), WEB_TOKEN_RIGHT);
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        assert_int_equal(web_token_check(t, wrong[i]), WEB_TOKEN_WRONG);
    assert_int_equal(web_token_check(t, NULL), WEB_TOKEN_WRONG);
    end(&s, t);
}

/* A file that changed at a moment when it could not be read, and is as it was since, is read all the same. */
static void
web_token_check__no_descriptor_was_free__reads_it_the_next_time(void **state)
{
    struct scene s;
    struct web_token *t = begin(&s);
    struct rlimit before, none;

    (void)state;
    write_token(&s, "another-token-of-many");
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = (struct rlimit){.rlim_cur = 0, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    assert_int_equal(web_token_check(t, "Bearer another-token-of-many"), WEB_TOKEN_UNREADABLE);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(web_token_check(t, "Bearer another-token-of-many"), WEB_TOKEN_RIGHT);
    assert_int_equal(web_token_check(t, SHOWN), WEB_TOKEN_WRONG);
    end(&s, t);
}

/* It would hold up the thread, and with it the probes. */
static void
web_token_check__a_fifo_or_a_folder_is_there_now__is_not_opened(void **state)
{
    struct scene s;
    struct web_token *t = begin(&s);
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(unlink(s.path), 0);
    assert_int_equal(mkfifo(s.path, 0600), 0);
    assert_int_equal(web_token_check(t, SHOWN), WEB_TOKEN_UNREADABLE);
    assert_null(web_token_open(s.path, &err));
    assert_int_equal(err.code, ERR_USAGE);
    assert_non_null(strstr(err.msg, s.path));
    assert_int_equal(unlink(s.path), 0);
    assert_int_equal(mkdir(s.path, 0700), 0);
    assert_int_equal(web_token_check(t, SHOWN), WEB_TOKEN_UNREADABLE);
    assert_int_equal(rmdir(s.path), 0);
    write_token(&s, TOKEN);
    assert_int_equal(web_token_check(t, SHOWN), WEB_TOKEN_RIGHT);
    end(&s, t);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(web_token_check__blanks_around_the_token__do_not_count),
        cmocka_unit_test(web_token_check__no_descriptor_was_free__reads_it_the_next_time),
        cmocka_unit_test(web_token_check__a_fifo_or_a_folder_is_there_now__is_not_opened),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
