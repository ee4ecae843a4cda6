/* SPDX-License-Identifier: Apache-2.0 */
/* file_place.c: see file_place.h. */
#include "tests/conformance/file_place.h"

#include "tests/support/test_common.h"

#include "base/mem.h"
#include "storage/store_file.h"

void *
file_place_new(void)
{
    char *path = mem_new(256);

    test_make_dir(path);
    return path;
}

void
file_place_free(void *place)
{
    test_remove_dir(place);
    free(place);
}

static struct store *
open_place(const char *path, unsigned flags)
{
    struct err err = ERR_INIT;
    struct store *s = store_file_open(path, flags, &err);

    if (s == NULL)
        fail_msg("%s", err.msg);
    return s;
}

struct store *
file_place_writer(void *place)
{
    return open_place(place, 0);
}

struct store *
file_place_reader(void *place)
{
    return open_place(place, STORE_FILE_READ_ONLY);
}
