/* SPDX-License-Identifier: Apache-2.0 */
/* test_removal.c: how a backup ceases to exist: the order, what keeps it, and what others can do in between. */
#include "snapshot/prune/removal.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "snapshot/repo/fact.h"
#include "tests/support/prune_case.h"
#include "tests/support/test_common.h"

static struct prune_case here;

static int
setup(void **state)
{
    (void)state;
    prune_case_open(&here);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    prune_case_close(&here);
    return 0;
}

/* ---- what others do in between ---- */

static void
sleep_a_little(struct prune_case *p)
{
    (void)p;
    clock_sleep_ms(120);
}

/* What `hold` does: its object, then a look at manifest and note. */
static bool hold_may_say_done;

static void
hold(struct prune_case *p)
{
    prune_case_put_hold(p);
    hold_may_say_done = prune_case_has_manifest(p) && !prune_case_has_fact(p, LAYOUT_EXPIRED);
}

static void
remove_manifest_as_another(struct prune_case *p)
{
    enum removal_outcome outcome;
    struct err err = ERR_INIT;

    assert_ok(removal_of_manifest(&p->behind, CASE_INSTANCE, &p->id, "test", "0.0.test", &outcome, &err), &err);
}

/* ---- the manifest ---- */

static char order[8][64];
static size_t steps;

static void
record(enum store_call call, const char *key, void *cookie)
{
    static const char *const names[STORE_CALL_COUNT] = {
        [STORE_CALL_PUT] = "put", [STORE_CALL_STAT] = "stat", [STORE_CALL_REMOVE] = "remove"};
    const char *folder = key + strlen(LAYOUT_INSTANCES CASE_INSTANCE "/");

    (void)cookie;
    assert_non_null(names[call]);
    assert_in_range(steps, 0, 7);
    (void)snprintf(order[steps++], sizeof(order[0]), "%s %.*s", names[call], (int)strcspn(folder, "/"), folder);
}

static void
removal_of_manifest__whole_backup__note_holds_manifest(void **state)
{
    static const char *const expected[] = {"stat backups", "put expired",    "stat holds",
                                           "stat expired", "remove backups", "stat expired"};

    (void)state;
    prune_case_manifest(&here);
    prune_case_data(&here, 3);
    prune_case_fact(&here, LAYOUT_VERIFIED);
    steps = 0;
    store_fault_set_hook(here.at.store, record, NULL);
    assert_int_equal(prune_case_remove_manifest(&here), REMOVAL_DONE);
    assert_int_equal(steps, ARRAY_LEN(expected));
    for (size_t i = 0; i < steps; i++)
        assert_string_equal(order[i], expected[i]);
    assert_false(prune_case_has_manifest(&here));
    assert_true(prune_case_has_fact(&here, LAYOUT_EXPIRED));
    assert_true(prune_case_has_fact(&here, LAYOUT_VERIFIED));
    assert_int_equal(prune_case_count_data(&here), 3);
}

static void
removal_of_manifest__old_note__is_put_anew(void **state)
{
    uint64_t objects = 0;

    (void)state;
    prune_case_manifest(&here);
    prune_case_data(&here, 3);
    prune_case_fact(&here, LAYOUT_EXPIRED);
    prune_case_travel(&here, 100);
    assert_int_equal(prune_case_remove_manifest(&here), REMOVAL_DONE);
    assert_int_equal(prune_case_remove_data(&here, &objects), REMOVAL_KEPT);
    prune_case_travel(&here, 123);
    assert_int_equal(prune_case_remove_data(&here, &objects), REMOVAL_KEPT);
    assert_int_equal(prune_case_count_data(&here), 3);
}

static void
removal_of_manifest__held__keeps_it_and_the_note(void **state)
{
    (void)state;
    prune_case_manifest(&here);
    prune_case_fact(&here, LAYOUT_HOLD);
    assert_int_equal(prune_case_remove_manifest(&here), REMOVAL_HELD);
    assert_true(prune_case_has_manifest(&here));
    assert_true(prune_case_has_fact(&here, LAYOUT_EXPIRED));
}

static void
removal_of_manifest__hold_at_any_moment__holds_or_is_told(void **state)
{
    (void)state;
    for (unsigned nth = 1; nth <= 7; nth++) {
        enum removal_outcome outcome;

        prune_case_manifest(&here);
        hold_may_say_done = false;
        prune_case_when(&here, STORE_CALL_ANY, NULL, nth, hold);
        outcome = prune_case_remove_manifest(&here);
        assert_true(here.acted || nth == 7);
        /* A hold that was told "done" must have been honoured. */
        if (hold_may_say_done)
            assert_int_equal(outcome, REMOVAL_HELD);
        assert_int_equal(outcome == REMOVAL_HELD, prune_case_has_manifest(&here));
        assert_ok(fact_remove(&here.behind, CASE_INSTANCE, LAYOUT_HOLD, &here.id, &(struct err)ERR_INIT),
                  &(struct err)ERR_INIT);
        prune_case_take_note(&here);
    }
}

static void
removal_of_manifest__hold_before_the_look__is_seen(void **state)
{
    (void)state;
    prune_case_manifest(&here);
    prune_case_when(&here, STORE_CALL_STAT, "/holds/", 1, prune_case_put_hold);
    assert_int_equal(prune_case_remove_manifest(&here), REMOVAL_HELD);
    assert_true(here.acted && prune_case_has_manifest(&here));
}

static void
removal_of_manifest__slow_store__starts_over(void **state)
{
    enum removal_outcome outcome = REMOVAL_KEPT;
    struct err err = ERR_INIT;

    (void)state;
    prune_case_manifest(&here);
    prune_case_when(&here, STORE_CALL_STAT, "/holds/", 1, sleep_a_little);
    assert_ok(
        removal_of_manifest_within(100, &here.at.repo, CASE_INSTANCE, &here.id, "test", "0.0.test", &outcome, &err),
        &err);
    assert_int_equal(outcome, REMOVAL_DONE);
    assert_int_equal(store_fault_counts(here.at.store).calls[STORE_CALL_PUT], 2);
    assert_false(prune_case_has_manifest(&here));
}

static void
removal_of_manifest__always_too_slow__is_left(void **state)
{
    enum removal_outcome outcome;
    struct err err = ERR_INIT;

    (void)state;
    prune_case_manifest(&here);
    assert_fails(
        removal_of_manifest_within(0, &here.at.repo, CASE_INSTANCE, &here.id, "test", "0.0.test", &outcome, &err), &err,
        ERR_STORAGE);
    assert_true(prune_case_has_manifest(&here));
}

static void
removal_of_manifest__hold_while_it_starts_over__is_seen(void **state)
{
    enum removal_outcome outcome;
    struct err err = ERR_INIT;

    (void)state;
    prune_case_manifest(&here);
    /* The first round was too slow: all of the second is asked anew. */
    store_fault_add(
        here.at.store,
        &(struct store_fault){
            .call = STORE_CALL_STAT, .what = STORE_FAULT_DELAY, .key = "/holds/", .times = 1, .delay_ms = 120});
    prune_case_when(&here, STORE_CALL_PUT, "/expired/", 2, prune_case_put_hold);
    assert_ok(
        removal_of_manifest_within(100, &here.at.repo, CASE_INSTANCE, &here.id, "test", "0.0.test", &outcome, &err),
        &err);
    assert_int_equal(outcome, REMOVAL_HELD);
    assert_true(prune_case_has_manifest(&here));
}

static void
removal_of_manifest__note_taken_away__is_put_again(void **state)
{
    (void)state;
    prune_case_manifest(&here);
    prune_case_when(&here, STORE_CALL_STAT, "/expired/", 1, prune_case_take_note);
    assert_int_equal(prune_case_remove_manifest(&here), REMOVAL_DONE);
    assert_true(here.acted);
    assert_int_equal(store_fault_counts(here.at.store).calls[STORE_CALL_PUT], 2);
    assert_true(prune_case_has_fact(&here, LAYOUT_EXPIRED));
}

static void
removal_of_manifest__note_taken_away_at_last__is_put_again(void **state)
{
    (void)state;
    prune_case_manifest(&here);
    prune_case_when(&here, STORE_CALL_REMOVE, "/backups/", 1, prune_case_take_note);
    assert_int_equal(prune_case_remove_manifest(&here), REMOVAL_DONE);
    assert_true(here.acted);
    assert_true(prune_case_has_fact(&here, LAYOUT_EXPIRED));
}

static void
removal_of_manifest__absent__is_done_without_a_note(void **state)
{
    (void)state;
    prune_case_data(&here, 2);
    assert_int_equal(prune_case_remove_manifest(&here), REMOVAL_DONE);
    assert_false(prune_case_has_fact(&here, LAYOUT_EXPIRED));
    assert_int_equal(prune_case_count_data(&here), 2);
}

static void
removal_of_manifest__two_at_once__one_note(void **state)
{
    (void)state;
    for (unsigned nth = 1; nth <= 6; nth++) {
        prune_case_manifest(&here);
        prune_case_when(&here, STORE_CALL_ANY, NULL, nth, remove_manifest_as_another);
        assert_int_equal(prune_case_remove_manifest(&here), REMOVAL_DONE);
        assert_true(here.acted);
        assert_false(prune_case_has_manifest(&here));
        assert_true(prune_case_has_fact(&here, LAYOUT_EXPIRED));
    }
}

static void
removal_of_manifest__denied__not_yet(void **state)
{
    static const enum err_code codes[] = {ERR_LOCKED, ERR_STORE_DENIED};

    (void)state;
    prune_case_manifest(&here);
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        enum removal_outcome outcome = REMOVAL_DONE;
        struct err err = ERR_INIT;

        store_fault_clear(here.at.store);
        store_fault_add(here.at.store,
                        &(struct store_fault){.call = STORE_CALL_REMOVE, .what = STORE_FAULT_FAIL, .code = codes[i]});
        assert_ok(removal_of_manifest(&here.at.repo, CASE_INSTANCE, &here.id, "test", "0.0.test", &outcome, &err),
                  &err);
        assert_int_equal(outcome, REMOVAL_NOT_YET);
        assert_int_equal(err.code, codes[i]);
        assert_true(prune_case_has_manifest(&here));
    }
}

static void
removal_of_manifest__note_or_look_denied__is_an_error(void **state)
{
    static const struct store_fault faults[] = {
        {.call = STORE_CALL_PUT, .what = STORE_FAULT_FAIL, .code = ERR_STORE_DENIED},
        {.call = STORE_CALL_STAT, .what = STORE_FAULT_FAIL, .code = ERR_STORE_DENIED, .key = "/holds/"},
        {.call = STORE_CALL_STAT, .what = STORE_FAULT_FAIL, .code = ERR_STORE_DENIED, .key = "/backups/"},
        {.call = STORE_CALL_STAT, .what = STORE_FAULT_FAIL, .code = ERR_STORE_DENIED, .key = "/expired/"},
    };

    (void)state;
    prune_case_manifest(&here);
    for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
        enum removal_outcome outcome;
        struct err err = ERR_INIT;

        store_fault_clear(here.at.store);
        store_fault_add(here.at.store, &faults[i]);
        assert_fails(removal_of_manifest(&here.at.repo, CASE_INSTANCE, &here.id, "test", "0.0.test", &outcome, &err),
                     &err, ERR_STORE_DENIED);
        assert_true(prune_case_has_manifest(&here));
    }
}

/* ---- killed at any call: a manifest that is there has all its data, and the next ones finish ---- */

/* The whole way once. -1 as soon as a call of the store fails. */
static int
go_the_whole_way(struct err *err)
{
    enum removal_outcome outcome;
    uint64_t objects;

    prune_case_travel(&here, 0);
    if (removal_of_manifest(&here.at.repo, CASE_INSTANCE, &here.id, "test", "0.0.test", &outcome, err) < 0)
        return -1;
    prune_case_travel(&here, 24);
    if (removal_of_data(&here.at.repo, CASE_INSTANCE, &here.id, &outcome, &objects, err) < 0)
        return -1;
    return removal_of_data(&here.at.repo, CASE_INSTANCE, &here.id, &outcome, &objects, err);
}

static void
removal__broken_off_anywhere__is_finished_by_the_next(void **state)
{
    static const enum store_fault_kind kinds[] = {STORE_FAULT_FAIL, STORE_FAULT_LOSE};
    unsigned faults = 0;

    (void)state;
    for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
        bool failed = true;

        for (uint64_t nth = 1; failed; nth++) {
            struct err err = ERR_INIT;

            prune_case_travel(&here, 0);
            prune_case_manifest(&here);
            prune_case_data(&here, 4);
            prune_case_fact(&here, LAYOUT_VERIFIED);
            store_fault_add(here.at.store, &(struct store_fault){.what = kinds[k], .nth = nth, .times = 1});
            failed = go_the_whole_way(&err) < 0;
            store_fault_clear(here.at.store);
            if (prune_case_has_manifest(&here))
                assert_int_equal(prune_case_count_data(&here), 4);
            else if (prune_case_count_data(&here) > 0)
                assert_true(prune_case_has_fact(&here, LAYOUT_EXPIRED));
            faults += failed;
            err_clear(&err);
            assert_ok(go_the_whole_way(&err), &err);
            /* A note that was put anew just now waits for its own day. */
            prune_case_travel(&here, 48);
            for (int i = 0; i < 2; i++)
                (void)prune_case_remove_data(&here, &(uint64_t){0});
            assert_int_equal(prune_case_count(&here), 0);
        }
    }
    assert_in_range(faults, 20, 100);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(removal_of_manifest__whole_backup__note_holds_manifest),
        TEST(removal_of_manifest__old_note__is_put_anew),
        TEST(removal_of_manifest__held__keeps_it_and_the_note),
        TEST(removal_of_manifest__hold_at_any_moment__holds_or_is_told),
        TEST(removal_of_manifest__hold_before_the_look__is_seen),
        TEST(removal_of_manifest__slow_store__starts_over),
        TEST(removal_of_manifest__always_too_slow__is_left),
        TEST(removal_of_manifest__hold_while_it_starts_over__is_seen),
        TEST(removal_of_manifest__note_taken_away__is_put_again),
        TEST(removal_of_manifest__note_taken_away_at_last__is_put_again),
        TEST(removal_of_manifest__absent__is_done_without_a_note),
        TEST(removal_of_manifest__two_at_once__one_note),
        TEST(removal_of_manifest__denied__not_yet),
        TEST(removal_of_manifest__note_or_look_denied__is_an_error),
        TEST(removal__broken_off_anywhere__is_finished_by_the_next),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
