/* SPDX-License-Identifier: Apache-2.0 */
/* target_owner.c: who our files in the target belong to and who may use them, by the folder they are in; and whether
 * we may write there at all. The server must be able to read what is restored, and nobody else. */
#include <errno.h>
#include <fcntl.h>
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
        return err_set(
            err, ERR_USAGE,
            "the target %s is not writable for uid %u: run with its owner's uid (runAsUser: %u) or in its group "
            "(fsGroup: %u, which makes it group-writable)",
            t->path, (unsigned)geteuid(), (unsigned)st.st_uid, (unsigned)st.st_gid);
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
