/* SPDX-License-Identifier: Apache-2.0 */
/*
 * top_keys.h: the N largest of any number of keys, by a measure that the caller gives. Memory is N names of at most
 * RDB_KEY_NAME_MAX bytes, whatever comes.
 *
 * Keys of the same measure are ordered by name, then by database: which keys are told does not depend on the order in
 * which they came.
 */
#ifndef SNAPSHOT_INSPECT_TOP_KEYS_H
#define SNAPSHOT_INSPECT_TOP_KEYS_H

#include <stddef.h>
#include <stdint.h>

#include "snapshot/rdb/rdb_key.h"

struct top_key {
    uint64_t measure;
    struct rdb_key key; /* its name is this entry's own */
};

struct top_keys;

/* Room for N keys. Never NULL. */
struct top_keys *top_keys_new(size_t n);
void top_keys_free(struct top_keys *t); /* NULL is fine */

/* Count KEY in, whose measure is MEASURE. Not after top_keys_sort(). */
void top_keys_add(struct top_keys *t, const struct rdb_key *key, uint64_t measure);

/* The keys, the largest first; *COUNT is at most N. Belongs to T. */
const struct top_key *top_keys_sort(struct top_keys *t, size_t *count);

#endif
