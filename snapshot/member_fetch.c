/* SPDX-License-Identifier: Apache-2.0 */
/* member_fetch.c: see member_fetch.h. The caller's side is member_fetch_next(), the workers' side work(). */
#include "snapshot/member_fetch.h"

#include <inttypes.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/pool.h"
#include "base/sig.h"
#include "snapshot/memory_plan.h"
#include "snapshot/repo/segment.h"
#include "snapshot/repo/stored.h"

/* A signal does not wake a thread that waits for another: it looks this often. */
#define LOOK_EVERY_MS 100

/* A buffer of the ring: a worker's from its submission until `done`, then the caller's. */
struct slot {
    uint8_t *raw;
    uint64_t number;
    bool had;
    bool done; /* guarded by the mutex */
    struct err err;
};

/* What one worker owns. */
struct fetcher {
    struct segment_decoder *zstd;
    uint8_t *stored;
};

struct member_fetch {
    const struct member_read *r;
    const struct index *index;
    struct memory_read_plan plan;
    struct slot *slots;       /* plan.ring */
    struct fetcher *fetchers; /* plan.jobs */
    struct pool *pool;
    uint64_t submitted, taken; /* segments given to the workers, and to the caller */
    pthread_mutex_t mutex;     /* guards what follows */
    pthread_cond_t changed;
    uint64_t failed; /* the lowest segment that failed; UINT64_MAX: none */
};

/* ---- workers ----------------------------------------------------------------------------------------------------- */

/* Fetch segment N, prove it, decompress it into OUT, or leave it there as it was stored. */
static int
fetch(const struct member_fetch *f, const struct fetcher *own, uint64_t n, uint8_t *out, struct err *err)
{
    const struct index_segment *s = &f->index->segments[n];
    uint8_t *stored = f->r->as_stored ? out : own->stored;

    if (stored_segment(f->r->repo, f->r->m, f->r->member, n, s, stored, err) < 0)
        return -1;
    return f->r->as_stored ? 0
                           : segment_decode(own->zstd, stored, (size_t)s->stored_size, out, (size_t)s->raw_size, err);
}

static int
load(const struct member_fetch *f, const struct fetcher *own, struct slot *slot, struct err *err)
{
    const struct index_segment *s = &f->index->segments[slot->number];
    const struct member_read *r = f->r;
    size_t len = (size_t)s->raw_size;

    if (sig_check(err) < 0)
        return -1;
    slot->had = r->have != NULL && r->have(slot->number, s->raw_offset, slot->raw, len, r->cookie);
    if (slot->had)
        return 0;
    if (fetch(f, own, slot->number, slot->raw, err) < 0 ||
        (r->place != NULL && r->place(slot->number, s->raw_offset, slot->raw, len, r->cookie, err) < 0))
        return err_wrap(err, "segment %" PRIu64, slot->number);
    return 0;
}

static bool
comes_after_a_failure(struct member_fetch *f, uint64_t number)
{
    bool after;

    (void)pthread_mutex_lock(&f->mutex);
    after = number > f->failed;
    (void)pthread_mutex_unlock(&f->mutex);
    return after;
}

/* A failure is kept with its segment, and the pool is not told of it: what comes before that segment is still worked
 * on, so that the caller meets the first failure in order. */
static int
work(void *item, unsigned worker, void *cookie, struct err *err)
{
    struct member_fetch *f = cookie;
    struct slot *slot = item;

    (void)err;
    if (comes_after_a_failure(f, slot->number) || load(f, &f->fetchers[worker], slot, &slot->err) == 0)
        return 0;
    (void)pthread_mutex_lock(&f->mutex);
    if (slot->number < f->failed)
        f->failed = slot->number;
    (void)pthread_mutex_unlock(&f->mutex);
    return 0;
}

static void
done(void *item, void *cookie)
{
    struct member_fetch *f = cookie;
    struct slot *slot = item;

    (void)pthread_mutex_lock(&f->mutex);
    slot->done = true;
    (void)pthread_cond_signal(&f->changed); /* only the caller waits */
    (void)pthread_mutex_unlock(&f->mutex);
}

static const struct pool_ops pool_ops = {.work = work, .done = done};

/* ---- the caller -------------------------------------------------------------------------------------------------- */

/* Give the workers every segment that has a free buffer. A ring that is at most twice as long as there are workers, and
 * one, never fills the pool's queue while the segment that is wanted is there already. */
static void
submit(struct member_fetch *f)
{
    while (f->submitted < f->index->count && f->submitted < f->taken + f->plan.ring) {
        struct slot *slot = &f->slots[f->submitted % f->plan.ring];

        slot->number = f->submitted++;
        slot->done = false; /* no worker has it */
        err_clear(&slot->err);
        REQUIRE(pool_submit(f->pool, slot)); /* nothing but member_fetch_end() makes the pool fail */
    }
}

static int
wait_for(struct member_fetch *f, const struct slot *slot, struct err *err)
{
    int rc = 0;

    (void)pthread_mutex_lock(&f->mutex);
    while (rc == 0 && !slot->done) {
        struct timespec until;

        (void)clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += LOOK_EVERY_MS * 1000000L;
        until.tv_sec += until.tv_nsec / 1000000000L;
        until.tv_nsec %= 1000000000L;
        (void)pthread_cond_timedwait(&f->changed, &f->mutex, &until);
        rc = sig_check(err);
    }
    (void)pthread_mutex_unlock(&f->mutex);
    return rc;
}

int
member_fetch_next(struct member_fetch *f, struct member_piece *piece, struct err *err)
{
    const struct slot *slot = &f->slots[f->taken % f->plan.ring];
    const struct index_segment *s;

    REQUIRE(f->taken < f->index->count);
    if (sig_check(err) < 0)
        return -1;
    submit(f);
    if (wait_for(f, slot, err) < 0)
        return -1;
    if (slot->err.code != ERR_NONE) {
        *err = slot->err;
        return -1;
    }
    s = &f->index->segments[f->taken];
    *piece = (struct member_piece){
        .raw = slot->raw,
        .len = (size_t)(f->r->as_stored ? s->stored_size : s->raw_size),
        .had = slot->had,
    };
    f->taken++;
    return 0;
}

/* ---- building and clearing --------------------------------------------------------------------------------------- */

static int
make_plan(struct member_fetch *f, struct err *err)
{
    size_t raw = 0, stored = 0;
    unsigned jobs = f->r->options->jobs;

    if (stored_index_bounds(f->index, &raw, &stored, err) < 0)
        return -1;
    if (f->r->as_stored) { /* the ring holds what the workers fetch, and they need no more */
        raw = stored + 1;
        stored = 0;
    }
    if (f->index->count < jobs)
        jobs = f->index->count > 0 ? (unsigned)f->index->count : 1;
    if (memory_plan_read(f->r->options->memory, jobs, raw > 0 ? raw : 1, stored + 1, &f->plan, err) < 0)
        return -1;
    log_debug("memory plan of reading", LOG_U("jobs", f->plan.jobs), LOG_U("ring", f->plan.ring),
              LOG_U("segment", f->plan.raw_bytes), LOG_U("buffers", f->plan.buffer_bytes));
    return 0;
}

static int
build(struct member_fetch *f, struct err *err)
{
    if (make_plan(f, err) < 0)
        return -1;
    f->slots = mem_array(f->plan.ring, sizeof(*f->slots));
    f->fetchers = mem_array(f->plan.jobs, sizeof(*f->fetchers));
    for (unsigned i = 0; i < f->plan.ring; i++) {
        f->slots[i].raw = mem_pages(f->plan.raw_bytes, err);
        if (f->slots[i].raw == NULL)
            return -1;
    }
    for (unsigned i = 0; i < f->plan.jobs; i++) {
        struct fetcher *own = &f->fetchers[i];

        own->stored = mem_pages(f->plan.stored_bytes, err);
        own->zstd = own->stored != NULL ? segment_decoder_new(err) : NULL;
        if (own->zstd == NULL)
            return -1;
    }
    f->pool = pool_start(f->plan.jobs, &pool_ops, f, err);
    return f->pool != NULL ? 0 : -1;
}

struct member_fetch *
member_fetch_start(const struct member_read *r, const struct index *index, struct err *err)
{
    struct member_fetch *f = mem_new(sizeof(*f));
    pthread_condattr_t attr;

    f->r = r;
    f->index = index;
    f->failed = UINT64_MAX;
    REQUIRE(pthread_mutex_init(&f->mutex, NULL) == 0);
    REQUIRE(pthread_condattr_init(&attr) == 0 && pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0);
    REQUIRE(pthread_cond_init(&f->changed, &attr) == 0);
    (void)pthread_condattr_destroy(&attr);
    if (build(f, err) < 0) {
        member_fetch_end(f);
        return NULL;
    }
    return f;
}

void
member_fetch_end(struct member_fetch *f)
{
    struct err cause = ERR_INIT, unused = ERR_INIT;

    if (f == NULL)
        return;
    if (f->pool != NULL && f->taken < f->submitted) {
        (void)err_set(&cause, ERR_INTERRUPTED, "the reader has given up");
        pool_cancel(f->pool, &cause);
    }
    (void)!pool_finish(f->pool, &unused); /* the caller knows already */
    for (unsigned i = 0; f->slots != NULL && i < f->plan.ring; i++)
        mem_pages_free(f->slots[i].raw, f->plan.raw_bytes);
    for (unsigned i = 0; f->fetchers != NULL && i < f->plan.jobs; i++) {
        mem_pages_free(f->fetchers[i].stored, f->plan.stored_bytes);
        segment_decoder_free(f->fetchers[i].zstd);
    }
    free(f->slots);
    free(f->fetchers);
    (void)pthread_cond_destroy(&f->changed);
    (void)pthread_mutex_destroy(&f->mutex);
    free(f);
}
