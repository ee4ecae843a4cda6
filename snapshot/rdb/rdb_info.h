/* SPDX-License-Identifier: Apache-2.0 */
/* rdb_info.h: what the scanner found in an RDB: plain data that travels into the manifest. */
#ifndef SNAPSHOT_RDB_RDB_INFO_H
#define SNAPSHOT_RDB_RDB_INFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum rdb_kind { RDB_REDIS, RDB_VALKEY }; /* by the magic: REDISnnnn or VALKEYnnn */

/* The newest versions that are known here. */
#define RDB_NEWEST_REDIS  13
#define RDB_NEWEST_VALKEY 80

enum rdb_crc_state {
    RDB_CRC_NONE,     /* versions before 5 have none */
    RDB_CRC_DISABLED, /* the field is zero: written with `rdbchecksum no` */
    RDB_CRC_GOOD,
};

/* Logical types, whatever the encoding. */
enum rdb_type { RDB_STRING, RDB_LIST, RDB_SET, RDB_ZSET, RDB_HASH, RDB_STREAM, RDB_MODULE, RDB_TYPE_COUNT };

/* "string", "list"... */
const char *rdb_type_name(enum rdb_type type);

struct rdb_db {
    uint64_t number;
    uint64_t keys;
    uint64_t expires; /* keys with a time to live */
};

#define RDB_MODULE_NAME_MAX 10 /* nine characters and the NUL */
struct rdb_module {
    char name[RDB_MODULE_NAME_MAX];
    uint64_t encver; /* of the first value seen */
    uint64_t keys;   /* values of its types; auxiliary records do not count */
};

struct rdb_info {
    enum rdb_kind kind;
    unsigned version;
    bool parsed; /* false: an unknown type or opcode was met and the rest was taken on the CRC alone (only where that
                    was allowed); counts are then partial */
    char unparsed_why[160];

    uint64_t bytes; /* of the whole dump, CRC included */
    enum rdb_crc_state crc_state;
    uint64_t crc_computed; /* of all but the last 8 bytes (with RDB_CRC_NONE: of all) */
    uint64_t crc_stored;   /* those 8 bytes, little-endian; 0 where there is none */

    uint64_t keys, expires;         /* over all databases */
    uint64_t types[RDB_TYPE_COUNT]; /* keys by type */
    uint64_t functions;             /* function libraries */
    struct rdb_db *dbs;             /* databases with keys, ascending by number */
    size_t db_count;
    struct rdb_module *modules; /* in the order first seen */
    size_t module_count;

    /* Auxiliary fields; "" or -1 where the dump has none. Text is cut to the room here. */
    char server_version[32]; /* redis-ver or valkey-ver */
    char repl_id[48];
    int64_t ctime_s;     /* seconds since 1970: when the save began, by the server's clock */
    int64_t used_memory; /* bytes */
    int64_t repl_offset;
    int64_t repl_stream_db;
    int64_t aof_base; /* 1: base of an append-only file */
};

/* Empty: -1 and "" as said above. */
void rdb_info_init(struct rdb_info *info);
/* TO, which is empty, becomes a copy of FROM with arrays of its own. */
void rdb_info_copy(struct rdb_info *to, const struct rdb_info *from);
/* Free the arrays. */
void rdb_info_fini(struct rdb_info *info);

#endif
