/* SPDX-License-Identifier: Apache-2.0 */
/* target.c: see target.h. How a dump comes into the folder: lock, stage, seal, enter. Whether it may is
 * target_judge.c's question. */
#include "snapshot/target.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json_read.h"
#include "base/mem.h"
#include "base/units.h"
#include "snapshot/target_internal.h"

#define READY_MAX_BYTES 4096

/* ---- opening and judging
 * ----------------------------------------------------------------------------------------------- */

int
target_open(const char *path, const char *dbfilename, struct target **out, struct err *err)
{
    size_t len = strlen(dbfilename);
    struct target *t;
    int fd;

    if (len == 0 || len > NAME_MAX || strchr(dbfilename, '/') != NULL || strcmp(dbfilename, ".") == 0 ||
        strcmp(dbfilename, "..") == 0 || strncmp(dbfilename, TARGET_OURS, strlen(TARGET_OURS)) == 0)
        return err_set(err, ERR_USAGE, "\"%.60s\" is not a bare file name for the dump", dbfilename);
    fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return err_sys(err, ERR_USAGE, errno, "open the target folder %s", path);
    t = mem_new(sizeof(*t));
    t->path = mem_strdup(path);
    t->dirfd = fd;
    t->lockfd = -1;
    memcpy(t->dbfilename, dbfilename, len + 1);
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

const struct backup_id *
target_staged_id(const struct target *t)
{
    return &t->staged;
}

/* Does staging hold a `ready` for our dbfilename, and the file that it speaks of? One that does not is as good as none:
 * staged again. */
static bool
find_ready(struct target *t)
{
    struct err unused = ERR_INIT;
    char *data = NULL;
    size_t len = 0;
    const char *id = "", *entry = "";
    struct stat st;
    bool found = false;
    json_t *o = NULL;
    int fd = openat(t->dirfd, TARGET_STAGING, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0)
        return false;
    if (file_read_all(fd, TARGET_READY, READY_MAX_BYTES, &data, &len, &unused) == 0)
        o = json_read_object(data, len, &unused);
    if (o != NULL) {
        id = json_opt_str(o, "backup", "");
        entry = json_opt_str(o, "entry", "");
        found = strcmp(entry, t->dbfilename) == 0 && backup_id_parse(id, &t->staged, NULL) &&
                fstatat(fd, entry, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
                (uint64_t)st.st_size == json_opt_u64(o, "size", UINT64_MAX);
    }
    json_decref(o);
    free(data);
    (void)close(fd);
    if (!found)
        memset(&t->staged, 0, sizeof(t->staged));
    return found;
}

int
target_judge(struct target *t, enum target_state *state, struct err *err)
{
    bool ready = find_ready(t);

    if (target_look(t, state, err) < 0)
        return -1;
    if (ready && *state == TARGET_EMPTY)
        *state = TARGET_STAGED;
    return 0;
}

/* ---- owner and mode
 * ---------------------------------------------------------------------------------------------------- */

/* Who our files belong to and who may use them, by the folder they are in. */
struct ownership {
    bool chown; /* we are root: to these */
    uid_t uid;
    gid_t gid;
    mode_t file, folder;
};

static bool
is_our_group(gid_t gid)
{
    gid_t groups[NGROUPS_MAX > 1024 ? 1024 : NGROUPS_MAX];
    int n = getgroups((int)ARRAY_LEN(groups), groups);

    for (int i = 0; i < n; i++) {
        if (groups[i] == gid)
            return true;
    }
    return getegid() == gid;
}

static int
decide_ownership(const struct target *t, struct ownership *o, struct err *err)
{
    struct stat st;
    bool group_writable;

    if (fstat(t->dirfd, &st) < 0)
        return err_sys(err, ERR_INTERNAL, errno, "stat the target %s", t->path);
    memset(o, 0, sizeof(*o));
    o->chown = geteuid() == 0;
    o->uid = st.st_uid;
    o->gid = st.st_gid;
    group_writable = (st.st_mode & S_IWGRP) != 0 && (o->chown || is_our_group(st.st_gid));
    o->file = group_writable ? 0660 : 0600;
    o->folder = group_writable ? 02770 : 0700;
    if (faccessat(t->dirfd, ".", W_OK | X_OK, AT_EACCESS) < 0 && (errno == EACCES || errno == EROFS))
        return err_set(
            err, ERR_USAGE,
            "the target %s is not writable for uid %u: run with its owner's uid (runAsUser: %u) or in its group "
            "(fsGroup: %u, which makes it group-writable)",
            t->path, (unsigned)geteuid(), (unsigned)st.st_uid, (unsigned)st.st_gid);
    if (!o->chown && !group_writable && st.st_uid != geteuid())
        return err_set(
            err, ERR_USAGE,
            "files that uid %u writes into %s would not be the server's: run with runAsUser: %u, or give both an "
            "fsGroup",
            (unsigned)geteuid(), t->path, (unsigned)st.st_uid);
    return 0;
}

static int
apply_ownership(const struct ownership *o, int fd, mode_t mode, struct err *err)
{
    if (o->chown && fchown(fd, o->uid, o->gid) < 0)
        return err_sys(err, ERR_INTERNAL, errno, "chown to %u:%u", (unsigned)o->uid, (unsigned)o->gid);
    if (fchmod(fd, mode) < 0)
        return err_sys(err, ERR_INTERNAL, errno, "chmod to %o", (unsigned)mode);
    return 0;
}

/* ---- the lock
 * ---------------------------------------------------------------------------------------------------------- */

static int
take_lock(struct target *t, struct err *err)
{
    struct ownership o;
    bool made = true;
    int fd;

    if (decide_ownership(t, &o, err) < 0)
        return -1;
    fd = openat(t->dirfd, TARGET_LOCK, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, o.file);
    if (fd < 0 && errno == EEXIST) {
        made = false;
        fd = openat(t->dirfd, TARGET_LOCK, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    }
    if (fd < 0)
        return err_sys(err, ERR_INTERNAL, errno, "open %s/%s", t->path, TARGET_LOCK);
    if (made && apply_ownership(&o, fd, o.file, err) < 0) {
        (void)close(fd);
        return -1;
    }
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
    if (t->lockfd < 0 && take_lock(t, err) < 0)
        return -1;
    if (target_judge(t, state, err) < 0)
        return -1;
    if (*state == TARGET_DATA) /* what an interrupted restore staged is of no use any more */
        target_abandon(t);
    return 0;
}

/* ---- staging
 * ----------------------------------------------------------------------------------------------------------- */

static int
check_space(const struct target *t, uint64_t size, struct err *err)
{
    char need[UNITS_TEXT_MAX], have[UNITS_TEXT_MAX];
    struct statvfs fs;
    uint64_t available;

    if (fstatvfs(t->dirfd, &fs) < 0)
        return err_sys(err, ERR_INTERNAL, errno, "statvfs of %s", t->path);
    available = (uint64_t)fs.f_bavail * fs.f_frsize;
    if (available < size)
        return err_set(err, ERR_NO_SPACE, "%s has %s free, but the dump needs %s: enlarge the volume", t->path,
                       units_format_size(available, have), units_format_size(size, need));
    return 0;
}

/* A new, empty staging folder; its descriptor, or -1. */
static int
make_staging(struct target *t, const struct ownership *o, struct err *err)
{
    int fd;

    if (file_remove_tree(t->dirfd, TARGET_STAGING, err) < 0)
        return -1;
    if (mkdirat(t->dirfd, TARGET_STAGING, o->folder & 0777) < 0)
        return err_sys(err, ERR_INTERNAL, errno, "make %s/%s", t->path, TARGET_STAGING);
    fd = openat(t->dirfd, TARGET_STAGING, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return err_sys(err, ERR_INTERNAL, errno, "open %s/%s", t->path, TARGET_STAGING);
    if (apply_ownership(o, fd, o->folder, err) < 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

int
target_stage(struct target *t, uint64_t size, int *out, struct err *err)
{
    struct ownership o;
    int staging = -1, fd = -1, rc = -1;

    REQUIRE(t->lockfd >= 0);
    if (decide_ownership(t, &o, err) < 0)
        return -1;
    staging = make_staging(t, &o, err); /* frees the room of an old one before the space is looked at */
    if (staging < 0 || check_space(t, size, err) < 0)
        goto out;
    fd = openat(staging, t->dbfilename, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, o.file);
    if (fd < 0) {
        (void)err_sys(err, ERR_INTERNAL, errno, "create the staged %s", t->dbfilename);
        goto out;
    }
    if (apply_ownership(&o, fd, o.file, err) < 0)
        goto out;
    /* Take the room now, so that a full disk shows before the first byte; not every file system can. */
    if (size > 0 && fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)size) < 0 && errno == ENOSPC) {
        (void)err_sys(err, ERR_NO_SPACE, errno, "reserve %" PRIu64 " bytes in %s", size, t->path);
        goto out;
    }
    *out = fd;
    fd = -1;
    rc = 0;
out:
    if (fd >= 0)
        (void)close(fd);
    if (staging >= 0)
        (void)close(staging);
    return rc;
}

static char *
ready_text(const struct target *t, const struct backup_id *id, uint64_t size)
{
    json_t *o = json_pack("{ss si ss ss ss sI}", "format", "remora-ready", "version", 1, "backup", id->text, "layout",
                          "rdb", "entry", t->dbfilename, "size", (json_int_t)size);
    char *line;

    REQUIRE(o != NULL);
    line = json_write_line(o);
    json_decref(o);
    return line;
}

int
target_seal(struct target *t, const struct backup_id *id, struct err *err)
{
    int fd = openat(t->dirfd, TARGET_STAGING, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct stat st;
    char *text = NULL;
    int rc = -1;

    if (fd < 0 || fstatat(fd, t->dbfilename, &st, AT_SYMLINK_NOFOLLOW) < 0) {
        (void)err_sys(err, ERR_INTERNAL, errno, "look at the staged %s", t->dbfilename);
        goto out;
    }
    /* The staged name must be on disk before the `ready` that speaks of it; file_write_atomic() syncs the folder again
     * after. */
    if (file_sync_dir(fd, err) < 0)
        goto out;
    text = ready_text(t, id, (uint64_t)st.st_size);
    if (file_write_atomic(fd, TARGET_READY, ".tmp-", text, strlen(text), 0600, err) < 0)
        goto out;
    if (file_sync_dir(t->dirfd, err) < 0) /* the staging folder's own name */
        goto out;
    t->staged = *id;
    rc = 0;
out:
    if (fd >= 0)
        (void)close(fd);
    free(text);
    return rc;
}

/* ---- entering
 * ---------------------------------------------------------------------------------------------------------- */

static int
write_record(const struct target *t, struct err *err)
{
    char when[UNITS_TEXT_MAX];
    json_t *o = json_pack("{ss si ss ss ss ss}", "format", "remora-restored", "version", 1, "backup", t->staged.text,
                          "layout", "rdb", "entry", t->dbfilename, "time", units_format_time(clock_wall_ms(), when));
    char *line;
    int rc;

    REQUIRE(o != NULL);
    line = json_write_line(o);
    rc = file_write_atomic(t->dirfd, TARGET_RECORD, TARGET_OURS "tmp-", line, strlen(line), 0600, err);
    free(line);
    json_decref(o);
    return rc;
}

int
target_enter(struct target *t, struct err *err)
{
    int staging = openat(t->dirfd, TARGET_STAGING, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int rc = -1;

    REQUIRE(t->lockfd >= 0 && t->staged.text[0] != '\0');
    if (staging < 0)
        return err_sys(err, ERR_INTERNAL, errno, "open %s/%s", t->path, TARGET_STAGING);
    if (file_rename_in(staging, t->dbfilename, t->dirfd, t->dbfilename, FILE_RENAME_LOCKED, err) < 0)
        goto out;
    if (file_sync_dir(t->dirfd, err) < 0)
        goto out;
    /* From here on the data is in place: the rest is order, and a crash in it loses nothing. */
    if (write_record(t, err) < 0 || file_remove_tree(t->dirfd, TARGET_STAGING, err) < 0)
        goto out;
    rc = 0;
out:
    (void)close(staging);
    return rc < 0 ? err_wrap(err, "bring %s into %s", t->dbfilename, t->path) : 0;
}

void
target_abandon(struct target *t)
{
    struct err unused = ERR_INIT;

    if (t->lockfd < 0)
        return;
    (void)!file_remove_tree(t->dirfd, TARGET_STAGING, &unused);
    memset(&t->staged, 0, sizeof(t->staged));
}
