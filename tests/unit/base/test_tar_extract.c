/* SPDX-License-Identifier: Apache-2.0 */
/* Files come out where they belong, with modes of ours, and nothing that was made to harm leaves a trace. */
#include "tests/support/test_common.h"

#include <archive.h>
#include <archive_entry.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/tar_extract.h"
#include "base/tar_write.h"
#include "tests/support/tar_build.h"

#define CAP ((size_t)4 << 20)

struct scene {
    char top[256];
    char dir[300]; /* not made */
    struct buf tar;
};

static int
setup(void **state)
{
    struct scene *s = mem_new(sizeof(*s));

    test_make_dir(s->top);
    (void)snprintf(s->dir, sizeof(s->dir), "%s/out", s->top);
    buf_init(&s->tar, CAP);
    *state = s;
    return 0;
}

static int
teardown(void **state)
{
    struct scene *s = *state;

    test_remove_dir(s->top);
    buf_fini(&s->tar);
    free(s);
    return 0;
}

static void
expect_file(const struct scene *s, const char *name, const char *text)
{
    struct err err = ERR_INIT;
    char path[600], *data = NULL;
    size_t len = 0;
    struct stat st;

    (void)snprintf(path, sizeof(path), "%s/%s", s->dir, name);
    assert_int_equal(lstat(path, &st), 0);
    assert_true(S_ISREG(st.st_mode));
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(st.st_uid, geteuid());
    assert_ok(file_read_all(AT_FDCWD, path, CAP, &data, &len, &err), &err);
    assert_string_equal(data, text);
    free(data);
}

static int
extract(const struct scene *s, uint64_t *files, struct err *err)
{
    return tar_extract(s->tar.data, s->tar.len, s->dir, files, err);
}

static void
tar_extract__good_archive__files_and_folders_of_ours(void **state)
{
    struct scene *s = *state;
    struct err err = ERR_INIT;
    char before[4096], after[4096];
    mode_t mask = umask(022);
    uint64_t files = 0;
    struct stat st;
    char path[400];

    tar_add_header(&s->tar, &(struct tar_header){.name = "etc/", .type = '5'});
    tar_add_file(&s->tar, "etc/redis/redis.conf", "port 6379\n");
    tar_add_file(&s->tar, "users.acl", "user default on\n");
    tar_add_file(&s->tar, "empty", "");
    tar_add_end(&s->tar);
    assert_non_null(getcwd(before, sizeof(before)));
    assert_ok(extract(s, &files, &err), &err);
    assert_non_null(getcwd(after, sizeof(after)));
    assert_string_equal(before, after);
    assert_int_equal(umask(mask), 022);
    assert_int_equal(files, 3);
    expect_file(s, "etc/redis/redis.conf", "port 6379\n");
    expect_file(s, "users.acl", "user default on\n");
    expect_file(s, "empty", "");
    for (int i = 0; i < 2; i++) {
        (void)snprintf(path, sizeof(path), "%s%s", s->dir, i == 0 ? "" : "/etc/redis");
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0700);
    }
}

static void
tar_extract__empty_folder_that_is_there__taken(void **state)
{
    struct scene *s = *state;
    struct err err = ERR_INIT;
    uint64_t files = 0;

    assert_int_equal(mkdir(s->dir, 0755), 0);
    tar_add_file(&s->tar, "a", "1");
    tar_add_end(&s->tar);
    assert_ok(extract(s, &files, &err), &err);
    expect_file(s, "a", "1");
    /* Now it is not empty any more, and stays as it is. */
    assert_fails(extract(s, &files, &err), &err, ERR_REFUSED);
    expect_file(s, "a", "1");
}

static void
tar_extract__no_folder__refused(void **state)
{
    struct scene *s = *state;
    struct err err = ERR_INIT;
    uint64_t files = 0;

    tar_add_file(&s->tar, "a", "1");
    tar_add_end(&s->tar);
    assert_int_equal(mknod(s->dir, S_IFREG | 0600, 0), 0);
    assert_fails(extract(s, &files, &err), &err, ERR_REFUSED);
    (void)snprintf(s->dir, sizeof(s->dir), "%s/no/such", s->top);
    assert_fails(extract(s, &files, &err), &err, ERR_USAGE);
}

static void
tar_extract__hostile__nothing_is_written(void **state)
{
    static const struct tar_header hostile[] = {
        {.name = "/tmp/remora-absolute"},
        {.name = "../outside"},
        {.name = "a/../../outside"},
        {.name = "link", .type = '2', .link = "/etc"},
        {.name = "h", .type = '1', .link = "good"},
        {.name = "pipe", .type = '6'},
        {.name = "device", .type = '3'},
        {.name = "good"},
        {.name = "good/below"},
        {.name = "huge", .size = "77777777777"},
    };
    struct scene *s = *state;

    for (size_t i = 0; i < ARRAY_LEN(hostile); i++) {
        struct err err = ERR_INIT;
        struct stat st;
        uint64_t files = 0;

        buf_reset(&s->tar);
        tar_add_file(&s->tar, "good", "1");
        tar_add_header(&s->tar, &hostile[i]);
        tar_add_file(&s->tar, "link/through", "2");
        tar_add_end(&s->tar);
        assert_fails(extract(s, &files, &err), &err, ERR_CORRUPT);
        assert_int_equal(lstat(s->dir, &st), -1);
    }
}

static void
tar_extract__cut_off__nothing_is_written(void **state)
{
    struct scene *s = *state;

    tar_add_file(&s->tar, "good", "1");
    tar_add_file(&s->tar, "second", "2");
    tar_add_end(&s->tar);
    for (; s->tar.len > 0; s->tar.len -= TAR_BLOCK) {
        struct err err = ERR_INIT;
        struct stat st;
        uint64_t files = 0;

        if (s->tar.len == (size_t)6 * TAR_BLOCK)
            continue; /* that one is whole */
        assert_fails(extract(s, &files, &err), &err, ERR_CORRUPT);
        assert_int_equal(lstat(s->dir, &st), -1);
    }
}

static void
tar_extract__disk_full__nothing_is_left(void **state)
{
    struct scene *s = *state;
    struct err err = ERR_INIT;
    struct rlimit before;
    struct tar_writer *w;
    uint64_t files = 0;
    struct stat st;
    char *text = mem_new(200000);

    memset(text, 'x', 200000);
    w = tar_writer_to_buf(&s->tar, &err);
    assert_non_null(w);
    assert_ok(tar_writer_file(w, "a/small", 1, 0, &err), &err);
    assert_ok(tar_writer_data(w, text, 1, &err), &err);
    assert_ok(tar_writer_file(w, "large", 200000, 0, &err), &err);
    assert_ok(tar_writer_data(w, text, 200000, &err), &err);
    assert_ok(tar_writer_finish(w, &err), &err);
    tar_writer_free(w);
    /* No file of this process may pass 100,000 bytes for a while: a write that fails, without a disk to fill. */
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &(struct rlimit){100000, before.rlim_max}), 0);
    assert_int_equal(extract(s, &files, &err), -1);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    (void)signal(SIGXFSZ, SIG_DFL);
    assert_int_equal(lstat(s->dir, &st), -1);
    assert_non_null(strstr(err.msg, "large"));
    free(text);
}

/* ---- others, meanwhile ---- */

/* Called in the folder, right before each file is made: libarchive's function is ours in this program. */
static void (*before_file)(const char *name);

int
archive_write_header(struct archive *a, struct archive_entry *e)
{
    int (*real)(struct archive *, struct archive_entry *) = NULL;
    void *found = dlsym(RTLD_NEXT, "archive_write_header");

    assert_non_null(found);
    memcpy(&real, &found, sizeof(real));
    if (before_file != NULL)
        before_file(archive_entry_pathname(e));
    return real(a, e);
}

static void
put_text(const char *name, const char *text)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(close(fd), 0);
}

static void
put_foreign_files(const char *name)
{
    if (strcmp(name, "b/last") != 0)
        return;
    put_text("stranger", "theirs");
    put_text("a/stranger", "theirs");
    assert_int_equal(mkdir("b", 0700), 0);
    put_text("b/last", "theirs");
}

static void
tar_extract__files_of_others_meanwhile__stay(void **state)
{
    struct scene *s = *state;
    struct err err = ERR_INIT;
    uint64_t files = 7;
    char path[400];

    tar_add_file(&s->tar, "first", "1");
    tar_add_file(&s->tar, "a/second", "2");
    tar_add_file(&s->tar, "c/d/empty", "");
    tar_add_file(&s->tar, "b/last", "3");
    tar_add_end(&s->tar);
    before_file = put_foreign_files;
    assert_int_equal(extract(s, &files, &err), -1);
    before_file = NULL;
    assert_int_equal(err.code, ERR_REFUSED);
    assert_non_null(strstr(err.msg, "b/last"));
    assert_null(strstr(err.msg, "Success"));
    assert_int_equal(files, 0);
    expect_file(s, "stranger", "theirs");
    expect_file(s, "a/stranger", "theirs");
    expect_file(s, "b/last", "theirs");
    for (size_t i = 0; i < 3; i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", s->dir, (const char *[]){"first", "a/second", "c"}[i]);
        assert_int_equal(access(path, F_OK), -1);
    }
}

static void
put_empty_early(const char *name)
{
    if (strcmp(name, "first") == 0)
        put_text("empty", "");
}

static void
tar_extract__empty_file_of_others_meanwhile__refused(void **state)
{
    struct scene *s = *state;
    struct err err = ERR_INIT;
    uint64_t files = 0;

    tar_add_file(&s->tar, "first", "1");
    tar_add_file(&s->tar, "empty", "");
    tar_add_end(&s->tar);
    before_file = put_empty_early;
    assert_fails(extract(s, &files, &err), &err, ERR_REFUSED);
    before_file = NULL;
    expect_file(s, "empty", "");
}

static void
tar_extract__another_run__locked(void **state)
{
    struct scene *s = *state;
    struct err err = ERR_INIT;
    uint64_t files = 0;
    int fd;

    tar_add_file(&s->tar, "a", "1");
    tar_add_end(&s->tar);
    assert_int_equal(mkdir(s->dir, 0700), 0);
    fd = open(s->dir, O_RDONLY | O_DIRECTORY);
    assert_true(fd >= 0);
    assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
    assert_fails(extract(s, &files, &err), &err, ERR_LOCKED);
    assert_int_equal(close(fd), 0);
    assert_ok(extract(s, &files, &err), &err);
}

static void
tar_extract__symbolic_link__refused(void **state)
{
    struct scene *s = *state;
    struct err err = ERR_INIT;
    uint64_t files = 0;
    char other[300];

    tar_add_file(&s->tar, "a", "1");
    tar_add_end(&s->tar);
    (void)snprintf(other, sizeof(other), "%s/other", s->top);
    assert_int_equal(mkdir(other, 0700), 0);
    assert_int_equal(symlink(other, s->dir), 0);
    assert_fails(extract(s, &files, &err), &err, ERR_REFUSED);
    assert_int_equal(rmdir(other), 0); /* still empty */
}

int
main(void)
{
#define case_of(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        case_of(tar_extract__good_archive__files_and_folders_of_ours),
        case_of(tar_extract__empty_folder_that_is_there__taken),
        case_of(tar_extract__no_folder__refused),
        case_of(tar_extract__hostile__nothing_is_written),
        case_of(tar_extract__cut_off__nothing_is_written),
        case_of(tar_extract__disk_full__nothing_is_left),
        case_of(tar_extract__files_of_others_meanwhile__stay),
        case_of(tar_extract__empty_file_of_others_meanwhile__refused),
        case_of(tar_extract__another_run__locked),
        case_of(tar_extract__symbolic_link__refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
