/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test_common.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "storage/store_fault.h"
#include "storage/store_mem.h"

static int
setup(void **state)
{
    *state = store_fault_new(store_mem_new());
    return 0;
}

static int
teardown(void **state)
{
    store_free(*state);
    return 0;
}

static int
put(struct store *s, const char *key, const char *text, struct err *err)
{
    const struct store_put p = {.key = key, .data = text, .len = strlen(text)};

    return store_put(s, &p, err);
}

static bool
is_there(struct store *s, const char *key)
{
    struct store_object object;
    struct err err = ERR_INIT;

    return store_stat(s, key, &object, &err) == 0;
}

static bool
count_told(const struct store_object *object, void *cookie)
{
    (void)object;
    (*(unsigned *)cookie)++;
    return true;
}

static void
fail__third_put__hits_only_it_and_stores_nothing(void **state)
{
    struct store *s = *state;
    struct err err = ERR_INIT;

    store_fault_add(s,
                    &(struct store_fault){
                        .call = STORE_CALL_PUT, .what = STORE_FAULT_FAIL, .nth = 3, .times = 1, .code = ERR_NO_SPACE});
    assert_ok(put(s, "1", "x", &err), &err);
    assert_false(is_there(s, "other"));
    assert_ok(put(s, "2", "x", &err), &err);
    assert_fails(put(s, "3", "x", &err), &err, ERR_NO_SPACE);
    assert_false(is_there(s, "3"));
    assert_ok(put(s, "3", "x", &err), &err);
    assert_true(is_there(s, "3"));
}

static void
fail__any_call_from_the_second_on__goes_on_until_cleared(void **state)
{
    struct store *s = *state;
    struct err err = ERR_INIT;
    int64_t now;
    unsigned told = 0;

    store_fault_add(s, &(struct store_fault){.what = STORE_FAULT_FAIL, .nth = 2});
    assert_ok(put(s, "1", "x", &err), &err);
    assert_fails(put(s, "2", "x", &err), &err, ERR_STORAGE);
    assert_fails(store_now(s, &now, &err), &err, ERR_STORAGE);
    assert_fails(store_remove(s, "1", &err), &err, ERR_STORAGE);
    assert_fails(store_list(s, &(struct store_list){0}, count_told, &told, &err), &err, ERR_STORAGE);
    assert_int_equal(told, 0);
    store_fault_clear(s);
    assert_true(is_there(s, "1"));
}

static void
fail__by_key__hits_no_other(void **state)
{
    struct store *s = *state;
    char key[] = "manifest";
    struct err err = ERR_INIT;
    unsigned told = 0;

    store_fault_add(s, &(struct store_fault){.what = STORE_FAULT_FAIL, .key = key, .code = ERR_STORE_DENIED});
    memset(key, '#', sizeof(key) - 1); /* the plan has a copy */
    assert_ok(put(s, "data/1", "x", &err), &err);
    assert_fails(put(s, "a-manifest", "x", &err), &err, ERR_STORE_DENIED);
    assert_fails(store_list(s, &(struct store_list){.prefix = "manifest/"}, count_told, &told, &err), &err,
                 ERR_STORE_DENIED);
    assert_ok(store_list(s, &(struct store_list){.prefix = "data/"}, count_told, &told, &err), &err);
    assert_int_equal(told, 1);
}

static void
lose__put_and_remove__were_done_all_the_same(void **state)
{
    struct store *s = *state;
    struct err err = ERR_INIT;

    store_fault_add(s, &(struct store_fault){.call = STORE_CALL_PUT, .what = STORE_FAULT_LOSE, .times = 1});
    store_fault_add(s, &(struct store_fault){.call = STORE_CALL_REMOVE, .what = STORE_FAULT_LOSE, .times = 1});
    assert_fails(put(s, "1", "x", &err), &err, ERR_STORAGE);
    assert_true(is_there(s, "1"));
    assert_fails(store_remove(s, "1", &err), &err, ERR_STORAGE);
    assert_false(is_there(s, "1"));
}

static void
lose__of_what_failed_by_itself__keeps_the_real_error(void **state)
{
    struct store *s = *state;
    struct store_object object;
    struct err err = ERR_INIT;

    store_fault_add(s, &(struct store_fault){.what = STORE_FAULT_LOSE});
    assert_fails(store_stat(s, "absent", &object, &err), &err, ERR_NOT_FOUND);
}

static void
flip__byte_at__is_changed_only_where_it_is_read(void **state)
{
    struct store *s = *state;
    char back[16];
    size_t got = 0;
    struct err err = ERR_INIT;

    assert_ok(put(s, "1", "ABCDEF", &err), &err);
    store_fault_add(s, &(struct store_fault){.call = STORE_CALL_GET, .what = STORE_FAULT_FLIP, .at = 3});
    assert_ok(store_get(s, "1", 0, back, sizeof(back), &got, &err), &err);
    assert_int_equal(got, 6);
    assert_memory_equal(back, "ABCdEF", 6);
    assert_ok(store_get(s, "1", 3, back, 1, &got, &err), &err);
    assert_memory_equal(back, "d", 1);
    assert_ok(store_get(s, "1", 4, back, 2, &got, &err), &err);
    assert_memory_equal(back, "EF", 2);
    assert_ok(store_get(s, "1", 0, back, 3, &got, &err), &err);
    assert_memory_equal(back, "ABC", 3);
}

static void
shorten__at__ends_the_object_there(void **state)
{
    struct store *s = *state;
    char back[16];
    size_t got = 0;
    struct err err = ERR_INIT;

    assert_ok(put(s, "1", "ABCDEF", &err), &err);
    store_fault_add(s, &(struct store_fault){.call = STORE_CALL_GET, .what = STORE_FAULT_SHORTEN, .at = 4});
    assert_ok(store_get(s, "1", 0, back, sizeof(back), &got, &err), &err);
    assert_int_equal(got, 4);
    assert_ok(store_get(s, "1", 2, back, 1, &got, &err), &err);
    assert_int_equal(got, 1);
    assert_ok(store_get(s, "1", 3, back, 3, &got, &err), &err);
    assert_int_equal(got, 1);
    assert_ok(store_get(s, "1", 5, back, 1, &got, &err), &err);
    assert_int_equal(got, 0);
}

static void
hide__key__is_not_listed_but_there(void **state)
{
    struct store *s = *state;
    struct err err = ERR_INIT;
    unsigned told = 0;

    assert_ok(put(s, "a/1", "x", &err), &err);
    assert_ok(put(s, "a/2", "x", &err), &err);
    store_fault_add(s, &(struct store_fault){.what = STORE_FAULT_HIDE, .key = "/1", .times = 1});
    assert_ok(store_list(s, &(struct store_list){0}, count_told, &told, &err), &err);
    assert_int_equal(told, 1);
    assert_true(is_there(s, "a/1"));
    assert_ok(store_list(s, &(struct store_list){0}, count_told, &told, &err), &err);
    assert_int_equal(told, 3);
    assert_int_equal(store_fault_counts(s).listed, 3);
}

static void
cut__listing__fails_after_it_told_some(void **state)
{
    struct store *s = *state;
    struct err err = ERR_INIT;

    assert_ok(put(s, "1", "x", &err), &err);
    assert_ok(put(s, "2", "x", &err), &err);
    for (unsigned at = 0; at <= 3; at++) {
        unsigned told = 0;

        store_fault_add(s, &(struct store_fault){.what = STORE_FAULT_CUT, .at = at});
        if (at <= 2)
            assert_fails(store_list(s, &(struct store_list){0}, count_told, &told, &err), &err, ERR_STORAGE);
        else
            assert_ok(store_list(s, &(struct store_list){0}, count_told, &told, &err), &err);
        assert_int_equal(told, at < 2 ? at : 2);
        store_fault_clear(s);
    }
}

static void
delay__one_call__takes_that_long(void **state)
{
    struct store *s = *state;
    int64_t start = clock_mono_ms();

    store_fault_add(
        s, &(struct store_fault){.call = STORE_CALL_STAT, .what = STORE_FAULT_DELAY, .times = 1, .delay_ms = 60});
    (void)is_there(s, "1");
    assert_true(clock_mono_ms() - start >= 60);
}

static bool
keep_time(const struct store_object *object, void *cookie)
{
    *(int64_t *)cookie = object->mtime_ms;
    return true;
}

static void
shift_times__objects_and_now__are_told_apart(void **state)
{
    struct store *s = *state;
    struct store_object before, after;
    int64_t listed = 0, now = 0, later = 0;
    struct err err = ERR_INIT;

    assert_ok(put(s, "1", "x", &err), &err);
    assert_ok(store_stat(s, "1", &before, &err), &err);
    assert_ok(store_now(s, &now, &err), &err);
    store_fault_shift_times(s, -5000, 1000000);
    assert_ok(store_stat(s, "1", &after, &err), &err);
    assert_ok(store_list(s, &(struct store_list){0}, keep_time, &listed, &err), &err);
    assert_ok(store_now(s, &later, &err), &err);
    assert_int_equal(after.mtime_ms, before.mtime_ms - 5000);
    assert_int_equal(listed, before.mtime_ms - 5000);
    assert_in_range(later - now, 1000000, 1060000);
}

static void
counts__calls_and_bytes__are_told_and_reset(void **state)
{
    struct store *s = *state;
    struct store_fault_counts c;
    char back[16];
    size_t got = 0;
    struct err err = ERR_INIT;
    unsigned told = 0;

    assert_ok(put(s, "1", "12345", &err), &err);
    assert_ok(store_get(s, "1", 3, back, sizeof(back), &got, &err), &err);
    assert_false(is_there(s, "2"));
    assert_ok(store_list(s, &(struct store_list){0}, count_told, &told, &err), &err);
    store_fault_add(s, &(struct store_fault){.what = STORE_FAULT_FAIL});
    assert_fails(store_get(s, "1", 0, back, 1, &got, &err), &err, ERR_STORAGE);
    c = store_fault_counts(s);
    assert_int_equal(c.calls[STORE_CALL_PUT], 1);
    assert_int_equal(c.calls[STORE_CALL_GET], 2);
    assert_int_equal(c.calls[STORE_CALL_STAT], 1);
    assert_int_equal(c.calls[STORE_CALL_LIST], 1);
    assert_int_equal(c.calls[STORE_CALL_REMOVE], 0);
    assert_int_equal(c.calls[STORE_CALL_ANY], 5);
    assert_int_equal(c.bytes_put, 5);
    assert_int_equal(c.bytes_got, 2);
    assert_int_equal(c.listed, 1);
    store_fault_reset_counts(s);
    c = store_fault_counts(s);
    assert_int_equal(c.calls[STORE_CALL_ANY], 0);
    assert_int_equal(c.bytes_got, 0);
}

static void
remember_call(enum store_call call, const char *key, void *cookie)
{
    char *text = cookie;

    (void)snprintf(text + strlen(text), 64 - strlen(text), "%d:%s ", (int)call, key);
}

static void
hook__is_called_for_every_call_before_its_fault(void **state)
{
    struct store *s = *state;
    char text[64] = "";
    struct err err = ERR_INIT;
    int64_t now;

    store_fault_set_hook(s, remember_call, text);
    store_fault_add(s, &(struct store_fault){.what = STORE_FAULT_FAIL});
    assert_fails(put(s, "k", "x", &err), &err, ERR_STORAGE);
    assert_fails(store_now(s, &now, &err), &err, ERR_STORAGE);
    assert_string_equal(text, "1:k 6: ");
}

static void *
put_fifty(void *arg)
{
    struct err err = ERR_INIT;
    unsigned failed = 0;

    for (int i = 0; i < 50; i++)
        failed += put(arg, "same", "x", &err) < 0;
    return (void *)(uintptr_t)failed;
}

static void
fail__some_of_several_threads__hits_exactly_that_many(void **state)
{
    struct store *s = *state;
    pthread_t threads[4];
    uintptr_t failed = 0;

    store_fault_add(s, &(struct store_fault){.call = STORE_CALL_PUT, .what = STORE_FAULT_FAIL, .nth = 20, .times = 30});
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, put_fifty, s), 0);
    for (int i = 0; i < 4; i++) {
        void *one = NULL;

        assert_int_equal(pthread_join(threads[i], &one), 0);
        failed += (uintptr_t)one;
    }
    assert_int_equal(failed, 30);
    assert_int_equal(store_fault_counts(s).calls[STORE_CALL_PUT], 200);
    assert_int_equal(store_fault_counts(s).bytes_put, 170);
}

int
main(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(fail__third_put__hits_only_it_and_stores_nothing),
        CASE(fail__any_call_from_the_second_on__goes_on_until_cleared),
        CASE(fail__by_key__hits_no_other),
        CASE(lose__put_and_remove__were_done_all_the_same),
        CASE(lose__of_what_failed_by_itself__keeps_the_real_error),
        CASE(flip__byte_at__is_changed_only_where_it_is_read),
        CASE(shorten__at__ends_the_object_there),
        CASE(hide__key__is_not_listed_but_there),
        CASE(cut__listing__fails_after_it_told_some),
        CASE(delay__one_call__takes_that_long),
        CASE(shift_times__objects_and_now__are_told_apart),
        CASE(counts__calls_and_bytes__are_told_and_reset),
        CASE(hook__is_called_for_every_call_before_its_fault),
        CASE(fail__some_of_several_threads__hits_exactly_that_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
