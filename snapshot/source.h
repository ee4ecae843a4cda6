/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source.h: where the bytes of an RDB come from. A source is a pull reader: bgsave (snapshot/redis/source_bgsave.c),
 * psync (source_psync.c), file (source_file.c), and whatever comes later. Everything slow that has to happen first,
 * such as the save itself, happens when it is opened.
 *
 * Threads: one thread per source.
 */
#ifndef SNAPSHOT_SOURCE_H
#define SNAPSHOT_SOURCE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "snapshot/guard.h"
#include "snapshot/rdb/rdb_info.h"
#include "snapshot/redis/server_facts.h"

struct source;

struct source_ops {
    const char *name; /* the backup's method: "bgsave", "psync", "file" */
    /* Up to LEN bytes into BUF. *GOT is 0 at the end of the stream, and only there. Short reads are legal. Returns with
     * ERR_INTERRUPTED soon after a signal. */
    int (*read)(struct source *src, void *buf, size_t len, size_t *got, struct err *err);
    /* Called once, after the end of the stream, with what the scanner found: the source says whether that is what it
     * promised (the save that was asked for, the file unchanged while it was read). 0, or -1: the backup must not be
     * published. */
    int (*confirm)(struct source *src, const struct rdb_info *found, struct err *err);
    void (*free)(struct source *src);
};

/* The first member of every source's own struct; filled in when it was opened. */
struct source {
    const struct source_ops *ops;
    struct server_facts facts; /* what is known of the server; facts.known is false for a bare file */
    int64_t snapshot_ms; /* the moment the data stands for, by this machine's clock; 0: the scanner's ctime decides */
    int64_t snapshot_fallback_ms;   /* used when snapshot_ms is 0 and the dump has no ctime: the file's mtime; else 0 */
    uint64_t size;                  /* bytes that will come, 0 when not known */
    struct guard_findings findings; /* what the guards found before the save */
};

int source_read(struct source *src, void *buf, size_t len, size_t *got, struct err *err) MUST_CHECK;
int source_confirm(struct source *src, const struct rdb_info *found, struct err *err) MUST_CHECK;
void source_free(struct source *src); /* NULL is fine */

#endif
