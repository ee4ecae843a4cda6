/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/conformance/store_suite.h"

#include "base/mem.h"
#include "storage/store_mem.h"

static void *
place_new(void)
{
    return mem_new(1);
}

static struct store *
writer(void *place)
{
    (void)place;
    return store_mem_new();
}

int
main(void)
{
    const struct store_suite suite = {.name = "mem", .place_new = place_new, .place_free = free, .writer = writer};

    return store_suite_run(&suite);
}
