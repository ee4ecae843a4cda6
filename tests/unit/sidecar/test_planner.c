/* SPDX-License-Identifier: Apache-2.0 */
/* test_planner.c: every arrow of planner.h's picture, one by one. test_planner_random.c goes through many. */
#include "agent/sidecar/planner.h"

#include <string.h>

#include "tests/support/test_common.h"

#define SECOND ((int64_t)1000)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define YEAR   (365 * 24 * HOUR)
#define OFFSET (2 * MINUTE)
#define T0     (1700000000000 / HOUR * HOUR) /* a full hour: a slot */

static struct schedule hourly;
static struct planner p;
static int64_t now, at;

static int
setup(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    assert_ok(schedule_parse("@every 1h", &hourly, &err), &err);
    planner_init(&p, &hourly, OFFSET);
    now = T0 + 10 * MINUTE;
    return 0;
}

static enum planner_step
next(void)
{
    return planner_next(&p, now, true, true, &at);
}

static void
claim(int64_t slot)
{
    assert_int_equal(next(), PLANNER_CLAIM);
    assert_int_equal(p.slot_ms, slot);
    planner_claiming(&p);
}

/* From wanted to running. */
static void
start(int64_t slot)
{
    claim(slot);
    planner_claimed(&p, true, false, 0, now);
    assert_int_equal(next(), PLANNER_START);
    assert_int_equal(p.slot_ms, slot);
    planner_started(&p);
}

static void
run_well(int64_t slot)
{
    start(slot);
    planner_ended(&p, true, now);
}

static void
assert_waits(int64_t until)
{
    assert_int_equal(next(), PLANNER_WAIT);
    assert_int_equal(at, until);
}

/* ---- the way of one slot ----------------------------------------------------------------------------------------- */

static void
planner_next__no_schedule__nothing_for_ever(void **state)
{
    (void)state;
    planner_init(&p, NULL, 0);
    assert_waits(PLANNER_NEVER);
    assert_int_equal(planner_next_due(&p, now), 0);
}

static void
planner_next__at_the_start__last_slot_alone(void **state)
{
    (void)state;
    run_well(T0);
    assert_waits(T0 + HOUR + OFFSET);
    now = at - 1;
    assert_waits(T0 + HOUR + OFFSET);
    now = at;
    run_well(T0 + HOUR);
}

static void
planner_next__before_the_offset__slot_before(void **state)
{
    (void)state;
    now = T0 + OFFSET - 1;
    claim(T0 - HOUR);
}

static void
planner_next__server_not_seen__waits(void **state)
{
    (void)state;
    assert_int_equal(planner_next(&p, now, false, true, &at), PLANNER_WAIT);
    assert_int_equal(at, PLANNER_NEVER);
    now += 5 * HOUR;
    claim(T0 + 5 * HOUR);
}

static void
planner_next__may_not_run__waits_and_claims_anew(void **state)
{
    (void)state;
    assert_int_equal(planner_next(&p, now, true, false, &at), PLANNER_WAIT);
    assert_int_equal(at, T0 + HOUR + OFFSET);
    claim(T0);
    planner_claimed(&p, true, false, 0, now);
    assert_int_equal(planner_next(&p, now, true, false, &at), PLANNER_WAIT);
    now += 30 * MINUTE; /* somebody else may have followed, and may be done */
    claim(T0);
    planner_claimed(&p, false, true, 0, now);
    assert_waits(T0 + HOUR + OFFSET);
}

static void
planner_refused__again_and_again__long_pauses(void **state)
{
    static const int64_t minutes[] = {8, 16, 32, 64, 128, 240, 240};
    struct schedule daily;
    struct err err = ERR_INIT;
    int64_t first;

    (void)state;
    assert_ok(schedule_parse("@every 24h", &daily, &err), &err);
    planner_init(&p, &daily, 0);
    now = first = schedule_last(&daily, now);
    for (size_t i = 0; i < sizeof(minutes) / sizeof(*minutes); i++) {
        start(first);
        planner_refused(&p, now);
        assert_waits(now + minutes[i] * MINUTE);
        now = at;
    }
    start(first);
    planner_ended(&p, false, now); /* of another kind */
    assert_waits(now + 15 * MINUTE);
    now = at;
    run_well(first);
}

static void
planner_held_slot__queued_or_running__alone(void **state)
{
    (void)state;
    assert_int_equal(planner_held_slot(&p), 0);
    claim(T0);
    planner_claimed(&p, true, false, 0, now);
    assert_int_equal(planner_held_slot(&p), 0);
    assert_int_equal(next(), PLANNER_START);
    planner_started(&p);
    assert_int_equal(planner_held_slot(&p), T0);
    planner_ended(&p, false, now);
    assert_int_equal(planner_held_slot(&p), 0);
}

static void
planner_next__claim_or_job_under_way__asked_once(void **state)
{
    (void)state;
    claim(T0);
    assert_waits(PLANNER_NEVER);
    now += 3 * HOUR; /* the answer is for the slot that was asked for */
    assert_waits(PLANNER_NEVER);
    assert_int_equal(p.slot_ms, T0);
    now -= 3 * HOUR;
    planner_claimed(&p, true, false, 0, now);
    assert_int_equal(next(), PLANNER_START);
    planner_started(&p);
    now += 3 * HOUR;
    assert_waits(PLANNER_NEVER);
    planner_ended(&p, true, now);
    run_well(T0 + 3 * HOUR);
}

static void
planner_claimed__done__next_slot(void **state)
{
    (void)state;
    claim(T0);
    planner_claimed(&p, false, true, 0, now);
    assert_waits(T0 + HOUR + OFFSET);
}

static void
planner_claimed__ours_after_the_next_slot_came__that_one_instead(void **state)
{
    (void)state;
    claim(T0);
    now += HOUR;
    planner_claimed(&p, true, false, 0, now);
    run_well(T0 + HOUR);
    now -= HOUR; /* T0 was never run */
    run_well(T0);
}

static void
planner_claimed__taken_and_stalled__asked_again_then_ours(void **state)
{
    (void)state;
    claim(T0);
    planner_claimed(&p, false, false, 20 * MINUTE, now);
    assert_waits(now + 20 * MINUTE);
    now += 20 * MINUTE;
    claim(T0);
    planner_claimed(&p, false, false, 60 * MINUTE, now);
    assert_waits(T0 + HOUR + OFFSET); /* the next slot comes first */
    now = at;
    run_well(T0 + HOUR);
}

static void
planner_claim_failed__store_away__growing_pauses(void **state)
{
    static const int64_t pauses[] = {30 * SECOND, 60 * SECOND, 2 * MINUTE,  4 * MINUTE,
                                     8 * MINUTE,  15 * MINUTE, 15 * MINUTE, 15 * MINUTE};
    struct err err = ERR_INIT;

    (void)state;
    assert_ok(schedule_parse("@every 24h", &hourly, &err), &err);
    now = T0 / (24 * HOUR) * 24 * HOUR + OFFSET;
    for (size_t i = 0; i < ARRAY_LEN(pauses); i++) {
        claim(now / (24 * HOUR) * 24 * HOUR);
        planner_claim_failed(&p, now);
        assert_waits(now + pauses[i]);
        now += pauses[i];
    }
    claim(now / (24 * HOUR) * 24 * HOUR);
    planner_claimed(&p, false, false, SECOND, now); /* it answered: the count begins again */
    now += SECOND;
    claim(now / (24 * HOUR) * 24 * HOUR);
    planner_claim_failed(&p, now);
    assert_waits(now + 30 * SECOND);
}

static void
planner_ended__failed__claimed_again_after_growing_pauses(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        start(T0);
        now += MINUTE;
        planner_ended(&p, false, now);
        assert_int_equal(p.retries, i + 1);
        assert_waits(now + (30 * SECOND << i));
        now = at;
    }
    claim(T0);
    planner_claimed(&p, false, true, 0, now); /* meanwhile another one did it */
    assert_waits(T0 + HOUR + OFFSET);
}

static void
planner_ended__failed_until_the_next_slot__that_one_takes_its_place(void **state)
{
    (void)state;
    now = T0 + HOUR + OFFSET - 10 * SECOND;
    start(T0);
    planner_ended(&p, false, now);
    assert_waits(T0 + HOUR + OFFSET);
    now = at;
    start(T0 + HOUR);
    assert_int_equal(p.retries, 0);
    planner_ended(&p, false, now);
    assert_waits(now + 30 * SECOND);
    now -= HOUR; /* T0 had its tries */
    assert_int_equal(next(), PLANNER_WAIT);
    assert_int_equal(p.slot_ms, T0 + HOUR);
}

/* ---- missed slots ------------------------------------------------------------------------------------------------ */

static void
planner_next__slots_missed__one_run_for_all(void **state)
{
    (void)state;
    run_well(T0);
    now += 5 * HOUR;
    run_well(T0 + 5 * HOUR);
    assert_waits(T0 + 6 * HOUR + OFFSET);
}

static void
planner_next__job_longer_than_a_slot__one_run_for_all(void **state)
{
    (void)state;
    start(T0);
    now += 3 * HOUR;
    planner_ended(&p, true, now);
    run_well(T0 + 3 * HOUR);
    assert_waits(T0 + 4 * HOUR + OFFSET);
}

/* ---- clocks that jump -------------------------------------------------------------------------------------------- */

static void
planner_next__clock_an_hour_forward_and_back__no_slot_twice(void **state)
{
    (void)state;
    run_well(T0);
    now += HOUR;
    run_well(T0 + HOUR);
    now -= HOUR;
    assert_waits(T0 + 2 * HOUR + OFFSET);
    assert_int_equal(planner_next_due(&p, now), T0 + 2 * HOUR + OFFSET);
    now += HOUR;
    assert_waits(T0 + 2 * HOUR + OFFSET);
    now += HOUR;
    run_well(T0 + 2 * HOUR);
}

static void
planner_next__clock_a_year_forward_and_back__goes_on_where_it_was(void **state)
{
    (void)state;
    run_well(T0);
    now += YEAR;
    run_well(T0 + YEAR);
    now -= YEAR;
    assert_waits(T0 + HOUR + OFFSET);
    for (int i = 1; i < 20; i++) {
        now += HOUR;
        run_well(T0 + i * HOUR);
    }
    now = T0 + YEAR + 10 * MINUTE;
    assert_waits(T0 + YEAR + HOUR + OFFSET); /* that one was run, a year ago */
}

static void
planner_next__clock_a_year_back__last_slot_alone(void **state)
{
    (void)state;
    run_well(T0);
    now -= YEAR;
    run_well(T0 - YEAR);
    assert_waits(T0 - YEAR + HOUR + OFFSET);
    now += YEAR;
    assert_waits(T0 + HOUR + OFFSET);
}

static void
planner_next__clock_back_in_a_pause__no_longer_pause(void **state)
{
    (void)state;
    start(T0);
    planner_ended(&p, false, now);
    now -= 20 * SECOND; /* the same slot */
    assert_waits(now + 30 * SECOND);
    now -= YEAR; /* another one is due by that clock, and was never run */
    run_well(T0 - YEAR);
    now += YEAR;
    assert_waits(T0 + HOUR + OFFSET); /* T0 had its try */
}

static void
planner_next__clock_back_before_a_failed_slot__still_tried(void **state)
{
    (void)state;
    now -= HOUR;
    run_well(T0 - HOUR);
    now += HOUR;
    start(T0);
    planner_ended(&p, false, now);
    now -= HOUR; /* by which nothing is due */
    assert_waits(now + 30 * SECOND);
    now += 30 * SECOND;
    run_well(T0);
    assert_waits(T0 + HOUR + OFFSET);
}

static void
planner_next__clock_back_before_a_wanted_slot__let_go(void **state)
{
    (void)state;
    now -= HOUR;
    run_well(T0 - HOUR);
    now += HOUR;
    claim(T0);
    planner_claimed(&p, false, false, 30 * MINUTE, now);
    now -= HOUR;
    assert_waits(T0 + OFFSET);
    assert_int_equal(p.slot_ms, 0);
    now = at;
    run_well(T0); /* without the rest of the pause */
}

static void
planner_next__clock_back_with_a_claim__run_all_the_same(void **state)
{
    (void)state;
    now -= HOUR;
    run_well(T0 - HOUR);
    now += HOUR;
    claim(T0);
    planner_claimed(&p, true, false, 0, now);
    now -= HOUR;
    assert_int_equal(next(), PLANNER_START);
    assert_int_equal(p.slot_ms, T0);
}

static void
planner_next__clock_forward_over_a_failed_slot__last_one_alone(void **state)
{
    (void)state;
    start(T0);
    planner_ended(&p, false, now);
    now += YEAR;
    run_well(T0 + YEAR);
    assert_waits(T0 + YEAR + HOUR + OFFSET);
}

static void
planner_next__hole_filled__one_span(void **state)
{
    (void)state;
    run_well(T0);
    now += 2 * HOUR;
    run_well(T0 + 2 * HOUR);
    assert_int_equal(p.settled_count, 2);
    now -= HOUR;
    run_well(T0 + HOUR);
    assert_int_equal(p.settled_count, 1);
    assert_waits(T0 + 3 * HOUR + OFFSET);
}

static void
planner_next__many_holes__the_smallest_are_given_up(void **state)
{
    int64_t far = T0 + 10 * YEAR;

    (void)state;
    now = far + 10 * MINUTE;
    run_well(far);
    for (int i = 0; i < 50; i++) { /* a job that is always too long: every other slot is missed */
        now = T0 + 2 * i * HOUR + 10 * MINUTE;
        run_well(T0 + 2 * i * HOUR);
        assert_true(p.settled_count <= PLANNER_SPANS);
    }
    now = far + 20 * MINUTE;
    assert_waits(far + HOUR + OFFSET);
    now = T0 + YEAR;
    assert_int_equal(next(), PLANNER_CLAIM);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(planner_next__no_schedule__nothing_for_ever, setup),
        cmocka_unit_test_setup(planner_next__at_the_start__last_slot_alone, setup),
        cmocka_unit_test_setup(planner_next__before_the_offset__slot_before, setup),
        cmocka_unit_test_setup(planner_next__server_not_seen__waits, setup),
        cmocka_unit_test_setup(planner_next__may_not_run__waits_and_claims_anew, setup),
        cmocka_unit_test_setup(planner_refused__again_and_again__long_pauses, setup),
        cmocka_unit_test_setup(planner_held_slot__queued_or_running__alone, setup),
        cmocka_unit_test_setup(planner_next__claim_or_job_under_way__asked_once, setup),
        cmocka_unit_test_setup(planner_claimed__done__next_slot, setup),
        cmocka_unit_test_setup(planner_claimed__ours_after_the_next_slot_came__that_one_instead, setup),
        cmocka_unit_test_setup(planner_claimed__taken_and_stalled__asked_again_then_ours, setup),
        cmocka_unit_test_setup(planner_claim_failed__store_away__growing_pauses, setup),
        cmocka_unit_test_setup(planner_ended__failed__claimed_again_after_growing_pauses, setup),
        cmocka_unit_test_setup(planner_ended__failed_until_the_next_slot__that_one_takes_its_place, setup),
        cmocka_unit_test_setup(planner_next__slots_missed__one_run_for_all, setup),
        cmocka_unit_test_setup(planner_next__job_longer_than_a_slot__one_run_for_all, setup),
        cmocka_unit_test_setup(planner_next__clock_an_hour_forward_and_back__no_slot_twice, setup),
        cmocka_unit_test_setup(planner_next__clock_a_year_forward_and_back__goes_on_where_it_was, setup),
        cmocka_unit_test_setup(planner_next__clock_a_year_back__last_slot_alone, setup),
        cmocka_unit_test_setup(planner_next__clock_back_in_a_pause__no_longer_pause, setup),
        cmocka_unit_test_setup(planner_next__clock_back_before_a_failed_slot__still_tried, setup),
        cmocka_unit_test_setup(planner_next__clock_back_before_a_wanted_slot__let_go, setup),
        cmocka_unit_test_setup(planner_next__clock_back_with_a_claim__run_all_the_same, setup),
        cmocka_unit_test_setup(planner_next__clock_forward_over_a_failed_slot__last_one_alone, setup),
        cmocka_unit_test_setup(planner_next__hole_filled__one_span, setup),
        cmocka_unit_test_setup(planner_next__many_holes__the_smallest_are_given_up, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
