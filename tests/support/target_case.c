/* SPDX-License-Identifier: Apache-2.0 */
/* target_case.c: see target_case.h. */
#include "tests/support/target_case.h"

#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "tests/support/test_common.h"

static void
make_one(int dirfd, char *spec)
{
    char *mark = strpbrk(spec, "=@|");
    const char *text = "x";
    int fd;

    if (mark != NULL && *mark == '@') {
        *mark = '\0';
        assert_int_equal(symlinkat(mark + 1, dirfd, spec), 0);
        return;
    }
    if (mark != NULL && *mark == '|') {
        *mark = '\0';
        assert_int_equal(mkfifoat(dirfd, spec, 0644), 0);
        return;
    }
    if (spec[strlen(spec) - 1] == '/') {
        assert_int_equal(mkdirat(dirfd, spec, 0755), 0);
        return;
    }
    if (mark != NULL) {
        *mark = '\0';
        text = mark + 1;
    }
    fd = openat(dirfd, spec, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    (void)close(fd);
}

void
target_case_make(const char *dir, const char *spec)
{
    char *copy = mem_strdup(spec), *save = NULL;
    int dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    assert_true(dirfd >= 0);
    for (char *one = strtok_r(copy, " ", &save); one != NULL; one = strtok_r(NULL, " ", &save))
        make_one(dirfd, one);
    (void)close(dirfd);
    free(copy);
}

/* ---- what is there ---- */

static struct {
    char **lines;
    size_t count;
    bool names_only;
} walk; /* nftw() has no cookie */

static int
walk_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    char *line = NULL;

    (void)type;
    if (walk.names_only && ftw->level == 1)
        line = mem_printf("%s ", path + ftw->base);
    else if (!walk.names_only)
        line = mem_printf("%s %o %u:%u %lld %lld.%09ld %lld.%09ld\n", path, (unsigned)st->st_mode, (unsigned)st->st_uid,
                          (unsigned)st->st_gid, (long long)st->st_size, (long long)st->st_mtim.tv_sec,
                          st->st_mtim.tv_nsec, (long long)st->st_ctim.tv_sec, st->st_ctim.tv_nsec);
    if (line != NULL) {
        walk.lines = mem_grow(walk.lines, walk.count + 1, sizeof(*walk.lines));
        walk.lines[walk.count++] = line;
    }
    return 0;
}

static int
compare_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *
walk_all(const char *dir, bool names_only)
{
    char *all = mem_strdup("");

    walk.names_only = names_only;
    assert_int_equal(nftw(dir, walk_one, 16, FTW_PHYS), 0);
    if (walk.count > 0)
        qsort(walk.lines, walk.count, sizeof(*walk.lines), compare_lines);
    for (size_t i = 0; i < walk.count; i++) {
        char *longer = mem_printf("%s%s", all, walk.lines[i]);

        free(all);
        free(walk.lines[i]);
        all = longer;
    }
    free(walk.lines);
    walk.lines = NULL;
    walk.count = 0;
    return all;
}

char *
target_case_tree(const char *dir)
{
    return walk_all(dir, false);
}

char *
target_case_names(const char *dir)
{
    return walk_all(dir, true);
}

bool
target_case_holds(const char *dir, const char *name, const char *text)
{
    char *path = mem_printf("%s/%s", dir, name), *data = NULL;
    struct err err = ERR_INIT;
    size_t len = 0;
    bool same = file_read_all(AT_FDCWD, path, 1 << 20, &data, &len, &err) == 0 && len == strlen(text) &&
                memcmp(data, text, len) == 0;

    free(data);
    free(path);
    return same;
}

/* ---- the target ---- */

int
target_case_open(const char *dir, const char *dbfilename, struct target **out, struct err *err)
{
    struct target_options options = {.path = dir, .names = target_names_default};

    (void)snprintf(options.names.dbfilename, sizeof(options.names.dbfilename), "%s", dbfilename);
    return target_open(&options, out, err);
}

enum target_state
target_case_judge(const char *dir, char reason[512])
{
    enum target_state state = TARGET_UNSURE;
    struct err err = ERR_INIT;
    struct target *t = NULL;

    assert_ok(target_case_open(dir, "dump.rdb", &t, &err), &err);
    assert_ok(target_judge(t, &state, &err), &err);
    (void)snprintf(reason, 512, "%s", target_reason(t));
    target_free(t);
    return state;
}

struct target *
target_case_lock(const char *dir, enum target_state *state)
{
    struct err err = ERR_INIT;
    struct target *t = NULL;

    assert_ok(target_case_open(dir, "dump.rdb", &t, &err), &err);
    assert_ok(target_lock(t, state, &err), &err);
    return t;
}

void
target_case_assert_names(const char *dir, const char *want)
{
    char *names = target_case_names(dir);

    assert_string_equal(names, want);
    free(names);
}

int
target_case_setup(void **state)
{
    char *dir = mem_new(256);

    test_make_dir(dir);
    *state = dir;
    return 0;
}

int
target_case_teardown(void **state)
{
    test_remove_dir(*state);
    free(*state);
    return 0;
}

void
target_case_stage(struct target *t, const char *text)
{
    const struct target_plan plan = target_case_plan(TARGET_LAYOUT_RDB, strlen(text));

    target_case_stage_plan(t, &plan, text);
}

void
target_case_stage_plan(struct target *t, const struct target_plan *plan, const char *text)
{
    struct target_staged staged;
    struct err err = ERR_INIT;

    assert_ok(target_stage(t, plan, &staged, &err), &err);
    assert_ok(file_write_all(staged.fd, text, strlen(text), &err), &err);
    assert_int_equal(fsync(staged.fd), 0);
    (void)close(staged.fd);
    (void)close(staged.journal);
}

struct target_plan
target_case_plan(enum target_layout layout, uint64_t size)
{
    struct target_plan plan = {.layout = layout, .names = target_names_default, .size = size};

    assert_true(backup_id_parse(CASE_ID, &plan.id, NULL));
    return plan;
}

int
target_case_as(uid_t uid, gid_t gid, gid_t group, int (*fn)(void *cookie), void *cookie)
{
    pid_t pid = fork();
    int status = 0;

    assert_true(pid >= 0);
    if (pid == 0) {
        (void)setenv("CMOCKA_TEST_ABORT", "1", 1); /* a failed check must not go on with the next test in here */
        if (setgroups(group == (gid_t)-1 ? 0 : 1, &group) < 0 || setresgid(gid, gid, gid) < 0 ||
            setresuid(uid, uid, uid) < 0)
            _exit(120);
        _exit(fn(cookie));
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_not_equal(WEXITSTATUS(status), 120);
    return WEXITSTATUS(status);
}
