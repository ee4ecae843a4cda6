/* SPDX-License-Identifier: Apache-2.0 */
/* laws.c: see world.h: what a listing of the whole store shows, and what must hold of it after every prune. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tests/torture/travel/world.h"

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

static uint64_t
count_good(const struct world *w)
{
    uint64_t n = 0;

    for (size_t i = 0; i < w->count; i++)
        n += looks_good(w, &w->items[i]) && !w->items[i].lost;
    return n;
}

struct before
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
void
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
