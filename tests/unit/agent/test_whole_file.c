/* SPDX-License-Identifier: Apache-2.0 */
/* A file that is there whole or not at all, whoever ends when. */
#include "agent/whole_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "tests/support/test_common.h"

struct scene {
    char dir[256], path[300], temp[300];
};

static int
setup(void **state)
{
    struct scene *s = mem_new(sizeof(*s));

    test_make_dir(s->dir);
    (void)snprintf(s->path, sizeof(s->path), "%s/out.tar", s->dir);
    (void)snprintf(s->temp, sizeof(s->temp), "%s/.out.tar.remora-tmp", s->dir);
    *state = s;
    return 0;
}

static int
teardown(void **state)
{
    struct scene *s = *state;

    test_remove_dir(s->dir);
    free(s);
    return 0;
}

static bool
exists(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0;
}

static void
expect_content(const char *path, const char *text)
{
    struct err err = ERR_INIT;
    char *data = NULL;
    size_t len = 0;
    struct stat st;

    assert_ok(file_read_all(AT_FDCWD, path, 1000, &data, &len, &err), &err);
    assert_string_equal(data, text);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    free(data);
}

static void
whole_file__committed__has_its_name_and_nothing_else(void **state)
{
    struct scene *s = *state;
    struct whole_file f;
    struct err err = ERR_INIT;

    assert_ok(whole_file_begin(s->path, &f, &err), &err);
    assert_ok(file_write_all(f.fd, "whole", 5, &err), &err);
    assert_false(exists(s->path));
    assert_true(exists(s->temp));
    assert_ok(whole_file_commit(&f, &err), &err);
    whole_file_end(&f);
    expect_content(s->path, "whole");
    assert_false(exists(s->temp));
    whole_file_end(&f); /* fine twice */
}

static void
whole_file__given_up__nothing_is_left(void **state)
{
    struct scene *s = *state;
    struct whole_file f;
    struct err err = ERR_INIT;

    assert_ok(whole_file_begin(s->path, &f, &err), &err);
    assert_ok(file_write_all(f.fd, "half", 4, &err), &err);
    whole_file_end(&f);
    assert_false(exists(s->path));
    assert_false(exists(s->temp));
}

static void
whole_file__what_is_there__is_never_touched(void **state)
{
    struct scene *s = *state;
    struct whole_file f;
    struct err err = ERR_INIT;

    assert_int_equal(symlink("/nowhere", s->path), 0); /* even that is something */
    assert_fails(whole_file_begin(s->path, &f, &err), &err, ERR_REFUSED);
    whole_file_end(&f);
    assert_int_equal(unlink(s->path), 0);
    /* It appears while ours is written. */
    assert_ok(whole_file_begin(s->path, &f, &err), &err);
    assert_int_equal(mknod(s->path, S_IFREG | 0600, 0), 0);
    assert_fails(whole_file_commit(&f, &err), &err, ERR_EXISTS);
    whole_file_end(&f);
    expect_content(s->path, "");
    assert_false(exists(s->temp));
}

static void
whole_file__left_by_a_killed_run__is_taken_over(void **state)
{
    struct scene *s = *state;
    struct whole_file f;
    struct err err = ERR_INIT;
    int fd = open(s->temp, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);

    assert_ok(file_write_all(fd, "much longer than the new one", 28, &err), &err);
    (void)close(fd);
    assert_ok(whole_file_begin(s->path, &f, &err), &err);
    assert_ok(file_write_all(f.fd, "new", 3, &err), &err);
    assert_ok(whole_file_commit(&f, &err), &err);
    whole_file_end(&f);
    expect_content(s->path, "new");
}

static void
whole_file__two_at_once__the_second_is_locked_out(void **state)
{
    struct scene *s = *state;
    struct whole_file f, second;
    struct err err = ERR_INIT;

    assert_ok(whole_file_begin(s->path, &f, &err), &err);
    assert_fails(whole_file_begin(s->path, &second, &err), &err, ERR_LOCKED);
    whole_file_end(&second);
    assert_true(exists(s->temp));
    assert_ok(whole_file_commit(&f, &err), &err);
    whole_file_end(&f);
    expect_content(s->path, "");
}

static void
whole_file__bad_places__usage(void **state)
{
    static const char *const bad[] = {"/no/out", "/", "/.", "/.."};
    struct scene *s = *state;

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct whole_file f;
        struct err err = ERR_INIT;
        char path[300];

        (void)snprintf(path, sizeof(path), "%s%s", s->dir, bad[i]);
        assert_fails(whole_file_begin(path, &f, &err), &err, ERR_USAGE);
        whole_file_end(&f);
    }
}

int
main(void)
{
#define case_of(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        case_of(whole_file__committed__has_its_name_and_nothing_else),
        case_of(whole_file__given_up__nothing_is_left),
        case_of(whole_file__what_is_there__is_never_touched),
        case_of(whole_file__left_by_a_killed_run__is_taken_over),
        case_of(whole_file__two_at_once__the_second_is_locked_out),
        case_of(whole_file__bad_places__usage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
