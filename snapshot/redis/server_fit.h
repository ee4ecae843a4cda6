/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server_fit.h: can a server read a dump? By its version, its number of databases and its modules, as far as they are
 * known; what is not known is said to be so, and never guessed. Pure: no I/O.
 */
#ifndef SNAPSHOT_REDIS_SERVER_FIT_H
#define SNAPSHOT_REDIS_SERVER_FIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "snapshot/rdb/rdb_info.h"
#include "snapshot/redis/server_facts.h"

/* A bit each: a number without a name may be either. */
enum server_kind { SERVER_REDIS = 1, SERVER_VALKEY = 2 };

struct server_version {
    unsigned kinds; /* of enum server_kind; 0: no version is known at all */
    unsigned major, minor, patch;
};

/*
 * "7.2.4", "v8.0", "redis-7.0", "valkey-8.1.1", image tags such as "valkey:8.1-alpine", and what `PROGRAM --version`
 * prints ("Redis server v=7.0.15 sha=..."). Two numbers at least, since the second decides. Without a name it is
 * whatever has such versions: below 7.2 that is Redis. ERR_USAGE for all else.
 */
int server_version_parse(const char *text, struct server_version *out, struct err *err) MUST_CHECK;

/* The same of what a server said of itself; "not known" where it said nothing that can be read. */
void server_version_from_facts(const struct server_facts *facts, struct server_version *out);

/* "Redis 7.0.15", "Valkey 8.1.1", "Redis or Valkey 8.0.0", "a server of unknown version". Returns OUT. */
#define SERVER_VERSION_TEXT 64
const char *server_version_describe(const struct server_version *v, char out[SERVER_VERSION_TEXT]);

/* What `appendonly yes` means to it: a folder of files (Redis 7.0 and later, any Valkey), or one file. The version must
 * be known. */
bool server_version_has_aof_folder(const struct server_version *v);

/* An answer to "can it?". */
enum server_fit { SERVER_FITS, SERVER_FITS_NOT, SERVER_FIT_UNKNOWN };

/* Does it read a dump with this magic and this RDB version? Unknown: the version is not, or it is newer than all that
 * are known here, or a bare number that stands for two servers of which one does. */
enum server_fit server_version_reads(const struct server_version *v, enum rdb_kind kind, unsigned rdb_version);

/* The server that is to read a dump. */
struct server_reader {
    struct server_version version;
    bool is_version_check_relaxed; /* Valkey's `rdb-version-check relaxed`: it tries what it refuses otherwise */
    uint64_t databases;            /* 0: not known */
    /* Names of modules, comma-separated: of loaded ones, or of files to be loaded. */
    const char *modules;
    bool are_modules_complete; /* there are no others; otherwise what is not listed may be there too */
};

/* What could not be judged, each a part of a sentence for a log. */
#define SERVER_DOUBTS_MAX 16
struct server_doubts {
    char items[SERVER_DOUBTS_MAX][240];
    size_t count; /* of those there was room for */
};

/* 0: nothing is known that stands against it; DOUBTS (emptied first) says what could not be judged. ERR_UNSUPPORTED:
 * the server would refuse the dump; the sentence names the cure. */
int server_fit_check(const struct rdb_info *dump, const struct server_reader *server, struct server_doubts *doubts,
                     struct err *err) MUST_CHECK;

#endif
