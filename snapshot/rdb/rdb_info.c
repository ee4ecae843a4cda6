/* SPDX-License-Identifier: Apache-2.0 */
/* rdb_info.c: see rdb_info.h. */
#include "snapshot/rdb/rdb_info.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

const char *
rdb_type_name(enum rdb_type type)
{
    static const char *const names[RDB_TYPE_COUNT] = {
        [RDB_STRING] = "string", [RDB_LIST] = "list",     [RDB_SET] = "set",       [RDB_ZSET] = "zset",
        [RDB_HASH] = "hash",     [RDB_STREAM] = "stream", [RDB_MODULE] = "module",
    };

    return names[type];
}

void
rdb_info_init(struct rdb_info *info)
{
    *info = (struct rdb_info){
        .ctime_s = -1, .used_memory = -1, .repl_offset = -1, .repl_stream_db = -1, .aof_base = -1, .parsed = true};
}

void
rdb_info_copy(struct rdb_info *to, const struct rdb_info *from)
{
    rdb_info_fini(to);
    *to = *from;
    to->dbs = mem_array(from->db_count, sizeof(*to->dbs));
    to->modules = mem_array(from->module_count, sizeof(*to->modules));
    if (from->db_count > 0)
        memcpy(to->dbs, from->dbs, from->db_count * sizeof(*to->dbs));
    if (from->module_count > 0)
        memcpy(to->modules, from->modules, from->module_count * sizeof(*to->modules));
}

void
rdb_info_fini(struct rdb_info *info)
{
    free(info->dbs);
    free(info->modules);
    info->dbs = NULL;
    info->db_count = 0;
    info->modules = NULL;
    info->module_count = 0;
}
