/* SPDX-License-Identifier: Apache-2.0 */
/* prune_apply.c: what becomes of a plan: see prune.h. */
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/sig.h"
#include "snapshot/prune/prune.h"
#include "snapshot/prune/removal.h"

/* A plan that is being done. */
struct applying {
    const struct repo *repo;
    const char *instance;
    struct prune_plan *plan;
    struct removal_reserve reserve; /* the good ones that stay, newest first */
    uint64_t good;                  /* backups that are there now */
    uint64_t done;                  /* removals that came about */
    uint64_t put_off;               /* and that were denied */
    uint64_t refusals;              /* of those: for want of permission */
    struct err denial;              /* the last of these */
    uint64_t at, all;               /* what goes, of how many: for people */
};

/* What goes takes long where it has many objects: each batch of them is a sign of life. */
static void
tell_batch(const struct progress *batch, void *cookie)
{
    const struct applying *a = cookie;

    (void)batch;
    progress_tell(&a->plan->options.progress, PROGRESS_REMOVING, a->at, a->all, 0);
}

/* What OUTCOME makes of a thing that was to go; WHY (of SIZE bytes) tells it where that is news. */
static enum prune_action
settle(struct applying *a, enum removal_outcome outcome, const struct err *cause, char *why, size_t size)
{
    switch (outcome) {
    case REMOVAL_DONE:
        a->done++;
        return PRUNE_REMOVE;
    case REMOVAL_HELD:
        (void)snprintf(why, size, "held");
        return PRUNE_HELD;
    case REMOVAL_NOT_YET:
        a->put_off++;
        if (cause->code == ERR_STORE_DENIED) {
            a->refusals++;
            a->denial = *cause;
        }
        (void)snprintf(why, size, "the store denies it for now: %.200s", cause->msg);
        return PRUNE_NOT_YET;
    default:
        (void)snprintf(why, size, "it is in use, or too young, when asked for again");
        return PRUNE_KEEP;
    }
}

static int
remove_backup(struct applying *a, struct prune_backup *b, struct err *err)
{
    const struct prune_options *o = &a->plan->options;
    enum removal_outcome outcome = REMOVAL_KEPT;
    struct err cause = ERR_INIT;

    /* The plan has seen to it; nothing that could be wrong with a plan may break it. */
    if (b->good && a->good <= o->policy.min_good)
        return err_set(err, ERR_REFUSED, "backup %s is not removed: only %llu good ones would be left", b->id.text,
                       (unsigned long long)a->good - 1);
    if (removal_of_manifest_reserving(b->good ? &a->reserve : NULL, a->repo, a->instance, &b->id, b->why,
                                      o->tool_version, &outcome, &cause) < 0) {
        *err = cause;
        return err_wrap(err, "remove backup %s", b->id.text);
    }
    if (outcome == REMOVAL_DONE) {
        a->good -= b->good;
        log_info("backup removed", LOG_S("id", b->id.text), LOG_S("instance", a->instance), LOG_S("reason", b->why));
    } else {
        log_info("backup not removed", LOG_S("id", b->id.text), LOG_S("instance", a->instance),
                 LOG_S("why", outcome == REMOVAL_HELD ? "it is held" : cause.msg));
    }
    b->action = settle(a, outcome, &cause, b->why, sizeof(b->why));
    return 0;
}

static int
remove_leftover(struct applying *a, struct prune_leftover *l, struct err *err)
{
    const char *name = l->what->key != NULL ? l->what->key : l->what->id.text;
    enum removal_outcome outcome = REMOVAL_KEPT;
    struct err cause = ERR_INIT;

    l->objects = 0;
    if (leftover_remove(a->repo, a->instance, l->what, a->plan->options.orphan_age_ms, a->plan->options.tool_version,
                        &outcome, &l->objects, &cause) < 0) {
        *err = cause;
        return err_wrap(err, "remove what is left of %s", name);
    }
    if (outcome == REMOVAL_DONE)
        log_info("leftover removed", LOG_S("what", leftover_name(l->what->kind)), LOG_S("of", name),
                 LOG_S("instance", a->instance), LOG_U("objects", l->objects));
    l->action = settle(a, outcome, &cause, l->why, sizeof(l->why));
    return 0;
}

/* Between two removals. */
static int
may_go_on(struct applying *a, struct err *err)
{
    progress_tell(&a->plan->options.progress, PROGRESS_REMOVING, a->at++, a->all, 0);
    return sig_check(err);
}

static int
remove_all(struct applying *a, struct err *err)
{
    struct prune_plan *plan = a->plan;

    for (size_t i = 0; i < plan->backup_count; i++)
        if (plan->backups[i].action == PRUNE_REMOVE &&
            (may_go_on(a, err) < 0 || remove_backup(a, &plan->backups[i], err) < 0))
            return -1;
    for (size_t i = 0; i < plan->leftover_count; i++)
        if (plan->leftovers[i].action == PRUNE_REMOVE &&
            (may_go_on(a, err) < 0 || remove_leftover(a, &plan->leftovers[i], err) < 0))
            return -1;
    progress_tell(&plan->options.progress, PROGRESS_REMOVING, a->at, a->all, 0);
    return 0;
}

int
prune_plan_apply(const struct repo *repo, const char *instance, struct prune_plan *plan, struct err *err)
{
    struct repo telling = *repo;
    struct applying a = {.repo = &telling, .instance = instance, .plan = plan, .denial = ERR_INIT};
    struct prune_summary counts;
    struct backup_id *stay;
    int rc;

    REQUIRE(!plan->complete);
    telling.progress = (struct progress_sink){.fn = tell_batch, .cookie = &a};
    prune_plan_count(plan, &counts);
    a.all = counts.backups[PRUNE_REMOVE] + counts.leftovers[PRUNE_REMOVE];
    stay = mem_array(plan->backup_count, sizeof(*stay));
    for (size_t i = plan->backup_count; i > 0; i--) {
        const struct prune_backup *b = &plan->backups[i - 1];

        a.good += b->good;
        if (b->good && b->action == PRUNE_KEEP)
            stay[a.reserve.count++] = b->id;
    }
    a.reserve.ids = stay;
    a.reserve.needed =
        a.reserve.count < plan->options.policy.min_good ? a.reserve.count : plan->options.policy.min_good;
    rc = remove_all(&a, err);
    free(stay);
    if (rc < 0)
        return -1;
    plan->complete = true;
    if (a.done > 0 || a.refusals == 0 || a.refusals < a.put_off)
        return 0;
    *err = a.denial;
    return err_wrap(err, "the store denied every removal");
}
