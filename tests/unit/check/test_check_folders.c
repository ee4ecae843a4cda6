/* SPDX-License-Identifier: Apache-2.0 */
/* test_check_folders.c: the server's data folder, and a folder that is to be restored into. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "snapshot/check/check_disk.h"
#include "snapshot/check/check_target.h"
#include "tests/support/check_case.h"
#include "tests/support/test_common.h"

static char dir[256];
static struct check check;

static int
set_up(void **state)
{
    (void)state;
    memset(&check, 0, sizeof(check));
    test_make_dir(dir);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    check_fini(&check);
    test_remove_dir(dir);
    return 0;
}

static void
put(const char *name, const char *text)
{
    struct err err = ERR_INIT;
    int fd = open(dir, O_RDONLY | O_DIRECTORY);

    assert_true(fd >= 0);
    assert_ok(file_write_atomic(fd, name, "new-", text, strlen(text), 0600, &err), &err);
    (void)close(fd);
}

static size_t
count_names(void)
{
    DIR *d = opendir(dir);
    size_t count = 0;

    assert_non_null(d);
    while (readdir(d) != NULL)
        count++;
    (void)closedir(d);
    return count;
}

/* ---- the data folder --------------------------------------------------------------------------------------------- */

static void
check_disk__an_ordinary_folder__is_ok(void **state)
{
    const struct server_status status = {.memory.used = 1000, .last_save_ok = true, .last_save_s = -1};

    (void)state;
    check_disk(&check, dir, "dump.rdb", &status);
    check_case_is(&check, "folder", CHECK_OK, dir);
    check_case_is(&check, "space", CHECK_OK, "the used memory");
    check_case_is(&check, "leftovers", CHECK_OK, "no files");
    check_case_is(&check, "dump", CHECK_OK, "does not exist yet");
    check_case_is(&check, "same-folder", CHECK_OK, "cannot be told");
    check_fini(&check);
    put("dump.rdb", "REDIS0011 and so on");
    check_disk(&check, dir, "dump.rdb", &status);
    check_case_is(&check, "space", CHECK_OK, "1.2 times the last dump");
    check_case_is(&check, "dump", CHECK_OK, "19 B");
    check_case_is(&check, "dump-version", CHECK_OK, "version 11");
}

static void
check_disk__no_such_folder__is_one_failure(void **state)
{
    char path[300];

    (void)state;
    (void)snprintf(path, sizeof(path), "%s/none", dir);
    check_disk(&check, path, "dump.rdb", NULL);
    check_case_failed(&check, "folder", ERR_USAGE, "none");
    assert_int_equal(check.count, 1);
}

static void
check_disk__more_memory_than_room__is_no_space(void **state)
{
    const struct server_status status = {.memory.used = (uint64_t)1 << 62};

    (void)state;
    check_disk(&check, dir, "dump.rdb", &status);
    check_case_failed(&check, "space", ERR_NO_SPACE, "free");
    check_case_is(&check, "leftovers", CHECK_OK, ""); /* it goes on */
}

static void
check_disk__leftovers__are_named_unless_a_save_is_running(void **state)
{
    struct server_status status = {.last_save_ok = true};

    (void)state;
    put("temp-1234.rdb", "x");
    check_disk(&check, dir, "dump.rdb", &status);
    check_case_is(&check, "leftovers", CHECK_WARN, "temp-1234.rdb");
    check_fini(&check);
    status.rdb_running = true;
    check_disk(&check, dir, "dump.rdb", &status);
    check_case_is(&check, "leftovers", CHECK_OK, "save is running");
}

static void
check_disk__dumps_that_are_none__are_told(void **state)
{
    (void)state;
    put("dump.rdb", "no dump at all");
    check_disk(&check, dir, "dump.rdb", NULL);
    check_case_failed(&check, "dump", ERR_CORRUPT, "not a dump");
    check_case_lacks(&check, "same-folder");
    check_fini(&check);
    put("dump.rdb", "REDIS0099 of a later day");
    check_disk(&check, dir, "dump.rdb", NULL);
    check_case_is(&check, "dump-version", CHECK_WARN, "version 99");
}

static void
check_judge_same_folder__times__have_to_fit(void **state)
{
    static const struct {
        int64_t dump_s, save_s;
        enum check_verdict verdict;
    } cases[] = {
        {1000000, 1000000, CHECK_OK}, {1000002, 1000000, CHECK_OK},   {1000003, 1000000, CHECK_WARN},
        {1000000, 1000300, CHECK_OK}, {1000000, 1000301, CHECK_WARN},
    };
    struct server_status status = {.last_save_ok = true, .has_saves = true, .saves = 1};
    struct dump_stamp dump = {.exists = true};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        check_fini(&check);
        check.area = "disk";
        dump.mtime.tv_sec = cases[i].dump_s;
        status.last_save_s = cases[i].save_s;
        check_judge_same_folder(&check, &dump, &status);
        check_case_is(&check, "same-folder", cases[i].verdict, "server's last save");
    }
}

static void
check_judge_same_folder__saved_but_no_dump__is_another_folder(void **state)
{
    struct server_status status = {.last_save_ok = true, .has_saves = true, .saves = 1, .last_save_s = 1000000};
    const struct dump_stamp none = {.exists = false};

    (void)state;
    check.area = "disk";
    check_judge_same_folder(&check, &none, &status);
    check_case_failed(&check, "same-folder", ERR_USAGE, "not the server's");
    check_fini(&check);
    check.area = "disk";
    status.saves = 0; /* last_save_s is then when it started */
    check_judge_same_folder(&check, &none, &status);
    check_case_is(&check, "same-folder", CHECK_OK, "cannot be told");
}

/* ---- the target -------------------------------------------------------------------------------------------------- */

static void
look_at_target(const char *path, const char *dbfilename, uint64_t bytes)
{
    struct target_options options = {.path = path, .names = target_names_default};

    (void)snprintf(options.names.dbfilename, sizeof(options.names.dbfilename), "%s", dbfilename);
    check_target(&check, &options, bytes);
}

static void
check_target__an_empty_folder__is_ok_and_stays_empty(void **state)
{
    size_t before = count_names();

    (void)state;
    look_at_target(dir, "dump.rdb", 1000);
    for (size_t i = 0; i < check.count; i++)
        check_case_is(&check, check.rows[i].name, CHECK_OK, "");
    assert_int_equal(check.count, 4);
    check_case_is(&check, "space", CHECK_OK, "latest backup");
    assert_int_equal(count_names(), before);
    check_fini(&check);
    look_at_target(dir, "dump.rdb", 0);
    check_case_is(&check, "space", CHECK_OK, "not known");
}

static void
check_target__data_or_something_unknown__is_refused(void **state)
{
    (void)state;
    put("what", "is this");
    look_at_target(dir, "dump.rdb", 0);
    check_case_failed(&check, "empty", ERR_REFUSED, "what");
    check_case_is(&check, "space", CHECK_OK, "");
    check_fini(&check);
    put("other.rdb", "REDIS0011");
    look_at_target(dir, "dump.rdb", 0);
    check_case_failed(&check, "empty", ERR_REFUSED, "other.rdb");
}

static void
check_target__too_small__is_no_space(void **state)
{
    (void)state;
    look_at_target(dir, "dump.rdb", (uint64_t)1 << 62);
    check_case_failed(&check, "space", ERR_NO_SPACE, "the restore needs");
}

static void
check_target__no_folder_or_no_name__is_usage(void **state)
{
    (void)state;
    look_at_target("/no/such/folder", "dump.rdb", 0);
    check_case_failed(&check, "folder", ERR_USAGE, "/no/such/folder");
    check_fini(&check);
    look_at_target(dir, "a/b", 0);
    check_case_failed(&check, "folder", ERR_USAGE, "a/b");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(check_disk__an_ordinary_folder__is_ok),
        TEST(check_disk__no_such_folder__is_one_failure),
        TEST(check_disk__more_memory_than_room__is_no_space),
        TEST(check_disk__leftovers__are_named_unless_a_save_is_running),
        TEST(check_disk__dumps_that_are_none__are_told),
        TEST(check_judge_same_folder__times__have_to_fit),
        TEST(check_judge_same_folder__saved_but_no_dump__is_another_folder),
        TEST(check_target__an_empty_folder__is_ok_and_stays_empty),
        TEST(check_target__data_or_something_unknown__is_refused),
        TEST(check_target__too_small__is_no_space),
        TEST(check_target__no_folder_or_no_name__is_usage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
