/* SPDX-License-Identifier: Apache-2.0 */
/* test_prune.c: what a plan says of a repository, and what it costs. */
#include "snapshot/prune/prune.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "storage/store_fault.h"
#include "tests/support/prune_scene.h"
#include "tests/support/test_common.h"

#define FOLDER "instances/" CASE_INSTANCE "/"

/* ---- the plan ---------------------------------------------------------------------------------------------------- */

static void
plan__rules__told_and_nothing_changed(void **state)
{
    struct prune_plan *plan;
    struct prune_scene s;
    size_t before;

    (void)state;
    prune_scene_begin(&s, 5, 2, 1);
    before = repo_case_count(s.c.mem, "");
    plan = prune_scene_plan(&s);
    prune_scene_actions_are(plan, "rrrkk");
    assert_string_equal(plan->backups[4].id.text, s.ids[4].text);
    assert_string_equal(plan->backups[4].why, "last 1");
    assert_string_equal(plan->paused, "");
    assert_int_equal(plan->leftover_count, 0);
    prune_plan_free(plan);
    assert_int_equal(repo_case_count(s.c.mem, ""), before);
    assert_int_equal(store_fault_counts(s.c.store).calls[STORE_CALL_PUT], 0);
    assert_int_equal(store_fault_counts(s.c.store).calls[STORE_CALL_REMOVE], 0);
    prune_scene_end(&s);
}

static void
plan__no_backup__paused(void **state)
{
    struct prune_plan *plan;
    struct prune_scene s;

    (void)state;
    prune_scene_begin(&s, 0, 2, 1);
    plan = prune_scene_plan(&s);
    assert_int_equal(plan->backup_count, 0);
    assert_string_equal(plan->paused, "there is no good backup");
    prune_plan_free(plan);
    prune_scene_end(&s);
}

static void
plan__facts__held_stay_and_suspicious_wait_for_accept(void **state)
{
    struct prune_scene s;
    struct layout_key key;
    size_t len = 0;
    char *data, *forged;

    (void)state;
    prune_scene_begin(&s, 5, 1, 1);
    prune_scene_fact(&s, LAYOUT_HOLD, 1);
    prune_scene_plan_is(&s, "rkrrk");
    layout_manifest(&key, CASE_INSTANCE, &s.ids[4]);
    data = repo_case_get(s.c.mem, key.text, &len);
    forged = repo_case_forge(data, &len, "\"suspicious\":false", "\"suspicious\":true");
    repo_case_put(s.c.mem, key.text, forged, len);
    prune_scene_plan_is(&s, "kkkkk");
    prune_scene_fact(&s, LAYOUT_ACCEPTED, 4);
    prune_scene_plan_is(&s, "rkrrk");
    free(data);
    free(forged);
    prune_scene_end(&s);
}

static void
plan__backup_that_lost_a_segment__does_not_count(void **state)
{
    struct prune_plan *plan;
    struct prune_scene s;

    (void)state;
    prune_scene_begin(&s, 6, 2, 2);
    prune_scene_remove_segment(&s, 5);
    prune_scene_remove_segment(&s, 3);
    plan = prune_scene_plan(&s);
    prune_scene_actions_are(
        plan, "rrkkkk"); /* the newest two that are whole, and the two that are not are judged as if they were */
    assert_string_equal(plan->backups[5].why, "last 1, its data are not all there");
    assert_string_equal(plan->backups[3].why, "last 2, its data are not all there");
    assert_string_equal(plan->backups[4].why, "last 1");
    assert_string_equal(plan->backups[2].why, "last 2");
    prune_plan_free(plan);
    prune_scene_end(&s);
}

static void
plan__verified_ones__stay_first_and_are_proven_first(void **state)
{
    struct prune_plan *plan;
    struct prune_scene s;

    (void)state;
    prune_scene_begin(&s, 6, 1, 3);
    prune_scene_fact(&s, LAYOUT_VERIFIED, 0);
    prune_scene_fact(&s, LAYOUT_VERIFIED, 2);
    prune_scene_plan_is(&s, "krkrrk");
    prune_scene_remove_segment(&s, 0); /* verified once, and not whole any more */
    plan = prune_scene_plan(&s);
    prune_scene_actions_are(plan, "krkrkk"); /* found out by one look: told, and left to people */
    assert_string_equal(plan->backups[2].why, "min-good 3 (verified)");
    assert_string_equal(plan->backups[4].why, "min-good 3");
    prune_plan_free(plan);
    prune_scene_end(&s);
}

static void
plan__too_many_are_not_whole__nothing_is_expired(void **state)
{
    struct prune_plan *plan;
    struct prune_scene s;

    (void)state;
    prune_scene_begin(&s, PRUNE_BROKEN_MAX + 4, 1, 1);
    for (size_t i = 4; i < s.count; i++)
        prune_scene_remove_segment(&s, i);
    plan = prune_scene_plan(&s); /* sixteen are not whole, the seventeenth is */
    assert_string_equal(plan->paused, "");
    assert_int_equal(plan->backups[2].action, PRUNE_REMOVE);
    assert_int_equal(plan->backups[3].action, PRUNE_KEEP);
    prune_plan_free(plan);
    prune_scene_remove_segment(&s, 3);
    plan = prune_scene_plan(&s);
    assert_non_null(strstr(plan->paused, "too many backups"));
    for (size_t i = 0; i < plan->backup_count; i++)
        assert_int_equal(plan->backups[i].action, PRUNE_KEEP);
    prune_plan_free(plan);
    prune_scene_end(&s);
}

static uint64_t
calls_of_a_plan(struct prune_scene *s, enum store_call call)
{
    store_fault_reset_counts(s->c.store);
    prune_plan_free(prune_scene_plan(s));
    return store_fault_counts(s->c.store).calls[call];
}

static void
plan__requests__bounded(void **state)
{
    const uint64_t count = 30;
    struct prune_scene s;
    uint64_t lists;

    (void)state;
    prune_scene_begin(&s, count, count, 3);
    lists = calls_of_a_plan(&s, STORE_CALL_LIST); /* nothing goes: nobody is looked at */
    assert_true(lists <= 16);
    assert_int_equal(calls_of_a_plan(&s, STORE_CALL_GET), count);
    s.options.policy.last = 10;
    assert_int_equal(calls_of_a_plan(&s, STORE_CALL_LIST), lists + 3); /* min_good of them are */
    assert_true(calls_of_a_plan(&s, STORE_CALL_GET) <= count + UINT64_C(3) * 3);
    prune_scene_remove_segment(&s, count - 1);
    assert_int_equal(calls_of_a_plan(&s, STORE_CALL_LIST), lists + 4);
    prune_scene_end(&s);
}

static void
plan_fails(struct prune_scene *s, const struct store_fault *fault, enum err_code code)
{
    struct prune_plan *plan = NULL;
    struct err err = ERR_INIT;

    store_fault_add(s->c.store, fault);
    assert_fails(prune_plan_make(&s->c.repo, CASE_INSTANCE, &s->options, &plan, &err), &err, code);
    assert_null(plan);
    store_fault_clear(s->c.store);
}

static void
plan__store_does_not_answer__no_plan(void **state)
{
    struct prune_scene s;
    struct layout_key key;

    (void)state;
    prune_scene_begin(&s, 5, 2, 2);
    layout_manifests(&key, CASE_INSTANCE);
    plan_fails(&s, &(struct store_fault){.call = STORE_CALL_LIST, .what = STORE_FAULT_CUT, .key = key.text, .at = 2},
               ERR_STORAGE);
    plan_fails(&s, &(struct store_fault){.call = STORE_CALL_GET, .key = s.ids[0].text}, ERR_STORAGE);
    plan_fails(&s, &(struct store_fault){.call = STORE_CALL_GET, .key = s.ids[0].text, .code = ERR_STORE_DENIED},
               ERR_STORE_DENIED);
    plan_fails(&s, &(struct store_fault){.call = STORE_CALL_LIST, .key = FOLDER "holds/"}, ERR_STORAGE);
    plan_fails(&s, &(struct store_fault){.call = STORE_CALL_LIST, .key = FOLDER "accepted/"}, ERR_STORAGE);
    layout_data(&key, CASE_INSTANCE, &s.ids[4]); /* the look at one that stays */
    plan_fails(&s, &(struct store_fault){.key = key.text}, ERR_STORAGE);
    prune_scene_plan_is(&s, "rrrkk");
    prune_scene_end(&s);
}

/* Whether it is suspicious is not known then: nothing may be expired. */
static void
plan__newest_manifest_cannot_be_used__is_paused(void **state)
{
    struct layout_key key;
    struct prune_plan *plan;
    struct prune_scene s;

    (void)state;
    prune_scene_begin(&s, 6, 1, 1);
    layout_manifest(&key, CASE_INSTANCE, &s.ids[5]);
    repo_case_put(s.c.mem, key.text, "{}", 2);
    plan = prune_scene_plan(&s);
    assert_non_null(strstr(plan->paused, "damaged"));
    for (size_t i = 0; i < plan->backup_count; i++)
        assert_int_equal(plan->backups[i].action, PRUNE_KEEP);
    prune_plan_free(plan);
    prune_scene_end(&s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plan__rules__told_and_nothing_changed),
        cmocka_unit_test(plan__no_backup__paused),
        cmocka_unit_test(plan__facts__held_stay_and_suspicious_wait_for_accept),
        cmocka_unit_test(plan__backup_that_lost_a_segment__does_not_count),
        cmocka_unit_test(plan__verified_ones__stay_first_and_are_proven_first),
        cmocka_unit_test(plan__too_many_are_not_whole__nothing_is_expired),
        cmocka_unit_test(plan__requests__bounded),
        cmocka_unit_test(plan__store_does_not_answer__no_plan),
        cmocka_unit_test(plan__newest_manifest_cannot_be_used__is_paused),
    };

    log_setup(STDERR_FILENO, LOG_TEXT, LOG_OFF);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
