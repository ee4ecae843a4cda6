/* SPDX-License-Identifier: Apache-2.0 */
/* rdb_tally.h: what the parser found, put into a struct rdb_info: databases, modules, auxiliary fields. */
#ifndef SNAPSHOT_RDB_RDB_TALLY_H
#define SNAPSHOT_RDB_RDB_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "snapshot/rdb/rdb_info.h"

#define RDB_DATABASES_MAX 65536 /* with keys in them */
#define RDB_MODULES_MAX   64    /* more are left out */

/* KEYS more keys in database NUMBER, EXPIRES of them with a time to live. False, and nothing is counted, when that
 * would be one database too many. Without keys nothing happens. */
bool rdb_tally_db(struct rdb_info *info, uint64_t number, uint64_t keys, uint64_t expires);

/* A record of the module type ID (nine characters of six bits, ten bits of version); IS_VALUE: it is a key's value. */
void rdb_tally_module(struct rdb_info *info, uint64_t id, bool is_value);

/* An auxiliary field. Those that struct rdb_info has no place for are ignored, and so is a number that is none. */
void rdb_tally_aux(struct rdb_info *info, const char *name, size_t name_len, const char *value, size_t value_len);

#endif
