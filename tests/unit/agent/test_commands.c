/* SPDX-License-Identifier: Apache-2.0 */
/* The commands against a repository in a temporary folder: results, errors, and what they must not touch. */
#include "tests/support/test_common.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/cmd.h"
#include "base/file.h"
#include "base/log.h"

static char dir[256], repo[300], result[300];
static struct config config;

static int
set_up(void **state)
{
    (void)state;
    log_setup(STDERR_FILENO, LOG_TEXT, LOG_OFF);
    test_make_dir(dir);
    (void)snprintf(repo, sizeof(repo), "%s/repo", dir);
    (void)snprintf(result, sizeof(result), "%s/result", dir);
    memset(&config, 0, sizeof(config));
    config.repo = repo;
    config.progress = SHOW_NEVER;
    config.backup = "latest";
    config.if_unreachable = "fail";
    config.level = 1;
    config.memory = 64u << 20;
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    test_remove_dir(dir);
    return 0;
}

/* Run COMMAND; its stdout goes to TEXT (4096 bytes). */
static int
run(cmd_fn *command, bool json, char *text, struct err *err)
{
    struct output out = {.fd = open(result, O_RDWR | O_CREAT | O_TRUNC, 0600), .json = json};
    int rc;
    ssize_t n;

    assert_true(out.fd >= 0);
    rc = command(&config, &out, err);
    n = pread(out.fd, text, 4095, 0);
    assert_true(n >= 0);
    text[n] = '\0';
    (void)close(out.fd);
    return rc;
}

static void
check_says(const struct err *err, const char *words)
{
    if (strstr(err->msg, words) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", err->msg, words);
}

static void
cmd_init__twice__makes_and_then_finds(void **state)
{
    struct err err = ERR_INIT;
    char text[4096];

    (void)state;
    config.instance = "shop";
    assert_ok(run(cmd_init, false, text, &err), &err);
    assert_memory_equal(text, "made repository ", 16);
    assert_non_null(strstr(text, "made instance shop\n"));
    assert_ok(run(cmd_init, true, text, &err), &err);
    assert_non_null(strstr(text, "\"made\":false},\"instance\":{\"name\":\"shop\",\"made\":false}}\n"));
}

static void
cmd_list__no_repository__is_not_an_empty_one(void **state)
{
    struct err err = ERR_INIT;
    char text[4096];

    (void)state;
    config.instance = "shop";
    assert_int_equal(run(cmd_list, false, text, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    check_says(&err, "remora init");
    assert_int_equal(access(repo, F_OK), -1);
}

static void
cmd_list__no_instance_given__names_those_that_exist(void **state)
{
    struct err err = ERR_INIT;
    char text[4096];

    (void)state;
    assert_ok(run(cmd_init, false, text, &err), &err);
    assert_int_equal(run(cmd_list, false, text, &err), -1);
    check_says(&err, "holds none yet");
    config.instance = "b";
    assert_ok(run(cmd_init, false, text, &err), &err);
    config.instance = "a";
    assert_ok(run(cmd_init, false, text, &err), &err);
    config.instance = NULL;
    assert_int_equal(run(cmd_list, false, text, &err), -1);
    assert_int_equal(err.code, ERR_USAGE);
    check_says(&err, "holds: a, b");
}

static void
cmd_list__no_backup__succeeds_with_nothing_or_an_empty_list(void **state)
{
    struct err err = ERR_INIT;
    char text[4096];

    (void)state;
    config.instance = "shop";
    assert_ok(run(cmd_init, false, text, &err), &err);
    assert_ok(run(cmd_list, false, text, &err), &err);
    assert_string_equal(text, "");
    assert_ok(run(cmd_list, true, text, &err), &err);
    assert_string_equal(text, "{\"command\":\"list\",\"instances\":[{\"instance\":\"shop\",\"backups\":[]}]}\n");
}

static void
cmd_backup__where_is_the_dump__is_asked_before_anything(void **state)
{
    struct err err = ERR_INIT;
    char text[4096];

    (void)state;
    config.instance = "shop";
    config.create = true;
    assert_int_equal(run(cmd_backup, false, text, &err), -1);
    assert_int_equal(err.code, ERR_USAGE);
    check_says(&err, "--rdb-file");
    config.data_dir = config.rdb_file = dir;
    assert_int_equal(run(cmd_backup, false, text, &err), -1);
    check_says(&err, "give one of them");
    assert_int_equal(access(repo, F_OK), -1);
}

static void
cmd_backup__bad_tags__are_refused_before_anything(void **state)
{
    static const char *const bad[][2] = {{"novalue", "x=1"}, {"=x", "y=1"}, {"a=1", "a=2"}};
    struct err err = ERR_INIT;
    char text[4096], *items[2], first[16], second[16];

    (void)state;
    config.instance = "shop";
    config.create = true;
    config.rdb_file = dir;
    items[0] = first;
    items[1] = second;
    config.tags.items = items;
    config.tags.count = 2;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        (void)snprintf(first, sizeof(first), "%s", bad[i][0]);
        (void)snprintf(second, sizeof(second), "%s", bad[i][1]);
        assert_int_equal(run(cmd_backup, false, text, &err), -1);
        check_says(&err, "--tag");
    }
    config.tags.items = NULL;
    assert_int_equal(access(repo, F_OK), -1);
}

static void
cmd_restore__data_in_the_target__is_refused_without_a_repository(void **state)
{
    struct err err = ERR_INIT;
    char text[4096];
    int dirfd = open(dir, O_RDONLY | O_DIRECTORY);

    (void)state;
    config.target = dir;
    config.instance = "shop";
    assert_true(dirfd >= 0);
    assert_ok(file_write_atomic(dirfd, "dump.rdb", ".t-", "x", 1, 0600, &err), &err);
    (void)close(dirfd);
    assert_int_equal(run(cmd_restore, false, text, &err), -1);
    assert_int_equal(err.code, ERR_REFUSED);
    check_says(&err, "dump.rdb");
}

static void
cmd_restore__options_that_contradict__are_usage(void **state)
{
    struct err err = ERR_INIT;
    char text[4096];

    (void)state;
    assert_int_equal(run(cmd_restore, false, text, &err), -1);
    check_says(&err, "Give --target");
    config.target = dir;
    config.to_stdout = true;
    assert_int_equal(run(cmd_restore, false, text, &err), -1);
    check_says(&err, "exclude each other");
    config.target = NULL;
    config.json = true;
    assert_int_equal(run(cmd_restore, false, text, &err), -1);
    check_says(&err, "stdout carries the dump");
    config.to_stdout = config.json = false;
    config.target = dir;
    config.backup = "yesterday";
    assert_int_equal(run(cmd_restore, false, text, &err), -1);
    assert_int_equal(err.code, ERR_USAGE);
    check_says(&err, "\"yesterday\" is neither");
}

static void
cmd_version__json__names_every_library(void **state)
{
    static const char *const names[] = {"hiredis", "jansson", "libcurl", "openssl", "zstd"};
    struct err err = ERR_INIT;
    char text[4096];
    json_t *object, *libraries;

    (void)state;
    assert_ok(run(cmd_version, true, text, &err), &err);
    object = json_loads(text, 0, NULL);
    assert_non_null(object);
    libraries = json_object_get(object, "libraries");
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        assert_non_null(strchr(json_string_value(json_object_get(libraries, names[i])), '.'));
    json_decref(object);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(cmd_init__twice__makes_and_then_finds),
        TEST(cmd_list__no_repository__is_not_an_empty_one),
        TEST(cmd_list__no_instance_given__names_those_that_exist),
        TEST(cmd_list__no_backup__succeeds_with_nothing_or_an_empty_list),
        TEST(cmd_backup__where_is_the_dump__is_asked_before_anything),
        TEST(cmd_backup__bad_tags__are_refused_before_anything),
        TEST(cmd_restore__data_in_the_target__is_refused_without_a_repository),
        TEST(cmd_restore__options_that_contradict__are_usage),
        TEST(cmd_version__json__names_every_library),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
