/* SPDX-License-Identifier: Apache-2.0 */
/* test_target_replace.c: the layouts' entries, going on with what was staged, and old data that moves away: cut off
 * everywhere. */
#include "snapshot/target/target_internal.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "tests/support/target_case.h"
#include "tests/support/test_common.h"

static const enum target_layout all_layouts[] = {TARGET_LAYOUT_RDB, TARGET_LAYOUT_AOF, TARGET_LAYOUT_SINGLE_AOF};

/* A folder of its own below DIR. */
static void
sub_folder(char sub[300], const char *dir, size_t n)
{
    (void)snprintf(sub, 300, "%s/%zu", dir, n);
    assert_int_equal(mkdir(sub, 0700), 0);
}

static void
assert_whole(const char *dir, enum target_layout layout)
{
    switch (layout) {
    case TARGET_LAYOUT_RDB:
        assert_true(target_case_holds(dir, "dump.rdb", CASE_DUMP));
        break;
    case TARGET_LAYOUT_SINGLE_AOF:
        assert_true(target_case_holds(dir, "appendonly.aof", CASE_DUMP));
        break;
    default:
        assert_true(target_case_holds(dir, "appendonlydir/appendonly.aof.1.base.rdb", CASE_DUMP));
        assert_true(target_case_holds(dir, "appendonlydir/appendonly.aof.1.incr.aof", ""));
        assert_true(target_case_holds(dir, "appendonlydir/appendonly.aof.manifest",
                                      "file appendonly.aof.1.base.rdb seq 1 type b\n"
                                      "file appendonly.aof.1.incr.aof seq 1 type i\n"));
    }
}

/* ---- the entries ---- */

static void
enter__each_layout__its_one_entry(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(all_layouts); i++) {
        const struct target_plan plan = target_case_plan(all_layouts[i], strlen(CASE_DUMP));
        enum target_state judged;
        struct err err = ERR_INIT;
        struct target *t;
        char sub[300];

        sub_folder(sub, *state, i);
        t = target_case_lock(sub, &judged);
        target_case_stage_plan(t, &plan, CASE_DUMP);
        assert_ok(target_seal(t, &err), &err);
        assert_ok(target_enter(t, false, &err), &err);
        target_free(t);
        assert_whole(sub, all_layouts[i]);
        t = target_case_lock(sub, &judged);
        assert_int_equal(judged, TARGET_DATA);
        target_free(t);
    }
}

/* What a server's own parser takes back (quotes, and hex for what is not plain). */
static void
enter__odd_append_names__are_quoted_in_the_manifest(void **state)
{
    struct target_options options = {.path = *state, .names = target_names_default};
    struct target_plan plan = target_case_plan(TARGET_LAYOUT_AOF, strlen(CASE_DUMP));
    enum target_state judged;
    struct err err = ERR_INIT;
    struct target *t = NULL;

    (void)snprintf(plan.names.appenddirname, sizeof(plan.names.appenddirname), "an odd \"dir\"");
    (void)snprintf(plan.names.appendfilename, sizeof(plan.names.appendfilename), "a \"b\"\\\xc3\xa9");
    options.names = plan.names;
    assert_ok(target_open(&options, &t, &err), &err);
    assert_ok(target_lock(t, &judged, &err), &err);
    target_case_stage_plan(t, &plan, CASE_DUMP);
    assert_ok(target_seal(t, &err), &err);
    assert_ok(target_enter(t, false, &err), &err);
    assert_true(target_case_holds(*state, "an odd \"dir\"/a \"b\"\\\xc3\xa9.manifest",
                                  "file \"a \\x22b\\x22\\x5c\\xc3\\xa9.1.base.rdb\" seq 1 type b\n"
                                  "file \"a \\x22b\\x22\\x5c\\xc3\\xa9.1.incr.aof\" seq 1 type i\n"));
    assert_ok(target_judge(t, &judged, &err), &err);
    assert_int_equal(judged, TARGET_DATA);
    target_free(t);
}

/* What lies ready for another layout or name than the server reads would leave it empty. */
static void
judge__ready_for_another_layout__is_none(void **state)
{
    const struct target_plan plan = target_case_plan(TARGET_LAYOUT_RDB, strlen(CASE_DUMP));
    struct target_options options = {.path = *state, .names = target_names_default};
    enum target_state judged;
    struct err err = ERR_INIT;
    struct target *t = target_case_lock(*state, &judged);

    target_case_stage_plan(t, &plan, CASE_DUMP);
    assert_ok(target_seal(t, &err), &err);
    target_free(t);
    for (int i = 0; i < 4; i++) {
        static const enum target_state want[] = {TARGET_STAGED, TARGET_EMPTY, TARGET_STAGED, TARGET_EMPTY};

        options.layout = i < 2 ? (i == 0 ? TARGET_LAYOUT_RDB : TARGET_LAYOUT_AOF)
                               : (i == 2 ? TARGET_LAYOUT_UNKNOWN : TARGET_LAYOUT_RDB);
        (void)snprintf(options.names.dbfilename, sizeof(options.names.dbfilename), "%s", i < 3 ? "dump.rdb" : "x.rdb");
        assert_ok(target_open(&options, &t, &err), &err);
        assert_ok(target_judge(t, &judged, &err), &err);
        assert_int_equal(judged, want[i]);
        target_free(t);
    }
}

/* A folder without its manifest is what a server overwrites. */
static void
judge__ready_without_the_manifest__is_none(void **state)
{
    const struct target_plan plan = target_case_plan(TARGET_LAYOUT_AOF, strlen(CASE_DUMP));
    enum target_state judged;
    struct err err = ERR_INIT;
    struct target *t = target_case_lock(*state, &judged);
    char *path = mem_printf("%s/.remora-restore/entry/appendonly.aof.manifest", (const char *)*state);

    target_case_stage_plan(t, &plan, CASE_DUMP);
    assert_ok(target_seal(t, &err), &err);
    assert_ok(target_judge(t, &judged, &err), &err);
    assert_int_equal(judged, TARGET_STAGED);
    assert_int_equal(unlink(path), 0);
    assert_ok(target_judge(t, &judged, &err), &err);
    assert_int_equal(judged, TARGET_EMPTY);
    target_free(t);
    free(path);
}

/* ---- going on ---- */

/* Stage PLAN in DIR again; is what lies there used? */
static bool
goes_on(const char *dir, const struct target_plan *plan)
{
    enum target_state judged;
    struct target_staged staged;
    struct err err = ERR_INIT;
    struct target *t = target_case_lock(dir, &judged);

    assert_ok(target_stage(t, plan, &staged, &err), &err);
    assert_true(staged.fd >= 0 && staged.journal >= 0);
    (void)close(staged.fd);
    (void)close(staged.journal);
    target_free(t);
    return staged.resumed;
}

static void
stage__after_an_interruption__goes_on_with_the_same_plan_only(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(all_layouts); i++) {
        struct target_plan plan = target_case_plan(all_layouts[i], 100), other;
        char sub[300], *journal;

        sub_folder(sub, *state, i);
        journal = mem_printf("%s/.remora-restore/journal", sub);
        assert_false(goes_on(sub, &plan));
        assert_true(goes_on(sub, &plan));
        other = plan;
        other.size = 101;
        assert_false(goes_on(sub, &other));
        assert_false(goes_on(sub, &plan));
        other = plan;
        other.layout = all_layouts[(i + 1) % ARRAY_LEN(all_layouts)];
        assert_false(goes_on(sub, &other));
        assert_false(goes_on(sub, &plan));
        other = plan;
        assert_true(backup_id_parse("20261122T103000Z-1a2b3d", &other.id, NULL));
        assert_false(goes_on(sub, &other));
        assert_false(goes_on(sub, &plan));
        assert_int_equal(unlink(journal), 0);
        assert_false(goes_on(sub, &plan));
        free(journal);
    }
}

/* The staged dump with a second name is the server's: it came in by link and unlink, and the unlink was not made. */
static void
stage__dump_that_has_a_second_name__is_not_written_to(void **state)
{
    struct target_plan plan = target_case_plan(TARGET_LAYOUT_RDB, strlen(CASE_DUMP));
    const char *dir = *state;
    char *staged = mem_printf("%s/.remora-restore/entry", dir), *placed = mem_printf("%s/dump.rdb", dir);
    struct stat before, after;

    assert_false(goes_on(dir, &plan));
    assert_true(goes_on(dir, &plan));
    assert_int_equal(link(staged, placed), 0);
    assert_int_equal(stat(placed, &before), 0);
    assert_false(goes_on(dir, &plan));
    assert_int_equal(stat(placed, &after), 0);
    assert_int_equal(after.st_nlink, 1);
    assert_int_equal(stat(staged, &after), 0);
    assert_true(after.st_ino != before.st_ino);
    free(staged);
    free(placed);
}

/* The owner was wrong, the run was stopped, and the next one is to do it right. */
static void
stage__for_another_owner__what_is_there_is_given_to_it(void **state)
{
    static const char *const names[] = {"", "/plan", "/journal", "/entry", "/entry/appendonly.aof.1.base.rdb"};
    struct target_plan plan = target_case_plan(TARGET_LAYOUT_AOF, strlen(CASE_DUMP));
    char *dir = *state;

    if (geteuid() != 0) {
        print_message("needs root, to be another user\n");
        skip();
    }
    assert_false(goes_on(dir, &plan));
    assert_int_equal(chown(dir, CASE_UID, CASE_UID), 0);
    assert_true(goes_on(dir, &plan));
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        char *path = mem_printf("%s/.remora-restore%s", dir, names[i]);
        struct stat st;

        assert_int_equal(stat(path, &st), 0);
        if (strcmp(names[i], "/plan") != 0) /* which no server reads */
            assert_int_equal(st.st_uid, CASE_UID);
        free(path);
    }
    assert_int_equal(chown(dir, 0, 0), 0);
}

/* ---- old data ---- */

#define OLD "dump.rdb=old appendonlydir/ appendonlydir/a.manifest=m nodes.conf=n odd=o redis.conf=c lost+found/ "

static void
assert_replaced(const char *dir, enum target_layout layout, const char *stamp)
{
    char *away = mem_printf("%s/.remora-replaced/%s", dir, stamp);

    assert_whole(dir, layout);
    target_case_assert_names(away, "appendonlydir dump.rdb nodes.conf odd ");
    assert_true(target_case_holds(away, "dump.rdb", "old"));
    assert_true(target_case_holds(away, "appendonlydir/a.manifest", "m"));
    assert_true(target_case_holds(dir, "redis.conf", "c"));
    free(away);
}

static void
enter__replace__old_data_is_moved_not_the_ignorable(void **state)
{
    for (size_t i = 0; i < 2 * ARRAY_LEN(all_layouts); i++) {
        bool discard = i >= ARRAY_LEN(all_layouts);
        enum target_layout layout = all_layouts[i % ARRAY_LEN(all_layouts)];
        struct target_plan plan = target_case_plan(layout, strlen(CASE_DUMP));
        enum target_state judged;
        struct err err = ERR_INIT;
        struct target *t;
        char sub[300];

        sub_folder(sub, *state, i);
        target_case_make(sub, OLD);
        t = target_case_lock(sub, &judged);
        assert_int_equal(judged, TARGET_DATA);
        plan.replace = true;
        assert_ok(target_check_access(t, true, &err), &err);
        target_case_stage_plan(t, &plan, CASE_DUMP);
        assert_true(target_case_holds(sub, "dump.rdb", "old"));
        assert_ok(target_seal(t, &err), &err);
        assert_true(target_case_holds(sub, "dump.rdb", "old"));
        assert_ok(target_enter(t, discard, &err), &err);
        if (discard) {
            char *names = target_case_names(sub);

            assert_whole(sub, layout);
            assert_null(strstr(names, ".remora-replaced"));
            assert_string_equal(target_replaced(t), "");
            free(names);
        } else {
            assert_replaced(sub, layout, target_replaced(t) + strlen(".remora-replaced/"));
        }
        target_free(t);
    }
}

/* The time in the note of a replacement that was cut off; it names the folder of the old data. */
static void
read_stamp(struct target *t, char stamp[TARGET_STAMP_LEN])
{
    enum target_state judged;
    struct err err = ERR_INIT;

    assert_ok(target_judge(t, &judged, &err), &err);
    assert_int_equal(judged, TARGET_REPLACING);
    memcpy(stamp, t->stamp, TARGET_STAMP_LEN);
}

/* Cut off at every place between `ready` and the end, as a crash leaves it: the next run goes through with it. */
static void
next_run__replacement_cut_off__is_gone_through_with(void **state)
{
    static const char *const moved[] = {"", "dump.rdb", "appendonlydir", "dump.rdb appendonlydir",
                                        "dump.rdb appendonlydir nodes.conf odd"};

    for (size_t i = 0; i < ARRAY_LEN(all_layouts) * ARRAY_LEN(moved); i++) {
        enum target_layout layout = all_layouts[i % ARRAY_LEN(all_layouts)];
        char *names = mem_strdup(moved[i / ARRAY_LEN(all_layouts)]), *save = NULL;
        struct target_plan plan = target_case_plan(layout, strlen(CASE_DUMP));
        enum target_state judged;
        struct err err = ERR_INIT;
        char sub[300], stamp[TARGET_STAMP_LEN], *away;
        struct target *t;

        sub_folder(sub, *state, i);
        target_case_make(sub, OLD);
        t = target_case_lock(sub, &judged);
        plan.replace = true;
        target_case_stage_plan(t, &plan, CASE_DUMP);
        assert_ok(target_seal(t, &err), &err);
        read_stamp(t, stamp);
        target_free(t);

        away = mem_printf("%s/.remora-replaced", sub);
        assert_int_equal(mkdir(away, 0700), 0);
        free(away);
        away = mem_printf("%s/.remora-replaced/%s", sub, stamp);
        assert_int_equal(mkdir(away, 0700), 0);
        for (char *one = strtok_r(names, " ", &save); one != NULL; one = strtok_r(NULL, " ", &save)) {
            char *from = mem_printf("%s/%s", sub, one), *to = mem_printf("%s/%s", away, one);

            assert_int_equal(rename(from, to), 0);
            free(from);
            free(to);
        }
        t = target_case_lock(sub, &judged);
        assert_int_equal(judged, TARGET_REPLACING);
        assert_true(target_ready_plan(t)->replace);
        assert_ok(target_enter(t, false, &err), &err);
        assert_replaced(sub, layout, stamp);
        assert_ok(target_judge(t, &judged, &err), &err);
        assert_int_equal(judged, TARGET_DATA);
        target_free(t);
        free(away);
        free(names);
    }
}

/* Part of the old data may be moved, and nobody can tell: what is in place must not be taken for the whole. */
static void
judge__staging_unreadable_after_a_move__is_refused(void **state)
{
#define NOTE(version, more, size)                                                                                      \
    ".remora-restore/ready={\"format\":\"remora-ready\",\"version\":" version ",\"backup\":\"" CASE_ID                 \
    "\",\"layout\":\"rdb\",\"dbfilename\":\"dump.rdb\",\"appenddirname\":\"a\",\"appendfilename\":\"b\"," more         \
    "\"size\":" size "} "
#define STAMP "\"replace\":\"20261122T103000Z\","
    static const struct {
        const char *spec;
        bool refused; /* with .remora-replaced/ beside it; without, nothing can have been moved */
    } cases[] = {
        {".remora-restore/ .remora-restore/entry=12345 .remora-restore/ready={", true},
        {".remora-restore/ .remora-restore/entry=12345 .remora-restore/ready/", true},
        {".remora-restore/ .remora-restore/entry=12345 .remora-restore/ready|", true},
        {".remora-restore/ .remora-restore/entry=12345 " NOTE("2", STAMP, "5"), true},
        {".remora-restore/ .remora-restore/entry=12345 " NOTE("1", STAMP, "6"), true},
        {".remora-restore/ .remora-restore/entry/ " NOTE("1", STAMP, "6"), true},
        {".remora-restore=a-file", true},
        {".remora-restore/ .remora-restore/entry=12345", false},
        {".remora-restore/ " NOTE("1", STAMP, "5"), false}, /* the entry came in: only order is missing */
        {"lost+found/", false},
    };

    for (size_t i = 0; i < 2 * ARRAY_LEN(cases); i++) {
        bool refused = cases[i / 2].refused && i % 2 == 1;
        enum target_state judged = TARGET_UNSURE;
        struct err err = ERR_INIT;
        struct target *t;
        char sub[300];

        sub_folder(sub, *state, i);
        target_case_make(sub, cases[i / 2].spec);
        target_case_make(sub, i % 2 == 1 ? "dump.rdb=half .remora-replaced/" : "dump.rdb=whole");
        assert_ok(target_case_open(sub, "dump.rdb", &t, &err), &err);
        if (refused) {
            assert_int_equal(target_judge(t, &judged, &err), -1);
            assert_int_equal(err.code, ERR_REFUSED);
            assert_non_null(strstr(err.msg, ".remora-replaced"));
        } else {
            assert_ok(target_judge(t, &judged, &err), &err);
            assert_int_equal(judged, TARGET_DATA);
        }
        target_tidy(t);
        assert_int_equal(faccessat(t->dirfd, ".remora-restore", F_OK, AT_SYMLINK_NOFOLLOW),
                         refused ? 0 : -1); /* the only trace of it must stay */
        target_free(t);
    }
}

/* A server was started on half of it, and wrote: that is moved too, over nothing. */
static void
next_run__server_wrote_in_between__both_are_kept(void **state)
{
    struct target_plan plan = target_case_plan(TARGET_LAYOUT_RDB, strlen(CASE_DUMP));
    enum target_state judged;
    struct err err = ERR_INIT;
    char stamp[TARGET_STAMP_LEN], *away;
    struct target *t;

    target_case_make(*state, "dump.rdb=old");
    t = target_case_lock(*state, &judged);
    plan.replace = true;
    target_case_stage_plan(t, &plan, CASE_DUMP);
    assert_ok(target_seal(t, &err), &err);
    read_stamp(t, stamp);
    target_case_make(*state, ".remora-replaced/");
    away = mem_printf("%s/.remora-replaced/%s", (const char *)*state, stamp);
    assert_int_equal(mkdir(away, 0700), 0);
    target_case_make(away, "dump.rdb=older dump.rdb.1=oldest");
    assert_ok(target_enter(t, false, &err), &err);
    assert_whole(*state, TARGET_LAYOUT_RDB);
    assert_true(target_case_holds(away, "dump.rdb", "older"));
    assert_true(target_case_holds(away, "dump.rdb.1", "oldest"));
    assert_true(target_case_holds(away, "dump.rdb.2", "old"));
    target_free(t);
    free(away);
}

/* Where neither renameat2 nor one rename will do, a file comes in by link and unlink; cut off between the two, what is
 * in place is the restored file itself and must not be moved away as old data. */
static void
next_run__cut_off_between_link_and_unlink__finishes(void **state)
{
    struct target_plan plan = target_case_plan(TARGET_LAYOUT_RDB, strlen(CASE_DUMP));
    const char *dir = *state;
    char *staged = mem_printf("%s/.remora-restore/entry", dir), *placed = mem_printf("%s/dump.rdb", dir);
    enum target_state judged;
    struct err err = ERR_INIT;
    struct target *t = target_case_lock(dir, &judged);

    plan.replace = true;
    target_case_stage_plan(t, &plan, CASE_DUMP);
    assert_ok(target_seal(t, &err), &err);
    assert_int_equal(link(staged, placed), 0);
    assert_ok(target_judge(t, &judged, &err), &err);
    assert_int_equal(judged, TARGET_REPLACING);
    assert_ok(target_enter(t, true, &err), &err);
    assert_whole(dir, TARGET_LAYOUT_RDB);
    target_case_assert_names(dir, ".remora-lock .remora-restored.json dump.rdb ");
    target_free(t);
    free(staged);
    free(placed);
}

/* ---- what cannot be moved ---- */

static int
check_replace(void *cookie)
{
    struct err err = ERR_INIT;
    struct target *t = NULL;
    int rc;

    if (target_case_open(cookie, "dump.rdb", &t, &err) < 0)
        return 100;
    rc = target_check_access(t, true, &err) < 0 ? err_exit_status(err.code) : 0;
    if (rc == 2 && strstr(err.msg, "runAsUser: 0") == NULL)
        rc = 101;
    target_free(t);
    return rc;
}

static void
check_access__a_folder_of_another_owner__is_refused_before_anything(void **state)
{
    char *dir = *state, *old = mem_printf("%s/appendonlydir", dir);

    if (geteuid() != 0) {
        print_message("needs root, to be another user\n");
        skip();
    }
    target_case_make(dir, "dump.rdb=x appendonlydir/ appendonlydir/a.manifest");
    assert_int_equal(chown(dir, CASE_UID, CASE_UID), 0);
    assert_int_equal(target_case_as(CASE_UID, CASE_UID, (gid_t)-1, check_replace, dir), 2); /* root's folder */
    assert_int_equal(chown(old, CASE_UID, CASE_UID), 0);
    assert_int_equal(target_case_as(CASE_UID, CASE_UID, (gid_t)-1, check_replace, dir), 0); /* root's file can be */
    assert_int_equal(chown(dir, 0, CASE_UID), 0);
    assert_int_equal(chmod(dir, 01770), 0);
    assert_int_equal(target_case_as(CASE_UID, CASE_UID, (gid_t)-1, check_replace, dir), 2); /* the sticky bit */
    assert_int_equal(chown(dir, 0, 0), 0);
    free(old);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, target_case_setup, target_case_teardown)
    const struct CMUnitTest tests[] = {
        TEST(enter__each_layout__its_one_entry),
        TEST(enter__odd_append_names__are_quoted_in_the_manifest),
        TEST(judge__ready_for_another_layout__is_none),
        TEST(judge__ready_without_the_manifest__is_none),
        TEST(stage__after_an_interruption__goes_on_with_the_same_plan_only),
        TEST(stage__dump_that_has_a_second_name__is_not_written_to),
        TEST(stage__for_another_owner__what_is_there_is_given_to_it),
        TEST(enter__replace__old_data_is_moved_not_the_ignorable),
        TEST(next_run__replacement_cut_off__is_gone_through_with),
        TEST(judge__staging_unreadable_after_a_move__is_refused),
        TEST(next_run__server_wrote_in_between__both_are_kept),
        TEST(next_run__cut_off_between_link_and_unlink__finishes),
        TEST(check_access__a_folder_of_another_owner__is_refused_before_anything),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
