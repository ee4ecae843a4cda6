/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rdb_grammar.c: see rdb_grammar.h. Everything here was checked against dumps of real servers or against the source of
 * the version that writes it; what is known from hearsay only (types 27 to 33, opcode 242, Redis's own 22 and 23, the
 * opcodes of Redis Enterprise) is left out on purpose: such a dump is taken on its CRC or not at all.
 */
#include "snapshot/rdb/rdb_grammar.h"

#include <stddef.h>

#include "base/compiler.h"

/* ---- the words programs are written in --------------------------------------------------------------------------- */
/* clang-format off */
#define STRING      {RDB_OP_STRING, 0}
#define TEXT(n)     {RDB_OP_TEXT, n}
#define NAME        {RDB_OP_NAME, 0}
#define VALUE(packing) {RDB_OP_VALUE, RDB_PACKING_##packing}
#define LENGTH      {RDB_OP_LENGTH, 0}
#define LENGTH_OF_VALUE {RDB_OP_LENGTH, 1}
#define RAW(n)      {RDB_OP_RAW, n}
#define EXPIRY(n)   {RDB_OP_EXPIRY, n}
#define DOUBLE      {RDB_OP_DOUBLE, 0}
#define DATABASE    {RDB_OP_DATABASE, 0}
#define QUICK_NODE  {RDB_OP_QUICK_NODE, 0}
#define MODULE_ID(value) {RDB_OP_MODULE_ID, value}
#define MODULE_UINT {RDB_OP_MODULE_UINT, 0}
#define MODULE_ITEMS {RDB_OP_MODULE_ITEMS, 0}
#define COUNT       {RDB_OP_COUNT, 0}
#define ELEMENTS    {RDB_OP_COUNT, 1}
#define COUNT_01    {RDB_OP_COUNT_01, 0}
#define AGAIN       {RDB_OP_AGAIN, 0}
#define END         {RDB_OP_END, 0}
#define EXPIRY_END  {RDB_OP_EXPIRY_END, 0}
#define TRAIT_END   {RDB_OP_TRAIT_END, 0}
#define AUX_END     {RDB_OP_AUX_END, 0}
#define FUNCTION_END {RDB_OP_FUNCTION_END, 0}
#define ITEM_END    {RDB_OP_ITEM_END, 0}
#define CHECKSUM    {RDB_OP_CHECKSUM, 0}

#define PROGRAM(...) (const struct rdb_step[]){__VA_ARGS__}
/* The record of a key: its name, its value. */
#define KEY(type, ...)   {PROGRAM(NAME, __VA_ARGS__, {RDB_OP_KEY_END, type}), RDB_PLACE_KEY, 1}
/* What is said about the next key. */
#define ABOUT_KEY(...)   {PROGRAM(__VA_ARGS__), RDB_PLACE_KEY, 1}
#define RECORD(...)      {PROGRAM(__VA_ARGS__), RDB_PLACE_RECORD, 1}
#define ANYWHERE(...)    {PROGRAM(__VA_ARGS__), RDB_PLACE_ANY, 1}

/* ---- streams ------------------------------------------------------------------------------------------------------ */

#define STREAM_ID    LENGTH, LENGTH                        /* milliseconds, sequence */
#define STREAM_NODES COUNT, STRING, STRING, AGAIN, LENGTH_OF_VALUE, STREAM_ID
#define STREAM_MORE  STREAM_ID, STREAM_ID, LENGTH          /* first id, greatest deleted id, entries added */
#define PENDING      COUNT, RAW(16 + 8), LENGTH, AGAIN     /* id and delivery time, delivery count */
/* Name, times, ids. */
#define CONSUMERS(times) COUNT, STRING, RAW(8 * (times)), COUNT, RAW(16), AGAIN, AGAIN
#define GROUPS_1     COUNT, STRING, STREAM_ID, PENDING, CONSUMERS(1), AGAIN
#define GROUPS_2     COUNT, STRING, STREAM_ID, LENGTH, PENDING, CONSUMERS(1), AGAIN
#define GROUPS_3     COUNT, STRING, STREAM_ID, LENGTH, PENDING, CONSUMERS(2), AGAIN
/* Duration and size of the window for repeated adds; per producer its name and the ids it used; two totals. */
#define PRODUCERS    LENGTH, LENGTH, COUNT, STRING, COUNT, STRING, STREAM_ID, AGAIN, AGAIN, LENGTH, LENGTH

/* ---- records that Redis and Valkey share -------------------------------------------------------------------------- */

#define SHARED_RECORDS                                                                                                 \
    [0] = KEY(RDB_STRING, VALUE(NONE)),                                                                                \
    [1] = KEY(RDB_LIST, ELEMENTS, STRING, AGAIN),                                                                      \
    [2] = KEY(RDB_SET, ELEMENTS, STRING, AGAIN),                                                                       \
    [3] = KEY(RDB_ZSET, ELEMENTS, STRING, DOUBLE, AGAIN),                                                              \
    [4] = KEY(RDB_HASH, ELEMENTS, STRING, STRING, AGAIN),                                                              \
    [5] = KEY(RDB_ZSET, ELEMENTS, STRING, RAW(8), AGAIN),                                                              \
    [7] = KEY(RDB_MODULE, MODULE_ID(1), MODULE_ITEMS),                                                                 \
    [9] = KEY(RDB_HASH, VALUE(ZIPMAP)),                                                                                \
    [10] = KEY(RDB_LIST, VALUE(ZIPLIST)),                                                                              \
    [11] = KEY(RDB_SET, VALUE(INTSET)),                                                                                \
    [12] = KEY(RDB_ZSET, VALUE(ZIPLIST_PAIRS)),                                                                        \
    [13] = KEY(RDB_HASH, VALUE(ZIPLIST_PAIRS)),                                                                        \
    [14] = KEY(RDB_LIST, COUNT, VALUE(ZIPLIST), AGAIN),       /* quicklist */                                          \
    [15] = KEY(RDB_STREAM, STREAM_NODES, GROUPS_1),                                                                    \
    [16] = KEY(RDB_HASH, VALUE(LISTPACK_PAIRS)),                                                                       \
    [17] = KEY(RDB_ZSET, VALUE(LISTPACK_PAIRS)),                                                                       \
    [18] = KEY(RDB_LIST, COUNT, QUICK_NODE, VALUE(NODE), AGAIN), /* quicklist */                                       \
    [19] = KEY(RDB_STREAM, STREAM_NODES, STREAM_MORE, GROUPS_2),                                                       \
    [20] = KEY(RDB_SET, VALUE(LISTPACK)),                                                                              \
    [21] = KEY(RDB_STREAM, STREAM_NODES, STREAM_MORE, GROUPS_3),                                                       \
    [244] = RECORD(LENGTH, LENGTH, LENGTH, END),              /* slot, its keys and expiring keys */                   \
    [245] = RECORD(STRING, FUNCTION_END),                                                                              \
    [246] = RECORD(STRING, STRING, COUNT_01, STRING, AGAIN, STRING, FUNCTION_END), /* the form of 7.0's candidates */  \
    [247] = RECORD(MODULE_ID(0), MODULE_UINT, LENGTH, MODULE_ITEMS, END),                                              \
    [248] = ABOUT_KEY(LENGTH, TRAIT_END),                     /* idle seconds */                                       \
    [249] = ABOUT_KEY(RAW(1), TRAIT_END),                     /* access frequency */                                   \
    [250] = ANYWHERE(TEXT(0), TEXT(1), AUX_END),                                                                       \
    [251] = RECORD(LENGTH, LENGTH, END),                      /* keys and expiring keys of the database */             \
    [252] = ABOUT_KEY(EXPIRY(8), EXPIRY_END),                                                                          \
    [253] = ABOUT_KEY(EXPIRY(4), EXPIRY_END),                                                                          \
    [254] = RECORD(DATABASE, END),                                                                                     \
    [255] = RECORD(CHECKSUM)

/* ---- and those that they do not ----------------------------------------------------------------------------------- */

static const struct rdb_record redis_records[256] = {
    SHARED_RECORDS,
    /* A hash whose fields expire: the earliest time, then each time (relative to it) in front of its field. */
    [24] = KEY(RDB_HASH, RAW(8), ELEMENTS, LENGTH, STRING, STRING, AGAIN),
    [25] = KEY(RDB_HASH, RAW(8), VALUE(LISTPACK_TRIPLES)),
    [26] = KEY(RDB_STREAM, STREAM_NODES, STREAM_MORE, GROUPS_3, PRODUCERS),
    /* Metadata of modules about the next key: each four bytes that name a class, and its value. */
    [243] = {PROGRAM(COUNT, RAW(4), MODULE_ITEMS, AGAIN, TRAIT_END), RDB_PLACE_KEY, 12},
};

static const struct rdb_record valkey_records[256] = {
    SHARED_RECORDS,
    /* A hash whose fields expire: the time behind each value. */
    [22] = KEY(RDB_HASH, ELEMENTS, STRING, STRING, RAW(8), AGAIN),
    /* An import of slots that was under way: its name, ranges of slots. */
    [243] = RECORD(STRING, COUNT, LENGTH, LENGTH, AGAIN, END),
};

static const struct rdb_step *const module_items[] = {
    [1] = PROGRAM(LENGTH, ITEM_END), /* signed */
    [2] = PROGRAM(LENGTH, ITEM_END), /* unsigned */
    [3] = PROGRAM(RAW(4), ITEM_END), /* float */
    [4] = PROGRAM(RAW(8), ITEM_END), /* double */
    [5] = PROGRAM(STRING, ITEM_END),
};
/* clang-format on */

const struct rdb_record *
rdb_grammar_records(enum rdb_kind kind)
{
    return kind == RDB_VALKEY ? valkey_records : redis_records;
}

const struct rdb_step *
rdb_grammar_module_item(uint64_t number)
{
    return number < ARRAY_LEN(module_items) ? module_items[number] : NULL;
}
