/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rdb_watch.h: what is known so far of the key that the parser is at, for its observer. The parser calls these as it
 * passes; without an observer it only keeps the number of elements, which costs nothing.
 *
 * Invariant: a call may come again for the same bytes, since a step whose atom is cut off is run again; nothing counts
 * twice then.
 */
#ifndef SNAPSHOT_RDB_RDB_WATCH_H
#define SNAPSHOT_RDB_RDB_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "snapshot/rdb/rdb_key.h"

/* The first bytes of a string, unpacked where it is compressed. */
struct rdb_text {
    uint64_t full; /* its length */
    size_t len;    /* of what is here */
    size_t room;   /* at most so much is kept */
    uint8_t bytes[RDB_KEY_NAME_MAX];
};

struct rdb_watch {
    struct rdb_observer observer;
    struct rdb_key key; /* under way: database, type, name and bytes come last */
    uint64_t start;     /* of the first byte about it */
    struct rdb_text name;
    struct rdb_text head;     /* of the packed value last seen... */
    enum rdb_packing packing; /* ...which is this, and not counted yet; RDB_PACKING_NONE: there is none */
    bool node_is_plain;       /* the list node that comes next is one element */
    uint8_t form;             /* the first byte of that value */
};

void rdb_watch_init(struct rdb_watch *w);

/* A record BYTE about a key starts AT; IS_FIRST: nothing was said about the key before. */
static inline void
rdb_watch_record(struct rdb_watch *w, uint8_t byte, uint64_t at, bool is_first)
{
    w->key.record = byte;
    if (is_first)
        w->start = at;
}

/* The name follows: what was known of another key is forgotten. */
void rdb_watch_name(struct rdb_watch *w);

/* The value, or a part of it, follows, a string that holds PACKING. Returns that, a list node resolved: for what is
 * more than RDB_PACKING_ELEMENT, w->head is about to be overwritten. */
enum rdb_packing rdb_watch_value(struct rdb_watch *w, enum rdb_packing packing);
/* That has begun: it holds PACKING, and FORM is its first byte. */
void rdb_watch_value_begun(struct rdb_watch *w, enum rdb_packing packing, uint8_t form);

/* The value says itself that it has N elements. */
static inline void
rdb_watch_elements(struct rdb_watch *w, uint64_t n)
{
    w->key.elements = n <= INT64_MAX ? (int64_t)n : RDB_ELEMENTS_UNKNOWN;
}

/* The key is complete, before the byte END: tell the observer. The expiry holds for this key only. */
void rdb_watch_tell(struct rdb_watch *w, uint64_t database, enum rdb_type type, bool expires, uint64_t end);

#endif
