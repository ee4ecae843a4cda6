/* SPDX-License-Identifier: Apache-2.0 */
/* test_prune.c: what a plan says of a repository and what it costs, and what becomes of it: when something was not
 * whole, held meanwhile, denied, failed or cut off. */
#include "snapshot/prune/prune.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/sig.h"
#include "snapshot/repo/catalog.h"
#include "snapshot/repo/fact.h"
#include "snapshot/verify.h"
#include "storage/store_fault.h"
#include "tests/support/repo_case.h"
#include "tests/support/test_child.h"
#include "tests/support/test_common.h"

#define FOLDER   "instances/" CASE_INSTANCE "/"
#define HOUR_MS  INT64_C(3600000)
#define DAY_MS   (24 * HOUR_MS)
#define MAX      40
#define SEGMENTS 2 /* and an index, a backup */

/* A repository with a backup a day, the oldest first; the newest is an hour old. */
struct scene {
    struct repo_case c;
    struct backup_id ids[MAX];
    size_t count;
    struct prune_options options;
};

static void
begin(struct scene *s, size_t count, uint64_t keep_last, uint64_t min_good)
{
    int64_t newest_s = clock_wall_ms() / 1000 - 3600;

    assert_true(count <= MAX);
    memset(s, 0, sizeof(*s));
    repo_case_open(&s->c);
    for (size_t i = 0; i < count; i++) {
        struct rdb_build dump;
        struct manifest *m;

        repo_case_dump(&dump, CASE_SEGMENT + 500, newest_s - (int64_t)(count - 1 - i) * 86400);
        m = repo_case_backup(&s->c, &dump);
        s->ids[s->count++] = m->id;
        manifest_free(m);
        rdb_build_fini(&dump);
    }
    s->options = (struct prune_options){
        .policy = {.last = keep_last, .min_good = min_good}, .orphan_age_ms = DAY_MS, .tool_version = "0.0.test"};
    store_fault_reset_counts(s->c.store);
}

static void
end(struct scene *s)
{
    repo_case_close(&s->c);
}

static void
put_fact(struct scene *s, enum layout_fact kind, size_t i)
{
    struct err err = ERR_INIT;

    assert_ok(fact_put(&s->c.repo, CASE_INSTANCE, kind, &s->ids[i], NULL, "0.0.test", &err), &err);
}

static void
remove_segment(struct scene *s, size_t i)
{
    struct layout_key key;

    layout_segment(&key, CASE_INSTANCE, &s->ids[i], LAYOUT_MEMBER_RDB, 1);
    repo_case_remove(s->c.mem, key.text);
}

static struct prune_plan *
make(struct scene *s)
{
    struct prune_plan *plan = NULL;
    struct err err = ERR_INIT;

    assert_ok(prune_plan_make(&s->c.repo, CASE_INSTANCE, &s->options, &plan, &err), &err);
    return plan;
}

static int
apply(struct scene *s, struct prune_plan *plan, struct err *err)
{
    return prune_plan_apply(&s->c.repo, CASE_INSTANCE, plan, err);
}

/* The first letters of the actions, oldest backup first: k r h n. */
static void
actions_are(const struct prune_plan *plan, const char *want)
{
    char got[MAX + 1] = "";

    for (size_t i = 0; i < plan->backup_count; i++) {
        got[i] = prune_action_name(plan->backups[i].action)[0];
        assert_true(plan->backups[i].why[0] != '\0');
    }
    assert_string_equal(got, want);
}

static void
plan_is(struct scene *s, const char *want)
{
    struct prune_plan *plan = make(s);

    actions_are(plan, want);
    prune_plan_free(plan);
}

/* Which of the scene's backups there are, as '1' and '0'; every one of them has all its objects. */
static void
there_are(struct scene *s, const char *want)
{
    char got[MAX + 1] = "";
    struct err err = ERR_INIT;
    struct manifest *m;

    for (size_t i = 0; i < s->count; i++) {
        m = NULL;
        got[i] = catalog_find(&s->c.repo, CASE_INSTANCE, s->ids[i].text, NULL, NULL, &m, &err) == 0 ? '1' : '0';
        if (got[i] == '1')
            assert_ok(verify_backup(&s->c.repo, m, VERIFY_DIGESTS, &case_reading, &err), &err);
        manifest_free(m);
        err_clear(&err);
    }
    assert_string_equal(got, want);
}

/* As if what is there had been put so much earlier. */
static void
pass(struct scene *s, int64_t ms)
{
    store_fault_shift_times(s->c.store, -ms, 0);
}

/* ---- the plan ---------------------------------------------------------------------------------------------------- */

static void
plan__rules__told_and_nothing_changed(void **state)
{
    struct prune_plan *plan;
    struct scene s;
    size_t before;

    (void)state;
    begin(&s, 5, 2, 1);
    before = repo_case_count(s.c.mem, "");
    plan = make(&s);
    actions_are(plan, "rrrkk");
    assert_string_equal(plan->backups[4].id.text, s.ids[4].text);
    assert_string_equal(plan->backups[4].why, "last 1");
    assert_string_equal(plan->paused, "");
    assert_int_equal(plan->leftover_count, 0);
    prune_plan_free(plan);
    assert_int_equal(repo_case_count(s.c.mem, ""), before);
    assert_int_equal(store_fault_counts(s.c.store).calls[STORE_CALL_PUT], 0);
    assert_int_equal(store_fault_counts(s.c.store).calls[STORE_CALL_REMOVE], 0);
    end(&s);
}

static void
plan__no_backup__paused(void **state)
{
    struct prune_plan *plan;
    struct scene s;

    (void)state;
    begin(&s, 0, 2, 1);
    plan = make(&s);
    assert_int_equal(plan->backup_count, 0);
    assert_string_equal(plan->paused, "there is no good backup");
    prune_plan_free(plan);
    end(&s);
}

static void
plan__facts__held_stay_and_suspicious_wait_for_accept(void **state)
{
    struct scene s;
    struct layout_key key;
    size_t len = 0;
    char *data, *forged;

    (void)state;
    begin(&s, 5, 1, 1);
    put_fact(&s, LAYOUT_HOLD, 1);
    plan_is(&s, "rkrrk");
    layout_manifest(&key, CASE_INSTANCE, &s.ids[4]);
    data = repo_case_get(s.c.mem, key.text, &len);
    forged = repo_case_forge(data, &len, "\"suspicious\":false", "\"suspicious\":true");
    repo_case_put(s.c.mem, key.text, forged, len);
    plan_is(&s, "kkkkk");
    put_fact(&s, LAYOUT_ACCEPTED, 4);
    plan_is(&s, "rkrrk");
    free(data);
    free(forged);
    end(&s);
}

static void
plan__backup_that_lost_a_segment__does_not_count(void **state)
{
    struct prune_plan *plan;
    struct scene s;

    (void)state;
    begin(&s, 6, 2, 2);
    remove_segment(&s, 5);
    remove_segment(&s, 3);
    plan = make(&s);
    actions_are(plan,
                "rrkkkk"); /* the newest two that are whole, and the two that are not are judged as if they were */
    assert_string_equal(plan->backups[5].why, "last 1, its data are not all there");
    assert_string_equal(plan->backups[3].why, "last 2, its data are not all there");
    assert_string_equal(plan->backups[4].why, "last 1");
    assert_string_equal(plan->backups[2].why, "last 2");
    prune_plan_free(plan);
    end(&s);
}

static void
plan__verified_ones__stay_first_and_are_proven_first(void **state)
{
    struct prune_plan *plan;
    struct scene s;

    (void)state;
    begin(&s, 6, 1, 3);
    put_fact(&s, LAYOUT_VERIFIED, 0);
    put_fact(&s, LAYOUT_VERIFIED, 2);
    plan_is(&s, "krkrrk");
    remove_segment(&s, 0); /* verified once, and not whole any more */
    plan = make(&s);
    actions_are(plan, "krkrkk"); /* found out by one look: told, and left to people */
    assert_string_equal(plan->backups[2].why, "min-good 3 (verified)");
    assert_string_equal(plan->backups[4].why, "min-good 3");
    prune_plan_free(plan);
    end(&s);
}

static void
plan__too_many_are_not_whole__nothing_is_expired(void **state)
{
    struct prune_plan *plan;
    struct scene s;

    (void)state;
    begin(&s, PRUNE_BROKEN_MAX + 4, 1, 1);
    for (size_t i = 4; i < s.count; i++)
        remove_segment(&s, i);
    plan = make(&s); /* sixteen are not whole, the seventeenth is */
    assert_string_equal(plan->paused, "");
    assert_int_equal(plan->backups[2].action, PRUNE_REMOVE);
    assert_int_equal(plan->backups[3].action, PRUNE_KEEP);
    prune_plan_free(plan);
    remove_segment(&s, 3);
    plan = make(&s);
    assert_non_null(strstr(plan->paused, "too many backups"));
    for (size_t i = 0; i < plan->backup_count; i++)
        assert_int_equal(plan->backups[i].action, PRUNE_KEEP);
    prune_plan_free(plan);
    end(&s);
}

static uint64_t
calls_of_a_plan(struct scene *s, enum store_call call)
{
    store_fault_reset_counts(s->c.store);
    prune_plan_free(make(s));
    return store_fault_counts(s->c.store).calls[call];
}

static void
plan__requests__bounded(void **state)
{
    const uint64_t count = 30;
    struct scene s;
    uint64_t lists;

    (void)state;
    begin(&s, count, count, 3);
    lists = calls_of_a_plan(&s, STORE_CALL_LIST); /* nothing goes: nobody is looked at */
    assert_true(lists <= 16);
    assert_int_equal(calls_of_a_plan(&s, STORE_CALL_GET), count);
    s.options.policy.last = 10;
    assert_int_equal(calls_of_a_plan(&s, STORE_CALL_LIST), lists + 3); /* min_good of them are */
    assert_true(calls_of_a_plan(&s, STORE_CALL_GET) <= count + UINT64_C(3) * 3);
    remove_segment(&s, count - 1);
    assert_int_equal(calls_of_a_plan(&s, STORE_CALL_LIST), lists + 4);
    end(&s);
}

static void
plan_fails(struct scene *s, const struct store_fault *fault, enum err_code code)
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
    struct scene s;
    struct layout_key key;

    (void)state;
    begin(&s, 5, 2, 2);
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
    plan_is(&s, "rrrkk");
    end(&s);
}

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
    struct scene s;
    char *want;

    (void)state;
    begin(&s, 5, 2, 1);
    put_fact(&s, LAYOUT_HOLD, 1);
    plan = make(&s);
    store_fault_set_hook(s.c.store, note_removal, &order);
    assert_ok(apply(&s, plan, &err), &err);
    store_fault_set_hook(s.c.store, NULL, NULL);
    want = mem_printf(FOLDER "backups/%s.json\n" FOLDER "backups/%s.json\n", s.ids[0].text, s.ids[2].text);
    assert_string_equal(order.removed, want);
    assert_true(plan->complete);
    prune_plan_count(plan, &sum);
    assert_int_equal(sum.backups[PRUNE_REMOVE], 2);
    assert_int_equal(sum.backups[PRUNE_KEEP], 3);
    there_are(&s, "01011");
    free(want);
    prune_plan_free(plan);
    plan_is(&s, "kkk");
    end(&s);
}

static void
apply__held_or_gone_since_the_plan__the_others_go(void **state)
{
    struct err err = ERR_INIT;
    struct layout_key key;
    struct prune_plan *plan;
    struct scene s;

    (void)state;
    begin(&s, 5, 1, 1);
    plan = make(&s);
    put_fact(&s, LAYOUT_HOLD, 0);
    layout_manifest(&key, CASE_INSTANCE, &s.ids[1]);
    repo_case_remove(s.c.mem, key.text);
    assert_ok(apply(&s, plan, &err), &err);
    actions_are(plan, "hrrrk");
    assert_string_equal(plan->backups[0].why, "held");
    there_are(&s, "10001");
    prune_plan_free(plan);
    end(&s);
}

static void
apply__denied__not_yet_and_7_only_when_all_were(void **state)
{
    struct err err = ERR_INIT;
    struct prune_plan *plan;
    struct scene s;

    (void)state;
    begin(&s, 5, 2, 1);
    plan = make(&s);
    store_fault_add(s.c.store,
                    &(struct store_fault){.call = STORE_CALL_REMOVE, .key = "/backups/", .code = ERR_STORE_DENIED});
    assert_fails(apply(&s, plan, &err), &err, ERR_STORE_DENIED);
    assert_true(plan->complete);
    actions_are(plan, "nnnkk");
    prune_plan_free(plan);
    there_are(&s, "11111");

    store_fault_clear(s.c.store);
    plan = make(&s);
    store_fault_add(s.c.store,
                    &(struct store_fault){.call = STORE_CALL_REMOVE, .key = s.ids[1].text, .code = ERR_STORE_DENIED});
    assert_ok(apply(&s, plan, &err), &err);
    actions_are(plan, "rnrkk");
    prune_plan_free(plan);
    there_are(&s, "01011");

    store_fault_clear(s.c.store);
    plan = make(&s);
    store_fault_add(s.c.store,
                    &(struct store_fault){.call = STORE_CALL_REMOVE, .key = "/backups/", .code = ERR_LOCKED});
    assert_ok(apply(&s, plan, &err), &err);
    actions_are(plan, "nkk");
    assert_non_null(strstr(plan->backups[0].why, "the store denies it for now"));
    prune_plan_free(plan);
    there_are(&s, "01011");
    end(&s);
}

static void
apply__store_fails__stops_with_that_error(void **state)
{
    struct err err = ERR_INIT;
    struct prune_plan *plan;
    struct scene s;

    (void)state;
    begin(&s, 5, 2, 1);
    plan = make(&s);
    store_fault_add(s.c.store, &(struct store_fault){.call = STORE_CALL_REMOVE, .key = s.ids[1].text});
    assert_fails(apply(&s, plan, &err), &err, ERR_STORAGE);
    assert_false(plan->complete);
    prune_plan_free(plan);
    store_fault_clear(s.c.store);
    there_are(&s, "01111");
    end(&s);
}

static void
apply__plan_that_is_wrong__never_under_min_good(void **state)
{
    struct err err = ERR_INIT;
    struct prune_plan *plan;
    struct scene s;

    (void)state;
    begin(&s, 5, 3, 2);
    plan = make(&s);
    for (size_t i = 0; i < plan->backup_count; i++)
        plan->backups[i].action = PRUNE_REMOVE;
    assert_fails(apply(&s, plan, &err), &err, ERR_REFUSED);
    prune_plan_free(plan);
    there_are(&s, "00011");
    end(&s);
}

/* ---- what is left over ------------------------------------------------------------------------------------------- */

static void
apply_once(struct scene *s)
{
    struct prune_plan *plan = make(s);
    struct err err = ERR_INIT;

    assert_ok(apply(s, plan, &err), &err);
    prune_plan_free(plan);
}

static void
leftovers__days_pass__all_goes(void **state)
{
    struct prune_plan *plan;
    struct prune_summary sum;
    struct scene s;

    (void)state;
    begin(&s, 3, 1, 1);
    put_fact(&s, LAYOUT_VERIFIED, 0);
    apply_once(&s);
    plan = make(&s);
    assert_int_equal(plan->leftover_count, 2);
    assert_int_equal(plan->leftovers[0].action, PRUNE_KEEP);
    prune_plan_free(plan);
    apply_once(&s); /* too early */
    assert_int_equal(repo_case_count(s.c.mem, FOLDER "data/"), 3 * (SEGMENTS + 1));

    pass(&s, 25 * HOUR_MS);
    plan = make(&s);
    assert_int_equal(plan->leftover_count, 2);
    assert_int_equal(plan->leftovers[0].action, PRUNE_REMOVE);
    assert_int_equal(plan->leftovers[0].what->kind, LEFTOVER_DATA);
    assert_ok(apply(&s, plan, &(struct err)ERR_INIT), &(struct err)ERR_INIT);
    prune_plan_count(plan, &sum);
    assert_int_equal(sum.leftovers[PRUNE_REMOVE], 2);
    assert_int_equal(sum.objects, 2 * (SEGMENTS + 1));
    prune_plan_free(plan);
    assert_int_equal(repo_case_count(s.c.mem, FOLDER "data/"), SEGMENTS + 1);
    apply_once(&s);
    assert_int_equal(repo_case_count(s.c.mem, FOLDER "expired/"), 0);
    assert_int_equal(repo_case_count(s.c.mem, FOLDER "verified/"), 0);
    there_are(&s, "001");
    plan = make(&s);
    assert_int_equal(plan->leftover_count, 0);
    prune_plan_free(plan);
    end(&s);
}

static void
leftovers__note_beside_a_manifest__goes_unless_the_backup_does(void **state)
{
    struct prune_plan *plan;
    struct scene s;

    (void)state;
    begin(&s, 3, 2, 1);
    put_fact(&s, LAYOUT_EXPIRED, 0); /* of a removal that was broken off */
    put_fact(&s, LAYOUT_EXPIRED, 1);
    pass(&s, 2 * HOUR_MS);
    plan = make(&s);
    actions_are(plan, "rkk");
    assert_int_equal(plan->leftover_count, 1);
    assert_int_equal(plan->leftovers[0].what->kind, LEFTOVER_STALE_NOTE);
    assert_string_equal(plan->leftovers[0].what->id.text, s.ids[1].text);
    assert_int_equal(plan->leftovers[0].action, PRUNE_REMOVE);
    prune_plan_free(plan);
    apply_once(&s);
    assert_int_equal(repo_case_count(s.c.mem, FOLDER "expired/"), 1);
    there_are(&s, "011");
    end(&s);
}

static void
leftovers__no_rule_was_given__looked_after_all_the_same(void **state)
{
    struct prune_plan *plan;
    struct layout_key key;
    struct scene s;

    (void)state;
    begin(&s, 2, 0, 3);
    layout_manifest(&key, CASE_INSTANCE, &s.ids[0]);
    repo_case_remove(s.c.mem, key.text); /* as a killed backup leaves it */
    pass(&s, 25 * HOUR_MS);
    plan = make(&s);
    assert_string_equal(plan->paused, "no rule was given");
    assert_int_equal(plan->leftover_count, 1);
    assert_int_equal(plan->leftovers[0].what->kind, LEFTOVER_ORPHAN);
    assert_int_equal(plan->leftovers[0].objects, SEGMENTS + 1);
    prune_plan_free(plan);
    apply_once(&s);
    assert_int_equal(repo_case_count(s.c.mem, FOLDER "data/"), SEGMENTS + 1);
    there_are(&s, "01");
    end(&s);
}

/* ---- cut off ----------------------------------------------------------------------------------------------------- */

/* Plan and apply with the Nth call failing, before or after it is done; then once more undisturbed. False: there is no
 * such call. */
static bool
cut_off_and_again(uint64_t nth, enum store_fault_kind what)
{
    struct prune_plan *plan = NULL;
    struct err err = ERR_INIT;
    struct scene s;
    bool failed;

    begin(&s, 4, 2, 2);
    put_fact(&s, LAYOUT_HOLD, 0);
    store_fault_reset_counts(s.c.store);
    store_fault_add(s.c.store, &(struct store_fault){.what = what, .nth = nth, .times = 1});
    if (prune_plan_make(&s.c.repo, CASE_INSTANCE, &s.options, &plan, &err) == 0)
        (void)!apply(&s, plan, &err);
    failed = err.code != ERR_NONE;
    prune_plan_free(plan);
    if (failed)
        assert_int_equal(err.code, ERR_STORAGE);
    failed = store_fault_counts(s.c.store).calls[STORE_CALL_ANY] >= nth;
    store_fault_clear(s.c.store);
    apply_once(&s);
    there_are(&s, "1011");
    pass(&s, 25 * HOUR_MS);
    apply_once(&s);
    apply_once(&s);
    assert_int_equal(repo_case_count(s.c.mem, FOLDER "data/"), 3 * (SEGMENTS + 1));
    assert_int_equal(repo_case_count(s.c.mem, FOLDER "expired/"), 0);
    there_are(&s, "1011");
    end(&s);
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
    struct scene s;

    (void)arg;
    begin(&s, 5, 1, 1);
    plan = make(&s);
    sig_install();
    store_fault_set_hook(s.c.store, raise_at_a_removal, NULL);
    CHILD_CHECK(apply(&s, plan, &err) < 0);
    CHILD_CHECK(err.code == ERR_INTERRUPTED && !plan->complete);
    CHILD_CHECK(plan->backups[0].action == PRUNE_REMOVE);
    CHILD_CHECK(repo_case_count(s.c.mem, FOLDER "backups/") == 4); /* what was begun was brought to its end */
    prune_plan_free(plan);
    end(&s);
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
good_left(struct scene *s)
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
    struct scene s;

    (void)state;
    begin(&s, 6, 1, 3);
    one = make(&s);
    put_fact(&s, LAYOUT_VERIFIED, 0);
    put_fact(&s, LAYOUT_VERIFIED, 1);
    other = make(&s);
    assert_ok(apply(&s, one, &err), &err);
    assert_int_equal(good_left(&s), 3);
    assert_ok(apply(&s, other, &err), &err);
    assert_int_equal(good_left(&s), 3);
    prune_plan_free(one);
    prune_plan_free(other);
    end(&s);
}

static void
apply__the_one_to_stay_was_deleted_since__keeps_another(void **state)
{
    struct layout_key key;
    struct prune_plan *plan;
    struct err err = ERR_INIT;
    struct scene s;

    (void)state;
    begin(&s, 4, 1, 1);
    plan = make(&s);
    layout_manifest(&key, CASE_INSTANCE, &s.ids[3]);
    repo_case_remove(s.c.mem, key.text);
    assert_ok(apply(&s, plan, &err), &err);
    assert_true(good_left(&s) >= 1);
    prune_plan_free(plan);
    end(&s);
}

/* Whether it is suspicious is not known then: nothing may be expired. */
static void
plan__newest_manifest_cannot_be_used__is_paused(void **state)
{
    struct layout_key key;
    struct prune_plan *plan;
    struct scene s;

    (void)state;
    begin(&s, 6, 1, 1);
    layout_manifest(&key, CASE_INSTANCE, &s.ids[5]);
    repo_case_put(s.c.mem, key.text, "{}", 2);
    plan = make(&s);
    assert_non_null(strstr(plan->paused, "damaged"));
    for (size_t i = 0; i < plan->backup_count; i++)
        assert_int_equal(plan->backups[i].action, PRUNE_KEEP);
    prune_plan_free(plan);
    end(&s);
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
        cmocka_unit_test(apply__plan__done_oldest_first),
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
        cmocka_unit_test(plan__newest_manifest_cannot_be_used__is_paused),
    };

    log_setup(STDERR_FILENO, LOG_TEXT, LOG_OFF);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
