/* SPDX-License-Identifier: Apache-2.0 */
/* rdb_key.c: see rdb_key.h. */
#include "snapshot/rdb/rdb_key.h"

#include "base/compiler.h"

static const char *const names[RDB_ENCODING_COUNT] = {
    [RDB_ENCODING_RAW] = "raw",
    [RDB_ENCODING_INT] = "int",
    [RDB_ENCODING_LZF] = "lzf",
    [RDB_ENCODING_LINKEDLIST] = "linkedlist",
    [RDB_ENCODING_QUICKLIST] = "quicklist",
    [RDB_ENCODING_ZIPMAP] = "zipmap",
    [RDB_ENCODING_ZIPLIST] = "ziplist",
    [RDB_ENCODING_LISTPACK] = "listpack",
    [RDB_ENCODING_LISTPACKEX] = "listpackex",
    [RDB_ENCODING_INTSET] = "intset",
    [RDB_ENCODING_HASHTABLE] = "hashtable",
    [RDB_ENCODING_SKIPLIST] = "skiplist",
    [RDB_ENCODING_STREAM] = "stream",
    [RDB_ENCODING_MODULE] = "module",
};

/* By the record byte; 0, a string, has three forms. */
static const uint8_t encodings[] = {
    [0] = RDB_ENCODING_RAW,        [1] = RDB_ENCODING_LINKEDLIST,  [2] = RDB_ENCODING_HASHTABLE,
    [3] = RDB_ENCODING_SKIPLIST,   [4] = RDB_ENCODING_HASHTABLE,   [5] = RDB_ENCODING_SKIPLIST,
    [7] = RDB_ENCODING_MODULE,     [9] = RDB_ENCODING_ZIPMAP,      [10] = RDB_ENCODING_ZIPLIST,
    [11] = RDB_ENCODING_INTSET,    [12] = RDB_ENCODING_ZIPLIST,    [13] = RDB_ENCODING_ZIPLIST,
    [14] = RDB_ENCODING_QUICKLIST, [15] = RDB_ENCODING_STREAM,     [16] = RDB_ENCODING_LISTPACK,
    [17] = RDB_ENCODING_LISTPACK,  [18] = RDB_ENCODING_QUICKLIST,  [19] = RDB_ENCODING_STREAM,
    [20] = RDB_ENCODING_LISTPACK,  [21] = RDB_ENCODING_STREAM,     [22] = RDB_ENCODING_HASHTABLE,
    [24] = RDB_ENCODING_HASHTABLE, [25] = RDB_ENCODING_LISTPACKEX, [26] = RDB_ENCODING_STREAM,
};

const char *
rdb_encoding_name(enum rdb_encoding encoding)
{
    return names[encoding];
}

enum rdb_encoding
rdb_encoding_of(uint8_t record, uint8_t form)
{
    REQUIRE(record < ARRAY_LEN(encodings));
    if (record != 0 || form < 0xc0)
        return (enum rdb_encoding)encodings[record];
    return form == 0xc3 ? RDB_ENCODING_LZF : RDB_ENCODING_INT;
}
