/* SPDX-License-Identifier: Apache-2.0 */
/* temp_folder.c: see temp_folder.h. */
#include "base/temp_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"

/* A folder younger than this may be one whose owner has not come to locking it yet. */
#define SETTLED_S 60

/* Is the folder NAME ours to remove: of this user, settled, and held by nobody? */
static bool
is_left_behind(int parent_fd, const char *name)
{
    int fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct stat st;
    bool left;

    if (fd < 0)
        return false;
    left = fstat(fd, &st) == 0 && st.st_uid == geteuid() && time(NULL) - st.st_mtime > SETTLED_S &&
           flock(fd, LOCK_EX | LOCK_NB) == 0;
    (void)close(fd);
    return left;
}

static void
remove_left_ones(int parent_fd, const char *prefix)
{
    int fd = openat(parent_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* a position of its own */
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    const struct dirent *entry;

    if (dir == NULL) {
        if (fd >= 0)
            (void)close(fd);
        return;
    }
    while ((entry = readdir(dir)) != NULL) {
        struct err why = ERR_INIT;

        if (strncmp(entry->d_name, prefix, strlen(prefix)) != 0 || !is_left_behind(parent_fd, entry->d_name))
            continue;
        if (file_remove_tree(parent_fd, entry->d_name, &why) < 0)
            log_warn("what a killed run left behind could not be removed", LOG_S("folder", entry->d_name),
                     LOG_S("why", why.msg));
        else
            log_info("removed what a killed run left behind", LOG_S("folder", entry->d_name));
    }
    (void)closedir(dir);
}

int
temp_folder_make(const char *parent, const char *prefix, struct temp_folder *t, struct err *err)
{
    *t = (struct temp_folder)TEMP_FOLDER_INIT;
    t->parent_fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (t->parent_fd < 0) {
        (void)err_sys(err, ERR_USAGE, errno, "%s cannot be used as a temporary folder", parent);
        goto failed;
    }
    remove_left_ones(t->parent_fd, prefix);
    t->path = mem_printf("%s/%sXXXXXX", parent, prefix);
    if (mkdtemp(t->path) == NULL) {
        (void)err_sys(err, ERR_USAGE, errno, "no temporary folder can be made in %s", parent);
        goto failed;
    }
    t->name = mem_strdup(strrchr(t->path, '/') + 1);
    t->fd = openat(t->parent_fd, t->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (t->fd < 0) {
        (void)err_sys(err, ERR_INTERNAL, errno, "open of the temporary folder %s", t->path);
        goto failed;
    }
    (void)flock(t->fd, LOCK_EX | LOCK_NB); /* a file system without locks: then a left folder is never found either */
    return 0;
failed:
    temp_folder_remove(t);
    return -1;
}

void
temp_folder_remove(struct temp_folder *t)
{
    struct err why = ERR_INIT;

    if (t->name != NULL && file_remove_tree(t->parent_fd, t->name, &why) < 0)
        log_warn("a temporary folder could not be removed: remove it by hand", LOG_S("folder", t->path),
                 LOG_S("why", why.msg));
    if (t->fd >= 0)
        (void)close(t->fd);
    if (t->parent_fd >= 0)
        (void)close(t->parent_fd);
    free(t->path);
    free(t->name);
    *t = (struct temp_folder)TEMP_FOLDER_INIT;
}
