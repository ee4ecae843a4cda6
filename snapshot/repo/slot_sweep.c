/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slot_sweep.c: which objects of slots nobody needs any more; see slot.h.
 *
 * A slot goes as a whole. Its "done" comes before its first claim in the order of names, and were it gone alone, a slot
 * that was done would look like one that stalled.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "snapshot/repo/layout.h"
#include "snapshot/repo/slot.h"

struct seen {
    char *key;
    struct layout_slot slot;
    uint64_t size;
    int64_t mtime_ms;
};

/* All objects of slots: kinds and, within a kind, slots in ascending order, as the store lists them. */
struct sweep {
    struct seen *seen;
    size_t count, allocated;
};

static bool
see(const struct store_object *object, void *cookie)
{
    struct sweep *s = cookie;
    struct seen one = {.size = object->size, .mtime_ms = object->mtime_ms};

    if (!layout_parse_slot(object->key, &one.slot)) /* other names are not ours and are left alone */
        return true;
    if (s->count == s->allocated) {
        s->allocated = s->allocated > 0 ? 2 * s->allocated : 64;
        s->seen = mem_grow(s->seen, s->allocated, sizeof(*s->seen));
    }
    one.key = mem_strdup(object->key);
    s->seen[s->count++] = one;
    return true;
}

static bool
same_slot(const struct seen *a, const struct seen *b)
{
    return a->slot.slot_ms == b->slot.slot_ms && strcmp(a->slot.kind, b->slot.kind) == 0;
}

/* Keep in S only what is to go. From the newest slot to the oldest, which is from the last to the first. */
static void
choose(struct sweep *s, int64_t before_ms, unsigned keep)
{
    size_t end = s->count, kept = 0;
    unsigned newer = 0; /* slots of this kind that are */

    while (end > 0) {
        size_t begin = end - 1;
        int64_t newest_ms = s->seen[begin].mtime_ms;
        bool stays;

        for (; begin > 0 && same_slot(&s->seen[begin - 1], &s->seen[end - 1]); begin--) {
            if (s->seen[begin - 1].mtime_ms > newest_ms)
                newest_ms = s->seen[begin - 1].mtime_ms;
        }
        if (end == s->count || strcmp(s->seen[end].slot.kind, s->seen[end - 1].slot.kind) != 0)
            newer = 0;
        stays = newer++ < keep || newest_ms >= before_ms;
        for (size_t i = begin; stays && i < end; i++) {
            free(s->seen[i].key);
            s->seen[i].key = NULL;
        }
        end = begin;
    }
    for (size_t i = 0; i < s->count; i++) {
        if (s->seen[i].key != NULL)
            s->seen[kept++] = s->seen[i];
    }
    s->count = kept;
}

static void
sweep_fini(struct sweep *s)
{
    for (size_t i = 0; i < s->count; i++)
        free(s->seen[i].key);
    free(s->seen);
}

/* What is to go. sweep_fini() in any case. */
static int
find(const struct repo *repo, const char *instance, int64_t age_ms, unsigned keep, struct sweep *s, struct err *err)
{
    struct layout_key prefix;
    int64_t now;

    memset(s, 0, sizeof(*s));
    layout_folder(&prefix, instance, "leases");
    if (store_now(repo->store, &now, err) < 0 ||
        store_list(repo->store, &(struct store_list){.prefix = prefix.text}, see, s, err) < 0)
        return -1;
    choose(s, now - age_ms, keep);
    return 0;
}

int
slot_survey(const struct repo *repo, const char *instance, int64_t age_ms, unsigned keep, struct slot_leftover *out,
            struct err *err)
{
    struct sweep s;
    int rc = find(repo, instance, age_ms, keep, &s, err);

    memset(out, 0, sizeof(*out));
    for (size_t i = 0; rc == 0 && i < s.count; i++) {
        out->objects++;
        out->bytes += s.seen[i].size;
        if (s.seen[i].mtime_ms > out->newest_ms)
            out->newest_ms = s.seen[i].mtime_ms;
    }
    sweep_fini(&s);
    return rc;
}

int
slot_sweep(const struct repo *repo, const char *instance, int64_t age_ms, unsigned keep, uint64_t *removed,
           struct err *err)
{
    const char **keys = NULL;
    struct sweep s;
    int rc = find(repo, instance, age_ms, keep, &s, err);

    *removed = 0;
    if (rc == 0 && s.count > 0) {
        keys = mem_array(s.count, sizeof(*keys));
        for (size_t i = 0; i < s.count; i++)
            keys[i] = s.seen[i].key;
        rc = store_remove_many(repo->store, keys, s.count, err);
        if (rc == 0)
            *removed = s.count;
    }
    free(keys);
    sweep_fini(&s);
    return rc;
}
