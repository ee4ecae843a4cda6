/* SPDX-License-Identifier: Apache-2.0 */
/* manifest_write.c: struct manifest to bytes. The order of the fields is for people; the digest is the last one
 * (docs/FORMAT.md). */
#include <jansson.h>
#include <string.h>

#include "base/json_read.h"
#include "base/mem.h"
#include "base/units.h"
#include "snapshot/repo/manifest.h"
#include "snapshot/repo/repo.h"

static void
add(json_t *object, const char *key, json_t *value)
{
    REQUIRE(json_object_set_new(object, key, value) == 0);
}

/* Text from servers and hosts need not be UTF-8, which JSON must be: bytes that are not become "?". */
static void
add_str(json_t *object, const char *key, const char *text)
{
    json_t *value = json_string(text);

    if (value == NULL) {
        char *ascii = mem_strdup(text);

        for (char *p = ascii; *p != '\0'; p++) {
            if ((unsigned char)*p > 127)
                *p = '?';
        }
        value = json_string(ascii);
        free(ascii);
    }
    add(object, key, value);
}

static void
add_u64(json_t *object, const char *key, uint64_t value)
{
    add(object, key, json_integer((json_int_t)value));
}

/* The auxiliary fields: those that the dump does not have are left out. */
static void
add_known_str(json_t *object, const char *key, const char *text)
{
    if (text[0] != '\0')
        add_str(object, key, text);
}

static void
add_known_i64(json_t *object, const char *key, int64_t value)
{
    if (value >= 0)
        add(object, key, json_integer(value));
}

static void
add_time(json_t *object, const char *key, int64_t ms)
{
    char text[UNITS_TEXT_MAX];

    add_str(object, key, units_format_time_ms(ms, text));
}

static void
add_hex(json_t *object, const char *key, const void *data, size_t len)
{
    char *hex = mem_new(2 * len + 1);

    units_hex(data, len, hex);
    add_str(object, key, hex);
    free(hex);
}

static void
add_crc64(json_t *object, const char *key, uint64_t crc)
{
    char text[20];

    (void)snprintf(text, sizeof(text), "%016llx", (unsigned long long)crc);
    add_str(object, key, text);
}

static json_t *
write_member(const struct manifest_member *member)
{
    json_t *o = json_object();

    add_u64(o, "raw_size", member->raw_size);
    add_u64(o, "stored_size", member->stored_size);
    add_u64(o, "segments", member->segments);
    add_u64(o, "index_size", member->index_size);
    add_hex(o, "index_sha256", member->index_sha256, sizeof(member->index_sha256));
    return o;
}

static json_t *
write_aux(const struct rdb_info *rdb)
{
    json_t *o = json_object();

    add_known_str(o, "server_version", rdb->server_version);
    add_known_i64(o, "ctime", rdb->ctime_s);
    add_known_i64(o, "used_memory", rdb->used_memory);
    add_known_str(o, "repl_id", rdb->repl_id);
    add_known_i64(o, "repl_offset", rdb->repl_offset);
    add_known_i64(o, "repl_stream_db", rdb->repl_stream_db);
    add_known_i64(o, "aof_base", rdb->aof_base);
    return o;
}

static json_t *
write_dbs(const struct rdb_info *rdb)
{
    json_t *list = json_array();

    for (size_t i = 0; i < rdb->db_count; i++) {
        json_t *o = json_object();

        add_u64(o, "db", rdb->dbs[i].number);
        add_u64(o, "keys", rdb->dbs[i].keys);
        add_u64(o, "expires", rdb->dbs[i].expires);
        REQUIRE(json_array_append_new(list, o) == 0);
    }
    return list;
}

static json_t *
write_modules(const struct rdb_info *rdb)
{
    json_t *list = json_array();

    for (size_t i = 0; i < rdb->module_count; i++) {
        json_t *o = json_object();

        add_str(o, "name", rdb->modules[i].name);
        add_u64(o, "encver", rdb->modules[i].encver);
        add_u64(o, "keys", rdb->modules[i].keys);
        REQUIRE(json_array_append_new(list, o) == 0);
    }
    return list;
}

static json_t *
write_rdb(const struct rdb_info *rdb)
{
    static const char *const crc_states[] = {
        [RDB_CRC_NONE] = "none", [RDB_CRC_DISABLED] = "disabled", [RDB_CRC_GOOD] = "good"};
    json_t *o = json_object(), *types = json_object();

    add_str(o, "kind", rdb->kind == RDB_VALKEY ? "valkey" : "redis");
    add_u64(o, "version", rdb->version);
    add(o, "parsed", json_boolean(rdb->parsed));
    add_known_str(o, "unparsed_why", rdb->unparsed_why);
    add_str(o, "crc_state", crc_states[rdb->crc_state]);
    add_crc64(o, "crc64_computed", rdb->crc_computed);
    add_crc64(o, "crc64_stored", rdb->crc_stored);
    add_u64(o, "keys", rdb->keys);
    add_u64(o, "expires", rdb->expires);
    add(o, "databases", write_dbs(rdb));
    for (int t = 0; t < RDB_TYPE_COUNT; t++)
        add_u64(types, rdb_type_name((enum rdb_type)t), rdb->types[t]);
    add(o, "types", types);
    add_u64(o, "functions", rdb->functions);
    add(o, "modules", write_modules(rdb));
    add(o, "aux", write_aux(rdb));
    return o;
}

static json_t *
write_config(const struct server_config *c)
{
    json_t *o = json_object();

    add_str(o, "dir", c->dir);
    add_str(o, "dbfilename", c->dbfilename);
    add_str(o, "appendonly", c->appendonly);
    add_str(o, "appenddirname", c->appenddirname);
    add_str(o, "appendfilename", c->appendfilename);
    add_str(o, "databases", c->databases);
    add_str(o, "maxmemory", c->maxmemory);
    add_str(o, "save", c->save);
    add_str(o, "cluster-enabled", c->cluster_enabled);
    add_str(o, "rdbcompression", c->rdbcompression);
    return o;
}

static json_t *
write_source(const struct server_facts *f)
{
    json_t *o = json_object();

    add_str(o, "kind", f->kind);
    add_str(o, "version", f->version);
    add_str(o, "run_id", f->run_id);
    add_str(o, "role", f->role);
    add_str(o, "host", f->host);
    add_str(o, "address", f->address);
    add_str(o, "modules", f->modules);
    if (f->repl_id[0] != '\0') {
        add_str(o, "repl_id", f->repl_id);
        add_known_i64(o, "repl_offset", f->repl_offset);
    }
    if (f->config_known)
        add(o, "config", write_config(&f->config));
    return o;
}

static json_t *
write_members(const struct manifest *m)
{
    const struct manifest_member *members[MANIFEST_MEMBERS_MAX];
    const size_t count = manifest_members(m, members);
    json_t *o = json_object();

    for (size_t i = 0; i < count; i++)
        add(o, members[i]->name, write_member(members[i]));
    return o;
}

static json_t *
write_findings(const struct manifest *m)
{
    json_t *list = json_array();

    for (size_t i = 0; i < m->finding_count; i++) {
        json_t *o = json_object();

        add_str(o, "guard", m->findings[i].guard);
        add_str(o, "text", m->findings[i].text);
        REQUIRE(json_array_append_new(list, o) == 0);
    }
    return list;
}

static json_t *
write_object(const struct manifest *m)
{
    json_t *o = json_object(), *tags = json_object();

    add_str(o, "format", "remora-backup");
    add_u64(o, "version", REPO_FORMAT_VERSION);
    add(o, "requires", json_array());
    add_str(o, "id", m->id.text);
    add_str(o, "uuid", m->uuid);
    add_str(o, "instance", m->instance);
    add_str(o, "method", m->method);
    add_str(o, "tool", m->tool_version);
    add_time(o, "snapshot_time", m->snapshot_ms);
    add_time(o, "started", m->started_ms);
    add_time(o, "finished", m->finished_ms);
    add_u64(o, "level", (uint64_t)m->level);
    add(o, "suspicious", json_boolean(m->suspicious));
    add(o, "guards", write_findings(m));
    for (size_t i = 0; i < m->tag_count; i++)
        add_str(tags, m->tags[i].key, m->tags[i].value);
    add(o, "tags", tags);
    add(o, "members", write_members(m));
    add(o, "rdb", write_rdb(&m->rdb));
    if (m->source.known)
        add(o, "source", write_source(&m->source));
    return o;
}

char *
manifest_write(const struct manifest *m, size_t *len)
{
    json_t *object = write_object(m);
    char *body = json_write_line(object), *text;
    char digest[DIGEST_SHA256_HEX];
    size_t body_len = strlen(body) - 1; /* without the closing brace */

    digest_sha256_hex(body, body_len, digest);
    text = mem_printf("%.*s,\"sha256\":\"%s\"}\n", (int)body_len, body, digest);
    *len = strlen(text);
    free(body);
    json_decref(object);
    return text;
}
