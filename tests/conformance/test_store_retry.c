/* SPDX-License-Identifier: Apache-2.0 */
/* The suite through the retry wrapper, over a store that fails the first calls of each kind: before it did it, after
 * it did it, or in the middle of it. */
#include "tests/conformance/store_suite.h"

#include "base/mem.h"
#include "storage/store_fault.h"
#include "storage/store_mem.h"
#include "storage/store_retry.h"

static void *
place_new(void)
{
    return mem_new(1);
}

static struct store *
writer(void *place)
{
    static const struct store_fault faults[] = {
        {.call = STORE_CALL_PUT, .what = STORE_FAULT_LOSE, .nth = 1, .times = 1},
        {.call = STORE_CALL_GET, .what = STORE_FAULT_FAIL, .nth = 1, .times = 3},
        {.call = STORE_CALL_STAT, .what = STORE_FAULT_FAIL, .nth = 1, .times = 1},
        {.call = STORE_CALL_LIST, .what = STORE_FAULT_CUT, .at = 1, .nth = 1, .times = 1},
        {.call = STORE_CALL_LIST, .what = STORE_FAULT_CUT, .at = 700, .nth = 2, .times = 1},
        {.call = STORE_CALL_LIST, .what = STORE_FAULT_LOSE, .nth = 5, .times = 2},
        {.call = STORE_CALL_REMOVE, .what = STORE_FAULT_LOSE, .nth = 1, .times = 1},
        {.call = STORE_CALL_NOW, .what = STORE_FAULT_FAIL, .nth = 1, .times = 1},
    };
    struct store *faulty = store_fault_new(store_mem_new());

    (void)place;
    for (size_t i = 0; i < ARRAY_LEN(faults); i++)
        store_fault_add(faulty, &faults[i]);
    return store_retry_new(faulty, &(struct store_retry_options){.first_pause_ms = 1});
}

int
main(void)
{
    const struct store_suite suite = {.name = "retry", .place_new = place_new, .place_free = free, .writer = writer};

    return store_suite_run(&suite);
}
