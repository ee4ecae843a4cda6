/* SPDX-License-Identifier: Apache-2.0 */
/* test_target.c: lock, stage, seal, enter: cut off after every step, and beside data that came meanwhile. */
#include "snapshot/target/target.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "tests/support/target_case.h"
#include "tests/support/test_common.h"

/* ---- the steps ---- */

static void
enter__all_steps__the_dump_the_lock_and_the_record(void **state)
{
    const char *dir = *state;
    enum target_state judged;
    struct err err = ERR_INIT;
    struct target *t = target_case_lock(dir, &judged);

    assert_int_equal(judged, TARGET_EMPTY);
    target_case_stage(t, CASE_DUMP);
    target_case_assert_names(dir, ".remora-lock .remora-restore ");
    assert_ok(target_seal(t, &err), &err);
    target_case_assert_names(dir, ".remora-lock .remora-restore ");
    assert_ok(target_enter(t, false, &err), &err);
    target_case_assert_names(dir, ".remora-lock .remora-restored.json dump.rdb ");
    assert_true(target_case_holds(dir, "dump.rdb", CASE_DUMP));
    target_free(t);
    t = target_case_lock(dir, &judged);
    assert_int_equal(judged, TARGET_DATA);
    assert_string_equal(target_reason(t), "dump.rdb");
    target_free(t);
}

/* A dump that has the name of one of our own files in staging is brought in all the same. */
static void
enter__dump_called_ready_or_entry__its_own_bytes(void **state)
{
    static const char *const names[] = {"ready", "entry", "temp-1.rdb", ".tmp-x"};
    const char *dir = *state;

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct target_plan plan = target_case_plan(TARGET_LAYOUT_RDB, strlen(CASE_DUMP));
        enum target_state judged;
        struct err err = ERR_INIT;
        struct target *t = NULL;
        char sub[300];

        (void)snprintf(sub, sizeof(sub), "%s/%zu", dir, i);
        (void)snprintf(plan.names.dbfilename, sizeof(plan.names.dbfilename), "%s", names[i]);
        assert_int_equal(mkdir(sub, 0700), 0);
        assert_ok(target_case_open(sub, names[i], &t, &err), &err);
        assert_ok(target_lock(t, &judged, &err), &err);
        target_case_stage_plan(t, &plan, CASE_DUMP);
        assert_ok(target_seal(t, &err), &err);
        assert_ok(target_enter(t, false, &err), &err);
        assert_true(target_case_holds(sub, names[i], CASE_DUMP));
        target_free(t);
    }
}

/* ---- cut off ---- */

enum step { LOCKED, STAGING_MADE, HALF_WRITTEN, WRITTEN, SEALED, ENTERED, ALL_STEPS };

struct cut {
    const char *dir;
    enum target_layout layout;
    enum step after;
};

static int
run_until(void *cookie)
{
    const struct cut *cut = cookie;
    struct err err = ERR_INIT;
    enum target_state judged;
    struct target *t = target_case_lock(cut->dir, &judged);
    struct target_plan plan = target_case_plan(cut->layout, strlen(CASE_DUMP));
    struct target_staged staged;

    if (cut->after == LOCKED)
        _exit(0);
    if (target_stage(t, &plan, &staged, &err) < 0)
        _exit(1);
    if (cut->after == STAGING_MADE)
        _exit(0);
    if (file_write_all(staged.fd, CASE_DUMP, cut->after == HALF_WRITTEN ? 5 : strlen(CASE_DUMP), &err) < 0)
        _exit(2);
    if (cut->after <= WRITTEN)
        _exit(0);
    if (target_seal(t, &err) < 0)
        _exit(3);
    if (cut->after == SEALED)
        _exit(0);
    _exit(target_enter(t, false, &err) < 0 ? 4 : 0);
}

static void
cut_off(const char *dir, enum target_layout layout, enum step after)
{
    struct cut cut = {dir, layout, after};

    assert_int_equal(target_case_as(geteuid(), getegid(), (gid_t)-1, run_until, &cut), 0);
}

static void
next_run__after_every_step__finishes_or_starts_over(void **state)
{
    const char *dir = *state;

    for (enum step after = LOCKED; after < ALL_STEPS; after++) {
        enum target_state judged, want = after == SEALED    ? TARGET_STAGED
                                         : after == ENTERED ? TARGET_DATA
                                                            : TARGET_EMPTY;
        struct err err = ERR_INIT;
        struct target *t;
        char sub[300], reason[512];

        (void)snprintf(sub, sizeof(sub), "%s/%d", dir, (int)after);
        assert_int_equal(mkdir(sub, 0700), 0);
        cut_off(sub, TARGET_LAYOUT_RDB, after);
        assert_int_equal(target_case_judge(sub, reason), want);
        t = target_case_lock(sub, &judged);
        assert_int_equal(judged, want);
        if (want == TARGET_STAGED) {
            assert_string_equal(target_ready_plan(t)->id.text, CASE_ID);
        } else if (want == TARGET_EMPTY) {
            assert_string_equal(target_ready_plan(t)->id.text, "");
            target_case_stage(t, CASE_DUMP);
            assert_ok(target_seal(t, &err), &err);
        }
        if (want != TARGET_DATA)
            assert_ok(target_enter(t, false, &err), &err);
        target_free(t);
        assert_true(target_case_holds(sub, "dump.rdb", CASE_DUMP));
        target_case_assert_names(sub, ".remora-lock .remora-restored.json dump.rdb ");
    }
}

/* Between the rename and the removal of staging. */
static void
next_run__data_in_place_and_staging_left__tidied_data_untouched(void **state)
{
    const char *dir = *state;
    enum target_state judged;
    struct target *t = NULL;
    struct err err = ERR_INIT;
    char reason[512];

    cut_off(dir, TARGET_LAYOUT_RDB, SEALED);
    target_case_make(dir, "dump.rdb=live"); /* staging is whole, with `ready`, and there is data */
    assert_int_equal(target_case_judge(dir, reason), TARGET_DATA);
    target_case_assert_names(dir, ".remora-lock .remora-restore dump.rdb ");
    assert_ok(target_case_open(dir, "dump.rdb", &t, &err), &err);
    assert_ok(target_judge(t, &judged, &err), &err);
    target_tidy(t);
    target_free(t);
    target_case_assert_names(dir, ".remora-lock dump.rdb ");
    assert_true(target_case_holds(dir, "dump.rdb", "live"));
}

static void
tidy__nothing_of_ours__touches_nothing(void **state)
{
    const char *dir = *state;
    struct target *t = NULL;
    struct err err = ERR_INIT;
    char *before, *after;

    target_case_make(dir, "dump.rdb=live old/");
    before = target_case_tree(dir);
    assert_ok(target_case_open(dir, "dump.rdb", &t, &err), &err);
    target_tidy(t);
    target_abandon(t); /* not under the lock: nothing either */
    target_free(t);
    after = target_case_tree(dir);
    assert_string_equal(before, after);
    free(before);
    free(after);
}

/* Staging that the next run must not believe. */
static void
next_run__ready_that_is_none__starts_over(void **state)
{
#define READY(id, entry, size)                                                                                         \
    "{\"format\":\"remora-ready\",\"version\":1,\"backup\":\"" id "\",\"layout\":\"rdb\",\"dbfilename\":\"" entry      \
    "\",\"appenddirname\":\"a\",\"appendfilename\":\"b\",\"size\":" size "}"
#define STAGED ".remora-restore/ .remora-restore/entry=12345 .remora-restore/ready="
    static const struct {
        const char *spec;
        enum target_state state;
    } cases[] = {
        {STAGED READY(CASE_ID, "dump.rdb", "5"), TARGET_STAGED}, /* the measure: this one is good */
        {STAGED READY(CASE_ID, "dump.rdb", "6"), TARGET_EMPTY},
        {STAGED READY(CASE_ID, "dump.rdb", "4"), TARGET_EMPTY},
        {STAGED READY(CASE_ID, "dump.rdb", "-1"), TARGET_EMPTY},
        {STAGED READY("2026", "dump.rdb", "5"), TARGET_EMPTY},
        {STAGED, TARGET_EMPTY},
        {STAGED "{", TARGET_EMPTY},
        {STAGED "{\"format\":\"remora-ready\",\"version\":2,\"backup\":\"" CASE_ID
                "\",\"layout\":\"rdb\",\"dbfilename\":\"dump.rdb\",\"appenddirname\":\"a\",\"appendfilename\":\"b\","
                "\"size\":5}",
         TARGET_EMPTY},
        {STAGED "{\"format\":\"remora-ready\",\"version\":1,\"backup\":\"" CASE_ID
                "\",\"layout\":\"aof\",\"dbfilename\":\"dump.rdb\",\"appenddirname\":\"a\",\"appendfilename\":\"b\","
                "\"size\":5}",
         TARGET_EMPTY},
        {".remora-restore/ .remora-restore/entry=12345 .remora-restore/ready|", TARGET_EMPTY}, /* must not hang */
        {".remora-restore/ .remora-restore/entry=12345 .remora-restore/ready/", TARGET_EMPTY},
        {".remora-restore/ .remora-restore/ready=" READY(CASE_ID, "dump.rdb", "5"), TARGET_EMPTY},
        {".remora-restore/ .remora-restore/entry@/etc/passwd .remora-restore/ready=" READY(CASE_ID, "dump.rdb", "5"),
         TARGET_EMPTY},
        {".remora-restore/ .remora-restore/entry/ .remora-restore/entry/x .remora-restore/y/ .remora-restore/y/z/",
         TARGET_EMPTY},
        {".remora-restore=a-file", TARGET_EMPTY},
        {".remora-restore@/tmp", TARGET_EMPTY},
    };
    const char *dir = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        enum target_state judged;
        struct err err = ERR_INIT;
        struct target *t;
        char sub[300];

        (void)snprintf(sub, sizeof(sub), "%s/%zu", dir, i);
        assert_int_equal(mkdir(sub, 0700), 0);
        target_case_make(sub, cases[i].spec);
        t = target_case_lock(sub, &judged);
        if (judged != cases[i].state)
            fail_msg("%s: %d, not %d", cases[i].spec, (int)judged, (int)cases[i].state);
        target_case_stage(t, CASE_DUMP); /* another backup is wanted, or it starts over */
        assert_ok(target_seal(t, &err), &err);
        assert_ok(target_enter(t, false, &err), &err);
        target_free(t);
        assert_true(target_case_holds(sub, "dump.rdb", CASE_DUMP));
        target_case_assert_names(sub, ".remora-lock .remora-restored.json dump.rdb ");
    }
    assert_int_equal(access("/etc/passwd", F_OK), 0);
}

static void
abandon__staged__gone_unless_ready(void **state)
{
    const char *dir = *state;
    enum target_state judged;
    struct err err = ERR_INIT;
    struct target *t = target_case_lock(dir, &judged);

    target_case_stage(t, CASE_DUMP);
    target_abandon(t);
    target_case_assert_names(dir, ".remora-lock ");
    target_case_stage(t, CASE_DUMP);
    assert_ok(target_seal(t, &err), &err);
    target_abandon(t); /* what is ready is worth keeping */
    assert_ok(target_judge(t, &judged, &err), &err);
    assert_int_equal(judged, TARGET_STAGED);
    target_free(t);
}

/* ---- data that comes meanwhile ---- */

static void
enter__data_came_meanwhile__never_overwritten(void **state)
{
    static const char *const came[] = {"dump.rdb=live",
                                       "dump.rdb/",
                                       "dump.rdb@nowhere",
                                       "dump.rdb|",
                                       "appendonlydir/ appendonlydir/a.manifest",
                                       "appendonly.aof=live",
                                       "nodes.conf",
                                       "what-is-this",
                                       "other=REDIS0011"};
    const char *dir = *state;

    for (size_t i = 0; i < ARRAY_LEN(came); i++) {
        enum target_state judged;
        struct err err = ERR_INIT;
        struct target *t;
        char sub[300], *before, *after;

        (void)snprintf(sub, sizeof(sub), "%s/%zu", dir, i);
        assert_int_equal(mkdir(sub, 0700), 0);
        t = target_case_lock(sub, &judged);
        target_case_stage(t, CASE_DUMP);
        assert_ok(target_seal(t, &err), &err);
        target_case_make(sub, came[i]);
        before = target_case_tree(sub);
        assert_fails(target_enter(t, false, &err), &err, ERR_EXISTS);
        after = target_case_tree(sub);
        assert_string_equal(before, after);
        target_free(t);
        free(before);
        free(after);
    }
}

static void
enter__only_ignorables_came_meanwhile__goes_on(void **state)
{
    const char *dir = *state;
    enum target_state judged;
    struct err err = ERR_INIT;
    struct target *t = target_case_lock(dir, &judged);

    target_case_stage(t, CASE_DUMP);
    assert_ok(target_seal(t, &err), &err);
    target_case_make(dir, "redis.conf users.acl temp-1.rdb appendonlydir/ lost+found/");
    assert_ok(target_enter(t, false, &err), &err);
    assert_true(target_case_holds(dir, "dump.rdb", CASE_DUMP));
    target_free(t);
}

/* The record is order, not data: a restore that is in place has not failed. */
static void
enter__record_cannot_be_written__restored_all_the_same(void **state)
{
    const char *dir = *state;
    enum target_state judged;
    struct err err = ERR_INIT;
    struct target *t = target_case_lock(dir, &judged);

    target_case_stage(t, CASE_DUMP);
    assert_ok(target_seal(t, &err), &err);
    target_case_make(dir, ".remora-restored.json/"); /* a folder stands where the record goes */
    assert_ok(target_enter(t, false, &err), &err);
    assert_true(target_case_holds(dir, "dump.rdb", CASE_DUMP));
    target_case_assert_names(dir, ".remora-lock .remora-restored.json dump.rdb ");
    target_free(t);
}

/* ---- the lock ---- */

static int
lock_fails(void *cookie)
{
    enum target_state judged;
    struct err err = ERR_INIT;
    struct target *t = NULL;
    int rc = target_case_open(cookie, "dump.rdb", &t, &err);

    if (rc == 0)
        rc = target_lock(t, &judged, &err);
    target_free(t);
    return rc < 0 ? err_exit_status(err.code) : 0;
}

static void
lock__second_process__locked_until_the_first_ends(void **state)
{
    char *dir = *state;
    enum target_state judged;
    struct err err = ERR_INIT;
    struct target *t = target_case_lock(dir, &judged);

    assert_int_equal(target_case_as(geteuid(), getegid(), (gid_t)-1, lock_fails, dir), 11);
    assert_ok(target_lock(t, &judged, &err), &err); /* once more by ourselves is nothing */
    target_free(t);
    assert_int_equal(target_case_as(geteuid(), getegid(), (gid_t)-1, lock_fails, dir), 0);
    target_case_assert_names(dir, ".remora-lock ");
}

static void
tidy__another_holds_the_lock__its_staging_stays(void **state)
{
    const char *dir = *state;
    enum target_state judged;
    struct err err = ERR_INIT;
    struct target *t = target_case_lock(dir, &judged), *other = NULL;

    target_case_stage(t, CASE_DUMP);
    target_case_make(dir, "dump.rdb=live");
    assert_ok(target_case_open(dir, "dump.rdb", &other, &err), &err);
    target_tidy(other);
    target_free(other);
    target_case_assert_names(dir, ".remora-lock .remora-restore dump.rdb ");
    target_free(t);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, target_case_setup, target_case_teardown)
    const struct CMUnitTest tests[] = {
        TEST(enter__all_steps__the_dump_the_lock_and_the_record),
        TEST(enter__dump_called_ready_or_entry__its_own_bytes),
        TEST(next_run__after_every_step__finishes_or_starts_over),
        TEST(next_run__data_in_place_and_staging_left__tidied_data_untouched),
        TEST(tidy__nothing_of_ours__touches_nothing),
        TEST(next_run__ready_that_is_none__starts_over),
        TEST(abandon__staged__gone_unless_ready),
        TEST(enter__data_came_meanwhile__never_overwritten),
        TEST(enter__only_ignorables_came_meanwhile__goes_on),
        TEST(enter__record_cannot_be_written__restored_all_the_same),
        TEST(lock__second_process__locked_until_the_first_ends),
        TEST(tidy__another_holds_the_lock__its_staging_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
