/* SPDX-License-Identifier: Apache-2.0 */
/* store.c: the calls of store.h: what holds for every backend is checked here, once. */
#include "storage/store.h"

#include <string.h>

#include "base/mem.h"

/* What store_get_all() asks for at first: nearly every small object fits, so one request is enough. */
#define SMALL_OBJECT 65536u
/* How often store_get_all() begins anew because the object changed under it. */
#define CHANGED_TRIES 5

/* The store whose list callback runs in this thread: the callback must not call it. */
static _Thread_local const struct store *listing;

static int
part_check(const char *key, const char *part, size_t len, struct err *err)
{
    if (len == 0)
        return err_set(err, ERR_USAGE, "the key \"%s\" has an empty part", key);
    if (len > STORE_KEY_PART_MAX)
        return err_set(err, ERR_USAGE, "the key \"%s\" has a part of more than %d bytes", key, STORE_KEY_PART_MAX);
    if (part[0] == '.' && (len == 1 || (len == 2 && part[1] == '.')))
        return err_set(err, ERR_USAGE, "the key \"%s\" has a part \".\" or \"..\"", key);
    if (strncmp(part, ".tmp-", 5) == 0)
        return err_set(err, ERR_USAGE, "the key \"%s\" has a part that starts with \".tmp-\"", key);
    return 0;
}

int
store_key_check(const char *key, struct err *err)
{
    size_t len = strlen(key);
    const char *part = key;

    if (len == 0)
        return err_set(err, ERR_USAGE, "the key is empty");
    if (len > STORE_KEY_MAX)
        return err_set(err, ERR_USAGE, "the key has %zu bytes, more than the allowed %d", len, STORE_KEY_MAX);
    for (const char *p = key; *p != '\0'; p++) {
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            return err_set(err, ERR_USAGE, "the key has the byte 0x%02x, which is not allowed", (unsigned char)*p);
    }
    for (;;) {
        size_t part_len = strcspn(part, "/");

        if (part_check(key, part, part_len, err) < 0)
            return -1;
        if (part[part_len] == '\0')
            return 0;
        part += part_len + 1;
    }
}

/* ---- the checks around a call ---- */

static void
enter(const struct store *s, const struct err *err)
{
    REQUIRE(s != NULL && err != NULL);
    REQUIRE(s != listing); /* a list callback must not call its store */
}

static int
enter_key(const struct store *s, const char *verb, const char *key, struct err *err)
{
    enter(s, err);
    REQUIRE(key != NULL);
    return store_key_check(key, err) < 0 ? err_wrap(err, "%s: %s", s->url, verb) : 0;
}

/* The same for the calls that change something. */
static int
enter_change(const struct store *s, const char *verb, const char *key, struct err *err)
{
    if (enter_key(s, verb, key, err) < 0)
        return -1;
    if ((store_features(s) & STORE_WRITABLE) == 0)
        return err_set(err, ERR_REFUSED, "%s: %s %s: the store was opened for reading only", s->url, verb, key);
    return 0;
}

static int
leave(const struct store *s, int rc, const char *verb, const char *key, struct err *err)
{
    if (rc == 0)
        return 0;
    REQUIRE(err->code != ERR_NONE);
    return err_wrap(err, "%s: %s%s%s", s->url, verb, key[0] != '\0' ? " " : "", key);
}

/* ---- the calls ---- */

int
store_put(struct store *s, const struct store_put *put, struct err *err)
{
    REQUIRE(put != NULL && (put->data != NULL || put->len == 0));
    REQUIRE((put->flags & ~(unsigned)(STORE_PUT_CREATE | STORE_PUT_PERMANENT)) == 0);
    if (enter_change(s, "put", put->key, err) < 0)
        return -1;
    if ((put->flags & STORE_PUT_CREATE) != 0 && (store_features(s) & STORE_CREATE_ONLY) == 0)
        return err_set(err, ERR_UNSUPPORTED, "%s: put %s: this store cannot put without overwriting", s->url, put->key);
    return leave(s, s->ops->put(s, put, err), "put", put->key, err);
}

int
store_get(struct store *s, const char *key, uint64_t off, void *buf, size_t len, size_t *got, struct err *err)
{
    struct store_object object;

    REQUIRE(got != NULL && (buf != NULL || len == 0));
    if (enter_key(s, "get", key, err) < 0)
        return -1;
    *got = 0;
    if (len == 0)
        return leave(s, s->ops->stat(s, key, &object, err), "get", key, err);
    if (leave(s, s->ops->get(s, key, off, buf, len, got, err), "get", key, err) < 0)
        return -1;
    REQUIRE(*got <= len);
    return 0;
}

int
store_stat(struct store *s, const char *key, struct store_object *object, struct err *err)
{
    REQUIRE(object != NULL);
    if (enter_key(s, "stat", key, err) < 0)
        return -1;
    memset(object, 0, sizeof(*object));
    if (leave(s, s->ops->stat(s, key, object, err), "stat", key, err) < 0)
        return -1;
    object->key = key;
    return 0;
}

int
store_remove(struct store *s, const char *key, struct err *err)
{
    if (enter_change(s, "remove", key, err) < 0)
        return -1;
    return leave(s, s->ops->remove(s, key, err), "remove", key, err);
}

static int
remove_batch(struct store *s, const char *const *keys, size_t count, struct err *err)
{
    if (s->ops->remove_many != NULL)
        return leave(s, s->ops->remove_many(s, keys, count, err), "remove several from", keys[0], err);
    for (size_t i = 0; i < count; i++) {
        if (leave(s, s->ops->remove(s, keys[i], err), "remove", keys[i], err) < 0)
            return -1;
    }
    return 0;
}

int
store_remove_many(struct store *s, const char *const *keys, size_t count, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        if (enter_change(s, "remove", keys[i], err) < 0)
            return -1;
    }
    for (size_t at = 0; at < count; at += STORE_REMOVE_MAX) {
        size_t n = count - at < STORE_REMOVE_MAX ? count - at : STORE_REMOVE_MAX;

        if (remove_batch(s, keys + at, n, err) < 0)
            return -1;
    }
    return 0;
}

int
store_now(struct store *s, int64_t *now_ms, struct err *err)
{
    REQUIRE(now_ms != NULL);
    enter(s, err);
    return leave(s, s->ops->now(s, now_ms, err), "ask for the time", "", err);
}

/* ---- list ---- */

struct listing {
    const struct store_list *what;
    store_list_fn *fn;
    void *cookie;
    char last[STORE_KEY_MAX + 2]; /* what was told last, "" at first */
    bool disorder;
};

/* Is this a key, or a folder of keys, by the rules? */
static bool
is_proper(const struct store_object *object)
{
    struct err unused = ERR_INIT;
    char folder[STORE_KEY_MAX + 1];
    size_t len = strlen(object->key);

    if (!object->is_folder)
        return store_key_check(object->key, &unused) == 0;
    if (len < 2 || len > STORE_KEY_MAX || object->key[len - 1] != '/')
        return false;
    memcpy(folder, object->key, len - 1);
    folder[len - 1] = '\0';
    return store_key_check(folder, &unused) == 0;
}

static bool
tell_checked(const struct store_object *object, void *cookie)
{
    struct listing *l = cookie;

    if (!is_proper(object))
        return true;
    if (strcmp(object->key, l->last) <= 0 || strcmp(object->key, l->what->start_after) <= 0 ||
        strncmp(object->key, l->what->prefix, strlen(l->what->prefix)) != 0) {
        l->disorder = true;
        return false;
    }
    memcpy(l->last, object->key, strlen(object->key) + 1);
    return l->fn(object, l->cookie);
}

int
store_list(struct store *s, const struct store_list *what, store_list_fn *fn, void *cookie, struct err *err)
{
    const struct store *outer = listing;
    struct store_list whole;
    struct listing l = {.what = &whole, .fn = fn, .cookie = cookie};
    int rc;

    REQUIRE(what != NULL && fn != NULL && (what->delimiter == '\0' || what->delimiter == '/'));
    enter(s, err);
    whole = *what;
    whole.prefix = what->prefix != NULL ? what->prefix : "";
    whole.start_after = what->start_after != NULL ? what->start_after : "";
    listing = s;
    rc = s->ops->list(s, &whole, tell_checked, &l, err);
    listing = outer;
    if (rc == 0 && l.disorder)
        rc = err_set(err, ERR_CORRUPT, "the store told its keys out of order (after \"%s\")", l.last);
    return leave(s, rc, "list", whole.prefix, err);
}

/* ---- the handle ---- */

void
store_free(struct store *s)
{
    while (s != NULL) {
        struct store *inner = s->inner;
        char *url = s->url;

        s->ops->free(s);
        free(url);
        s = inner;
    }
}

unsigned
store_features(const struct store *s)
{
    unsigned features = ~0u;

    for (; s != NULL; s = s->inner)
        features &= __atomic_load_n(&s->features, __ATOMIC_RELAXED);
    return features;
}

void
store_drop_features(struct store *s, unsigned features)
{
    (void)__atomic_and_fetch(&s->features, ~features, __ATOMIC_RELAXED);
}

void
store_describe_credentials(struct store *s, char *text, size_t size)
{
    while (s->inner != NULL)
        s = s->inner;
    if (size > 0)
        text[0] = '\0';
    if (s->ops->describe_credentials != NULL)
        s->ops->describe_credentials(s, text, size);
}

const char *
store_url(const struct store *s)
{
    return s->url;
}

/* ---- a whole object ---- */

/* An object that one get of ROOM bytes does not hold for certain: by its size, in one get again, so that it is one
 * version of it. 1 when it changed meanwhile. */
static int
get_large(struct store *s, const char *key, size_t cap, char **data, size_t *len, struct err *err)
{
    struct store_object object;
    size_t size, got = 0;
    char *p;

    if (store_stat(s, key, &object, err) < 0)
        return -1;
    if (object.size > cap)
        return err_set(err, ERR_CORRUPT, "%s: get %s: it has %llu bytes, more than the allowed %zu", s->url, key,
                       (unsigned long long)object.size, cap);
    size = (size_t)object.size;
    p = mem_new(size + 1);
    if (store_get(s, key, 0, p, size + 1, &got, err) < 0) {
        free(p);
        return -1;
    }
    if (got > size) {
        free(p);
        return 1;
    }
    p[got] = '\0';
    *data = p;
    *len = got;
    return 0;
}

int
store_get_all(struct store *s, const char *key, size_t cap, char **data, size_t *len, struct err *err)
{
    size_t room = cap < SMALL_OBJECT ? cap + 1 : SMALL_OBJECT, got = 0;
    char *p = mem_new(room + 1);
    int rc = 1;

    if (store_get(s, key, 0, p, room, &got, err) < 0) {
        free(p);
        return -1;
    }
    if (got < room) {
        p[got] = '\0';
        *data = mem_grow(p, got + 1, 1);
        *len = got;
        return 0;
    }
    free(p);
    for (int tries = 0; rc > 0 && tries < CHANGED_TRIES; tries++)
        rc = get_large(s, key, cap, data, len, err);
    if (rc > 0)
        return err_set(err, ERR_STORAGE, "%s: get %s: it keeps changing while it is read", s->url, key);
    return rc;
}
