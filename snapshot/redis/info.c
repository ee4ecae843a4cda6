/* SPDX-License-Identifier: Apache-2.0 */
/* info.c: see info.h. */
#include "snapshot/redis/info.h"

#include <stdio.h>
#include <string.h>

#include "base/compiler.h"
#include "base/err.h"
#include "base/units.h"

/* ---- fields ----------------------------------------------------------------------------------------------------- */

/* The line behind P, or NULL. */
static const char *
next_line(const char *p)
{
    p = strchr(p, '\n');
    return p != NULL ? p + 1 : NULL;
}

/* The value of a line that starts with FIELD and a colon, else NULL; its length goes to LEN. */
static const char *
line_value(const char *line, const char *field, size_t *len)
{
    size_t field_len = strlen(field);

    if (strncmp(line, field, field_len) != 0 || line[field_len] != ':')
        return NULL;
    line += field_len + 1;
    *len = strcspn(line, "\r\n");
    return line;
}

static void
copy(const char *text, size_t len, char *out, size_t size)
{
    if (len > size - 1)
        len = size - 1;
    memcpy(out, text, len);
    out[len] = '\0';
}

bool
info_text(const char *info, const char *field, char *out, size_t size)
{
    for (const char *line = info; line != NULL; line = next_line(line)) {
        size_t len = 0;
        const char *value = line_value(line, field, &len);

        if (value != NULL) {
            copy(value, len, out, size);
            return true;
        }
    }
    out[0] = '\0';
    return false;
}

bool
info_u64(const char *info, const char *field, uint64_t *out)
{
    struct err ignored = ERR_INIT;
    char text[32];

    return info_text(info, field, text, sizeof(text)) && units_parse_u64(text, out, &ignored) == 0;
}

/* Is this the line of a database, "db0:keys=..."? */
static bool
is_database(const char *line)
{
    size_t digits;

    if (strncmp(line, "db", 2) != 0)
        return false;
    digits = strspn(line + 2, "0123456789");
    return digits > 0 && line[2 + digits] == ':';
}

bool
info_keys(const char *info, uint64_t *out)
{
    struct err ignored = ERR_INIT;
    uint64_t sum = 0;

    if (strstr(info, "# Keyspace") == NULL)
        return false;
    for (const char *line = info; line != NULL; line = next_line(line)) {
        char text[32];
        uint64_t keys = 0;
        const char *value;

        if (!is_database(line))
            continue;
        value = strchr(line, ':') + 1;
        if (strncmp(value, "keys=", 5) != 0)
            return false;
        value += 5;
        copy(value, strcspn(value, ",\r\n"), text, sizeof(text));
        if (units_parse_u64(text, &keys, &ignored) < 0)
            return false;
        sum = keys <= UINT64_MAX - sum ? sum + keys : UINT64_MAX;
    }
    *out = sum;
    return true;
}

static uint64_t
number_or(const char *info, const char *field, uint64_t missing)
{
    uint64_t value = missing;

    (void)info_u64(info, field, &value);
    return value;
}

static bool
is_one(const char *info, const char *field)
{
    return number_or(info, field, 0) == 1;
}

/* A count of seconds or the like: -1 where there is none, or it cannot be. */
static int64_t
signed_or_none(const char *info, const char *field)
{
    uint64_t value = number_or(info, field, UINT64_MAX);

    return value <= INT64_MAX ? (int64_t)value : -1;
}

/* ---- its memory -------------------------------------------------------------------------------------------------- */

/* A backlog comes with the first replica and goes an hour after the last. Since 7.0 it grows to its size as the stream
 * comes; before, all of it is there at once. */
static uint64_t
backlog_room(const char *info)
{
    uint64_t size = number_or(info, "repl_backlog_size", 0), has = number_or(info, "mem_replication_backlog", 0);

    return size > has ? size - has : 0;
}

void
server_memory_parse(const char *info, struct server_memory *out)
{
    uint64_t peak = number_or(info, "current_cow_peak", 0);
    char path[512];
    const char *slash;

    memset(out, 0, sizeof(*out));
    out->used = number_or(info, "used_memory", 0);
    out->resident = number_or(info, "used_memory_rss", out->used);
    out->max = number_or(info, "maxmemory", 0);
    out->machine = number_or(info, "total_system_memory", 0);
    out->copied = number_or(info, "rdb_last_cow_size", 0);
    if (peak > out->copied)
        out->copied = peak;
    out->backlog_room = backlog_room(info);
    out->process_id = number_or(info, "process_id", 0);
    if (!info_text(info, "executable", path, sizeof(path)))
        return;
    slash = strrchr(path, '/');
    slash = slash != NULL ? slash + 1 : path;
    copy(slash, strlen(slash), out->program, sizeof(out->program));
}

/* ---- the state of the server ------------------------------------------------------------------------------------ */

void
server_status_parse(const char *info, struct server_status *out)
{
    int64_t usec = signed_or_none(info, "server_time_usec");
    char text[16];

    memset(out, 0, sizeof(*out));
    (void)info_text(info, "run_id", out->run_id, sizeof(out->run_id));
    out->server_ms = usec >= 0 ? usec / 1000 : -1;
    out->loading = is_one(info, "loading") || is_one(info, "async_loading");
    out->rdb_running = is_one(info, "rdb_bgsave_in_progress");
    out->aof_running = is_one(info, "aof_rewrite_in_progress");
    out->module_fork = is_one(info, "module_fork_in_progress");
    out->syncing = is_one(info, "master_sync_in_progress");
    out->last_save_ok = info_text(info, "rdb_last_bgsave_status", text, sizeof(text)) && strcmp(text, "ok") == 0;
    out->last_save_s = signed_or_none(info, "rdb_last_save_time");
    out->has_saves = info_u64(info, "rdb_saves", &out->saves);
    out->keys_done = number_or(info, "current_save_keys_processed", 0);
    out->keys_total = number_or(info, "current_save_keys_total", 0);
    out->cow_bytes = number_or(info, "current_cow_size", 0);
    server_memory_parse(info, &out->memory);
    out->is_replica = info_text(info, "role", text, sizeof(text)) && strcmp(text, "slave") == 0;
    out->link_up = !info_text(info, "master_link_status", text, sizeof(text)) || strcmp(text, "up") == 0;
}

const char *
server_status_busy(const struct server_status *s)
{
    if (s->loading)
        return "the server to load its data";
    if (s->syncing)
        return "the replica to finish its full synchronization";
    if (s->rdb_running)
        return "a save or full synchronization that is already running";
    if (s->aof_running)
        return "a rewrite of the append-only file";
    if (s->module_fork)
        return "a module's child process";
    return NULL;
}

/* ---- facts for the manifest ------------------------------------------------------------------------------------- */

/* "module:name=ReJSON,ver=20609,..." lines as "ReJSON,search". Names that no longer fit are left out. */
static void
list_modules(const char *info, char *out, size_t size)
{
    size_t at = 0;

    out[0] = '\0';
    for (const char *line = info; line != NULL; line = next_line(line)) {
        size_t len = 0;
        const char *name = line_value(line, "module", &len);

        if (name == NULL || strncmp(name, "name=", 5) != 0)
            continue;
        name += 5;
        len = strcspn(name, ",\r\n");
        if (len == 0 || at + 1 + len >= size)
            continue;
        at += (size_t)snprintf(out + at, size - at, "%s%.*s", at > 0 ? "," : "", (int)len, name);
    }
}

static void
set_role(struct server_facts *facts, const char *role)
{
    if (strcmp(role, "slave") == 0)
        role = "replica";
    copy(role, strlen(role), facts->role, sizeof(facts->role));
}

void
server_facts_from_info(const char *info, struct server_facts *facts)
{
    char text[32];
    uint64_t cluster = 0;

    facts->known = true;
    /* Valkey keeps redis_version at 7.2.4 for old clients and says its own beside it. */
    if (info_text(info, "valkey_version", facts->version, sizeof(facts->version))) {
        copy("valkey", 6, facts->kind, sizeof(facts->kind));
    } else {
        copy("redis", 5, facts->kind, sizeof(facts->kind));
        (void)info_text(info, "redis_version", facts->version, sizeof(facts->version));
    }
    (void)info_text(info, "run_id", facts->run_id, sizeof(facts->run_id));
    if (info_text(info, "role", text, sizeof(text)))
        set_role(facts, text);
    if (info_u64(info, "cluster_enabled", &cluster))
        copy(cluster == 1 ? "yes" : "no", cluster == 1 ? 3 : 2, facts->config.cluster_enabled,
             sizeof(facts->config.cluster_enabled));
    list_modules(info, facts->modules, sizeof(facts->modules));
}

bool
server_facts_from_role(const struct reply *role, struct server_facts *facts)
{
    const struct reply *name;

    if (role->type != REPLY_ARRAY || role->count == 0)
        return false;
    name = role->elements[0];
    if (name->type != REPLY_STRING || (strcmp(name->text, "master") != 0 && strcmp(name->text, "slave") != 0))
        return false;
    set_role(facts, name->text);
    return true;
}

#define SETTING(setting, member)                                                                                       \
    {                                                                                                                  \
        setting, offsetof(struct server_config, member), sizeof(((struct server_config *)NULL)->member)                \
    }

static const struct {
    const char *name;
    size_t offset, size;
} settings[] = {
    SETTING("dir", dir),
    SETTING("dbfilename", dbfilename),
    SETTING("appendonly", appendonly),
    SETTING("appenddirname", appenddirname),
    SETTING("appendfilename", appendfilename),
    SETTING("databases", databases),
    SETTING("maxmemory", maxmemory),
    SETTING("save", save),
    SETTING("cluster-enabled", cluster_enabled),
    SETTING("rdbcompression", rdbcompression),
};

const char *
server_config_name(size_t i)
{
    return i < ARRAY_LEN(settings) ? settings[i].name : NULL;
}

void
server_config_from_reply(const char *name, const struct reply *reply, struct server_config *config)
{
    if (reply->type != REPLY_ARRAY || reply->count < 2 || reply->elements[1]->type != REPLY_STRING)
        return;
    for (size_t i = 0; i < ARRAY_LEN(settings); i++) {
        if (strcmp(name, settings[i].name) == 0)
            copy(reply->elements[1]->text, reply->elements[1]->len, (char *)config + settings[i].offset,
                 settings[i].size);
    }
}

int
server_facts_check_role(const struct server_facts *facts, bool allow_master, struct err *err)
{
    if (allow_master || strcmp(facts->role, "replica") == 0)
        return 0;
    if (facts->role[0] == '\0')
        return err_set(err, ERR_REFUSED,
                       "%s does not say whether it is a master, and --allow-master no says that none may be burdened "
                       "with a save: allow the user ROLE or INFO (+role)",
                       facts->address);
    return err_set(err, ERR_REFUSED,
                   "%s is a master, and --allow-master no says that none may be burdened with a save: give the address "
                   "of a replica",
                   facts->address);
}
