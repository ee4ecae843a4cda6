/* SPDX-License-Identifier: Apache-2.0 */
/* file.c: see file.h. */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/sig.h"

/* A pipe, a terminal: what may take nothing for as long as its reader likes. */
static bool
is_stream(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 && !S_ISREG(st.st_mode);
}

int
file_write_all(int fd, const void *data, size_t len, struct err *err)
{
    const char *p = data;

    while (len > 0) {
        ssize_t n = write(fd, p, len);

        if (n < 0 && errno == EPIPE)
            return err_set(err, ERR_INTERRUPTED, "the reader of the pipe went away: what it has is not whole");
        if (n < 0 && errno != EINTR)
            return err_sys(err, ERR_INTERNAL, errno, "write");
        if (n > 0) {
            p += n;
            len -= (size_t)n;
        }
        /* A write that waited for its reader and was interrupted tells the bytes that had gone before, if any had. */
        if (len > 0 && sig_pending() && is_stream(fd))
            return sig_check(err);
    }
    return 0;
}

int
file_write_at(int fd, const void *data, size_t len, uint64_t offset, struct err *err)
{
    for (size_t done = 0; done < len;) {
        ssize_t n = pwrite(fd, (const char *)data + done, len - done, (off_t)(offset + done));

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_sys(err, ERR_INTERNAL, errno, "write");
        done += (size_t)n;
    }
    return 0;
}

int
file_read_at(int fd, void *data, size_t len, uint64_t offset, size_t *got, struct err *err)
{
    size_t done = 0;

    while (done < len) {
        ssize_t n = pread(fd, (char *)data + done, len - done, (off_t)(offset + done));

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_sys(err, ERR_INTERNAL, errno, "read");
        if (n == 0)
            break;
        done += (size_t)n;
    }
    *got = done;
    return 0;
}

/* Read FD to its end into *DATA; LEN_HINT saves growing. */
static int
read_to_end(int fd, size_t cap, size_t len_hint, char **data, size_t *len, struct err *err)
{
    size_t room = (len_hint < cap ? len_hint : cap) + 1, got = 0;
    char *p;

    REQUIRE(cap <= SIZE_MAX / 4);
    p = mem_new(room + 1);
    for (;;) {
        ssize_t n = read(fd, p + got, room - got);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            free(p);
            return err_sys(err, ERR_INTERNAL, errno, "read");
        }
        got += (size_t)n;
        if (got > cap) {
            free(p);
            return err_set(err, ERR_NO_SPACE, "larger than the allowed %zu bytes", cap);
        }
        if (n == 0)
            break;
        if (got == room) {
            room = room * 2 < cap + 1 ? room * 2 : cap + 1;
            p = mem_grow(p, room + 1, 1);
        }
    }
    p[got] = '\0';
    *data = p;
    *len = got;
    return 0;
}

int
file_read_all(int dirfd, const char *path, size_t cap, char **data, size_t *len, struct err *err)
{
    int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    int rc;

    if (fd < 0)
        return err_sys(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_INTERNAL, errno, "open %s", path);
    rc = fstat(fd, &st) == 0 ? 0 : err_sys(err, ERR_INTERNAL, errno, "stat");
    if (rc == 0)
        rc = read_to_end(fd, cap, st.st_size > 0 ? (size_t)st.st_size : 0, data, len, err);
    (void)close(fd);
    return rc < 0 ? err_wrap(err, "%s", path) : 0;
}

int
file_open_temp(int dirfd, const char *prefix, mode_t mode, char *name, size_t name_size, struct err *err)
{
    for (int tries = 0; tries < 16; tries++) {
        uint64_t r = 0;
        int fd;

        REQUIRE(getrandom(&r, sizeof(r), 0) == (ssize_t)sizeof(r));
        REQUIRE(snprintf(name, name_size, "%s%016" PRIx64, prefix, r) < (int)name_size);
        fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
        if (fd >= 0)
            return fd;
        if (errno != EEXIST)
            return err_sys(err, ERR_INTERNAL, errno, "create %s", name);
    }
    return err_set(err, ERR_INTERNAL, "no free temporary name for %s", prefix);
}

int
file_write_temp(int dirfd, const char *prefix, const void *data, size_t len, mode_t mode, char *name, size_t name_size,
                struct err *err)
{
    int fd = file_open_temp(dirfd, prefix, mode, name, name_size, err);
    int rc;

    if (fd < 0)
        return -1;
    rc = file_write_all(fd, data, len, err);
    if (rc == 0 && fsync(fd) < 0)
        rc = err_sys(err, ERR_INTERNAL, errno, "fsync");
    (void)close(fd); /* after fsync nothing is left that could fail */
    if (rc < 0)
        (void)unlinkat(dirfd, name, 0);
    return rc;
}

int
file_write_atomic(int dirfd, const char *name, const char *prefix, const void *data, size_t len, mode_t mode,
                  struct err *err)
{
    char temp[NAME_MAX + 1];

    if (file_write_temp(dirfd, prefix, data, len, mode, temp, sizeof(temp), err) < 0)
        return err_wrap(err, "write %s", name);
    if (renameat(dirfd, temp, dirfd, name) < 0) {
        (void)err_sys(err, ERR_INTERNAL, errno, "write %s: rename", name);
        (void)unlinkat(dirfd, temp, 0);
        return -1;
    }
    return file_sync_dir(dirfd, err) < 0 ? err_wrap(err, "write %s", name) : 0;
}

int
file_sync_dir(int dirfd, struct err *err)
{
    /* Some file systems (and FUSE) cannot sync a directory and say EINVAL: there is nothing more that could be done
     * there. */
    if (fsync(dirfd) < 0 && errno != EINVAL)
        return err_sys(err, ERR_INTERNAL, errno, "fsync of the directory");
    return 0;
}

/* ---- rename in ---- */

static bool
not_offered(int errnum)
{
    return errnum == EINVAL || errnum == ENOSYS || errnum == EOPNOTSUPP;
}

static int
exists(const char *to, struct err *err)
{
    return err_set(err, ERR_EXISTS, "%s exists already", to);
}

/* A link whose answer was lost on its way from an NFS server is tried again by the client and then meets itself. */
static bool
is_same_file(int from_dir, const char *from, int to_dir, const char *to)
{
    struct stat a, b;
    bool same = fstatat(from_dir, from, &a, AT_SYMLINK_NOFOLLOW) == 0 &&
                fstatat(to_dir, to, &b, AT_SYMLINK_NOFOLLOW) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;

    errno = EEXIST;
    return same;
}

/* link(2) refuses to overwrite on every file system that has it. */
static int
link_in(int from_dir, const char *from, int to_dir, const char *to, enum file_rename_rule rule, struct err *err)
{
    struct stat st;

    if (linkat(from_dir, from, to_dir, to, 0) == 0 || (errno == EEXIST && is_same_file(from_dir, from, to_dir, to))) {
        /* A crash may keep the second of two unsynced changes and lose the first: no name would be left. */
        if (from_dir != to_dir && file_sync_dir(to_dir, err) < 0)
            return -1;
        if (unlinkat(from_dir, from, 0) < 0)
            return err_sys(err, ERR_INTERNAL, errno, "remove %s", from);
        return 0;
    }
    if (errno == EEXIST)
        return exists(to, err);
    if (!not_offered(errno) && errno != EPERM && errno != EMLINK)
        return err_sys(err, ERR_INTERNAL, errno, "link %s", to);
    if (rule == FILE_RENAME_ATOMIC)
        return err_set(err, ERR_UNSUPPORTED, "this file system offers neither RENAME_NOREPLACE nor links");
    if (fstatat(to_dir, to, &st, AT_SYMLINK_NOFOLLOW) == 0)
        return exists(to, err);
    if (errno != ENOENT)
        return err_sys(err, ERR_INTERNAL, errno, "stat %s", to);
    if (renameat(from_dir, from, to_dir, to) < 0)
        return err_sys(err, ERR_INTERNAL, errno, "rename to %s", to);
    return 0;
}

int
file_rename_in(int from_dir, const char *from, int to_dir, const char *to, enum file_rename_rule rule, struct err *err)
{
    struct stat st;

    if (fstatat(from_dir, from, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return err_sys(err, ERR_INTERNAL, errno, "stat %s", from);
    if (S_ISDIR(st.st_mode)) {
        if (renameat(from_dir, from, to_dir, to) == 0)
            return 0;
        if (errno == EEXIST || errno == ENOTEMPTY || errno == ENOTDIR)
            return exists(to, err);
        return err_sys(err, ERR_INTERNAL, errno, "rename to %s", to);
    }
    if (renameat2(from_dir, from, to_dir, to, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno == EEXIST)
        return exists(to, err);
    if (!not_offered(errno))
        return err_sys(err, ERR_INTERNAL, errno, "rename to %s", to);
    return link_in(from_dir, from, to_dir, to, rule, err);
}

/* ---- trees ---- */

/* A folder above ours may allow no more than passing through it. */
#define PASS_THROUGH (O_PATH | O_DIRECTORY | O_CLOEXEC)

/* Make NAME in DIRFD when it is missing and open it; -1 with errno set. */
static int
make_one_dir(int dirfd, const char *name, mode_t mode)
{
    int fd = openat(dirfd, name, PASS_THROUGH), rc, saved;

    if (fd >= 0 || errno != ENOENT)
        return fd;
    if (mkdirat(dirfd, name, mode) == 0) {
        fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
            return -1;
        rc = fsync(fd);
        saved = errno;
        (void)close(fd);
        if (rc < 0 && saved != EINVAL) {
            errno = saved;
            return -1;
        }
    } else if (errno != EEXIST) {
        return -1;
    }
    return openat(dirfd, name, PASS_THROUGH);
}

int
file_make_dirs(int dirfd, const char *path, mode_t mode, struct err *err)
{
    char *copy = mem_strdup(path), *save = NULL;
    int at = path[0] == '/' ? open("/", PASS_THROUGH) : openat(dirfd, ".", PASS_THROUGH);

    for (char *name = strtok_r(copy, "/", &save); at >= 0 && name != NULL; name = strtok_r(NULL, "/", &save)) {
        int next = make_one_dir(at, name, mode), saved = errno;

        (void)close(at);
        at = next;
        errno = saved;
    }
    free(copy);
    if (at < 0)
        return err_sys(err, ERR_INTERNAL, errno, "make the directory %s", path);
    (void)close(at);
    return 0;
}

int
file_remove_tree(int dirfd, const char *name, struct err *err)
{
    const struct dirent *entry;
    DIR *dir;
    int fd, rc = 0;

    if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
        return 0;
    if (errno != EISDIR && errno != EPERM)
        return err_sys(err, ERR_INTERNAL, errno, "remove %s", name);
    fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return err_sys(err, ERR_INTERNAL, errno, "open %s", name);
    dir = fdopendir(fd);
    if (dir == NULL) {
        rc = err_sys(err, ERR_INTERNAL, errno, "read %s", name);
        (void)close(fd);
        return rc;
    }
    while (rc == 0 && (entry = readdir(dir)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            rc = file_remove_tree(fd, entry->d_name, err);
    }
    (void)closedir(dir);
    if (rc == 0 && unlinkat(dirfd, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
        rc = err_sys(err, ERR_INTERNAL, errno, "remove %s", name);
    return rc;
}
