/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tar_extract.c: see tar_extract.h. tar_read.h takes nothing but plain files with plain names, and the folder is empty:
 * libarchive's own flags say the same once more, so that one mistake is not enough.
 */
#include "base/tar_extract.h"

#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/tar_read.h"

#define PIECE ((size_t)64 << 10)

/* No time, owner or mode of the archive's is taken over: those flags are left out. */
#define FLAGS                                                                                                          \
    (ARCHIVE_EXTRACT_SECURE_SYMLINKS | ARCHIVE_EXTRACT_SECURE_NODOTDOT | ARCHIVE_EXTRACT_SECURE_NOABSOLUTEPATHS |      \
     ARCHIVE_EXTRACT_NO_OVERWRITE)

/* Look at all of it, down to the last byte. */
static int
look_through(const void *data, size_t len, struct err *err)
{
    struct tar_reader *r = tar_reader_from_memory(data, len, err);
    char *piece = mem_new(PIECE);
    struct tar_entry entry;
    bool end = false;
    int rc = r != NULL ? 0 : -1;

    while (rc == 0 && !end) {
        size_t got = PIECE;

        rc = tar_reader_next(r, &entry, &end, err);
        while (rc == 0 && !end && got == PIECE)
            rc = tar_reader_data(r, piece, PIECE, &got, err);
    }
    tar_reader_free(r);
    free(piece);
    return rc;
}

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

/* Make or open the empty folder; its descriptor. */
static int
open_folder(const char *dir, bool *made, struct err *err)
{
    int fd;

    *made = mkdir(dir, 0700) == 0;
    if (!*made && errno != EEXIST)
        return err_sys(err, ERR_USAGE, errno, "the folder %s could not be made", dir);
    fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return err_sys(err, errno == ENOTDIR ? ERR_REFUSED : ERR_USAGE, errno, "the folder %s could not be opened",
                       dir);
    if (for_each_name(fd, dir, refuse_name, err) < 0) {
        (void)err_wrap(err, "the folder %s", dir);
        (void)close(fd);
        return -1;
    }
    return fd;
}

/* ---- the files --------------------------------------------------------------------------------------------------- */

static int
fail(struct archive *disk, const char *name, struct err *err)
{
    return err_sys(err, ERR_INTERNAL, archive_errno(disk), "the file %s could not be written", name);
}

static int
extract_one(struct tar_reader *r, const struct tar_entry *entry, struct archive *disk, char *piece, struct err *err)
{
    struct archive_entry *e = archive_entry_new();
    size_t got = PIECE;
    int rc;

    REQUIRE(e != NULL);
    archive_entry_set_pathname(e, entry->name);
    archive_entry_set_filetype(e, AE_IFREG);
    archive_entry_set_perm(e, 0600);
    archive_entry_set_size(e, (la_int64_t)entry->size);
    rc = archive_write_header(disk, e) == ARCHIVE_OK ? 0 : fail(disk, entry->name, err);
    while (rc == 0 && got == PIECE) {
        rc = tar_reader_data(r, piece, PIECE, &got, err);
        if (rc == 0 && got > 0 && archive_write_data(disk, piece, got) != (la_ssize_t)got)
            rc = fail(disk, entry->name, err);
    }
    if (rc == 0 && archive_write_finish_entry(disk) != ARCHIVE_OK)
        rc = fail(disk, entry->name, err);
    archive_entry_free(e);
    return rc;
}

/* All files into the working folder. */
static int
extract_here(const void *data, size_t len, uint64_t *files, struct err *err)
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
            rc = extract_one(r, &entry, disk, piece, err);
        if (rc == 0 && !end)
            (*files)++;
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
extract_into(int fd, const void *data, size_t len, uint64_t *files, struct err *err)
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
        rc = extract_here(data, len, files, err);
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
    bool made = false;
    struct err unused = ERR_INIT;
    int fd, rc;

    *files = 0;
    if (look_through(data, len, err) < 0)
        return -1;
    fd = open_folder(dir, &made, err);
    if (fd < 0)
        return -1;
    rc = extract_into(fd, data, len, files, err);
    if (rc < 0) {
        (void)err_wrap(err, "extracting into %s", dir);
        (void)!for_each_name(fd, dir, file_remove_tree, &unused);
        if (made)
            (void)rmdir(dir);
    }
    (void)close(fd);
    return rc;
}
