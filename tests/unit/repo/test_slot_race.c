/* SPDX-License-Identifier: Apache-2.0 */
/* test_slot_race.c: many claimers of one slot at once, each a thread with a clock of its own: exactly one wins, and
 * when it dies, exactly one follows. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "snapshot/repo/slot.h"
#include "storage/store_fault.h"
#include "storage/store_mem.h"
#include "storage/store_retry.h"
#include "tests/support/repo_case.h"
#include "tests/support/test_common.h"

#define CLAIMERS 12
#define SLOTS    15
#define FOLLOWS  3 /* deaths a slot */
#define HOUR     ((int64_t)3600 * 1000)
#define STALL    ((int64_t)600 * 1000)

struct claimer {
    struct repo repo; /* the same for all, but for the clock */
    struct slot_claim claim;
    char name[32];
    pthread_t thread;
    pthread_barrier_t *barrier;
    enum slot_outcome outcome;
    int64_t again;
    int rc;
    struct err err;
};

static struct repo_case at;
static struct claimer claimers[CLAIMERS];

/* Keep the order of the threads from being the same each time. */
static void
dawdle(enum store_call call, const char *key, void *cookie)
{
    static atomic_uint calls;
    unsigned n = atomic_fetch_add(&calls, 1) * 2654435761u;

    (void)call;
    (void)key;
    (void)cookie;
    if ((n >> 28) < 6)
        clock_sleep_ms(n >> 30);
}

static void *
run(void *cookie)
{
    struct claimer *c = cookie;

    (void)pthread_barrier_wait(c->barrier);
    err_clear(&c->err);
    c->rc = slot_take(&c->repo, CASE_INSTANCE, &c->claim, &c->outcome, &c->again, &c->err);
    return NULL;
}

/* All ask at once; the one that wins. Those DEAD do not ask. */
static struct claimer *
all_take(int64_t slot_ms, const bool *dead, unsigned living)
{
    struct claimer *winner = NULL;
    pthread_barrier_t barrier;

    assert_int_equal(pthread_barrier_init(&barrier, NULL, living), 0);
    for (size_t i = 0; i < CLAIMERS; i++) {
        claimers[i].claim.slot_ms = slot_ms;
        claimers[i].barrier = &barrier;
        if (!dead[i])
            assert_int_equal(pthread_create(&claimers[i].thread, NULL, run, &claimers[i]), 0);
    }
    for (size_t i = 0; i < CLAIMERS; i++) {
        if (!dead[i])
            assert_int_equal(pthread_join(claimers[i].thread, NULL), 0);
    }
    for (size_t i = 0; i < CLAIMERS; i++) {
        struct claimer *c = &claimers[i];

        if (dead[i])
            continue;
        assert_ok(c->rc, &c->err);
        if (c->outcome == SLOT_OURS) {
            assert_null(winner);
            winner = c;
        } else {
            assert_int_equal(c->outcome, SLOT_TAKEN);
            assert_in_range(c->again, 1000, STALL);
        }
    }
    assert_non_null(winner);
    (void)pthread_barrier_destroy(&barrier);
    return winner;
}

static int
setup(void **state)
{
    (void)state;
    repo_case_open(&at);
    store_fault_set_hook(at.store, dawdle, NULL);
    for (size_t i = 0; i < CLAIMERS; i++) {
        struct claimer *c = &claimers[i];

        memset(c, 0, sizeof(*c));
        c->repo = at.repo;
        c->repo.skew_ms = ((int64_t)i - CLAIMERS / 2) * 5 * HOUR;
        (void)snprintf(c->name, sizeof(c->name), "shop-cache-%zu", i);
        c->claim = (struct slot_claim){.kind = "backup", .claimer = c->name, .nonce = c->name, .stall_ms = STALL};
    }
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    repo_case_close(&at);
    return 0;
}

/* Each winner dies until few are left; the last one does the work. */
static void
claim_slots(void)
{
    int64_t now = 0;

    for (int s = 1; s <= SLOTS; s++) {
        bool dead[CLAIMERS] = {false};
        enum slot_outcome outcome;
        struct claimer *winner;
        struct err err = ERR_INIT;
        int64_t again;

        winner = all_take(s * HOUR, dead, CLAIMERS);
        assert_true(all_take(s * HOUR, dead, CLAIMERS) == winner); /* and stays the one */
        for (unsigned deaths = 1; deaths <= FOLLOWS; deaths++) {
            dead[winner - claimers] = true;
            store_mem_set_clock(at.mem, now += STALL + 2000);
            winner = all_take(s * HOUR, dead, CLAIMERS - deaths);
        }
        assert_ok(slot_done(&winner->repo, CASE_INSTANCE, &winner->claim, &err), &err);
        for (size_t i = 0; i < CLAIMERS; i++) {
            assert_ok(slot_take(&claimers[i].repo, CASE_INSTANCE, &claimers[i].claim, &outcome, &again, &err), &err);
            assert_int_equal(outcome, SLOT_DONE);
        }
    }
}

static void
slot_take__many_at_once__one_wins_and_one_follows(void **state)
{
    (void)state;
    claim_slots();
    assert_int_equal(repo_case_count(at.mem, "instances/" CASE_INSTANCE "/leases/"), SLOTS * (1 + FOLLOWS + 1));
}

/* The same, while every few answers are lost and asked for again. */
static void
slot_take__many_at_once_and_answers_lost__one_wins_and_one_follows(void **state)
{
    struct store *retry =
        store_retry_new(at.store, &(struct store_retry_options){.first_pause_ms = 1, .max_pause_ms = 2});

    (void)state;
    for (uint64_t nth = 3; nth < 3 + 7 * 30; nth += 7)
        store_fault_add(at.store,
                        &(struct store_fault){
                            .call = STORE_CALL_PUT, .what = STORE_FAULT_LOSE, .key = "leases", .nth = nth, .times = 1});
    at.store = retry; /* which owns the other one */
    for (size_t i = 0; i < CLAIMERS; i++)
        claimers[i].repo.store = retry;
    claim_slots();
    assert_true((store_features(retry) & STORE_CREATE_ONLY) != 0);
}

/* A store that overwrites: there may be more than one, and there is always one. */
static void
slot_take__many_at_once_without_create_only__at_least_one(void **state)
{
    struct claimer *c;
    bool won;

    (void)state;
    store_drop_features(at.store, STORE_CREATE_ONLY);
    for (int s = 1; s <= SLOTS; s++) {
        pthread_barrier_t barrier;

        assert_int_equal(pthread_barrier_init(&barrier, NULL, CLAIMERS), 0);
        for (c = claimers; c < claimers + CLAIMERS; c++) {
            c->claim.slot_ms = s * HOUR;
            c->barrier = &barrier;
            assert_int_equal(pthread_create(&c->thread, NULL, run, c), 0);
        }
        won = false;
        for (c = claimers; c < claimers + CLAIMERS; c++) {
            assert_int_equal(pthread_join(c->thread, NULL), 0);
            assert_ok(c->rc, &c->err);
            won = won || c->outcome == SLOT_OURS;
        }
        assert_true(won);
        (void)pthread_barrier_destroy(&barrier);
    }
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(slot_take__many_at_once__one_wins_and_one_follows),
        T(slot_take__many_at_once_and_answers_lost__one_wins_and_one_follows),
        T(slot_take__many_at_once_without_create_only__at_least_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
