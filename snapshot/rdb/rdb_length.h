/* SPDX-License-Identifier: Apache-2.0 */
/* rdb_length.h: the length, the one number that all of an RDB is built from: one, two, five or nine bytes, the first of
 * which says how many. In a header, since it is read several times for every key. */
#ifndef SNAPSHOT_RDB_RDB_LENGTH_H
#define SNAPSHOT_RDB_RDB_LENGTH_H

#include <stddef.h>
#include <stdint.h>

static inline uint64_t
rdb_load_be(const uint8_t *p, size_t len)
{
    uint64_t v = 0;

    for (size_t i = 0; i < len; i++)
        v = v << 8 | p[i];
    return v;
}

/* The length at P: how many bytes it takes, 0 when they are not all there, -1 when it is none (it may be an encoded
 * string). */
static inline int
rdb_take_length(const uint8_t *p, const uint8_t *end, uint64_t *n)
{
    size_t room = (size_t)(end - p);

    if (room == 0)
        return 0;
    if (p[0] < 0x40) {
        *n = p[0];
        return 1;
    }
    if (p[0] < 0x80) {
        if (room < 2)
            return 0;
        *n = (uint64_t)(p[0] & 0x3f) << 8 | p[1];
        return 2;
    }
    if (p[0] > 0x81)
        return -1;
    int size = p[0] == 0x80 ? 5 : 9;
    if (room < (size_t)size)
        return 0;
    *n = rdb_load_be(p + 1, (size_t)size - 1);
    return size;
}

#endif
