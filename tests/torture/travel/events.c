/* SPDX-License-Identifier: Apache-2.0 */
/* events.c: see world.h: backups of all kinds, and what people and others do. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "snapshot/prune/removal.h"
#include "snapshot/repo/fact.h"
#include "snapshot/repo/hold.h"
#include "snapshot/repo/index.h"
#include "snapshot/repo/manifest.h"
#include "tests/torture/travel/world.h"

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

void
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

void
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

void
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
