/* SPDX-License-Identifier: Apache-2.0 */
/*
 * redis_conf.h: what a restore must know of a server's configuration, as Redis (7.0 to 8.x) and Valkey read their file.
 * Pure: fed bytes; what a line `include` names comes from the caller (redis_conf_load.h reads files).
 *
 * Lines are read in order and the last one wins; an included text stands where its line stood. Keywords are matched in
 * any case. A line that the server would not start on is an error here too, as far as it concerns what is taken: an
 * unbalanced quote anywhere, a wrong number of words, a value that is none. Other keywords are passed over.
 *
 * Command-line arguments are understood as well, since that is where charts keep settings: a line that begins with
 * `--` holds options with their values, and an option that ends its line takes its value from the next. They count
 * where they stand; a server reads its own after the file. (In its file a server refuses such lines.)
 */
#ifndef SNAPSHOT_REDIS_REDIS_CONF_H
#define SNAPSHOT_REDIS_REDIS_CONF_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "snapshot/redis/server_facts.h"

/* "" where the text does not say. All zeros: nothing was read yet. */
struct redis_conf {
    /* dir, dbfilename, appendonly, appenddirname, appendfilename, databases, maxmemory and cluster_enabled, in the form
     * of CONFIG GET: "yes" or "no", bytes. But dir: as it stands, a relative one joined to the one before. */
    struct server_config config;
    char aof_use_rdb_preamble[8];
    char cluster_databases[24]; /* Valkey 9.0 and later: `databases` of a cluster node */
    char rdb_version_check[16]; /* Valkey 8.1 and later: "strict" or "relaxed" */
    char preload_file[512];     /* Redis 8.10 and later: what is loaded at start instead of all in dir */
    char modules[512];          /* of loadmodule: file names without folders and .so, comma-separated */
    char appendonly_at[512];    /* where it was said, "FILE line N" */
};

/* Read what the line `include PATTERN` names, and feed it to the same struct. */
typedef int redis_conf_include_fn(const char *pattern, void *cookie, struct err *err);

/* Where a text comes from. */
struct redis_conf_source {
    const char *name; /* for messages: the file's path */
    redis_conf_include_fn *include;
    void *cookie;
};

/* Read LEN bytes into CONF, on top of what is there. ERR_USAGE names the line. */
int redis_conf_parse(struct redis_conf *conf, const struct redis_conf_source *source, const char *text, size_t len,
                     struct err *err) MUST_CHECK;

#endif
