/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file.h: files that are there whole or not at all.
 *
 * Paths are relative to DIRFD (AT_FDCWD for the working directory). Failures are ERR_INTERNAL with errno in err->sys,
 * or ERR_NO_SPACE; where another code is meant, the function says so. All thread-safe.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/err.h"

/* Write all of DATA at the file's position. Down a pipe it ends early with ERR_INTERRUPTED, where its reader is gone,
 * or where a signal (base/sig.h) comes while the reader stalls; a regular file gets all of it whatever the signals. */
int file_write_all(int fd, const void *data, size_t len, struct err *err) MUST_CHECK;

/* Write all of DATA at OFFSET, whatever the position; several threads may do so in one file. */
int file_write_at(int fd, const void *data, size_t len, uint64_t offset, struct err *err) MUST_CHECK;

/* Read LEN bytes from OFFSET; *GOT is fewer only where the file ends. */
int file_read_at(int fd, void *data, size_t len, uint64_t offset, size_t *got, struct err *err) MUST_CHECK;

/* The whole of a small file: *DATA (NUL-terminated, caller frees) and *LEN. ERR_NOT_FOUND when there is none,
 * ERR_NO_SPACE when it is larger than CAP bytes. */
int file_read_all(int dirfd, const char *path, size_t cap, char **data, size_t *len, struct err *err) MUST_CHECK;

/* Write NAME in the directory DIRFD: a temporary file, fsync, rename over NAME, fsync of the directory. After a crash
 * NAME holds the old content or the new. The temporary name is PREFIX + random digits; a leftover of a crash is
 * harmless. */
int file_write_atomic(int dirfd, const char *name, const char *prefix, const void *data, size_t len, mode_t mode,
                      struct err *err) MUST_CHECK;

/* A new file with a name of PREFIX + random hex digits, open for writing; the name goes to NAME (at least
 * strlen(PREFIX) + 17 bytes). Returns the descriptor, or -1. */
int file_open_temp(int dirfd, const char *prefix, mode_t mode, char *name, size_t name_size,
                   struct err *err) MUST_CHECK;

/* The same with DATA in it, synced and closed: what only a rename has to bring in. NAME as above; no file is left
 * behind after a failure. */
int file_write_temp(int dirfd, const char *prefix, const void *data, size_t len, mode_t mode, char *name,
                    size_t name_size, struct err *err) MUST_CHECK;

/* fsync of the directory DIRFD itself, so that the names in it last. */
int file_sync_dir(int dirfd, struct err *err) MUST_CHECK;

/* How hard file_rename_in() may try. */
enum file_rename_rule {
    /* Only ways in which the kernel itself refuses to overwrite: renameat2(RENAME_NOREPLACE), then link and unlink.
     * ERR_UNSUPPORTED where the file system has neither. */
    FILE_RENAME_ATOMIC,
    /* The caller holds a lock that keeps every other writer away: where neither exists, look and then rename. */
    FILE_RENAME_LOCKED,
};

/*
 * Bring FROM in under the name TO, which must not exist: the one rename that makes a restored layout, or a create-only
 * object, appear. ERR_EXISTS when TO is there (a non-empty folder, where FROM is a folder), and nothing has changed.
 *
 * A folder enters by rename(2), which itself replaces an empty folder and refuses a full one. A file enters by
 * renameat2(RENAME_NOREPLACE); on EINVAL, ENOSYS and EOPNOTSUPP (NFS, some FUSE and older file systems) by linkat and
 * unlinkat; where links fail too, RULE decides. Neither directory is fsynced here,
 * but for TO_DIR between link and unlink, where it is not FROM_DIR.
 */
int file_rename_in(int from_dir, const char *from, int to_dir, const char *to, enum file_rename_rule rule,
                   struct err *err) MUST_CHECK;

/* mkdir -p: makes PATH and what is missing above it with MODE, each new name fsynced into its parent. */
int file_make_dirs(int dirfd, const char *path, mode_t mode, struct err *err) MUST_CHECK;

/* rm -r: removes NAME and all below it without following links; fine when it does not exist. */
int file_remove_tree(int dirfd, const char *name, struct err *err) MUST_CHECK;

#endif
