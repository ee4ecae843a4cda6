/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rdb_parse.h: the machine that runs the programs of rdb_grammar.h over a dump, fed in any slicing. It checks structure
 * and counts; the CRC and the verdict are rdb_scan.c's.
 *
 * All that is ever read at once are atoms of at most RDB_ATOM_MAX bytes: a length, the head of a string, an LZF
 * instruction. The bytes of an atom that the end of a slice cuts off are carried over and read again when more have
 * come; a step changes nothing before its atom is whole. Payload of any size is a counter. So there is one place where
 * slicing matters, and no state in between steps but the program counter, the loops, and one of the two payload states.
 */
#ifndef SNAPSHOT_RDB_RDB_PARSE_H
#define SNAPSHOT_RDB_RDB_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "snapshot/rdb/lzf.h"
#include "snapshot/rdb/rdb_grammar.h"
#include "snapshot/rdb/rdb_info.h"
#include "snapshot/rdb/rdb_watch.h"

#define RDB_ATOM_MAX       19 /* the head of an LZF string: a byte and two lengths of nine */
#define RDB_TRAILER_LEN    8  /* the CRC behind the end mark... */
#define RDB_FIRST_WITH_CRC 5  /* ...from this version of Redis on */

enum rdb_verdict {
    RDB_FINE,    /* as far as it was fed */
    RDB_UNKNOWN, /* something this program does not know; the rest was not looked at */
    RDB_DAMAGED, /* what no version of the format allows */
};

struct rdb_loop {
    const struct rdb_step *first;
    uint64_t left; /* runs, with the one under way */
};

struct rdb_parse {
    struct rdb_info *info; /* not owned */
    enum rdb_verdict verdict;
    uint64_t at; /* where that showed, in bytes from the start of the dump */
    char why[128];

    const struct rdb_record *records; /* of this dump's dialect; NULL before the header */
    bool is_newer;                    /* a version this program does not know: nothing can be called damage */
    const struct rdb_step *step;
    const struct rdb_step *items; /* where RDB_OP_ITEM_END goes back to */
    struct rdb_loop loops[RDB_LOOPS_MAX];
    unsigned loop_count;

    uint64_t skip;    /* payload bytes still to come */
    size_t keep;      /* so many of them are kept... */
    uint8_t *keep_at; /* ...here */
    bool lzf_proven;  /* set after rdb_parse_init(): see rdb_scan.h */
    bool in_lzf;
    struct lzf lzf;

    bool about_key; /* something was said about the next key */
    bool expires;   /* it has a time to live */
    uint64_t db, db_keys, db_expires;
    uint64_t trailer; /* bytes behind the end mark */
    struct rdb_text texts[2];
    struct rdb_watch watch; /* its observer is set after rdb_parse_init() */

    uint64_t fed;         /* bytes before those of this call */
    const uint8_t *slice; /* what is being run over: those bytes, or an atom that was carried over */
    uint64_t slice_at;
    uint8_t carry[2 * RDB_ATOM_MAX];
    size_t carried; /* always less than RDB_ATOM_MAX */
};

/* Before the first byte. What is found goes to INFO, which has to live as long. */
void rdb_parse_init(struct rdb_parse *m, struct rdb_info *info);

/* The next bytes; look at m->verdict. Once that is not RDB_FINE, more bytes change nothing. */
void rdb_parse_feed(struct rdb_parse *m, const uint8_t *data, size_t len);

/* No more bytes: is the dump whole? Look at m->verdict. Counts are complete then. */
void rdb_parse_finish(struct rdb_parse *m);

#endif
