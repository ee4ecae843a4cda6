/* SPDX-License-Identifier: Apache-2.0 */
/* The suite through the meter, as it is put together for buckets: store_retry around it, a store with faults in it. */
#include "tests/conformance/store_suite.h"

#include "base/mem.h"
#include "storage/store_fault.h"
#include "storage/store_mem.h"
#include "storage/store_meter.h"
#include "storage/store_retry.h"

static struct store_meter meter = STORE_METER_INIT;

static void *
place_new(void)
{
    return mem_new(1);
}

static struct store *
bare(void *place)
{
    (void)place;
    return store_meter_new(store_mem_new(), &meter);
}

static struct store *
retried(void *place)
{
    static const struct store_fault faults[] = {
        {.call = STORE_CALL_PUT, .what = STORE_FAULT_LOSE, .nth = 2, .times = 1},
        {.call = STORE_CALL_GET, .what = STORE_FAULT_FAIL, .nth = 2, .times = 1},
        {.call = STORE_CALL_LIST, .what = STORE_FAULT_CUT, .at = 1, .nth = 2, .times = 1},
    };
    struct store *faulty = store_fault_new(store_mem_new());

    (void)place;
    for (size_t i = 0; i < ARRAY_LEN(faults); i++)
        store_fault_add(faulty, &faults[i]);
    return store_retry_new(store_meter_new(faulty, &meter),
                           &(struct store_retry_options){.first_pause_ms = 1, .meter = &meter});
}

int
main(void)
{
    const struct store_suite suite = {.name = "meter", .place_new = place_new, .place_free = free, .writer = bare};
    const struct store_suite outer = {.name = "retry(meter)",
                                      .place_new = place_new,
                                      .place_free = free,
                                      .writer = retried,
                                      .many_keys = 100,
                                      .rounds = 20};
    int failed = store_suite_run(&suite);

    return store_suite_run(&outer) + failed;
}
