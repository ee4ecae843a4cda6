/* SPDX-License-Identifier: Apache-2.0 */
/* The source `bgsave` where a server does something rare, and it goes well all the same. */
#include "tests/support/test_common.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "tests/support/save_scene.h"

static void
source_bgsave__plain__facts_time_and_size(void **state)
{
    struct scene s = scene_new();
    int64_t before = clock_wall_ms();
    struct source *src;

    (void)state;
    s.extra_info = "server_name:valkey\r\nvalkey_version:8.1.1\r\nmodule:name=search,ver=1\r\n";
    src = scene_must_back_up(&s);
    assert_string_equal(src->ops->name, "bgsave");
    assert_true(src->facts.known && src->facts.config_known);
    assert_string_equal(src->facts.kind, "valkey");
    assert_string_equal(src->facts.version, "8.1.1");
    assert_string_equal(src->facts.run_id, "aaaa");
    assert_string_equal(src->facts.role, "master");
    assert_string_equal(src->facts.modules, "search");
    assert_string_equal(src->facts.config.dir, "/the/servers/dir");
    assert_true(strlen(src->facts.host) > 0);
    assert_memory_equal(src->facts.address, "redis://127.0.0.1:", 18);
    assert_int_equal(src->size, strlen("REDIS0010 the new dump"));
    assert_true(src->snapshot_ms >= before && src->snapshot_ms <= clock_wall_ms());
    assert_int_equal(s.bgsaves, 1);
    source_free(src);
}

static void
source_bgsave__confirm__ctime_must_not_be_older_than_the_request(void **state)
{
    struct scene s = scene_new();
    struct source *src = scene_must_back_up(&s);
    struct rdb_info found = {.ctime_s = src->snapshot_ms / 1000};
    struct err err = ERR_INIT;

    (void)state;
    assert_ok(source_confirm(src, &found, &err), &err);
    found.ctime_s = -1;
    assert_ok(source_confirm(src, &found, &err), &err);
    found.ctime_s = src->snapshot_ms / 1000 - 3;
    assert_fails(source_confirm(src, &found, &err), &err, ERR_SERVER);
    source_free(src);
}

static void
source_bgsave__old_server__inode_and_a_wider_ctime_do(void **state)
{
    struct scene s = scene_new();
    struct rdb_info found = {0};
    struct err err = ERR_INIT;
    struct source *src;

    (void)state;
    s.is_old = true;
    src = scene_must_back_up(&s);
    found.ctime_s = src->snapshot_ms / 1000 - 30; /* the clocks of two machines */
    assert_ok(source_confirm(src, &found, &err), &err);
    found.ctime_s = src->snapshot_ms / 1000 - 90;
    assert_fails(source_confirm(src, &found, &err), &err, ERR_SERVER);
    source_free(src);
}

static void
source_bgsave__first_dump_ever__is_taken(void **state)
{
    struct scene s = scene_new();

    (void)state;
    scene_remove(&s, "dump.rdb");
    source_free(scene_must_back_up(&s));
}

static void
source_bgsave__refused_for_now__asks_again(void **state)
{
    static const char *const refusals[] = {
        "-ERR Background save already in progress\r\n",
        "-ERR Another child process is active (AOF?): can't BGSAVE right now. Use BGSAVE SCHEDULE in order to schedule "
        "a BGSAVE whenever possible.\r\n",
        "-ERR An AOF log rewriting in progress: can't BGSAVE right now. Use BGSAVE SCHEDULE in order to schedule a "
        "BGSAVE whenever possible.\r\n",
        "-LOADING Redis is loading the dataset in memory\r\n"};
    struct scene s = scene_new();

    (void)state;
    memcpy(s.refusals, refusals, sizeof(refusals));
    source_free(scene_must_back_up(&s));
    assert_int_equal(s.bgsaves, 5);
}

static void
source_bgsave__something_else_running__is_waited_for(void **state)
{
    static const char *const lines[] = {"rdb_bgsave_in_progress:1\r\n",  "aof_rewrite_in_progress:1\r\n",
                                        "module_fork_in_progress:1\r\n", "master_sync_in_progress:1\r\n",
                                        "async_loading:1\r\n",           "loading:1\r\n"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        struct scene s = scene_new();

        s.busy_line = lines[i]; /* it comes first, and the first of a field counts */
        s.busy_for = 5;
        source_free(scene_must_back_up(&s));
        assert_int_equal(s.bgsaves, 1);
        assert_true(s.infos >= 6);
    }
}

static void
source_bgsave__another_save_after_ours__is_newer_and_fine(void **state)
{
    struct scene s = scene_new();

    (void)state;
    s.saves_step = 2;
    source_free(scene_must_back_up(&s));
}

static void
source_bgsave__connection_lost_in_the_save__goes_on(void **state)
{
    struct scene s = scene_new();

    (void)state;
    s.hangs_up_in_save = true;
    source_free(scene_must_back_up(&s));
    assert_int_equal(s.bgsaves, 1);
}

static void
source_bgsave__answer_to_bgsave_lost__waits_and_asks_anew(void **state)
{
    struct scene s = scene_new();

    (void)state;
    s.hangs_up_on_bgsave = true;
    source_free(scene_must_back_up(&s));
    assert_int_equal(s.bgsaves, 2);
}

static void
source_bgsave__busy_script_in_the_save__is_waited_out(void **state)
{
    struct scene s = scene_new();

    (void)state;
    s.script_busy_for = 3;
    source_free(scene_must_back_up(&s));
}

static void
source_bgsave__config_and_role_denied__does_without(void **state)
{
    static const char *const denials[] = {"-NOPERM this user has no permissions\r\n",
                                          "-ERR unknown command 'x', with args beginning with: \r\n"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(denials); i++) {
        struct scene s = scene_new();
        struct source *src;

        s.config_error = s.role_error = denials[i];
        s.role = "slave";
        src = scene_must_back_up(&s);
        assert_false(src->facts.config_known);
        assert_string_equal(src->facts.config.dir, "");
        assert_string_equal(src->facts.role, "replica"); /* INFO says it too */
        source_free(src);
    }
}

static void
source_bgsave__replica_when_masters_are_refused__is_taken(void **state)
{
    struct scene s = scene_new();
    struct source_bgsave_options o = scene_options(&s);
    struct source *src = NULL;
    struct err err = ERR_INIT;

    (void)state;
    s.role = "slave";
    o.allow_master = false;
    assert_ok(scene_back_up(&s, &o, &src, &err), &err);
    assert_string_equal(src->facts.role, "replica");
    source_free(src);
}

static void
source_bgsave__rdb_file_given__is_the_one_that_is_read(void **state)
{
    struct scene s = scene_new();
    struct source_bgsave_options o = scene_options(&s);
    struct source *src = NULL;
    struct err err = ERR_INIT;
    char path[400];

    (void)state;
    (void)snprintf(path, sizeof(path), "%s/dump.rdb", s.dir);
    o.data_dir = NULL;
    o.rdb_file = path;
    s.dbfilename = "not-this.rdb";
    assert_ok(scene_back_up(&s, &o, &src, &err), &err);
    source_free(src);
}

/* What was told: how often in each phase, and the last of each. */
struct told {
    unsigned waiting, saving;
    char reason[128];
    uint64_t done, total;
};

static void
tell(const struct source_progress *p, void *cookie)
{
    struct told *t = cookie;

    if (p->phase == SOURCE_WAITING) {
        t->waiting++;
        (void)snprintf(t->reason, sizeof(t->reason), "%s", p->waiting_for);
    } else {
        t->saving++;
        t->done = p->keys_done;
        t->total = p->keys_total;
    }
}

static void
source_bgsave__progress__tells_both_phases(void **state)
{
    struct scene s = scene_new();
    struct source_bgsave_options o = scene_options(&s);
    struct told told = {0};
    struct source *src = NULL;
    struct err err = ERR_INIT;

    (void)state;
    s.busy_line = "aof_rewrite_in_progress:1\r\n";
    s.busy_for = 5;
    s.save_for = 10;
    o.progress = tell;
    o.cookie = &told;
    assert_ok(scene_back_up(&s, &o, &src, &err), &err);
    assert_true(told.waiting >= 1 && told.waiting <= 3);
    assert_non_null(strstr(told.reason, "append-only"));
    assert_true(told.saving >= 2 && told.saving <= 8);
    assert_int_equal(told.done, 10);
    assert_int_equal(told.total, 20);
    source_free(src);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(source_bgsave__plain__facts_time_and_size),
        cmocka_unit_test(source_bgsave__confirm__ctime_must_not_be_older_than_the_request),
        cmocka_unit_test(source_bgsave__old_server__inode_and_a_wider_ctime_do),
        cmocka_unit_test(source_bgsave__first_dump_ever__is_taken),
        cmocka_unit_test(source_bgsave__refused_for_now__asks_again),
        cmocka_unit_test(source_bgsave__something_else_running__is_waited_for),
        cmocka_unit_test(source_bgsave__another_save_after_ours__is_newer_and_fine),
        cmocka_unit_test(source_bgsave__connection_lost_in_the_save__goes_on),
        cmocka_unit_test(source_bgsave__answer_to_bgsave_lost__waits_and_asks_anew),
        cmocka_unit_test(source_bgsave__busy_script_in_the_save__is_waited_out),
        cmocka_unit_test(source_bgsave__config_and_role_denied__does_without),
        cmocka_unit_test(source_bgsave__replica_when_masters_are_refused__is_taken),
        cmocka_unit_test(source_bgsave__rdb_file_given__is_the_one_that_is_read),
        cmocka_unit_test(source_bgsave__progress__tells_both_phases),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
