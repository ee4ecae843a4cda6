/* SPDX-License-Identifier: Apache-2.0 */
/* tar_write.h: a pax tar of regular files, written as a stream (libarchive's). One thread a writer. */
#ifndef BASE_TAR_WRITE_H
#define BASE_TAR_WRITE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct tar_writer;

/* Write to the descriptor FD, which stays the caller's; a pipe will do. NULL with ERR_INTERNAL. */
struct tar_writer *tar_writer_to_fd(int fd, struct err *err) MUST_CHECK;
/* Append to B; ERR_NO_SPACE at its ceiling. */
struct tar_writer *tar_writer_to_buf(struct buf *b, struct err *err) MUST_CHECK;

/* Begin the file NAME of SIZE bytes, mode 0644, owner 0:0; what was begun before must be complete. Time in ms. */
int tar_writer_file(struct tar_writer *w, const char *name, uint64_t size, int64_t mtime_ms,
                    struct err *err) MUST_CHECK;
/* The next bytes of it. */
int tar_writer_data(struct tar_writer *w, const void *data, size_t len, struct err *err) MUST_CHECK;
/* The end of the archive: must be called for it to be whole. */
int tar_writer_finish(struct tar_writer *w, struct err *err) MUST_CHECK;
/* How many bytes have gone out. */
uint64_t tar_writer_bytes(const struct tar_writer *w);
void tar_writer_free(struct tar_writer *w); /* NULL is fine; without finish the archive is cut off */

#endif
