/* SPDX-License-Identifier: Apache-2.0 */
/* test_store_retry.c: how long it goes on, and what makes it stop. That each call works through it is the conformance
 * suite's matter. */
#include "tests/support/test_common.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/sig.h"
#include "storage/store_fault.h"
#include "storage/store_mem.h"
#include "storage/store_retry.h"
#include "tests/support/test_child.h"

#define SLACK_MS 3000 /* for a machine that does other things too */

static struct store *fault; /* around a store_mem, inside what wrap() made */

static struct store *
wrap(const struct store_retry_options *options)
{
    fault = store_fault_new(store_mem_new());
    return store_retry_new(fault, options);
}

static void
fail_puts(uint64_t times, enum err_code code)
{
    store_fault_add(
        fault, &(struct store_fault){.call = STORE_CALL_PUT, .what = STORE_FAULT_FAIL, .times = times, .code = code});
}

static uint64_t
puts_made(void)
{
    return store_fault_counts(fault).calls[STORE_CALL_PUT];
}

static int
put(struct store *s, unsigned flags, struct err *err)
{
    return store_put(s, &(struct store_put){.key = "k", .data = "data", .len = 4, .flags = flags}, err);
}

/* ---- what is tried again ---- */

static void
put__fails_for_a_while__succeeds_in_the_end(void **state)
{
    struct store *s = wrap(&(struct store_retry_options){.first_pause_ms = 1, .max_pause_ms = 2});
    struct err err = ERR_INIT;

    (void)state;
    fail_puts(5, ERR_STORAGE);
    assert_ok(put(s, 0, &err), &err);
    assert_int_equal(puts_made(), 6);
    store_free(s);
}

static void
put__refused__is_final(void **state)
{
    static const enum err_code codes[] = {ERR_STORE_DENIED, ERR_NO_SPACE,    ERR_LOCKED,     ERR_REFUSED,
                                          ERR_EXISTS,       ERR_UNSUPPORTED, ERR_INTERRUPTED};
    struct err err = ERR_INIT;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        struct store *s = wrap(&(struct store_retry_options){.first_pause_ms = 1});

        fail_puts(0, codes[i]);
        assert_fails(put(s, 0, &err), &err, codes[i]);
        assert_int_equal(puts_made(), 1);
        store_free(s);
    }
}

/* A refusal after a lost answer says nothing about the first try. */
static void
put__answer_lost_and_then_denied__is_no_denial(void **state)
{
    struct store *s = wrap(&(struct store_retry_options){.first_pause_ms = 1});
    struct err err = ERR_INIT;

    (void)state;
    store_fault_add(fault, &(struct store_fault){.call = STORE_CALL_PUT, .what = STORE_FAULT_LOSE, .times = 1});
    store_fault_add(fault, &(struct store_fault){
                               .call = STORE_CALL_PUT, .what = STORE_FAULT_FAIL, .nth = 2, .code = ERR_STORE_DENIED});
    assert_fails(put(s, STORE_PUT_CREATE, &err), &err, ERR_STORAGE);
    assert_int_equal(puts_made(), 2);
    store_free(s);
}

/* ---- the budget ---- */

static void
budget__used_up__gives_up_in_time_and_says_how_often(void **state)
{
    struct store *s = wrap(&(struct store_retry_options){.budget_ms = 400, .first_pause_ms = 20, .max_pause_ms = 50});
    int64_t began = clock_mono_ms();
    struct err err = ERR_INIT;
    char word[64];

    (void)state;
    fail_puts(0, ERR_STORAGE);
    assert_int_equal(put(s, 0, &err), -1);
    assert_int_equal(err.code, ERR_STORAGE);
    /* The last pause would have ended behind the budget; it is at most 50 ms long. */
    assert_in_range(clock_mono_ms() - began, 350, 400 + SLACK_MS);
    assert_in_range(puts_made(), 4, 40);
    (void)snprintf(word, sizeof(word), "failed %u times", (unsigned)puts_made());
    assert_non_null(strstr(err.msg, word));
    store_free(s);
}

static void
budget__of_a_store_that_never_answered__is_the_first(void **state)
{
    struct store *s = wrap(&(struct store_retry_options){
        .budget_ms = 60000, .first_budget_ms = 100, .first_pause_ms = 10, .max_pause_ms = 10});
    int64_t began = clock_mono_ms();
    struct err err = ERR_INIT;

    (void)state;
    fail_puts(0, ERR_STORAGE);
    assert_fails(put(s, 0, &err), &err, ERR_STORAGE);
    assert_in_range(clock_mono_ms() - began, 80, 100 + SLACK_MS);
    store_free(s);
}

static void
budget__once_the_store_has_answered__is_the_whole(void **state)
{
    static const enum err_code answers[] = {ERR_NONE, ERR_STORE_DENIED}; /* a refusal is an answer too */

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
        struct store *s = wrap(&(struct store_retry_options){
            .budget_ms = 400, .first_budget_ms = 1, .first_pause_ms = 20, .max_pause_ms = 20});
        struct err err = ERR_INIT;
        int64_t began;

        if (answers[i] != ERR_NONE) {
            fail_puts(1, answers[i]);
            assert_fails(put(s, 0, &err), &err, answers[i]);
        } else {
            assert_ok(put(s, 0, &err), &err);
        }
        store_fault_clear(fault);
        fail_puts(0, ERR_STORAGE);
        began = clock_mono_ms();
        assert_fails(put(s, 0, &err), &err, ERR_STORAGE);
        assert_in_range(clock_mono_ms() - began, 370, 400 + SLACK_MS);
        store_free(s);
    }
}

/* ---- what the store asks for ---- */

static const struct store_ops *mem_ops;
static int64_t asked_ms;
static unsigned asked_times, calls;

/* Fails ASKED_TIMES times, and asks for a pause of ASKED_MS. */
static int
slow_put(struct store *s, const struct store_put *put, struct err *err)
{
    if (++calls > asked_times)
        return mem_ops->put(s, put, err);
    (void)err_set(err, ERR_STORAGE, "slow down");
    err->retry_after_ms = asked_ms;
    return -1;
}

/* One put through the wrapper around such a store; how long it took, and how many tries. */
static int64_t
put_slowly(int64_t pause_ms, unsigned times, enum err_code expected)
{
    struct store *mem = store_mem_new(), *s;
    struct err err = ERR_INIT;
    struct store_ops ops;
    int64_t began = clock_mono_ms();
    int rc;

    mem_ops = mem->ops;
    ops = *mem_ops;
    ops.put = slow_put;
    mem->ops = &ops;
    asked_ms = pause_ms;
    asked_times = times;
    calls = 0;
    s = store_retry_new(mem, &(struct store_retry_options){.budget_ms = 2000, .first_pause_ms = 1});
    rc = put(s, 0, &err);
    store_free(s);
    assert_int_equal(rc == 0 ? ERR_NONE : err.code, expected);
    return clock_mono_ms() - began;
}

static void
retry_after__within_the_budget__is_kept(void **state)
{
    (void)state;
    assert_in_range(put_slowly(300, 2, ERR_NONE), 600, 600 + SLACK_MS);
    assert_int_equal(calls, 3);
}

static void
retry_after__behind_the_budget__gives_up_at_once(void **state)
{
    (void)state;
    assert_in_range(put_slowly(60000, 2, ERR_STORAGE), 0, SLACK_MS);
    assert_int_equal(calls, 1);
}

static void
retry_after__never__is_not_tried_again(void **state)
{
    (void)state;
    assert_in_range(put_slowly(ERR_NEVER_RETRY, 2, ERR_STORAGE), 0, SLACK_MS);
    assert_int_equal(calls, 1);
}

/* ---- signals ---- */

static void *
signal_soon(void *arg)
{
    (void)arg;
    clock_sleep_ms(200);
    (void)kill(getpid(), SIGTERM);
    return NULL;
}

static int
interrupted_in_a_pause(void *arg)
{
    struct store *s = wrap(&(struct store_retry_options){
        .budget_ms = 600000, .first_budget_ms = 600000, .first_pause_ms = 60000, .max_pause_ms = 60000});
    int64_t began = clock_mono_ms();
    struct err err = ERR_INIT;
    pthread_t thread;

    (void)arg;
    sig_install();
    fail_puts(0, ERR_STORAGE);
    CHILD_CHECK(pthread_create(&thread, NULL, signal_soon, NULL) == 0);
    CHILD_CHECK(put(s, 0, &err) < 0);
    CHILD_CHECK(err.code == ERR_INTERRUPTED);
    CHILD_CHECK(clock_mono_ms() - began < SLACK_MS);
    CHILD_CHECK(puts_made() == 1);
    CHILD_CHECK(pthread_join(thread, NULL) == 0);
    store_free(s);
    return 0;
}

static void
signal__during_a_pause__ends_it(void **state)
{
    (void)state;
    assert_int_equal(test_child_run(interrupted_in_a_pause, NULL), 0);
}

/* Clean-up after a signal still asks the store, but once. */
static int
asked_after_a_signal(void *arg)
{
    struct store *s = wrap(&(struct store_retry_options){.first_pause_ms = 60000});
    struct err err = ERR_INIT;

    (void)arg;
    sig_install();
    CHILD_CHECK(kill(getpid(), SIGTERM) == 0 && sig_pending());
    CHILD_CHECK(put(s, 0, &err) == 0);
    fail_puts(0, ERR_STORAGE);
    CHILD_CHECK(put(s, 0, &err) < 0 && err.code == ERR_INTERRUPTED);
    CHILD_CHECK(puts_made() == 2);
    store_free(s);
    return 0;
}

static void
signal__before_the_call__it_is_made_once(void **state)
{
    (void)state;
    assert_int_equal(test_child_run(asked_after_a_signal, NULL), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(put__fails_for_a_while__succeeds_in_the_end),
        cmocka_unit_test(put__refused__is_final),
        cmocka_unit_test(put__answer_lost_and_then_denied__is_no_denial),
        cmocka_unit_test(budget__used_up__gives_up_in_time_and_says_how_often),
        cmocka_unit_test(budget__of_a_store_that_never_answered__is_the_first),
        cmocka_unit_test(budget__once_the_store_has_answered__is_the_whole),
        cmocka_unit_test(retry_after__within_the_budget__is_kept),
        cmocka_unit_test(retry_after__behind_the_budget__gives_up_at_once),
        cmocka_unit_test(retry_after__never__is_not_tried_again),
        cmocka_unit_test(signal__during_a_pause__ends_it),
        cmocka_unit_test(signal__before_the_call__it_is_made_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
