/* SPDX-License-Identifier: Apache-2.0 */
/* rdb_packing.h: the number of elements that a packed value (ziplist, listpack, intset, zipmap) names in its first
 * bytes. The scanner does not look any further into one: the CRC covers it. */
#ifndef SNAPSHOT_RDB_RDB_PACKING_H
#define SNAPSHOT_RDB_RDB_PACKING_H

#include <stddef.h>
#include <stdint.h>

#define RDB_PACKING_HEAD_MAX 10 /* bytes in front of the entries */
#define RDB_ELEMENTS_UNKNOWN INT64_C(-1)

/* What a string holds, and how many of its entries make an element: of a hash two, a field and its value. */
enum rdb_packing {
    /* Nothing in these that could be looked at. */
    RDB_PACKING_NONE,    /* bytes, which have no elements */
    RDB_PACKING_ELEMENT, /* bytes, which are one element */
    /* A header in front of the entries. */
    RDB_PACKING_ZIPMAP,
    RDB_PACKING_INTSET,
    RDB_PACKING_ZIPLIST,
    RDB_PACKING_ZIPLIST_PAIRS,
    RDB_PACKING_LISTPACK,
    RDB_PACKING_LISTPACK_PAIRS,
    RDB_PACKING_LISTPACK_TRIPLES, /* a hash whose fields expire: field, value, time */
    RDB_PACKING_NODE,             /* a list node: a listpack or one element, as the length before it said */
};

/* The elements of a value that starts with HEAD (LEN bytes: all of it, or RDB_PACKING_HEAD_MAX).
 * RDB_ELEMENTS_UNKNOWN where it does not say: there are more than its counter holds, or it is too short. */
int64_t rdb_packing_elements(enum rdb_packing packing, const uint8_t *head, size_t len);

#endif
