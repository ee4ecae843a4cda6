/* SPDX-License-Identifier: Apache-2.0 */
/* dump_file.c: see dump_file.h. */
#include "snapshot/redis/dump_file.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/sig.h"
#include "base/units.h"

/* The folder of PATH; the caller frees it. */
static char *
folder_of(const char *path)
{
    char *copy = mem_strdup(path);
    char *folder = mem_strdup(dirname(copy));

    free(copy);
    return folder;
}

static void
stamp_set(struct dump_stamp *out, const struct stat *st)
{
    out->exists = true;
    out->dev = st->st_dev;
    out->ino = st->st_ino;
    out->size = (uint64_t)st->st_size;
    out->mtime = st->st_mtim;
}

/* Say why FILE cannot be opened: its owner and mode beside who we are, which is what has to be made to fit. */
static int
fail_open(const char *path, int errnum, struct err *err)
{
    struct stat st;

    if (errnum != EACCES && errnum != EPERM)
        return err_sys(err, ERR_USAGE, errnum, "open %s", path);
    if (stat(path, &st) < 0)
        return err_sys(err, ERR_USAGE, errnum,
                       "open %s as uid %u, gid %u: run with the server's uid (runAsUser) and fsGroup", path, geteuid(),
                       getegid());
    return err_sys(err, ERR_USAGE, errnum,
                   "open %s, which belongs to %u:%u with mode %04o, as uid %u, gid %u: run with the server's uid "
                   "(runAsUser) and fsGroup",
                   path, st.st_uid, st.st_gid, st.st_mode & 07777, geteuid(), getegid());
}

/* ---- before the save -------------------------------------------------------------------------------------------- */

int
dump_stamp_take(const char *path, struct dump_stamp *out, struct err *err)
{
    struct stat st;
    char *folder;
    int rc = 0;

    memset(out, 0, sizeof(*out));
    if (stat(path, &st) == 0) {
        stamp_set(out, &st);
        return 0;
    }
    if (errno != ENOENT && errno != ENOTDIR)
        return fail_open(path, errno, err);
    folder = folder_of(path);
    if (stat(folder, &st) < 0)
        rc = err_sys(err, ERR_USAGE, errno, "the data folder %s cannot be used", folder);
    else if (!S_ISDIR(st.st_mode))
        rc = err_set(err, ERR_USAGE, "the data folder %s is not a folder", folder);
    free(folder);
    return rc;
}

bool
dump_stamp_equal(const struct dump_stamp *a, const struct dump_stamp *b)
{
    return a->exists == b->exists && a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
           a->mtime.tv_sec == b->mtime.tv_sec && a->mtime.tv_nsec == b->mtime.tv_nsec;
}

int
dump_check_readable(const char *path, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0)
        return errno == ENOENT ? 0 : fail_open(path, errno, err);
    (void)close(fd);
    return 0;
}

int
dump_measure_room(const char *path, const struct dump_stamp *last, uint64_t used_memory, struct dump_room *out,
                  struct err *err)
{
    char *folder = folder_of(path);
    struct statvfs fs;
    int rc = 0;

    if (statvfs(folder, &fs) < 0) {
        rc = err_sys(err, ERR_USAGE, errno, "measure the free space of %s", folder);
    } else {
        out->needed = last->exists ? last->size + last->size / 5 : used_memory;
        out->free = (uint64_t)fs.f_bavail * fs.f_frsize;
    }
    free(folder);
    return rc;
}

bool
dump_is_space_short(const char *path, const struct dump_stamp *last, uint64_t used_memory)
{
    struct err ignored = ERR_INIT;
    struct dump_room room = {0};

    return dump_measure_room(path, last, used_memory, &room, &ignored) == 0 && room.free < room.needed;
}

const char *
dump_room_text(const struct dump_room *room, const struct dump_stamp *last, char *out, size_t size)
{
    char needed[UNITS_TEXT_MAX], available[UNITS_TEXT_MAX];

    (void)snprintf(out, size, "%s free and a save needs %s (%s)", units_format_size(room->free, available),
                   units_format_size(room->needed, needed),
                   last->exists ? "1.2 times the last dump" : "the server's used memory, as there is no dump yet");
    return out;
}

int
dump_check_space(const char *path, const struct dump_stamp *last, uint64_t used_memory, struct err *err)
{
    char figures[160], leftovers[256], remark[320] = "";
    struct dump_room room = {0};

    if (dump_measure_room(path, last, used_memory, &room, err) < 0)
        return -1;
    if (room.free >= room.needed)
        return 0;
    if (dump_list_leftovers(path, leftovers, sizeof(leftovers)) > 0)
        (void)snprintf(remark, sizeof(remark), " (killed saves left behind %s)", leftovers);
    return err_set(
        err, ERR_NO_SPACE,
        "the volume of %s has %s: BGSAVE was not asked for, since a save that fails makes the server refuse writes "
        "(-MISCONF, stop-writes-on-bgsave-error): enlarge the volume or free space on it%s",
        path, dump_room_text(&room, last, figures, sizeof(figures)), remark);
}

/* temp-<pid>.rdb, or temp-<time>.<pid>.rdb of a replica's synchronization. */
static bool
is_leftover(const char *name)
{
    if (strncmp(name, "temp-", 5) != 0 || !isdigit((unsigned char)name[5]))
        return false;
    name += 5 + strspn(name + 5, "0123456789.");
    return strcmp(name, "rdb") == 0;
}

size_t
dump_list_leftovers(const char *path, char *out, size_t size)
{
    char *folder = folder_of(path);
    DIR *dir = opendir(folder);
    size_t count = 0, at = 0;

    out[0] = '\0';
    free(folder);
    if (dir == NULL)
        return 0;
    for (const struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
        if (!is_leftover(e->d_name))
            continue;
        if (at + 2 + strlen(e->d_name) < size)
            at += (size_t)snprintf(out + at, size - at, "%s%s", at > 0 ? ", " : "", e->d_name);
        count++;
    }
    (void)closedir(dir);
    return count;
}

/* ---- the bytes -------------------------------------------------------------------------------------------------- */

static bool
are_digits(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (p[i] < '0' || p[i] > '9')
            return false;
    }
    return true;
}

/* REDIS and four digits, or VALKEY and three. */
static int
check_magic(int fd, const char *path, struct err *err)
{
    char magic[9];
    ssize_t n = pread(fd, magic, sizeof(magic), 0);

    if (n < 0)
        return err_sys(err, ERR_INTERNAL, errno, "read %s", path);
    if (n == 0)
        return err_set(err, ERR_CORRUPT, "%s is empty: it is not a dump", path);
    if (n == (ssize_t)sizeof(magic) && ((memcmp(magic, "REDIS", 5) == 0 && are_digits(magic + 5, 4)) ||
                                        (memcmp(magic, "VALKEY", 6) == 0 && are_digits(magic + 6, 3))))
        return 0;
    return err_set(err, ERR_CORRUPT, "%s is not a dump: it starts with neither REDISnnnn nor VALKEYnnn", path);
}

int
dump_open(const char *path, struct dump_file *out, struct err *err)
{
    struct stat st;
    /* O_NONBLOCK: a pipe of that name must not hold us up until someone writes to it. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    memset(out, 0, sizeof(*out));
    out->fd = -1;
    if (fd < 0)
        return fail_open(path, errno, err);
    if (fstat(fd, &st) < 0) {
        (void)err_sys(err, ERR_INTERNAL, errno, "stat %s", path);
        goto fail;
    }
    if (!S_ISREG(st.st_mode)) {
        (void)err_set(err, ERR_USAGE, "%s is not a regular file", path);
        goto fail;
    }
    if (check_magic(fd, path, err) < 0)
        goto fail;
    (void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    stamp_set(&out->stamp, &st);
    out->fd = fd;
    return 0;
fail:
    (void)close(fd);
    return -1;
}

int
dump_read(struct dump_file *f, void *buf, size_t len, size_t *got, struct err *err)
{
    ssize_t n;

    do {
        if (sig_check(err) < 0)
            return -1;
        n = read(f->fd, buf, len);
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        return err_sys(err, ERR_INTERNAL, errno, "read the dump");
    f->bytes_read += (uint64_t)n;
    *got = (size_t)n;
    return 0;
}

int
dump_check_unchanged(const struct dump_file *f, const char *path, struct err *err)
{
    struct dump_stamp now = {0};
    struct stat st;

    if (fstat(f->fd, &st) < 0)
        return err_sys(err, ERR_INTERNAL, errno, "stat %s", path);
    stamp_set(&now, &st);
    if (!dump_stamp_equal(&now, &f->stamp) || f->bytes_read != f->stamp.size)
        return err_set(err, ERR_REFUSED,
                       "%s changed while it was read (%" PRIu64 " bytes when opened, %" PRIu64 " read, %" PRIu64
                       " now): something else than the server writes into it; back up again when it is at rest",
                       path, f->stamp.size, f->bytes_read, now.size);
    return 0;
}

void
dump_close(struct dump_file *f)
{
    if (f->fd >= 0)
        (void)close(f->fd);
    f->fd = -1;
}
