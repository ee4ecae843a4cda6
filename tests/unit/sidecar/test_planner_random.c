/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_planner_random.c: random events against a model of the planner that remembers every slot in a plain list (SEED
 * of the environment): no slot is run twice, none but the last one is begun, nothing that is wanted is forgotten.
 */
#include <stdlib.h>
#include <string.h>

#include "agent/sidecar/planner.h"
#include "base/mem.h"
#include "tests/support/test_common.h"

#define SECOND ((int64_t)1000)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define YEAR   (365 * 24 * HOUR)
#define RUNS   400
#define EVENTS 600
#define STALL  (20 * MINUTE)

/* What the world knows. */
struct model {
    struct planner p;
    struct schedule schedule;
    int64_t every, offset;
    int64_t wall, real; /* the clock that jumps, and the one that does not */
    int64_t *over;      /* slots that need nothing any more */
    size_t over_count;
    int64_t newest_over;
    enum { IDLE, CLAIMING, CLAIMED, RUNNING } doing;
    int64_t slot;                  /* that something is done about, or was tried and failed */
    unsigned tries, claims_failed; /* of it, in a row */
    int64_t pause_until, pause;    /* by the real clock: it is not to be asked for before */
    bool jumps, put_back;          /* the wall clock does; it was, since the planner was last asked */
    bool was_full;                 /* the planner may have given up holes */
    uint64_t runs, claims, waits;
    uint64_t given_up; /* slots that only the planner thinks over */
};

static uint64_t state_of_dice;

static unsigned
dice(unsigned sides)
{
    state_of_dice = state_of_dice * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)((state_of_dice >> 33) % sides);
}

static bool
is_over(const struct model *m, int64_t slot)
{
    for (size_t i = 0; i < m->over_count; i++) {
        if (m->over[i] == slot)
            return true;
    }
    return false;
}

static void
forget(struct model *m)
{
    m->slot = 0;
    m->tries = m->claims_failed = 0;
    m->pause_until = m->pause = 0;
}

static void
set_over(struct model *m, int64_t slot)
{
    assert_false(is_over(m, slot));
    assert_true(m->over_count < EVENTS * 2);
    m->over[m->over_count++] = slot;
    if (slot > m->newest_over)
        m->newest_over = slot;
    forget(m);
}

static int64_t
last_slot(const struct model *m)
{
    return (m->wall - m->offset) / m->every * m->every;
}

/* ---- events ------------------------------------------------------------------------------------------------------ */

static void
set_pause(struct model *m, int64_t pause)
{
    m->pause = pause;
    m->pause_until = m->real + pause;
}

static int64_t
growing(unsigned tries)
{
    int64_t pause = 30 * SECOND << (tries < 6 ? tries - 1 : 5);

    return pause < 15 * MINUTE ? pause : 15 * MINUTE;
}

static void
let_time_pass(struct model *m)
{
    static const int64_t spans[] = {SECOND, MINUTE, 10 * MINUTE, HOUR, 7 * HOUR};
    int64_t by = spans[dice(ARRAY_LEN(spans))] / 10 * (int64_t)(1 + dice(10));

    m->real += by;
    m->wall += by;
}

static void
let_clock_jump(struct model *m)
{
    static const int64_t jumps[] = {SECOND, MINUTE, HOUR, HOUR, 30 * HOUR, YEAR};
    int64_t by = jumps[dice(ARRAY_LEN(jumps))];

    if (dice(2) == 0 && m->wall > 20 * YEAR)
        by = -by;
    m->wall += by;
    m->put_back = m->put_back || by < 0;
}

static void
let_claim_end(struct model *m)
{
    unsigned answer = dice(10);

    m->doing = IDLE;
    if (answer < 2) {
        planner_claim_failed(&m->p, m->wall);
        set_pause(m, growing(++m->claims_failed));
        return;
    }
    m->claims_failed = 0;
    if (answer < 6) {
        m->doing = CLAIMED;
        planner_claimed(&m->p, true, false, 0, m->wall);
    } else if (answer < 8) {
        planner_claimed(&m->p, false, true, 0, m->wall);
        set_over(m, m->slot);
    } else {
        planner_claimed(&m->p, false, false, STALL, m->wall);
        set_pause(m, STALL);
    }
}

static void
let_job_end(struct model *m)
{
    bool well = dice(3) > 0;

    m->doing = IDLE;
    planner_ended(&m->p, well, m->wall);
    if (well)
        set_over(m, m->slot);
    else
        set_pause(m, growing(++m->tries));
}

/* ---- what the planner says --------------------------------------------------------------------------------------- */

/* A slot that was tried and is passed by, or has to give way to another, is over. */
static void
pass_by(struct model *m)
{
    int64_t last = last_slot(m);

    if (m->slot == 0 || last == m->slot)
        return;
    if (last < m->slot && is_over(m, last) && (m->tries > 0 || m->doing == CLAIMED))
        return; /* a clock that was put back: goes on with what it has */
    if (last < m->slot && m->was_full && m->p.slot_ms == m->slot)
        return; /* the planner holds LAST for over: it is in a hole that was given up */
    if (m->tries > 0)
        set_over(m, m->slot);
    forget(m);
    m->doing = IDLE;
}

static void
check_claim(struct model *m, int64_t slot)
{
    assert_int_equal(m->doing, IDLE);
    assert_false(is_over(m, slot));
    if (slot != m->slot)
        assert_int_equal(slot, last_slot(m)); /* nothing is begun but the last one */
    if (slot == m->slot && !m->jumps)
        assert_true(m->real >= m->pause_until); /* check_wait() has the other side */
    planner_claiming(&m->p);
    m->slot = slot;
    m->doing = CLAIMING;
    m->claims++;
}

static void
check_start(struct model *m, int64_t slot)
{
    assert_int_equal(m->doing, CLAIMED);
    assert_int_equal(slot, m->slot);
    assert_false(is_over(m, slot));
    planner_started(&m->p);
    m->doing = RUNNING;
    m->runs++;
}

/* It waits, though it might do something: is there nothing to do? */
static void
check_wait(struct model *m, int64_t at)
{
    int64_t last = last_slot(m);

    m->waits++;
    assert_int_equal(m->doing, IDLE);
    assert_true(at > m->wall && at <= m->wall + 2 * YEAR);
    if (m->slot != 0) {
        assert_true(m->real < m->pause_until); /* only because of a pause */
        return;
    }
    if (is_over(m, last))
        return;
    /* The planner holds it for over, and has the one excuse for that: it lies in a hole that was given up. */
    assert_true(m->was_full);
    assert_true(last < m->newest_over);
    m->given_up++;
}

static void
ask(struct model *m)
{
    bool seen = dice(20) > 0, may_run = dice(10) > 0;
    enum planner_step step;
    int64_t at = 0;

    step = planner_next(&m->p, m->wall, seen, may_run, &at);
    m->was_full = m->was_full || m->p.settled_count == PLANNER_SPANS;
    if (m->doing == CLAIMING || m->doing == RUNNING || !seen) {
        assert_int_equal(step, PLANNER_WAIT);
        return;
    }
    if (m->put_back && m->pause > 0)
        m->pause_until = m->real + m->pause; /* at the latest */
    m->put_back = false;
    pass_by(m);
    assert_true(at > m->wall || step != PLANNER_WAIT);
    if (!may_run) {
        assert_int_equal(step, PLANNER_WAIT);
        if (m->doing == CLAIMED)
            m->doing = IDLE; /* to be claimed anew */
    } else if (step == PLANNER_CLAIM) {
        check_claim(m, m->p.slot_ms);
    } else if (step == PLANNER_START) {
        check_start(m, m->p.slot_ms);
    } else {
        check_wait(m, at);
    }
}

/* ---- runs -------------------------------------------------------------------------------------------------------- */

static void
begin(struct model *m)
{
    static const int64_t everies[] = {SECOND, MINUTE, 10 * MINUTE, HOUR, 6 * HOUR, 7 * 24 * HOUR};
    struct err err = ERR_INIT;
    char text[64];

    memset(m, 0, sizeof(*m));
    m->over = mem_array(EVENTS * 2, sizeof(*m->over));
    m->every = everies[dice(ARRAY_LEN(everies))];
    m->offset = dice(2) == 0 ? 0 : m->every / 100 * (int64_t)dice(300);
    m->wall = 50 * YEAR + (int64_t)dice(1000000) * 1000;
    (void)snprintf(text, sizeof(text), "@every %llds", (long long)(m->every / SECOND));
    assert_ok(schedule_parse(text, &m->schedule, &err), &err);
    planner_init(&m->p, &m->schedule, m->offset);
}

/* From now on all goes well, and slot after slot gets its run. */
static void
check_calm(struct model *m)
{
    int64_t first;
    size_t before;

    if (m->doing == CLAIMING)
        planner_claimed(&m->p, false, false, STALL, m->wall);
    if (m->doing == RUNNING)
        planner_ended(&m->p, true, m->wall);
    if (m->slot > m->newest_over)
        m->newest_over = m->slot;
    m->wall = (m->newest_over > m->wall ? m->newest_over : m->wall) + m->offset + 2 * m->every;
    first = last_slot(m);
    before = m->runs;
    for (int i = 0; i < 20; i++) {
        int64_t at;

        m->wall = first + i * m->every + m->offset;
        assert_int_equal(planner_next(&m->p, m->wall, true, true, &at), PLANNER_CLAIM);
        assert_int_equal(m->p.slot_ms, first + i * m->every);
        planner_claiming(&m->p);
        planner_claimed(&m->p, true, false, 0, m->wall);
        assert_int_equal(planner_next(&m->p, m->wall, true, true, &at), PLANNER_START);
        planner_started(&m->p);
        m->runs++;
        planner_ended(&m->p, true, m->wall);
        assert_int_equal(planner_next(&m->p, m->wall, true, true, &at), PLANNER_WAIT);
        assert_int_equal(at, first + (i + 1) * m->every + m->offset);
        assert_int_equal(planner_next_due(&m->p, m->wall), at);
    }
    assert_int_equal(m->runs, before + 20);
}

static void
planner__random_events__like_the_model(void **state)
{
    uint64_t runs = 0, claims = 0, waits = 0, given_up = 0;

    (void)state;
    for (int run = 0; run < RUNS; run++) {
        struct model m;

        begin(&m);
        m.jumps = run % 4 != 0;
        for (int e = 0; e < EVENTS; e++) {
            unsigned what = dice(20);

            if (what < 4)
                let_time_pass(&m);
            else if (what == 4 && m.jumps)
                let_clock_jump(&m);
            else if (what < 8 && m.doing == CLAIMING)
                let_claim_end(&m);
            else if (what < 8 && m.doing == RUNNING)
                let_job_end(&m);
            else
                ask(&m);
        }
        if (!m.jumps)
            assert_int_equal(m.given_up, 0);
        runs += m.runs;
        claims += m.claims;
        waits += m.waits;
        given_up += m.given_up;
        check_calm(&m);
        free(m.over);
    }
    printf("%llu claims, %llu runs, %llu waits, %llu in holes that were given up\n", (unsigned long long)claims,
           (unsigned long long)runs, (unsigned long long)waits, (unsigned long long)given_up);
    /* It was worth it, and the excuse was rare. */
    assert_true(runs > 2000 && claims > 5000 && waits > 5000);
    assert_true(given_up * 20 < waits);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(planner__random_events__like_the_model)};
    const char *text = getenv("SEED");

    state_of_dice = text != NULL && *text != '\0' ? strtoull(text, NULL, 10) : 1;
    printf("SEED=%llu\n", (unsigned long long)state_of_dice);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
