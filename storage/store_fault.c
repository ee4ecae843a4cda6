/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_fault.c: see store_fault.h. Each call begins by asking the plan what is to go wrong with it (struct verdict);
 * the mutex is never held while the inner store, a hook or a list callback runs.
 */
#include "storage/store_fault.h"

#include <pthread.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

#define MAX_FAULTS 32

struct line {
    struct store_fault fault;
    char *key;
    uint64_t seen; /* matching calls (HIDE: keys) so far */
};

struct store_fault_store {
    struct store store;
    pthread_mutex_t mutex; /* guards all that follows */
    struct line plan[MAX_FAULTS];
    size_t lines;
    struct store_fault_counts counts;
    int64_t objects_ms, now_ms;
    void (*hook)(enum store_call call, const char *key, void *cookie);
    void *hook_cookie;
};

/* What goes wrong with one call; zero: nothing. */
struct verdict {
    enum err_code fail, lose, cut; /* ERR_NONE: not so */
    uint64_t cut_at;
    bool flip, shorten;
    uint64_t flip_at, shorten_at;
    int64_t delay_ms;
};

static const struct store_ops fault_ops;

static struct store_fault_store *
lock(struct store *s)
{
    struct store_fault_store *f = (struct store_fault_store *)s;

    REQUIRE(s->ops == &fault_ops);
    REQUIRE(pthread_mutex_lock(&f->mutex) == 0);
    return f;
}

static void
unlock(struct store_fault_store *f)
{
    REQUIRE(pthread_mutex_unlock(&f->mutex) == 0);
}

/* ---- the plan ---- */

/* Count one match of the line; is it one that is hit? */
static bool
is_hit(struct line *l)
{
    uint64_t first = l->fault.nth > 0 ? l->fault.nth : 1;

    l->seen++;
    return l->seen >= first && (l->fault.times == 0 || l->seen - first < l->fault.times);
}

static void
set_once(enum err_code *code, enum err_code wanted)
{
    if (*code == ERR_NONE)
        *code = wanted != ERR_NONE ? wanted : ERR_STORAGE;
}

static void
apply(const struct store_fault *fault, struct verdict *v)
{
    switch (fault->what) {
    case STORE_FAULT_FAIL:
        set_once(&v->fail, fault->code);
        break;
    case STORE_FAULT_LOSE:
        set_once(&v->lose, fault->code);
        break;
    case STORE_FAULT_CUT:
        set_once(&v->cut, fault->code);
        v->cut_at = fault->at;
        break;
    case STORE_FAULT_FLIP:
        v->flip = true;
        v->flip_at = fault->at;
        break;
    case STORE_FAULT_SHORTEN:
        v->shorten = true;
        v->shorten_at = fault->at;
        break;
    case STORE_FAULT_DELAY:
        v->delay_ms += fault->delay_ms;
        break;
    case STORE_FAULT_HIDE: /* asked for each key: is_hidden() */
        break;
    }
}

/* Count a call, run the hook, ask the plan, and wait where it says so. */
static struct verdict
begin(struct store *s, enum store_call call, const char *key)
{
    struct store_fault_store *f = lock(s);
    void (*hook)(enum store_call, const char *, void *) = f->hook;
    void *cookie = f->hook_cookie;
    struct verdict v = {0};

    f->counts.calls[call]++;
    f->counts.calls[STORE_CALL_ANY]++;
    unlock(f);
    if (hook != NULL)
        hook(call, key, cookie);
    (void)lock(s);
    for (size_t i = 0; i < f->lines; i++) {
        struct line *l = &f->plan[i];

        if (l->fault.what != STORE_FAULT_HIDE && (l->fault.call == STORE_CALL_ANY || l->fault.call == call) &&
            (l->key == NULL || strstr(key, l->key) != NULL) && is_hit(l))
            apply(&l->fault, &v);
    }
    unlock(f);
    clock_sleep_ms(v.delay_ms);
    return v;
}

static int
fail(enum err_code code, const char *how, struct err *err)
{
    return err_set(err, code, "%s (a planned fault)", how);
}

static int
refuse(const struct verdict *v, struct err *err)
{
    return fail(v->fail, "refused", err);
}

/* The end of a call that was done and returned RC. */
static int
finish(const struct verdict *v, int rc, struct err *err)
{
    return rc == 0 && v->lose != ERR_NONE ? fail(v->lose, "the answer was lost", err) : rc;
}

/* ---- the calls ---- */

static int
fault_put(struct store *s, const struct store_put *put, struct err *err)
{
    struct verdict v = begin(s, STORE_CALL_PUT, put->key);
    int rc;

    if (v.fail != ERR_NONE)
        return refuse(&v, err);
    rc = s->inner->ops->put(s->inner, put, err);
    if (rc == 0) {
        struct store_fault_store *f = lock(s);

        f->counts.bytes_put += put->len;
        unlock(f);
    }
    return finish(&v, rc, err);
}

static int
fault_get(struct store *s, const char *key, uint64_t off, void *buf, size_t len, size_t *got, struct err *err)
{
    struct verdict v = begin(s, STORE_CALL_GET, key);
    struct store_fault_store *f;
    int rc;

    if (v.fail != ERR_NONE)
        return refuse(&v, err);
    rc = s->inner->ops->get(s->inner, key, off, buf, len, got, err);
    if (rc < 0)
        return rc;
    if (v.flip && v.flip_at >= off && v.flip_at - off < *got)
        ((uint8_t *)buf)[v.flip_at - off] ^= 0x20;
    if (v.shorten && v.shorten_at < off + *got)
        *got = v.shorten_at > off ? (size_t)(v.shorten_at - off) : 0;
    f = lock(s);
    f->counts.bytes_got += *got;
    unlock(f);
    return finish(&v, rc, err);
}

static int
fault_stat(struct store *s, const char *key, struct store_object *object, struct err *err)
{
    struct verdict v = begin(s, STORE_CALL_STAT, key);
    struct store_fault_store *f;
    int rc;

    if (v.fail != ERR_NONE)
        return refuse(&v, err);
    rc = s->inner->ops->stat(s->inner, key, object, err);
    if (rc < 0)
        return rc;
    f = lock(s);
    object->mtime_ms += f->objects_ms;
    unlock(f);
    return finish(&v, rc, err);
}

struct listing {
    struct store *s;
    store_list_fn *fn;
    void *cookie;
    struct verdict verdict;
    uint64_t told;
    bool cut;
};

static bool
is_hidden(struct store_fault_store *f, const char *key)
{
    bool hidden = false;

    for (size_t i = 0; i < f->lines; i++) {
        struct line *l = &f->plan[i];

        if (l->fault.what == STORE_FAULT_HIDE && (l->key == NULL || strstr(key, l->key) != NULL) && is_hit(l))
            hidden = true;
    }
    return hidden;
}

static bool
tell(const struct store_object *object, void *cookie)
{
    struct listing *l = cookie;
    struct store_object shifted = *object;
    struct store_fault_store *f;
    bool hidden;

    if (l->verdict.cut != ERR_NONE && l->told == l->verdict.cut_at) {
        l->cut = true;
        return false;
    }
    f = lock(l->s);
    hidden = is_hidden(f, object->key);
    if (!object->is_folder)
        shifted.mtime_ms += f->objects_ms;
    f->counts.listed += !hidden;
    unlock(f);
    if (hidden)
        return true;
    l->told++;
    return l->fn(&shifted, l->cookie);
}

static int
fault_list(struct store *s, const struct store_list *what, store_list_fn *fn, void *cookie, struct err *err)
{
    struct listing l = {.s = s, .fn = fn, .cookie = cookie};
    int rc;

    l.verdict = begin(s, STORE_CALL_LIST, what->prefix);
    if (l.verdict.fail != ERR_NONE)
        return refuse(&l.verdict, err);
    rc = s->inner->ops->list(s->inner, what, tell, &l, err);
    if (rc == 0 && l.verdict.cut != ERR_NONE && (l.cut || l.told == l.verdict.cut_at))
        return fail(l.verdict.cut, "the listing broke off", err);
    return finish(&l.verdict, rc, err);
}

static int
fault_remove(struct store *s, const char *key, struct err *err)
{
    struct verdict v = begin(s, STORE_CALL_REMOVE, key);

    if (v.fail != ERR_NONE)
        return refuse(&v, err);
    return finish(&v, s->inner->ops->remove(s->inner, key, err), err);
}

static int
fault_now(struct store *s, int64_t *now_ms, struct err *err)
{
    struct verdict v = begin(s, STORE_CALL_NOW, "");
    struct store_fault_store *f;
    int rc;

    if (v.fail != ERR_NONE)
        return refuse(&v, err);
    rc = s->inner->ops->now(s->inner, now_ms, err);
    if (rc < 0)
        return rc;
    f = lock(s);
    *now_ms += f->now_ms;
    unlock(f);
    return finish(&v, rc, err);
}

static void
fault_free(struct store *s)
{
    struct store_fault_store *f = (struct store_fault_store *)s;

    store_fault_clear(s);
    (void)pthread_mutex_destroy(&f->mutex);
    free(f);
}

static const struct store_ops fault_ops = {
    .name = "fault",
    .put = fault_put,
    .get = fault_get,
    .stat = fault_stat,
    .list = fault_list,
    .remove = fault_remove,
    .now = fault_now,
    .free = fault_free,
};

/* ---- what tests call ---- */

struct store *
store_fault_new(struct store *inner)
{
    struct store_fault_store *f = mem_new(sizeof(*f));

    f->store.ops = &fault_ops;
    f->store.features = ~0u;
    f->store.url = mem_strdup(inner->url);
    f->store.inner = inner;
    REQUIRE(pthread_mutex_init(&f->mutex, NULL) == 0);
    return &f->store;
}

void
store_fault_add(struct store *s, const struct store_fault *fault)
{
    struct store_fault_store *f = lock(s);
    struct line *l = &f->plan[f->lines];

    REQUIRE(f->lines < MAX_FAULTS);
    *l = (struct line){.fault = *fault, .key = fault->key != NULL ? mem_strdup(fault->key) : NULL};
    l->fault.key = NULL; /* it may not live as long as the plan */
    f->lines++;
    unlock(f);
}

void
store_fault_clear(struct store *s)
{
    struct store_fault_store *f = lock(s);

    for (size_t i = 0; i < f->lines; i++)
        free(f->plan[i].key);
    f->lines = 0;
    unlock(f);
}

void
store_fault_shift_times(struct store *s, int64_t objects_ms, int64_t now_ms)
{
    struct store_fault_store *f = lock(s);

    f->objects_ms = objects_ms;
    f->now_ms = now_ms;
    unlock(f);
}

void
store_fault_set_hook(struct store *s, void (*hook)(enum store_call call, const char *key, void *cookie), void *cookie)
{
    struct store_fault_store *f = lock(s);

    f->hook = hook;
    f->hook_cookie = cookie;
    unlock(f);
}

struct store_fault_counts
store_fault_counts(struct store *s)
{
    struct store_fault_store *f = lock(s);
    struct store_fault_counts counts = f->counts;

    unlock(f);
    return counts;
}

void
store_fault_reset_counts(struct store *s)
{
    struct store_fault_store *f = lock(s);

    memset(&f->counts, 0, sizeof(f->counts));
    unlock(f);
}
