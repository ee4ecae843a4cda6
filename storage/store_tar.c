/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_tar.c: see store_tar.h. A sorted table of names, read once; nothing in it changes, so threads need no lock, and
 * every get has a reader of its own on the one descriptor.
 *
 * A file that is changed under our hands is noticed where it matters: an entry that is no longer at its place is
 * ERR_CORRUPT, and what its bytes are is proven by those who know their digests.
 */
#include "storage/store_tar.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/tar_read.h"

#define PASS_OVER ((size_t)64 << 10)
/* No export has that many names: what a foreign tar may take of our memory. A short name counts as one of NAME_LEAST,
 * since its row in the table is no shorter. */
#define NAME_LEAST ((size_t)64)
#define NAMES_MOST ((size_t)16 << 20)

struct object {
    char *key;
    uint64_t size;
    int64_t mtime_ms;
    uint64_t position;
};

struct store_tar {
    struct store store;
    int fd;
    struct object *objects; /* by key */
    size_t count, allocated;
    size_t names_len; /* of all keys, as they count */
};

/* ---- the table --------------------------------------------------------------------------------------------------- */

static int
compare_objects(const void *a, const void *b)
{
    return strcmp(((const struct object *)a)->key, ((const struct object *)b)->key);
}

static int
add(struct store_tar *t, const struct tar_entry *entry, struct err *err)
{
    struct err unused = ERR_INIT;
    const size_t len = strlen(entry->name);

    if (store_key_check(entry->name, &unused) < 0)
        return 0; /* not ours */
    t->names_len += len > NAME_LEAST ? len : NAME_LEAST;
    if (t->names_len > NAMES_MOST)
        return err_set(err, ERR_UNSUPPORTED, "the names in it have more than %zu MiB: it is no export of one backup",
                       NAMES_MOST >> 20);
    if (t->count == t->allocated) {
        t->allocated = t->allocated > 0 ? 2 * t->allocated : 64;
        t->objects = mem_grow(t->objects, t->allocated, sizeof(*t->objects));
    }
    t->objects[t->count++] = (struct object){
        .key = mem_strdup(entry->name), .size = entry->size, .mtime_ms = entry->mtime_ms, .position = entry->position};
    return 0;
}

static int
read_table(struct store_tar *t, struct err *err)
{
    struct tar_reader *r = tar_reader_at(t->fd, 0, err);
    struct tar_entry entry;
    bool end = false;
    int rc = r != NULL ? 0 : -1;

    while (rc == 0) {
        rc = tar_reader_next(r, &entry, &end, err);
        if (rc < 0 || end)
            break;
        rc = add(t, &entry, err);
    }
    tar_reader_free(r);
    if (rc == 0 && t->count > 0)
        qsort(t->objects, t->count, sizeof(*t->objects), compare_objects);
    return rc;
}

/* The place of the first object whose key is KEY or greater. */
static size_t
lower_bound(const struct store_tar *t, const char *key)
{
    size_t low = 0, high = t->count;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (strcmp(t->objects[mid].key, key) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static const struct object *
find(const struct store *s, const char *key, struct err *err)
{
    const struct store_tar *t = (const struct store_tar *)s;
    size_t at = lower_bound(t, key);

    if (at < t->count && strcmp(t->objects[at].key, key) == 0)
        return &t->objects[at];
    (void)err_set(err, ERR_NOT_FOUND, "there is no such file in the tar");
    return NULL;
}

/* ---- the operations ---------------------------------------------------------------------------------------------- */

static int
refuse(struct err *err)
{
    return err_set(err, ERR_REFUSED, "nothing is changed in a tar");
}

static int
tar_put(struct store *s, const struct store_put *put, struct err *err)
{
    (void)s;
    (void)put;
    return refuse(err);
}

static int
tar_remove(struct store *s, const char *key, struct err *err)
{
    (void)s;
    (void)key;
    return refuse(err);
}

/* Read and forget the LEN bytes in front of those that are wanted. */
static int
pass_over(struct tar_reader *r, uint64_t len, struct err *err)
{
    char *scratch = len > 0 ? mem_new(PASS_OVER) : NULL;
    size_t got = 1;
    int rc = 0;

    while (rc == 0 && len > 0 && got > 0) {
        rc = tar_reader_data(r, scratch, len < PASS_OVER ? (size_t)len : PASS_OVER, &got, err);
        len -= got;
    }
    free(scratch);
    return rc;
}

static int
tar_get(struct store *s, const char *key, uint64_t off, void *buf, size_t len, size_t *got, struct err *err)
{
    const struct object *o = find(s, key, err);
    struct tar_reader *r;
    struct tar_entry entry;
    bool end = false;
    int rc;

    *got = 0;
    if (o == NULL)
        return -1;
    if (len == 0 || off >= o->size)
        return 0;
    r = tar_reader_at(((struct store_tar *)s)->fd, o->position, err);
    rc = r != NULL ? tar_reader_next(r, &entry, &end, err) : -1;
    if (rc == 0 && (end || strcmp(entry.name, key) != 0 || entry.size != o->size))
        rc = err_set(err, ERR_CORRUPT, "the tar was changed while it was read: the file is no longer where it was");
    if (rc == 0)
        rc = pass_over(r, off, err);
    if (rc == 0)
        rc = tar_reader_data(r, buf, len, got, err);
    tar_reader_free(r);
    if (rc < 0 && err->code == ERR_INTERNAL)
        err->code = ERR_STORAGE;
    return rc;
}

static int
tar_stat(struct store *s, const char *key, struct store_object *object, struct err *err)
{
    const struct object *o = find(s, key, err);

    if (o == NULL)
        return -1;
    object->size = o->size;
    object->mtime_ms = o->mtime_ms;
    return 0;
}

static int
tar_list(struct store *s, const struct store_list *what, store_list_fn *fn, void *cookie, struct err *err)
{
    const struct store_tar *t = (const struct store_tar *)s;
    size_t prefix_len = strlen(what->prefix);
    bool after_prefix = strcmp(what->start_after, what->prefix) >= 0;
    char last[STORE_KEY_MAX + 2]; /* told: a key, or a folder with its slash */

    (void)err;
    (void)snprintf(last, sizeof(last), "%s", what->start_after);
    for (size_t at = lower_bound(t, after_prefix ? what->start_after : what->prefix);
         at < t->count && strncmp(t->objects[at].key, what->prefix, prefix_len) == 0; at++) {
        const struct object *o = &t->objects[at];
        const char *slash = what->delimiter != '\0' ? strchr(o->key + prefix_len, what->delimiter) : NULL;
        struct store_object told = {.key = o->key, .size = o->size, .mtime_ms = o->mtime_ms};
        char key[STORE_KEY_MAX + 2];

        if (slash != NULL) {
            (void)snprintf(key, sizeof(key), "%.*s", (int)(slash - o->key) + 1, o->key);
            told = (struct store_object){.key = key, .is_folder = true};
        }
        if (strcmp(told.key, last) <= 0)
            continue; /* told already, or of the folder that was */
        (void)snprintf(last, sizeof(last), "%s", told.key);
        if (!fn(&told, cookie))
            break;
    }
    return 0;
}

static int
tar_now(struct store *s, int64_t *now_ms, struct err *err)
{
    (void)s;
    (void)err;
    *now_ms = clock_wall_ms();
    return 0;
}

static void
tar_free(struct store *s)
{
    struct store_tar *t = (struct store_tar *)s;

    for (size_t i = 0; i < t->count; i++)
        free(t->objects[i].key);
    free(t->objects);
    if (t->fd >= 0)
        (void)close(t->fd);
    free(t);
}

static const struct store_ops tar_ops = {
    .name = "tar",
    .put = tar_put,
    .get = tar_get,
    .stat = tar_stat,
    .list = tar_list,
    .remove = tar_remove,
    .now = tar_now,
    .free = tar_free,
};

/* ---- opening ----------------------------------------------------------------------------------------------------- */

static int
open_file(const char *path, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO without a writer must not hold us up */
    struct stat st;

    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
        return err_set(err, ERR_NOT_FOUND, "there is no such file");
    if (fd < 0)
        return err_sys(err, errno == EACCES || errno == EPERM ? ERR_STORE_DENIED : ERR_STORAGE, errno,
                       "it could not be opened");
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
        return fd;
    (void)err_set(err, ERR_USAGE, "it is no regular file: what comes down a pipe has to be written to a file first");
    (void)close(fd);
    return -1;
}

struct store *
store_tar_open(const char *path, struct err *err)
{
    struct store_tar *t = mem_new(sizeof(*t));

    t->store.ops = &tar_ops;
    t->store.url = mem_strdup(path);
    t->fd = open_file(path, err);
    if (t->fd >= 0 && read_table(t, err) == 0)
        return &t->store;
    if (err->code == ERR_INTERNAL)
        err->code = ERR_STORAGE;
    (void)err_wrap(err, "%s", path);
    store_free(&t->store);
    return NULL;
}
