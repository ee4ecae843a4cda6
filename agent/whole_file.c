/* SPDX-License-Identifier: Apache-2.0 */
/* whole_file.c: see whole_file.h. */
#include "agent/whole_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"

static int
open_dir(struct whole_file *f, struct err *err)
{
    const char *slash = strrchr(f->path, '/');
    char *folder = slash == NULL      ? mem_strdup(".")
                   : slash == f->path ? mem_strdup("/")
                                      : mem_strndup(f->path, (size_t)(slash - f->path));
    int rc = 0;

    f->name = mem_strdup(slash != NULL ? slash + 1 : f->path);
    f->temp = mem_printf(".%s.remora-tmp", f->name);
    f->dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (f->dir < 0)
        rc = err_sys(err, ERR_USAGE, errno, "the folder of the file %s could not be opened", f->path);
    else if (*f->name == '\0' || strcmp(f->name, ".") == 0 || strcmp(f->name, "..") == 0)
        rc = err_set(err, ERR_USAGE, "%s is the name of a folder, not of a file", f->path);
    free(folder);
    return rc;
}

/* Is the file that was locked still the one of that name? Who held it before may have given it its final name. */
static bool
is_still_named(const struct whole_file *f)
{
    struct stat own, named;

    return fstat(f->fd, &own) == 0 && fstatat(f->dir, f->temp, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
           own.st_ino == named.st_ino && own.st_dev == named.st_dev;
}

static int
open_temp(struct whole_file *f, struct err *err)
{
    for (;;) {
        f->fd = openat(f->dir, f->temp, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (f->fd < 0)
            return err_sys(err, ERR_USAGE, errno, "the file %s could not be made", f->path);
        if (flock(f->fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK) {
            (void)close(f->fd);
            f->fd = -1; /* it is another's: whole_file_end() must leave it */
            return err_set(err, ERR_LOCKED, "the file %s is being written by another run", f->path);
        }
        if (is_still_named(f))
            break;
        (void)close(f->fd);
    }
    if (fchmod(f->fd, 0600) < 0 || ftruncate(f->fd, 0) < 0)
        return err_sys(err, ERR_USAGE, errno, "the file %s could not be made", f->path);
    return 0;
}

int
whole_file_begin(const char *path, struct whole_file *f, struct err *err)
{
    struct stat st;

    *f = (struct whole_file)WHOLE_FILE_INIT;
    f->path = path;
    if (open_dir(f, err) < 0)
        return -1;
    if (fstatat(f->dir, f->name, &st, AT_SYMLINK_NOFOLLOW) == 0)
        return err_set(err, ERR_REFUSED, "%s is there already, and is not overwritten: give another name, or remove it",
                       path);
    return open_temp(f, err);
}

int
whole_file_commit(struct whole_file *f, struct err *err)
{
    if (fsync(f->fd) < 0)
        return err_sys(err, ERR_INTERNAL, errno, "the file %s could not be synced", f->path);
    if (file_rename_in(f->dir, f->temp, f->dir, f->name, FILE_RENAME_ATOMIC, err) < 0)
        return err_wrap(err, "the file %s could not be given its name", f->path);
    free(f->temp);
    f->temp = NULL;
    return file_sync_dir(f->dir, err);
}

void
whole_file_end(struct whole_file *f)
{
    if (f->fd >= 0 && f->temp != NULL)
        (void)unlinkat(f->dir, f->temp, 0);
    if (f->fd >= 0)
        (void)close(f->fd);
    if (f->dir >= 0)
        (void)close(f->dir);
    free(f->name);
    free(f->temp);
    *f = (struct whole_file)WHOLE_FILE_INIT;
}
