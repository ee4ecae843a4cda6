/* SPDX-License-Identifier: Apache-2.0 */
/* The source `bgsave` where there must be no backup: the class of the failure, and what the sentence says. */
#include "tests/support/test_common.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "tests/support/save_scene.h"

static void
source_bgsave__save_fails__says_misconf_and_leftovers(void **state)
{
    struct scene s = scene_new();

    (void)state;
    s.save_fails = true;
    scene_put(&s, "temp-4711.rdb", "half a dump");
    scene_must_fail(&s, ERR_SERVER, "temp-4711.rdb");
    s = scene_new();
    s.save_fails = true;
    scene_must_fail(&s, ERR_SERVER, "MISCONF");
}

static void
source_bgsave__save_fails_on_a_full_volume__is_no_space(void **state)
{
    struct scene s = scene_new();

    (void)state;
    scene_remove(&s, "dump.rdb");
    s.save_fails = true;
    s.used_memory_later = SCENE_FULL;
    scene_must_fail(&s, ERR_NO_SPACE, "no room");
}

static void
source_bgsave__no_space__is_found_before_bgsave(void **state)
{
    struct scene s = scene_new();

    (void)state;
    scene_remove(&s, "dump.rdb");
    s.used_memory = SCENE_FULL;
    scene_must_fail(&s, ERR_NO_SPACE, "4.00 EiB");
    assert_int_equal(s.bgsaves, 0);
}

static void
source_bgsave__no_save_counted__is_a_failure(void **state)
{
    struct scene s = scene_new();

    (void)state;
    s.saves_step = 0;
    scene_must_fail(&s, ERR_SERVER, "counts none");
}

static void
source_bgsave__save_given_up__is_told_from_a_wrong_folder(void **state)
{
    struct scene s = scene_new();

    (void)state;
    s.gives_up = true;
    scene_must_fail(&s, ERR_SERVER, "given up");
}

static void
source_bgsave__dump_not_replaced__names_both_folders(void **state)
{
    struct scene s = scene_new();
    char words[400];

    (void)state;
    s.keeps_old_dump = true;
    (void)snprintf(words, sizeof(words),
                   "%s/dump.rdb did not change: the server writes to its own dir /the/servers/dir", s.dir);
    scene_must_fail(&s, ERR_USAGE, words);
}

static void
source_bgsave__server_restarts__is_noticed(void **state)
{
    struct scene s = scene_new();

    (void)state;
    s.restarts = true;
    scene_must_fail(&s, ERR_SERVER, "restarted");
}

static void
source_bgsave__server_dies__fails_soon(void **state)
{
    struct scene s = scene_new();
    int64_t start = clock_mono_ms();

    (void)state;
    s.dies = true;
    scene_must_fail(&s, ERR_SERVER, "while redis://127.0.0.1:");
    assert_true(clock_mono_ms() - start < 5000);
}

static void
source_bgsave__too_slow__says_that_the_save_goes_on(void **state)
{
    struct scene s = scene_new();
    struct source_bgsave_options o = scene_options(&s);
    int64_t start = clock_mono_ms();

    (void)state;
    o.timeout_ms = 500;
    s.save_for = 1000000;
    scene_must_fail_with(&s, &o, ERR_SERVER, "did not finish within 500 ms; the save goes on");
    assert_true(clock_mono_ms() - start < 5000);
}

static void
source_bgsave__never_idle__says_what_for_and_asks_nothing(void **state)
{
    struct scene s = scene_new();
    struct source_bgsave_options o = scene_options(&s);

    (void)state;
    o.timeout_ms = 500;
    s.busy_line = "aof_rewrite_in_progress:1\r\n";
    s.busy_for = 1000000;
    scene_must_fail_with(&s, &o, ERR_SERVER, "still waiting for a rewrite of the append-only file");
    assert_int_equal(s.bgsaves, 0);
}

static void
source_bgsave__master_not_allowed__is_refused_before_bgsave(void **state)
{
    struct scene s = scene_new();
    struct source_bgsave_options o = scene_options(&s);

    (void)state;
    o.allow_master = false;
    scene_must_fail_with(&s, &o, ERR_REFUSED, "is a master");
    assert_int_equal(s.bgsaves, 0);
}

static void
source_bgsave__bgsave_refused_for_good__class_and_words(void **state)
{
    static const struct {
        const char *reply;
        enum err_code code;
        const char *says;
    } cases[] = {
        {"-NOPERM this user has no permissions to run the 'bgsave' command\r\n", ERR_SERVER_DENIED, "+bgsave"},
        {"-ERR unknown command 'BGSAVE', with args beginning with: \r\n", ERR_SERVER_DENIED, "managed"},
        {"-MASTERDOWN Link with MASTER is down\r\n", ERR_SERVER, "MASTERDOWN"},
        {"-ERR\r\n", ERR_SERVER, "overcommit_memory"},
        {"+Background saving scheduled\r\n", ERR_SERVER, "scheduled"},
        {":1\r\n", ERR_SERVER, "no status"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct scene s = scene_new();

        s.refusals[0] = cases[i].reply;
        scene_must_fail(&s, cases[i].code, cases[i].says);
        assert_int_equal(s.bgsaves, 1);
    }
}

static void
source_bgsave__info_refused__class_and_words(void **state)
{
    static const struct {
        const char *reply;
        enum err_code code;
        const char *says;
    } cases[] = {
        {"-NOAUTH Authentication required.\r\n", ERR_SERVER_DENIED, "REDISCLI_AUTH"},
        {"-NOPERM this user has no permissions to run the 'info' command\r\n", ERR_SERVER_DENIED, "+info"},
        {"-BUSY Redis is busy running a script.\r\n", ERR_SERVER, "BUSY"},
        {":1\r\n", ERR_SERVER, "not a text"},
        {"$51\r\n# Server\r\nredis_version:7.0.15\r\nredis_mode:sentinel\r\n", ERR_USAGE, "Sentinel"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct scene s = scene_new();

        s.info_error = cases[i].reply;
        scene_must_fail(&s, cases[i].code, cases[i].says);
    }
}

static void
source_bgsave__dbfilename_that_is_a_path__is_not_followed(void **state)
{
    struct scene s = scene_new();

    (void)state;
    s.dbfilename = "../../etc/passwd";
    scene_must_fail(&s, ERR_SERVER, "no file name");
    assert_int_equal(s.bgsaves, 0);
}

static void
source_bgsave__folder_missing_or_not_given__asks_no_server(void **state)
{
    struct scene s = scene_new();
    struct source_bgsave_options o = scene_options(&s);

    (void)state;
    o.data_dir = "/nonexistent/data";
    scene_must_fail_with(&s, &o, ERR_USAGE, "/nonexistent/data");
    assert_int_equal(s.infos, 0);
    s = scene_new();
    o.data_dir = NULL;
    scene_must_fail_with(&s, &o, ERR_USAGE, "--data-dir");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(source_bgsave__save_fails__says_misconf_and_leftovers),
        cmocka_unit_test(source_bgsave__save_fails_on_a_full_volume__is_no_space),
        cmocka_unit_test(source_bgsave__no_space__is_found_before_bgsave),
        cmocka_unit_test(source_bgsave__no_save_counted__is_a_failure),
        cmocka_unit_test(source_bgsave__save_given_up__is_told_from_a_wrong_folder),
        cmocka_unit_test(source_bgsave__dump_not_replaced__names_both_folders),
        cmocka_unit_test(source_bgsave__server_restarts__is_noticed),
        cmocka_unit_test(source_bgsave__server_dies__fails_soon),
        cmocka_unit_test(source_bgsave__too_slow__says_that_the_save_goes_on),
        cmocka_unit_test(source_bgsave__never_idle__says_what_for_and_asks_nothing),
        cmocka_unit_test(source_bgsave__master_not_allowed__is_refused_before_bgsave),
        cmocka_unit_test(source_bgsave__bgsave_refused_for_good__class_and_words),
        cmocka_unit_test(source_bgsave__info_refused__class_and_words),
        cmocka_unit_test(source_bgsave__dbfilename_that_is_a_path__is_not_followed),
        cmocka_unit_test(source_bgsave__folder_missing_or_not_given__asks_no_server),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
