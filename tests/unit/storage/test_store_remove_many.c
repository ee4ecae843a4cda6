/* SPDX-License-Identifier: Apache-2.0 */
/* test_store_remove_many.c: the removal of many on a store that knows only single ones, and through the wrappers. */
#include "tests/support/test_common.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "storage/store_fault.h"
#include "storage/store_mem.h"
#include "storage/store_readonly.h"
#include "storage/store_retry.h"

#define COUNT (2 * STORE_REMOVE_MAX + 7)

static char names[COUNT][16];
static const char *keys[COUNT];

static bool
count_told(const struct store_object *object, void *cookie)
{
    (void)object;
    (*(size_t *)cookie)++;
    return true;
}

static size_t
count_all(struct store *s)
{
    struct err err = ERR_INIT;
    size_t count = 0;

    assert_ok(store_list(s, &(struct store_list){0}, count_told, &count, &err), &err);
    return count;
}

/* All of keys[], and one object more. */
static void
fill(struct store *s)
{
    struct err err = ERR_INIT;

    for (size_t i = 0; i < COUNT; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "many/%05zu", i);
        keys[i] = names[i];
        assert_ok(store_put(s, &(struct store_put){.key = keys[i], .data = "x", .len = 1}, &err), &err);
    }
    assert_ok(store_put(s, &(struct store_put){.key = "other", .data = "x", .len = 1}, &err), &err);
}

static void
remove_many__more_than_one_batch_and_some_twice__only_they_go(void **state)
{
    struct store *mem = store_mem_new();
    struct store *const stores[] = {
        mem, store_retry_new(store_fault_new(store_mem_new()), &(struct store_retry_options){.first_pause_ms = 1})};
    struct err err = ERR_INIT;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(stores); i++) {
        fill(stores[i]);
        assert_ok(store_remove_many(stores[i], keys, 0, &err), &err);
        assert_int_equal(count_all(stores[i]), COUNT + 1);
        keys[5] = keys[4];
        keys[6] = "never/was/here";
        assert_ok(store_remove_many(stores[i], keys, COUNT, &err), &err);
        assert_int_equal(count_all(stores[i]), 3); /* the other one, and the two that were not named */
        store_free(stores[i]);
    }
}

static void
remove_many__a_forbidden_key_or_a_read_only_handle__removes_nothing(void **state)
{
    struct store *s = store_mem_new();
    struct err err = ERR_INIT;

    (void)state;
    fill(s);
    keys[COUNT - 1] = "a//b";
    assert_fails(store_remove_many(s, keys, COUNT, &err), &err, ERR_USAGE);
    assert_int_equal(count_all(s), COUNT + 1);
    s = store_readonly_new(s);
    keys[COUNT - 1] = names[COUNT - 1];
    assert_fails(store_remove_many(s, keys, COUNT, &err), &err, ERR_REFUSED);
    assert_int_equal(count_all(s), COUNT + 1);
    /* Retry in front of it comes past that check. */
    s = store_retry_new(s, &(struct store_retry_options){0});
    assert_fails(s->ops->remove_many(s, keys, 3, &err), &err, ERR_REFUSED);
    assert_int_equal(count_all(s), COUNT + 1);
    store_free(s);
}

static void
remove_many__one_is_denied__ends_there_and_names_it(void **state)
{
    struct store *s = store_fault_new(store_mem_new());
    struct err err = ERR_INIT;

    (void)state;
    fill(s);
    store_fault_add(
        s, &(struct store_fault){
               .call = STORE_CALL_REMOVE, .what = STORE_FAULT_FAIL, .key = "many/01001", .code = ERR_STORE_DENIED});
    assert_int_equal(store_remove_many(s, keys, COUNT, &err), -1);
    assert_int_equal(err.code, ERR_STORE_DENIED);
    assert_non_null(strstr(err.msg, "many/01001"));
    assert_int_equal(store_fault_counts(s).calls[STORE_CALL_REMOVE], 1002);
    assert_int_equal(count_all(s), COUNT + 1 - 1001);
    store_free(s);
}

static void
remove_many__fails_for_a_while_through_retry__goes_on_until_all_are_gone(void **state)
{
    struct store *fault = store_fault_new(store_mem_new());
    struct store *s = store_retry_new(fault, &(struct store_retry_options){.first_pause_ms = 1, .max_pause_ms = 1});
    struct err err = ERR_INIT;

    (void)state;
    fill(s);
    store_fault_add(
        fault, &(struct store_fault){.call = STORE_CALL_REMOVE, .what = STORE_FAULT_LOSE, .nth = 1500, .times = 3});
    assert_ok(store_remove_many(s, keys, COUNT, &err), &err);
    assert_int_equal(count_all(s), 1);
    store_free(s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(remove_many__more_than_one_batch_and_some_twice__only_they_go),
        cmocka_unit_test(remove_many__a_forbidden_key_or_a_read_only_handle__removes_nothing),
        cmocka_unit_test(remove_many__one_is_denied__ends_there_and_names_it),
        cmocka_unit_test(remove_many__fails_for_a_while_through_retry__goes_on_until_all_are_gone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
