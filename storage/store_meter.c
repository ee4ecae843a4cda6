/* SPDX-License-Identifier: Apache-2.0 */
/* store_meter.c: see store_meter.h. */
#include "storage/store_meter.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"

const int64_t store_meter_bounds_ms[METER_BUCKETS] = {5, 10, 25, 50, 100, 250, 500, 1000, 5000, 30000};

struct metered {
    struct store store;
    struct store_meter *meter;
};

const char *
store_meter_name(enum store_meter_call call)
{
    static const char *const names[] = {[METER_PUT] = "put",   [METER_GET] = "get",       [METER_STAT] = "stat",
                                        [METER_LIST] = "list", [METER_REMOVE] = "remove", [METER_NOW] = "now"};

    return names[call];
}

/* Did the store, or the way to it, fail? The other codes are answers to what was asked, or come from this side. */
static bool
is_failure(enum err_code code)
{
    return code == ERR_STORAGE || code == ERR_STORE_DENIED || code == ERR_NO_SPACE || code == ERR_CORRUPT ||
           code == ERR_INTERNAL;
}

/* A call that began at BEGAN_MS has ended with RC; PUT and GOT are the bytes it moved. Returns RC. */
static int
count(const struct store *s, enum store_meter_call call, int64_t began_ms, int rc, const struct err *err, uint64_t put,
      uint64_t got)
{
    struct store_meter *meter = ((const struct metered *)s)->meter;
    struct store_meter_counts *c = &meter->counts;
    int64_t took_ms = clock_mono_ms() - began_ms;
    size_t bucket = 0;

    while (bucket < METER_BUCKETS && took_ms > store_meter_bounds_ms[bucket])
        bucket++;
    REQUIRE(pthread_mutex_lock(&meter->mutex) == 0);
    c->calls[call].calls++;
    c->calls[call].buckets[bucket]++;
    c->calls[call].total_ms += (uint64_t)took_ms;
    if (rc == 0) {
        c->bytes_put += put;
        c->bytes_got += got;
    } else if (is_failure(err->code)) {
        c->calls[call].failures++;
    }
    REQUIRE(pthread_mutex_unlock(&meter->mutex) == 0);
    return rc;
}

static int
meter_put(struct store *s, const struct store_put *put, struct err *err)
{
    int64_t began_ms = clock_mono_ms();

    return count(s, METER_PUT, began_ms, s->inner->ops->put(s->inner, put, err), err, put->len, 0);
}

static int
meter_get(struct store *s, const char *key, uint64_t off, void *buf, size_t len, size_t *got, struct err *err)
{
    int64_t began_ms = clock_mono_ms();
    int rc = s->inner->ops->get(s->inner, key, off, buf, len, got, err);

    return count(s, METER_GET, began_ms, rc, err, 0, rc == 0 ? *got : 0);
}

static int
meter_stat(struct store *s, const char *key, struct store_object *object, struct err *err)
{
    int64_t began_ms = clock_mono_ms();

    return count(s, METER_STAT, began_ms, s->inner->ops->stat(s->inner, key, object, err), err, 0, 0);
}

static int
meter_list(struct store *s, const struct store_list *what, store_list_fn *fn, void *cookie, struct err *err)
{
    int64_t began_ms = clock_mono_ms();

    return count(s, METER_LIST, began_ms, s->inner->ops->list(s->inner, what, fn, cookie, err), err, 0, 0);
}

static int
meter_remove(struct store *s, const char *key, struct err *err)
{
    int64_t began_ms = clock_mono_ms();

    return count(s, METER_REMOVE, began_ms, s->inner->ops->remove(s->inner, key, err), err, 0, 0);
}

static int
meter_remove_many(struct store *s, const char *const *keys, size_t n, struct err *err)
{
    int64_t began_ms = clock_mono_ms();
    int rc = 0;

    if (s->inner->ops->remove_many != NULL)
        return count(s, METER_REMOVE, began_ms, s->inner->ops->remove_many(s->inner, keys, n, err), err, 0, 0);
    for (size_t i = 0; i < n && rc == 0; i++)
        rc = meter_remove(s, keys[i], err);
    return rc;
}

static int
meter_now(struct store *s, int64_t *now_ms, struct err *err)
{
    int64_t began_ms = clock_mono_ms();

    return count(s, METER_NOW, began_ms, s->inner->ops->now(s->inner, now_ms, err), err, 0, 0);
}

static void
meter_free(struct store *s)
{
    free(s);
}

static const struct store_ops meter_ops = {
    .name = "meter",
    .put = meter_put,
    .get = meter_get,
    .stat = meter_stat,
    .list = meter_list,
    .remove = meter_remove,
    .remove_many = meter_remove_many,
    .now = meter_now,
    .free = meter_free,
};

struct store *
store_meter_new(struct store *inner, struct store_meter *meter)
{
    struct metered *m = mem_new(sizeof(*m));

    m->store.ops = &meter_ops;
    m->store.features = ~0u;
    m->store.url = mem_strdup(inner->url);
    m->store.inner = inner;
    m->meter = meter;
    return &m->store;
}

void
store_meter_retried(struct store_meter *meter)
{
    REQUIRE(pthread_mutex_lock(&meter->mutex) == 0);
    meter->counts.retries++;
    REQUIRE(pthread_mutex_unlock(&meter->mutex) == 0);
}

struct store_meter_counts
store_meter_read(struct store_meter *meter)
{
    struct store_meter_counts copy;

    REQUIRE(pthread_mutex_lock(&meter->mutex) == 0);
    copy = meter->counts;
    REQUIRE(pthread_mutex_unlock(&meter->mutex) == 0);
    return copy;
}

void
store_meter_add(struct store_meter_counts *sum, const struct store_meter_counts *more)
{
    for (int i = 0; i < METER_CALLS; i++) {
        sum->calls[i].calls += more->calls[i].calls;
        sum->calls[i].failures += more->calls[i].failures;
        sum->calls[i].total_ms += more->calls[i].total_ms;
        for (int k = 0; k <= METER_BUCKETS; k++)
            sum->calls[i].buckets[k] += more->calls[i].buckets[k];
    }
    sum->bytes_put += more->bytes_put;
    sum->bytes_got += more->bytes_got;
    sum->retries += more->retries;
}
