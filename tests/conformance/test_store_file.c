/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/conformance/file_place.h"
#include "tests/conformance/store_suite.h"

int
main(void)
{
    const struct store_suite suite = {
        .name = "file", .place_new = file_place_new, .place_free = file_place_free, .writer = file_place_writer};

    return store_suite_run(&suite);
}
