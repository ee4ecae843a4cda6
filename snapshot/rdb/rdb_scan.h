/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rdb_scan.h: a streaming check of an RDB dump. It is fed bytes in any slicing, does no I/O, copies nothing but short
 * auxiliary fields, and needs the same memory for a dump of any size.
 *
 * It proves the structure (every opcode, every value's own framing, LZF streams within their bounds), that the dump
 * ends where its end is, and the CRC64; and it counts. It does not look into packed encodings (ziplist, listpack,
 * intset): to it they are strings, which the CRC covers.
 *
 * Which bytes mean what: Redis 2.6 (RDB 6) to 8.6 (RDB 13), older versions down to 1, and Valkey 9 (VALKEY080); opcode
 * 243 and type 22 differ between the two, so everything is dispatched on the magic. Damage is ERR_CORRUPT with the
 * offset of the byte where it showed. A type or opcode it does not know is ERR_UNSUPPORTED, unless the CRC at the end
 * says that the dump is damaged: that is why such a dump is read to its end before it is refused. A version newer than
 * those is taken as long as there is nothing else in it than what is known; and what would be damage in a known version
 * is ERR_UNSUPPORTED in a newer one when the CRC is good.
 */
#ifndef SNAPSHOT_RDB_RDB_SCAN_H
#define SNAPSHOT_RDB_RDB_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "snapshot/rdb/rdb_info.h"
#include "snapshot/rdb/rdb_key.h"

struct rdb_scan;

struct rdb_scan_options {
    /* Take a dump with an unknown type or opcode when its CRC is there and good; rdb_info.parsed says false then. */
    bool allow_unparsed;
    /* The caller proves by digests that these are bytes that were scanned without this before: compressed strings are
     * passed over by their length and not followed, which is a third of the work in a dump that is full of them. */
    bool lzf_proven;
    /* Told of every complete key; without one, names and values are only passed over. */
    struct rdb_observer observer;
};

/* A scanner before the first byte. OPTIONS may be NULL. Never NULL. */
struct rdb_scan *rdb_scan_new(const struct rdb_scan_options *options);

/* The next LEN bytes. -1 with ERR_CORRUPT as soon as damage shows; every later call then fails the same way. */
int rdb_scan_feed(struct rdb_scan *s, const void *data, size_t len, struct err *err) MUST_CHECK;

/* There are no more bytes. 0: the dump is whole and good (info.crc_state says how well that is proven). -1 with
 * ERR_CORRUPT (cut short, wrong CRC) or ERR_UNSUPPORTED. */
int rdb_scan_finish(struct rdb_scan *s, struct err *err) MUST_CHECK;

/* What was found so far; complete after rdb_scan_finish() returned 0. Belongs to the scanner. */
const struct rdb_info *rdb_scan_info(const struct rdb_scan *s);

/* NULL is fine. */
void rdb_scan_free(struct rdb_scan *s);

#endif
