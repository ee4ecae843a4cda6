/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_mem.c: see store_mem.h. A sorted array of objects under one mutex. A listing takes the mutex anew for each
 * object, so that a callback may wait for threads that use the store.
 */
#include "storage/store_mem.h"

#include <pthread.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

struct object {
    char *key;
    char *data;
    size_t len;
    int64_t mtime_ms;
};

struct store_mem {
    struct store store;
    pthread_mutex_t mutex;  /* guards all that follows */
    struct object *objects; /* by key */
    size_t count, allocated;
    int64_t clock_offset_ms;
};

static struct store_mem *
lock(struct store *s)
{
    struct store_mem *m = (struct store_mem *)s;

    REQUIRE(pthread_mutex_lock(&m->mutex) == 0);
    return m;
}

static void
unlock(struct store_mem *m)
{
    REQUIRE(pthread_mutex_unlock(&m->mutex) == 0);
}

/* The place of the first object whose key is KEY or greater. */
static size_t
lower_bound(const struct store_mem *m, const char *key)
{
    size_t low = 0, high = m->count;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (strcmp(m->objects[mid].key, key) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static struct object *
find(const struct store_mem *m, const char *key)
{
    size_t at = lower_bound(m, key);

    return at < m->count && strcmp(m->objects[at].key, key) == 0 ? &m->objects[at] : NULL;
}

static int
absent(struct err *err)
{
    return err_set(err, ERR_NOT_FOUND, "there is no such object");
}

static int64_t
now_ms(const struct store_mem *m)
{
    return clock_wall_ms() + m->clock_offset_ms;
}

/* A new object without data at its place. */
static struct object *
insert(struct store_mem *m, const char *key)
{
    size_t at = lower_bound(m, key);
    struct object *o;

    if (m->count == m->allocated) {
        m->allocated = m->allocated > 0 ? 2 * m->allocated : 64;
        m->objects = mem_grow(m->objects, m->allocated, sizeof(*m->objects));
    }
    o = &m->objects[at];
    memmove(o + 1, o, (m->count - at) * sizeof(*o));
    m->count++;
    memset(o, 0, sizeof(*o));
    o->key = mem_strdup(key);
    return o;
}

static int
mem_put(struct store *s, const struct store_put *put, struct err *err)
{
    char *data = mem_strndup(put->len > 0 ? put->data : "", put->len);
    struct store_mem *m = lock(s);
    struct object *o = find(m, put->key);
    int rc = 0;

    if (o != NULL && (put->flags & STORE_PUT_CREATE) != 0) {
        free(data);
        rc = err_set(err, ERR_EXISTS, "it exists already");
    } else {
        if (o == NULL)
            o = insert(m, put->key);
        free(o->data);
        o->data = data;
        o->len = put->len;
        o->mtime_ms = now_ms(m);
    }
    unlock(m);
    return rc;
}

static int
mem_get(struct store *s, const char *key, uint64_t off, void *buf, size_t len, size_t *got, struct err *err)
{
    struct store_mem *m = lock(s);
    const struct object *o = find(m, key);

    *got = 0;
    if (o != NULL && off < o->len) {
        *got = len < o->len - off ? len : (size_t)(o->len - off);
        memcpy(buf, o->data + off, *got);
    }
    unlock(m);
    return o != NULL ? 0 : absent(err);
}

static int
mem_stat(struct store *s, const char *key, struct store_object *object, struct err *err)
{
    struct store_mem *m = lock(s);
    const struct object *o = find(m, key);

    if (o != NULL) {
        object->size = o->len;
        object->mtime_ms = o->mtime_ms;
    }
    unlock(m);
    return o != NULL ? 0 : absent(err);
}

/* The next thing to tell after LAST: its key goes to KEY. False when there is none. */
static bool
next_object(struct store_mem *m, const struct store_list *what, const char *last, char *key,
            struct store_object *object)
{
    size_t prefix_len = strlen(what->prefix);
    size_t at = lower_bound(m, strcmp(last, what->prefix) < 0 ? what->prefix : last);

    for (; at < m->count && strncmp(m->objects[at].key, what->prefix, prefix_len) == 0; at++) {
        const struct object *o = &m->objects[at];
        const char *slash = what->delimiter != '\0' ? strchr(o->key + prefix_len, what->delimiter) : NULL;
        size_t len = slash != NULL ? (size_t)(slash - o->key) + 1 : strlen(o->key);

        memcpy(key, o->key, len);
        key[len] = '\0';
        if (strcmp(key, last) <= 0)
            continue; /* told already, or of the folder that was */
        *object = (struct store_object){.key = key, .is_folder = slash != NULL};
        object->size = slash != NULL ? 0 : o->len;
        object->mtime_ms = slash != NULL ? 0 : o->mtime_ms;
        return true;
    }
    return false;
}

static int
mem_list(struct store *s, const struct store_list *what, store_list_fn *fn, void *cookie, struct err *err)
{
    char *last = mem_strdup(what->start_after);
    char key[STORE_KEY_MAX + 1];
    struct store_object object;
    bool more = true;

    (void)err;
    while (more) {
        struct store_mem *m = lock(s);

        more = next_object(m, what, last, key, &object);
        unlock(m);
        if (more) {
            free(last);
            last = mem_strdup(key);
            more = fn(&object, cookie);
        }
    }
    free(last);
    return 0;
}

static int
mem_remove(struct store *s, const char *key, struct err *err)
{
    struct store_mem *m = lock(s);
    struct object *o = find(m, key);

    (void)err;
    if (o != NULL) {
        free(o->key);
        free(o->data);
        m->count--;
        memmove(o, o + 1, (m->count - (size_t)(o - m->objects)) * sizeof(*o));
    }
    unlock(m);
    return 0;
}

static int
mem_now(struct store *s, int64_t *now, struct err *err)
{
    struct store_mem *m = lock(s);

    (void)err;
    *now = now_ms(m);
    unlock(m);
    return 0;
}

static void
mem_free(struct store *s)
{
    struct store_mem *m = (struct store_mem *)s;

    for (size_t i = 0; i < m->count; i++) {
        free(m->objects[i].key);
        free(m->objects[i].data);
    }
    free(m->objects);
    (void)pthread_mutex_destroy(&m->mutex);
    free(m);
}

static const struct store_ops mem_ops = {
    .name = "mem",
    .put = mem_put,
    .get = mem_get,
    .stat = mem_stat,
    .list = mem_list,
    .remove = mem_remove,
    .now = mem_now,
    .free = mem_free,
};

struct store *
store_mem_new(void)
{
    struct store_mem *m = mem_new(sizeof(*m));

    m->store.ops = &mem_ops;
    m->store.features = STORE_CREATE_ONLY | STORE_WRITABLE;
    m->store.url = mem_strdup("mem:");
    REQUIRE(pthread_mutex_init(&m->mutex, NULL) == 0);
    return &m->store;
}

void
store_mem_set_clock(struct store *s, int64_t offset_ms)
{
    struct store_mem *m;

    REQUIRE(s->ops == &mem_ops);
    m = lock(s);
    m->clock_offset_ms = offset_ms;
    unlock(m);
}
