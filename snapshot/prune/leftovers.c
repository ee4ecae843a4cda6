/* SPDX-License-Identifier: Apache-2.0 */
/* leftovers.c: see leftovers.h. Listings into sorted arrays of ids, and what is in one and not in another. */
#include "snapshot/prune/leftovers.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/units.h"
#include "snapshot/prune/survey.h"
#include "snapshot/repo/fact.h"
#include "snapshot/repo/layout.h"
#include "snapshot/repo/slot.h"

static const enum layout_fact facts_of_a_backup[] = {LAYOUT_VERIFIED, LAYOUT_ACCEPTED, LAYOUT_HOLD};

/* Ids in ascending order, as the store lists them. */
struct ids {
    struct backup_id *list;
    size_t count, allocated;
};

/* The search and what it has listed so far. */
struct search {
    const struct repo *repo;
    const char *instance;
    int64_t orphan_age_ms;
    struct leftovers *out;
    size_t allocated; /* of out->items */
    struct ids data;
    struct fact_list manifests, notes;
    struct fact_list facts[ARRAY_LEN(facts_of_a_backup)];
};

/* ---- listings ---------------------------------------------------------------------------------------------------- */

static void
add_id(struct ids *ids, const struct backup_id *id)
{
    if (ids->count == ids->allocated) {
        ids->allocated = ids->allocated > 0 ? 2 * ids->allocated : 64;
        ids->list = mem_grow(ids->list, ids->allocated, sizeof(*ids->list));
    }
    ids->list[ids->count++] = *id;
}

static bool
add_data(const struct store_object *object, void *cookie)
{
    struct backup_id id;

    if (object->is_folder && layout_parse_data(object->key, &id)) /* other names are not ours and are left alone */
        add_id(cookie, &id);
    return true;
}

static struct leftover *
add_item(struct search *s, enum leftover_kind kind, const struct backup_id *id)
{
    struct leftover *item;

    if (s->out->count == s->allocated) {
        s->allocated = s->allocated > 0 ? 2 * s->allocated : 64;
        s->out->items = mem_grow(s->out->items, s->allocated, sizeof(*s->out->items));
    }
    item = &s->out->items[s->out->count++];
    memset(item, 0, sizeof(*item));
    item->kind = kind;
    if (id != NULL)
        item->id = *id;
    return item;
}

static void explain(struct search *s, struct leftover *item, int64_t age_ms, const char *what);

static bool
add_probe(const struct store_object *object, void *cookie)
{
    struct search *s = cookie;
    struct leftover *item = add_item(s, LEFTOVER_PROBE, NULL);

    item->key = mem_strdup(object->key);
    item->since_ms = object->mtime_ms;
    explain(s, item, REMOVAL_NOTE_STALE_MS, "an object that was put to see whether that is allowed");
    return true;
}

static int
list_all(struct search *s, struct err *err)
{
    struct layout_key data, manifests;

    layout_folder(&data, s->instance, "data");
    layout_manifests(&manifests, s->instance);
    if (store_now(s->repo->store, &s->out->now_ms, err) < 0 ||
        store_list(s->repo->store, &(struct store_list){.prefix = data.text, .delimiter = '/'}, add_data, &s->data,
                   err) < 0 ||
        fact_list(s->repo, s->instance, LAYOUT_EXPIRED, &s->notes, err) < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_LEN(facts_of_a_backup); i++) {
        progress_tell(&s->repo->progress, PROGRESS_LISTING, 0, 0, 0);
        if (fact_list(s->repo, s->instance, facts_of_a_backup[i], &s->facts[i], err) < 0)
            return -1;
    }
    return fact_list_folder(s->repo, &manifests, &s->manifests, err);
}

/* ---- comparing --------------------------------------------------------------------------------------------------- */

static int
compare_ids(const void *a, const void *b)
{
    return strcmp(((const struct backup_id *)a)->text, ((const struct backup_id *)b)->text);
}

static bool
has_id(const struct ids *ids, const struct backup_id *id)
{
    return ids->count > 0 && bsearch(id, ids->list, ids->count, sizeof(*ids->list), compare_ids) != NULL;
}

/* Is ITEM old enough, and if not, until when does it wait? */
static void
explain(struct search *s, struct leftover *item, int64_t age_ms, const char *what)
{
    char until[UNITS_TEXT_MAX];

    item->ready = s->out->now_ms - item->since_ms >= age_ms;
    if (item->ready)
        (void)snprintf(item->why, sizeof(item->why), "%s", what);
    else
        (void)snprintf(item->why, sizeof(item->why), "%s; waits until %s", what,
                       units_format_time(item->since_ms + age_ms, until));
}

static int
find_data(struct search *s, struct err *err)
{
    for (size_t i = 0; i < s->data.count; i++) {
        const struct backup_id *id = &s->data.list[i];
        const struct fact *note = fact_list_get(&s->notes, id);

        if (note != NULL && fact_list_get(&s->manifests, id) == NULL) {
            struct leftover *item = add_item(s, LEFTOVER_DATA, id);

            item->since_ms = note->put_ms;
            explain(s, item, REMOVAL_NOTE_AGE_MS, "data of a backup that was removed");
        }
    }
    for (size_t i = 0; i < s->data.count; i++) {
        const struct backup_id *id = &s->data.list[i];
        struct leftover *item;
        struct survey data;

        if (fact_list_get(&s->notes, id) != NULL || fact_list_get(&s->manifests, id) != NULL)
            continue;
        progress_tell(&s->repo->progress, PROGRESS_LISTING, i, s->data.count, 0);
        if (survey_data(s->repo, s->instance, id, &data, err) < 0)
            return -1;
        if (data.objects == 0)
            continue; /* gone meanwhile */
        item = add_item(s, LEFTOVER_ORPHAN, id);
        item->since_ms = data.newest_ms;
        item->objects = data.objects;
        item->bytes = data.bytes;
        explain(s, item, s->orphan_age_ms, "data without a manifest, of a backup that failed or has not ended");
    }
    return 0;
}

static void
find_notes(struct search *s)
{
    for (size_t i = 0; i < s->notes.count; i++) {
        const struct fact *note = &s->notes.facts[i];
        struct leftover *item;

        if (fact_list_get(&s->manifests, &note->id) != NULL || has_id(&s->data, &note->id))
            continue;
        item = add_item(s, LEFTOVER_NOTE, &note->id);
        item->since_ms = note->put_ms;
        explain(s, item, REMOVAL_NOTE_AGE_MS, "the note on a backup that was removed, whose data are gone");
    }
    for (size_t i = 0; i < s->notes.count; i++) {
        const struct fact *note = &s->notes.facts[i];
        struct leftover *item;

        if (fact_list_get(&s->manifests, &note->id) == NULL)
            continue;
        item = add_item(s, LEFTOVER_STALE_NOTE, &note->id);
        item->since_ms = note->put_ms;
        explain(s, item, REMOVAL_NOTE_STALE_MS, "a note that the backup is to be removed, which it was not");
    }
}

static int
compare_items(const void *a, const void *b)
{
    return compare_ids(&((const struct leftover *)a)->id, &((const struct leftover *)b)->id);
}

/* Facts about backups of which nothing else is left: every fact first, then one item for all of the same backup. */
static void
find_facts(struct search *s)
{
    size_t first = s->out->count, kept = first;

    for (size_t k = 0; k < ARRAY_LEN(facts_of_a_backup); k++) {
        for (size_t i = 0; i < s->facts[k].count; i++) {
            const struct fact *fact = &s->facts[k].facts[i];

            if (fact_list_get(&s->manifests, &fact->id) == NULL && !has_id(&s->data, &fact->id) &&
                fact_list_get(&s->notes, &fact->id) == NULL)
                add_item(s, LEFTOVER_FACTS, &fact->id)->since_ms = fact->put_ms;
        }
    }
    if (s->out->count > first)
        qsort(s->out->items + first, s->out->count - first, sizeof(*s->out->items), compare_items);
    for (size_t i = first; i < s->out->count; i++) {
        struct leftover *item = &s->out->items[i], *before = kept > first ? &s->out->items[kept - 1] : NULL;

        if (before == NULL || compare_items(before, item) != 0)
            s->out->items[kept++] = *item;
        else if (item->since_ms > before->since_ms)
            before->since_ms = item->since_ms;
    }
    s->out->count = kept;
    for (size_t i = first; i < kept; i++)
        explain(s, &s->out->items[i], s->orphan_age_ms, "facts about a backup that is gone");
}

static int
find_leases(struct search *s, struct err *err)
{
    struct slot_leftover old;
    struct layout_key folder;
    struct leftover *item;

    if (slot_survey(s->repo, s->instance, SLOT_OLD_MS, SLOT_KEEP_NEW, &old, err) < 0)
        return -1;
    if (old.objects == 0)
        return 0;
    layout_folder(&folder, s->instance, "leases");
    item = add_item(s, LEFTOVER_LEASES, NULL);
    item->key = mem_strdup(folder.text);
    item->since_ms = old.newest_ms;
    item->objects = old.objects;
    item->bytes = old.bytes;
    explain(s, item, SLOT_OLD_MS, "claims of slots of the schedule, all of them over");
    return 0;
}

static int
find_all(struct search *s, struct err *err)
{
    struct layout_key probes;

    if (list_all(s, err) < 0 || find_data(s, err) < 0)
        return -1;
    find_notes(s);
    find_facts(s);
    layout_folder(&probes, s->instance, "probe");
    if (store_list(s->repo->store, &(struct store_list){.prefix = probes.text}, add_probe, s, err) < 0)
        return -1;
    return find_leases(s, err);
}

/* ---- the calls --------------------------------------------------------------------------------------------------- */

int
leftovers_find(const struct repo *repo, const char *instance, int64_t orphan_age_ms, struct leftovers *out,
               struct err *err)
{
    struct search s = {.repo = repo, .instance = instance, .orphan_age_ms = orphan_age_ms, .out = out};
    int rc;

    memset(out, 0, sizeof(*out));
    if (s.orphan_age_ms < REMOVAL_NOTE_AGE_MS)
        s.orphan_age_ms = REMOVAL_NOTE_AGE_MS;
    rc = find_all(&s, err);
    if (rc < 0) {
        leftovers_fini(out);
        (void)err_wrap(err, "look for leftovers in instance \"%s\"", instance);
    }
    free(s.data.list);
    fact_list_free(&s.manifests);
    fact_list_free(&s.notes);
    for (size_t i = 0; i < ARRAY_LEN(facts_of_a_backup); i++)
        fact_list_free(&s.facts[i]);
    return rc;
}

void
leftovers_fini(struct leftovers *l)
{
    for (size_t i = 0; i < l->count; i++)
        free(l->items[i].key);
    free(l->items);
    memset(l, 0, sizeof(*l));
}

const char *
leftover_name(enum leftover_kind kind)
{
    static const char *const names[] = {[LEFTOVER_DATA] = "data",    [LEFTOVER_ORPHAN] = "orphan",
                                        [LEFTOVER_NOTE] = "note",    [LEFTOVER_STALE_NOTE] = "stale-note",
                                        [LEFTOVER_FACTS] = "facts",  [LEFTOVER_PROBE] = "probe",
                                        [LEFTOVER_LEASES] = "leases"};

    return names[kind];
}

/* A removal that the store denies is for another time. */
static int
not_yet(int rc, enum removal_outcome *outcome, struct err *err)
{
    *outcome = REMOVAL_DONE;
    if (rc == 0)
        return 0;
    if (err->code != ERR_LOCKED && err->code != ERR_STORE_DENIED)
        return -1;
    *outcome = REMOVAL_NOT_YET;
    return 0;
}

int
leftover_remove(const struct repo *repo, const char *instance, const struct leftover *item, int64_t orphan_age_ms,
                const char *tool_version, enum removal_outcome *outcome, uint64_t *objects, struct err *err)
{
    *outcome = REMOVAL_KEPT;
    *objects = 0;
    if (!item->ready)
        return 0;
    switch (item->kind) {
    case LEFTOVER_DATA:
    case LEFTOVER_NOTE:
        return removal_of_data(repo, instance, &item->id, outcome, objects, err);
    case LEFTOVER_ORPHAN:
        return removal_of_orphan(repo, instance, &item->id, orphan_age_ms, tool_version, outcome, objects, err);
    case LEFTOVER_STALE_NOTE:
        return removal_of_stale_note(repo, instance, &item->id, outcome, err);
    case LEFTOVER_FACTS:
        return removal_of_facts(repo, instance, &item->id, orphan_age_ms, outcome, err);
    case LEFTOVER_PROBE:
        /* names of probes are never used again, so nothing need be asked once more */
        return not_yet(store_remove(repo->store, item->key, err), outcome, err);
    case LEFTOVER_LEASES:
        return not_yet(slot_sweep(repo, instance, SLOT_OLD_MS, SLOT_KEEP_NEW, objects, err), outcome, err);
    case LEFTOVER_KINDS:
        break;
    }
    REQUIRE(false);
    return -1;
}
