/* SPDX-License-Identifier: Apache-2.0 */
/* target.c: see target.h. The handle, the judgement with staging in it, and the lock. */
#include "snapshot/target/target.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/units.h"
#include "snapshot/target/target_internal.h"

#define NOTES_ROOM    (32u << 10) /* for the same: a block each, whatever their size */
#define INODES_NEEDED 9           /* staging, plan, journal, the entry with three files, ready, the record */

static int
check_name(const char *name, const char *what, struct err *err)
{
    if (strlen(name) <= NAME_MAX - sizeof(".1.base.rdb") && *name != '\0' && strchr(name, '/') == NULL &&
        strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && strncmp(name, TARGET_OURS, strlen(TARGET_OURS)) != 0)
        return 0;
    return err_set(err, ERR_USAGE, "\"%.60s\" is not a bare name for %s", name, what);
}

int
target_open(const struct target_options *options, struct target **out, struct err *err)
{
    struct target *t;
    int fd;

    if (check_name(options->names.dbfilename, "the dump", err) < 0 ||
        check_name(options->names.appenddirname, "the folder of append-only files", err) < 0 ||
        check_name(options->names.appendfilename, "append-only files", err) < 0)
        return -1;
    fd = open(options->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return err_sys(err, ERR_USAGE, errno, "open the target folder %s", options->path);
    t = mem_new(sizeof(*t));
    t->options = *options;
    t->path = mem_strdup(options->path);
    t->dirfd = fd;
    t->lockfd = -1;
    *out = t;
    return 0;
}

void
target_free(struct target *t)
{
    if (t == NULL)
        return;
    if (t->lockfd >= 0)
        (void)close(t->lockfd); /* the lock goes with it; the file stays, since removing it would let two in */
    (void)close(t->dirfd);
    free(t->path);
    free(t);
}

const char *
target_reason(const struct target *t)
{
    return t->reason;
}

const struct target_plan *
target_ready_plan(const struct target *t)
{
    return &t->plan;
}

bool
target_ready_fits(const struct target *t)
{
    return t->fits;
}

const char *
target_replaced(const struct target *t)
{
    return t->replaced;
}

int
target_judge(struct target *t, enum target_state *state, struct err *err)
{
    if (target_find_ready(t, err) < 0 || target_look(t, state, err) < 0)
        return -1;
    if (t->ready && t->plan.replace)
        *state = TARGET_REPLACING;
    else if (t->ready && *state == TARGET_EMPTY)
        *state = TARGET_STAGED;
    return 0;
}

/* ---- preflight --------------------------------------------------------------------------------------------------- */

/* Blocks of NAME and, where it is a folder, of what is in it. */
static uint64_t
blocks_of(int dirfd, const char *name)
{
    struct target_list list;
    struct stat st;
    uint64_t blocks;

    if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return 0;
    blocks = (uint64_t)st.st_blocks;
    if (S_ISDIR(st.st_mode) && target_list_read(dirfd, name, &list) == 0) {
        for (size_t i = 0; i < list.count; i++) {
            char *path = mem_printf("%s/%s", name, list.names[i]);

            blocks += blocks_of(dirfd, path);
            free(path);
        }
        target_list_free(&list);
    }
    return blocks;
}

int
target_check_room(const struct target *t, uint64_t size, struct err *err)
{
    char need[UNITS_TEXT_MAX], have[UNITS_TEXT_MAX];
    struct statvfs fs;
    uint64_t available;

    if (fstatvfs(t->dirfd, &fs) < 0)
        return err_sys(err, ERR_INTERNAL, errno, "statvfs of %s", t->path);
    if (fs.f_files > 0 && fs.f_favail < INODES_NEEDED) /* 0: a file system that has no such limit */
        return err_set(err, ERR_NO_SPACE, "%s has no free inodes: enlarge the volume or remove files", t->path);
    /* What lies staged gives its room back, or is written over. st_blocks are 512 bytes, whatever the file system's. */
    available = (uint64_t)fs.f_bavail * fs.f_frsize + 512 * blocks_of(t->dirfd, TARGET_STAGING);
    if (available < size + NOTES_ROOM)
        return err_set(err, ERR_NO_SPACE,
                       "%s has %s free, but the restore needs %s beside what is there: enlarge the volume", t->path,
                       units_format_size(available, have), units_format_size(size + NOTES_ROOM, need));
    return 0;
}

/* Can NAME be renamed into a folder of ours? ERR_USAGE when not. */
static int
check_movable(const struct target *t, const char *name, const struct stat *folder, struct err *err)
{
    struct stat st;

    if (fstatat(t->dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return err_sys(err, ERR_INTERNAL, errno, "stat %s/%s", t->path, name);
    if (st.st_dev != folder->st_dev)
        return err_set(err, ERR_USAGE, "%s/%s is a volume of its own and cannot be moved away: unmount it", t->path,
                       name);
    if (geteuid() == 0)
        return 0;
    if ((folder->st_mode & S_ISVTX) != 0 && st.st_uid != geteuid() && folder->st_uid != geteuid())
        return err_set(err, ERR_USAGE,
                       "%s/%s cannot be moved away: the folder has its sticky bit set; run with the owner's uid "
                       "(runAsUser: %u)",
                       t->path, name, (unsigned)st.st_uid);
    if (S_ISDIR(st.st_mode) && faccessat(t->dirfd, name, W_OK, AT_EACCESS) < 0)
        return err_set(err, ERR_USAGE,
                       "the folder %s/%s cannot be moved away: run with its owner's uid (runAsUser: %u)", t->path, name,
                       (unsigned)st.st_uid);
    return 0;
}

static int
check_all_movable(const struct target *t, struct err *err)
{
    struct target_list list;
    struct stat folder;
    int rc = 0;

    if (fstat(t->dirfd, &folder) < 0)
        return err_sys(err, ERR_INTERNAL, errno, "stat the target %s", t->path);
    if (target_list_read(t->dirfd, ".", &list) < 0)
        return err_sys(err, ERR_INTERNAL, errno, "read the target %s", t->path);
    for (size_t i = 0; rc == 0 && i < list.count; i++) {
        if (target_is_in_the_way(t, list.names[i]))
            rc = check_movable(t, list.names[i], &folder, err);
    }
    target_list_free(&list);
    return rc;
}

int
target_check_access(const struct target *t, bool replace, struct err *err)
{
    struct target_owner unused;

    if (target_owner_decide(t, &unused, err) < 0)
        return -1;
    return replace ? check_all_movable(t, err) : 0;
}

/* ---- the lock ---------------------------------------------------------------------------------------------------- */

static int
take_lock(struct target *t, struct err *err)
{
    int fd = openat(t->dirfd, TARGET_LOCK, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0 && errno == ENOENT) {
        fd = target_make_file(t, t->dirfd, TARGET_LOCK, O_RDWR, err);
        if (fd < 0 && err->sys == EEXIST) /* another run made it meanwhile */
            fd = openat(t->dirfd, TARGET_LOCK, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0)
            return -1;
    }
    if (fd < 0)
        return err_sys(err, ERR_INTERNAL, errno, "open %s/%s", t->path, TARGET_LOCK);
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        int saved = errno;

        (void)close(fd);
        if (saved == EWOULDBLOCK)
            return err_set(err, ERR_LOCKED, "another run is restoring into %s: it holds %s", t->path, TARGET_LOCK);
        return err_sys(err, ERR_INTERNAL, saved, "lock %s/%s", t->path, TARGET_LOCK);
    }
    t->lockfd = fd;
    return 0;
}

int
target_lock(struct target *t, enum target_state *state, struct err *err)
{
    if (t->lockfd < 0 && (target_check_access(t, false, err) < 0 || take_lock(t, err) < 0))
        return -1;
    return target_judge(t, state, err);
}

void
target_tidy(struct target *t)
{
    struct err unused = ERR_INIT;
    enum target_state state = TARGET_UNSURE;
    struct stat st;

    /* Without staging not even the lock is touched. */
    if (fstatat(t->dirfd, TARGET_STAGING, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return;
    if (target_lock(t, &state, &unused) == 0 && state == TARGET_DATA) {
        t->ready = false;
        target_abandon(t);
    }
}
