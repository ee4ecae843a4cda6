/* SPDX-License-Identifier: Apache-2.0 */
/* test_check_judge.c: INFO texts and settings in, verdicts out. */
#include "snapshot/check/check_judge.h"

#include <stdio.h>
#include <string.h>

#include "tests/support/check_case.h"
#include "tests/support/test_common.h"

#define VERSION "redis_version:7.0.15\r\nredis_mode:standalone\r\n"
#define MEMORY  "used_memory:1000000\r\nused_memory_rss:2000000\r\ntotal_system_memory:8000000\r\nmaxmemory:0\r\n"
#define SAVED                                                                                                          \
    "rdb_bgsave_in_progress:0\r\nrdb_last_save_time:1795381400\r\nrdb_last_bgsave_status:ok\r\naof_enabled:0\r\n"
#define MASTER  "role:master\r\n"
#define HEALTHY VERSION MEMORY SAVED MASTER "cluster_enabled:0\r\n"

static struct check check;

/* Judge INFO with the settings of a fresh server. */
static void
judge(const char *info)
{
    struct check_facts f = {
        .info = info, .config = {.save = "3600 1", .rdbcompression = "no"}, .rdbchecksum = "yes", .stop_writes = "yes"};

    check_fini(&check);
    check.area = "server";
    check_judge_server(&check, &f);
}

static int
tear_down(void **state)
{
    (void)state;
    check_fini(&check);
    return 0;
}

static void
check_judge_server__healthy_master__is_all_ok(void **state)
{
    (void)state;
    judge(HEALTHY);
    for (size_t i = 0; i < check.count; i++)
        check_case_is(&check, check.rows[i].name, CHECK_OK, "");
    check_case_is(&check, "version", CHECK_OK, "redis 7.0.15");
    check_case_is(&check, "role", CHECK_OK, "master");
    check_case_is(&check, "last-save", CHECK_OK, "2026-11-22T21:03:20Z");
    check_case_is(&check, "save-points", CHECK_OK, "save 3600 1; a failed save stops writes");
    check_case_is(&check, "appendonly", CHECK_OK, "dump.rdb");
    check_case_is(&check, "rdbcompression", CHECK_OK, "no");
    check_case_is(&check, "rdbchecksum", CHECK_OK, "yes");
    check_case_is(&check, "memory", CHECK_OK, "maxmemory not set");
    check_case_lacks(&check, "cluster");
}

static void
check_judge_server__versions__known_older_newer_none(void **state)
{
    static const struct {
        const char *info;
        enum check_verdict verdict;
        const char *words;
    } cases[] = {
        {"redis_version:6.2.14\r\n", CHECK_OK, "redis 6.2.14"},
        {"redis_version:8.6.3\r\n", CHECK_OK, "redis 8.6.3"},
        {"redis_version:8.8.0\r\n", CHECK_WARN, "newer"},
        {"redis_version:10.0.0\r\n", CHECK_WARN, "newer"},
        {"redis_version:5.0.14\r\n", CHECK_WARN, "older"},
        {"redis_version:7.2.4\r\nvalkey_version:7.2.11\r\n", CHECK_OK, "valkey 7.2.11"},
        {"redis_version:7.2.4\r\nvalkey_version:9.1.2\r\n", CHECK_OK, "valkey 9.1.2"},
        {"redis_version:7.2.4\r\nvalkey_version:9.2.0\r\n", CHECK_WARN, "newer"},
        {"redis_version:new\r\n", CHECK_WARN, "does not tell"},
        {"", CHECK_WARN, "does not tell"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        judge(cases[i].info);
        check_case_is(&check, "version", cases[i].verdict, cases[i].words);
    }
}

static void
check_judge_server__replicas__the_link_counts(void **state)
{
    (void)state;
    judge("role:slave\r\nmaster_link_status:up\r\nmaster_last_io_seconds_ago:3\r\nmaster_sync_in_progress:0\r\n");
    check_case_is(&check, "role", CHECK_OK, "3 s ago");
    judge("role:slave\r\nmaster_link_status:up\r\n");
    check_case_is(&check, "role", CHECK_OK, "replica");
    judge("role:slave\r\nmaster_link_status:down\r\nmaster_sync_in_progress:0\r\n");
    check_case_is(&check, "role", CHECK_WARN, "lost its master");
    judge("role:slave\r\nmaster_link_status:down\r\nmaster_sync_in_progress:1\r\n");
    check_case_is(&check, "role", CHECK_WARN, "just now");
    check_case_is(&check, "activity", CHECK_WARN, "full synchronization");
}

static void
check_judge_server__states__each_has_its_row(void **state)
{
    (void)state;
    judge("loading:1\r\n");
    check_case_is(&check, "activity", CHECK_WARN, "load its data");
    judge("rdb_bgsave_in_progress:1\r\n");
    check_case_is(&check, "activity", CHECK_WARN, "a save");
    judge("rdb_last_bgsave_status:err\r\n");
    check_case_failed(&check, "last-save", ERR_SERVER, "-MISCONF");
    judge("cluster_enabled:1\r\n");
    check_case_is(&check, "cluster", CHECK_WARN, "this shard only");
    judge("aof_enabled:1\r\n");
    check_case_is(&check, "appendonly", CHECK_WARN, "EMPTY");
    judge("redis_version:7.0.15\r\n");
    check_case_lacks(&check, "appendonly");
    check_case_lacks(&check, "memory");
}

static void
check_judge_server__settings__compression_checksum_save_points(void **state)
{
    struct check_facts f = {.info = HEALTHY};

    (void)state;
    check.area = "server";
    check_judge_server(&check, &f);
    check_case_lacks(&check, "save-points");
    check_case_lacks(&check, "rdbcompression");
    check_case_lacks(&check, "rdbchecksum");
    check_fini(&check);
    check.area = "server";
    (void)strcpy(f.config.rdbcompression, "yes");
    (void)strcpy(f.rdbchecksum, "no");
    (void)strcpy(f.stop_writes, "yes");
    check_judge_server(&check, &f);
    check_case_is(&check, "rdbcompression", CHECK_WARN, "LZF");
    assert_non_null(strstr(check_case_row(&check, "rdbcompression")->remedy, "rdbcompression no"));
    check_case_is(&check, "rdbchecksum", CHECK_WARN, "no checksum");
    check_case_is(&check, "save-points", CHECK_OK, "only backups save; a failed save stops no writes");
}

static void
check_judge_server__memory__goes_by_the_guards_rule_for_grown_data(void **state)
{
    (void)state;
    judge("used_memory:60\r\nused_memory_rss:95\r\ntotal_system_memory:100\r\n");
    check_case_is(&check, "memory", CHECK_WARN, "will probably need more");
    judge("used_memory:50\r\nused_memory_rss:60\r\ntotal_system_memory:100\r\nrdb_last_cow_size:30\r\n");
    check_case_is(&check, "memory", CHECK_WARN, "will probably need more");
    judge("used_memory:50\r\nused_memory_rss:60\r\ntotal_system_memory:100\r\n");
    check_case_is(&check, "memory", CHECK_WARN, "under many writes may need more");
    judge("used_memory:10\r\nused_memory_rss:10\r\nmaxmemory:60\r\ntotal_system_memory:100\r\n");
    check_case_is(&check, "memory", CHECK_WARN, "maxmemory 60 B");
    judge("used_memory:10\r\nused_memory_rss:10\r\nmaxmemory:50\r\ntotal_system_memory:100\r\nrdb_last_cow_size:7\r\n");
    check_case_is(&check, "memory", CHECK_OK, "the last save copied 7 B");
    check_case_is(&check, "memory", CHECK_OK, "not visible here");
    judge("used_memory:10\r\n");
    check_case_is(&check, "memory", CHECK_OK, "the limit of its machine not told");
}

static void
check_judge_server__server_memory__is_the_limit(void **state)
{
    struct guard_memory_options memory = {.server_memory = 100};
    struct check_facts f = {.info = "used_memory:60\r\nused_memory_rss:95\r\ntotal_system_memory:99999\r\n",
                            .memory = &memory};

    (void)state;
    check.area = "server";
    check_judge_server(&check, &f);
    check_case_is(&check, "memory", CHECK_WARN, "the limit of --server-memory 100 B");
    check_fini(&check);
    check.area = "server";
    memory.server_memory = 200;
    check_judge_server(&check, &f);
    check_case_is(&check, "memory", CHECK_OK, "the limit of --server-memory 200 B");
    assert_null(strstr(check_case_row(&check, "memory")->finding, "not visible"));
}

static void
check_judge_overcommit__values__only_one_is_fine(void **state)
{
    (void)state;
    check.area = "server";
    check_judge_overcommit(&check, "1\n");
    check_case_is(&check, "overcommit", CHECK_OK, "is 1");
    check_fini(&check);
    check.area = "server";
    check_judge_overcommit(&check, "0\n");
    check_case_is(&check, "overcommit", CHECK_WARN, "is 0");
}

static void
check_judge_dump_version__magics__known_and_newer(void **state)
{
    static const struct {
        const char *head;
        enum check_verdict verdict;
    } cases[] = {{"REDIS0011", CHECK_OK},
                 {"REDIS0013", CHECK_OK},
                 {"REDIS0014", CHECK_WARN},
                 {"VALKEY080", CHECK_OK},
                 {"VALKEY081", CHECK_WARN}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        check_fini(&check);
        check.area = "disk";
        check_judge_dump_version(&check, cases[i].head);
        check_case_is(&check, "dump-version", cases[i].verdict, "version ");
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(check_judge_server__healthy_master__is_all_ok, tear_down),
        cmocka_unit_test_teardown(check_judge_server__versions__known_older_newer_none, tear_down),
        cmocka_unit_test_teardown(check_judge_server__replicas__the_link_counts, tear_down),
        cmocka_unit_test_teardown(check_judge_server__states__each_has_its_row, tear_down),
        cmocka_unit_test_teardown(check_judge_server__settings__compression_checksum_save_points, tear_down),
        cmocka_unit_test_teardown(check_judge_server__memory__goes_by_the_guards_rule_for_grown_data, tear_down),
        cmocka_unit_test_teardown(check_judge_server__server_memory__is_the_limit, tear_down),
        cmocka_unit_test_teardown(check_judge_overcommit__values__only_one_is_fine, tear_down),
        cmocka_unit_test_teardown(check_judge_dump_version__magics__known_and_newer, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
