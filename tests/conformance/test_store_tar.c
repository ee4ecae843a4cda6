/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What can be asked of a store that is only read: the suite writes into a store in memory, and whatever it reads it
 * reads from a tar of that, packed and opened anew where something was written since.
 */
#include "tests/conformance/store_suite.h"
#include "tests/support/test_common.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/tar_write.h"
#include "storage/store_mem.h"
#include "storage/store_tar.h"

/* A tar as it was at one moment. */
struct picture {
    struct store *tar;
    unsigned users;
};

struct place {
    char dir[256];
    struct store *mem;
    pthread_mutex_t mutex; /* guards what follows; puts and packing are under it too */
    struct picture *newest;
    bool stale; /* something was written since */
};

/* Both handles: the writer puts into the memory, the reader asks pictures. */
struct handle {
    struct store store;
    struct place *place;
};

static struct place *
place_of(struct store *s)
{
    return ((struct handle *)s)->place;
}

/* ---- pictures ---------------------------------------------------------------------------------------------------- */

struct packing {
    struct store_object *objects;
    size_t count;
};

static bool
note(const struct store_object *o, void *cookie)
{
    struct packing *p = cookie;

    p->objects = mem_grow(p->objects, p->count + 1, sizeof(*p->objects));
    p->objects[p->count] = *o;
    p->objects[p->count++].key = mem_strdup(o->key);
    return true;
}

static int
pack_one(struct store *mem, struct tar_writer *w, const struct store_object *o, struct err *err)
{
    char *data = mem_new((size_t)o->size + 1);
    size_t got = 0;
    int rc = -1;

    if (store_get(mem, o->key, 0, data, (size_t)o->size, &got, err) == 0 &&
        tar_writer_file(w, o->key, got, o->mtime_ms, err) == 0)
        rc = tar_writer_data(w, data, got, err);
    free(data);
    return rc;
}

/* In no order that a listing would have: from the last to the first. */
static int
pack(struct place *p, const char *path, struct err *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    struct tar_writer *w = tar_writer_to_fd(fd, err);
    struct packing all = {0};
    int rc = store_list(p->mem, &(struct store_list){.prefix = ""}, note, &all, err);

    while (all.count > 0) {
        const struct store_object *o = &all.objects[--all.count];

        if (rc == 0)
            rc = pack_one(p->mem, w, o, err);
        free((void *)(uintptr_t)o->key);
    }
    if (rc == 0)
        rc = tar_writer_finish(w, err);
    tar_writer_free(w);
    (void)close(fd);
    free(all.objects);
    return rc;
}

static void
drop(struct place *p, struct picture *picture)
{
    if (picture == NULL || --picture->users > 0)
        return;
    if (picture == p->newest)
        p->newest = NULL;
    store_free(picture->tar);
    free(picture);
}

/* The newest one, for this caller until release(). */
static struct picture *
acquire(struct place *p, struct err *err)
{
    char path[300];
    struct picture *picture;

    (void)snprintf(path, sizeof(path), "%s/store.tar", p->dir);
    REQUIRE(pthread_mutex_lock(&p->mutex) == 0);
    if (p->stale || p->newest == NULL) {
        struct picture *fresh = mem_new(sizeof(*fresh));

        (void)unlink(path); /* who reads the one before has it open */
        fresh->tar = pack(p, path, err) == 0 ? store_tar_open(path, err) : NULL;
        REQUIRE(fresh->tar != NULL);
        fresh->users = 1;
        drop(p, p->newest);
        p->newest = fresh;
        p->stale = false;
    }
    picture = p->newest;
    picture->users++;
    REQUIRE(pthread_mutex_unlock(&p->mutex) == 0);
    return picture;
}

static void
release(struct place *p, struct picture *picture)
{
    REQUIRE(pthread_mutex_lock(&p->mutex) == 0);
    drop(p, picture);
    REQUIRE(pthread_mutex_unlock(&p->mutex) == 0);
}

/* ---- the handles ------------------------------------------------------------------------------------------------- */

static int
write_put(struct store *s, const struct store_put *put, struct err *err)
{
    struct place *p = place_of(s);
    int rc;

    REQUIRE(pthread_mutex_lock(&p->mutex) == 0);
    rc = p->mem->ops->put(p->mem, put, err);
    p->stale = true;
    REQUIRE(pthread_mutex_unlock(&p->mutex) == 0);
    return rc;
}

static int
write_remove(struct store *s, const char *key, struct err *err)
{
    struct place *p = place_of(s);
    int rc;

    REQUIRE(pthread_mutex_lock(&p->mutex) == 0);
    rc = p->mem->ops->remove(p->mem, key, err);
    p->stale = true;
    REQUIRE(pthread_mutex_unlock(&p->mutex) == 0);
    return rc;
}

static int
read_put(struct store *s, const struct store_put *put, struct err *err)
{
    struct picture *picture = acquire(place_of(s), err);
    int rc = picture->tar->ops->put(picture->tar, put, err);

    release(place_of(s), picture);
    return rc;
}

static int
read_remove(struct store *s, const char *key, struct err *err)
{
    struct picture *picture = acquire(place_of(s), err);
    int rc = picture->tar->ops->remove(picture->tar, key, err);

    release(place_of(s), picture);
    return rc;
}

static int
read_get(struct store *s, const char *key, uint64_t off, void *buf, size_t len, size_t *got, struct err *err)
{
    struct picture *picture = acquire(place_of(s), err);
    int rc = picture->tar->ops->get(picture->tar, key, off, buf, len, got, err);

    release(place_of(s), picture);
    return rc;
}

static int
read_stat(struct store *s, const char *key, struct store_object *object, struct err *err)
{
    struct picture *picture = acquire(place_of(s), err);
    int rc = picture->tar->ops->stat(picture->tar, key, object, err);

    release(place_of(s), picture);
    return rc;
}

static int
read_list(struct store *s, const struct store_list *what, store_list_fn *fn, void *cookie, struct err *err)
{
    struct picture *picture = acquire(place_of(s), err);
    int rc = picture->tar->ops->list(picture->tar, what, fn, cookie, err);

    release(place_of(s), picture);
    return rc;
}

static int
read_now(struct store *s, int64_t *now_ms, struct err *err)
{
    struct picture *picture = acquire(place_of(s), err);
    int rc = picture->tar->ops->now(picture->tar, now_ms, err);

    release(place_of(s), picture);
    return rc;
}

static void
handle_free(struct store *s)
{
    free(s);
}

static const struct store_ops writer_ops = {
    .name = "packed",
    .put = write_put,
    .get = read_get,
    .stat = read_stat,
    .list = read_list,
    .remove = write_remove,
    .now = read_now,
    .free = handle_free,
};

static const struct store_ops reader_ops = {
    .name = "tar",
    .put = read_put,
    .get = read_get,
    .stat = read_stat,
    .list = read_list,
    .remove = read_remove,
    .now = read_now,
    .free = handle_free,
};

static struct store *
handle_new(void *place, const struct store_ops *ops, unsigned features)
{
    struct handle *h = mem_new(sizeof(*h));

    h->store.ops = ops;
    h->store.features = features;
    h->store.url = mem_strdup("packed:");
    h->place = place;
    return &h->store;
}

static struct store *
writer(void *place)
{
    return handle_new(place, &writer_ops, STORE_CREATE_ONLY | STORE_WRITABLE);
}

static struct store *
reader(void *place)
{
    return handle_new(place, &reader_ops, 0);
}

static void *
place_new(void)
{
    struct place *p = mem_new(sizeof(*p));

    test_make_dir(p->dir);
    p->mem = store_mem_new();
    REQUIRE(pthread_mutex_init(&p->mutex, NULL) == 0);
    return p;
}

static void
place_free(void *place)
{
    struct place *p = place;

    drop(p, p->newest);
    store_free(p->mem);
    test_remove_dir(p->dir);
    (void)pthread_mutex_destroy(&p->mutex);
    free(p);
}

int
main(void)
{
    const struct store_suite suite = {
        .name = "tar",
        .place_new = place_new,
        .place_free = place_free,
        .writer = writer,
        .reader = reader,
        .many_keys = 300,
        .rounds = 20,
    };

    return store_suite_run(&suite);
}
