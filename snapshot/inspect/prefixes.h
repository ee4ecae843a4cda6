/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prefixes.h: keys, bytes and expiries by the prefix of their names, in a table of fixed size.
 *
 * The prefix of a name is its first DEPTH parts with the separator behind each, but never its last part: at depth 1
 * "user:7:name" and "user:7" have "user:", at depth 2 "user:7:" and "user:". A name without a separator has "".
 *
 * When the table is full, the smaller half of the prefixes makes room: its figures go to `others`, and a prefix among
 * it that comes again starts from zero. From then on figures are lower bounds. How far off they may be is bounded and
 * known: each prefix has a credit, which grows by the bytes of its keys; making room takes the median of all credits
 * off each, and throws out those that have none left (the scheme of Misra and Gries). What a prefix can have lost, all
 * in all, is the sum of what was taken: `bytes_missed`, at most twice the bytes of all keys by the number of prefixes
 * that there is room for. The result depends on the dump alone.
 */
#ifndef SNAPSHOT_INSPECT_PREFIXES_H
#define SNAPSHOT_INSPECT_PREFIXES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "snapshot/inspect/inspect_sum.h"

struct prefix_options {
    char separator;
    unsigned depth;      /* at least 1 */
    size_t prefixes_max; /* that are told apart; 0: PREFIXES_MAX */
    size_t names_max;    /* bytes of their names together, at least RDB_KEY_NAME_MAX; 0: PREFIXES_NAMES_MAX */
};

#define PREFIXES_MAX       ((size_t)32768)
#define PREFIXES_NAMES_MAX ((size_t)2 << 20)
/* What a table of that size takes. */
#define PREFIXES_MEMORY ((size_t)4 << 20)

struct prefix {
    uint64_t credit; /* see above */
    uint32_t name;   /* where it starts in the table's names */
    uint32_t len;
    struct inspect_sum sum;
};

struct prefixes;

/* Never NULL. */
struct prefixes *prefixes_new(const struct prefix_options *options);
void prefixes_free(struct prefixes *t); /* NULL is fine */

/* How much of NAME is its prefix. */
size_t prefixes_cut(const struct prefix_options *options, const uint8_t *name, size_t len);

/* Count KEY in. Of a name of which only the beginning is known, the separators in that count. Not after
 * prefixes_sort(). */
void prefixes_add(struct prefixes *t, const struct rdb_key *key);

/* The prefixes, the one with the most bytes first (then by name); *COUNT of them. Belongs to T. */
const struct prefix *prefixes_sort(struct prefixes *t, size_t *count);
const uint8_t *prefixes_name(const struct prefixes *t, const struct prefix *p);

/* Keys whose prefix had to make room. */
const struct inspect_sum *prefixes_others(const struct prefixes *t);
/* No prefix has more bytes than its figure and this. 0: all figures are exact. */
uint64_t prefixes_bytes_missed(const struct prefixes *t);

#endif
