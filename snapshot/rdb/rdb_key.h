/* SPDX-License-Identifier: Apache-2.0 */
/* rdb_key.h: what the parser can tell of a key, and whom it tells. */
#ifndef SNAPSHOT_RDB_RDB_KEY_H
#define SNAPSHOT_RDB_RDB_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "snapshot/rdb/rdb_info.h"
#include "snapshot/rdb/rdb_packing.h"

#define RDB_KEY_NAME_MAX 1024 /* bytes of a name that are told */

/* How a value lies in the dump, in the words of OBJECT ENCODING; of a string: in which form it was written. */
enum rdb_encoding {
    RDB_ENCODING_RAW,
    RDB_ENCODING_INT,
    RDB_ENCODING_LZF,
    RDB_ENCODING_LINKEDLIST,
    RDB_ENCODING_QUICKLIST,
    RDB_ENCODING_ZIPMAP,
    RDB_ENCODING_ZIPLIST,
    RDB_ENCODING_LISTPACK,
    RDB_ENCODING_LISTPACKEX, /* a packed hash whose fields expire */
    RDB_ENCODING_INTSET,
    RDB_ENCODING_HASHTABLE,
    RDB_ENCODING_SKIPLIST,
    RDB_ENCODING_STREAM,
    RDB_ENCODING_MODULE,
    RDB_ENCODING_COUNT
};

/* "raw", "listpack"... */
const char *rdb_encoding_name(enum rdb_encoding encoding);

/* That of the value type RECORD, the byte in front of a key; FORM is the first byte of a string's value. */
enum rdb_encoding rdb_encoding_of(uint8_t record, uint8_t form);

/* A complete key. Names are as the dump has them, compressed ones unpacked. */
struct rdb_key {
    uint64_t database;
    enum rdb_type type;
    uint8_t record; /* the byte in front of it: its type and encoding in the dump's own terms */
    enum rdb_encoding encoding;
    const uint8_t *name;
    size_t name_len;        /* of what is here: at most RDB_KEY_NAME_MAX */
    uint64_t name_full_len; /* of the name */
    uint64_t bytes;         /* in the dump, from the first byte that speaks of it (expiry and traits too) to the last */
    int64_t elements;       /* RDB_ELEMENTS_UNKNOWN where the encoding does not tell it cheaply; so for strings */
    bool expires;
    int64_t expires_ms; /* since 1970; -1: it does not expire */
};

/* Told of each key once it is complete, in the order of the dump. KEY and its name are gone after the call. Whether the
 * dump is good is known only at its end. */
typedef void rdb_key_fn(const struct rdb_key *key, void *cookie);

struct rdb_observer {
    rdb_key_fn *fn; /* NULL: nobody, and names are not even looked at */
    void *cookie;
};

#endif
