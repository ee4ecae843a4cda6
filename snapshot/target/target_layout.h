/* SPDX-License-Identifier: Apache-2.0 */
/*
 * target_layout.h: the form in which a server reads its data at start: which one, and under which names. A server with
 * `appendonly yes` never reads a dump, and one with `appendonly no` never reads append-only files: the wrong form is an
 * empty server, without a word from it.
 */
#ifndef SNAPSHOT_TARGET_TARGET_LAYOUT_H
#define SNAPSHOT_TARGET_TARGET_LAYOUT_H

#include <limits.h>

enum target_layout {
    TARGET_LAYOUT_UNKNOWN,    /* it has to be asked for */
    TARGET_LAYOUT_RDB,        /* appendonly no: one file, dbfilename */
    TARGET_LAYOUT_AOF,        /* appendonly yes, Redis 7.0 and later, any Valkey: the folder appenddirname */
    TARGET_LAYOUT_SINGLE_AOF, /* appendonly yes, Redis up to 6.2: one file, appendfilename */
};

/* "rdb", "aof", "single-aof", "unknown". */
const char *target_layout_name(enum target_layout layout);
/* The reverse; TARGET_LAYOUT_UNKNOWN for anything else. */
enum target_layout target_layout_from_name(const char *name);

/* Names in the target, as the server's configuration has them. Each a bare name. */
struct target_names {
    char dbfilename[NAME_MAX + 1];
    char appenddirname[NAME_MAX + 1];
    char appendfilename[NAME_MAX + 1];
};

/* What a server uses that was told nothing: dump.rdb, appendonlydir, appendonly.aof. */
extern const struct target_names target_names_default;

/* The one entry that makes the data appear under LAYOUT, which must be known. Belongs to NAMES. */
const char *target_layout_entry(enum target_layout layout, const struct target_names *names);

#endif
