/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test_common.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/sig.h"
#include "tests/support/test_child.h"

struct place {
    char path[256];
    int dir;
};

static int
setup(void **state)
{
    struct place *p = mem_new(sizeof(*p));

    test_make_dir(p->path);
    p->dir = open(p->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    *state = p;
    return p->dir < 0;
}

static int
teardown(void **state)
{
    struct place *p = *state;

    (void)close(p->dir);
    test_remove_dir(p->path);
    free(p);
    return 0;
}

static int
write_file(const struct place *p, const char *name, const char *text, struct err *err)
{
    return file_write_atomic(p->dir, name, ".tmp-", text, strlen(text), 0600, err);
}

static void
make(const struct place *p, const char *name, const char *text)
{
    struct err err = ERR_INIT;

    assert_ok(write_file(p, name, text, &err), &err);
}

static bool
has(const struct place *p, const char *name, const char *text)
{
    char *data = NULL;
    struct err err = ERR_INIT;
    size_t len = 0;
    bool same;

    if (file_read_all(p->dir, name, 1000, &data, &len, &err) < 0)
        return false;
    same = len == strlen(text) && strcmp(data, text) == 0;
    free(data);
    return same;
}

static bool
is_absent(const struct place *p, const char *name)
{
    struct stat st;

    return fstatat(p->dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT;
}

static unsigned
count_entries(const struct place *p)
{
    const struct dirent *entry;
    DIR *dir = opendir(p->path);
    unsigned count = 0;

    assert_non_null(dir);
    while ((entry = readdir(dir)) != NULL)
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    (void)closedir(dir);
    return count;
}

/* ---- reading and writing ---- */

static void
read_all__around_its_cap__is_whole_or_refused(void **state)
{
    static const size_t sizes[] = {0, 1, 4095, 4096, 100000};
    const struct place *p = *state;
    struct err err = ERR_INIT;

    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        char *data = mem_new(sizes[i]), *back = NULL;
        size_t len = 0;

        memset(data, 'z', sizes[i]);
        assert_ok(file_write_atomic(p->dir, "f", ".tmp-", data, sizes[i], 0600, &err), &err);
        assert_ok(file_read_all(p->dir, "f", sizes[i], &back, &len, &err), &err);
        assert_int_equal(len, sizes[i]);
        assert_memory_equal(back, data, len);
        assert_int_equal(back[len], '\0');
        free(back);
        if (sizes[i] > 0)
            assert_fails(file_read_all(p->dir, "f", sizes[i] - 1, &back, &len, &err), &err, ERR_NO_SPACE);
        free(data);
    }
}

static void
read_all__size_unknown_before__is_read_to_its_end(void **state)
{
    char *data = NULL;
    struct err err = ERR_INIT;
    size_t len = 0;

    (void)state;
    /* The kernel's own files say that their size is 0. */
    assert_ok(file_read_all(AT_FDCWD, "/proc/self/status", 1u << 20, &data, &len, &err), &err);
    assert_true(len > 100);
    assert_non_null(strstr(data, "Threads:"));
    free(data);
}

static void
read_all__absent_or_a_folder__fails(void **state)
{
    const struct place *p = *state;
    char *data = NULL;
    struct err err = ERR_INIT;
    size_t len = 0;

    assert_fails(file_read_all(p->dir, "absent", 10, &data, &len, &err), &err, ERR_NOT_FOUND);
    assert_fails(file_read_all(p->dir, ".", 10, &data, &len, &err), &err, ERR_INTERNAL);
}

static void
write_atomic__over_an_old_file__replaces_it_and_leaves_nothing(void **state)
{
    const struct place *p = *state;
    struct stat st;

    make(p, "f", "a long old content");
    make(p, "f", "new");
    assert_true(has(p, "f", "new"));
    assert_int_equal(count_entries(p), 1);
    assert_int_equal(fstatat(p->dir, "f", &st, 0), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static int
write_over_the_limit(void *arg)
{
    const struct rlimit limit = {.rlim_cur = 1000, .rlim_max = 1000};
    const struct place *p = arg;
    char *big = mem_new(5000);
    struct err err = ERR_INIT;

    (void)signal(SIGXFSZ, SIG_IGN);
    CHILD_CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    CHILD_CHECK(file_write_atomic(p->dir, "f", ".tmp-", big, 5000, 0600, &err) < 0);
    CHILD_CHECK(err.sys == EFBIG && strncmp(err.msg, "write f: write: ", 16) == 0);
    free(big);
    return 0;
}

static void
write_atomic__failing__keeps_the_old_file_and_leaves_nothing(void **state)
{
    const struct place *p = *state;
    struct err err = ERR_INIT;

    make(p, "f", "old");
    assert_int_equal(test_child_run(write_over_the_limit, *state), 0);
    assert_int_equal(mkdirat(p->dir, "folder", 0700), 0);
    assert_fails(write_file(p, "folder", "x", &err), &err, ERR_INTERNAL); /* the rename fails */
    assert_true(has(p, "f", "old"));
    assert_int_equal(count_entries(p), 2);
}

static void
open_temp__twice__has_other_names(void **state)
{
    const struct place *p = *state;
    struct err err = ERR_INIT;
    char one[64], two[64];
    int a = file_open_temp(p->dir, "pre-", 0600, one, sizeof(one), &err);
    int b = file_open_temp(p->dir, "pre-", 0600, two, sizeof(two), &err);

    assert_true(a >= 0 && b >= 0);
    assert_int_equal(strncmp(one, "pre-", 4), 0);
    assert_string_not_equal(one, two);
    assert_int_equal(count_entries(p), 2);
    (void)close(a);
    (void)close(b);
    assert_fails(file_open_temp(p->dir, "no/such/", 0600, one, sizeof(one), &err), &err, ERR_INTERNAL);
}

/* ---- rename in: the same questions to each of its ways ---- */

struct way {
    const struct place *place;
    int renameat2_errno, linkat_errno; /* what the kernel answers; 0: it does it */
    enum file_rename_rule rule;
    bool offered;
};

static int
try_way(void *arg)
{
    const struct way *w = arg;
    const struct place *p = w->place;
    struct err err = ERR_INIT;

    CHILD_CHECK(test_child_refuse_renames(w->renameat2_errno, w->linkat_errno));
    CHILD_CHECK(write_file(p, "from", "new", &err) == 0);
    if (!w->offered) {
        CHILD_CHECK(file_rename_in(p->dir, "from", p->dir, "to", w->rule, &err) < 0 && err.code == ERR_UNSUPPORTED);
        CHILD_CHECK(has(p, "from", "new") && is_absent(p, "to"));
        return 0;
    }
    CHILD_CHECK(file_rename_in(p->dir, "from", p->dir, "to", w->rule, &err) == 0);
    CHILD_CHECK(has(p, "to", "new") && is_absent(p, "from"));
    CHILD_CHECK(write_file(p, "from", "newer", &err) == 0);
    CHILD_CHECK(file_rename_in(p->dir, "from", p->dir, "to", w->rule, &err) < 0 && err.code == ERR_EXISTS);
    CHILD_CHECK(has(p, "to", "new") && has(p, "from", "newer"));
    CHILD_CHECK(symlinkat("nowhere", p->dir, "dangling") == 0);
    CHILD_CHECK(file_rename_in(p->dir, "from", p->dir, "dangling", w->rule, &err) < 0 && err.code == ERR_EXISTS);
    CHILD_CHECK(unlinkat(p->dir, "dangling", 0) == 0);
    CHILD_CHECK(file_rename_in(p->dir, "missing", p->dir, "other", w->rule, &err) < 0 && err.sys == ENOENT);
    /* A folder needs none of these calls. */
    CHILD_CHECK(mkdirat(p->dir, "dir", 0700) == 0 && mkdirat(p->dir, "empty", 0700) == 0);
    CHILD_CHECK(file_rename_in(p->dir, "from", p->dir, "dir/inside", w->rule, &err) == 0);
    CHILD_CHECK(file_rename_in(p->dir, "dir", p->dir, "empty", w->rule, &err) == 0);
    CHILD_CHECK(has(p, "empty/inside", "newer") && is_absent(p, "dir"));
    CHILD_CHECK(mkdirat(p->dir, "dir", 0700) == 0);
    CHILD_CHECK(file_rename_in(p->dir, "dir", p->dir, "empty", w->rule, &err) < 0 && err.code == ERR_EXISTS);
    CHILD_CHECK(file_rename_in(p->dir, "dir", p->dir, "to", w->rule, &err) < 0 && err.code == ERR_EXISTS);
    CHILD_CHECK(file_rename_in(p->dir, "dir", p->dir, "fresh", w->rule, &err) == 0);
    return 0;
}

static void
rename_in__by_each_way__never_overwrites(void **state)
{
    static const struct way ways[] = {
        {NULL, 0, 0, FILE_RENAME_ATOMIC, true},
        {NULL, 0, 0, FILE_RENAME_LOCKED, true},
        {NULL, EINVAL, 0, FILE_RENAME_ATOMIC, true},
        {NULL, ENOSYS, 0, FILE_RENAME_LOCKED, true},
        {NULL, EOPNOTSUPP, 0, FILE_RENAME_ATOMIC, true},
        {NULL, EINVAL, EPERM, FILE_RENAME_ATOMIC, false},
        {NULL, EINVAL, EOPNOTSUPP, FILE_RENAME_ATOMIC, false},
        {NULL, EINVAL, EPERM, FILE_RENAME_LOCKED, true},
        {NULL, ENOSYS, ENOSYS, FILE_RENAME_LOCKED, true},
    };
    const struct place *p = *state;
    struct err err = ERR_INIT;

    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        struct way w = ways[i];
        struct place sub = {.dir = -1};

        (void)snprintf(sub.path, sizeof(sub.path), "%.200s/%zu", p->path, i);
        assert_ok(file_make_dirs(AT_FDCWD, sub.path, 0700, &err), &err);
        sub.dir = open(sub.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_true(sub.dir >= 0);
        w.place = &sub;
        if (test_child_run(try_way, &w) != 0)
            fail_msg("way %zu", i);
        (void)close(sub.dir);
    }
}

static int
link_fails_for_another_reason(void *arg)
{
    const struct place *p = arg;
    struct err err = ERR_INIT;

    CHILD_CHECK(test_child_refuse_renames(EINVAL, EIO));
    CHILD_CHECK(write_file(p, "from", "x", &err) == 0);
    CHILD_CHECK(file_rename_in(p->dir, "from", p->dir, "to", FILE_RENAME_LOCKED, &err) < 0 && err.sys == EIO);
    CHILD_CHECK(is_absent(p, "to"));
    return 0;
}

static int
rename_fails_for_another_reason(void *arg)
{
    const struct place *p = arg;
    struct err err = ERR_INIT;

    CHILD_CHECK(test_child_refuse_renames(EIO, 0));
    CHILD_CHECK(write_file(p, "from", "x", &err) == 0);
    CHILD_CHECK(file_rename_in(p->dir, "from", p->dir, "to", FILE_RENAME_LOCKED, &err) < 0 && err.sys == EIO);
    CHILD_CHECK(is_absent(p, "to"));
    return 0;
}

static int
meet_own_link(void *arg)
{
    const struct place *p = arg;
    struct err err = ERR_INIT;

    CHILD_CHECK(test_child_refuse_renames(EINVAL, 0));
    CHILD_CHECK(write_file(p, "from", "x", &err) == 0);
    CHILD_CHECK(linkat(p->dir, "from", p->dir, "to", 0) == 0); /* as if an earlier try had come that far */
    CHILD_CHECK(file_rename_in(p->dir, "from", p->dir, "to", FILE_RENAME_ATOMIC, &err) == 0);
    CHILD_CHECK(has(p, "to", "x") && is_absent(p, "from"));
    return 0;
}

static void
rename_in__other_failures__are_told_and_not_worked_around(void **state)
{
    const struct place *p = *state;

    assert_int_equal(test_child_run(rename_fails_for_another_reason, *state), 0);
    assert_int_equal(test_child_run(link_fails_for_another_reason, *state), 0);
    assert_int_equal(unlinkat(p->dir, "from", 0), 0);
    assert_int_equal(test_child_run(meet_own_link, *state), 0);
}

/* ---- trees ---- */

static void
make_dirs__some_or_all_there__makes_the_rest(void **state)
{
    const struct place *p = *state;
    struct err err = ERR_INIT;
    struct stat st;
    char path[512];

    assert_ok(file_make_dirs(p->dir, "a/b//c/", 0750, &err), &err);
    assert_ok(file_make_dirs(p->dir, "a/b/c", 0750, &err), &err);
    assert_ok(file_make_dirs(p->dir, "a/b/d", 0750, &err), &err);
    assert_int_equal(fstatat(p->dir, "a/b/c", &st, 0), 0);
    assert_true(S_ISDIR(st.st_mode));
    (void)snprintf(path, sizeof(path), "%s/x/y", p->path);
    assert_ok(file_make_dirs(AT_FDCWD, path, 0750, &err), &err);
    assert_int_equal(fstatat(p->dir, "x/y", &st, 0), 0);
    make(p, "file", "x");
    assert_fails(file_make_dirs(p->dir, "file", 0750, &err), &err, ERR_INTERNAL);
    assert_fails(file_make_dirs(p->dir, "file/below", 0750, &err), &err, ERR_INTERNAL);
}

static void
remove_tree__deep_and_linked__removes_only_its_own(void **state)
{
    const struct place *p = *state;
    struct err err = ERR_INIT;

    assert_ok(file_make_dirs(p->dir, "tree/a/b/c", 0700, &err), &err);
    assert_ok(file_make_dirs(p->dir, "other", 0700, &err), &err);
    make(p, "other/kept", "kept");
    make(p, "single", "x");
    assert_int_equal(symlinkat("../other", p->dir, "tree/link"), 0);
    assert_int_equal(symlinkat("../../other/kept", p->dir, "tree/a/link"), 0);
    for (int i = 0; i < 300; i++) {
        char name[64];

        (void)snprintf(name, sizeof(name), "tree/a/b/file-%d", i);
        assert_int_equal(mknodat(p->dir, name, S_IFREG | 0600, 0), 0);
    }
    assert_ok(file_remove_tree(p->dir, "tree", &err), &err);
    assert_true(is_absent(p, "tree"));
    assert_true(has(p, "other/kept", "kept"));
    assert_ok(file_remove_tree(p->dir, "tree", &err), &err);
    assert_ok(file_remove_tree(p->dir, "single", &err), &err);
    assert_true(is_absent(p, "single"));
    assert_fails(file_remove_tree(p->dir, "other/kept/below", &err), &err, ERR_INTERNAL);
}

static void
write_at__and_read_at__at_their_places_whatever_the_position(void **state)
{
    const struct place *p = *state;
    struct err err = ERR_INIT;
    int fd = openat(p->dir, "file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    int full = open("/dev/full", O_RDWR | O_CLOEXEC);
    char data[16] = "";
    size_t got = 0;

    assert_ok(file_write_at(fd, "world", 5, 6, &err), &err);
    assert_ok(file_write_at(fd, "hello ", 6, 0, &err), &err);
    assert_ok(file_write_at(fd, "", 0, 100, &err), &err);
    assert_true(has(p, "file", "hello world"));
    assert_int_equal(lseek(fd, 0, SEEK_CUR), 0);
    assert_ok(file_read_at(fd, data, 4, 7, &got, &err), &err);
    assert_int_equal(got, 4);
    assert_memory_equal(data, "orld", 4);
    assert_ok(file_read_at(fd, data, sizeof(data), 9, &got, &err), &err);
    assert_int_equal(got, 2); /* the file ends */
    assert_ok(file_read_at(fd, data, sizeof(data), 11, &got, &err), &err);
    assert_int_equal(got, 0);
    assert_fails(file_write_at(full, "x", 1, 0, &err), &err, ERR_NO_SPACE);
    assert_fails(file_write_at(-1, "x", 1, 0, &err), &err, ERR_INTERNAL);
    assert_fails(file_read_at(p->dir, data, 1, 0, &got, &err), &err, ERR_INTERNAL);
    (void)close(full);
    (void)close(fd);
}

/* More than a pipe holds, into one that nobody reads. */
static int
write_into_stalled(void *arg)
{
    struct err err = ERR_INIT;
    char *data = mem_new((size_t)1 << 20);
    int rc;

    sig_install();
    (void)alarm(20); /* an end by SIGALRM is no 7 */
    rc = file_write_all(*(int *)arg, data, (size_t)1 << 20, &err);
    free(data);
    return rc < 0 && err.code == ERR_INTERRUPTED && strstr(err.msg, "SIGTERM") != NULL ? 7 : 1;
}

static void
write_all__reader_stalls__one_signal_ends_it(void **state)
{
    int ends[2], waiting = 0;
    pid_t pid;

    (void)state;
    assert_int_equal(pipe(ends), 0);
    pid = test_child_start(write_into_stalled, &ends[1]);
    while (waiting < fcntl(ends[1], F_GETPIPE_SZ)) {
        assert_int_equal(ioctl(ends[0], FIONREAD, &waiting), 0);
        clock_sleep_ms(5);
    }
    clock_sleep_ms(100); /* it sleeps now */
    assert_int_equal(kill(pid, SIGTERM), 0);
    assert_int_equal(test_child_wait(pid), 7);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

/* A signal that came before takes nothing from a file, nor a line from a pipe that is read. */
static int
write_after_signal(void *arg)
{
    const struct place *p = arg;
    struct err err = ERR_INIT;
    int ends[2], fd = openat(p->dir, "after", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    char byte;

    sig_install();
    CHILD_CHECK(raise(SIGTERM) == 0 && fd >= 0 && pipe(ends) == 0);
    CHILD_CHECK(file_write_all(fd, "whole", 5, &err) == 0 && file_write_all(ends[1], "x", 1, &err) == 0);
    CHILD_CHECK(read(ends[0], &byte, 1) == 1 && close(ends[0]) == 0);
    CHILD_CHECK(file_write_all(ends[1], "x", 1, &err) < 0 && err.code == ERR_INTERRUPTED);
    CHILD_CHECK(strstr(err.msg, "reader of the pipe went away") != NULL);
    return 7;
}

static void
write_all__after_a_signal__is_whole_where_nothing_stalls(void **state)
{
    struct place *p = *state;

    assert_int_equal(test_child_run(write_after_signal, p), 7);
    assert_true(has(p, "after", "whole"));
}

int
main(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(write_all__reader_stalls__one_signal_ends_it),
        CASE(write_all__after_a_signal__is_whole_where_nothing_stalls),
        CASE(write_at__and_read_at__at_their_places_whatever_the_position),
        CASE(read_all__around_its_cap__is_whole_or_refused),
        CASE(read_all__size_unknown_before__is_read_to_its_end),
        CASE(read_all__absent_or_a_folder__fails),
        CASE(write_atomic__over_an_old_file__replaces_it_and_leaves_nothing),
        CASE(write_atomic__failing__keeps_the_old_file_and_leaves_nothing),
        CASE(open_temp__twice__has_other_names),
        CASE(rename_in__by_each_way__never_overwrites),
        CASE(rename_in__other_failures__are_told_and_not_worked_around),
        CASE(make_dirs__some_or_all_there__makes_the_rest),
        CASE(remove_tree__deep_and_linked__removes_only_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
