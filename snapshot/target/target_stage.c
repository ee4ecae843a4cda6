/* SPDX-License-Identifier: Apache-2.0 */
/* target_stage.c: the staging folder: made, or gone on with; the entry completed and declared ready; thrown away. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "snapshot/target/target_internal.h"

int
target_staging_open(const struct target *t)
{
    return openat(t->dirfd, TARGET_STAGING, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

bool
target_file_size(int dirfd, const char *path, uint64_t *size)
{
    struct stat st;

    if (fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
        return false;
    *size = (uint64_t)st.st_size;
    return true;
}

const char *
target_dump_path(const struct target_plan *plan, char out[TARGET_DUMP_PATH])
{
    if (plan->layout == TARGET_LAYOUT_AOF)
        (void)snprintf(out, TARGET_DUMP_PATH, TARGET_ENTRY "/%s.1.base.rdb", plan->names.appendfilename);
    else
        (void)snprintf(out, TARGET_DUMP_PATH, "%s", TARGET_ENTRY);
    return out;
}

/* `ready` goes first: what is being taken apart must not be brought in by anyone. */
static int
drop_staging(struct target *t, struct err *err)
{
    int staging = target_staging_open(t);
    int rc = 0;

    if (staging >= 0) {
        if (unlinkat(staging, TARGET_READY, 0) == 0)
            rc = file_sync_dir(staging, err);
        (void)close(staging);
    }
    t->ready = false;
    return rc < 0 ? -1 : file_remove_tree(t->dirfd, TARGET_STAGING, err);
}

/* ---- the staged dump --------------------------------------------------------------------------------------------- */

/* Give what an interrupted run left to whom it belongs now: that run may have been another user's, or for another. */
static bool
take_over(const struct target *t, int staging, const struct target_plan *plan, const struct target_staged *staged)
{
    struct err unused = ERR_INIT;
    struct target_owner o;
    bool taken = target_owner_decide(t, &o, &unused) == 0 && target_owner_apply(&o, staging, o.folder, &unused) == 0 &&
                 target_owner_apply(&o, staged->fd, o.file, &unused) == 0 &&
                 target_owner_apply(&o, staged->journal, o.file, &unused) == 0;

    if (taken && plan->layout == TARGET_LAYOUT_AOF) {
        int folder = openat(staging, TARGET_ENTRY, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        taken = folder >= 0 && target_owner_apply(&o, folder, o.folder, &unused) == 0;
        if (folder >= 0)
            (void)close(folder);
    }
    return taken;
}

/* What an interrupted run of this plan left. False: there is no such thing, or it is not whole enough to go on. */
static bool
go_on(const struct target *t, int staging, const struct target_plan *plan, struct target_staged *out)
{
    char path[TARGET_DUMP_PATH];
    struct stat st;

    if (fstatat(staging, TARGET_READY, &st, AT_SYMLINK_NOFOLLOW) == 0 || !target_plan_matches(staging, plan))
        return false;
    out->fd = openat(staging, target_dump_path(plan, path), O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    out->journal = openat(staging, TARGET_JOURNAL, O_RDWR | O_APPEND | O_NOFOLLOW | O_CLOEXEC);
    /* A second link: a dump that came in by link and unlink, between the two, is the server's by now. */
    out->resumed = out->fd >= 0 && out->journal >= 0 && fstat(out->fd, &st) == 0 && S_ISREG(st.st_mode) &&
                   st.st_nlink <= 1 && (uint64_t)st.st_size <= plan->size && take_over(t, staging, plan, out);
    return out->resumed;
}

static void
close_staged(struct target_staged *s)
{
    if (s->fd >= 0)
        (void)close(s->fd);
    if (s->journal >= 0)
        (void)close(s->journal);
    *s = (struct target_staged){.fd = -1, .journal = -1};
}

/* Take the room of the dump now, so that a full disk shows before the first byte; not every file system can. */
static int
reserve(const struct target *t, int fd, uint64_t size, struct err *err)
{
    if (size > 0 && fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)size) < 0 && (errno == ENOSPC || errno == EDQUOT))
        return err_sys(err, ERR_NO_SPACE, errno, "reserve %" PRIu64 " bytes in %s", size, t->path);
    return 0;
}

/* Begin PLAN in the empty folder STAGING. */
static int
begin(const struct target *t, int staging, const struct target_plan *plan, struct target_staged *out, struct err *err)
{
    char path[TARGET_DUMP_PATH];
    int folder;

    if (plan->layout == TARGET_LAYOUT_AOF) {
        folder = target_make_folder(t, staging, TARGET_ENTRY, err);
        if (folder < 0)
            return -1;
        (void)close(folder);
    }
    out->fd = target_make_file(t, staging, target_dump_path(plan, path), O_RDWR, err);
    if (out->fd < 0 || reserve(t, out->fd, plan->size, err) < 0)
        return -1;
    out->journal = target_make_file(t, staging, TARGET_JOURNAL, O_RDWR | O_APPEND, err);
    return out->journal < 0 ? -1 : target_write_plan(t, staging, plan, err);
}

int
target_stage(struct target *t, const struct target_plan *plan, struct target_staged *out, struct err *err)
{
    int staging, rc = -1;

    REQUIRE(t->lockfd >= 0 && plan->layout != TARGET_LAYOUT_UNKNOWN);
    REQUIRE(!(t->ready && t->plan.replace)); /* half of the old data may be moved: that is finished first */
    *out = (struct target_staged){.fd = -1, .journal = -1};
    t->plan = *plan;
    t->ready = false;
    if (target_check_access(t, plan->replace, err) < 0 || target_check_room(t, plan->size, err) < 0)
        return -1;
    staging = target_staging_open(t);
    if (staging >= 0 && go_on(t, staging, plan, out)) {
        rc = 0;
        goto out;
    }
    close_staged(out);
    if (staging >= 0)
        (void)close(staging);
    if (drop_staging(t, err) < 0)
        return -1;
    staging = target_make_folder(t, t->dirfd, TARGET_STAGING, err);
    rc = staging < 0 ? -1 : begin(t, staging, plan, out, err);
    if (rc < 0)
        close_staged(out);
out:
    if (staging >= 0)
        (void)close(staging);
    return rc;
}

/* ---- ready ------------------------------------------------------------------------------------------------------- */

/* A new file NAME with TEXT in it, on disk. */
static int
put_file(const struct target *t, int dirfd, const char *name, const char *text, struct err *err)
{
    int fd, rc;

    if (unlinkat(dirfd, name, 0) < 0 && errno != ENOENT) /* of a run that was cut off here */
        return err_sys(err, ERR_INTERNAL, errno, "remove the staged %s", name);
    fd = target_make_file(t, dirfd, name, O_WRONLY, err);
    if (fd < 0)
        return -1;
    rc = file_write_all(fd, text, strlen(text), err);
    if (rc == 0 && fsync(fd) < 0)
        rc = err_sys(err, ERR_INTERNAL, errno, "fsync of the staged %s", name);
    (void)close(fd);
    return rc;
}

/* How the manifest of an append-only file writes a name: as it is, or in quotes where it could be misread. */
static void
manifest_word(struct buf *b, const char *name)
{
    static const char hex[] = "0123456789abcdef";
    struct err unused = ERR_INIT;
    bool plain = true;

    for (const unsigned char *c = (const unsigned char *)name; *c != '\0'; c++)
        plain = plain && *c > ' ' && *c < 0x7f && *c != '"' && *c != '\'' && *c != '\\';
    if (plain) {
        (void)!buf_printf(b, &unused, "%s", name);
        return;
    }
    (void)!buf_append(b, "\"", 1, &unused);
    for (const unsigned char *c = (const unsigned char *)name; *c != '\0'; c++) {
        const char escaped[] = {'\\', 'x', hex[*c >> 4], hex[*c & 15]};
        bool odd = *c < ' ' || *c >= 0x7f || *c == '"' || *c == '\\';

        (void)!buf_append(b, odd ? escaped : (const char *)c, odd ? sizeof(escaped) : 1, &unused);
    }
    (void)!buf_append(b, "\"", 1, &unused);
}

/* The lines that name the base and the increment; the caller does buf_fini(). */
static void
manifest_text(struct buf *b, const char *base, const char *incr)
{
    struct err unused = ERR_INIT;

    buf_init(b, 16 * (size_t)NAME_MAX); /* four bytes a byte at the most */
    (void)!buf_printf(b, &unused, "file ");
    manifest_word(b, base);
    (void)!buf_printf(b, &unused, " seq 1 type b\nfile ");
    manifest_word(b, incr);
    (void)!buf_printf(b, &unused, " seq 1 type i\n");
}

/* Beside the base, which is the dump, the folder gets an empty increment, and last the manifest that names the two.
 * Without a manifest a server starts empty and overwrites the base (Redis 7.0 to 8.6, Valkey 8.0 to 9.1). */
static int
complete_folder(const struct target *t, int staging, struct err *err)
{
    const char *name = t->plan.names.appendfilename;
    char *base = mem_printf("%s.1.base.rdb", name), *incr = mem_printf("%s.1.incr.aof", name);
    char *manifest = mem_printf("%s.manifest", name);
    int folder = openat(staging, TARGET_ENTRY, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct buf text;
    int rc = -1;

    manifest_text(&text, base, incr);
    if (folder < 0)
        (void)err_sys(err, ERR_INTERNAL, errno, "open the staged %s", t->plan.names.appenddirname);
    else if (put_file(t, folder, incr, "", err) == 0 && put_file(t, folder, manifest, text.data, err) == 0)
        rc = file_sync_dir(folder, err);
    if (folder >= 0)
        (void)close(folder);
    buf_fini(&text);
    free(manifest);
    free(incr);
    free(base);
    return rc;
}

static void
set_stamp(struct target *t)
{
    time_t now = (time_t)(clock_wall_ms() / 1000);
    struct tm tm;

    REQUIRE(gmtime_r(&now, &tm) != NULL);
    REQUIRE(strftime(t->stamp, sizeof(t->stamp), "%Y%m%dT%H%M%SZ", &tm) > 0);
}

int
target_seal(struct target *t, struct err *err)
{
    int staging = target_staging_open(t);
    char path[TARGET_DUMP_PATH];
    uint64_t size = 0;
    int rc = -1;

    REQUIRE(t->lockfd >= 0);
    if (staging < 0 || !target_file_size(staging, target_dump_path(&t->plan, path), &size)) {
        (void)err_sys(err, ERR_INTERNAL, errno, "look at the staged dump");
        goto out;
    }
    if (size != t->plan.size) {
        (void)err_set(err, ERR_INTERNAL, "the staged dump has %" PRIu64 " bytes instead of %" PRIu64, size,
                      t->plan.size);
        goto out;
    }
    if (t->plan.layout == TARGET_LAYOUT_AOF && complete_folder(t, staging, err) < 0)
        goto out;
    set_stamp(t);
    /* The entry's names must be on disk before the `ready` that speaks of it, and the name of staging itself after. */
    if (file_sync_dir(staging, err) < 0 || target_write_ready(t, staging, err) < 0 || file_sync_dir(t->dirfd, err) < 0)
        goto out;
    t->ready = true;
    rc = 0;
out:
    if (staging >= 0)
        (void)close(staging);
    return rc;
}

void
target_abandon(struct target *t)
{
    struct err unused = ERR_INIT;

    if (t->lockfd >= 0 && !t->ready)
        (void)!drop_staging(t, &unused);
}
