/* SPDX-License-Identifier: Apache-2.0 */
/* target_owner.c: who our files in the target belong to and who may use them, by the folder they are in; and whether
 * we may write there at all. The server must be able to read what is restored, and nobody else. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "snapshot/target/target_internal.h"

#define KEEP ((uid_t)-1) /* for fchown: leave as it is */

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

/* --owner, which only root can follow freely. */
static int
decide_given(const struct target *t, struct target_owner *o, struct err *err)
{
    if (geteuid() != 0 && (t->options.uid != geteuid() || !is_our_group(t->options.gid)))
        return err_set(err, ERR_USAGE,
                       "files for %u:%u can be made in %s by root or by that user only, not by uid %u: run with "
                       "runAsUser: %u, or leave --owner out",
                       (unsigned)t->options.uid, (unsigned)t->options.gid, t->path, (unsigned)geteuid(),
                       (unsigned)t->options.uid);
    o->uid = geteuid() == 0 ? t->options.uid : KEEP;
    o->gid = t->options.gid;
    return 0;
}

/* Always -1. WHY is errno's. */
static int
refuse_unwritable(const struct target *t, const struct stat *folder, int why, struct err *err)
{
    if (why == EROFS)
        return err_set(err, ERR_USAGE,
                       "the target %s is on a file system that is mounted read-only: mount the volume for writing "
                       "(without readOnly in volumeMounts)",
                       t->path);
    return err_set(err, ERR_USAGE,
                   "the target %s is not writable for uid %u: run with its owner's uid (runAsUser: %u) or in its group "
                   "(fsGroup: %u, which makes it group-writable)",
                   t->path, (unsigned)geteuid(), (unsigned)folder->st_uid, (unsigned)folder->st_gid);
}

int
target_owner_decide(const struct target *t, struct target_owner *o, struct err *err)
{
    bool root = geteuid() == 0, shared;
    struct stat st;

    if (fstat(t->dirfd, &st) < 0)
        return err_sys(err, ERR_INTERNAL, errno, "stat the target %s", t->path);
    shared = (st.st_mode & S_IWGRP) != 0 && (root || is_our_group(st.st_gid));
    o->uid = root ? st.st_uid : KEEP;
    o->gid = root || shared ? st.st_gid : (gid_t)KEEP;
    o->file = shared ? 0660 : 0600;
    o->folder = shared ? 02770 : 0700;
    if (faccessat(t->dirfd, ".", W_OK | X_OK, AT_EACCESS) < 0 && (errno == EACCES || errno == EROFS))
        return refuse_unwritable(t, &st, errno, err);
    if (t->options.owner_given)
        return decide_given(t, o, err);
    if (!root && !shared && st.st_uid != geteuid())
        return err_set(
            err, ERR_USAGE,
            "files that uid %u writes into %s would not be the server's: run with runAsUser: %u, or give both an "
            "fsGroup",
            (unsigned)geteuid(), t->path, (unsigned)st.st_uid);
    return 0;
}

int
target_owner_apply(const struct target_owner *o, int fd, mode_t mode, struct err *err)
{
    if ((o->uid != KEEP || o->gid != (gid_t)KEEP) && fchown(fd, o->uid, o->gid) < 0)
        return err_sys(err, ERR_INTERNAL, errno, "chown to %d:%d", (int)o->uid, (int)o->gid);
    if (fchmod(fd, mode) < 0)
        return err_sys(err, ERR_INTERNAL, errno, "chmod to %o", (unsigned)mode);
    return 0;
}

/* FD, given away, or -1 with it closed. */
static int
give_away(const struct target_owner *o, int fd, mode_t mode, struct err *err)
{
    if (target_owner_apply(o, fd, mode, err) == 0)
        return fd;
    (void)close(fd);
    return -1;
}

int
target_make_folder(const struct target *t, int dirfd, const char *name, struct err *err)
{
    struct target_owner o;
    int fd;

    if (target_owner_decide(t, &o, err) < 0)
        return -1;
    if (mkdirat(dirfd, name, o.folder & 0777) < 0)
        return err_sys(err, ERR_INTERNAL, errno, "make the folder %s in %s", name, t->path);
    fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return err_sys(err, ERR_INTERNAL, errno, "open the folder %s in %s", name, t->path);
    return give_away(&o, fd, o.folder, err);
}

int
target_make_file(const struct target *t, int dirfd, const char *name, int flags, struct err *err)
{
    struct target_owner o;
    int fd;

    if (target_owner_decide(t, &o, err) < 0)
        return -1;
    fd = openat(dirfd, name, flags | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, o.file);
    if (fd < 0)
        return err_sys(err, ERR_INTERNAL, errno, "create %s in %s", name, t->path);
    return give_away(&o, fd, o.file, err);
}

const char *
target_owner_text(const struct target *t, char out[TARGET_OWNER_TEXT])
{
    struct err unused = ERR_INIT;
    struct target_owner o;

    if (target_owner_decide(t, &o, &unused) < 0)
        (void)snprintf(out, TARGET_OWNER_TEXT, "not possible");
    else
        (void)snprintf(out, TARGET_OWNER_TEXT, "%u:%u mode %04o", (unsigned)(o.uid == KEEP ? geteuid() : o.uid),
                       (unsigned)(o.gid == (gid_t)KEEP ? getegid() : o.gid), (unsigned)o.file);
    return out;
}
