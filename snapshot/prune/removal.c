/* SPDX-License-Identifier: Apache-2.0 */
/*
 * removal.c: see removal.h. Every decision is made from what the store answers at that moment, and is made anew before
 * each request that removes: nothing is remembered from a listing or an earlier step but the keys of one page.
 */
#include "snapshot/prune/removal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "snapshot/prune/survey.h"
#include "snapshot/repo/catalog.h"
#include "snapshot/repo/fact.h"
#include "snapshot/repo/layout.h"

#define STARTS_MAX 5

/* One id of which something is to be removed. */
struct target {
    const struct repo *repo;
    const char *instance;
    const struct backup_id *id;
    bool orphan;    /* its data had no note; else they have one, which must be REMOVAL_NOTE_AGE_MS old */
    bool claimed;   /* an orphan that got its note from us */
    int64_t age_ms; /* of the newest of its data */
    const struct removal_reserve *reserve; /* NULL: nothing has to be left */
};

/* RC is what a removal returned: one that the store denies for now is an outcome, and ERR stays set. */
static int
settle_denied(int rc, enum removal_outcome *outcome, const struct err *err)
{
    if (rc == 0 || (err->code != ERR_LOCKED && err->code != ERR_STORE_DENIED))
        return rc;
    *outcome = REMOVAL_NOT_YET;
    return 0;
}

static int64_t
at_least_a_day(int64_t age_ms)
{
    return age_ms > REMOVAL_NOTE_AGE_MS ? age_ms : REMOVAL_NOTE_AGE_MS;
}

/* ---- the manifest ------------------------------------------------------------------------------------------------ */

/* A note that was there before ours, and that somebody found to be stale, may have taken ours with it when it was
 * removed: then data would seem to have no note, and would not stay for a day. */
static int
renew_note(const struct target *t, const char *reason, const char *tool_version, struct err *err)
{
    bool noted = false;

    if (fact_find(t->repo, t->instance, LAYOUT_EXPIRED, t->id, &noted, NULL, err) < 0)
        return -1;
    return noted ? 0 : fact_put(t->repo, t->instance, LAYOUT_EXPIRED, t->id, reason, tool_version, err);
}

static int
remove_manifest(const struct target *t, const char *reason, const char *tool_version, enum removal_outcome *outcome,
                struct err *err)
{
    struct layout_key key;

    layout_manifest(&key, t->instance, t->id);
    *outcome = REMOVAL_DONE;
    if (settle_denied(store_remove(t->repo->store, key.text, err), outcome, err) < 0)
        return -1;
    return *outcome == REMOVAL_DONE ? renew_note(t, reason, tool_version, err) : 0;
}

/* Is enough of the reserve left? A note that is old is nobody's any more. */
static int
check_reserve(const struct target *t, bool *enough, struct err *err)
{
    const struct removal_reserve *r = t->reserve;
    uint64_t left = 0;
    int64_t now = 0, noted_ms = 0;

    if (r != NULL && r->needed > 0 && store_now(t->repo->store, &now, err) < 0)
        return -1;
    for (size_t i = 0; r != NULL && i < r->count && left < r->needed; i++) {
        bool there = false, noted = false;

        if (catalog_has(t->repo, t->instance, &r->ids[i], &there, err) < 0 ||
            (there && fact_find(t->repo, t->instance, LAYOUT_EXPIRED, &r->ids[i], &noted, &noted_ms, err) < 0))
            return -1;
        left += there && (!noted || now - noted_ms >= REMOVAL_NOTE_STALE_MS);
    }
    *enough = r == NULL || left >= r->needed;
    return 0;
}

/* What must be so when the manifest is removed: it was there, then the note was put, then no hold was there (whoever
 * puts one later sees the note), and the note is still there. *OUTCOME is set where that ends the matter. */
enum readiness { READY, ENDED, AGAIN };

static int
get_ready(const struct target *t, const char *reason, const char *tool_version, enum readiness *readiness,
          enum removal_outcome *outcome, struct err *err)
{
    bool there = false, held = false, noted = false, enough = false;

    *readiness = ENDED;
    *outcome = REMOVAL_DONE;
    if (catalog_has(t->repo, t->instance, t->id, &there, err) < 0)
        return -1;
    if (!there)
        return 0;
    if (fact_put(t->repo, t->instance, LAYOUT_EXPIRED, t->id, reason, tool_version, err) < 0 ||
        fact_find(t->repo, t->instance, LAYOUT_HOLD, t->id, &held, NULL, err) < 0)
        return -1;
    if (held) {
        /* The note stays for an hour: a second remover may rely on it. */
        *outcome = REMOVAL_HELD;
        return 0;
    }
    if (check_reserve(t, &enough, err) < 0)
        return -1;
    if (!enough) {
        *outcome = REMOVAL_KEPT;
        (void)err_set(err, ERR_REFUSED, "others have removed good backups meanwhile: too few would be left");
        return 0;
    }
    if (fact_find(t->repo, t->instance, LAYOUT_EXPIRED, t->id, &noted, NULL, err) < 0)
        return -1;
    *readiness = noted ? READY : AGAIN;
    return 0;
}

static int
remove_within(const struct target *target, int64_t note_valid_ms, const char *reason, const char *tool_version,
              enum removal_outcome *outcome, struct err *err)
{
    const struct target t = *target;
    const struct backup_id *id = t.id;

    for (int starts = 0; starts < STARTS_MAX; starts++) {
        int64_t began = clock_boot_ms();
        enum readiness readiness = AGAIN;

        if (get_ready(&t, reason, tool_version, &readiness, outcome, err) < 0)
            return err_wrap(err, "remove backup %s", id->text);
        if (readiness == ENDED)
            return 0;
        if (readiness == READY && clock_boot_ms() - began < note_valid_ms) {
            if (remove_manifest(&t, reason, tool_version, outcome, err) < 0)
                return err_wrap(err, "remove backup %s", id->text);
            return 0;
        }
    }
    return err_set(err, ERR_STORAGE,
                   "remove backup %s: %d times its note was gone, or more than %" PRId64
                   " s old, when all was ready; nothing was removed, try again",
                   id->text, STARTS_MAX, note_valid_ms / 1000);
}

int
removal_of_manifest_within(int64_t note_valid_ms, const struct repo *repo, const char *instance,
                           const struct backup_id *id, const char *reason, const char *tool_version,
                           enum removal_outcome *outcome, struct err *err)
{
    const struct target t = {.repo = repo, .instance = instance, .id = id};

    return remove_within(&t, note_valid_ms, reason, tool_version, outcome, err);
}

int
removal_of_manifest_reserving(const struct removal_reserve *reserve, const struct repo *repo, const char *instance,
                              const struct backup_id *id, const char *reason, const char *tool_version,
                              enum removal_outcome *outcome, struct err *err)
{
    const struct target t = {.repo = repo, .instance = instance, .id = id, .reserve = reserve};

    return remove_within(&t, REMOVAL_NOTE_VALID_MS, reason, tool_version, outcome, err);
}

int
removal_of_manifest(const struct repo *repo, const char *instance, const struct backup_id *id, const char *reason,
                    const char *tool_version, enum removal_outcome *outcome, struct err *err)
{
    return removal_of_manifest_within(REMOVAL_NOTE_VALID_MS, repo, instance, id, reason, tool_version, outcome, err);
}

/* ---- the data ---------------------------------------------------------------------------------------------------- */

/* May data go, the newest of which is from NEWEST_MS (0: there are none)? */
static int
may_go(const struct target *t, int64_t newest_ms, bool *yes, struct err *err)
{
    bool there = true, noted = false;
    int64_t now = 0, noted_ms = 0;

    *yes = false;
    if (catalog_has(t->repo, t->instance, t->id, &there, err) < 0)
        return -1;
    if (there)
        return 0;
    if (fact_find(t->repo, t->instance, LAYOUT_EXPIRED, t->id, &noted, &noted_ms, err) < 0 ||
        store_now(t->repo->store, &now, err) < 0)
        return -1;
    if (t->orphan)
        *yes = noted == t->claimed;
    else
        *yes = noted && now - noted_ms >= REMOVAL_NOTE_AGE_MS;
    if (newest_ms > 0 && now - newest_ms < t->age_ms)
        *yes = false;
    return 0;
}

/* The keys of one batch. */
struct page {
    char *keys[STORE_REMOVE_MAX];
    size_t count;
    int64_t newest_ms;
    char last[sizeof(struct layout_key)]; /* where the next one begins */
};

static bool
add_key(const struct store_object *object, void *cookie)
{
    struct page *p = cookie;

    p->keys[p->count++] = mem_strdup(object->key);
    if (object->mtime_ms > p->newest_ms)
        p->newest_ms = object->mtime_ms;
    return p->count < STORE_REMOVE_MAX;
}

static void
page_clear(struct page *p)
{
    if (p->count > 0)
        (void)snprintf(p->last, sizeof(p->last), "%s", p->keys[p->count - 1]);
    for (size_t i = 0; i < p->count; i++)
        free(p->keys[i]);
    p->count = 0;
    p->newest_ms = 0;
}

/* The next batch behind p->last: listed, decided upon, removed. *MORE: there may be others. */
static int
remove_page(const struct target *t, struct page *p, bool *more, enum removal_outcome *outcome, uint64_t *objects,
            struct err *err)
{
    struct layout_key prefix;
    bool yes = false;

    *more = false;
    layout_data(&prefix, t->instance, t->id);
    if (store_list(t->repo->store, &(struct store_list){.prefix = prefix.text, .start_after = p->last}, add_key, p,
                   err) < 0)
        return -1;
    if (p->count == 0)
        return 0;
    if (may_go(t, p->newest_ms, &yes, err) < 0)
        return -1;
    if (!yes) {
        *outcome = REMOVAL_KEPT;
        return 0;
    }
    if (settle_denied(store_remove_many(t->repo->store, (const char *const *)p->keys, p->count, err), outcome, err) < 0)
        return -1;
    if (*outcome != REMOVAL_DONE)
        return 0;
    *objects += p->count;
    progress_tell(&t->repo->progress, PROGRESS_REMOVING, *objects, 0, 0);
    *more = p->count == STORE_REMOVE_MAX;
    return 0;
}

static int
remove_pages(const struct target *t, enum removal_outcome *outcome, uint64_t *objects, struct err *err)
{
    struct page *p = mem_new(sizeof(*p));
    bool more = true;
    int rc = 0;

    while (rc == 0 && more) {
        rc = remove_page(t, p, &more, outcome, objects, err);
        page_clear(p);
    }
    free(p);
    return rc;
}

static int
remove_facts(const struct target *t, enum removal_outcome *outcome, struct err *err)
{
    static const enum layout_fact kinds[] = {LAYOUT_VERIFIED, LAYOUT_ACCEPTED, LAYOUT_HOLD};
    struct layout_key keys[ARRAY_LEN(kinds)];
    const char *names[ARRAY_LEN(kinds)];

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        layout_fact(&keys[i], t->instance, kinds[i], t->id);
        names[i] = keys[i].text;
    }
    return settle_denied(store_remove_many(t->repo->store, names, ARRAY_LEN(kinds), err), outcome, err);
}

/* There are no data: facts, then the note. */
static int
remove_rest(const struct target *t, enum removal_outcome *outcome, struct err *err)
{
    if (t->orphan)
        return 0;
    if (remove_facts(t, outcome, err) < 0)
        return -1;
    if (*outcome != REMOVAL_DONE)
        return 0;
    return settle_denied(fact_remove(t->repo, t->instance, LAYOUT_EXPIRED, t->id, err), outcome, err);
}

/* An orphan gets a note before anything of it goes. An arrival of the same id is refused while the note is there, and
 * it stays for a day: so no request of ours, however late the store carries it out, meets segments that were put anew.
 */
static int
claim_orphan(struct target *t, const char *tool_version, struct err *err)
{
    t->claimed = true;
    return fact_put(t->repo, t->instance, LAYOUT_EXPIRED, t->id, "data without a manifest", tool_version, err);
}

static int
remove_what_is_left(struct target *t, const char *tool_version, enum removal_outcome *outcome, uint64_t *objects,
                    struct err *err)
{
    struct survey data;
    bool yes = false;

    *outcome = REMOVAL_KEPT;
    *objects = 0;
    if (survey_data(t->repo, t->instance, t->id, &data, err) < 0 || may_go(t, data.newest_ms, &yes, err) < 0)
        return err_wrap(err, "remove what is left of backup %s", t->id->text);
    if (!yes)
        return 0;
    if (t->orphan && data.objects > 0 && claim_orphan(t, tool_version, err) < 0)
        return err_wrap(err, "remove what is left of backup %s", t->id->text);
    *outcome = REMOVAL_DONE;
    if ((data.objects > 0 ? remove_pages(t, outcome, objects, err) : remove_rest(t, outcome, err)) < 0)
        return err_wrap(err, "remove what is left of backup %s", t->id->text);
    return 0;
}

int
removal_of_data(const struct repo *repo, const char *instance, const struct backup_id *id,
                enum removal_outcome *outcome, uint64_t *objects, struct err *err)
{
    struct target t = {.repo = repo, .instance = instance, .id = id, .age_ms = REMOVAL_NOTE_AGE_MS};

    return remove_what_is_left(&t, NULL, outcome, objects, err);
}

int
removal_of_orphan(const struct repo *repo, const char *instance, const struct backup_id *id, int64_t age_ms,
                  const char *tool_version, enum removal_outcome *outcome, uint64_t *objects, struct err *err)
{
    struct target t = {.repo = repo, .instance = instance, .id = id, .orphan = true, .age_ms = at_least_a_day(age_ms)};

    return remove_what_is_left(&t, tool_version, outcome, objects, err);
}

/* ---- notes and facts --------------------------------------------------------------------------------------------- */

int
removal_of_stale_note(const struct repo *repo, const char *instance, const struct backup_id *id,
                      enum removal_outcome *outcome, struct err *err)
{
    bool there = false, noted = false;
    int64_t now = 0, noted_ms = 0;

    *outcome = REMOVAL_KEPT;
    /* The note's own age last: a remover that comes just now puts it anew. */
    if (catalog_has(repo, instance, id, &there, err) < 0 || store_now(repo->store, &now, err) < 0 ||
        fact_find(repo, instance, LAYOUT_EXPIRED, id, &noted, &noted_ms, err) < 0)
        return err_wrap(err, "remove the old note on backup %s", id->text);
    if (!there || (noted && now - noted_ms < REMOVAL_NOTE_STALE_MS))
        return 0;
    *outcome = REMOVAL_DONE;
    return noted ? settle_denied(fact_remove(repo, instance, LAYOUT_EXPIRED, id, err), outcome, err) : 0;
}

/* When the newest fact about T was put; 0: there is none. */
static int
newest_fact(const struct target *t, int64_t *newest_ms, struct err *err)
{
    static const enum layout_fact kinds[] = {LAYOUT_VERIFIED, LAYOUT_ACCEPTED, LAYOUT_HOLD};

    *newest_ms = 0;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        bool there = false;
        int64_t put_ms = 0;

        if (fact_find(t->repo, t->instance, kinds[i], t->id, &there, &put_ms, err) < 0)
            return -1;
        if (there && put_ms > *newest_ms)
            *newest_ms = put_ms;
    }
    return 0;
}

int
removal_of_facts(const struct repo *repo, const char *instance, const struct backup_id *id, int64_t age_ms,
                 enum removal_outcome *outcome, struct err *err)
{
    const struct target t = {
        .repo = repo, .instance = instance, .id = id, .orphan = true, .age_ms = at_least_a_day(age_ms)};
    struct survey data;
    int64_t newest_ms = 0;
    bool yes = false;

    *outcome = REMOVAL_KEPT;
    if (newest_fact(&t, &newest_ms, err) < 0 || survey_data(repo, instance, id, &data, err) < 0 ||
        may_go(&t, newest_ms, &yes, err) < 0)
        return err_wrap(err, "remove the facts about backup %s", id->text);
    if (!yes || data.objects > 0)
        return 0;
    *outcome = REMOVAL_DONE;
    return remove_facts(&t, outcome, err);
}
