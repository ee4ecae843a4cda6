/* SPDX-License-Identifier: Apache-2.0 */
/* prune.c: the plan: see prune.h. prune_apply.c does what it says. */
#include "snapshot/prune/prune.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/sig.h"
#include "snapshot/repo/catalog.h"
#include "snapshot/verify.h"

/* A plan in the making. */
struct planning {
    const struct repo *repo;
    const char *instance;
    const struct prune_options *options;
    int64_t now_ms;
    struct catalog *catalog;
    struct retention_item *items; /* of the catalogue's entries, in their order */
    bool *looked;                 /* which of them were looked at */
    uint64_t looks, broken;       /* how many were, and of them are not whole */
    struct retention_verdict verdict;
};

static void
fill_items(struct planning *p)
{
    p->items = mem_array(p->catalog->count, sizeof(*p->items));
    p->looked = mem_array(p->catalog->count, sizeof(*p->looked));
    for (size_t i = 0; i < p->catalog->count; i++) {
        const struct catalog_entry *e = &p->catalog->entries[i];

        p->items[i].taken_ms = e->taken_ms;
        p->items[i].whole = e->state == CATALOG_WHOLE;
        p->items[i].unsupported = e->state == CATALOG_UNSUPPORTED;
        p->items[i].suspicious = e->suspicious && !e->accepted;
        p->items[i].held = e->held;
        p->items[i].verified = e->verified_ms != 0;
    }
}

static void
judge(struct planning *p)
{
    retention_judge(&p->options->policy, p->now_ms, p->items, p->catalog->count, &p->verdict);
}

/* ---- min-good is proven ------------------------------------------------------------------------------------------ */

/* Of the min_good newest good ones that stay, verified ones first, the first that was not looked at; -1: none. */
static ssize_t
next_to_look_at(const struct planning *p)
{
    uint64_t left = p->options->policy.min_good;

    for (int round = 0; round < 2; round++) {
        const bool verified = round == 0;

        for (size_t i = p->catalog->count; i > 0 && left > 0; i--) {
            const struct retention_item *item = &p->items[i - 1];

            if (!item->good || !item->keep || item->verified != verified)
                continue;
            if (!p->looked[i - 1])
                return (ssize_t)(i - 1);
            left--;
        }
    }
    return -1;
}

/* Has the backup all its objects? One that was removed since it was listed has not. */
static int
look_at(struct planning *p, size_t at, struct err *err)
{
    const struct backup_id *id = &p->catalog->entries[at].id;
    struct manifest *m = NULL;
    struct err why = ERR_INIT;
    int rc;

    progress_tell(&p->repo->progress, PROGRESS_CHECKING, p->looks++, 0, 0);
    p->looked[at] = true;
    rc = catalog_find(p->repo, p->instance, id->text, NULL, NULL, &m, &why);
    if (rc == 0)
        rc = verify_backup(p->repo, m, VERIFY_QUICK, NULL, &why);
    manifest_free(m);
    if (rc == 0)
        return 0;
    if (why.code != ERR_CORRUPT && why.code != ERR_NOT_FOUND) {
        *err = why;
        return err_wrap(err, "see whether the backups that stay are whole");
    }
    log_warn("this backup is not whole and does not count", LOG_S("id", id->text), LOG_S("instance", p->instance),
             LOG_S("problem", why.msg));
    p->items[at].broken = true;
    p->broken++;
    return 0;
}

/* Judge, and prove by their objects that as many good ones stay as have to. */
static int
judge_and_prove(struct planning *p, struct err *err)
{
    ssize_t at;

    judge(p);
    while (p->verdict.removed > 0 && (at = next_to_look_at(p)) >= 0) {
        if (sig_check(err) < 0 || look_at(p, (size_t)at, err) < 0)
            return -1;
        if (!p->items[at].broken)
            continue;
        judge(p);
        if (p->broken > PRUNE_BROKEN_MAX)
            retention_pause(p->items, p->catalog->count,
                            "too many backups have not all their objects: see what `remora verify --all --quick` says",
                            &p->verdict);
    }
    return 0;
}

/* ---- the plan ---------------------------------------------------------------------------------------------------- */

static void
add_backups(struct prune_plan *plan, const struct planning *p)
{
    plan->backup_count = p->catalog->count;
    plan->backups = mem_array(plan->backup_count, sizeof(*plan->backups));
    for (size_t i = 0; i < plan->backup_count; i++) {
        struct prune_backup *b = &plan->backups[i];

        b->id = p->catalog->entries[i].id;
        b->taken_ms = p->items[i].taken_ms;
        b->good = p->items[i].good;
        b->action = p->items[i].keep || p->items[i].broken ? PRUNE_KEEP : PRUNE_REMOVE;
        /* What was found out just now, by one look, is no reason to remove: a part of it may still be of use. */
        if (p->items[i].broken && !p->items[i].keep)
            (void)snprintf(b->why, sizeof(b->why), "its data are not all there: `remora verify` it, then delete it");
        else
            (void)snprintf(b->why, sizeof(b->why), "%s", p->items[i].why);
    }
    (void)snprintf(plan->paused, sizeof(plan->paused), "%s", p->verdict.paused);
}

static int
compare_backup(const void *key, const void *backup)
{
    return strcmp(key, ((const struct prune_backup *)backup)->id.text);
}

/* Does the backup that the note belongs to go by this very plan? Then the note is renewed and not removed. */
static bool
goes_now(const struct prune_plan *plan, const struct leftover *what)
{
    const struct prune_backup *b;

    if (what->kind != LEFTOVER_STALE_NOTE || plan->backup_count == 0)
        return false;
    b = bsearch(what->id.text, plan->backups, plan->backup_count, sizeof(*plan->backups), compare_backup);
    return b != NULL && b->action == PRUNE_REMOVE;
}

static int
add_leftovers(struct prune_plan *plan, const struct planning *p, struct err *err)
{
    if (leftovers_find(p->repo, p->instance, p->options->orphan_age_ms, &plan->found, err) < 0)
        return -1;
    plan->leftovers = mem_array(plan->found.count, sizeof(*plan->leftovers));
    for (size_t i = 0; i < plan->found.count; i++) {
        const struct leftover *what = &plan->found.items[i];
        struct prune_leftover *l = &plan->leftovers[plan->leftover_count];

        if (goes_now(plan, what))
            continue;
        l->what = what;
        l->action = what->ready ? PRUNE_REMOVE : PRUNE_KEEP;
        l->objects = what->objects;
        (void)snprintf(l->why, sizeof(l->why), "%s", what->why);
        plan->leftover_count++;
    }
    return 0;
}

int
prune_plan_make(const struct repo *repo, const char *instance, const struct prune_options *options,
                struct prune_plan **out, struct err *err)
{
    struct repo telling = *repo;
    struct planning p = {.repo = &telling, .instance = instance, .options = options, .now_ms = repo_now_ms(repo)};
    struct prune_plan *plan = mem_new(sizeof(*plan));
    int rc = -1;

    telling.progress = options->progress;
    plan->options = *options;
    plan->now_ms = p.now_ms;
    if (catalog_load(&telling, instance, CATALOG_MARKS, &p.catalog, err) < 0)
        goto out;
    fill_items(&p);
    if (judge_and_prove(&p, err) < 0)
        goto out;
    add_backups(plan, &p);
    if (add_leftovers(plan, &p, err) < 0)
        goto out;
    *out = plan;
    plan = NULL;
    rc = 0;
out:
    prune_plan_free(plan);
    free(p.items);
    free(p.looked);
    catalog_free(p.catalog);
    return rc;
}

void
prune_plan_free(struct prune_plan *p)
{
    if (p == NULL)
        return;
    free(p->backups);
    free(p->leftovers);
    leftovers_fini(&p->found);
    free(p);
}

void
prune_plan_count(const struct prune_plan *plan, struct prune_summary *out)
{
    memset(out, 0, sizeof(*out));
    for (size_t i = 0; i < plan->backup_count; i++)
        out->backups[plan->backups[i].action]++;
    for (size_t i = 0; i < plan->leftover_count; i++) {
        out->leftovers[plan->leftovers[i].action]++;
        if (plan->leftovers[i].action == PRUNE_REMOVE)
            out->objects += plan->leftovers[i].objects;
    }
}

const char *
prune_action_name(enum prune_action action)
{
    static const char *const names[PRUNE_ACTIONS] = {
        [PRUNE_KEEP] = "keep", [PRUNE_REMOVE] = "remove", [PRUNE_HELD] = "held", [PRUNE_NOT_YET] = "not-yet"};

    return names[action];
}
