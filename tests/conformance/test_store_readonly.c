/* SPDX-License-Identifier: Apache-2.0 */
/* Everything that reads goes through the read-only wrapper around a handle of its own; a plain handle writes. */
#include "tests/conformance/file_place.h"
#include "tests/conformance/store_suite.h"

#include "storage/store_readonly.h"

static struct store *
reader(void *place)
{
    return store_readonly_new(file_place_reader(place));
}

int
main(void)
{
    const struct store_suite suite = {.name = "readonly",
                                      .place_new = file_place_new,
                                      .place_free = file_place_free,
                                      .writer = file_place_writer,
                                      .reader = reader,
                                      /* The backend has shown the rest. */
                                      .many_keys = 100,
                                      .rounds = 20};

    return store_suite_run(&suite);
}
