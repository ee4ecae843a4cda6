/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tar_read.c: see tar_read.h. libarchive takes the headers apart; what they say is judged here, warnings of its
 * (a name that is not of the locale's characters) included, since nothing that was not judged here is passed on.
 */
#include "base/tar_read.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/sig.h"
#include "base/tar_names.h"

#define CHUNK         ((size_t)128 << 10)
#define FILE_SIZE_MAX (UINT64_C(1) << 62) /* no file is larger, whatever a header says */
/* What may stand behind the end, as padding, and is read so that who writes into a pipe is not cut off. */
#define PADDING_MAX ((size_t)1 << 20)
/* How many bytes the two blocks of zeros take that end an archive. */
#define END_BYTES 1024
#define YEAR_9999 INT64_C(253402300799)

struct tar_reader {
    struct archive *archive;
    struct tar_names *names;
    int fd;             /* -1: of memory */
    bool positioned;    /* by pread() */
    const void *memory; /* not yet given */
    size_t memory_len;
    uint64_t base, at, end; /* positioned: where the reading began, goes on, and the file ended */
    char *chunk;
    unsigned char magic[6]; /* the first bytes of all */
    bool begun, opened;
    struct err failure; /* of the input, or none */
    char name[TAR_NAME_MAX + 1];
    uint64_t entries;
    uint64_t size, taken; /* of the entry: its bytes, and those taken from libarchive */
    const char *block;    /* taken from it and not yet handed out */
    size_t block_len;
};

/* ---- input ------------------------------------------------------------------------------------------------------- */

static int
read_stream(struct tar_reader *r, size_t *got)
{
    *got = 0;
    while (*got < CHUNK) {
        ssize_t n = read(r->fd, r->chunk + *got, CHUNK - *got);

        if (n == 0)
            break;
        if (n < 0 && errno == EINTR && sig_check(&r->failure) < 0)
            return -1;
        if (n < 0 && errno != EINTR)
            return err_sys(&r->failure, ERR_INTERNAL, errno, "the tar could not be read");
        if (n > 0)
            *got += (size_t)n;
    }
    return 0;
}

static la_ssize_t
input(struct archive *a, void *cookie, const void **data)
{
    struct tar_reader *r = cookie;
    size_t got = 0;

    *data = r->chunk;
    if (r->fd < 0) {
        *data = r->memory;
        got = r->memory_len;
        r->memory_len = 0;
    } else if ((r->positioned ? file_read_at(r->fd, r->chunk, CHUNK, r->at, &got, &r->failure) : read_stream(r, &got)) <
               0) {
        archive_set_error(a, r->failure.sys, "%s", r->failure.msg);
        return -1;
    }
    r->at += got;
    if (!r->begun && got > 0)
        memcpy(r->magic, *data, got < sizeof(r->magic) ? got : sizeof(r->magic));
    r->begun = true;
    return (la_ssize_t)got;
}

/* What the file does not have is not skipped but read, so that its end is met. */
static la_int64_t
skip(struct archive *a, void *cookie, la_int64_t len)
{
    struct tar_reader *r = cookie;

    (void)a;
    if (r->at > r->end || (uint64_t)len > r->end - r->at)
        return 0;
    r->at += (uint64_t)len;
    return len;
}

static struct tar_reader *
reader_new(int fd)
{
    struct tar_reader *r = mem_new(sizeof(*r));

    r->fd = fd;
    r->names = tar_names_new();
    r->archive = archive_read_new();
    REQUIRE(r->archive != NULL);
    if (fd >= 0)
        r->chunk = mem_new(CHUNK);
    return r;
}

struct tar_reader *
tar_reader_from_fd(int fd, struct err *err)
{
    (void)err;
    return reader_new(fd);
}

struct tar_reader *
tar_reader_from_memory(const void *data, size_t len, struct err *err)
{
    struct tar_reader *r = reader_new(-1);

    (void)err;
    r->memory = data;
    r->memory_len = len;
    return r;
}

struct tar_reader *
tar_reader_at(int fd, uint64_t position, struct err *err)
{
    struct tar_reader *r;
    struct stat st;

    if (fstat(fd, &st) < 0) {
        (void)err_sys(err, ERR_INTERNAL, errno, "the tar could not be read");
        return NULL;
    }
    r = reader_new(fd);
    r->positioned = true;
    r->base = r->at = position;
    r->end = st.st_size > 0 ? (uint64_t)st.st_size : 0;
    return r;
}

void
tar_reader_free(struct tar_reader *r)
{
    if (r == NULL)
        return;
    (void)archive_read_free(r->archive);
    tar_names_free(r->names);
    free(r->chunk);
    free(r);
}

/* ---- what may not be --------------------------------------------------------------------------------------------- */

/* The program that undoes what the first bytes tell of; NULL: none that we know. */
static const char *
decompressor(const struct tar_reader *r)
{
    static const struct {
        const char *program;
        unsigned char magic[6];
        size_t len;
    } known[] = {{"gzip -d", {0x1f, 0x8b}, 2},
                 {"zstd -d", {0x28, 0xb5, 0x2f, 0xfd}, 4},
                 {"xz -d", {0xfd, '7', 'z', 'X', 'Z', 0}, 6},
                 {"bzip2 -d", {'B', 'Z', 'h'}, 3},
                 {"lz4 -d", {0x04, 0x22, 0x4d, 0x18}, 4}};

    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (memcmp(r->magic, known[i].magic, known[i].len) == 0)
            return known[i].program;
    }
    return NULL;
}

/* What libarchive could not take apart. Always -1. */
static int
fail(const struct tar_reader *r, struct err *err)
{
    const char *why = archive_error_string(r->archive);
    const char *program = decompressor(r);

    if (r->failure.code != ERR_NONE) {
        *err = r->failure;
        return -1;
    }
    if (r->entries == 0 && program != NULL)
        return err_set(err, ERR_CORRUPT, "it is compressed: decompress it first, as with %s", program);
    if (r->entries == 0)
        return err_set(err, ERR_CORRUPT, "it is no tar, or its first header is damaged (%s)",
                       why != NULL ? why : "no reason was given");
    return err_set(err, ERR_CORRUPT, "the tar is damaged or cut off behind its entry number %llu (%s)",
                   (unsigned long long)r->entries, why != NULL ? why : "no reason was given");
}

/* NAME as it may be shown: without what a terminal would act on, and not too long. */
static const char *
show(const char *name, char out[128])
{
    size_t len = strnlen(name, 127);

    for (size_t i = 0; i < len; i++)
        out[i] = (unsigned char)name[i] < 0x20 || name[i] == 0x7f ? '?' : name[i];
    out[len] = '\0';
    if (name[len] != '\0')
        memcpy(out + 124, "...", 4);
    return out;
}

/* What is wrong with NAME; NULL: nothing. */
static const char *
name_fault(const char *name)
{
    if (*name == '\0')
        return "has no name";
    if (strlen(name) > TAR_NAME_MAX)
        return "has too long a name";
    if (*name == '/')
        return "has an absolute name";
    for (const char *p = name; *p != '\0'; p++) {
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            return "has a control character in its name";
    }
    for (const char *part = name; part != NULL; part = strchr(part, '/')) {
        size_t len;

        part += part != name;
        len = strcspn(part, "/");
        if (len == 0)
            return "has an empty part in its name";
        if ((len == 1 && *part == '.') || (len == 2 && part[0] == '.' && part[1] == '.'))
            return "has a part \".\" or \"..\" in its name";
    }
    return NULL;
}

/* What is wrong with the entry beside its name; NULL: nothing. */
static const char *
kind_fault(struct archive_entry *e)
{
    la_int64_t size = archive_entry_size_is_set(e) ? archive_entry_size(e) : -1;

    if (archive_entry_hardlink(e) != NULL)
        return "is a hard link";
    if (archive_entry_symlink(e) != NULL || archive_entry_filetype(e) == AE_IFLNK)
        return "is a symbolic link";
    if (archive_entry_filetype(e) == AE_IFDIR)
        return NULL;
    if (archive_entry_filetype(e) != AE_IFREG)
        return "is a device, a pipe, or of no known kind";
    if (archive_entry_sparse_count(e) > 0)
        return "is a sparse file";
    if (size < 0 || (uint64_t)size > FILE_SIZE_MAX)
        return "has a size that cannot be";
    return NULL;
}

/* Judge the entry and copy its name, that of a folder without the slash behind it. */
static int
take_name(struct tar_reader *r, struct archive_entry *e, struct err *err)
{
    const char *raw = archive_entry_pathname(e);
    bool is_folder = archive_entry_filetype(e) == AE_IFDIR;
    char *name = mem_strdup(raw != NULL ? raw : "");
    size_t len = strlen(name);
    char shown[128];
    const char *fault;

    if (is_folder && len > 1 && name[len - 1] == '/')
        name[len - 1] = '\0';
    fault = name_fault(name);
    if (fault == NULL)
        fault = kind_fault(e);
    if (fault != NULL)
        (void)err_set(err, ERR_CORRUPT, "its entry \"%s\" %s: only plain files are taken, with plain names",
                      show(name, shown), fault);
    else
        memcpy(r->name, name, strlen(name) + 1);
    free(name);
    return fault == NULL ? 0 : -1;
}

/* ---- entries ----------------------------------------------------------------------------------------------------- */

/* The end was met: was it the real one? Passes over the padding behind it. */
static int
check_end(struct tar_reader *r, struct err *err)
{
    la_int64_t end_bytes = archive_filter_bytes(r->archive, 0) - archive_read_header_position(r->archive);

    if (end_bytes != END_BYTES)
        return err_set(err, ERR_CORRUPT,
                       "the tar is cut off behind its entry number %llu: the blocks that end it are "
                       "missing",
                       (unsigned long long)r->entries);
    for (size_t passed = 0, got = 1; r->fd >= 0 && !r->positioned && got > 0 && passed < PADDING_MAX; passed += got) {
        if (read_stream(r, &got) < 0) {
            *err = r->failure;
            return -1;
        }
    }
    return 0;
}

static int64_t
mtime_of(struct archive_entry *e)
{
    int64_t seconds = (int64_t)archive_entry_mtime(e);

    if (seconds < 0)
        return 0;
    if (seconds > YEAR_9999)
        return YEAR_9999 * 1000;
    return seconds * 1000 + archive_entry_mtime_nsec(e) / 1000000;
}

static int
remember(struct tar_reader *r, struct err *err)
{
    char shown[128];

    switch (tar_names_add(r->names, r->name)) {
    case TAR_NAMES_ADDED:
        return 0;
    case TAR_NAMES_TWICE:
        return err_set(err, ERR_CORRUPT, "its entry \"%s\" occurs twice", show(r->name, shown));
    case TAR_NAMES_CLASH:
        return err_set(err, ERR_CORRUPT, "its entry \"%s\" is a file and a folder", show(r->name, shown));
    case TAR_NAMES_FULL:
        break;
    }
    return err_set(err, ERR_UNSUPPORTED, "the tar has more files and folders than any that remora writes (%d)",
                   TAR_ENTRIES_MAX);
}

/* libarchive's opening reads already: so it is left to the first call that may fail for what it reads. */
static int
open_archive(struct tar_reader *r, struct err *err)
{
    if (r->opened)
        return 0;
    r->opened = true;
    if (archive_read_support_format_tar(r->archive) != ARCHIVE_OK ||
        archive_read_open2(r->archive, r, NULL, input, r->positioned ? skip : NULL, NULL) != ARCHIVE_OK)
        return fail(r, err);
    return 0;
}

int
tar_reader_next(struct tar_reader *r, struct tar_entry *entry, bool *end, struct err *err)
{
    *end = false;
    r->block_len = 0;
    if (open_archive(r, err) < 0)
        return -1;
    for (;;) {
        struct archive_entry *e = NULL;
        int rc = archive_read_next_header(r->archive, &e);

        if (rc == ARCHIVE_EOF) {
            *end = true;
            return check_end(r, err);
        }
        if (rc != ARCHIVE_OK && rc != ARCHIVE_WARN)
            return fail(r, err);
        if (++r->entries > TAR_ENTRIES_MAX)
            return err_set(err, ERR_UNSUPPORTED, "the tar has more than %d entries", TAR_ENTRIES_MAX);
        if (take_name(r, e, err) < 0)
            return -1;
        if (archive_entry_filetype(e) == AE_IFDIR)
            continue;
        if (remember(r, err) < 0)
            return -1;
        r->size = (uint64_t)archive_entry_size(e);
        r->taken = 0;
        *entry = (struct tar_entry){
            .name = r->name,
            .size = r->size,
            .mtime_ms = mtime_of(e),
            .position = r->base + (uint64_t)archive_read_header_position(r->archive),
        };
        return 0;
    }
}

/* The next bytes from libarchive; *END where there are no more. A hole, or an end in the wrong place, is a fault. */
static int
next_block(struct tar_reader *r, bool *end, struct err *err)
{
    const void *data = NULL;
    la_int64_t offset = 0;
    size_t len = 0;
    char shown[128];
    int rc = archive_read_data_block(r->archive, &data, &len, &offset);

    *end = rc == ARCHIVE_EOF;
    if (rc != ARCHIVE_OK && rc != ARCHIVE_EOF)
        return fail(r, err);
    if (*end ? r->taken != r->size : (uint64_t)offset != r->taken || len > r->size - r->taken)
        return err_set(err, ERR_CORRUPT, "its entry \"%s\" does not have the bytes that its header tells of",
                       show(r->name, shown));
    if (!*end) {
        r->block = data;
        r->block_len = len;
        r->taken += len;
    }
    return 0;
}

int
tar_reader_data(struct tar_reader *r, void *buf, size_t len, size_t *got, struct err *err)
{
    bool end = false;

    *got = 0;
    while (*got < len && !end) {
        size_t n = len - *got;

        if (r->block_len == 0) {
            if (r->taken == r->size)
                break;
            if (next_block(r, &end, err) < 0)
                return -1;
            continue;
        }
        if (n > r->block_len)
            n = r->block_len;
        memcpy((char *)buf + *got, r->block, n);
        r->block += n;
        r->block_len -= n;
        *got += n;
    }
    return 0;
}

int
tar_read_through(const void *data, size_t len, uint64_t *files, struct err *err)
{
    struct tar_reader *r = tar_reader_from_memory(data, len, err);
    char *piece = mem_new(CHUNK);
    struct tar_entry entry;
    bool end = false;
    int rc = r != NULL ? 0 : -1;

    *files = 0;
    while (rc == 0 && !end) {
        size_t got = CHUNK;

        rc = tar_reader_next(r, &entry, &end, err);
        while (rc == 0 && !end && got == CHUNK)
            rc = tar_reader_data(r, piece, CHUNK, &got, err);
        *files += rc == 0 && !end;
    }
    tar_reader_free(r);
    free(piece);
    return rc;
}
