/* SPDX-License-Identifier: Apache-2.0 */
/* target.c: see target.h. How a dump comes into the folder: lock, stage, seal, enter. Whether it may is
 * target_judge.c's question. */
#include "snapshot/target/target.h"

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
#include "base/log.h"
#include "base/mem.h"
#include "base/units.h"
#include "snapshot/target/target_internal.h"

#define INODES_NEEDED   4 /* staging, the dump, `ready`, the record */
#define READY_MAX_BYTES 4096
#define READY_FORMAT    "remora-ready"
#define LAYOUT_RDB      "rdb"

/* ---- opening and judging ----------------------------------------------------------------------------------------- */

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

static bool
is_regular(int dirfd, const char *name, uint64_t *size)
{
    struct stat st;

    if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
        return false;
    *size = (uint64_t)st.st_size;
    return true;
}

/* Does `ready` (O) in the staging folder DIRFD speak of our dbfilename, and is the staged file there as it says? */
static bool
is_ready(struct target *t, int dirfd, const json_t *o)
{
    uint64_t size = 0;

    return strcmp(json_opt_str(o, "format", ""), READY_FORMAT) == 0 && json_opt_u64(o, "version", 0) == 1 &&
           strcmp(json_opt_str(o, "layout", ""), LAYOUT_RDB) == 0 &&
           strcmp(json_opt_str(o, "entry", ""), t->dbfilename) == 0 &&
           backup_id_parse(json_opt_str(o, "backup", ""), &t->staged, NULL) && is_regular(dirfd, TARGET_ENTRY, &size) &&
           size == json_opt_u64(o, "size", UINT64_MAX);
}

/* Does staging hold a `ready` that we can finish? Any other is as good as none: staged again. */
static bool
find_ready(struct target *t)
{
    struct err unused = ERR_INIT;
    char *data = NULL;
    size_t len = 0;
    uint64_t size = 0;
    bool found = false;
    json_t *o = NULL;
    int fd = openat(t->dirfd, TARGET_STAGING, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (fd >= 0 && is_regular(fd, TARGET_READY, &size) &&
        file_read_all(fd, TARGET_READY, READY_MAX_BYTES, &data, &len, &unused) == 0)
        o = json_read_object(data, len, &unused);
    found = o != NULL && is_ready(t, fd, o);
    json_decref(o);
    free(data);
    if (fd >= 0)
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

/* ---- the lock ---------------------------------------------------------------------------------------------------- */

static int
take_lock(struct target *t, struct err *err)
{
    struct target_owner o;
    bool made = true;
    int fd;

    if (target_owner_decide(t, &o, err) < 0)
        return -1;
    fd = openat(t->dirfd, TARGET_LOCK, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, o.file);
    if (fd < 0 && errno == EEXIST) {
        made = false;
        fd = openat(t->dirfd, TARGET_LOCK, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    }
    if (fd < 0)
        return err_sys(err, ERR_INTERNAL, errno, "open %s/%s", t->path, TARGET_LOCK);
    if (made && target_owner_apply(&o, fd, o.file, err) < 0) {
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

void
target_tidy(struct target *t)
{
    struct err unused = ERR_INIT;
    enum target_state state;
    struct stat st;

    /* Without staging not even the lock is touched. */
    if (fstatat(t->dirfd, TARGET_STAGING, &st, AT_SYMLINK_NOFOLLOW) == 0)
        (void)!target_lock(t, &state, &unused);
}

/* ---- staging ----------------------------------------------------------------------------------------------------- */

int
target_check_access(const struct target *t, struct err *err)
{
    struct target_owner unused;

    return target_owner_decide(t, &unused, err);
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
    available = (uint64_t)fs.f_bavail * fs.f_frsize;
    if (available < size)
        return err_set(err, ERR_NO_SPACE, "%s has %s free, but the dump needs %s: enlarge the volume", t->path,
                       units_format_size(available, have), units_format_size(size, need));
    return 0;
}

/* A new, empty staging folder; its descriptor, or -1. */
static int
make_staging(struct target *t, const struct target_owner *o, struct err *err)
{
    int fd;

    if (file_remove_tree(t->dirfd, TARGET_STAGING, err) < 0)
        return -1;
    if (mkdirat(t->dirfd, TARGET_STAGING, o->folder & 0777) < 0)
        return err_sys(err, ERR_INTERNAL, errno, "make %s/%s", t->path, TARGET_STAGING);
    fd = openat(t->dirfd, TARGET_STAGING, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return err_sys(err, ERR_INTERNAL, errno, "open %s/%s", t->path, TARGET_STAGING);
    if (target_owner_apply(o, fd, o->folder, err) < 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

int
target_stage(struct target *t, uint64_t size, int *out, struct err *err)
{
    struct target_owner o;
    int staging = -1, fd = -1, rc = -1;

    REQUIRE(t->lockfd >= 0);
    if (target_owner_decide(t, &o, err) < 0)
        return -1;
    staging = make_staging(t, &o, err); /* frees the room of an old one before the space is looked at */
    if (staging < 0 || target_check_room(t, size, err) < 0)
        goto out;
    fd = openat(staging, TARGET_ENTRY, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, o.file);
    if (fd < 0) {
        (void)err_sys(err, ERR_INTERNAL, errno, "create the staged %s", t->dbfilename);
        goto out;
    }
    if (target_owner_apply(&o, fd, o.file, err) < 0)
        goto out;
    /* Take the room now, so that a full disk shows before the first byte; not every file system can. */
    if (size > 0 && fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)size) < 0 && (errno == ENOSPC || errno == EDQUOT)) {
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

/* One of our own notes, O (which this frees), as NAME in DIRFD: whole or not at all, and the server's like all else. */
static int
write_note(const struct target *t, int dirfd, const char *name, json_t *o, struct err *err)
{
    struct target_owner owner;
    char *line;
    int fd = -1, rc = -1;

    REQUIRE(o != NULL);
    line = json_write_line(o);
    json_decref(o);
    if (target_owner_decide(t, &owner, err) < 0 ||
        file_write_atomic(dirfd, name, TARGET_OURS "tmp-", line, strlen(line), 0600, err) < 0)
        goto out;
    fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    rc = fd < 0 ? err_sys(err, ERR_INTERNAL, errno, "open %s", name) : target_owner_apply(&owner, fd, owner.file, err);
out:
    if (fd >= 0)
        (void)close(fd);
    free(line);
    return rc;
}

int
target_seal(struct target *t, const struct backup_id *id, struct err *err)
{
    int fd = openat(t->dirfd, TARGET_STAGING, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    uint64_t size = 0;
    int rc = -1;

    if (fd < 0 || !is_regular(fd, TARGET_ENTRY, &size)) {
        (void)err_sys(err, ERR_INTERNAL, errno, "look at the staged %s", t->dbfilename);
        goto out;
    }
    /* The staged name must be on disk before the `ready` that speaks of it; file_write_atomic() syncs the folder again
     * after. */
    if (file_sync_dir(fd, err) < 0)
        goto out;
    if (write_note(t, fd, TARGET_READY,
                   json_pack("{ss si ss ss ss sI}", "format", READY_FORMAT, "version", 1, "backup", id->text, "layout",
                             LAYOUT_RDB, "entry", t->dbfilename, "size", (json_int_t)size),
                   err) < 0)
        goto out;
    if (file_sync_dir(t->dirfd, err) < 0) /* the staging folder's own name */
        goto out;
    t->staged = *id;
    rc = 0;
out:
    if (fd >= 0)
        (void)close(fd);
    return rc;
}

/* ---- entering ---------------------------------------------------------------------------------------------------- */

/* Hours may have passed since the folder was judged: a server that started meanwhile has made data of its own. */
static int
look_again(struct target *t, struct err *err)
{
    enum target_state state;

    if (target_look(t, &state, err) < 0)
        return -1;
    return state == TARGET_EMPTY ? 0 : err_set(err, ERR_EXISTS, "meanwhile something came: %s", t->reason);
}

/* The data is in place, which nothing can undo: what is left is order, and must not turn into a failure. */
static void
leave_in_order(const struct target *t)
{
    char when[UNITS_TEXT_MAX];
    struct err err = ERR_INIT;
    json_t *o =
        json_pack("{ss si ss ss ss ss}", "format", "remora-restored", "version", 1, "backup", t->staged.text, "layout",
                  LAYOUT_RDB, "entry", t->dbfilename, "time", units_format_time(clock_wall_ms(), when));

    if (write_note(t, t->dirfd, TARGET_RECORD, o, &err) < 0)
        log_warn("the record of this restore could not be written", LOG_S("error", err.msg));
    if (file_remove_tree(t->dirfd, TARGET_STAGING, &err) < 0)
        log_warn("the staging folder could not be removed", LOG_S("error", err.msg));
}

int
target_enter(struct target *t, struct err *err)
{
    int staging = openat(t->dirfd, TARGET_STAGING, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int rc = -1;

    REQUIRE(t->lockfd >= 0 && t->staged.text[0] != '\0');
    if (staging < 0)
        return err_sys(err, ERR_INTERNAL, errno, "open %s/%s", t->path, TARGET_STAGING);
    if (look_again(t, err) < 0 ||
        file_rename_in(staging, TARGET_ENTRY, t->dirfd, t->dbfilename, FILE_RENAME_LOCKED, err) < 0 ||
        file_sync_dir(t->dirfd, err) < 0)
        goto out;
    leave_in_order(t);
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
