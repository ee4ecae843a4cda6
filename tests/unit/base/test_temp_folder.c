/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test_common.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/temp_folder.h"

static char root[256];

static int
set_up(void **state)
{
    (void)state;
    test_make_dir(root);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    test_remove_dir(root);
    return 0;
}

/* A folder NAME in the root with a file in it, that old. */
static void
leave_behind(const char *name, time_t age_s)
{
    char path[400];
    const struct timespec then[2] = {{time(NULL) - age_s, 0}, {time(NULL) - age_s, 0}};
    int fd;

    (void)snprintf(path, sizeof(path), "%s/%s", root, name);
    assert_int_equal(mkdir(path, 0700), 0);
    (void)snprintf(path, sizeof(path), "%s/%s/dump.rdb", root, name);
    fd = open(path, O_CREAT | O_WRONLY, 0600);
    assert_true(fd >= 0);
    (void)close(fd);
    (void)snprintf(path, sizeof(path), "%s/%s", root, name);
    assert_int_equal(utimensat(AT_FDCWD, path, then, 0), 0);
}

static bool
is_there(const char *name)
{
    char path[400];

    (void)snprintf(path, sizeof(path), "%s/%s", root, name);
    return access(path, F_OK) == 0;
}

static void
temp_folder_make__removed__nothing_left(void **state)
{
    struct temp_folder t;
    struct err err = ERR_INIT;
    struct stat st;
    char name[64];
    int fd;

    (void)state;
    assert_ok(temp_folder_make(root, "try-", &t, &err), &err);
    assert_int_equal(stat(t.path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    assert_int_equal(strncmp(t.name, "try-", 4), 0);
    (void)snprintf(name, sizeof(name), "%s", t.name);
    fd = openat(t.fd, "file", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    (void)close(fd);
    temp_folder_remove(&t);
    assert_false(is_there(name));
    temp_folder_remove(&t);
}

static void
temp_folder_make__left_ones__removed_unless_held_young_or_of_others(void **state)
{
    const struct timespec then[2] = {{1, 0}, {1, 0}};
    struct temp_folder held, t;
    struct err err = ERR_INIT;

    (void)state;
    assert_ok(temp_folder_make(root, "try-", &held, &err), &err);
    assert_int_equal(futimens(held.fd, then), 0);
    leave_behind("try-old", 3600);
    leave_behind("try-new", 5);
    leave_behind("other-old", 3600);
    assert_ok(temp_folder_make(root, "try-", &t, &err), &err);
    assert_false(is_there("try-old"));
    assert_true(is_there("try-new"));
    assert_true(is_there("other-old/dump.rdb"));
    assert_true(is_there(held.name));
    temp_folder_remove(&t);
    temp_folder_remove(&held);
}

static void
temp_folder_make__no_such_parent__usage(void **state)
{
    struct temp_folder t;
    struct err err = ERR_INIT;
    char path[400];

    (void)state;
    (void)snprintf(path, sizeof(path), "%s/missing", root);
    assert_fails(temp_folder_make(path, "try-", &t, &err), &err, ERR_USAGE);
    leave_behind("folder", 0);
    (void)snprintf(path, sizeof(path), "%s/folder/dump.rdb", root);
    assert_fails(temp_folder_make(path, "try-", &t, &err), &err, ERR_USAGE);
    temp_folder_remove(&t);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(temp_folder_make__removed__nothing_left),
        TEST(temp_folder_make__left_ones__removed_unless_held_young_or_of_others),
        TEST(temp_folder_make__no_such_parent__usage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
