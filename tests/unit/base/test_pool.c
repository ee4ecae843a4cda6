/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test_common.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/pool.h"
#include "tests/support/test_child.h"

#define ITEMS 300

struct item {
    atomic_int worked, done;
};

struct job {
    struct item items[ITEMS];
    unsigned workers;
    int fail_at;      /* the item that fails; -1: none */
    int64_t sleep_ms; /* each item's work */
    atomic_int bad_worker_numbers, unblocked_signals;
    atomic_uint seen_workers; /* one bit each */
};

static int
work(void *arg, unsigned worker, void *cookie, struct err *err)
{
    struct item *item = arg;
    struct job *job = cookie;
    sigset_t blocked;

    if (worker >= job->workers)
        atomic_fetch_add(&job->bad_worker_numbers, 1);
    else
        atomic_fetch_or(&job->seen_workers, 1u << worker);
    (void)pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    if (!sigismember(&blocked, SIGTERM) || !sigismember(&blocked, SIGINT))
        atomic_fetch_add(&job->unblocked_signals, 1);
    atomic_fetch_add(&item->worked, 1);
    clock_sleep_ms(job->sleep_ms);
    if (item - job->items == job->fail_at)
        return err_set(err, ERR_CORRUPT, "item %d", job->fail_at);
    return 0;
}

static void
done(void *arg, void *cookie)
{
    (void)cookie;
    atomic_fetch_add(&((struct item *)arg)->done, 1);
}

static const struct pool_ops ops = {.work = work, .done = done};

static struct job *
job_new(unsigned workers, int fail_at, int64_t sleep_ms)
{
    static struct job job;

    memset(&job, 0, sizeof(job));
    job.workers = workers;
    job.fail_at = fail_at;
    job.sleep_ms = sleep_ms;
    return &job;
}

/* Submit until the pool says no: how many it took. */
static int
submit_all(struct pool *p, struct job *job)
{
    int taken = 0;

    while (taken < ITEMS && pool_submit(p, &job->items[taken]))
        taken++;
    return taken;
}

static void
assert_done_once(const struct job *job, int taken)
{
    for (int i = 0; i < ITEMS; i++) {
        assert_int_equal(atomic_load(&job->items[i].done), i < taken ? 1 : 0);
        assert_true(atomic_load(&job->items[i].worked) <= atomic_load(&job->items[i].done));
    }
    assert_int_equal(atomic_load(&job->bad_worker_numbers), 0);
    assert_int_equal(atomic_load(&job->unblocked_signals), 0);
}

static void
pool__no_failure__works_on_each_item_once(void **state)
{
    static const unsigned workers[] = {1, 2, 7};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(workers); i++) {
        struct job *job = job_new(workers[i], -1, 0);
        struct err err = ERR_INIT;
        struct pool *p = pool_start(workers[i], &ops, job, &err);
        sigset_t mine;

        assert_non_null(p);
        (void)pthread_sigmask(SIG_SETMASK, NULL, &mine);
        assert_false(sigismember(&mine, SIGTERM)); /* ours are as before */
        assert_int_equal(submit_all(p, job), ITEMS);
        assert_ok(pool_finish(p, &err), &err);
        assert_done_once(job, ITEMS);
        for (int k = 0; k < ITEMS; k++)
            assert_int_equal(atomic_load(&job->items[k].worked), 1);
    }
}

static void
pool__slow_work__is_spread_over_the_workers(void **state)
{
    struct job *job = job_new(4, -1, 2);
    struct err err = ERR_INIT;
    struct pool *p = pool_start(4, &ops, job, &err);

    (void)state;
    assert_non_null(p);
    assert_int_equal(submit_all(p, job), ITEMS);
    assert_ok(pool_finish(p, &err), &err);
    assert_int_equal(atomic_load(&job->seen_workers), 0xf);
}

static void
pool__one_fails__tells_it_and_hands_back_the_rest(void **state)
{
    (void)state;
    for (int fail_at = 0; fail_at < 40; fail_at += 13) {
        struct job *job = job_new(3, fail_at, 0);
        struct err err = ERR_INIT;
        struct pool *p = pool_start(3, &ops, job, &err);
        int taken;

        assert_non_null(p);
        taken = submit_all(p, job);
        assert_true(taken > fail_at);
        assert_int_equal(pool_finish(p, &err), -1);
        assert_int_equal(err.code, ERR_CORRUPT);
        assert_int_equal(strtol(err.msg + strlen("item "), NULL, 10), fail_at);
        assert_done_once(job, taken);
    }
}

static int
always_fail(void *arg, unsigned worker, void *cookie, struct err *err)
{
    (void)arg;
    (void)worker;
    (void)cookie;
    return err_set(err, ERR_STORAGE, "no");
}

static void
pool__all_fail__never_hangs_the_producer(void **state)
{
    static const struct pool_ops failing = {.work = always_fail, .done = done};

    (void)state;
    for (int round = 0; round < 200; round++) {
        struct job *job = job_new(2, -1, 0);
        struct err err = ERR_INIT;
        struct pool *p = pool_start(2, &failing, job, &err);
        int taken;

        assert_non_null(p);
        taken = submit_all(p, job);
        assert_false(pool_submit(p, &job->items[0]) && taken < ITEMS); /* no stays no */
        assert_fails(pool_finish(p, &err), &err, ERR_STORAGE);
        if (taken < ITEMS)
            assert_done_once(job, taken);
    }
}

static void
cancel__while_busy__drops_what_is_queued(void **state)
{
    struct job *job = job_new(2, -1, 200);
    struct err err = ERR_INIT, cause = ERR_INIT;
    struct pool *p = pool_start(2, &ops, job, &err);
    int worked = 0;

    (void)state;
    assert_non_null(p);
    for (int i = 0; i < 4; i++)
        assert_true(pool_submit(p, &job->items[i]));
    (void)err_set(&cause, ERR_INTERRUPTED, "stop");
    pool_cancel(p, &cause);
    (void)err_set(&cause, ERR_STORAGE, "too late");
    pool_cancel(p, &cause);
    assert_false(pool_submit(p, &job->items[4]));
    assert_fails(pool_finish(p, &err), &err, ERR_INTERRUPTED);
    assert_done_once(job, 4);
    for (int i = 0; i < 4; i++)
        worked += atomic_load(&job->items[i].worked);
    assert_true(worked <= 3); /* two at work, and one that may have begun before the cancel */
}

static void
finish__nothing_submitted_or_no_pool__is_fine(void **state)
{
    struct job *job = job_new(2, -1, 0);
    struct err err = ERR_INIT;

    (void)state;
    assert_ok(pool_finish(pool_start(2, &ops, job, &err), &err), &err);
    assert_ok(pool_finish(NULL, &err), &err);
}

static int
fail_without_a_word(void *arg, unsigned worker, void *cookie, struct err *err)
{
    (void)arg;
    (void)worker;
    (void)cookie;
    (void)err;
    return -1;
}

static int
run_wordless(void *arg)
{
    static const struct pool_ops wordless = {.work = fail_without_a_word, .done = done};
    struct err err = ERR_INIT;
    struct pool *p = pool_start(1, &wordless, arg, &err);

    (void)pool_submit(p, arg);
    return pool_finish(p, &err);
}

static void
pool__failure_without_an_error__stops_the_program(void **state)
{
    (void)state;
    assert_int_equal(test_child_run(run_wordless, job_new(1, -1, 0)), 128 + SIGABRT);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pool__no_failure__works_on_each_item_once),
        cmocka_unit_test(pool__slow_work__is_spread_over_the_workers),
        cmocka_unit_test(pool__one_fails__tells_it_and_hands_back_the_rest),
        cmocka_unit_test(pool__all_fail__never_hangs_the_producer),
        cmocka_unit_test(cancel__while_busy__drops_what_is_queued),
        cmocka_unit_test(finish__nothing_submitted_or_no_pool__is_fine),
        cmocka_unit_test(pool__failure_without_an_error__stops_the_program),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
