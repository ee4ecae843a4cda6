/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tar_read.h: reads a tar that came from outside: uncompressed, regular files only, and nothing is believed. An entry
 * that is a link, a device or anything else but a file or a folder, whose name is absolute, has a part "." or "..", is
 * longer than TAR_NAME_MAX or holds control characters, or that occurs twice, is ERR_CORRUPT, and the sentence names
 * it. Folders are passed over. One thread a reader.
 */
#ifndef BASE_TAR_READ_H
#define BASE_TAR_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define TAR_NAME_MAX    900
#define TAR_ENTRIES_MAX 200000 /* more is ERR_UNSUPPORTED */

struct tar_reader;

struct tar_entry {
    const char *name; /* valid until the next call */
    uint64_t size;    /* bytes */
    int64_t mtime_ms;
    uint64_t position; /* of its header in the archive: for tar_reader_at() */
};

/* Read from FD, where it stands; a pipe will do. FD stays the caller's. */
struct tar_reader *tar_reader_from_fd(int fd, struct err *err) MUST_CHECK;
/* Read LEN bytes of memory, which must live as long. */
struct tar_reader *tar_reader_from_memory(const void *data, size_t len, struct err *err) MUST_CHECK;
/* Read the file FD by pread() from POSITION on, the header of an entry: the next entry is that one. Several readers may
 * share one descriptor. */
struct tar_reader *tar_reader_at(int fd, uint64_t position, struct err *err) MUST_CHECK;
void tar_reader_free(struct tar_reader *r); /* NULL is fine */

/* The next file; *END at the end of the archive. What was not read of the one before is passed over. ERR_CORRUPT: no
 * tar, cut off, or refused as said above. ERR_INTERNAL: it could not be read. */
int tar_reader_next(struct tar_reader *r, struct tar_entry *entry, bool *end, struct err *err) MUST_CHECK;
/* Up to LEN bytes of its content; *GOT is fewer only at its end. */
int tar_reader_data(struct tar_reader *r, void *buf, size_t len, size_t *got, struct err *err) MUST_CHECK;

/* Read all of the tar of LEN bytes at DATA, down to the last byte of the last file; *FILES is how many. */
int tar_read_through(const void *data, size_t len, uint64_t *files, struct err *err) MUST_CHECK;

#endif
