/* SPDX-License-Identifier: Apache-2.0 */
/* target_layout.c: see target_layout.h. */
#include "snapshot/target/target_layout.h"

#include <string.h>

#include "base/mem.h"

const struct target_names target_names_default = {"dump.rdb", "appendonlydir", "appendonly.aof"};

static const char *const layout_names[] = {
    [TARGET_LAYOUT_UNKNOWN] = "unknown",
    [TARGET_LAYOUT_RDB] = "rdb",
    [TARGET_LAYOUT_AOF] = "aof",
    [TARGET_LAYOUT_SINGLE_AOF] = "single-aof",
};

const char *
target_layout_name(enum target_layout layout)
{
    return layout_names[layout];
}

enum target_layout
target_layout_from_name(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(layout_names); i++) {
        if (strcmp(name, layout_names[i]) == 0)
            return (enum target_layout)i;
    }
    return TARGET_LAYOUT_UNKNOWN;
}

const char *
target_layout_entry(enum target_layout layout, const struct target_names *names)
{
    REQUIRE(layout != TARGET_LAYOUT_UNKNOWN);
    return layout == TARGET_LAYOUT_RDB   ? names->dbfilename
           : layout == TARGET_LAYOUT_AOF ? names->appenddirname
                                         : names->appendfilename;
}
