/* SPDX-License-Identifier: Apache-2.0 */
/* What only a store in a folder has: odd entries, permissions, full disks, file systems without create-only, leftovers.
 * What all stores share is in tests/conformance/. */
#include "tests/support/test_common.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "storage/store_file.h"
#include "tests/support/test_child.h"

struct place {
    char path[256];
    struct store *store;
};

static int
setup(void **state)
{
    struct place *p = mem_new(sizeof(*p));
    struct err err = ERR_INIT;

    test_make_dir(p->path);
    p->store = store_file_open(p->path, 0, &err);
    assert_non_null(p->store);
    *state = p;
    return 0;
}

static int
teardown(void **state)
{
    struct place *p = *state;

    store_free(p->store);
    test_remove_dir(p->path);
    free(p);
    return 0;
}

static int
put(struct store *s, const char *key, const char *text, unsigned flags, struct err *err)
{
    const struct store_put what = {.key = key, .data = text, .len = strlen(text), .flags = flags};

    return store_put(s, &what, err);
}

/* PATH/NAME, in a buffer that the next call uses again. */
static const char *
in(const struct place *p, const char *name)
{
    static char path[1024];

    (void)snprintf(path, sizeof(path), "%s/%s", p->path, name);
    return path;
}

static void
make_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(close(fd), 0);
}

/* The told keys, one after the other with a space behind each. */
static bool
join_keys(const struct store_object *object, void *cookie)
{
    char *text = cookie;

    (void)snprintf(text + strlen(text), 512 - strlen(text), "%s ", object->key);
    return true;
}

static void
assert_listed(struct store *s, const char *prefix, char delimiter, const char *expected)
{
    const struct store_list what = {.prefix = prefix, .delimiter = delimiter};
    struct err err = ERR_INIT;
    char text[512] = "";

    assert_ok(store_list(s, &what, join_keys, text, &err), &err);
    assert_string_equal(text, expected);
}

/* ---- open ---- */

static void
open__root_missing__is_not_found_and_says_so(void **state)
{
    const struct place *p = *state;
    struct err err = ERR_INIT;

    assert_null(store_file_open(in(p, "missing"), 0, &err));
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_non_null(strstr(err.msg, "the repository's folder "));
    assert_non_null(strstr(err.msg, "/missing does not exist"));
    err_clear(&err);
    assert_null(store_file_open("", 0, &err));
    assert_int_equal(err.code, ERR_USAGE);
    make_file(in(p, "file"), "");
    assert_null(store_file_open(in(p, "file"), 0, &err));
    assert_int_equal(err.code, ERR_STORAGE);
}

static void
open__root_to_be_made__makes_all_of_it(void **state)
{
    const struct place *p = *state;
    struct err err = ERR_INIT;
    struct store *s = store_file_open(in(p, "made/to/order//"), STORE_FILE_MAKE_ROOT, &err);
    struct stat st;

    assert_non_null(s);
    assert_ok(put(s, "a", "x", 0, &err), &err);
    assert_non_null(strstr(store_url(s), "file:///"));
    assert_string_equal(store_url(s) + strlen(store_url(s)) - 14, "/made/to/order");
    store_free(s);
    assert_int_equal(stat(in(p, "made/to/order/a"), &st), 0);
    s = store_file_open(in(p, "made/to/order"), STORE_FILE_MAKE_ROOT, &err);
    assert_non_null(s);
    store_free(s);
}

static void
open__relative_path__stays_where_it_was(void **state)
{
    const struct place *p = *state;
    struct err err = ERR_INIT;
    struct store *s;
    struct stat st;
    char cwd[512];

    assert_non_null(getcwd(cwd, sizeof(cwd)));
    assert_int_equal(chdir(p->path), 0);
    s = store_file_open("sub", STORE_FILE_MAKE_ROOT, &err);
    assert_int_equal(chdir(cwd), 0);
    assert_non_null(s);
    assert_ok(put(s, "a", "x", 0, &err), &err);
    store_free(s);
    assert_int_equal(stat(in(p, "sub/a"), &st), 0);
}

static void
open__read_only__writes_nothing(void **state)
{
    const struct place *p = *state;
    struct err err = ERR_INIT;
    struct store *s;
    struct stat before, after;
    int64_t now = 0;
    uint64_t removed = 0;

    assert_int_equal(stat(p->path, &before), 0);
    s = store_file_open(p->path, STORE_FILE_READ_ONLY, &err);
    assert_non_null(s);
    assert_int_equal(store_features(s), 0);
    assert_fails(put(s, "a", "x", 0, &err), &err, ERR_REFUSED);
    assert_fails(store_remove(s, "a", &err), &err, ERR_REFUSED);
    assert_fails(store_file_sweep(s, "a", 0, &removed, &err), &err, ERR_REFUSED);
    assert_ok(store_now(s, &now, &err), &err);
    assert_true(llabs(now - clock_wall_ms()) < 10000);
    store_free(s);
    assert_int_equal(stat(p->path, &after), 0);
    assert_int_equal(before.st_mtim.tv_sec, after.st_mtim.tv_sec);
    assert_int_equal(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
}

static void
calls__root_gone__are_not_found_but_put_makes_no_root(void **state)
{
    const struct place *p = *state;
    struct store_object object;
    struct err err = ERR_INIT;
    char text[512] = "";
    char c;
    size_t got;
    int64_t now;

    assert_int_equal(rmdir(p->path), 0);
    assert_int_equal(store_stat(p->store, "a/b", &object, &err), -1);
    assert_non_null(strstr(err.msg, "the repository's folder "));
    assert_fails(store_stat(p->store, "a/b", &object, &err), &err, ERR_NOT_FOUND);
    assert_fails(store_get(p->store, "a", 0, &c, 1, &got, &err), &err, ERR_NOT_FOUND);
    assert_fails(store_list(p->store, &(struct store_list){.prefix = "a/"}, join_keys, text, &err), &err,
                 ERR_NOT_FOUND);
    assert_fails(store_remove(p->store, "a", &err), &err, ERR_NOT_FOUND);
    assert_fails(store_now(p->store, &now, &err), &err, ERR_NOT_FOUND);
    assert_fails(put(p->store, "a/b", "x", 0, &err), &err, ERR_NOT_FOUND);
    assert_int_equal(mkdir(p->path, 0700), 0);
    assert_ok(put(p->store, "a/b", "x", 0, &err), &err); /* mounted again */
}

/* ---- what is no object ---- */

static void
odd_entries__are_no_objects(void **state)
{
    static const char *const odd[] = {"link", "fifo", ".tmp-left", "lost+found/x", "folder", "linked/x", "loop"};
    const struct place *p = *state;
    struct store_object object;
    struct err err = ERR_INIT;
    char c;
    size_t got;

    assert_ok(put(p->store, "folder/real", "x", 0, &err), &err);
    assert_int_equal(mkdir(in(p, "lost+found"), 0700), 0);
    assert_int_equal(mkdir(in(p, "empty"), 0700), 0);
    assert_int_equal(mkdir(in(p, ".tmp-folder"), 0700), 0);
    make_file(in(p, "lost+found/x"), "x");
    make_file(in(p, ".tmp-folder/x"), "x");
    make_file(in(p, ".tmp-left"), "x");
    make_file(in(p, "folder/.tmp-left"), "x");
    make_file(in(p, "folder/.nfs000000000000abcd00000001"), "x");
    assert_int_equal(mkfifo(in(p, "fifo"), 0600), 0);
    assert_int_equal(symlink("folder/real", in(p, "link")), 0);
    assert_int_equal(symlink("folder", in(p, "linked")), 0);
    assert_int_equal(symlink("loop", in(p, "loop")), 0);

    assert_listed(p->store, "", '\0', "folder/real ");
    assert_listed(p->store, "", '/', "folder/ ");
    assert_listed(p->store, "linked/", '\0', "");
    assert_listed(p->store, "lost+found/", '\0', "");
    for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
        if (odd[i][0] == '.' || strncmp(odd[i], "lost", 4) == 0)
            continue; /* refused as a key, or not ours */
        assert_fails(store_stat(p->store, odd[i], &object, &err), &err, ERR_NOT_FOUND);
        assert_fails(store_get(p->store, odd[i], 0, &c, 1, &got, &err), &err, ERR_NOT_FOUND);
        assert_ok(store_remove(p->store, odd[i], &err), &err);
    }
    assert_int_equal(access(in(p, "link"), F_OK), 0); /* remove left it alone */
    assert_listed(p->store, "", '\0', "folder/real ");
    assert_fails(put(p->store, "lost+found/y", "x", 0, &err), &err, ERR_USAGE);
    assert_fails(put(p->store, "a/.nfs000000000000abcd00000001", "x", 0, &err), &err, ERR_USAGE);
}

static void
put__over_and_through_links__never_writes_where_they_point(void **state)
{
    const struct place *p = *state;
    struct err err = ERR_INIT;
    struct stat st;
    char outside[256];

    test_make_dir(outside);
    assert_int_equal(symlink(outside, in(p, "out")), 0);
    assert_fails(put(p->store, "out/escaped", "x", 0, &err), &err, ERR_STORAGE);
    assert_int_equal(rmdir(outside), 0); /* it is empty */
    make_file(in(p, "target"), "old");
    assert_int_equal(symlink("target", in(p, "link")), 0);
    assert_ok(put(p->store, "link", "new!", 0, &err), &err);
    assert_int_equal(stat(in(p, "target"), &st), 0);
    assert_int_equal(st.st_size, 3);
    assert_int_equal(lstat(in(p, "link"), &st), 0);
    assert_true(S_ISREG(st.st_mode));
}

static void
put__key_is_a_folder_or_below_an_object__is_a_storage_error(void **state)
{
    const struct place *p = *state;
    struct err err = ERR_INIT;

    assert_ok(put(p->store, "a/b", "x", 0, &err), &err);
    assert_fails(put(p->store, "a", "x", 0, &err), &err, ERR_STORAGE);
    assert_fails(put(p->store, "a/b/c", "x", 0, &err), &err, ERR_STORAGE);
    assert_listed(p->store, "", '\0', "a/b ");
}

static void
put__modes_and_folders__are_as_documented_and_go_with_the_last_object(void **state)
{
    const struct place *p = *state;
    struct err err = ERR_INIT;
    struct stat st;
    mode_t before = umask(0);
    int rc = put(p->store, "m/n/o", "x", 0, &err);

    (void)umask(before);
    assert_ok(rc, &err);
    assert_int_equal(stat(in(p, "m/n"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0750);
    assert_int_equal(stat(in(p, "m/n/o"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    assert_ok(put(p->store, "m/p", "x", 0, &err), &err);
    assert_ok(store_remove(p->store, "m/n/o", &err), &err);
    assert_int_equal(stat(in(p, "m/n"), &st), -1);
    assert_int_equal(stat(in(p, "m"), &st), 0);
    assert_ok(store_remove(p->store, "m/p", &err), &err);
    assert_int_equal(stat(in(p, "m"), &st), -1);
    assert_int_equal(stat(p->path, &st), 0);
    assert_ok(put(p->store, "m/n/o", "x", 0, &err), &err);
}

static bool
never_called(const struct store_object *object, void *cookie)
{
    (void)object;
    (void)cookie;
    return true;
}

/* As a user who may not enter instances/two, a listing of what it does not need must still succeed. */
static int
list_beside_a_locked_folder(void *arg)
{
    static const struct store_list needless[] = {
        {.prefix = "instances/one/"},
        {.prefix = "instances/o"},
        {.start_after = "instances/two0"},
        {.start_after = "instances/two/\xff\xff", .prefix = "instances/z"},
    };
    const struct place *p = arg;
    struct err err = ERR_INIT;

    CHILD_CHECK(test_child_drop_root());
    for (size_t i = 0; i < ARRAY_LEN(needless); i++)
        CHILD_CHECK(store_list(p->store, &needless[i], never_called, NULL, &err) == 0);
    CHILD_CHECK(store_list(p->store, &(struct store_list){.prefix = "instances/"}, never_called, NULL, &err) < 0);
    CHILD_CHECK(err.code == ERR_STORE_DENIED);
    return 0;
}

static void
list__folder_that_is_not_needed__is_not_even_opened(void **state)
{
    struct place *p = *state;
    struct err err = ERR_INIT;

    assert_ok(put(p->store, "instances/one/backups/1", "x", 0, &err), &err);
    assert_ok(put(p->store, "instances/two/backups/1", "x", 0, &err), &err);
    assert_ok(put(p->store, "instances/zoo/backups/1", "x", 0, &err), &err);
    assert_int_equal(chmod(p->path, 0755), 0);
    assert_int_equal(chmod(in(p, "instances"), 0755), 0);
    assert_int_equal(chmod(in(p, "instances/one"), 0755), 0);
    assert_int_equal(chmod(in(p, "instances/one/backups"), 0755), 0);
    assert_int_equal(chmod(in(p, "instances/zoo"), 0755), 0);
    assert_int_equal(chmod(in(p, "instances/zoo/backups"), 0755), 0);
    assert_int_equal(chmod(in(p, "instances/two"), 0), 0);
    assert_int_equal(test_child_run(list_beside_a_locked_folder, p), 0);
    assert_int_equal(chmod(in(p, "instances/two"), 0700), 0);
}

/* ---- permissions ---- */

static int
meet_locked_things(void *arg)
{
    const struct place *p = arg;
    struct store_object object;
    struct err err = ERR_INIT;
    struct store *s;
    int64_t now = 0;
    size_t got;
    char c;

    CHILD_CHECK(test_child_drop_root());
    s = store_file_open(p->path, 0, &err);
    CHILD_CHECK(s != NULL);
    CHILD_CHECK(put(s, "new", "x", 0, &err) < 0 && err.code == ERR_STORE_DENIED);
    CHILD_CHECK(put(s, "new/folder", "x", 0, &err) < 0 && err.code == ERR_STORE_DENIED);
    CHILD_CHECK(put(s, "secret", "x", 0, &err) < 0 && err.code == ERR_STORE_DENIED);
    CHILD_CHECK(store_get(s, "secret", 0, &c, 1, &got, &err) < 0 && err.code == ERR_STORE_DENIED);
    CHILD_CHECK(store_stat(s, "secret", &object, &err) == 0);
    CHILD_CHECK(store_remove(s, "secret", &err) < 0 && err.code == ERR_STORE_DENIED);
    CHILD_CHECK(store_stat(s, "locked/absent", &object, &err) < 0 && err.code == ERR_STORE_DENIED);
    CHILD_CHECK(store_get(s, "locked/x", 0, &c, 1, &got, &err) < 0 && err.code == ERR_STORE_DENIED);
    CHILD_CHECK(store_remove(s, "locked/x", &err) < 0 && err.code == ERR_STORE_DENIED);
    CHILD_CHECK(put(s, "locked/y", "x", 0, &err) < 0 && err.code == ERR_STORE_DENIED);
    CHILD_CHECK(store_list(s, &(struct store_list){0}, never_called, NULL, &err) < 0 && err.code == ERR_STORE_DENIED);
    CHILD_CHECK(strstr(err.msg, "locked/") != NULL);
    CHILD_CHECK(store_now(s, &now, &err) == 0); /* by our own clock */
    CHILD_CHECK(llabs(now - clock_wall_ms()) < 10000);
    store_free(s);
    return 0;
}

static void
calls__not_permitted__are_denied_and_never_not_found(void **state)
{
    struct place *p = *state;
    struct err err = ERR_INIT;

    assert_ok(put(p->store, "secret", "x", 0, &err), &err);
    assert_ok(put(p->store, "locked/x", "x", 0, &err), &err);
    assert_int_equal(chmod(in(p, "secret"), 0), 0);
    assert_int_equal(chmod(in(p, "locked"), 0), 0);
    assert_int_equal(chmod(p->path, 0555), 0);
    assert_int_equal(test_child_run(meet_locked_things, p), 0);
    assert_int_equal(chmod(p->path, 0700), 0);
    assert_int_equal(chmod(in(p, "locked"), 0700), 0);
}

static int
pass_through_unreadable(void *arg)
{
    const struct place *p = arg;
    struct err err = ERR_INIT;
    struct store *s;

    CHILD_CHECK(test_child_drop_root());
    s = store_file_open(in(p, "pass/through/root"), STORE_FILE_MAKE_ROOT, &err);
    CHILD_CHECK(s != NULL);
    CHILD_CHECK(put(s, "a/b", "x", 0, &err) == 0);
    store_free(s);
    return 0;
}

static void
open__parents_only_let_through__works(void **state)
{
    struct place *p = *state;

    assert_int_equal(chmod(p->path, 0755), 0);
    assert_int_equal(mkdir(in(p, "pass"), 0755), 0);
    assert_int_equal(mkdir(in(p, "pass/through"), 0777), 0);
    assert_int_equal(chmod(in(p, "pass/through"), 0777), 0);
    assert_int_equal(chmod(in(p, "pass"), 0111), 0);
    assert_int_equal(test_child_run(pass_through_unreadable, p), 0);
    assert_int_equal(chmod(in(p, "pass"), 0755), 0);
}

/* ---- full ---- */

/* The folder has exactly this one object and no temporary file. */
static bool
holds_only(const struct place *p, const char *name, const char *text)
{
    struct err err = ERR_INIT;
    char *data = NULL, keys[512] = "", path[512];
    size_t len = 0;
    bool same;

    if (store_list(p->store, &(struct store_list){0}, join_keys, keys, &err) < 0 ||
        store_get_all(p->store, name, 100, &data, &len, &err) < 0)
        return false;
    same = strcmp(data, text) == 0 && strncmp(keys, name, strlen(name)) == 0 && strlen(keys) == strlen(name) + 1;
    free(data);
    (void)snprintf(path, sizeof(path), "ls -A '%s' | grep -q '^\\.tmp-'", p->path);
    return same && system(path) != 0; /* NOLINT(cert-env33-c): a test, on its own path */
}

static int
fill_a_small_disk(void *arg)
{
    struct place *p = arg;
    size_t len = 2u << 20;
    char *big = mem_new(len);
    const struct store_put first = {.key = "object", .data = "old", .len = 3};
    const struct store_put over = {.key = "object", .data = big, .len = len};
    struct rlimit limit = {.rlim_cur = 1u << 20, .rlim_max = 1u << 20};
    struct err err = ERR_INIT;
    /* A mount that ends with this process; without the right to mount, a limit on file sizes does nearly as well. */
    bool mounted = unshare(CLONE_NEWNS) == 0 && mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) == 0 &&
                   mount("none", p->path, "tmpfs", 0, "size=1m") == 0;

    (void)signal(SIGXFSZ, SIG_IGN);
    CHILD_CHECK(mounted || setrlimit(RLIMIT_FSIZE, &limit) == 0);
    CHILD_CHECK(store_put(p->store, &first, &err) == 0);
    for (int i = 0; i < 3; i++) {
        err_clear(&err);
        CHILD_CHECK(store_put(p->store, &over, &err) < 0);
        CHILD_CHECK(err.code == (mounted ? ERR_NO_SPACE : ERR_STORAGE));
        CHILD_CHECK(holds_only(p, "object", "old"));
    }
    CHILD_CHECK(!mounted || strstr(err.msg, ": put object: write: No space left on device") != NULL);
    free(big);
    return 0;
}

static void
put__full_disk__is_no_space_and_keeps_the_old_object(void **state)
{
    assert_int_equal(test_child_run(fill_a_small_disk, *state), 0);
}

/* ---- file systems that lack something ---- */

static int
create_by_link(void *arg)
{
    struct place *p = arg;
    struct err err = ERR_INIT;
    struct store *s;

    CHILD_CHECK(test_child_refuse_renames(EINVAL, 0));
    s = store_file_open(p->path, 0, &err);
    CHILD_CHECK(s != NULL && (store_features(s) & STORE_CREATE_ONLY) != 0);
    CHILD_CHECK(put(s, "once", "first", STORE_PUT_CREATE, &err) == 0);
    CHILD_CHECK(put(s, "once", "second", STORE_PUT_CREATE, &err) < 0 && err.code == ERR_EXISTS);
    CHILD_CHECK(holds_only(p, "once", "first"));
    store_free(s);
    return 0;
}

static int
create_not_offered(void *arg)
{
    struct place *p = arg;
    struct err err = ERR_INIT;
    struct store *s;

    CHILD_CHECK(test_child_refuse_renames(EINVAL, EPERM));
    s = store_file_open(p->path, 0, &err);
    CHILD_CHECK(s != NULL && store_features(s) == STORE_WRITABLE);
    CHILD_CHECK(put(s, "once", "x", STORE_PUT_CREATE, &err) < 0 && err.code == ERR_UNSUPPORTED);
    /* a handle that was opened where there was a way, and finds none now */
    CHILD_CHECK(put(p->store, "once", "x", STORE_PUT_CREATE, &err) < 0 && err.code == ERR_UNSUPPORTED);
    CHILD_CHECK(put(s, "once", "plain", 0, &err) == 0);
    CHILD_CHECK(holds_only(p, "once", "plain"));
    store_free(s);
    return 0;
}

static void
create__without_noreplace__goes_by_link(void **state)
{
    assert_int_equal(test_child_run(create_by_link, *state), 0);
}

static void
create__without_noreplace_and_links__is_not_announced(void **state)
{
    assert_int_equal(test_child_run(create_not_offered, *state), 0);
}

/* ---- leftovers ---- */

static void
sweep__old_temporary_files__are_removed_and_nothing_else(void **state)
{
    const struct place *p = *state;
    struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    struct err err = ERR_INIT;
    uint64_t removed = 99;
    struct stat st;

    assert_ok(put(p->store, "in/a/kept", "x", 0, &err), &err);
    assert_int_equal(mkdir(in(p, "in/b"), 0700), 0);
    assert_int_equal(mkdir(in(p, "in/b/c"), 0700), 0);
    assert_int_equal(mkdir(in(p, "theirs"), 0700), 0);
    make_file(in(p, "theirs/.tmp-0000000000000004"), "x"); /* others may share the root */
    make_file(in(p, ".tmp-thesis"), "x");
    make_file(in(p, ".tmp-0000000000000005-to"), "x");
    make_file(in(p, "in/.tmp-0000000000000001"), "x");
    make_file(in(p, "in/a/.tmp-0000000000000002"), "x");
    make_file(in(p, "in/b/c/.tmp-0000000000000003"), "x");
    make_file(in(p, "in/a/.tmp-00000000000000aa"), "x");
    assert_int_equal(utimensat(AT_FDCWD, in(p, "in/.tmp-0000000000000001"), old, 0), 0);
    assert_int_equal(utimensat(AT_FDCWD, in(p, "in/a/.tmp-0000000000000002"), old, 0), 0);
    assert_int_equal(utimensat(AT_FDCWD, in(p, "in/b/c/.tmp-0000000000000003"), old, 0), 0);
    assert_int_equal(utimensat(AT_FDCWD, in(p, "in/a/kept"), old, 0), 0);
    assert_int_equal(utimensat(AT_FDCWD, in(p, "theirs/.tmp-0000000000000004"), old, 0), 0);
    assert_int_equal(utimensat(AT_FDCWD, in(p, ".tmp-thesis"), old, 0), 0);
    assert_int_equal(utimensat(AT_FDCWD, in(p, ".tmp-0000000000000005-to"), old, 0), 0);
    assert_ok(store_file_sweep(p->store, "none", 60000, &removed, &err), &err);
    assert_int_equal(removed, 1);
    assert_int_equal(stat(in(p, ".tmp-thesis"), &st), 0);
    assert_ok(store_file_sweep(p->store, "in", 60000, &removed, &err), &err);
    assert_int_equal(removed, 3);
    assert_int_equal(stat(in(p, "in/b"), &st), -1);
    assert_int_equal(stat(in(p, "in/a/.tmp-00000000000000aa"), &st), 0);
    assert_int_equal(stat(in(p, "theirs/.tmp-0000000000000004"), &st), 0);
    assert_listed(p->store, "", '\0', "in/a/kept ");
}

int
main(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(open__root_missing__is_not_found_and_says_so),
        CASE(open__root_to_be_made__makes_all_of_it),
        CASE(open__relative_path__stays_where_it_was),
        CASE(open__read_only__writes_nothing),
        CASE(calls__root_gone__are_not_found_but_put_makes_no_root),
        CASE(odd_entries__are_no_objects),
        CASE(put__over_and_through_links__never_writes_where_they_point),
        CASE(put__key_is_a_folder_or_below_an_object__is_a_storage_error),
        CASE(put__modes_and_folders__are_as_documented_and_go_with_the_last_object),
        CASE(list__folder_that_is_not_needed__is_not_even_opened),
        CASE(calls__not_permitted__are_denied_and_never_not_found),
        CASE(open__parents_only_let_through__works),
        CASE(put__full_disk__is_no_space_and_keeps_the_old_object),
        CASE(create__without_noreplace__goes_by_link),
        CASE(create__without_noreplace_and_links__is_not_announced),
        CASE(sweep__old_temporary_files__are_removed_and_nothing_else),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
