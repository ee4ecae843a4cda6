/* SPDX-License-Identifier: Apache-2.0 */
/* test_target_owner.c: restoring under other uids, into folders of others, and onto full disks. As root only: that is
 * what it takes to be somebody else and to mount a small disk. */
#include <errno.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "tests/support/target_case.h"
#include "tests/support/test_common.h"

static void
as_root_only(void)
{
    if (geteuid() != 0)
        skip();
}

/* ---- owners ---- */

static void
assert_owner(const char *dir, const char *name, uid_t uid, gid_t gid, mode_t mode)
{
    char *path = mem_printf("%s/%s", dir, name);
    struct stat st;

    assert_int_equal(lstat(path, &st), 0);
    if (st.st_uid != uid || st.st_gid != gid || (st.st_mode & 07777) != mode)
        fail_msg("%s: %u:%u %o, not %u:%u %o", name, (unsigned)st.st_uid, (unsigned)st.st_gid,
                 (unsigned)st.st_mode & 07777, (unsigned)uid, (unsigned)gid, (unsigned)mode);
    free(path);
}

struct restore_as {
    const char *dir;
    uid_t uid;
    gid_t gid;
    mode_t file, folder;
};

/* A whole restore, with an umask that would take the group's rights away. */
static int
restore_and_look(void *cookie)
{
    const struct restore_as *r = cookie;
    enum target_state judged;
    struct err err = ERR_INIT;
    struct target *t;

    (void)umask(0077);
    t = target_case_lock(r->dir, &judged);
    target_case_stage(t, CASE_DUMP);
    assert_owner(r->dir, ".remora-lock", r->uid, r->gid, r->file);
    assert_owner(r->dir, ".remora-restore", r->uid, r->gid, r->folder);
    assert_owner(r->dir, ".remora-restore/entry", r->uid, r->gid, r->file);
    assert_ok(target_seal(t, &err), &err);
    assert_owner(r->dir, ".remora-restore/ready", r->uid, r->gid, r->file);
    assert_ok(target_enter(t, false, &err), &err);
    assert_owner(r->dir, "dump.rdb", r->uid, r->gid, r->file);
    assert_owner(r->dir, ".remora-restored.json", r->uid, r->gid, r->file);
    target_free(t);
    return 0;
}

static void
restored_as(const char *dir, uid_t uid, gid_t gid, gid_t group, struct restore_as want)
{
    want.dir = dir;
    assert_int_equal(target_case_as(uid, gid, group, restore_and_look, &want), 0);
}

static void
owner__root__the_folders_owner(void **state)
{
    const char *dir = *state;

    as_root_only();
    assert_int_equal(chown(dir, CASE_UID, 1234), 0);
    assert_int_equal(chmod(dir, 0755), 0);
    restored_as(dir, 0, 0, (gid_t)-1, (struct restore_as){.uid = CASE_UID, .gid = 1234, .file = 0600, .folder = 0700});
}

static void
owner__root_group_writable__shared(void **state)
{
    const char *dir = *state;

    as_root_only();
    assert_int_equal(chown(dir, 0, 1234), 0);
    assert_int_equal(chmod(dir, 02775), 0);
    restored_as(dir, 0, 0, (gid_t)-1, (struct restore_as){.uid = 0, .gid = 1234, .file = 0660, .folder = 02770});
}

static void
owner__own_folder__private(void **state)
{
    const char *dir = *state;

    as_root_only();
    assert_int_equal(chown(dir, CASE_UID, CASE_UID), 0);
    assert_int_equal(chmod(dir, 0755), 0);
    restored_as(dir, CASE_UID, CASE_UID, (gid_t)-1,
                (struct restore_as){.uid = CASE_UID, .gid = CASE_UID, .file = 0600, .folder = 0700});
}

/* As a volume with an fsGroup is: root's, the group's, writable for it; with and without the setgid bit. */
static void
owner__fs_group__shared_with_the_group(void **state)
{
    static const mode_t modes[] = {02775, 0775, 02770};
    const char *dir = *state;

    as_root_only();
    assert_int_equal(chmod(dir, 0755), 0);
    for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
        char sub[300];

        (void)snprintf(sub, sizeof(sub), "%s/%zu", dir, i);
        assert_int_equal(mkdir(sub, 0700), 0);
        assert_int_equal(chown(sub, 0, 1234), 0);
        assert_int_equal(chmod(sub, modes[i]), 0);
        restored_as(sub, CASE_UID, CASE_UID, 1234,
                    (struct restore_as){.uid = CASE_UID, .gid = 1234, .file = 0660, .folder = 02770});
    }
}

/* One uid of the group seals; another one, later, finishes. */
static int
seal_only(void *cookie)
{
    enum target_state judged;
    struct err err = ERR_INIT;
    struct target *t = target_case_lock(cookie, &judged);
    int rc;

    target_case_stage(t, CASE_DUMP);
    rc = target_seal(t, &err);
    target_free(t);
    return rc < 0 ? 1 : 0;
}

static int
finish_staged(void *cookie)
{
    enum target_state judged;
    struct err err = ERR_INIT;
    struct target *t = target_case_lock(cookie, &judged);
    int rc = judged == TARGET_STAGED ? target_enter(t, false, &err) : -1;

    target_free(t);
    return rc < 0 ? 1 : 0;
}

static void
owner__staged_by_another_of_the_group__finished(void **state)
{
    char *dir = *state;

    as_root_only();
    assert_int_equal(chown(dir, 0, 1234), 0);
    assert_int_equal(chmod(dir, 02770), 0);
    assert_int_equal(target_case_as(CASE_UID, CASE_UID, 1234, seal_only, dir), 0);
    assert_int_equal(target_case_as(CASE_UID + 1, CASE_UID, 1234, finish_staged, dir), 0);
    assert_true(target_case_holds(dir, "dump.rdb", CASE_DUMP));
}

static int
lock_names_run_as_user(void *cookie)
{
    enum target_state judged;
    struct err err = ERR_INIT;
    struct target *t = NULL;

    if (target_case_open(cookie, "dump.rdb", &t, &err) < 0 || target_lock(t, &judged, &err) == 0)
        return 1;
    target_free(t);
    return err.code == ERR_USAGE && strstr(err.msg, "runAsUser: 4321") != NULL && strstr(err.msg, "fsGroup") != NULL
               ? 0
               : 2;
}

static void
owner__foreign_folder__usage_naming_the_cure_and_nothing_made(void **state)
{
    static const mode_t modes[] = {0755, 0775, 0777, 01777};
    char *dir = *state;

    as_root_only();
    assert_int_equal(chown(dir, 4321, 1234), 0);
    for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
        assert_int_equal(chmod(dir, modes[i]), 0);
        assert_int_equal(target_case_as(CASE_UID, CASE_UID, (gid_t)-1, lock_names_run_as_user, dir), 0);
        target_case_assert_names(dir, "");
    }
}

/* ---- full disks ---- */

static void
mount_small(const char *dir, const char *options)
{
    int rc = mount("tmpfs", dir, "tmpfs", 0, options);

    if (rc < 0 && errno == EPERM) {
        print_message("no permission to mount, even as root\n");
        skip();
    }
    assert_int_equal(rc, 0);
}

static void
stage__disk_too_small__no_space_before_a_byte(void **state)
{
    const char *dir = *state;
    enum target_state judged;
    struct err err = ERR_INIT;
    struct target *t;
    struct target_plan plan = target_case_plan(TARGET_LAYOUT_RDB, 65537);
    struct target_staged staged;

    as_root_only();
    mount_small(dir, "size=64k");
    t = target_case_lock(dir, &judged);
    assert_fails(target_stage(t, &plan, &staged, &err), &err, ERR_NO_SPACE);
    assert_int_equal(staged.fd, -1);
    target_abandon(t);
    target_case_assert_names(dir, ".remora-lock ");
    target_free(t);
    assert_int_equal(umount(dir), 0);
}

static void
stage__no_inodes__no_space(void **state)
{
    const char *dir = *state;
    enum target_state judged;
    struct err err = ERR_INIT;
    struct target *t;
    struct target_plan plan = target_case_plan(TARGET_LAYOUT_RDB, 100);
    struct target_staged staged;

    as_root_only();
    mount_small(dir, "size=64k,nr_inodes=4"); /* the root, the lock, and two */
    t = target_case_lock(dir, &judged);
    assert_int_equal(target_stage(t, &plan, &staged, &err), -1);
    assert_int_equal(err.code, ERR_NO_SPACE);
    assert_non_null(strstr(err.msg, "inodes"));
    target_abandon(t);
    target_case_assert_names(dir, ".remora-lock ");
    target_free(t);
    assert_int_equal(umount(dir), 0);
}

/* A file of zeros NAME in DIR, as large as the disk allows, less LEFT bytes. */
static void
fill_disk(const char *dir, const char *name, off_t left)
{
    static const char zeros[4096];
    char *path = mem_printf("%s/%s", dir, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    off_t size = 0;

    assert_true(fd >= 0);
    while (write(fd, zeros, sizeof(zeros)) == (ssize_t)sizeof(zeros))
        size += (off_t)sizeof(zeros);
    assert_int_equal(ftruncate(fd, size > left ? size - left : 0), 0);
    (void)close(fd);
    free(path);
}

/* Others fill the disk while a dump is staged: `ready` does not fit any more, an error, and nothing is left. With room
 * for `ready` only, the record does not fit, but the dump is in place. */
static void
seal__disk_full_by_then__no_space_and_nothing_left(void **state)
{
    const char *dir = *state;
    enum target_state judged;
    struct err err = ERR_INIT;
    struct target *t;
    char *all;

    as_root_only();
    all = mem_new(65537);
    memset(all, 'x', 65536);
    mount_small(dir, "size=160k");
    t = target_case_lock(dir, &judged);
    target_case_stage(t, all);
    fill_disk(dir, "fill.conf", 0);
    assert_fails(target_seal(t, &err), &err, ERR_NO_SPACE);
    target_abandon(t);
    target_case_assert_names(dir, ".remora-lock fill.conf ");
    assert_ok(target_judge(t, &judged, &err), &err);
    assert_int_equal(judged, TARGET_EMPTY);
    fill_disk(dir, "fill.conf", 160 << 10);
    target_case_stage(t, all);
    fill_disk(dir, "fill.conf", 4096);
    assert_ok(target_seal(t, &err), &err);
    assert_ok(target_enter(t, false, &err), &err);
    assert_true(target_case_holds(dir, "dump.rdb", all));
    target_case_assert_names(dir, ".remora-lock dump.rdb fill.conf ");
    target_free(t);
    assert_int_equal(umount(dir), 0);
    free(all);
}

static int
unmount_and_remove(void **state)
{
    (void)umount2(*state, MNT_DETACH); /* what a failed test left */
    return target_case_teardown(state);
}

int
main(void)
{
#define TEST(f)    cmocka_unit_test_setup_teardown(f, target_case_setup, target_case_teardown)
#define MOUNTED(f) cmocka_unit_test_setup_teardown(f, target_case_setup, unmount_and_remove)
    const struct CMUnitTest tests[] = {
        TEST(owner__root__the_folders_owner),
        TEST(owner__root_group_writable__shared),
        TEST(owner__own_folder__private),
        TEST(owner__fs_group__shared_with_the_group),
        TEST(owner__staged_by_another_of_the_group__finished),
        TEST(owner__foreign_folder__usage_naming_the_cure_and_nothing_made),
        MOUNTED(stage__disk_too_small__no_space_before_a_byte),
        MOUNTED(stage__no_inodes__no_space),
        MOUNTED(seal__disk_full_by_then__no_space_and_nothing_left),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
