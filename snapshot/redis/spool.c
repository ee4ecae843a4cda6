/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spool.c: see spool.h. Memory holds the older bytes, the file the newer ones: as long as there is anything in the
 * file, the writer adds to the file. Positions count all bytes ever; a position modulo the size is a place. The bytes
 * between the positions are copied and transferred without the mutex: each position is moved by one side only.
 */
#include "snapshot/redis/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/sig.h"
#include "base/units.h"

#define WAIT_SLICE_MS  200
#define FILE_MIN_BYTES (UINT64_C(1) << 20)
/* A transfer of more keeps the other side waiting for long. */
#define TRANSFER_BYTES ((size_t)256 << 10)
#define TEMP_PREFIX    ".remora-spool-"

/* A circle of bytes: [head, tail) are in it. */
struct ring {
    uint64_t head, tail;
    uint64_t size;
};

struct spool {
    uint8_t *memory;
    int fd;                /* -1: no file */
    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t changed;
    struct ring in_memory;
    struct ring in_file;
    uint64_t file_made; /* so many bytes of the file have a place on the disk */
    bool file_full;     /* the disk was full: no more than file_made from when the file is empty next */
    bool ended, cancelled;
    struct err cause; /* ERR_NONE: a good end */
    struct spool_stats stats;
};

static uint64_t
ring_used(const struct ring *r)
{
    return r->tail - r->head;
}

/* The bytes from POSITION on that lie in one piece, at most LEN. */
static size_t
ring_piece(const struct ring *r, uint64_t position, uint64_t len)
{
    uint64_t to_edge = r->size - position % r->size;

    return (size_t)(len < to_edge ? len : to_edge);
}

/* ---- making it -------------------------------------------------------------------------------------------------- */

/* A file without a name. O_TMPFILE is not everywhere (overlayfs before Linux 6.3, NFS). */
static int
open_unnamed(const char *dir, struct err *err)
{
    char name[sizeof(TEMP_PREFIX) + 17];
    int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600), dirfd, named;

    if (fd >= 0)
        return fd;
    dirfd = open(dir, O_DIRECTORY | O_CLOEXEC);
    if (dirfd < 0)
        return err_sys(err, ERR_USAGE, errno, "--spool-dir %s", dir);
    named = file_open_temp(dirfd, TEMP_PREFIX, 0600, name, sizeof(name), err);
    if (named >= 0) {
        /* That one is for writing only. */
        fd = openat(dirfd, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0)
            (void)err_sys(err, ERR_USAGE, errno, "open a file");
        (void)unlinkat(dirfd, name, 0);
        (void)close(named);
    }
    (void)close(dirfd);
    if (fd < 0) {
        err->code = err->code == ERR_NO_SPACE ? ERR_NO_SPACE : ERR_USAGE;
        (void)err_wrap(err, "--spool-dir %s", dir);
    }
    return fd;
}

static int
open_file(struct spool *s, const char *dir, uint64_t bytes, struct err *err)
{
    char asked[UNITS_TEXT_MAX], has[UNITS_TEXT_MAX];
    struct statvfs fs;
    uint64_t room;

    s->fd = open_unnamed(dir, err);
    if (s->fd < 0)
        return -1;
    if (fstatvfs(s->fd, &fs) < 0)
        return err_sys(err, ERR_INTERNAL, errno, "--spool-dir %s: ask for its free space", dir);
    room = (uint64_t)fs.f_bavail * fs.f_frsize;
    if (room < FILE_MIN_BYTES)
        return err_set(err, ERR_NO_SPACE, "--spool-dir %s: its disk is full (%s free)", dir,
                       units_format_size(room, has));
    if (room < bytes)
        log_warn("the spool's disk has less room than --spool-size; what it has is used", LOG_S("dir", dir),
                 LOG_S("free", units_format_size(room, has)), LOG_S("asked", units_format_size(bytes, asked)));
    s->in_file.size = room < bytes ? room : bytes;
    return 0;
}

struct spool *
spool_new(const char *dir, uint64_t file_bytes, struct err *err)
{
    struct spool *s = mem_new(sizeof(*s));
    pthread_condattr_t attr;

    s->fd = -1;
    s->in_memory.size = SPOOL_MEMORY_BYTES;
    REQUIRE(pthread_mutex_init(&s->mutex, NULL) == 0);
    REQUIRE(pthread_condattr_init(&attr) == 0 && pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0);
    REQUIRE(pthread_cond_init(&s->changed, &attr) == 0);
    (void)pthread_condattr_destroy(&attr);
    s->memory = mem_pages(SPOOL_MEMORY_BYTES, err);
    if (s->memory == NULL || (dir != NULL && file_bytes > 0 && open_file(s, dir, file_bytes, err) < 0)) {
        spool_free(s);
        return NULL;
    }
    return s;
}

void
spool_free(struct spool *s)
{
    if (s == NULL)
        return;
    if (s->fd >= 0)
        (void)close(s->fd);
    mem_pages_free(s->memory, SPOOL_MEMORY_BYTES);
    (void)pthread_cond_destroy(&s->changed);
    (void)pthread_mutex_destroy(&s->mutex);
    free(s);
}

/* ---- waiting ---------------------------------------------------------------------------------------------------- */

/* Wait for a change, not for long: a signal wakes nobody here. The mutex is held. */
static void
wait_change(struct spool *s)
{
    struct timespec until;

    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += WAIT_SLICE_MS * 1000000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_nsec -= 1000000000L;
        until.tv_sec++;
    }
    (void)pthread_cond_timedwait(&s->changed, &s->mutex, &until);
}

/* ---- writing ---------------------------------------------------------------------------------------------------- */

/* Where the next bytes go: the ring, or NULL when there is no room in it now. The mutex is held. */
static struct ring *
choose_ring(struct spool *s)
{
    struct ring *file = &s->in_file, *memory = &s->in_memory;

    if (ring_used(file) == 0) {
        if (s->file_full)
            file->size = s->file_made;
        s->file_full = false;
        file->head = file->tail = 0; /* back to the start: what has a place on the disk is used again */
        if (ring_used(memory) < memory->size)
            return memory;
    }
    return !s->file_full && ring_used(file) < file->size ? file : NULL;
}

/* The ring with room, after waiting for one; NULL with ERR set. The mutex is held. */
static struct ring *
wait_room(struct spool *s, struct err *err)
{
    int64_t since = clock_mono_ms();
    struct ring *r = choose_ring(s);

    while (r == NULL && !s->cancelled) {
        if (sig_check(err) < 0)
            return NULL;
        wait_change(s);
        r = choose_ring(s);
    }
    s->stats.waited_ms += clock_mono_ms() - since;
    if (s->cancelled) {
        (void)err_set(err, ERR_INTERRUPTED, "the reader gave up");
        return NULL;
    }
    return r;
}

/* Up to LEN bytes of DATA to PLACE of the file; the number written, 0 when the disk is full. */
static ssize_t
write_file(const struct spool *s, const uint8_t *data, size_t len, uint64_t place, struct err *err)
{
    ssize_t n;

    do {
        n = pwrite(s->fd, data, len, (off_t)place);
    } while (n < 0 && errno == EINTR);
    if (n < 0 && (errno == ENOSPC || errno == EDQUOT || errno == EFBIG))
        return 0;
    return n < 0 ? err_sys(err, ERR_INTERNAL, errno, "write to the spool's file") : n;
}

/* The disk is full: use what there is of the file. If even that has no place (a file system that never writes in
 * place), do without. The mutex is held. */
static void
limit_file(struct spool *s, uint64_t place)
{
    if (place < s->file_made)
        s->file_made = 0;
    s->file_full = true;
    log_warn("the spool's disk is full; from now on the server waits when the store is slow",
             LOG_U("file_bytes", s->file_made));
}

/* One piece of DATA; *PUT is how much of it. */
static int
write_piece(struct spool *s, const uint8_t *data, size_t len, size_t *put, struct err *err)
{
    struct ring *r;
    uint64_t place = 0;
    size_t piece = 0;
    ssize_t n = -1;

    (void)pthread_mutex_lock(&s->mutex);
    r = wait_room(s, err);
    if (r != NULL) {
        uint64_t room = r->size - ring_used(r);

        place = r->tail % r->size;
        piece = ring_piece(r, r->tail, len < room ? len : room);
    }
    (void)pthread_mutex_unlock(&s->mutex);
    if (r == NULL)
        return -1;
    if (r == &s->in_memory) {
        memcpy(s->memory + place, data, piece);
        n = (ssize_t)piece;
    } else {
        n = write_file(s, data, piece, place, err);
    }
    if (n < 0)
        return -1;
    (void)pthread_mutex_lock(&s->mutex);
    r->tail += (uint64_t)n;
    if (r == &s->in_file && place + (uint64_t)n > s->file_made)
        s->file_made = place + (uint64_t)n;
    if (r == &s->in_file && n == 0)
        limit_file(s, place);
    if (ring_used(&s->in_file) > s->stats.file_peak)
        s->stats.file_peak = ring_used(&s->in_file);
    (void)pthread_cond_broadcast(&s->changed);
    (void)pthread_mutex_unlock(&s->mutex);
    *put = (size_t)n;
    return 0;
}

int
spool_write(struct spool *s, const void *data, size_t len, struct err *err)
{
    const uint8_t *p = data;

    while (len > 0) {
        size_t put = 0;

        if (write_piece(s, p, len < TRANSFER_BYTES ? len : TRANSFER_BYTES, &put, err) < 0)
            return -1;
        p += put;
        len -= put;
    }
    return 0;
}

void
spool_end(struct spool *s, const struct err *cause)
{
    (void)pthread_mutex_lock(&s->mutex);
    s->ended = true;
    if (cause != NULL)
        s->cause = *cause;
    (void)pthread_cond_broadcast(&s->changed);
    (void)pthread_mutex_unlock(&s->mutex);
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

/* Wait for bytes. *R is the ring that has them, NULL at a good end. The mutex is held. */
static int
wait_bytes(struct spool *s, struct ring **r, struct err *err)
{
    for (;;) {
        *r = ring_used(&s->in_memory) > 0 ? &s->in_memory : ring_used(&s->in_file) > 0 ? &s->in_file : NULL;
        if (*r != NULL)
            return 0;
        if (s->ended && s->cause.code != ERR_NONE) {
            *err = s->cause;
            return -1;
        }
        if (s->ended)
            return 0;
        if (sig_check(err) < 0)
            return -1;
        wait_change(s);
    }
}

/* LEN bytes from PLACE of the file; they were written. */
static int
read_file(const struct spool *s, void *buf, size_t len, uint64_t place, struct err *err)
{
    ssize_t n;

    do {
        n = pread(s->fd, buf, len, (off_t)place);
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        return err_sys(err, ERR_INTERNAL, errno, "read from the spool's file");
    return (size_t)n == len ? 0 : err_set(err, ERR_INTERNAL, "read from the spool's file: it is too short");
}

int
spool_read(struct spool *s, void *buf, size_t len, size_t *got, struct err *err)
{
    struct ring *r = NULL;
    uint64_t place = 0;
    size_t piece = 0;
    int rc;

    *got = 0;
    (void)pthread_mutex_lock(&s->mutex);
    rc = wait_bytes(s, &r, err);
    if (rc == 0 && r != NULL) {
        place = r->head % r->size;
        piece = ring_piece(r, r->head, len < ring_used(r) ? len : ring_used(r));
    }
    (void)pthread_mutex_unlock(&s->mutex);
    if (rc < 0 || r == NULL)
        return rc;
    if (r == &s->in_memory)
        memcpy(buf, s->memory + place, piece);
    else if (read_file(s, buf, piece, place, err) < 0)
        return -1;
    (void)pthread_mutex_lock(&s->mutex);
    r->head += piece;
    (void)pthread_cond_broadcast(&s->changed);
    (void)pthread_mutex_unlock(&s->mutex);
    *got = piece;
    return 0;
}

void
spool_cancel(struct spool *s)
{
    (void)pthread_mutex_lock(&s->mutex);
    s->cancelled = true;
    (void)pthread_cond_broadcast(&s->changed);
    (void)pthread_mutex_unlock(&s->mutex);
}

void
spool_stats(struct spool *s, struct spool_stats *out)
{
    (void)pthread_mutex_lock(&s->mutex);
    *out = s->stats;
    (void)pthread_mutex_unlock(&s->mutex);
}
