/* SPDX-License-Identifier: Apache-2.0 */
/*
 * time_travel.c [--seeds N] [--seed S]: two years of hourly backups in a store whose clock is ours, once for each of N
 * seeds from S on: backups that fail, run for days, have wrong clocks, are suspicious, damaged, held, verified,
 * deleted, or come back; gaps; stores that deny removals; prunes that are cut off at any call, and that meet a hold, a
 * backup or another prune in the middle of one. A model of what is true is kept apart from the code under test, and
 * after every prune the whole store is listed and compared with it. Exit status 1 when a law is broken; the seed
 * repeats it.
 *
 * The laws stand in check_item(), check_prune() and check_end().
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/units.h"
#include "snapshot/prune/prune.h"
#include "snapshot/repo/fact.h"
#include "snapshot/repo/hold.h"
#include "snapshot/repo/index.h"
#include "snapshot/repo/manifest.h"
#include "storage/store_fault.h"
#include "storage/store_mem.h"

#define INSTANCE "shop-cache"
#define TOOL     "0.0.test"
#define MINUTE   ((int64_t)60 * 1000)
#define HOUR     (60 * MINUTE)
#define DAY      (24 * HOUR)
#define YEARS    (2 * 365 * DAY)
#define GONE_MAX 16 /* backups that can come back */

/* What a listing of the whole store shows of one id. */
struct seen {
    bool manifest, note, facts[LAYOUT_EXPIRED + 1];
    unsigned data;
};

/* The truth about one id. */
struct item {
    struct backup_id id;
    int64_t taken_ms; /* the time in the id */
    bool published;   /* it has had a manifest */
    bool damaged;     /* that manifest was spoilt */
    bool lost;        /* the store lost one of its objects */
    bool suspicious, accepted, verified;
    bool held;          /* a hold was told that all is well, and was not released */
    unsigned objects;   /* of data/ that were put and must be there */
    int64_t newest_ms;  /* when the last of them was put */
    int64_t removed_ms; /* when the manifest was found to have gone; 0: it has not */
    unsigned slow_left; /* a backup that runs for days: segments still to come; then the manifest */
    int64_t slow_next_ms;
    bool planned;      /* a plan of this prune removes the manifest, with a reason */
    bool planned_rest; /* or what is left */
    struct seen was, is;
};

struct odds {
    unsigned fail, slow, skew, suspicious, hold, release, accept, verify, delete, damage, lose, gap, late, back, deny;
};

struct world {
    uint64_t seed, random;
    struct store *mem, *store; /* the second is a store_fault around the first */
    struct repo repo;          /* through the second */
    int64_t now, end, next_prune, deny_until;
    struct retention_policy policy, policy_now; /* its own; that of the prune under way */
    int64_t orphan_age_ms;
    struct odds odds; /* in 10,000 an hour */
    unsigned suspicious_run;
    struct item *items; /* ascending by id: all of which there is an object in the store */
    size_t count, allocated;
    struct item gone[GONE_MAX];
    size_t gone_count;
    bool broken; /* a law */

    /* What happens in the middle of a prune. */
    pthread_mutex_t mutex;
    uint64_t hook_at, hook_calls;
    bool hook_done, hook_published;

    uint64_t backups, prunes, cut_off, removed, leftovers, paused, denied, in_the_middle;
};

/* ---- chance ------------------------------------------------------------------------------------------------------ */

static uint64_t
next_random(struct world *w)
{
    uint64_t v = w->random += UINT64_C(0x9e3779b97f4a7c15);

    v = (v ^ v >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    v = (v ^ v >> 27) * UINT64_C(0x94d049bb133111eb);
    return v ^ v >> 31;
}

static uint64_t
below(struct world *w, uint64_t n)
{
    return n == 0 ? 0 : next_random(w) % n;
}

static bool
chance(struct world *w, unsigned in_ten_thousand)
{
    return below(w, 10000) < in_ten_thousand;
}

/* FROM to TO, short times as likely as long ones. */
static int64_t
span(struct world *w, int64_t from, int64_t to)
{
    int64_t t = from;

    while (t * 2 < to && below(w, 3) != 0)
        t *= 2;
    return t + (int64_t)below(w, (uint64_t)(t < to - t ? t : to - t) + 1);
}

static void broken(struct world *w, const struct item *item, const char *fmt, ...) PRINTF_LIKE(3, 4);

static void
broken(struct world *w, const struct item *item, const char *fmt, ...)
{
    char when[UNITS_TEXT_MAX], text[512];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    if (!w->broken)
        printf("time-travel: seed %" PRIu64 ", %s, %s: %s\n", w->seed, units_format_time(w->now, when),
               item != NULL ? item->id.text : "the instance", text);
    w->broken = true;
}

/* ---- the store --------------------------------------------------------------------------------------------------- */

static void
go_to(struct world *w, int64_t ms)
{
    w->now = ms;
    store_mem_set_clock(w->mem, ms - clock_wall_ms());
}

/* What the model itself does to the store never fails. */
static void
sure(struct world *w, int rc, const struct err *err)
{
    if (rc < 0)
        broken(w, NULL, "the test's own call failed: %s", err->msg);
}

static void
put(struct world *w, const char *key, const void *data, size_t len)
{
    struct store_put what = {.key = key, .data = data, .len = len};
    struct err err = ERR_INIT;

    sure(w, store_put(w->mem, &what, &err), &err);
}

static struct repo
past_the_faults(const struct world *w)
{
    struct repo repo = w->repo;

    repo.store = w->mem;
    return repo;
}

static void
put_fact(struct world *w, enum layout_fact kind, const struct item *item)
{
    const struct repo repo = past_the_faults(w);
    struct err err = ERR_INIT;

    sure(w, fact_put(&repo, INSTANCE, kind, &item->id, NULL, TOOL, &err), &err);
}

/* ---- the model --------------------------------------------------------------------------------------------------- */

static size_t
place_of(const struct world *w, const char *id)
{
    size_t low = 0, high = w->count;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (strcmp(w->items[mid].id.text, id) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static struct item *
find(struct world *w, const struct backup_id *id)
{
    size_t at = place_of(w, id->text);

    return at < w->count && strcmp(w->items[at].id.text, id->text) == 0 ? &w->items[at] : NULL;
}

/* Valid until the next one is added or dropped. */
static struct item *
add(struct world *w, const struct item *item)
{
    size_t at = place_of(w, item->id.text);

    if (w->count == w->allocated) {
        w->allocated = w->allocated > 0 ? 2 * w->allocated : 256;
        w->items = mem_grow(w->items, w->allocated, sizeof(*w->items));
    }
    memmove(&w->items[at + 1], &w->items[at], (w->count - at) * sizeof(*w->items));
    w->count++;
    w->items[at] = *item;
    return &w->items[at];
}

/* One that has a manifest; NULL where chance finds none in a few tries. */
static struct item *
pick(struct world *w)
{
    for (int i = 0; i < 4 && w->count > 0; i++) {
        struct item *item = &w->items[below(w, w->count)];

        if (item->published && item->removed_ms == 0)
            return item;
    }
    return NULL;
}

static bool
is_there(const struct item *item)
{
    return item->published && item->removed_ms == 0;
}

/* By what the manifest and the facts say, as anyone can read them. */
static bool
looks_good(const struct world *w, const struct item *item)
{
    return is_there(item) && !item->damaged && (!item->suspicious || item->accepted) && item->taken_ms <= w->now + HOUR;
}

/* The order of the items is that of their times. */
static struct item *
newest_good(struct world *w)
{
    for (size_t i = w->count; i > 0; i--) {
        if (looks_good(w, &w->items[i - 1]))
            return &w->items[i - 1];
    }
    return NULL;
}

static bool
must_pause(struct world *w, const struct retention_policy *p)
{
    const struct item *newest = newest_good(w);

    if (p->last + p->hourly + p->daily + p->weekly + p->monthly + p->yearly == 0 && p->within_ms == 0)
        return true;
    if (newest == NULL || (p->expect_every_ms > 0 && w->now - newest->taken_ms > p->expect_every_ms + MINUTE))
        return true;
    for (size_t i = w->count; i > 0; i--) {
        const struct item *item = &w->items[i - 1];

        if (is_there(item) && !item->damaged && item->taken_ms <= w->now + HOUR)
            return item->suspicious && !item->accepted;
    }
    return true;
}

/* ---- backups ----------------------------------------------------------------------------------------------------- */

static void
new_id(struct world *w, struct item *item)
{
    char text[64], when[24];
    int64_t ms = w->now - (int64_t)below(w, MINUTE);
    struct tm tm;
    time_t s;

    if (chance(w, w->odds.skew))
        ms += (below(w, 2) != 0 ? 1 : -1) * span(w, MINUTE, 10 * DAY);
    s = (time_t)(ms / 1000);
    (void)gmtime_r(&s, &tm);
    (void)strftime(when, sizeof(when), "%Y%m%dT%H%M%SZ", &tm);
    (void)snprintf(text, sizeof(text), "%s-%06x", when, (unsigned)below(w, 1u << 24));
    if (!backup_id_parse(text, &item->id, &item->taken_ms))
        broken(w, NULL, "no id: %s", text);
}

static void
put_segment(struct world *w, struct item *item)
{
    struct layout_key key;

    layout_segment(&key, INSTANCE, &item->id, LAYOUT_MEMBER_RDB, item->objects++);
    put(w, key.text, "segment", 7);
    item->newest_ms = w->now;
}

/* The index of all segments, then the manifest. */
static void
publish(struct world *w, struct item *item)
{
    struct manifest *m = manifest_new();
    struct layout_key key;
    struct index index;
    struct err err = ERR_INIT;
    char *data;
    size_t len = 0;

    index_init(&index);
    for (unsigned i = 0; i < item->objects; i++)
        sure(w,
             index_set(&index, i, &(struct index_segment){.raw_offset = i * 9, .raw_size = 9, .stored_size = 7}, &err),
             &err);
    data = index_write(&index, &len);
    layout_index(&key, INSTANCE, &item->id, LAYOUT_MEMBER_RDB);
    put(w, key.text, data, len);
    m->id = item->id;
    (void)snprintf(m->uuid, sizeof(m->uuid), "01234567-89ab-4def-8123-456789abcdef");
    (void)snprintf(m->instance, sizeof(m->instance), INSTANCE);
    (void)snprintf(m->method, sizeof(m->method), "file");
    (void)snprintf(m->tool_version, sizeof(m->tool_version), TOOL);
    m->snapshot_ms = m->started_ms = m->finished_ms = item->taken_ms;
    m->suspicious = item->suspicious;
    m->rdb_member = (struct manifest_member){.name = LAYOUT_MEMBER_RDB,
                                             .raw_size = index_raw_size(&index),
                                             .stored_size = index_stored_size(&index),
                                             .segments = index.count,
                                             .index_size = len};
    digest_sha256(data, len, m->rdb_member.index_sha256);
    free(data);
    data = manifest_write(m, &len);
    layout_manifest(&key, INSTANCE, &item->id);
    put(w, key.text, data, len);
    free(data);
    index_fini(&index);
    manifest_free(m);
    item->objects++;
    item->newest_ms = w->now;
    item->published = true;
    item->removed_ms = 0;
    w->backups++;
}

static void
back_up(struct world *w)
{
    struct item item = {0};
    bool fails = chance(w, w->odds.fail), slow = chance(w, w->odds.slow);

    new_id(w, &item);
    if (find(w, &item.id) != NULL)
        return;
    if (chance(w, w->odds.suspicious))
        w->suspicious_run = 1 + (unsigned)below(w, 48);
    if (w->suspicious_run > 0) {
        w->suspicious_run--;
        item.suspicious = true;
    }
    put_segment(w, &item);
    if (below(w, 4) == 0)
        put_segment(w, &item);
    if (slow) {
        item.slow_left = 2 + (unsigned)below(w, 6);
        item.slow_next_ms = w->now + span(w, HOUR, 11 * HOUR);
    } else if (!fails) {
        publish(w, &item);
    } else if (below(w, 4) == 0) {
        put(w, LAYOUT_INSTANCES INSTANCE "/probe/0123456789abcdef", "{}", 2);
    }
    add(w, &item);
}

/* Backups that run for days put a segment in time, and are published when the last one is young enough. */
static void
go_on_slowly(struct world *w)
{
    for (size_t i = 0; i < w->count; i++) {
        struct item *item = &w->items[i];

        if (item->slow_left == 0 || w->now < item->slow_next_ms)
            continue;
        if (w->now - item->newest_ms >= 12 * HOUR) {
            item->slow_left = 0; /* it gave up */
            continue;
        }
        if (--item->slow_left == 0) {
            publish(w, item);
            continue;
        }
        put_segment(w, item);
        item->slow_next_ms = w->now + span(w, HOUR, 11 * HOUR);
    }
}

/* A backup that was removed altogether is copied in again. */
static void
come_back(struct world *w)
{
    struct item item = {0};
    const struct item *gone;

    if (w->gone_count == 0)
        return;
    gone = &w->gone[below(w, w->gone_count)];
    if (find(w, &gone->id) != NULL)
        return;
    item.id = gone->id;
    item.taken_ms = gone->taken_ms;
    item.suspicious = gone->suspicious;
    put_segment(w, &item);
    publish(w, &item);
    add(w, &item);
}

/* ---- what people and others do ----------------------------------------------------------------------------------- */

static void
hold_one(struct world *w, struct item *item)
{
    const struct repo repo = past_the_faults(w);
    struct err err = ERR_INIT;
    bool changed = false;

    if (item == NULL)
        return;
    if (hold_put(&repo, INSTANCE, &item->id, NULL, TOOL, &changed, &err) == 0)
        item->held = true;
    else if (err.code != ERR_LOCKED && err.code != ERR_NOT_FOUND)
        broken(w, item, "hold failed: %s", err.msg);
}

static void
release_one(struct world *w, struct item *item)
{
    const struct repo repo = past_the_faults(w);
    struct err err = ERR_INIT;
    bool changed;

    if (item == NULL || !item->held)
        return;
    sure(w, hold_release(&repo, INSTANCE, &item->id, &changed, &err), &err);
    item->held = false;
}

static void
accept_one(struct world *w, struct item *item)
{
    if (item == NULL || !item->suspicious)
        return;
    put_fact(w, LAYOUT_ACCEPTED, item);
    item->accepted = true;
}

static void
damage_one(struct world *w, struct item *item)
{
    struct layout_key key;

    if (item == NULL)
        return;
    layout_manifest(&key, INSTANCE, &item->id);
    put(w, key.text, "{\"format\":", 10);
    item->damaged = true;
}

static void
lose_one(struct world *w, struct item *item)
{
    struct layout_key key;
    struct err err = ERR_INIT;

    if (item == NULL || item->lost)
        return;
    layout_segment(&key, INSTANCE, &item->id, LAYOUT_MEMBER_RDB, 0);
    sure(w, store_remove(w->mem, key.text, &err), &err);
    item->lost = true;
    item->objects--;
}

/* A verify that ends when its backup has gone altogether. */
static void
late_fact(struct world *w)
{
    struct item item = {0};

    if (w->gone_count == 0)
        return;
    item.id = w->gone[below(w, w->gone_count)].id;
    if (find(w, &item.id) != NULL)
        return;
    put_fact(w, LAYOUT_VERIFIED, &item);
    item.newest_ms = w->now;
    add(w, &item);
}

static void observe(struct world *w);

static void
delete_one(struct world *w, struct item *item)
{
    const struct repo repo = past_the_faults(w);
    enum removal_outcome outcome = REMOVAL_KEPT;
    struct err err = ERR_INIT;

    if (item == NULL || item == newest_good(w))
        return;
    sure(w, removal_of_manifest(&repo, INSTANCE, &item->id, "delete", TOOL, &outcome, &err), &err);
    if (item->held && outcome != REMOVAL_HELD)
        broken(w, item, "a held backup was deleted");
    if (outcome == REMOVAL_DONE)
        item->removed_ms = w->now;
    else if (outcome == REMOVAL_NOT_YET || outcome == REMOVAL_KEPT)
        broken(w, item, "delete did not remove it");
}

static void
live_an_hour(struct world *w)
{
    const struct odds *o = &w->odds;

    go_on_slowly(w);
    back_up(w);
    if (chance(w, o->verify)) {
        struct item *item = pick(w);

        if (item != NULL && !item->damaged && !item->lost) {
            put_fact(w, LAYOUT_VERIFIED, item);
            item->verified = true;
        }
    }
    if (chance(w, o->hold))
        hold_one(w, pick(w));
    if (chance(w, o->release)) {
        for (size_t i = 0; i < w->count; i++)
            if (w->items[i].held && below(w, 2) == 0)
                release_one(w, &w->items[i]);
    }
    if (chance(w, o->accept)) {
        for (size_t i = 0; i < w->count; i++)
            if (is_there(&w->items[i]) && w->items[i].suspicious && !w->items[i].accepted)
                accept_one(w, &w->items[i]);
    }
    if (chance(w, o->delete))
        delete_one(w, pick(w));
    if (chance(w, o->damage))
        damage_one(w, pick(w));
    if (chance(w, o->lose))
        lose_one(w, pick(w));
    if (chance(w, o->late))
        late_fact(w);
    if (chance(w, o->back))
        come_back(w);
    if (chance(w, o->deny))
        w->deny_until = w->now + span(w, DAY, 40 * DAY);
}

/* ---- what is there ----------------------------------------------------------------------------------------------- */

/* The one whose id NAME begins with. */
static struct item *
item_of(struct world *w, const char *name)
{
    struct backup_id id;

    (void)snprintf(id.text, sizeof(id.text), "%s", name);
    return find(w, &id);
}

static bool
see(const struct store_object *object, void *cookie)
{
    static const char *const facts[] = {[LAYOUT_VERIFIED] = "verified/",
                                        [LAYOUT_ACCEPTED] = "accepted/",
                                        [LAYOUT_HOLD] = "holds/",
                                        [LAYOUT_EXPIRED] = "expired/"};
    struct world *w = cookie;
    const char *name = object->key + strlen(LAYOUT_INSTANCES INSTANCE "/"), *slash = strchr(name, '/');
    struct item *item = slash != NULL ? item_of(w, slash + 1) : NULL;

    if (item == NULL) {
        if (slash != NULL && strncmp(name, "probe/", 6) != 0)
            broken(w, NULL, "%s is of no backup that the model knows", object->key);
    } else if (strncmp(name, "backups/", 8) == 0) {
        item->is.manifest = true;
    } else if (strncmp(name, "data/", 5) == 0) {
        item->is.data++;
    } else {
        for (size_t i = 0; i < ARRAY_LEN(facts); i++)
            if (strncmp(name, facts[i], strlen(facts[i])) == 0)
                item->is.facts[i] = true;
        item->is.note = item->is.facts[LAYOUT_EXPIRED];
    }
    return true;
}

/* Look at all there is; `is` becomes `was`. */
static void
observe(struct world *w)
{
    struct err err = ERR_INIT;

    for (size_t i = 0; i < w->count; i++) {
        w->items[i].was = w->items[i].is;
        memset(&w->items[i].is, 0, sizeof(w->items[i].is));
    }
    sure(w, store_list(w->mem, &(struct store_list){.prefix = LAYOUT_INSTANCES INSTANCE "/"}, see, w, &err), &err);
}

/* Those of which nothing is left are the model's no more; some may come back. */
static void
forget_the_gone(struct world *w)
{
    size_t kept = 0;

    for (size_t i = 0; i < w->count; i++) {
        const struct seen *is = &w->items[i].is;

        if (is->manifest || is->data > 0 || is->facts[0] || is->facts[1] || is->facts[2] || is->facts[3])
            w->items[kept++] = w->items[i];
        else if (w->items[i].published)
            w->gone[w->gone_count < GONE_MAX ? w->gone_count++ : below(w, GONE_MAX)] = w->items[i];
    }
    w->count = kept;
}

/* ---- the laws ---------------------------------------------------------------------------------------------------- */

/* What holds for one id after a prune, whatever became of that. Sets removed_ms. */
static void
check_item(struct world *w, struct item *item)
{
    int64_t orphan_age = w->orphan_age_ms > DAY ? w->orphan_age_ms : DAY;
    bool gone = is_there(item) && !item->is.manifest;

    if (item->is.manifest && !is_there(item))
        broken(w, item, "its manifest has come back");
    if (item->is.manifest && item->is.data != item->objects)
        broken(w, item, "a backup whose manifest is there has %u objects, not %u", item->is.data, item->objects);
    if (item->is.manifest &&
        ((item->held && !item->is.facts[LAYOUT_HOLD]) || (item->verified && !item->is.facts[LAYOUT_VERIFIED]) ||
         (item->accepted && !item->is.facts[LAYOUT_ACCEPTED])))
        broken(w, item, "a backup that is there lost a fact");
    if (gone && item->held)
        broken(w, item, "a held backup was removed");
    if (gone && !item->planned)
        broken(w, item, "removed, and no plan gave a reason");
    if (gone && item->is.data != item->objects)
        broken(w, item, "its data went with the manifest");
    if (gone && !item->is.note)
        broken(w, item, "removed without a note");
    if (!is_there(item) && item->is.data < item->was.data) {
        if (!item->planned_rest)
            broken(w, item, "its data were removed, and no plan gave a reason");
        if (item->removed_ms > 0 && w->now - item->removed_ms < DAY)
            broken(w, item, "its data went before a day had passed");
        if (w->now - item->newest_ms < (item->removed_ms > 0 ? DAY : orphan_age))
            broken(w, item, "data were removed that were too young");
        if (item->slow_left > 0)
            broken(w, item, "the data of a backup that still runs were removed");
    }
    if (gone) {
        item->removed_ms = w->now;
        w->removed++;
    }
    item->planned = item->planned_rest = false;
}

/* What was so before a prune. */
struct before {
    uint64_t good;
    bool pause;
    struct backup_id newest_good; /* "" where there is none */
};

static uint64_t
count_good(const struct world *w)
{
    uint64_t n = 0;

    for (size_t i = 0; i < w->count; i++)
        n += looks_good(w, &w->items[i]) && !w->items[i].lost;
    return n;
}

static struct before
look_before(struct world *w, const struct retention_policy *policy)
{
    struct item *newest = newest_good(w);
    struct before b = {.good = count_good(w), .pause = must_pause(w, policy)};

    if (newest != NULL && !newest->lost)
        b.newest_good = newest->id;
    observe(w);
    return b;
}

/* What holds for the instance after a prune. */
static void
check_prune(struct world *w, const struct retention_policy *policy, const struct before *b)
{
    uint64_t removed = w->removed, good;

    observe(w);
    for (size_t i = 0; i < w->count; i++)
        check_item(w, &w->items[i]);
    good = count_good(w);
    if (good < (b->good < policy->min_good ? b->good : policy->min_good))
        broken(w, NULL, "%" PRIu64 " good backups are left of %" PRIu64 ", min-good is %" PRIu64, good, b->good,
               policy->min_good);
    if (b->pause && w->removed > removed && !w->hook_published)
        broken(w, NULL, "something expired while nothing may");
    if (b->newest_good.text[0] != '\0' && !w->hook_published) {
        const struct item *newest = find(w, &b->newest_good);

        if (newest == NULL || !newest->is.manifest)
            broken(w, NULL, "the newest good backup, %s, was removed", b->newest_good.text);
    }
    forget_the_gone(w);
}

/* ---- prune ------------------------------------------------------------------------------------------------------- */

static void
note_plan(struct world *w, const struct prune_plan *plan)
{
    for (size_t i = 0; i < plan->backup_count; i++) {
        const struct prune_backup *b = &plan->backups[i];
        struct item *item = find(w, &b->id);

        if (b->why[0] == '\0')
            broken(w, item, "the plan gives no reason");
        if (item == NULL)
            broken(w, NULL, "the plan has a backup %s that the model does not know", b->id.text);
        else if (b->action == PRUNE_REMOVE)
            item->planned = true;
        if (b->action == PRUNE_REMOVE && plan->paused[0] != '\0')
            broken(w, item, "it is to go although the plan is paused");
    }
    for (size_t i = 0; i < plan->leftover_count; i++) {
        const struct prune_leftover *l = &plan->leftovers[i];
        struct item *item = l->what->key == NULL ? find(w, &l->what->id) : NULL;

        if (l->why[0] == '\0')
            broken(w, item, "the plan gives no reason for a leftover");
        if (item != NULL && l->action == PRUNE_REMOVE)
            item->planned_rest = true;
        w->leftovers += l->action == PRUNE_REMOVE;
    }
    w->paused += plan->paused[0] != '\0';
}

/* Plan and apply. *NOTHING_TO_DO: the plan removed no backup. */
static int
prune(struct world *w, const struct repo *repo, const struct retention_policy *policy, bool *nothing_to_do,
      struct err *err)
{
    const struct prune_options o = {.policy = *policy, .orphan_age_ms = w->orphan_age_ms, .tool_version = TOOL};
    struct prune_plan *plan = NULL;
    struct prune_summary sum;
    int rc;

    if (prune_plan_make(repo, INSTANCE, &o, &plan, err) < 0)
        return -1;
    note_plan(w, plan);
    prune_plan_count(plan, &sum);
    *nothing_to_do = sum.backups[PRUNE_REMOVE] == 0;
    rc = prune_plan_apply(repo, INSTANCE, plan, err);
    prune_plan_free(plan);
    return rc;
}

/* In the middle of a prune, once: a hold, a backup, or another prune, as other processes do them. */
static void
in_the_middle(enum store_call call, const char *key, void *cookie)
{
    struct world *w = cookie;
    struct err err = ERR_INIT;
    bool mine, nothing;

    (void)call;
    (void)key;
    (void)pthread_mutex_lock(&w->mutex); /* the catalogue is read by several threads */
    mine = !w->hook_done && ++w->hook_calls == w->hook_at;
    if (mine) {
        const struct repo repo = past_the_faults(w);

        w->hook_done = true;
        w->in_the_middle++;
        switch (below(w, 3)) {
        case 0:
            for (int i = 0; i < 8; i++)
                hold_one(w, pick(w));
            break;
        case 1:
            w->hook_published = true;
            back_up(w);
            break;
        default:
            sure(w, prune(w, &repo, &w->policy_now, &nothing, &err), &err);
        }
    }
    (void)pthread_mutex_unlock(&w->mutex);
}

/* Choose what goes wrong; false: nothing that could make a prune fail. */
static bool
choose_faults(struct world *w)
{
    static const char *const denied[] = {"/data/", "/backups/", "0000000", NULL};
    bool may_fail = false;

    store_fault_clear(w->store);
    w->hook_published = false;
    w->hook_calls = 0;
    if (w->now < w->deny_until) {
        const char *part = denied[below(w, ARRAY_LEN(denied))];
        enum err_code code = below(w, 4) == 0 ? ERR_STORE_DENIED : ERR_LOCKED;

        store_fault_add(w->store, &(struct store_fault){
                                      .call = STORE_CALL_REMOVE, .what = STORE_FAULT_FAIL, .code = code, .key = part});
        w->denied++;
        may_fail = code == ERR_STORE_DENIED;
    }
    switch (below(w, 6)) {
    case 0: /* it is killed: from there on nothing works; or one call alone fails */
        store_fault_add(w->store, &(struct store_fault){.what = below(w, 2) == 0 ? STORE_FAULT_FAIL : STORE_FAULT_LOSE,
                                                        .nth = (uint64_t)span(w, 1, 2000),
                                                        .times = below(w, 2)});
        may_fail = true;
        break;
    case 1: /* the listings are the first calls, the gets many, the removals the last */
        store_fault_add(w->store, &(struct store_fault){.call = STORE_CALL_REMOVE,
                                                        .what = below(w, 2) == 0 ? STORE_FAULT_FAIL : STORE_FAULT_LOSE,
                                                        .nth = (uint64_t)span(w, 1, 300)});
        may_fail = true;
        break;
    case 2:
        w->hook_at = (uint64_t)span(w, 1, 2000);
        w->hook_done = false;
        store_fault_set_hook(w->store, in_the_middle, w);
        break;
    default:
        break;
    }
    return may_fail;
}

static struct retention_policy
policy_for_once(struct world *w)
{
    if (below(w, 50) == 0) /* somebody forgot the rules */
        return (struct retention_policy){.min_good = w->policy.min_good};
    return w->policy;
}

static void
prune_and_check(struct world *w)
{
    const struct retention_policy policy = policy_for_once(w);
    const struct before before = look_before(w, &policy);
    bool may_fail = choose_faults(w), nothing = true;
    struct err err = ERR_INIT;

    w->prunes++;
    w->policy_now = policy;
    if (repo_open(w->mem, &w->repo, &err) < 0)
        sure(w, -1, &err);
    w->repo.store = w->store;
    if (prune(w, &w->repo, &policy, &nothing, &err) < 0) {
        if (!may_fail)
            broken(w, NULL, "prune failed without a cause: %s", err.msg);
        w->cut_off++;
    }
    store_fault_set_hook(w->store, NULL, NULL);
    store_fault_clear(w->store);
    check_prune(w, &policy, &before);
}

/* ---- one life ---------------------------------------------------------------------------------------------------- */

static uint64_t
maybe(struct world *w, uint64_t most)
{
    return below(w, 2) == 0 ? 0 : 1 + below(w, most);
}

static void
begin(struct world *w, uint64_t seed)
{
    struct repo_made made;
    struct err err = ERR_INIT;

    memset(w, 0, sizeof(*w));
    w->seed = w->random = seed;
    (void)pthread_mutex_init(&w->mutex, NULL);
    w->mem = store_mem_new();
    w->store = store_fault_new(w->mem);
    go_to(w, INT64_C(1767225600000) + (int64_t)below(w, (uint64_t)(365 * DAY))); /* in 2026 */
    w->end = w->now + YEARS;
    sure(w, repo_init(w->mem, INSTANCE, &made, &err), &err);
    sure(w, repo_open(w->mem, &w->repo, &err), &err);
    w->policy = (struct retention_policy){.last = maybe(w, 12),
                                          .hourly = maybe(w, 48),
                                          .daily = maybe(w, 14),
                                          .weekly = maybe(w, 8),
                                          .monthly = maybe(w, 12),
                                          .yearly = maybe(w, 2),
                                          .within_ms = below(w, 4) == 0 ? span(w, HOUR, 4 * DAY) : 0,
                                          .min_good = below(w, 3) == 0 ? below(w, 20) : RETENTION_MIN_GOOD,
                                          .expect_every_ms = below(w, 2) == 0 ? span(w, HOUR, 8 * DAY) : 0};
    if (!retention_has_rule(&w->policy))
        w->policy.last = 1;
    w->orphan_age_ms = below(w, 2) == 0 ? DAY : span(w, HOUR, 10 * DAY);
    w->odds = (struct odds){.fail = (unsigned)below(w, 3000),
                            .slow = 20,
                            .skew = (unsigned)(maybe(w, 500)),
                            .suspicious = (unsigned)maybe(w, 30),
                            .hold = (unsigned)maybe(w, 100),
                            .release = 50,
                            .accept = 100,
                            .verify = (unsigned)maybe(w, 2000),
                            .delete = (unsigned)maybe(w, 100),
                            .damage = (unsigned)maybe(w, 40),
                            .lose = (unsigned)maybe(w, 10),
                            .gap = 10,
                            .late = 20,
                            .back = 20,
                            .deny = (unsigned)maybe(w, 10)};
    w->next_prune = w->now + DAY;
}

/* All faults stop; the clocks that were wrong are overtaken; a prune; two days; two prunes: nothing is left over. */
static void
check_end(struct world *w)
{
    struct leftovers left;
    struct err err = ERR_INIT;
    bool nothing = false;
    int64_t waits[] = {15 * DAY, 2 * DAY, 0};

    for (size_t i = 0; i < ARRAY_LEN(waits) && !w->broken; i++) {
        go_to(w, w->now + waits[i] + (w->orphan_age_ms > DAY ? w->orphan_age_ms : 0) * (i < 2));
        sure(w, repo_open(w->mem, &w->repo, &err), &err);
        {
            const struct before before = look_before(w, &w->policy);

            w->hook_published = false;
            sure(w, prune(w, &w->repo, &w->policy, &nothing, &err), &err);
            check_prune(w, &w->policy, &before);
        }
        if (i > 0 && !nothing)
            broken(w, NULL, "a second prune found something to expire");
    }
    for (size_t i = 0; i < w->count; i++)
        if (!w->items[i].is.manifest || w->items[i].is.note)
            broken(w, &w->items[i], "something is left over in the end");
    sure(w, leftovers_find(&w->repo, INSTANCE, 0, &left, &err), &err);
    if (left.count > 0)
        broken(w, NULL, "a leftover is left: %s", left.items[0].why);
    leftovers_fini(&left);
}

static void
live(struct world *w)
{
    while (w->now < w->end && !w->broken) {
        go_to(w, w->now + HOUR - 5 * MINUTE + (int64_t)below(w, 10 * MINUTE));
        if (chance(w, w->odds.gap))
            go_to(w, w->now + span(w, 2 * HOUR, 30 * DAY));
        live_an_hour(w);
        if (w->now >= w->next_prune) {
            prune_and_check(w);
            /* Some come soon after another: what must wait a day is met too early. */
            w->next_prune = w->now + (below(w, 4) == 0 ? span(w, HOUR, DAY) : span(w, DAY, 21 * DAY));
        }
    }
    if (!w->broken)
        check_end(w);
}

/* ---- main -------------------------------------------------------------------------------------------------------- */

static uint64_t
number(const char *text)
{
    struct err err = ERR_INIT;
    uint64_t n = 0;

    if (text == NULL || units_parse_u64(text, &n, &err) < 0) {
        fprintf(stderr, "usage: time_travel [--seeds N] [--seed S]\n");
        exit(2);
    }
    return n;
}

int
main(int argc, char **argv)
{
    uint64_t seeds = 10, first = 1, failed = 0;
    struct world sum = {0};
    int64_t began = clock_mono_ms();

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--seeds") == 0)
            seeds = number(argv[++i]);
        else if (strcmp(argv[i], "--seed") == 0)
            first = number(argv[++i]);
        else
            (void)number(NULL);
    }
    log_setup(2, LOG_TEXT, LOG_ERROR);
    for (uint64_t seed = first; seed < first + seeds; seed++) {
        struct world *w = mem_new(sizeof(*w));

        begin(w, seed);
        live(w);
        failed += w->broken;
        sum.backups += w->backups;
        sum.prunes += w->prunes;
        sum.cut_off += w->cut_off;
        sum.removed += w->removed;
        sum.leftovers += w->leftovers;
        sum.paused += w->paused;
        sum.denied += w->denied;
        sum.in_the_middle += w->in_the_middle;
        store_free(w->store);
        (void)pthread_mutex_destroy(&w->mutex);
        free(w->items);
        free(w);
    }
    printf("time-travel: %" PRIu64 " backups, %" PRIu64 " removed, %" PRIu64 " leftovers; %" PRIu64
           " prunes, of which cut off %" PRIu64 ", paused %" PRIu64 ", denied %" PRIu64 ", met by others %" PRIu64
           "; seed %" PRIu64 ", %.1f s\n",
           sum.backups, sum.removed, sum.leftovers, sum.prunes, sum.cut_off, sum.paused, sum.denied, sum.in_the_middle,
           first, (double)(clock_mono_ms() - began) / 1000);
    printf("time-travel: %" PRIu64 " passed, %" PRIu64 " failed\n", seeds - failed, failed);
    return failed > 0 ? 1 : 0;
}
