/* SPDX-License-Identifier: Apache-2.0 */
/* prunes.c: see world.h: a prune that is denied, cut off, or met by others. */
#include "storage/store_fault.h"
#include "tests/torture/travel/world.h"

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
int
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
void
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

void
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
