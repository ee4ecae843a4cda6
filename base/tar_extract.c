/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tar_extract.c: see tar_extract.h. tar_read.h takes nothing but plain files with plain names, and the folder is empty:
 * libarchive's own flags say the same once more, so that one mistake is not enough. The folder is locked, and after a
 * failure only what this run wrote is removed: what somebody else puts there meanwhile stays.
 */
#include "base/tar_extract.h"

#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/tar_read.h"

#define PIECE ((size_t)64 << 10)

/* No time, owner or mode of the archive's is taken over: those flags are left out. */
#define FLAGS                                                                                                          \
    (ARCHIVE_EXTRACT_SECURE_SYMLINKS | ARCHIVE_EXTRACT_SECURE_NODOTDOT | ARCHIVE_EXTRACT_SECURE_NOABSOLUTEPATHS |      \
     ARCHIVE_EXTRACT_NO_OVERWRITE)

/* ---- the folder -------------------------------------------------------------------------------------------------- */

/* Tell each name in the folder FD; the first -1 ends it. */
static int
for_each_name(int fd, const char *dir, int (*fn)(int fd, const char *name, struct err *err), struct err *err)
{
    int own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = own >= 0 ? fdopendir(own) : NULL;
    const struct dirent *e;
    int rc = 0;

    if (d == NULL) {
        rc = err_sys(err, ERR_INTERNAL, errno, "the folder %s could not be read", dir);
        if (own >= 0)
            (void)close(own);
        return rc;
    }
    while (rc == 0 && (e = readdir(d)) != NULL) {
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            rc = fn(fd, e->d_name, err);
    }
    (void)closedir(d);
    return rc;
}

static int
refuse_name(int fd, const char *name, struct err *err)
{
    (void)fd;
    return err_set(err, ERR_REFUSED,
                   "it is not empty (%s is in it), and nothing is ever extracted over files that are there: give a new "
                   "or an empty folder",
                   name);
}

/* Nobody else's, and empty. A file system without locks is let be. */
static int
take_folder(int fd, const char *dir, struct err *err)
{
    if (flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK)
        return err_set(err, ERR_LOCKED, "the folder %s is being written by another run", dir);
    return for_each_name(fd, dir, refuse_name, err) < 0 ? err_wrap(err, "the folder %s", dir) : 0;
}

/* Make or open the empty folder; its descriptor, which holds the lock. */
static int
open_folder(const char *dir, bool *made, struct err *err)
{
    int fd;

    *made = mkdir(dir, 0700) == 0;
    if (!*made && errno != EEXIST)
        return err_sys(err, ERR_USAGE, errno, "the folder %s could not be made", dir);
    fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return err_sys(err, errno == ENOTDIR || errno == ELOOP ? ERR_REFUSED : ERR_USAGE, errno,
                       "the folder %s could not be opened", dir);
    if (take_folder(fd, dir, err) < 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

/* ---- the files --------------------------------------------------------------------------------------------------- */

/* What this run has made, for when it fails. */
struct made {
    char **names; /* of all entries that were begun */
    size_t count, allocated;
    bool last_is_foreign; /* the last one was not made by us, only folders above it */
};

static void
made_add(struct made *m, const char *name)
{
    if (m->count == m->allocated) {
        m->allocated = m->allocated > 0 ? 2 * m->allocated : 16;
        m->names = mem_grow(m->names, m->allocated, sizeof(*m->names));
    }
    m->names[m->count++] = mem_strdup(name);
    m->last_is_foreign = true;
}

static void
made_free(struct made *m)
{
    for (size_t i = 0; i < m->count; i++)
        free(m->names[i]);
    free(m->names);
}

/* Take away our files in the folder FD, and the folders above them that are empty then. */
static void
made_remove(int fd, struct made *m)
{
    for (size_t i = m->count; i > 0; i--) {
        char *name = m->names[i - 1], *slash;

        if (i < m->count || !m->last_is_foreign)
            (void)unlinkat(fd, name, 0);
        while ((slash = strrchr(name, '/')) != NULL) {
            *slash = '\0';
            if (unlinkat(fd, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
                break; /* full: somebody's, or files of ours are to go yet */
        }
    }
}

static int
refuse_foreign(const char *name, struct err *err)
{
    return err_set(err, ERR_REFUSED,
                   "the file %s could not be written: something else of its name came into the folder meanwhile, and "
                   "was let be; give a folder that nobody else writes to",
                   name);
}

static int
fail(struct archive *disk, const char *name, struct err *err)
{
    const int why = archive_errno(disk);

    return why == 0 || why == EEXIST ? refuse_foreign(name, err)
                                     : err_sys(err, ERR_INTERNAL, why, "the file %s could not be written", name);
}

/* Make the file, empty. Where one is there, libarchive (3.6) says that all is well, and only the first byte fails: a
 * look before that, for files without any. */
static int
begin_file(struct archive *disk, struct archive_entry *e, struct made *m, struct err *err)
{
    const char *name = archive_entry_pathname(e);
    struct stat st;

    made_add(m, name);
    if (fstatat(AT_FDCWD, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
        return refuse_foreign(name, err);
    if (archive_write_header(disk, e) != ARCHIVE_OK)
        return fail(disk, name, err);
    m->last_is_foreign = false;
    return 0;
}

static int
write_piece(struct archive *disk, const char *name, const char *piece, size_t len, struct made *m, struct err *err)
{
    if (len == 0 || archive_write_data(disk, piece, len) == (la_ssize_t)len)
        return 0;
    m->last_is_foreign = archive_errno(disk) == 0 || archive_errno(disk) == EEXIST;
    return fail(disk, name, err);
}

static int
extract_one(struct tar_reader *r, const struct tar_entry *entry, struct archive *disk, char *piece, struct made *m,
            struct err *err)
{
    struct archive_entry *e = archive_entry_new();
    size_t got = PIECE;
    int rc;

    REQUIRE(e != NULL);
    archive_entry_set_pathname(e, entry->name);
    archive_entry_set_filetype(e, AE_IFREG);
    archive_entry_set_perm(e, 0600);
    archive_entry_set_size(e, (la_int64_t)entry->size);
    rc = begin_file(disk, e, m, err);
    while (rc == 0 && got == PIECE) {
        rc = tar_reader_data(r, piece, PIECE, &got, err);
        if (rc == 0)
            rc = write_piece(disk, entry->name, piece, got, m, err);
    }
    if (rc == 0 && archive_write_finish_entry(disk) != ARCHIVE_OK)
        rc = fail(disk, entry->name, err);
    archive_entry_free(e);
    return rc;
}

/* All files into the working folder. */
static int
extract_here(const void *data, size_t len, struct made *m, struct err *err)
{
    struct tar_reader *r = tar_reader_from_memory(data, len, err);
    struct archive *disk = archive_write_disk_new();
    char *piece = mem_new(PIECE);
    struct tar_entry entry;
    bool end = false;
    int rc = r != NULL ? 0 : -1;

    REQUIRE(disk != NULL);
    (void)archive_write_disk_set_options(disk, FLAGS);
    while (rc == 0 && !end) {
        rc = tar_reader_next(r, &entry, &end, err);
        if (rc == 0 && !end)
            rc = extract_one(r, &entry, disk, piece, m, err);
    }
    if (rc == 0 && archive_write_close(disk) != ARCHIVE_OK)
        rc = fail(disk, "that came last", err);
    (void)archive_write_free(disk);
    free(piece);
    tar_reader_free(r);
    return rc;
}

/* With the folder FD as the working folder, and folders that nobody else can enter. */
static int
extract_into(int fd, const void *data, size_t len, struct made *m, struct err *err)
{
    int back = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    mode_t mask;
    int rc;

    if (back < 0)
        return err_sys(err, ERR_INTERNAL, errno, "the working folder could not be opened");
    if (fchdir(fd) < 0) {
        rc = err_sys(err, ERR_INTERNAL, errno, "it could not be entered");
    } else {
        mask = umask(077); /* libarchive asks for it when a writer is made */
        rc = extract_here(data, len, m, err);
        (void)umask(mask);
        if (fchdir(back) < 0 && rc == 0)
            rc = err_sys(err, ERR_INTERNAL, errno, "the working folder could not be entered again");
    }
    (void)close(back);
    if (rc == 0 && syncfs(fd) < 0)
        rc = err_sys(err, ERR_INTERNAL, errno, "it could not be synced");
    return rc;
}

int
tar_extract(const void *data, size_t len, const char *dir, uint64_t *files, struct err *err)
{
    struct made m = {0};
    bool made = false;
    int fd, rc;

    if (tar_read_through(data, len, files, err) < 0)
        return -1;
    *files = 0;
    fd = open_folder(dir, &made, err);
    if (fd < 0)
        return -1;
    rc = extract_into(fd, data, len, &m, err);
    if (rc < 0) {
        (void)err_wrap(err, "extracting into %s", dir);
        made_remove(fd, &m);
        if (made)
            (void)rmdir(dir); /* one that is not empty stays */
    } else {
        *files = m.count;
    }
    made_free(&m);
    (void)close(fd);
    return rc;
}
