/* SPDX-License-Identifier: Apache-2.0 */
/* rdb_packing.c: see rdb_packing.h. */
#include "snapshot/rdb/rdb_packing.h"

#include "base/compiler.h"

/* Where the counter stands (little-endian), the least value that means "look for yourself", and entries an element. */
static const struct {
    uint8_t at, size;
    uint32_t too_many;
    uint8_t entries;
} headers[] = {
    [RDB_PACKING_ZIPMAP] = {0, 1, 254, 1},
    [RDB_PACKING_INTSET] = {4, 4, UINT32_MAX, 1},
    [RDB_PACKING_ZIPLIST] = {8, 2, UINT16_MAX, 1},
    [RDB_PACKING_ZIPLIST_PAIRS] = {8, 2, UINT16_MAX, 2},
    [RDB_PACKING_LISTPACK] = {4, 2, UINT16_MAX, 1},
    [RDB_PACKING_LISTPACK_PAIRS] = {4, 2, UINT16_MAX, 2},
    [RDB_PACKING_LISTPACK_TRIPLES] = {4, 2, UINT16_MAX, 3},
    [RDB_PACKING_NODE] = {4, 2, UINT16_MAX, 1},
};

int64_t
rdb_packing_elements(enum rdb_packing packing, const uint8_t *head, size_t len)
{
    uint32_t n = 0;

    if (packing == RDB_PACKING_ELEMENT)
        return 1;
    if (packing == RDB_PACKING_NONE || len < (size_t)headers[packing].at + headers[packing].size)
        return RDB_ELEMENTS_UNKNOWN;
    for (size_t i = headers[packing].size; i > 0; i--)
        n = n << 8 | head[headers[packing].at + i - 1];
    return n < headers[packing].too_many ? n / headers[packing].entries : RDB_ELEMENTS_UNKNOWN;
}
