/* SPDX-License-Identifier: Apache-2.0 */
/* store_file_sweep.c: removes what killed writers left in the file store: temporary files, and folders that hold
 * nothing else. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/store_file_dir.h"

struct sweep {
    int64_t before_ms;
    uint64_t removed;
};

/* A name that file_open_temp() makes, or the one beside it by which create-only is tried: others may share the root,
 * and have temporary files too. */
static bool
is_ours(const char *name)
{
    const size_t prefix = strlen(STORE_FILE_TEMP_PREFIX), digits = 16;
    const char *rest;

    if (strncmp(name, STORE_FILE_TEMP_PREFIX, prefix) != 0 || strspn(name + prefix, "0123456789abcdef") != digits)
        return false;
    rest = name + prefix + digits;
    return *rest == '\0' || strcmp(rest, "-to") == 0;
}

static int
sweep_file(struct sweep *w, int dirfd, const char *name, struct err *err)
{
    struct stat st;
    int64_t written_ms;

    if (!is_ours(name))
        return 0;
    if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
        return 0; /* brought in or removed just now, or none of ours */
    written_ms = (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000;
    if (written_ms >= w->before_ms)
        return 0;
    if (unlinkat(dirfd, name, 0) == 0)
        w->removed++;
    else if (errno != ENOENT)
        return err_sys(err, store_file_code(errno), errno, "remove %s", name);
    return 0;
}

static int
sweep_entry(int dirfd, const char *name, enum store_file_kind kind, void *cookie, struct err *err)
{
    struct sweep *w = cookie;
    uint64_t before = w->removed;
    struct err why = ERR_INIT;
    int child, rc;

    if (kind != STORE_FILE_FOLDER)
        return kind == STORE_FILE_ODD ? sweep_file(w, dirfd, name, err) : 0;
    child = store_file_open_child(dirfd, name, &why);
    if (child < 0 && why.code == ERR_NOT_FOUND)
        return 0;
    if (child < 0) {
        *err = why;
        return -1;
    }
    rc = store_file_each_entry(child, false, sweep_entry, w, err);
    (void)close(child);
    if (w->removed > before)
        (void)unlinkat(dirfd, name, AT_REMOVEDIR); /* succeeds only when it is empty */
    return rc;
}

/* Of the root itself only the files. */
static int
sweep_root_entry(int dirfd, const char *name, enum store_file_kind kind, void *cookie, struct err *err)
{
    return kind == STORE_FILE_ODD ? sweep_file(cookie, dirfd, name, err) : 0;
}

int
store_file_sweep_folder(const char *root, const char *folder, int64_t before_ms, uint64_t *removed, struct err *err)
{
    struct sweep w = {.before_ms = before_ms};
    int dirfd = store_file_open_root(root, err), rc;

    if (dirfd < 0)
        return -1;
    rc = store_file_each_entry(dirfd, true, sweep_root_entry, &w, err);
    if (rc == 0)
        rc = sweep_entry(dirfd, folder, STORE_FILE_FOLDER, &w, err);
    (void)close(dirfd);
    *removed = w.removed;
    return rc;
}
