/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rdb_grammar.h: what an RDB looks like, as data. Behind the header a dump is a row of records; the first byte of each
 * names it, and a short program of steps says what follows. rdb_parse.c runs the programs. A new type is one more line
 * in rdb_grammar.c.
 */
#ifndef SNAPSHOT_RDB_RDB_GRAMMAR_H
#define SNAPSHOT_RDB_RDB_GRAMMAR_H

#include <stdint.h>

#include "snapshot/rdb/rdb_info.h"
#include "snapshot/rdb/rdb_packing.h"

enum rdb_op {
    /* What is read. */
    RDB_OP_STRING,       /* a string in any of its encodings, skipped */
    RDB_OP_TEXT,         /* a string, kept as text number ARG */
    RDB_OP_NAME,         /* a string: the name of a key */
    RDB_OP_VALUE,        /* a string: a key's value or a part of it, which holds ARG (enum rdb_packing) */
    RDB_OP_LENGTH,       /* a length, skipped; ARG 1: the number of the value's elements */
    RDB_OP_RAW,          /* ARG bytes, skipped */
    RDB_OP_EXPIRY,       /* ARG bytes: when the next key expires, in milliseconds (8) or seconds (4) */
    RDB_OP_DOUBLE,       /* a number as text: a length byte, which for nan and the infinities has nothing behind it */
    RDB_OP_DATABASE,     /* a length: the database that the following keys belong to */
    RDB_OP_QUICK_NODE,   /* a length: what the list node behind it is, 1 plain or 2 packed */
    RDB_OP_MODULE_ID,    /* a length: name and version of a module's type; ARG is 1 where a key's value follows */
    RDB_OP_MODULE_UINT,  /* a length that has to announce an unsigned number */
    RDB_OP_MODULE_ITEMS, /* items until an end mark: each a length that says what follows */
    /* Loops. */
    RDB_OP_COUNT,    /* a length: so often the steps up to the matching RDB_OP_AGAIN; ARG as for RDB_OP_LENGTH */
    RDB_OP_COUNT_01, /* the same, but 0 or 1 */
    RDB_OP_AGAIN,
    /* What is done at the end of a record. */
    RDB_OP_END,        /* nothing: on to the next */
    RDB_OP_KEY_END,    /* a key of type ARG was complete */
    RDB_OP_EXPIRY_END, /* the next key has a time to live */
    RDB_OP_TRAIT_END,  /* something else was said about the next key */
    RDB_OP_AUX_END,    /* an auxiliary field was complete: texts 0 and 1 */
    RDB_OP_FUNCTION_END,
    RDB_OP_ITEM_END, /* a module's item was complete: back to RDB_OP_MODULE_ITEMS */
    /* The frame around the records, see rdb_parse.c. */
    RDB_OP_HEADER,
    RDB_OP_RECORD,
    RDB_OP_CHECKSUM,
};

struct rdb_step {
    uint8_t op; /* enum rdb_op */
    uint8_t arg;
};

enum rdb_place {
    RDB_PLACE_RECORD, /* not between what is said about a key and the key */
    RDB_PLACE_KEY,    /* a key, or what is said about the next one */
    RDB_PLACE_ANY,
};

struct rdb_record {
    const struct rdb_step *steps; /* NULL: not known */
    enum rdb_place place;
    unsigned since; /* the first RDB version in which the byte means this */
};

/* How deep loops may stand in each other in any program. */
#define RDB_LOOPS_MAX 4

/* The records of a dialect: 256, by their first byte. */
const struct rdb_record *rdb_grammar_records(enum rdb_kind kind);

/* What an item of a module's value consists of, by the number that announces it; NULL for an unknown one. Number 0 ends
 * the items and is not here. */
const struct rdb_step *rdb_grammar_module_item(uint64_t number);

#endif
