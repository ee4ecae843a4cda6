/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tar_write.c: see tar_write.h.
 *
 * A failure of the output is kept in `failure`, since libarchive's own sentence knows less. Once something has failed,
 * or where the end was never asked for, the callback takes nothing more: so freeing cannot complete a cut off archive.
 */
#include "base/tar_write.h"

#include <archive.h>
#include <archive_entry.h>

#include "base/file.h"
#include "base/mem.h"

/* What goes out at once, where the pieces are small. */
#define BLOCK ((int)64 << 10)

struct tar_writer {
    struct archive *archive;
    struct archive_entry *entry;
    int fd;             /* -1: to buf */
    struct buf *buf;    /* NULL: to fd */
    uint64_t bytes;     /* gone out */
    uint64_t missing;   /* bytes of the file that was begun */
    bool dead;          /* the output takes nothing more */
    struct err failure; /* the output's, or none */
};

static la_ssize_t
output(struct archive *a, void *cookie, const void *data, size_t len)
{
    struct tar_writer *w = cookie;
    int rc;

    if (w->dead)
        return -1;
    rc = w->buf != NULL ? buf_append(w->buf, data, len, &w->failure) : file_write_all(w->fd, data, len, &w->failure);
    if (rc == 0) {
        w->bytes += len;
        return (la_ssize_t)len;
    }
    w->dead = true;
    archive_set_error(a, w->failure.sys, "%s", w->failure.msg);
    return -1;
}

/* Always -1. */
static int
fail(struct tar_writer *w, const char *what, struct err *err)
{
    w->dead = true;
    if (w->failure.code != ERR_NONE) {
        *err = w->failure;
        return err_wrap(err, "writing the tar");
    }
    return err_set(err, ERR_INTERNAL, "writing the tar: libarchive could not %s: %s", what,
                   archive_error_string(w->archive) != NULL ? archive_error_string(w->archive) : "no reason was given");
}

static struct tar_writer *
writer_new(int fd, struct buf *buf, struct err *err)
{
    struct tar_writer *w = mem_new(sizeof(*w));

    w->fd = fd;
    w->buf = buf;
    w->archive = archive_write_new();
    w->entry = archive_entry_new();
    REQUIRE(w->archive != NULL && w->entry != NULL);
    /* No padding behind the end blocks: the archive is the same wherever it is written to. */
    if (archive_write_set_format_pax(w->archive) != ARCHIVE_OK ||
        archive_write_set_bytes_per_block(w->archive, BLOCK) != ARCHIVE_OK ||
        archive_write_set_bytes_in_last_block(w->archive, 1) != ARCHIVE_OK ||
        archive_write_open(w->archive, w, NULL, output, NULL) != ARCHIVE_OK) {
        (void)fail(w, "begin", err);
        tar_writer_free(w);
        return NULL;
    }
    return w;
}

struct tar_writer *
tar_writer_to_fd(int fd, struct err *err)
{
    return writer_new(fd, NULL, err);
}

struct tar_writer *
tar_writer_to_buf(struct buf *b, struct err *err)
{
    return writer_new(-1, b, err);
}

static int
check_complete(const struct tar_writer *w, struct err *err)
{
    if (w->missing == 0)
        return 0;
    return err_set(err, ERR_INTERNAL, "writing the tar: %s lacks %llu of its bytes", archive_entry_pathname(w->entry),
                   (unsigned long long)w->missing);
}

int
tar_writer_file(struct tar_writer *w, const char *name, uint64_t size, int64_t mtime_ms, struct err *err)
{
    int64_t ms = mtime_ms % 1000;
    int rc;

    if (check_complete(w, err) < 0)
        return -1;
    if (ms < 0)
        ms += 1000;
    archive_entry_clear(w->entry);
    archive_entry_set_pathname(w->entry, name);
    archive_entry_set_filetype(w->entry, AE_IFREG);
    archive_entry_set_perm(w->entry, 0644);
    archive_entry_set_uid(w->entry, 0);
    archive_entry_set_gid(w->entry, 0);
    archive_entry_set_size(w->entry, (la_int64_t)size);
    archive_entry_set_mtime(w->entry, (time_t)((mtime_ms - ms) / 1000), (long)ms * 1000000L);
    rc = archive_write_header(w->archive, w->entry);
    /* A warning: a name that is not of the locale's characters, written byte for byte. */
    if (rc != ARCHIVE_OK && rc != ARCHIVE_WARN)
        return fail(w, "begin a file", err);
    w->missing = size;
    return 0;
}

int
tar_writer_data(struct tar_writer *w, const void *data, size_t len, struct err *err)
{
    const char *at = data;

    if (len > w->missing)
        return err_set(err, ERR_INTERNAL, "writing the tar: %s has more bytes than were announced",
                       archive_entry_pathname(w->entry));
    while (len > 0) {
        la_ssize_t n = archive_write_data(w->archive, at, len);

        if (n <= 0)
            return fail(w, "write", err);
        at += n;
        len -= (size_t)n;
        w->missing -= (uint64_t)n;
    }
    return 0;
}

int
tar_writer_finish(struct tar_writer *w, struct err *err)
{
    if (check_complete(w, err) < 0)
        return -1;
    if (w->dead || archive_write_close(w->archive) != ARCHIVE_OK)
        return fail(w, "end the archive", err);
    return 0;
}

uint64_t
tar_writer_bytes(const struct tar_writer *w)
{
    return w->bytes;
}

void
tar_writer_free(struct tar_writer *w)
{
    if (w == NULL)
        return;
    w->dead = true;
    (void)archive_write_free(w->archive);
    archive_entry_free(w->entry);
    free(w);
}
