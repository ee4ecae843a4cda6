/* SPDX-License-Identifier: Apache-2.0 */
/*
 * target_enter.c: the way in. Every step can be cut off, and the next run goes on where this one stopped: old data is
 * only ever renamed, never over anything; what stands in the folder at the end is the whole entry or nothing of it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json_read.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/units.h"
#include "snapshot/target/target_internal.h"

#define SAME_NAME_MAX 1000

static const char *
entry_name(const struct target *t)
{
    return target_layout_entry(t->plan.layout, &t->plan.names);
}

/* ---- the old data moves ------------------------------------------------------------------------------------------ */

/* The folder NAME in DIRFD, made where it is missing, its name on disk; its descriptor, or -1. */
static int
reach_folder(const struct target *t, int dirfd, const char *name, struct err *err)
{
    int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0 && errno != ENOENT)
        return err_sys(err, ERR_INTERNAL, errno, "open %s/%s", t->path, name);
    if (fd < 0)
        fd = target_make_folder(t, dirfd, name, err);
    /* Also where it was there: the run that made it may have been cut off before this. */
    if (fd >= 0 && file_sync_dir(dirfd, err) < 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

/* Move NAME into the folder AWAY, under that name or, where it is taken (the server was started between two runs), with
 * a number behind it. */
static int
move_one(const struct target *t, int away, const char *name, struct err *err)
{
    struct stat st;
    int rc = -1;

    for (unsigned n = 0; n < SAME_NAME_MAX; n++) {
        char *to = n == 0 ? mem_strdup(name) : mem_printf("%.200s.%u", name, n);
        bool taken = fstatat(away, to, &st, AT_SYMLINK_NOFOLLOW) == 0;

        rc = taken ? err_set(err, ERR_EXISTS, "%s is there already", to)
                   : file_rename_in(t->dirfd, name, away, to, FILE_RENAME_LOCKED, err);
        free(to);
        if (rc == 0 || err->code != ERR_EXISTS)
            break;
    }
    return rc < 0 ? err_wrap(err, "move %s out of the way", name) : 0;
}

static int
move_all(const struct target *t, int away, struct err *err)
{
    struct target_list list;
    int rc = 0;

    if (target_list_read(t->dirfd, ".", &list) < 0)
        return err_sys(err, ERR_INTERNAL, errno, "read the target %s", t->path);
    for (size_t i = 0; rc == 0 && i < list.count; i++) {
        if (target_is_in_the_way(t, list.names[i]))
            rc = move_one(t, away, list.names[i], err);
    }
    target_list_free(&list);
    return rc;
}

static int
move_old_data(struct target *t, struct err *err)
{
    int all = reach_folder(t, t->dirfd, TARGET_REPLACED, err);
    int away = all >= 0 ? reach_folder(t, all, t->stamp, err) : -1;
    int rc = -1;

    if (away >= 0 && move_all(t, away, err) == 0 && file_sync_dir(away, err) == 0)
        rc = file_sync_dir(t->dirfd, err);
    if (away >= 0)
        (void)close(away);
    if (all >= 0)
        (void)close(all);
    return rc;
}

/* ---- the entry comes --------------------------------------------------------------------------------------------- */

/* Was a run cut off between the link and the unlink by which a file came in? Then both names are the same file. */
static bool
is_linked_in(const struct target *t, int staging)
{
    struct stat staged, placed;

    return fstatat(staging, TARGET_ENTRY, &staged, AT_SYMLINK_NOFOLLOW) == 0 &&
           fstatat(t->dirfd, entry_name(t), &placed, AT_SYMLINK_NOFOLLOW) == 0 && staged.st_dev == placed.st_dev &&
           staged.st_ino == placed.st_ino;
}

/* Hours may have passed since the folder was judged: a server that started meanwhile has made data of its own. */
static int
look_again(struct target *t, struct err *err)
{
    enum target_state state;

    if (target_look(t, &state, err) < 0)
        return -1;
    return state == TARGET_EMPTY ? 0 : err_set(err, ERR_EXISTS, "meanwhile something came: %s", t->reason);
}

static int
bring_in(struct target *t, struct err *err)
{
    int staging = target_staging_open(t);
    int rc = -1;

    if (staging < 0)
        return err_sys(err, ERR_INTERNAL, errno, "open %s/%s", t->path, TARGET_STAGING);
    if (is_linked_in(t, staging))
        rc = 0;
    else if ((!t->plan.replace || move_old_data(t, err) == 0) && look_again(t, err) == 0)
        rc = file_rename_in(staging, TARGET_ENTRY, t->dirfd, entry_name(t), FILE_RENAME_LOCKED, err);
    if (rc == 0)
        rc = file_sync_dir(t->dirfd, err);
    if (rc == 0)
        (void)!fsync(staging); /* a name that came back there after a crash would be brought in again */
    (void)close(staging);
    if (rc == 0 && t->plan.replace)
        (void)snprintf(t->replaced, sizeof(t->replaced), "%s/%s", TARGET_REPLACED, t->stamp);
    return rc;
}

/* ---- order ------------------------------------------------------------------------------------------------------- */

static void
discard_old_data(struct target *t)
{
    struct err err = ERR_INIT;
    int all = openat(t->dirfd, TARGET_REPLACED, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (all < 0)
        return;
    if (file_remove_tree(all, t->stamp, &err) < 0)
        log_warn("the replaced data could not be deleted", LOG_S("folder", t->replaced), LOG_S("error", err.msg));
    else
        t->replaced[0] = '\0';
    (void)close(all);
    (void)unlinkat(t->dirfd, TARGET_REPLACED, AT_REMOVEDIR); /* unless it holds what earlier ones replaced */
}

/* The data is in place, which nothing can undo: what is left is order, and must not turn into a failure. */
static void
leave_in_order(struct target *t, bool discard)
{
    char when[UNITS_TEXT_MAX];
    struct err err = ERR_INIT;
    json_t *o = json_pack("{ss si ss ss ss ss}", "format", "remora-restored", "version", 1, "backup", t->plan.id.text,
                          "layout", target_layout_name(t->plan.layout), "entry", entry_name(t), "time",
                          units_format_time(clock_wall_ms(), when));

    if (t->plan.replace && discard)
        discard_old_data(t);
    if (t->replaced[0] != '\0')
        REQUIRE(json_object_set_new(o, "replaced", json_string(t->replaced)) == 0);
    if (target_write_note(t, t->dirfd, TARGET_RECORD, o, &err) < 0)
        log_warn("the record of this restore could not be written", LOG_S("error", err.msg));
    if (file_remove_tree(t->dirfd, TARGET_STAGING, &err) < 0)
        log_warn("the staging folder could not be removed", LOG_S("error", err.msg));
    t->ready = false;
}

int
target_enter(struct target *t, bool discard, struct err *err)
{
    REQUIRE(t->lockfd >= 0 && t->ready);
    if (bring_in(t, err) < 0)
        return err_wrap(err, "bring %s into %s", entry_name(t), t->path);
    leave_in_order(t, discard);
    return 0;
}
