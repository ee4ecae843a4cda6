/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test_common.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "storage/store_fault.h"
#include "storage/store_mem.h"
#include "storage/store_meter.h"
#include "storage/store_retry.h"

#define THREADS 4
#define ROUNDS  200

static struct store_meter meter;

static int
set_up(void **state)
{
    (void)state;
    meter = (struct store_meter)STORE_METER_INIT;
    return 0;
}

static uint64_t
in_buckets(const struct store_meter_counts *c, enum store_meter_call call)
{
    uint64_t sum = 0;

    for (int i = 0; i <= METER_BUCKETS; i++)
        sum += c->calls[call].buckets[i];
    return sum;
}

static bool
ignore(const struct store_object *object, void *cookie)
{
    (void)object;
    (void)cookie;
    return true;
}

static void
calls__one_of_each__are_counted_by_kind_with_their_bytes(void **state)
{
    const char *const keys[] = {"a", "b", "c"};
    struct store *s = store_meter_new(store_mem_new(), &meter);
    struct store_object object;
    struct store_meter_counts c;
    struct err err = ERR_INIT;
    char buf[16];
    size_t got = 0;
    int64_t now;

    (void)state;
    assert_ok(store_put(s, &(struct store_put){.key = "a", .data = "hello", .len = 5}, &err), &err);
    assert_ok(store_get(s, "a", 2, buf, sizeof(buf), &got, &err), &err);
    assert_ok(store_stat(s, "a", &object, &err), &err);
    assert_ok(store_list(s, &(struct store_list){0}, ignore, NULL, &err), &err);
    assert_ok(store_now(s, &now, &err), &err);
    assert_ok(store_remove(s, "a", &err), &err);
    assert_ok(store_remove_many(s, keys, 3, &err), &err);
    store_free(s);
    c = store_meter_read(&meter);
    for (int i = 0; i < METER_CALLS; i++) {
        uint64_t expected = i == METER_REMOVE ? c.calls[i].calls : 1;

        assert_int_equal(c.calls[i].calls, expected);
        assert_int_equal(in_buckets(&c, (enum store_meter_call)i), c.calls[i].calls);
        assert_int_equal(c.calls[i].failures, 0);
    }
    assert_in_range(c.calls[METER_REMOVE].calls, 2, 4); /* many at once, or one by one */
    assert_int_equal(c.bytes_put, 5);
    assert_int_equal(c.bytes_got, 3);
    assert_int_equal(c.retries, 0);
}

static void
failures__answers__are_none(void **state)
{
    struct store *s = store_meter_new(store_mem_new(), &meter);
    const struct store_put put = {.key = "a", .data = "hello", .len = 5, .flags = STORE_PUT_CREATE};
    struct store_object object;
    struct store_meter_counts c;
    struct err err = ERR_INIT;

    (void)state;
    assert_ok(store_put(s, &put, &err), &err);
    assert_fails(store_put(s, &put, &err), &err, ERR_EXISTS);
    assert_fails(store_stat(s, "b", &object, &err), &err, ERR_NOT_FOUND);
    store_free(s);
    c = store_meter_read(&meter);
    assert_int_equal(c.calls[METER_PUT].calls, 2);
    assert_int_equal(c.calls[METER_PUT].failures, 0);
    assert_int_equal(c.calls[METER_STAT].calls, 1);
    assert_int_equal(c.calls[METER_STAT].failures, 0);
    assert_int_equal(c.bytes_put, 5); /* what was refused did not go in */
}

static void
failures__a_store_that_fails_and_denies__are_counted(void **state)
{
    static const struct store_fault faults[] = {
        {.call = STORE_CALL_PUT, .what = STORE_FAULT_FAIL, .nth = 1, .times = 1},
        {.call = STORE_CALL_PUT, .what = STORE_FAULT_FAIL, .nth = 2, .times = 1, .code = ERR_STORE_DENIED},
        {.call = STORE_CALL_PUT, .what = STORE_FAULT_FAIL, .nth = 3, .times = 1, .code = ERR_NO_SPACE},
    };
    struct store *faulty = store_fault_new(store_mem_new()), *s = store_meter_new(faulty, &meter);
    const struct store_put put = {.key = "a", .data = "hello", .len = 5};
    struct store_meter_counts c;
    struct err err = ERR_INIT;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(faults); i++)
        store_fault_add(faulty, &faults[i]);
    assert_fails(store_put(s, &put, &err), &err, ERR_STORAGE);
    assert_fails(store_put(s, &put, &err), &err, ERR_STORE_DENIED);
    assert_fails(store_put(s, &put, &err), &err, ERR_NO_SPACE);
    store_free(s);
    c = store_meter_read(&meter);
    assert_int_equal(c.calls[METER_PUT].calls, 3);
    assert_int_equal(c.calls[METER_PUT].failures, 3);
    assert_int_equal(c.bytes_put, 0);
}

static void
retries__inside_of_store_retry__attempts_and_retries_are_counted(void **state)
{
    static const struct store_fault fault = {.call = STORE_CALL_PUT, .what = STORE_FAULT_FAIL, .nth = 1, .times = 2};
    struct store *faulty = store_fault_new(store_mem_new());
    struct store *s = store_retry_new(store_meter_new(faulty, &meter),
                                      &(struct store_retry_options){.first_pause_ms = 1, .meter = &meter});
    struct store_meter_counts c;
    struct err err = ERR_INIT;

    (void)state;
    store_fault_add(faulty, &fault);
    assert_ok(store_put(s, &(struct store_put){.key = "a", .data = "hello", .len = 5}, &err), &err);
    store_free(s);
    c = store_meter_read(&meter);
    assert_int_equal(c.calls[METER_PUT].calls, 3);
    assert_int_equal(c.calls[METER_PUT].failures, 2);
    assert_int_equal(c.retries, 2);
    assert_int_equal(c.bytes_put, 5);
}

static void
retries__a_call_that_is_given_up__counts_the_tries_that_were_made(void **state)
{
    static const struct store_fault fault = {.call = STORE_CALL_PUT, .what = STORE_FAULT_FAIL};
    struct store *faulty = store_fault_new(store_mem_new());
    struct store *s =
        store_retry_new(store_meter_new(faulty, &meter),
                        &(struct store_retry_options){.budget_ms = 60, .first_pause_ms = 20, .meter = &meter});
    struct store_meter_counts c;
    struct err err = ERR_INIT;

    (void)state;
    store_fault_add(faulty, &fault);
    assert_fails(store_put(s, &(struct store_put){.key = "a", .data = "hello", .len = 5}, &err), &err, ERR_STORAGE);
    store_free(s);
    c = store_meter_read(&meter);
    assert_true(c.retries >= 1);
    assert_int_equal(c.calls[METER_PUT].calls, c.retries + 1);
    assert_int_equal(c.calls[METER_PUT].failures, c.retries + 1);
}

static void
times__a_slow_call__is_in_its_bucket_and_in_the_sum(void **state)
{
    static const struct store_fault slow = {
        .call = STORE_CALL_STAT, .what = STORE_FAULT_DELAY, .nth = 1, .times = 1, .delay_ms = 60};
    struct store *faulty = store_fault_new(store_mem_new()), *s = store_meter_new(faulty, &meter);
    struct store_object object;
    struct store_meter_counts c;
    struct err err = ERR_INIT;

    (void)state;
    store_fault_add(faulty, &slow);
    assert_fails(store_stat(s, "a", &object, &err), &err, ERR_NOT_FOUND);
    store_free(s);
    c = store_meter_read(&meter);
    for (int i = 0; i < METER_BUCKETS && store_meter_bounds_ms[i] < 60; i++)
        assert_int_equal(c.calls[METER_STAT].buckets[i], 0);
    assert_int_equal(in_buckets(&c, METER_STAT), 1);
    assert_true(c.calls[METER_STAT].total_ms >= 59);
}

static void *
put_many(void *store)
{
    struct err err = ERR_INIT;

    for (int i = 0; i < ROUNDS; i++) {
        assert_ok(store_put(store, &(struct store_put){.key = "a", .data = "hello", .len = 5}, &err), &err);
        store_meter_retried(&meter);
        (void)store_meter_read(&meter);
    }
    return NULL;
}

/* Two handles, as `copy` has them, from several threads. */
static void
meter__many_threads_and_handles__loses_nothing(void **state)
{
    struct store *s[2] = {store_meter_new(store_mem_new(), &meter), store_meter_new(store_mem_new(), &meter)};
    pthread_t threads[THREADS];
    struct store_meter_counts c;

    (void)state;
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, put_many, s[i % 2]), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    store_free(s[0]);
    store_free(s[1]);
    c = store_meter_read(&meter);
    assert_int_equal(c.calls[METER_PUT].calls, THREADS * ROUNDS);
    assert_int_equal(in_buckets(&c, METER_PUT), THREADS * ROUNDS);
    assert_int_equal(c.bytes_put, 5 * THREADS * ROUNDS);
    assert_int_equal(c.retries, THREADS * ROUNDS);
}

static void
add__two_counts__are_summed_in_every_field(void **state)
{
    struct store_meter_counts sum, more;
    uint64_t *s = (uint64_t *)&sum, *m = (uint64_t *)&more;

    (void)state;
    _Static_assert(sizeof(sum) % sizeof(uint64_t) == 0, "nothing but counts");
    for (size_t i = 0; i < sizeof(sum) / sizeof(*s); i++) {
        s[i] = i;
        m[i] = 1000 * (i + 1);
    }
    store_meter_add(&sum, &more);
    for (size_t i = 0; i < sizeof(sum) / sizeof(*s); i++)
        assert_int_equal(s[i], i + 1000 * (i + 1));
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(calls__one_of_each__are_counted_by_kind_with_their_bytes),
        TEST(failures__answers__are_none),
        TEST(failures__a_store_that_fails_and_denies__are_counted),
        TEST(retries__inside_of_store_retry__attempts_and_retries_are_counted),
        TEST(retries__a_call_that_is_given_up__counts_the_tries_that_were_made),
        TEST(times__a_slow_call__is_in_its_bucket_and_in_the_sum),
        TEST(meter__many_threads_and_handles__loses_nothing),
        TEST(add__two_counts__are_summed_in_every_field),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
