/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inspect.h: what a dump holds, from what the parser tells of each key: sums by database, type and encoding, when keys
 * expire, how large they are, the largest of them, and their prefixes. Pure, in at most INSPECT_MEMORY bytes, whatever
 * the dump.
 *
 * What is told by it is true only once the dump was found good.
 */
#ifndef SNAPSHOT_INSPECT_INSPECT_H
#define SNAPSHOT_INSPECT_INSPECT_H

#include <stddef.h>
#include <stdint.h>

#include "snapshot/inspect/inspect_sum.h"
#include "snapshot/inspect/prefixes.h"
#include "snapshot/inspect/top_keys.h"
#include "snapshot/rdb/rdb_key.h"

#define INSPECT_TOP_MAX       1000
#define INSPECT_DATABASES_MAX 256 /* told apart; the keys of others are summed up together */
#define INSPECT_SIZES         16  /* steps of the histogram of sizes */
/* Prefixes, twice INSPECT_TOP_MAX names, databases; and some air. */
#define INSPECT_MEMORY ((size_t)7 << 20)

struct inspect_options {
    int64_t now_ms; /* which expiries are counted from */
    size_t top;     /* at most INSPECT_TOP_MAX */
    struct prefix_options prefixes;
};

/* When keys expire. */
enum inspect_expiry {
    INSPECT_NEVER,
    INSPECT_PAST, /* has run out by now: a server that loads it leaves it out or removes it */
    INSPECT_HOUR, /* within an hour... */
    INSPECT_DAY,
    INSPECT_WEEK,
    INSPECT_MONTH, /* of 30 days */
    INSPECT_LATER,
    INSPECT_EXPIRY_COUNT
};

/* "never", "past", "hour"... */
const char *inspect_expiry_name(enum inspect_expiry expiry);

struct inspect_db {
    uint64_t number;
    struct inspect_sum all;
    struct inspect_sum sums[RDB_TYPE_COUNT][RDB_ENCODING_COUNT];
};

struct inspect {
    int64_t now_ms;
    struct inspect_sum all;
    struct inspect_db *dbs; /* ascending by number after inspect_finish() */
    size_t db_count;
    struct inspect_db other_dbs; /* all beyond INSPECT_DATABASES_MAX */
    struct inspect_sum expiry[INSPECT_EXPIRY_COUNT];
    struct inspect_sum sizes[INSPECT_SIZES]; /* each: from the limit of the one before it to below its own */
    struct top_keys *by_bytes, *by_elements;
    struct prefixes *prefixes;
};

/* Nothing seen yet. Never NULL. */
struct inspect *inspect_new(const struct inspect_options *options);
void inspect_free(struct inspect *x); /* NULL is fine */

/* Where a scanner tells its keys to; valid until inspect_free(). */
struct rdb_observer inspect_observer(struct inspect *x);

/* No more keys. */
void inspect_finish(struct inspect *x);

/* All databases together into ALL. */
void inspect_sum_all(const struct inspect *x, struct inspect_db *all);

/* Keys in step I of the sizes take less than that many bytes; UINT64_MAX for the last. */
uint64_t inspect_size_limit(size_t i);

#endif
