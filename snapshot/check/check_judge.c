/* SPDX-License-Identifier: Apache-2.0 */
/* check_judge.c: see check_judge.h. */
#include "snapshot/check/check_judge.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "snapshot/rdb/rdb_info.h"
#include "snapshot/redis/info.h"

/* ---- what it is -------------------------------------------------------------------------------------------------- */

/* The first two numbers of "8.6.3" as 8006; 0 for anything else. */
static unsigned long
version_number(const char *text)
{
    char *end;
    unsigned long major = strtoul(text, &end, 10);

    if (end == text || *end != '.' || major > 999)
        return 0;
    return major * 1000 + strtoul(end + 1, NULL, 10) % 1000;
}

/* By the versions of their dumps: Redis 8.8 writes version 14, which is not known here. */
static void
judge_version(struct check *c, const struct server_facts *facts)
{
    bool is_valkey = strcmp(facts->kind, "valkey") == 0;
    unsigned long version = version_number(facts->version);
    unsigned long oldest = is_valkey ? 7002 : 6002, newest = is_valkey ? 9001 : 8006;

    if (version == 0)
        check_warn(c, "version", "look whether this is a Redis or Valkey at all: backups are proven with these only",
                   "the server does not tell its version");
    else if (version < oldest)
        check_warn(c, "version", "upgrade the server, or try a backup and `remora verify` it",
                   "%s %s is older than what remora is made for (Redis 6.2, Valkey 7.2)", facts->kind, facts->version);
    else if (version > newest)
        check_warn(c, "version",
                   "use a newer remora; until there is one, try a backup: a dump that is not understood is refused, or "
                   "taken on its checksum alone with --allow-unparsed",
                   "%s %s is newer than this remora, which may not know all of its dump", facts->kind, facts->version);
    else
        check_ok(c, "version", "%s %s", facts->kind, facts->version);
}

static void
judge_role(struct check *c, const char *info, const struct server_status *s)
{
    uint64_t seconds = 0;

    if (!s->is_replica)
        check_ok(c, "role", "master; where there is a replica, a backup from it spares the master the fork");
    else if (s->syncing)
        check_warn(c, "role", "wait for the end of its full synchronization",
                   "replica that takes its master's data just now");
    else if (!s->link_up)
        check_warn(c, "role", "look at the replica's log; or back up its master",
                   "replica that has lost its master: its data grow older");
    else if (info_u64(info, "master_last_io_seconds_ago", &seconds))
        check_ok(c, "role", "replica, its master last heard %" PRIu64 " s ago", seconds);
    else
        check_ok(c, "role", "replica, linked to its master");
}

static void
judge_cluster(struct check *c, const char *info)
{
    uint64_t enabled = 0;

    if (info_u64(info, "cluster_enabled", &enabled) && enabled == 1)
        check_warn(c, "cluster", "back up each shard under an instance name of its own",
                   "a cluster's node: a backup holds this shard only, and never nodes.conf");
}

/* ---- saving ------------------------------------------------------------------------------------------------------ */

static void
judge_activity(struct check *c, const struct server_status *s)
{
    const char *busy = server_status_busy(s);

    if (busy == NULL)
        check_ok(c, "activity", "nothing that a backup would have to wait for");
    else
        check_warn(c, "activity", "none is needed: a backup waits, up to --timeout", "a backup would wait for %s",
                   busy);
}

static void
judge_last_save(struct check *c, const struct server_status *s)
{
    char when[UNITS_TEXT_MAX];

    if (!s->last_save_ok)
        check_fail(
            c, "last-save", ERR_SERVER,
            "find the cause in the server's log (full volume, no memory to fork, rights on `dir`), put it right, "
            "and let the server save once (BGSAVE)",
            "the server's last save failed; with stop-writes-on-bgsave-error it refuses writes (-MISCONF) until "
            "one succeeds");
    else if (s->last_save_s >= 0)
        check_ok(c, "last-save", "good; saved or started %s", units_format_time(s->last_save_s * 1000, when));
    else
        check_ok(c, "last-save", "good");
}

static void
judge_settings(struct check *c, const struct check_facts *f)
{
    const char *save = f->config.save;
    bool stops = strcmp(f->stop_writes, "yes") == 0;

    if (f->stop_writes[0] != '\0')
        check_ok(c, "save-points", "%s%s; a failed save %s", save[0] != '\0' ? "save " : "none: only backups save",
                 save, stops && save[0] != '\0' ? "stops writes, so room is looked at before each" : "stops no writes");
    if (strcmp(f->config.rdbcompression, "yes") == 0)
        check_warn(c, "rdbcompression",
                   "set `rdbcompression no` if the volume has the room: dumps on it grow, stored backups shrink, and "
                   "take no longer",
                   "yes: the server compresses its dumps with LZF, behind which zstd finds less to do");
    else if (f->config.rdbcompression[0] != '\0')
        check_ok(c, "rdbcompression", "no: zstd gets the data as they are");
    if (strcmp(f->rdbchecksum, "no") == 0)
        check_warn(c, "rdbchecksum", "set `rdbchecksum yes` (a server reads it at its start only) and restart",
                   "no: dumps carry no checksum, so damage before a backup reads them cannot be seen");
    else if (f->rdbchecksum[0] != '\0')
        check_ok(c, "rdbchecksum", "yes: dumps carry a checksum");
}

/* A server with appendonly yes that finds dump.rdb alone starts empty, and its next save overwrites it. */
static void
judge_append_only(struct check *c, const char *info)
{
    uint64_t enabled = 0;

    if (!info_u64(info, "aof_enabled", &enabled))
        return;
    if (enabled == 1)
        check_warn(c, "appendonly",
                   "restore for such a server: start it on the restored dump.rdb with `appendonly no`, then CONFIG SET "
                   "appendonly yes, and wait for the rewrite",
                   "yes: on a restored dump.rdb alone this server starts EMPTY, and overwrites it with its next save");
    else
        check_ok(c, "appendonly", "no: a restore brings dump.rdb (--layout rdb)");
}

/* ---- memory ------------------------------------------------------------------------------------------------------ */

static void
format_limit(uint64_t bytes, const char *none, char out[UNITS_TEXT_MAX])
{
    if (bytes > 0)
        (void)units_format_size(bytes, out);
    else
        (void)snprintf(out, UNITS_TEXT_MAX, "%s", none);
}

#define MEMORY_REMEDY                                                                                                  \
    "lower maxmemory or give the server more memory, so that twice the data fit; or back up a replica, or when few "   \
    "writes come; where its container has another limit than this, give it with --server-memory"

/* By the memory guard's rule, for data that has grown to maxmemory: a preflight looks ahead. */
static void
judge_memory(struct check *c, const struct check_facts *f, const struct server_memory *m)
{
    char used[UNITS_TEXT_MAX], resident[UNITS_TEXT_MAX], max[UNITS_TEXT_MAX], limit[UNITS_TEXT_MAX];
    char copied[UNITS_TEXT_MAX], figures[5 * UNITS_TEXT_MAX + 120];
    struct server_memory grown = guard_memory_grown(m);
    struct guard_limit bounds = guard_memory_limit(f->memory, m);
    struct guard_memory g = guard_memory_judge(&grown, f->by_psync, &bounds);

    if (m->used == 0)
        return;
    format_limit(m->max, "not set", max);
    format_limit(bounds.bytes, "not told", limit);
    (void)snprintf(figures, sizeof(figures),
                   "used %s, resident %s, maxmemory %s, the limit of %s %s, the last save "
                   "copied %s",
                   units_format_size(m->used, used), units_format_size(m->resident, resident), max, bounds.of, limit,
                   units_format_size(m->copied, copied));
    if (g.state == GUARD_MEMORY_SHORT)
        check_warn(c, "memory", MEMORY_REMEDY, "%s: a save will probably need more than there is", figures);
    else if (g.state == GUARD_MEMORY_TIGHT)
        check_warn(c, "memory", MEMORY_REMEDY, "%s: a save under many writes may need more than there is", figures);
    else if (bounds.is_machine)
        check_ok(c, "memory",
                 "%s; the limit of the server's container is not visible here: give it with "
                 "--server-memory",
                 figures);
    else
        check_ok(c, "memory", "%s", figures);
}

void
check_judge_overcommit(struct check *c, const char *text)
{
    if (text[0] == '1')
        check_ok(c, "overcommit", "vm.overcommit_memory is 1: the fork of a save is not refused");
    else
        check_warn(c, "overcommit", "set vm.overcommit_memory=1 on the node (sysctl)",
                   "vm.overcommit_memory is %.1s: the kernel may refuse the fork of a save although memory is free",
                   text);
}

/* ---- all --------------------------------------------------------------------------------------------------------- */

void
check_judge_server(struct check *c, const struct check_facts *f)
{
    struct server_facts facts = {0};
    struct server_status status;

    server_facts_from_info(f->info, &facts);
    server_status_parse(f->info, &status);
    judge_version(c, &facts);
    judge_role(c, f->info, &status);
    judge_cluster(c, f->info);
    judge_activity(c, &status);
    judge_last_save(c, &status);
    judge_settings(c, f);
    judge_append_only(c, f->info);
    judge_memory(c, f, &status.memory);
}

void
check_judge_dump_version(struct check *c, const char *head)
{
    bool is_valkey = strncmp(head, "VALKEY", 6) == 0;
    unsigned long version = strtoul(head + (is_valkey ? 6 : 5), NULL, 10);
    unsigned long newest = is_valkey ? RDB_NEWEST_VALKEY : RDB_NEWEST_REDIS;

    if (version > newest)
        check_warn(c, "dump-version",
                   "use a newer remora; until there is one, a dump with unknown types needs --allow-unparsed",
                   "version %lu; this remora knows %s's up to %lu", version, is_valkey ? "Valkey" : "Redis", newest);
    else
        check_ok(c, "dump-version", "version %lu, which is known here", version);
}
