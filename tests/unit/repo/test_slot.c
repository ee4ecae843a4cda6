/* SPDX-License-Identifier: Apache-2.0 */
/* test_slot.c: who gets a slot: one claimer after the other, lost answers, stores that cannot say no. test_slot_race.c
 * lets many ask at once. */
#include "snapshot/repo/slot.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "snapshot/repo/layout.h"
#include "storage/store_fault.h"
#include "storage/store_mem.h"
#include "storage/store_retry.h"
#include "tests/support/repo_case.h"
#include "tests/support/test_common.h"

#define FOLDER "instances/" CASE_INSTANCE "/leases/"
#define SLOT   "20261122T103000Z"
#define MINUTE ((int64_t)60000)
#define HOUR   (60 * MINUTE)
#define STALL  (30 * MINUTE)

static const int64_t slot_ms = 1795343400000; /* 2026-11-22T10:30:00Z */
static struct repo_case at;
static struct slot_claim alice, bob;
static int64_t again;

static int
setup(void **state)
{
    (void)state;
    repo_case_open(&at);
    alice = (struct slot_claim){
        .kind = "backup", .slot_ms = slot_ms, .claimer = "shop-cache-0", .nonce = "aaaa", .stall_ms = STALL};
    bob = alice;
    bob.claimer = "shop-cache-1";
    bob.nonce = "bbbb";
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    repo_case_close(&at);
    return 0;
}

static void
travel(int64_t ms)
{
    store_mem_set_clock(at.mem, ms);
}

static void
assert_take(const struct slot_claim *claim, enum slot_outcome expected)
{
    enum slot_outcome outcome = SLOT_DONE;
    struct err err = ERR_INIT;

    assert_ok(slot_take(&at.repo, CASE_INSTANCE, claim, &outcome, &again, &err), &err);
    assert_int_equal(outcome, expected);
}

static void
mark_done(const struct slot_claim *claim)
{
    struct err err = ERR_INIT;

    assert_ok(slot_done(&at.repo, CASE_INSTANCE, claim, &err), &err);
}

static bool
has(const char *key)
{
    return repo_case_count(at.mem, key) == 1;
}

static void
plan(enum store_call call, enum store_fault_kind what, const char *key, uint64_t nth)
{
    store_fault_add(at.store, &(struct store_fault){.call = call, .what = what, .key = key, .nth = nth, .times = 1});
}

/* ---- one after the other ----------------------------------------------------------------------------------------- */

static void
slot_take__first__wins_and_the_second_waits(void **state)
{
    char *text;
    size_t len;

    (void)state;
    assert_take(&alice, SLOT_OURS);
    assert_take(&bob, SLOT_TAKEN);
    assert_in_range(again, STALL - MINUTE, STALL);
    travel(20 * MINUTE);
    assert_take(&bob, SLOT_TAKEN);
    assert_in_range(again, 9 * MINUTE, 10 * MINUTE);
    assert_int_equal(repo_case_count(at.mem, FOLDER), 1);
    text = repo_case_get(at.mem, FOLDER "backup/" SLOT ".json", &len);
    assert_non_null(strstr(text, "\"slot\":\"2026-11-22T10:30:00Z\""));
    assert_non_null(strstr(text, "\"claimer\":\"shop-cache-0\",\"nonce\":\"aaaa\"}\n"));
    free(text);
}

static void
slot_take__other_slots_and_kinds_and_instances__do_not_meet(void **state)
{
    enum slot_outcome outcome;
    struct err err = ERR_INIT;

    (void)state;
    assert_take(&alice, SLOT_OURS);
    bob.slot_ms += 1000;
    assert_take(&bob, SLOT_OURS);
    bob = alice;
    bob.nonce = "bbbb";
    bob.kind = "verify";
    assert_take(&bob, SLOT_OURS);
    bob.kind = "backup";
    assert_ok(slot_take(&at.repo, "other", &bob, &outcome, &again, &err), &err);
    assert_int_equal(outcome, SLOT_OURS);
}

static void
slot_take__done__for_everybody(void **state)
{
    (void)state;
    assert_take(&alice, SLOT_OURS);
    mark_done(&alice);
    mark_done(&alice);
    assert_take(&bob, SLOT_DONE);
    assert_take(&alice, SLOT_DONE);
    travel(10 * HOUR);
    assert_take(&bob, SLOT_DONE);
    assert_true(has(FOLDER "backup/" SLOT ".done.json"));
    assert_int_equal(repo_case_count(at.mem, FOLDER), 2);
}

static void
slot_take__claimer_died__followed_after_the_stall_time(void **state)
{
    (void)state;
    assert_take(&alice, SLOT_OURS);
    travel(STALL - MINUTE);
    assert_take(&bob, SLOT_TAKEN);
    travel(STALL + MINUTE);
    assert_take(&bob, SLOT_OURS);
    assert_true(has(FOLDER "backup/" SLOT ".1.json"));
    assert_take(&alice, SLOT_TAKEN); /* it was not dead: it learns that it was followed */
    travel(2 * STALL + 2 * MINUTE);
    assert_take(&alice, SLOT_OURS);
    assert_true(has(FOLDER "backup/" SLOT ".2.json"));
    assert_take(&bob, SLOT_TAKEN);
    mark_done(&bob); /* whose work came to an end after all */
    assert_take(&alice, SLOT_DONE);
}

static void
slot_take__asked_again_by_its_owner__kept_and_made_anew(void **state)
{
    (void)state;
    assert_take(&alice, SLOT_OURS);
    travel(STALL / 3);
    assert_take(&alice, SLOT_OURS);
    assert_int_equal(repo_case_count(at.mem, FOLDER), 1);
    for (int i = 2; i < 36; i++) {
        travel(i * STALL / 3);
        assert_take(&alice, SLOT_OURS);
        assert_take(&bob, SLOT_TAKEN);
    }
    assert_true(has(FOLDER "backup/" SLOT ".17.json")); /* ".9" is not the greatest */
    travel(12 * STALL + STALL);
    assert_take(&bob, SLOT_OURS);
}

/* ---- clocks ------------------------------------------------------------------------------------------------------ */

static void
slot_take__store_clock_put_back__claim_lasts_no_longer_than_the_stall_time(void **state)
{
    (void)state;
    travel(100 * HOUR);
    assert_take(&alice, SLOT_OURS);
    travel(0);
    assert_take(&bob, SLOT_TAKEN);
    assert_int_equal(again, STALL);
    travel(100 * HOUR + STALL + MINUTE);
    assert_take(&bob, SLOT_OURS);
}

static void
slot_take__mark_older_than_the_distance_of_slots__done_again(void **state)
{
    (void)state;
    alice.distance_ms = bob.distance_ms = 30 * MINUTE;
    assert_take(&alice, SLOT_OURS); /* its clock is an hour fast */
    travel(MINUTE);
    mark_done(&alice);
    travel(MINUTE + 30 * MINUTE);
    assert_take(&bob, SLOT_DONE);
    travel(HOUR);
    assert_take(&bob, SLOT_OURS);
    assert_true(has(FOLDER "backup/" SLOT ".1.json"));
    assert_take(&bob, SLOT_OURS);
    assert_take(&alice, SLOT_TAKEN); /* which is worked on */
    mark_done(&bob);
    assert_take(&alice, SLOT_DONE);
    assert_int_equal(repo_case_count(at.mem, FOLDER), 3);
}

static void
slot_take__mark_of_short_slots__young_claim_is_spent_with_it(void **state)
{
    (void)state;
    alice.distance_ms = bob.distance_ms = 5000;
    assert_take(&alice, SLOT_OURS);
    mark_done(&alice);
    travel(9000);
    assert_take(&bob, SLOT_DONE);
    travel(11000);
    assert_take(&bob, SLOT_OURS);
}

static void
slot_take__store_clock_put_back_too__own_mark_does_not_count(void **state)
{
    (void)state;
    alice.distance_ms = bob.distance_ms = 5000;
    alice.nonce = "aaaa1";
    assert_take(&alice, SLOT_OURS);
    mark_done(&alice);
    alice.nonce = "aaaa2";
    alice.not_by = "aaaa";
    bob.not_by = "bbbb";
    assert_take(&bob, SLOT_DONE);
    assert_take(&alice, SLOT_OURS);
    assert_true(has(FOLDER "backup/" SLOT ".1.json"));
}

static void
slot_take__our_clocks_hours_apart__do_no_harm(void **state)
{
    struct repo early = at.repo, late = at.repo;
    enum slot_outcome outcome;
    struct err err = ERR_INIT;

    (void)state;
    early.skew_ms = -7 * HOUR;
    late.skew_ms = 9 * HOUR;
    assert_ok(slot_take(&early, CASE_INSTANCE, &alice, &outcome, &again, &err), &err);
    assert_int_equal(outcome, SLOT_OURS);
    assert_ok(slot_take(&late, CASE_INSTANCE, &bob, &outcome, &again, &err), &err);
    assert_int_equal(outcome, SLOT_TAKEN);
    assert_in_range(again, STALL - MINUTE, STALL);
    travel(STALL + MINUTE);
    assert_ok(slot_take(&late, CASE_INSTANCE, &bob, &outcome, &again, &err), &err);
    assert_int_equal(outcome, SLOT_OURS);
    assert_ok(slot_take(&early, CASE_INSTANCE, &alice, &outcome, &again, &err), &err);
    assert_int_equal(outcome, SLOT_TAKEN);
}

/* ---- a store that fails ------------------------------------------------------------------------------------------ */

static void
slot_take__answer_lost__ours_when_asked_again(void **state)
{
    enum slot_outcome outcome;
    struct err err = ERR_INIT;

    (void)state;
    plan(STORE_CALL_PUT, STORE_FAULT_LOSE, "leases", 1);
    assert_fails(slot_take(&at.repo, CASE_INSTANCE, &alice, &outcome, &again, &err), &err, ERR_STORAGE);
    assert_take(&bob, SLOT_TAKEN);
    assert_take(&alice, SLOT_OURS);
    assert_int_equal(repo_case_count(at.mem, FOLDER), 1);
}

static void
slot_take__answer_lost_and_retried__ours_at_once(void **state)
{
    struct store_retry_options quick = {.first_pause_ms = 1, .max_pause_ms = 1};
    struct store *retry = store_retry_new(at.store, &quick);
    struct repo direct = at.repo;

    (void)state;
    for (uint64_t nth = 1; nth <= 2; nth++) { /* the claim, and the proof that a second put is refused */
        store_fault_clear(at.store);
        plan(STORE_CALL_PUT, STORE_FAULT_LOSE, "leases", nth);
        alice.slot_ms = bob.slot_ms += 60000;
        at.repo.store = retry;
        assert_take(&alice, SLOT_OURS);
        assert_true((store_features(retry) & STORE_CREATE_ONLY) != 0);
        at.repo.store = direct.store;
        assert_take(&bob, SLOT_TAKEN);
    }
    at.store = retry; /* which owns the other one */
}

static void
slot_take__any_call_fails__says_so_and_the_next_try_works(void **state)
{
    struct err err = ERR_INIT;
    uint64_t calls = 0;

    (void)state;
    assert_take(&alice, SLOT_OURS);
    travel(STALL + MINUTE);
    for (uint64_t nth = 1;; nth++) {
        enum slot_outcome outcome = SLOT_TAKEN;
        int rc;

        store_fault_clear(at.store);
        bob.slot_ms = alice.slot_ms += 60000;
        assert_take(&alice, SLOT_OURS);
        travel((int64_t)(nth + 1) * (STALL + MINUTE));
        plan(STORE_CALL_ANY, STORE_FAULT_FAIL, NULL, nth);
        rc = slot_take(&at.repo, CASE_INSTANCE, &bob, &outcome, &again, &err);
        if (rc == 0)
            break;
        assert_int_equal(err.code, ERR_STORAGE);
        assert_non_null(strstr(err.msg, "claim a slot of backup"));
        err_clear(&err);
        calls++;
        assert_take(&bob, SLOT_OURS);
        assert_take(&alice, SLOT_TAKEN);
    }
    assert_in_range(calls, 4, 6);
}

static void
slot_take__no_such_bucket__not_found(void **state)
{
    enum slot_outcome outcome;
    struct err err = ERR_INIT;

    (void)state;
    store_fault_add(at.store,
                    &(struct store_fault){.call = STORE_CALL_LIST, .what = STORE_FAULT_FAIL, .code = ERR_NOT_FOUND});
    assert_fails(slot_take(&at.repo, CASE_INSTANCE, &alice, &outcome, &again, &err), &err, ERR_NOT_FOUND);
}

static void
slot_take__listing_lags__not_won_twice(void **state)
{
    (void)state;
    assert_take(&alice, SLOT_OURS);
    store_fault_add(at.store, &(struct store_fault){.call = STORE_CALL_LIST, .what = STORE_FAULT_HIDE, .key = SLOT});
    assert_take(&bob, SLOT_TAKEN);
    assert_int_equal(again, STALL);
    store_fault_clear(at.store);
    assert_take(&alice, SLOT_OURS);
    assert_int_equal(repo_case_count(at.mem, FOLDER), 1);
}

static void
slot_take__claim_that_is_no_json__somebody_elses(void **state)
{
    (void)state;
    repo_case_put(at.mem, FOLDER "backup/" SLOT ".json", "?", 1);
    assert_take(&alice, SLOT_TAKEN);
    travel(STALL + MINUTE);
    assert_take(&alice, SLOT_OURS);
    assert_take(&bob, SLOT_TAKEN);
}

static void
slot_take__names_that_are_not_ours__looked_over(void **state)
{
    (void)state;
    repo_case_put(at.mem, FOLDER "backup/" SLOT ".x.json", "?", 1);
    repo_case_put(at.mem, FOLDER "backup/" SLOT ".json.bak", "?", 1);
    repo_case_put(at.mem, FOLDER "backup/" SLOT ".1234567.json", "?", 1);
    assert_take(&alice, SLOT_OURS);
    assert_int_equal(repo_case_count(at.mem, FOLDER), 4);
}

/* ---- stores without create-only ---------------------------------------------------------------------------------- */

static void
slot_take__store_without_create_only__first_one_all_the_same(void **state)
{
    (void)state;
    store_drop_features(at.store, STORE_CREATE_ONLY);
    assert_take(&alice, SLOT_OURS);
    assert_take(&bob, SLOT_TAKEN);
    alice.stall_ms = bob.stall_ms = 1; /* what was put this moment is ours, however short the stall time */
    clock_sleep_ms(5);
    assert_take(&bob, SLOT_OURS);
    mark_done(&bob);
    assert_take(&alice, SLOT_DONE);
}

static const struct slot_claim *rival;

/* Somebody else claims the slot between our looking and our putting, on a store that lets both. */
static void
rival_puts(enum store_call call, const char *key, void *cookie)
{
    static const char text[] = "{\"nonce\":\"bbbb\"}\n";

    (void)cookie;
    if (call == STORE_CALL_PUT && rival != NULL && strstr(key, "leases") != NULL) {
        rival = NULL;
        repo_case_put(at.mem, FOLDER "backup/" SLOT ".json", text, strlen(text));
    }
}

/* The last one who put has it. */
static void
slot_take__both_put_without_create_only__last_one_wins(void **state)
{
    (void)state;
    store_drop_features(at.store, STORE_CREATE_ONLY);
    rival = &bob;
    store_fault_set_hook(at.store, rival_puts, NULL);
    assert_take(&alice, SLOT_OURS);
    assert_take(&bob, SLOT_TAKEN);
    store_fault_set_hook(at.store, NULL, NULL);
}

static const struct store_ops *real_ops;

/* Takes no notice of create-only. */
static int
careless_put(struct store *s, const struct store_put *put, struct err *err)
{
    struct store_put plain = *put;

    plain.flags = 0;
    return real_ops->put(s, &plain, err);
}

static void
slot_take__store_that_takes_no_notice__is_found_out(void **state)
{
    struct store_ops careless = *at.mem->ops;

    (void)state;
    real_ops = at.mem->ops;
    careless.put = careless_put;
    at.mem->ops = &careless;
    rival = &bob;
    store_fault_set_hook(at.store, rival_puts, NULL);
    assert_true((store_features(at.store) & STORE_CREATE_ONLY) != 0);
    assert_take(&alice, SLOT_OURS);
    assert_true((store_features(at.store) & STORE_CREATE_ONLY) == 0);
    assert_take(&bob, SLOT_TAKEN);
    assert_take(&alice, SLOT_OURS);
    at.mem->ops = real_ops;
}

/* ---- what prune takes away --------------------------------------------------------------------------------------- */

static void
claims(const char *kind, int count, int64_t first_ms, bool done)
{
    struct slot_claim c = alice;

    c.kind = kind;
    for (int i = 0; i < count; i++) {
        c.slot_ms = first_ms + i * HOUR;
        assert_take(&c, SLOT_OURS);
        if (done)
            mark_done(&c);
    }
}

static uint64_t
sweep(unsigned keep)
{
    struct slot_leftover left;
    struct err err = ERR_INIT;
    uint64_t removed;

    assert_ok(slot_survey(&at.repo, CASE_INSTANCE, SLOT_OLD_MS, keep, &left, &err), &err);
    assert_ok(slot_sweep(&at.repo, CASE_INSTANCE, SLOT_OLD_MS, keep, &removed, &err), &err);
    assert_int_equal(left.objects, removed);
    assert_int_equal(left.bytes > 0, removed > 0);
    assert_int_equal(left.newest_ms > 0, removed > 0);
    assert_ok(slot_survey(&at.repo, CASE_INSTANCE, SLOT_OLD_MS, keep, &left, &err), &err);
    assert_int_equal(left.objects, 0);
    return removed;
}

static void
slot_sweep__nothing_or_all_young__stays(void **state)
{
    (void)state;
    assert_int_equal(sweep(0), 0);
    claims("backup", 20, slot_ms, true);
    travel(SLOT_OLD_MS - MINUTE);
    assert_int_equal(sweep(0), 0);
    assert_int_equal(repo_case_count(at.mem, FOLDER), 40);
}

static void
slot_sweep__old__all_but_the_newest_of_each_kind(void **state)
{
    (void)state;
    claims("backup", 15, slot_ms, true);
    claims("prune", 3, slot_ms, true);
    claims("verify", 11, slot_ms, false);
    travel(SLOT_OLD_MS + MINUTE);
    assert_int_equal(sweep(10), 5 * 2 + 0 + 1);
    assert_int_equal(repo_case_count(at.mem, FOLDER "backup/"), 20);
    assert_int_equal(repo_case_count(at.mem, FOLDER "prune/"), 6);
    assert_int_equal(repo_case_count(at.mem, FOLDER "verify/"), 10);
    assert_false(has(FOLDER "verify/" SLOT ".json")); /* it was the oldest */
    assert_int_equal(sweep(0), 20 + 6 + 10);
}

static void
slot_sweep__one_young_object__keeps_its_slot(void **state)
{
    (void)state;
    claims("backup", 1, slot_ms, false);
    travel(SLOT_OLD_MS + MINUTE);
    mark_done(&alice); /* a job of a day */
    assert_int_equal(sweep(0), 0);
    assert_take(&bob, SLOT_DONE);
    travel(2 * SLOT_OLD_MS + 2 * MINUTE);
    assert_int_equal(sweep(1), 0);
    assert_int_equal(sweep(0), 2);
}

static void
slot_sweep__other_names__left_alone(void **state)
{
    (void)state;
    repo_case_put(at.mem, FOLDER "backup/notes.txt", "?", 1);
    repo_case_put(at.mem, FOLDER "archive/00000001.json", "?", 1);
    claims("backup", 1, slot_ms, true);
    travel(SLOT_OLD_MS + MINUTE);
    assert_int_equal(sweep(0), 2);
    assert_int_equal(repo_case_count(at.mem, FOLDER), 2);
}

static void
slot_sweep__store_fails__says_so(void **state)
{
    struct err err = ERR_INIT;
    uint64_t removed;

    (void)state;
    claims("backup", 2, slot_ms, true);
    travel(SLOT_OLD_MS + MINUTE);
    plan(STORE_CALL_LIST, STORE_FAULT_CUT, NULL, 1);
    assert_fails(slot_sweep(&at.repo, CASE_INSTANCE, SLOT_OLD_MS, 0, &removed, &err), &err, ERR_STORAGE);
    assert_int_equal(removed, 0);
    plan(STORE_CALL_REMOVE, STORE_FAULT_FAIL, NULL, 1);
    assert_fails(slot_sweep(&at.repo, CASE_INSTANCE, SLOT_OLD_MS, 0, &removed, &err), &err, ERR_STORAGE);
    assert_int_equal(sweep(0), 4);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(slot_take__first__wins_and_the_second_waits),
        T(slot_take__other_slots_and_kinds_and_instances__do_not_meet),
        T(slot_take__done__for_everybody),
        T(slot_take__claimer_died__followed_after_the_stall_time),
        T(slot_take__asked_again_by_its_owner__kept_and_made_anew),
        T(slot_take__store_clock_put_back__claim_lasts_no_longer_than_the_stall_time),
        T(slot_take__mark_older_than_the_distance_of_slots__done_again),
        T(slot_take__mark_of_short_slots__young_claim_is_spent_with_it),
        T(slot_take__store_clock_put_back_too__own_mark_does_not_count),
        T(slot_take__our_clocks_hours_apart__do_no_harm),
        T(slot_take__answer_lost__ours_when_asked_again),
        T(slot_take__answer_lost_and_retried__ours_at_once),
        T(slot_take__any_call_fails__says_so_and_the_next_try_works),
        T(slot_take__no_such_bucket__not_found),
        T(slot_take__listing_lags__not_won_twice),
        T(slot_take__claim_that_is_no_json__somebody_elses),
        T(slot_take__names_that_are_not_ours__looked_over),
        T(slot_take__store_without_create_only__first_one_all_the_same),
        T(slot_take__both_put_without_create_only__last_one_wins),
        T(slot_take__store_that_takes_no_notice__is_found_out),
        T(slot_sweep__nothing_or_all_young__stays),
        T(slot_sweep__old__all_but_the_newest_of_each_kind),
        T(slot_sweep__one_young_object__keeps_its_slot),
        T(slot_sweep__other_names__left_alone),
        T(slot_sweep__store_fails__says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
