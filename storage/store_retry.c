/* SPDX-License-Identifier: Apache-2.0 */
/* store_retry.c: see store_retry.h. */
#include "storage/store_retry.h"

#include <stdatomic.h>
#include <string.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/sig.h"
#include "base/units.h"

#define SLICE_MS     100 /* of a pause, between two looks for a signal */
#define TOLD_KEY_MAX 4096

struct store_retry {
    struct store store;
    struct store_retry_options options;
    atomic_bool answered; /* the store has answered at least once */
};

/* One call of the inner store. */
typedef int call_fn(struct store *inner, void *args, struct err *err);

struct persistence {
    int64_t began_ms;
    unsigned tries;
    struct err first;
};

/* ---- the loop ---- */

static int64_t
next_pause(const struct store_retry_options *o, unsigned tries, int64_t asked_ms)
{
    int64_t pause = o->first_pause_ms;
    uint16_t random;

    for (unsigned i = 1; i < tries && pause < o->max_pause_ms; i++)
        pause *= 2;
    pause = pause < o->max_pause_ms ? pause : o->max_pause_ms;
    digest_random(&random, sizeof(random));
    pause -= pause / 2 * random / UINT16_MAX;
    return pause > asked_ms ? pause : asked_ms;
}

/* Sleep, unless a signal comes. */
static void
sleep_until(int64_t end_ms)
{
    for (;;) {
        int64_t left = end_ms - clock_mono_ms();

        if (left <= 0 || sig_pending())
            return;
        clock_sleep_ms(left < SLICE_MS ? left : SLICE_MS);
    }
}

/* After a failed try: wait, and say whether there is to be another. */
static bool
wait_for_another(struct store_retry *r, struct persistence *p, struct err *err)
{
    const struct store_retry_options *o = &r->options;
    int64_t budget = atomic_load(&r->answered) ? o->budget_ms : o->first_budget_ms;
    int64_t pause;

    if (err->code != ERR_STORAGE) {
        atomic_store(&r->answered, true);
        return false;
    }
    if (p->tries == 1)
        p->first = *err;
    if (err->retry_after_ms == ERR_NEVER_RETRY)
        return false;
    pause = next_pause(o, p->tries, err->retry_after_ms);
    if (clock_mono_ms() - p->began_ms + pause > budget)
        return false;
    sleep_until(clock_mono_ms() + pause);
    if (sig_check(err) < 0)
        return false;
    if (o->meter != NULL)
        store_meter_retried(o->meter);
    return true;
}

static void
tell(const char *what, const struct persistence *p, bool done)
{
    char took[UNITS_TEXT_MAX];

    if (p->tries < 2)
        return;
    units_format_duration(clock_mono_ms() - p->began_ms, took);
    log_warn(done ? "the store failed and was asked again" : "the store kept failing", LOG_S("call", what),
             LOG_U("tries", p->tries), LOG_S("took", took), LOG_S("first_error", p->first.msg));
}

/* Make the call until it succeeds or is not to be made again. LOST, if not NULL, becomes true when the answer of a try
 * before the last did not come. */
static int
persist(struct store *s, const char *what, call_fn *fn, void *args, bool *lost, struct err *err)
{
    struct store_retry *r = (struct store_retry *)s;
    struct persistence p = {.began_ms = clock_mono_ms(), .first = ERR_INIT};
    struct err cause = ERR_INIT;
    int rc;

    for (;;) {
        p.tries++;
        rc = fn(s->inner, args, &cause);
        if (rc == 0 || !wait_for_another(r, &p, &cause))
            break;
        if (lost != NULL)
            *lost = true;
    }
    if (rc == 0)
        atomic_store(&r->answered, true);
    tell(what, &p, rc == 0 || cause.code != ERR_STORAGE);
    if (rc < 0) {
        *err = cause;
        if (p.tries > 1 && cause.code == ERR_STORAGE)
            (void)err_wrap(err, "failed %u times", p.tries);
    }
    return rc;
}

/* ---- put ---- */

static int
call_put(struct store *inner, void *args, struct err *err)
{
    return inner->ops->put(inner, args, err);
}

struct get_args {
    const char *key;
    uint64_t off;
    void *buf;
    size_t len;
    size_t *got;
};

static int
call_get(struct store *inner, void *args, struct err *err)
{
    const struct get_args *a = args;

    return inner->ops->get(inner, a->key, a->off, a->buf, a->len, a->got, err);
}

/* A put whose answer was lost met an object: is it ours? 0: yes. */
static int
settle(struct store *s, const struct store_put *put, struct err *err)
{
    size_t room = put->len + 1, got = 0;
    void *buf = mem_pages(room, err);
    struct get_args args = {.key = put->key, .buf = buf, .len = room, .got = &got};
    int rc = -1;

    if (buf == NULL)
        return -1;
    if (persist(s, "get", call_get, &args, NULL, err) < 0)
        rc = err_wrap(err, "it exists, and whether an earlier try put it could not be found out");
    else if (got != put->len || (got > 0 && memcmp(buf, put->data, got) != 0))
        rc = err_set(err, ERR_EXISTS, "it exists already");
    else
        rc = 0;
    mem_pages_free(buf, room);
    return rc;
}

static int
retry_put(struct store *s, const struct store_put *put, struct err *err)
{
    struct store_put copy = *put;
    struct err cause = ERR_INIT;
    bool lost = false;

    if (persist(s, "put", call_put, &copy, &lost, &cause) == 0)
        return 0;
    if (lost && cause.code == ERR_EXISTS)
        return settle(s, put, err);
    *err = cause;
    /* A refusal now says nothing about the earlier try: whoever reads this must not take the object for absent. */
    if (lost && cause.code != ERR_STORAGE && cause.code != ERR_INTERRUPTED)
        return err_set(err, ERR_STORAGE, "an earlier try may have stored it, but then: %s", cause.msg);
    return -1;
}

/* ---- list ---- */

struct list_args {
    struct store_list what;
    store_list_fn *fn;
    void *cookie;
    char last[TOLD_KEY_MAX]; /* told last; "" at first */
    bool too_long;           /* a key did not fit there: the listing cannot go on behind it */
    bool enough;             /* the callback has what it wanted */
};

static bool
tell_and_note(const struct store_object *object, void *cookie)
{
    struct list_args *a = cookie;
    size_t len = strlen(object->key);

    a->too_long = len >= sizeof(a->last);
    if (!a->too_long)
        memcpy(a->last, object->key, len + 1);
    a->enough = !a->fn(object, a->cookie);
    return !a->enough;
}

static int
call_list(struct store *inner, void *args, struct err *err)
{
    struct list_args *a = args;

    if (a->last[0] != '\0')
        a->what.start_after = a->last;
    if (inner->ops->list(inner, &a->what, tell_and_note, a, err) == 0 || a->enough)
        return 0;
    if (a->too_long)
        err->retry_after_ms = ERR_NEVER_RETRY;
    return -1;
}

static int
retry_list(struct store *s, const struct store_list *what, store_list_fn *fn, void *cookie, struct err *err)
{
    struct list_args *a = mem_new(sizeof(*a));
    int rc;

    a->what = *what;
    a->fn = fn;
    a->cookie = cookie;
    rc = persist(s, "list", call_list, a, NULL, err);
    free(a);
    return rc;
}

/* ---- the others ---- */

static int
retry_get(struct store *s, const char *key, uint64_t off, void *buf, size_t len, size_t *got, struct err *err)
{
    struct get_args args = {.key = key, .off = off, .buf = buf, .len = len, .got = got};

    return persist(s, "get", call_get, &args, NULL, err);
}

struct stat_args {
    const char *key;
    struct store_object *object;
};

static int
call_stat(struct store *inner, void *args, struct err *err)
{
    const struct stat_args *a = args;

    return inner->ops->stat(inner, a->key, a->object, err);
}

static int
retry_stat(struct store *s, const char *key, struct store_object *object, struct err *err)
{
    struct stat_args args = {.key = key, .object = object};

    return persist(s, "stat", call_stat, &args, NULL, err);
}

struct remove_args {
    const char *const *keys;
    size_t count;
};

static int
call_remove(struct store *inner, void *args, struct err *err)
{
    const struct remove_args *a = args;

    return inner->ops->remove(inner, a->keys[0], err);
}

static int
retry_remove(struct store *s, const char *key, struct err *err)
{
    struct remove_args args = {.keys = &key, .count = 1};

    return persist(s, "remove", call_remove, &args, NULL, err);
}

static int
call_remove_many(struct store *inner, void *args, struct err *err)
{
    const struct remove_args *a = args;
    int rc = 0;

    if (inner->ops->remove_many != NULL)
        return inner->ops->remove_many(inner, a->keys, a->count, err);
    for (size_t i = 0; i < a->count && rc == 0; i++)
        rc = inner->ops->remove(inner, a->keys[i], err);
    return rc;
}

static int
retry_remove_many(struct store *s, const char *const *keys, size_t count, struct err *err)
{
    struct remove_args args = {.keys = keys, .count = count};

    return persist(s, "remove", call_remove_many, &args, NULL, err);
}

static int
call_now(struct store *inner, void *args, struct err *err)
{
    return inner->ops->now(inner, args, err);
}

static int
retry_now(struct store *s, int64_t *now_ms, struct err *err)
{
    return persist(s, "now", call_now, now_ms, NULL, err);
}

static void
retry_free(struct store *s)
{
    free(s);
}

static const struct store_ops retry_ops = {
    .name = "retry",
    .put = retry_put,
    .get = retry_get,
    .stat = retry_stat,
    .list = retry_list,
    .remove = retry_remove,
    .remove_many = retry_remove_many,
    .now = retry_now,
    .free = retry_free,
};

static int64_t
or_preset(int64_t given, int64_t preset)
{
    return given > 0 ? given : preset;
}

struct store *
store_retry_new(struct store *inner, const struct store_retry_options *options)
{
    struct store_retry *r = mem_new(sizeof(*r));
    struct store_retry_options *o = &r->options;

    o->budget_ms = or_preset(options->budget_ms, 5 * INT64_C(60000));
    o->first_budget_ms = or_preset(options->first_budget_ms, 20000);
    if (o->first_budget_ms > o->budget_ms)
        o->first_budget_ms = o->budget_ms;
    o->first_pause_ms = or_preset(options->first_pause_ms, 250);
    o->max_pause_ms = or_preset(options->max_pause_ms, 20000);
    o->meter = options->meter;
    r->store.ops = &retry_ops;
    r->store.features = ~0u;
    r->store.url = mem_strdup(inner->url);
    r->store.inner = inner;
    return &r->store;
}
