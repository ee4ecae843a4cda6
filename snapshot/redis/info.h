/* SPDX-License-Identifier: Apache-2.0 */
/*
 * info.h: what a server says of itself (INFO, ROLE, CONFIG GET) as plain data. Pure: no I/O. Nothing in it is trusted:
 * texts are cut to their room, numbers that are none count as absent.
 */
#ifndef SNAPSHOT_REDIS_INFO_H
#define SNAPSHOT_REDIS_INFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "snapshot/redis/resp.h"
#include "snapshot/redis/server_facts.h"

/* The value of FIELD in INFO's text (lines of "field:value"), cut to SIZE, into OUT. False, and OUT "", without one. */
bool info_text(const char *info, const char *field, char *out, size_t size);

/* The same as a number; false, and OUT untouched, where there is none. */
bool info_u64(const char *info, const char *field, uint64_t *out);

/* How many keys all databases hold together, by INFO's section Keyspace. False, and OUT untouched, where there is no
 * such section, or it is not understood: that is never "none". */
bool info_keys(const char *info, uint64_t *out);

/* What a server tells of its memory. 0: not told, unless it says otherwise; nothing is known where `used` is 0. */
struct server_memory {
    uint64_t used;         /* by the data and all buffers */
    uint64_t resident;     /* what the kernel gave it for that; `used` where it is not told */
    uint64_t max;          /* maxmemory; 0: none */
    uint64_t machine;      /* what its machine has, whatever its container may use */
    uint64_t copied;       /* by the last save, or the one that is running: pages that were written to meanwhile */
    uint64_t backlog_room; /* how much the replication backlog may yet grow */
    uint64_t process_id;   /* as the server's own container counts; with the next, to find the process */
    char program[16];      /* the name of its program, cut as the kernel cuts the name of a process; "" */
};

/* What matters for a save, at one moment. */
struct server_status {
    char run_id[48];
    int64_t server_ms; /* the server's own clock; -1 where INFO does not say (before 6.2) */

    bool loading;
    bool rdb_running; /* a save, or a full synchronization without a disk: INFO does not tell them apart */
    bool aof_running;
    bool module_fork;
    bool syncing; /* a replica that takes its master's data at this moment, and would replace its dump with them */

    bool last_save_ok;
    int64_t last_save_s; /* when the last good save ended, or the server started; by its clock; -1: not said */
    bool has_saves;
    uint64_t saves; /* saves begun since the server started; Redis 7.0 and later */

    uint64_t keys_done, keys_total; /* of the running save; 0 where not said */
    uint64_t cow_bytes;             /* copied by writes since the fork */
    struct server_memory memory;

    bool is_replica;
    bool link_up; /* a replica's link to its master; true on a master */
};

void server_status_parse(const char *info, struct server_status *out);

/* The part of it that is about memory, alone. */
void server_memory_parse(const char *info, struct server_memory *out);

/* Why a BGSAVE has to wait, in words that follow "waiting for", or NULL. */
const char *server_status_busy(const struct server_status *s);

/* kind, version, run_id, role, modules, and whether it is a cluster node; all else is left as it is. */
void server_facts_from_info(const char *info, struct server_facts *facts);

/* The role by the reply to ROLE; false, and nothing changed, when it is not one. "slave" becomes "replica". */
bool server_facts_from_role(const struct reply *role, struct server_facts *facts);

/* ERR_REFUSED when ALLOW_MASTER is false and the server is a master, or its role was not told. */
int server_facts_check_role(const struct server_facts *facts, bool allow_master, struct err *err) MUST_CHECK;

/* The name of setting number I that `struct server_config` has room for; NULL behind the last. */
const char *server_config_name(size_t i);

/* Take the setting NAME from a reply to CONFIG GET NAME. A server that has no such setting answers with nothing, and
 * so does this. */
void server_config_from_reply(const char *name, const struct reply *reply, struct server_config *config);

#endif
