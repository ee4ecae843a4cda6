/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test_common.h"

#include <stdlib.h>

#include "storage/store_fault.h"
#include "storage/store_mem.h"
#include "storage/store_readonly.h"

static const struct store_put put = {.key = "a", .data = "x", .len = 1};

static void
put_remove__read_only__are_refused_and_never_reach_the_inner_store(void **state)
{
    struct store *inner = store_fault_new(store_mem_new()), *s = store_readonly_new(inner);
    struct store_object object;
    struct err err = ERR_INIT;

    (void)state;
    assert_ok(store_put(inner, &put, &err), &err);
    store_fault_reset_counts(inner);
    assert_int_equal(store_features(s), 0);
    assert_fails(store_put(s, &put, &err), &err, ERR_REFUSED);
    assert_fails(store_remove(s, "a", &err), &err, ERR_REFUSED);
    assert_int_equal(store_fault_counts(inner).calls[STORE_CALL_ANY], 0);
    assert_ok(store_stat(s, "a", &object, &err), &err);
    assert_int_equal(store_fault_counts(inner).calls[STORE_CALL_STAT], 1);
    store_free(s);
}

static void
put_remove__wrapped_once_more__are_refused_all_the_same(void **state)
{
    struct store *inner = store_fault_new(store_mem_new());
    struct store *s = store_fault_new(store_readonly_new(inner));
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(store_features(s), 0);
    assert_fails(store_put(s, &put, &err), &err, ERR_REFUSED);
    /* Even past the checks of store_put(): */
    assert_fails(s->ops->put(s, &put, &err), &err, ERR_REFUSED);
    assert_fails(s->ops->remove(s, "a", &err), &err, ERR_REFUSED);
    assert_int_equal(store_fault_counts(inner).calls[STORE_CALL_ANY], 0);
    store_free(s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(put_remove__read_only__are_refused_and_never_reach_the_inner_store),
        cmocka_unit_test(put_remove__wrapped_once_more__are_refused_all_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
