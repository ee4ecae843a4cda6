/* SPDX-License-Identifier: Apache-2.0 */
/* store_file_dir.c: see store_file_dir.h. */
#include "storage/store_file_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

/* A folder that is only passed through, or read by another open, needs no permission to be read itself. */
#define PASS_FOLDER (O_PATH | O_DIRECTORY | O_CLOEXEC)
#define OPEN_FOLDER (O_RDONLY | O_DIRECTORY | O_CLOEXEC)

enum err_code
store_file_code(int errnum)
{
    return errnum == EACCES || errnum == EPERM || errnum == EROFS ? ERR_STORE_DENIED : ERR_STORAGE;
}

int
store_file_recode(struct err *err)
{
    if (err->code == ERR_INTERNAL)
        err->code = store_file_code(err->sys);
    return -1;
}

bool
store_file_absent(int errnum)
{
    /* A part that is a file (ENOTDIR) or a symbolic link (ELOOP) cannot have objects below it. */
    return errnum == ENOENT || errnum == ENOTDIR || errnum == ELOOP;
}

static int
open_root(const char *root, int flags, struct err *err)
{
    int fd = open(root, flags);

    if (fd < 0 && errno == ENOENT)
        return err_set(err, ERR_NOT_FOUND, "the repository's folder %s does not exist", root);
    if (fd < 0)
        return err_sys(err, store_file_code(errno), errno, "open the folder %s", root);
    return fd;
}

int
store_file_open_root(const char *root, struct err *err)
{
    return open_root(root, PASS_FOLDER, err);
}

size_t
store_file_folder_len(const char *key)
{
    const char *slash = strrchr(key, '/');

    return slash != NULL ? (size_t)(slash - key) : 0;
}

const char *
store_file_base(const char *key)
{
    size_t len = store_file_folder_len(key);

    return len > 0 ? key + len + 1 : key;
}

/* ---- the way down: part by part, so that no symbolic link is followed ---- */

static int
open_part(int at, const char *part, int flags, struct err *err)
{
    int fd = openat(at, part, flags | O_NOFOLLOW);

    if (fd < 0)
        return err_sys(err, store_file_absent(errno) ? ERR_NOT_FOUND : store_file_code(errno), errno,
                       "open the folder %s", part);
    return fd;
}

static int
make_part(int at, const char *part, bool sync, struct err *err)
{
    struct err missing = ERR_INIT;
    int fd = open_part(at, part, OPEN_FOLDER, &missing);

    if (fd < 0 && missing.sys == ENOENT) {
        if (file_make_dirs(at, part, STORE_FILE_DIR_MODE, err) < 0)
            return store_file_recode(err);
        fd = open_part(at, part, OPEN_FOLDER, &missing);
    } else if (fd >= 0 && sync && file_sync_dir(at, err) < 0) {
        (void)close(fd);
        return store_file_recode(err);
    }
    if (fd < 0) {
        *err = missing;
        if (err->code == ERR_NOT_FOUND) /* what stands there is no folder, or it went away again */
            err->code = ERR_STORAGE;
    }
    return fd;
}

enum way { WAY_OPEN, WAY_MAKE, WAY_MAKE_SYNC };

static int
walk(const char *root, const char *key, size_t len, enum way way, struct err *err)
{
    int at = open_root(root, way == WAY_OPEN ? PASS_FOLDER : OPEN_FOLDER, err);
    size_t from = 0;

    while (at >= 0 && from < len) {
        char part[STORE_KEY_PART_MAX + 1];
        size_t part_len = strcspn(key + from, "/");
        int next;

        REQUIRE(part_len > 0 && part_len < sizeof(part) && from + part_len <= len);
        memcpy(part, key + from, part_len);
        part[part_len] = '\0';
        next = way == WAY_OPEN ? open_part(at, part, PASS_FOLDER, err) : make_part(at, part, way == WAY_MAKE_SYNC, err);
        (void)close(at);
        at = next;
        from += part_len + 1;
    }
    return at;
}

int
store_file_open_folder(const char *root, const char *key, size_t len, struct err *err)
{
    return walk(root, key, len, WAY_OPEN, err);
}

int
store_file_make_folder(const char *root, const char *key, size_t len, bool sync_all, struct err *err)
{
    return walk(root, key, len, sync_all ? WAY_MAKE_SYNC : WAY_MAKE, err);
}

int
store_file_open_child(int dirfd, const char *name, struct err *err)
{
    return open_part(dirfd, name, PASS_FOLDER, err);
}

/* ---- what stands in a folder ---- */

/* ".nfs" and 24 hex digits: what an NFS client calls a removed file that is still open. */
static bool
is_nfs_leftover(const char *name)
{
    return strncmp(name, ".nfs", 4) == 0 && strlen(name) == 28 && strspn(name + 4, "0123456789abcdefABCDEF") == 24;
}

static bool
is_hidden(const char *name, bool in_root)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
           strncmp(name, STORE_FILE_TEMP_PREFIX, strlen(STORE_FILE_TEMP_PREFIX)) == 0 || is_nfs_leftover(name) ||
           (in_root && strcmp(name, "lost+found") == 0);
}

bool
store_file_reserved(const char *key)
{
    return is_nfs_leftover(store_file_base(key)) ||
           (strncmp(key, "lost+found", 10) == 0 && strchr("/", key[10]) != NULL);
}

static enum store_file_kind
kind_of(int dirfd, const struct dirent *entry, bool in_root)
{
    struct stat st;

    if (is_hidden(entry->d_name, in_root) || strlen(entry->d_name) > STORE_KEY_PART_MAX)
        return STORE_FILE_ODD;
    if (entry->d_type == DT_REG)
        return STORE_FILE_OBJECT;
    if (entry->d_type == DT_DIR)
        return STORE_FILE_FOLDER;
    if (entry->d_type != DT_UNKNOWN || fstatat(dirfd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return STORE_FILE_ODD;
    return S_ISREG(st.st_mode) ? STORE_FILE_OBJECT : S_ISDIR(st.st_mode) ? STORE_FILE_FOLDER : STORE_FILE_ODD;
}

/* Call FN for the entries of the open DIR. */
static int
each_entry(DIR *dir, int dirfd, bool in_root, store_file_entry_fn *fn, void *cookie, struct err *err)
{
    const struct dirent *entry;

    for (errno = 0; (entry = readdir(dir)) != NULL; errno = 0) {
        int rc;

        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        rc = fn(dirfd, entry->d_name, kind_of(dirfd, entry, in_root), cookie, err);
        if (rc != 0)
            return rc;
    }
    return errno != 0 ? err_sys(err, store_file_code(errno), errno, "read a folder") : 0;
}

int
store_file_each_entry(int dirfd, bool in_root, store_file_entry_fn *fn, void *cookie, struct err *err)
{
    int fd = openat(dirfd, ".", OPEN_FOLDER), rc;
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;

    if (dir == NULL) {
        rc = errno == ENOENT ? 0 : err_sys(err, store_file_code(errno), errno, "read a folder");
        if (fd >= 0)
            (void)close(fd);
        return rc; /* a folder that was removed just now had become empty */
    }
    rc = each_entry(dir, dirfd, in_root, fn, cookie, err);
    (void)closedir(dir);
    return rc;
}
