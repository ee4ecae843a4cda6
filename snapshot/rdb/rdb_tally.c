/* SPDX-License-Identifier: Apache-2.0 */
/* rdb_tally.c: see rdb_tally.h. Arrays double when they are full; both have a ceiling. */
#include "snapshot/rdb/rdb_tally.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "base/mem.h"

/* ---- databases --------------------------------------------------------------------------------------------------- */

/* Where NUMBER stands, or would stand. */
static size_t
db_position(const struct rdb_info *info, uint64_t number)
{
    size_t low = 0;
    size_t high = info->db_count;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (info->dbs[mid].number < number)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

/* Room doubles: it is used up when there are no elements, or a power of two. */
static bool
is_full(size_t count)
{
    return (count & (count - 1)) == 0;
}

bool
rdb_tally_db(struct rdb_info *info, uint64_t number, uint64_t keys, uint64_t expires)
{
    size_t at = db_position(info, number);

    if (keys == 0)
        return true;
    if (at == info->db_count || info->dbs[at].number != number) {
        if (info->db_count == RDB_DATABASES_MAX)
            return false;
        if (is_full(info->db_count))
            info->dbs = mem_grow(info->dbs, info->db_count == 0 ? 1 : 2 * info->db_count, sizeof(*info->dbs));
        memmove(info->dbs + at + 1, info->dbs + at, (info->db_count - at) * sizeof(*info->dbs));
        info->dbs[at] = (struct rdb_db){.number = number};
        info->db_count++;
    }
    info->dbs[at].keys += keys;
    info->dbs[at].expires += expires;
    return true;
}

/* ---- modules ----------------------------------------------------------------------------------------------------- */

static void
decode_module_name(uint64_t id, char name[RDB_MODULE_NAME_MAX])
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    id >>= 10;
    for (int i = RDB_MODULE_NAME_MAX - 2; i >= 0; i--, id >>= 6)
        name[i] = letters[id & 63];
    name[RDB_MODULE_NAME_MAX - 1] = '\0';
}

void
rdb_tally_module(struct rdb_info *info, uint64_t id, bool is_value)
{
    char name[RDB_MODULE_NAME_MAX];
    size_t at = 0;

    decode_module_name(id, name);
    while (at < info->module_count && strcmp(info->modules[at].name, name) != 0)
        at++;
    if (at == RDB_MODULES_MAX)
        return;
    if (at == info->module_count) {
        if (is_full(at))
            info->modules = mem_grow(info->modules, at == 0 ? 1 : 2 * at, sizeof(*info->modules));
        info->modules[at] = (struct rdb_module){.encver = id & 1023};
        memcpy(info->modules[at].name, name, sizeof(name));
        info->module_count++;
    }
    info->modules[at].keys += is_value ? 1 : 0;
}

/* ---- auxiliary fields -------------------------------------------------------------------------------------------- */

/* It travels into JSON and onto terminals: nothing but printable ASCII. */
static void
keep_text(char *room, size_t size, const char *value, size_t len)
{
    size_t n = len < size ? len : size - 1;

    memcpy(room, value, n);
    for (size_t i = 0; i < n; i++) {
        if (room[i] < ' ' || room[i] > '~')
            room[i] = '?';
    }
    room[n] = '\0';
}

static void
keep_number(int64_t *room, const char *value, size_t len)
{
    char digits[24];
    char *end = NULL;
    long long n = 0;

    if (len == 0 || len >= sizeof(digits) || value[0] < '0' || value[0] > '9')
        return; /* none is ever negative */
    memcpy(digits, value, len);
    digits[len] = '\0';
    errno = 0;
    n = strtoll(digits, &end, 10);
    if (errno == 0 && end == digits + len)
        *room = n;
}

void
rdb_tally_aux(struct rdb_info *info, const char *name, size_t name_len, const char *value, size_t value_len)
{
    const struct {
        const char *name;
        char *text;
        size_t size;
        int64_t *number;
    } fields[] = {
        {"redis-ver", info->server_version, sizeof(info->server_version), NULL},
        {"valkey-ver", info->server_version, sizeof(info->server_version), NULL},
        {"repl-id", info->repl_id, sizeof(info->repl_id), NULL},
        {"ctime", NULL, 0, &info->ctime_s},
        {"used-mem", NULL, 0, &info->used_memory},
        {"repl-offset", NULL, 0, &info->repl_offset},
        {"repl-stream-db", NULL, 0, &info->repl_stream_db},
        {"aof-base", NULL, 0, &info->aof_base},
        {"aof-preamble", NULL, 0, &info->aof_base}, /* its name up to Redis 6.2 */
    };

    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        if (strlen(fields[i].name) != name_len || memcmp(fields[i].name, name, name_len) != 0)
            continue;
        if (fields[i].text != NULL)
            keep_text(fields[i].text, fields[i].size, value, value_len);
        else
            keep_number(fields[i].number, value, value_len);
    }
}
