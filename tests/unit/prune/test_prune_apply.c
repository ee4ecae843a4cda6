/* SPDX-License-Identifier: Apache-2.0 */
/* test_prune_apply.c: what becomes of a plan: when something was held meanwhile, denied, failed, cut off, or done by
 * others at the same time. */
#include "snapshot/prune/prune.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/sig.h"
#include "storage/store_fault.h"
#include "tests/support/prune_scene.h"
#include "tests/support/test_child.h"
#include "tests/support/test_common.h"

#define FOLDER   "instances/" CASE_INSTANCE "/"
#define HOUR_MS  INT64_C(3600000)
#define SEGMENTS 2 /* and an index, a backup */

/* ---- what becomes of it ------------------------------------------------------------------------------------------ */

struct order {
    char removed[4096];
};

static void
note_removal(enum store_call call, const char *key, void *cookie)
{
    struct order *o = cookie;
    size_t len = strlen(o->removed);

    if (call == STORE_CALL_REMOVE && strstr(key, "/backups/") != NULL)
        (void)snprintf(o->removed + len, sizeof(o->removed) - len, "%s\n", key);
}

static void
apply__plan__done_oldest_first(void **state)
{
    struct order order = {""};
    struct err err = ERR_INIT;
    struct prune_plan *plan;
    struct prune_summary sum;
    struct prune_scene s;
    char *want;

    (void)state;
    prune_scene_begin(&s, 5, 2, 1);
    prune_scene_fact(&s, LAYOUT_HOLD, 1);
    plan = prune_scene_plan(&s);
    store_fault_set_hook(s.c.store, note_removal, &order);
    assert_ok(prune_scene_apply(&s, plan, &err), &err);
    store_fault_set_hook(s.c.store, NULL, NULL);
    want = mem_printf(FOLDER "backups/%s.json\n" FOLDER "backups/%s.json\n", s.ids[0].text, s.ids[2].text);
    assert_string_equal(order.removed, want);
    assert_true(plan->complete);
    prune_plan_count(plan, &sum);
    assert_int_equal(sum.backups[PRUNE_REMOVE], 2);
    assert_int_equal(sum.backups[PRUNE_KEEP], 3);
    prune_scene_there_are(&s, "01011");
    free(want);
    prune_plan_free(plan);
    prune_scene_plan_is(&s, "kkk");
    prune_scene_end(&s);
}

/* The phases as they come, a letter each, and the last figures. */
struct told {
    char phases[64];
    struct progress last;
    size_t count;
};

static void
note_progress(const struct progress *p, void *cookie)
{
    static const char letters[] = {[PROGRESS_LISTING] = 'l', [PROGRESS_CHECKING] = 'c', [PROGRESS_REMOVING] = 'r'};
    struct told *t = cookie;
    char letter = letters[p->phase];
    size_t len = strlen(t->phases);

    if ((len == 0 || t->phases[len - 1] != letter) && len + 1 < sizeof(t->phases))
        t->phases[len] = letter; /* the rest is zeros */
    t->last = *p;
    t->count++;
}

/* A watchdog goes by it: each manifest, each look, each batch that goes. */
static void
plan_and_apply__progress__is_told_all_the_way(void **state)
{
    struct told told = {.count = 0};
    struct err err = ERR_INIT;
    struct prune_plan *plan;
    struct prune_scene s;

    (void)state;
    prune_scene_begin(&s, 30, 2, 1);
    s.options.progress = (struct progress_sink){.fn = note_progress, .cookie = &told};
    plan = prune_scene_plan(&s);
    assert_string_equal(told.phases, "lcl");
    assert_true(told.count > 30);
    told.count = 0;
    assert_ok(prune_scene_apply(&s, plan, &err), &err);
    assert_string_equal(told.phases, "lclr");
    assert_true(told.count > 28);
    assert_int_equal(told.last.done, 28);
    assert_int_equal(told.last.total, 28);
    prune_plan_free(plan);
    prune_scene_pass(&s, 25 * HOUR_MS);
    plan = prune_scene_plan(&s);
    told.count = 0;
    assert_ok(prune_scene_apply(&s, plan, &err), &err);
    assert_true(told.count >= 2 * 28); /* before each leftover, and after each batch of its objects */
    assert_int_equal(told.last.done, told.last.total);
    prune_plan_free(plan);
    prune_scene_end(&s);
}

static void
apply__held_or_gone_since_the_plan__the_others_go(void **state)
{
    struct err err = ERR_INIT;
    struct layout_key key;
    struct prune_plan *plan;
    struct prune_scene s;

    (void)state;
    prune_scene_begin(&s, 5, 1, 1);
    plan = prune_scene_plan(&s);
    prune_scene_fact(&s, LAYOUT_HOLD, 0);
    layout_manifest(&key, CASE_INSTANCE, &s.ids[1]);
    repo_case_remove(s.c.mem, key.text);
    assert_ok(prune_scene_apply(&s, plan, &err), &err);
    prune_scene_actions_are(plan, "hrrrk");
    assert_string_equal(plan->backups[0].why, "held");
    prune_scene_there_are(&s, "10001");
    prune_plan_free(plan);
    prune_scene_end(&s);
}

static void
apply__denied__not_yet_and_7_only_when_all_were(void **state)
{
    struct err err = ERR_INIT;
    struct prune_plan *plan;
    struct prune_scene s;

    (void)state;
    prune_scene_begin(&s, 5, 2, 1);
    plan = prune_scene_plan(&s);
    store_fault_add(s.c.store,
                    &(struct store_fault){.call = STORE_CALL_REMOVE, .key = "/backups/", .code = ERR_STORE_DENIED});
    assert_fails(prune_scene_apply(&s, plan, &err), &err, ERR_STORE_DENIED);
    assert_true(plan->complete);
    prune_scene_actions_are(plan, "nnnkk");
    prune_plan_free(plan);
    prune_scene_there_are(&s, "11111");

    store_fault_clear(s.c.store);
    plan = prune_scene_plan(&s);
    store_fault_add(s.c.store,
                    &(struct store_fault){.call = STORE_CALL_REMOVE, .key = s.ids[1].text, .code = ERR_STORE_DENIED});
    assert_ok(prune_scene_apply(&s, plan, &err), &err);
    prune_scene_actions_are(plan, "rnrkk");
    prune_plan_free(plan);
    prune_scene_there_are(&s, "01011");

    store_fault_clear(s.c.store);
    plan = prune_scene_plan(&s);
    store_fault_add(s.c.store,
                    &(struct store_fault){.call = STORE_CALL_REMOVE, .key = "/backups/", .code = ERR_LOCKED});
    assert_ok(prune_scene_apply(&s, plan, &err), &err);
    prune_scene_actions_are(plan, "nkk");
    assert_non_null(strstr(plan->backups[0].why, "the store denies it for now"));
    prune_plan_free(plan);
    prune_scene_there_are(&s, "01011");
    prune_scene_end(&s);
}

static void
apply__store_fails__stops_with_that_error(void **state)
{
    struct err err = ERR_INIT;
    struct prune_plan *plan;
    struct prune_scene s;

    (void)state;
    prune_scene_begin(&s, 5, 2, 1);
    plan = prune_scene_plan(&s);
    store_fault_add(s.c.store, &(struct store_fault){.call = STORE_CALL_REMOVE, .key = s.ids[1].text});
    assert_fails(prune_scene_apply(&s, plan, &err), &err, ERR_STORAGE);
    assert_false(plan->complete);
    prune_plan_free(plan);
    store_fault_clear(s.c.store);
    prune_scene_there_are(&s, "01111");
    prune_scene_end(&s);
}

static void
apply__plan_that_is_wrong__never_under_min_good(void **state)
{
    struct err err = ERR_INIT;
    struct prune_plan *plan;
    struct prune_scene s;

    (void)state;
    prune_scene_begin(&s, 5, 3, 2);
    plan = prune_scene_plan(&s);
    for (size_t i = 0; i < plan->backup_count; i++)
        plan->backups[i].action = PRUNE_REMOVE;
    assert_fails(prune_scene_apply(&s, plan, &err), &err, ERR_REFUSED);
    prune_plan_free(plan);
    prune_scene_there_are(&s, "00011");
    prune_scene_end(&s);
}

/* ---- what is left over ------------------------------------------------------------------------------------------- */

static void
apply_once(struct prune_scene *s)
{
    struct prune_plan *plan = prune_scene_plan(s);
    struct err err = ERR_INIT;

    assert_ok(prune_scene_apply(s, plan, &err), &err);
    prune_plan_free(plan);
}

static void
leftovers__days_pass__all_goes(void **state)
{
    struct prune_plan *plan;
    struct prune_summary sum;
    struct prune_scene s;

    (void)state;
    prune_scene_begin(&s, 3, 1, 1);
    prune_scene_fact(&s, LAYOUT_VERIFIED, 0);
    apply_once(&s);
    plan = prune_scene_plan(&s);
    assert_int_equal(plan->leftover_count, 2);
    assert_int_equal(plan->leftovers[0].action, PRUNE_KEEP);
    prune_plan_free(plan);
    apply_once(&s); /* too early */
    assert_int_equal(repo_case_count(s.c.mem, FOLDER "data/"), 3 * (SEGMENTS + 1));

    prune_scene_pass(&s, 25 * HOUR_MS);
    plan = prune_scene_plan(&s);
    assert_int_equal(plan->leftover_count, 2);
    assert_int_equal(plan->leftovers[0].action, PRUNE_REMOVE);
    assert_int_equal(plan->leftovers[0].what->kind, LEFTOVER_DATA);
    assert_ok(prune_scene_apply(&s, plan, &(struct err)ERR_INIT), &(struct err)ERR_INIT);
    prune_plan_count(plan, &sum);
    assert_int_equal(sum.leftovers[PRUNE_REMOVE], 2);
    assert_int_equal(sum.objects, 2 * (SEGMENTS + 1));
    prune_plan_free(plan);
    assert_int_equal(repo_case_count(s.c.mem, FOLDER "data/"), SEGMENTS + 1);
    apply_once(&s);
    assert_int_equal(repo_case_count(s.c.mem, FOLDER "expired/"), 0);
    assert_int_equal(repo_case_count(s.c.mem, FOLDER "verified/"), 0);
    prune_scene_there_are(&s, "001");
    plan = prune_scene_plan(&s);
    assert_int_equal(plan->leftover_count, 0);
    prune_plan_free(plan);
    prune_scene_end(&s);
}

static void
leftovers__note_beside_a_manifest__goes_unless_the_backup_does(void **state)
{
    struct prune_plan *plan;
    struct prune_scene s;

    (void)state;
    prune_scene_begin(&s, 3, 2, 1);
    prune_scene_fact(&s, LAYOUT_EXPIRED, 0); /* of a removal that was broken off */
    prune_scene_fact(&s, LAYOUT_EXPIRED, 1);
    prune_scene_pass(&s, 2 * HOUR_MS);
    plan = prune_scene_plan(&s);
    prune_scene_actions_are(plan, "rkk");
    assert_int_equal(plan->leftover_count, 1);
    assert_int_equal(plan->leftovers[0].what->kind, LEFTOVER_STALE_NOTE);
    assert_string_equal(plan->leftovers[0].what->id.text, s.ids[1].text);
    assert_int_equal(plan->leftovers[0].action, PRUNE_REMOVE);
    prune_plan_free(plan);
    apply_once(&s);
    assert_int_equal(repo_case_count(s.c.mem, FOLDER "expired/"), 1);
    prune_scene_there_are(&s, "011");
    prune_scene_end(&s);
}

static void
leftovers__no_rule_was_given__looked_after_all_the_same(void **state)
{
    struct prune_plan *plan;
    struct layout_key key;
    struct prune_scene s;

    (void)state;
    prune_scene_begin(&s, 2, 0, 3);
    layout_manifest(&key, CASE_INSTANCE, &s.ids[0]);
    repo_case_remove(s.c.mem, key.text); /* as a killed backup leaves it */
    prune_scene_pass(&s, 25 * HOUR_MS);
    plan = prune_scene_plan(&s);
    assert_string_equal(plan->paused, "no rule was given");
    assert_int_equal(plan->leftover_count, 1);
    assert_int_equal(plan->leftovers[0].what->kind, LEFTOVER_ORPHAN);
    assert_int_equal(plan->leftovers[0].objects, SEGMENTS + 1);
    prune_plan_free(plan);
    apply_once(&s);
    assert_int_equal(repo_case_count(s.c.mem, FOLDER "data/"), SEGMENTS + 1);
    prune_scene_there_are(&s, "01");
    prune_scene_end(&s);
}

/* ---- cut off ----------------------------------------------------------------------------------------------------- */

/* Plan and apply with the Nth call failing, before or after it is done; then once more undisturbed. False: there is no
 * such call. */
static bool
cut_off_and_again(uint64_t nth, enum store_fault_kind what)
{
    struct prune_plan *plan = NULL;
    struct err err = ERR_INIT;
    struct prune_scene s;
    bool failed;

    prune_scene_begin(&s, 4, 2, 2);
    prune_scene_fact(&s, LAYOUT_HOLD, 0);
    store_fault_reset_counts(s.c.store);
    store_fault_add(s.c.store, &(struct store_fault){.what = what, .nth = nth, .times = 1});
    if (prune_plan_make(&s.c.repo, CASE_INSTANCE, &s.options, &plan, &err) == 0)
        (void)!prune_scene_apply(&s, plan, &err);
    failed = err.code != ERR_NONE;
    prune_plan_free(plan);
    if (failed)
        assert_int_equal(err.code, ERR_STORAGE);
    failed = store_fault_counts(s.c.store).calls[STORE_CALL_ANY] >= nth;
    store_fault_clear(s.c.store);
    apply_once(&s);
    prune_scene_there_are(&s, "1011");
    prune_scene_pass(&s, 25 * HOUR_MS);
    apply_once(&s);
    apply_once(&s);
    assert_int_equal(repo_case_count(s.c.mem, FOLDER "data/"), 3 * (SEGMENTS + 1));
    assert_int_equal(repo_case_count(s.c.mem, FOLDER "expired/"), 0);
    prune_scene_there_are(&s, "1011");
    prune_scene_end(&s);
    return failed;
}

static void
apply__fails_at_any_call__the_next_run_converges(void **state)
{
    uint64_t runs = 0;

    (void)state;
    for (uint64_t nth = 1; cut_off_and_again(nth, STORE_FAULT_FAIL); nth++)
        runs++;
    for (uint64_t nth = 1; cut_off_and_again(nth, STORE_FAULT_LOSE); nth++)
        runs++;
    assert_true(runs > 40);
}

static void
raise_at_a_removal(enum store_call call, const char *key, void *cookie)
{
    (void)cookie;
    if (call == STORE_CALL_REMOVE && strstr(key, "/backups/") != NULL)
        (void)raise(SIGTERM);
}

static int
apply_under_a_signal(void *arg)
{
    struct err err = ERR_INIT;
    struct prune_plan *plan;
    struct prune_scene s;

    (void)arg;
    prune_scene_begin(&s, 5, 1, 1);
    plan = prune_scene_plan(&s);
    sig_install();
    store_fault_set_hook(s.c.store, raise_at_a_removal, NULL);
    CHILD_CHECK(prune_scene_apply(&s, plan, &err) < 0);
    CHILD_CHECK(err.code == ERR_INTERRUPTED && !plan->complete);
    CHILD_CHECK(plan->backups[0].action == PRUNE_REMOVE);
    CHILD_CHECK(repo_case_count(s.c.mem, FOLDER "backups/") == 4); /* what was begun was brought to its end */
    prune_plan_free(plan);
    prune_scene_end(&s);
    return 0;
}

static void
apply__signal__stops_between_two_removals(void **state)
{
    (void)state;
    assert_int_equal(test_child_run(apply_under_a_signal, NULL), 0);
}

/* ---- others at the same time ---- */

static size_t
good_left(struct prune_scene *s)
{
    size_t left = 0;

    for (size_t i = 0; i < s->count; i++) {
        struct layout_key key;

        layout_manifest(&key, CASE_INSTANCE, &s->ids[i]);
        left += repo_case_count(s->c.mem, key.text) > 0;
    }
    return left;
}

/* Two plans may count on each other's backups: verified ones are preferred, and were verified in between. */
static void
apply__another_prune_that_kept_others__leaves_min_good(void **state)
{
    struct prune_plan *one, *other;
    struct err err = ERR_INIT;
    struct prune_scene s;

    (void)state;
    prune_scene_begin(&s, 6, 1, 3);
    one = prune_scene_plan(&s);
    prune_scene_fact(&s, LAYOUT_VERIFIED, 0);
    prune_scene_fact(&s, LAYOUT_VERIFIED, 1);
    other = prune_scene_plan(&s);
    assert_ok(prune_scene_apply(&s, one, &err), &err);
    assert_int_equal(good_left(&s), 3);
    assert_ok(prune_scene_apply(&s, other, &err), &err);
    assert_int_equal(good_left(&s), 3);
    prune_plan_free(one);
    prune_plan_free(other);
    prune_scene_end(&s);
}

static void
apply__the_one_to_stay_was_deleted_since__keeps_another(void **state)
{
    struct layout_key key;
    struct prune_plan *plan;
    struct err err = ERR_INIT;
    struct prune_scene s;

    (void)state;
    prune_scene_begin(&s, 4, 1, 1);
    plan = prune_scene_plan(&s);
    layout_manifest(&key, CASE_INSTANCE, &s.ids[3]);
    repo_case_remove(s.c.mem, key.text);
    assert_ok(prune_scene_apply(&s, plan, &err), &err);
    assert_true(good_left(&s) >= 1);
    prune_plan_free(plan);
    prune_scene_end(&s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(apply__plan__done_oldest_first),
        cmocka_unit_test(plan_and_apply__progress__is_told_all_the_way),
        cmocka_unit_test(apply__held_or_gone_since_the_plan__the_others_go),
        cmocka_unit_test(apply__denied__not_yet_and_7_only_when_all_were),
        cmocka_unit_test(apply__store_fails__stops_with_that_error),
        cmocka_unit_test(apply__plan_that_is_wrong__never_under_min_good),
        cmocka_unit_test(leftovers__days_pass__all_goes),
        cmocka_unit_test(leftovers__note_beside_a_manifest__goes_unless_the_backup_does),
        cmocka_unit_test(leftovers__no_rule_was_given__looked_after_all_the_same),
        cmocka_unit_test(apply__fails_at_any_call__the_next_run_converges),
        cmocka_unit_test(apply__signal__stops_between_two_removals),
        cmocka_unit_test(apply__another_prune_that_kept_others__leaves_min_good),
        cmocka_unit_test(apply__the_one_to_stay_was_deleted_since__keeps_another),
    };

    log_setup(STDERR_FILENO, LOG_TEXT, LOG_OFF);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
