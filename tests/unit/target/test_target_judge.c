/* SPDX-License-Identifier: Apache-2.0 */
/* test_target_judge.c: is there data in this folder? The table, alone and combined, and that looking touches nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "tests/support/target_case.h"
#include "tests/support/test_child.h"
#include "tests/support/test_common.h"

struct judged {
    const char *spec;
    enum target_state state;
    const char *reason; /* must be in it */
};

static const char *const state_names[] = {
    [TARGET_EMPTY] = "empty", [TARGET_DATA] = "data", [TARGET_UNSURE] = "unsure", [TARGET_STAGED] = "staged"};

/* Alone, each of these is what it says. */
static const struct judged table[] = {
    {"", TARGET_EMPTY, ""},
    /* names that are data, whatever is in them and whatever they are */
    {"dump.rdb", TARGET_DATA, "dump.rdb"},
    {"dump.rdb=", TARGET_DATA, "dump.rdb"},
    {"dump.rdb/", TARGET_DATA, "dump.rdb"},
    {"dump.rdb@nowhere", TARGET_DATA, "dump.rdb"},
    {"dump.rdb|", TARGET_DATA, "dump.rdb"},
    {"appendonly.aof", TARGET_DATA, "appendonly.aof"},
    {"shop.aof", TARGET_DATA, "shop.aof"},
    {".aof", TARGET_DATA, ".aof"},
    {"nodes.conf", TARGET_DATA, "nodes.conf"},
    {"appendonlydir/ appendonlydir/appendonly.aof.manifest", TARGET_DATA, "appendonlydir"},
    {"appendonlydir/ appendonlydir/shop.manifest= appendonlydir/x", TARGET_DATA, "appendonlydir"},
    /* ignorable names */
    {"lost+found/", TARGET_EMPTY, ""},
    {"redis.conf", TARGET_EMPTY, ""},
    {"redis.conf=REDIS0011", TARGET_EMPTY, ""},
    {"users.acl", TARGET_EMPTY, ""},
    {"temp-123.rdb=REDIS0011", TARGET_EMPTY, ""},
    {"temp-.rdb", TARGET_EMPTY, ""},
    {".remora-lock", TARGET_EMPTY, ""},
    {".remora-restored.json=REDIS0011", TARGET_EMPTY, ""},
    {".remora-restore/ .remora-restore/entry=REDIS0011", TARGET_EMPTY, ""},
    {".remora-replaced/ .remora-replaced/dump.rdb", TARGET_EMPTY, ""},
    {"appendonlydir/", TARGET_EMPTY, ""},
    /* content: files and files one level into folders */
    {"backup-old=REDIS0011xxx", TARGET_DATA, "backup-old"},
    {"backup-old=VALKEY080", TARGET_DATA, "backup-old"},
    {"backup-old=REDIS", TARGET_DATA, "backup-old"},
    {"dump.rdb.bak=REDIS0009", TARGET_DATA, "dump.rdb.bak"},
    {"old/ old/yesterday=REDIS0009", TARGET_DATA, "old/yesterday"},
    {"old/ old/a=x old/b| old/c=VALKEY080 old/d/", TARGET_DATA, "old/c"},
    {"mydir/ mydir/appendonly.aof.1.base.rdb=REDIS0011 mydir/appendonly.aof.manifest=file", TARGET_DATA, "mydir/"},
    /* what nobody can tell */
    {"file", TARGET_UNSURE, "file"},
    {"file=", TARGET_UNSURE, "file"},
    {"file=REDI", TARGET_UNSURE, "file"},
    {"file=redis0011", TARGET_UNSURE, "file"},
    {"file=xREDIS0011", TARGET_UNSURE, "file"},
    {"folder/", TARGET_UNSURE, "folder"},
    {"folder/ folder/deeper/ folder/deeper/x=REDIS0011", TARGET_UNSURE, "folder"},
    {"link@/etc/hostname", TARGET_UNSURE, "link"},
    {"link@nowhere", TARGET_UNSURE, "link"},
    {"real/ link@real", TARGET_UNSURE, ""},
    {"fifo|", TARGET_UNSURE, "fifo"},
    {"folder/ folder/fifo|", TARGET_UNSURE, "folder"},
    {"temp-123.aof-rewrite", TARGET_UNSURE, "temp-123.aof-rewrite"},
    {"Dump.rdb", TARGET_UNSURE, "Dump.rdb"},
    {"appendonlydir", TARGET_UNSURE, "appendonlydir"},
    {"appendonlydir@elsewhere", TARGET_UNSURE, "appendonlydir"},
    {"appendonlydir/ appendonlydir/appendonly.aof.1.incr.aof", TARGET_UNSURE, "appendonlydir"},
    {"appendonlydir/ appendonlydir/appendonly.aof.1.base.rdb=REDIS0011", TARGET_UNSURE, "appendonlydir"},
    {"appendonlydir/ appendonlydir/temp-appendonly.aof.manifest", TARGET_UNSURE, "appendonlydir"},
};

static void
check(const char *spec, enum target_state want, const char *says)
{
    char dir[256], reason[512], *before, *after;
    enum target_state state;

    test_make_dir(dir);
    target_case_make(dir, spec);
    before = target_case_tree(dir);
    state = target_case_judge(dir, reason);
    after = target_case_tree(dir);
    if (state != want || strstr(reason, says) == NULL || (state == TARGET_EMPTY && reason[0] != '\0'))
        fail_msg("\"%s\": %s (%s), not %s", spec, state_names[state], reason, state_names[want]);
    assert_string_equal(before, after); /* no lock, no staging, nothing touched */
    free(before);
    free(after);
    test_remove_dir(dir);
}

static void
judge__each_alone__by_the_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        check(table[i].spec, table[i].state, table[i].reason);
}

/* Does a name stand in both? Then they cannot be made together. */
static bool
collide(const char *a, const char *b)
{
    char *copy = mem_strdup(a), *save = NULL;
    bool hit = false;

    for (char *one = strtok_r(copy, " ", &save); one != NULL; one = strtok_r(NULL, " ", &save)) {
        char *other = mem_strdup(b), *other_save = NULL;

        one[strcspn(one, "=@|/")] = '\0';
        for (char *two = strtok_r(other, " ", &other_save); two != NULL; two = strtok_r(NULL, " ", &other_save)) {
            two[strcspn(two, "=@|/")] = '\0';
            hit = hit || strcmp(one, two) == 0;
        }
        free(other);
    }
    free(copy);
    return hit;
}

/* Data outweighs what is not known, which outweighs what can be ignored. */
static enum target_state
stronger(enum target_state a, enum target_state b)
{
    return a == TARGET_DATA || b == TARGET_DATA       ? TARGET_DATA
           : a == TARGET_UNSURE || b == TARGET_UNSURE ? TARGET_UNSURE
                                                      : TARGET_EMPTY;
}

static void
judge__each_pair__the_stronger(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        for (size_t j = i + 1; j < ARRAY_LEN(table); j++) {
            char *both;

            if (collide(table[i].spec, table[j].spec))
                continue;
            both = mem_printf("%s %s", table[i].spec, table[j].spec);
            check(both, stronger(table[i].state, table[j].state), "");
            free(both);
        }
    }
}

static void
judge__all_ignorables_together__empty(void **state)
{
    (void)state;
    check("lost+found/ redis.conf sentinel.conf users.acl temp-1.rdb temp-2.rdb appendonlydir/ .remora-lock "
          ".remora-restored.json .remora-restore/",
          TARGET_EMPTY, "");
}

static void
judge__a_thousand_files__still_finds_the_one(void **state)
{
    char dir[256], reason[512], name[32];

    (void)state;
    test_make_dir(dir);
    for (int i = 0; i < 1000; i++) {
        (void)snprintf(name, sizeof(name), "file-%d", i);
        target_case_make(dir, name);
    }
    target_case_make(dir, "the-one=VALKEY080");
    assert_int_equal(target_case_judge(dir, reason), TARGET_DATA);
    assert_non_null(strstr(reason, "the-one"));
    test_remove_dir(dir);
}

static void
judge__configured_dump_name__is_data_too(void **state)
{
    static const char *const names[] = {"shop.rdb", "ready", "entry", "users.acl", "x.conf", "temp-9.rdb"};
    enum target_state judged;
    struct err err = ERR_INIT;
    char dir[256];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        for (int both = 0; both < 2; both++) {
            struct target *t = NULL;

            test_make_dir(dir);
            target_case_make(dir, both ? "dump.rdb" : names[i]);
            assert_ok(target_case_open(dir, names[i], &t, &err), &err);
            assert_ok(target_judge(t, &judged, &err), &err);
            assert_int_equal(judged, TARGET_DATA);
            target_free(t);
            test_remove_dir(dir);
        }
    }
}

static void
open__not_a_bare_name_or_no_folder__usage(void **state)
{
    static const char *const bad[] = {"", ".", "..", "a/b", "/dump.rdb", ".remora-lock", ".remora-x"};
    struct target *t = NULL;
    struct err err = ERR_INIT;
    char dir[256], *file, name[300];

    (void)state;
    test_make_dir(dir);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_fails(target_case_open(dir, bad[i], &t, &err), &err, ERR_USAGE);
    memset(name, 'n', sizeof(name));
    name[256] = '\0';
    assert_fails(target_case_open(dir, name, &t, &err), &err, ERR_USAGE);
    target_case_make(dir, "file");
    file = mem_printf("%s/file", dir);
    assert_fails(target_case_open(file, "dump.rdb", &t, &err), &err, ERR_USAGE);
    file[strlen(file) - 1] = 'X';
    assert_fails(target_case_open(file, "dump.rdb", &t, &err), &err, ERR_USAGE);
    free(file);
    test_remove_dir(dir);
}

/* ---- what an unprivileged uid cannot read ---- */

static int
judge_unsure_as_other(void *cookie)
{
    char reason[512];
    const char *dir = cookie;

    if (target_case_judge(dir, reason) != TARGET_UNSURE)
        return 1;
    return strstr(reason, "cannot be read") != NULL ? 0 : 2;
}

static int
judge_data_as_other(void *cookie)
{
    char reason[512];

    return target_case_judge(cookie, reason) == TARGET_DATA ? 0 : 1;
}

static void
locked_away(const char *spec, const char *name, int (*fn)(void *), mode_t mode)
{
    char dir[256], *path;

    test_make_dir(dir);
    assert_int_equal(chmod(dir, 0755), 0);
    target_case_make(dir, spec);
    path = mem_printf("%s/%s", dir, name);
    assert_int_equal(chmod(path, mode), 0);
    assert_int_equal(target_case_as(CASE_UID, CASE_UID, (gid_t)-1, fn, dir), 0);
    free(path);
    test_remove_dir(dir);
}

static void
judge__unreadable__unsure_unless_its_name_is_data(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    locked_away("file=REDIS0011", "file", judge_unsure_as_other, 0);
    locked_away("old/ old/x=REDIS0011", "old", judge_unsure_as_other, 0);
    locked_away("old/ old/x=REDIS0011", "old/x", judge_unsure_as_other, 0);
    locked_away("old/ old/x=REDIS0011", "old", judge_unsure_as_other, 0744); /* names, but no way in */
    locked_away("appendonlydir/ appendonlydir/a.manifest", "appendonlydir", judge_unsure_as_other, 0);
    locked_away("dump.rdb", "dump.rdb", judge_data_as_other, 0);
    locked_away("old/ old/x=REDIS0011 old/y=REDIS0011", "old/x", judge_data_as_other, 0);
}

static int
judge_empty_as_other(void *cookie)
{
    char reason[512];

    return target_case_judge(cookie, reason) == TARGET_EMPTY ? 0 : 1;
}

static void
judge__unreadable_lost_and_found__ignored(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    locked_away("lost+found/", "lost+found", judge_empty_as_other, 0);
}

static int
judge_fails_as_other(void *cookie)
{
    enum target_state judged;
    struct err err = ERR_INIT;
    struct target *t = NULL;
    int rc = target_case_open(cookie, "dump.rdb", &t, &err);

    if (rc == 0)
        rc = target_judge(t, &judged, &err);
    target_free(t);
    return rc < 0 && err.code == ERR_USAGE ? 0 : 1;
}

static void
judge__folder_itself_unreadable__usage_and_never_empty(void **state)
{
    char dir[256];

    (void)state;
    if (geteuid() != 0)
        skip();
    test_make_dir(dir);
    assert_int_equal(target_case_as(CASE_UID, CASE_UID, (gid_t)-1, judge_fails_as_other, dir), 0);
    test_remove_dir(dir);
}

static int
judge_on_a_broken_disk(void *cookie)
{
    enum target_state judged;
    struct err err = ERR_INIT;
    struct target *t = NULL;

    CHILD_CHECK(target_case_open(cookie, "dump.rdb", &t, &err) == 0);
    CHILD_CHECK(test_child_refuse(SYS_getdents64, EIO));
    CHILD_CHECK(target_judge(t, &judged, &err) < 0);
    CHILD_CHECK(err.code == ERR_INTERNAL && err.sys == EIO);
    target_free(t);
    return 0;
}

static void
judge__folder_on_a_broken_disk__is_no_fault_of_the_users(void **state)
{
    char dir[256];

    (void)state;
    test_make_dir(dir);
    assert_int_equal(test_child_run(judge_on_a_broken_disk, dir), 0);
    test_remove_dir(dir);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judge__each_alone__by_the_table),
        cmocka_unit_test(judge__each_pair__the_stronger),
        cmocka_unit_test(judge__all_ignorables_together__empty),
        cmocka_unit_test(judge__a_thousand_files__still_finds_the_one),
        cmocka_unit_test(judge__configured_dump_name__is_data_too),
        cmocka_unit_test(open__not_a_bare_name_or_no_folder__usage),
        cmocka_unit_test(judge__unreadable__unsure_unless_its_name_is_data),
        cmocka_unit_test(judge__unreadable_lost_and_found__ignored),
        cmocka_unit_test(judge__folder_itself_unreadable__usage_and_never_empty),
        cmocka_unit_test(judge__folder_on_a_broken_disk__is_no_fault_of_the_users),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
