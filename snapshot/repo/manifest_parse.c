/* SPDX-License-Identifier: Apache-2.0 */
/*
 * manifest_parse.c: bytes to struct manifest. The digest is checked before anything is believed; the rest is checked
 * all the same, since a manifest with a good digest may still have been written by something else. Fields that are not
 * known are ignored.
 */
#include <jansson.h>
#include <string.h>

#include "base/json_read.h"
#include "base/mem.h"
#include "base/units.h"
#include "snapshot/repo/manifest.h"
#include "snapshot/repo/repo.h"

#define DIGEST_KEY ",\"sha256\":\""
#define DIGEST_END "\"}\n"

static int
check_digest(const char *data, size_t len, struct err *err)
{
    const size_t key = strlen(DIGEST_KEY), hex = DIGEST_SHA256_HEX - 1, end = strlen(DIGEST_END);
    char digest[DIGEST_SHA256_HEX];
    const char *at;

    if (len < key + hex + end)
        return err_set(err, ERR_CORRUPT, "the manifest is cut short (%zu bytes)", len);
    at = data + len - end - hex - key;
    if (memcmp(at, DIGEST_KEY, key) != 0 || memcmp(at + key + hex, DIGEST_END, end) != 0)
        return err_set(err, ERR_CORRUPT, "the manifest does not end with its digest");
    digest_sha256_hex(data, (size_t)(at - data), digest);
    if (memcmp(digest, at + key, hex) != 0)
        return err_set(err, ERR_CORRUPT, "the manifest does not match its digest");
    return 0;
}

/* A string member into a field of SIZE bytes; it must fit. */
static int
read_text(const json_t *o, const char *key, char *out, size_t size, struct err *err)
{
    const char *s = NULL;

    if (json_read_str(o, key, &s, err) < 0)
        return -1;
    if (strlen(s) >= size)
        return err_set(err, ERR_CORRUPT, "\"%s\" is too long", key);
    memcpy(out, s, strlen(s) + 1);
    return 0;
}

/* The same where it may be missing, and may be cut. */
static void
opt_text(const json_t *o, const char *key, char *out, size_t size)
{
    (void)snprintf(out, size, "%s", json_opt_str(o, key, ""));
}

static int64_t
opt_i64(const json_t *o, const char *key)
{
    const json_t *v = json_object_get(o, key);

    return json_is_integer(v) ? json_integer_value(v) : -1;
}

static int
parse_member(const json_t *members, const char *name, struct manifest_member *member, struct err *err)
{
    const json_t *o = NULL;

    (void)snprintf(member->name, sizeof(member->name), "%s", name);
    if (json_read_child(members, name, &o, err) < 0 || json_read_u64(o, "raw_size", &member->raw_size, err) < 0 ||
        json_read_u64(o, "stored_size", &member->stored_size, err) < 0 ||
        json_read_u64(o, "segments", &member->segments, err) < 0 ||
        json_read_u64(o, "index_size", &member->index_size, err) < 0 ||
        json_read_hex(o, "index_sha256", sizeof(member->index_sha256), member->index_sha256, err) < 0)
        return -1;
    return 0;
}

/* The dump, and the configuration where there is one; members of other names are a later version's. */
static int
parse_members(const json_t *members, struct manifest *m, struct err *err)
{
    size_t known = 1;

    if (parse_member(members, LAYOUT_MEMBER_RDB, &m->rdb_member, err) < 0)
        return -1;
    known += json_object_get(members, LAYOUT_MEMBER_CONFIG) != NULL;
    m->has_other_members = json_object_size(members) > known;
    if (known == 1)
        return 0;
    if (parse_member(members, LAYOUT_MEMBER_CONFIG, &m->config_member, err) < 0)
        return err_wrap(err, "member %s", LAYOUT_MEMBER_CONFIG);
    if (m->config_member.segments == 0)
        return err_set(err, ERR_CORRUPT, "member %s: it has no segments", LAYOUT_MEMBER_CONFIG);
    return 0;
}

/* Which of WORDS the member KEY is. One that this version has no meaning for must not pass for one that it has. */
static int
read_word(const json_t *o, const char *key, const char *const *words, size_t count, unsigned *which, struct err *err)
{
    const char *s = NULL;

    if (json_read_str(o, key, &s, err) < 0)
        return -1;
    for (*which = 0; *which < count; ++*which) {
        if (strcmp(s, words[*which]) == 0)
            return 0;
    }
    return err_set(err, ERR_UNSUPPORTED, "\"%s\" is \"%.40s\", which this version of remora does not know", key, s);
}

static int
parse_crc(const json_t *o, struct rdb_info *rdb, struct err *err)
{
    static const char *const states[] = {
        [RDB_CRC_NONE] = "none", [RDB_CRC_DISABLED] = "disabled", [RDB_CRC_GOOD] = "good"};
    unsigned state = 0;
    uint8_t computed[8], stored[8];

    if (read_word(o, "crc_state", states, ARRAY_LEN(states), &state, err) < 0 ||
        json_read_hex(o, "crc64_computed", sizeof(computed), computed, err) < 0 ||
        json_read_hex(o, "crc64_stored", sizeof(stored), stored, err) < 0)
        return -1;
    rdb->crc_state = (enum rdb_crc_state)state;
    for (size_t i = 0; i < sizeof(computed); i++) {
        rdb->crc_computed = rdb->crc_computed << 8 | computed[i];
        rdb->crc_stored = rdb->crc_stored << 8 | stored[i];
    }
    return 0;
}

static int
parse_dbs(const json_t *o, struct rdb_info *rdb, struct err *err)
{
    const json_t *list = json_object_get(o, "databases"), *item;
    size_t i;

    rdb->dbs = mem_array(json_array_size(list), sizeof(*rdb->dbs));
    json_array_foreach(list, i, item)
    {
        struct rdb_db *db = &rdb->dbs[rdb->db_count++];

        if (json_read_u64(item, "db", &db->number, err) < 0 || json_read_u64(item, "keys", &db->keys, err) < 0 ||
            json_read_u64(item, "expires", &db->expires, err) < 0)
            return -1;
    }
    return 0;
}

static void
parse_modules(const json_t *o, struct rdb_info *rdb)
{
    const json_t *list = json_object_get(o, "modules"), *item;
    size_t i;

    rdb->modules = mem_array(json_array_size(list), sizeof(*rdb->modules));
    json_array_foreach(list, i, item)
    {
        struct rdb_module *module = &rdb->modules[rdb->module_count++];

        opt_text(item, "name", module->name, sizeof(module->name));
        module->encver = json_opt_u64(item, "encver", 0);
        module->keys = json_opt_u64(item, "keys", 0);
    }
}

static void
parse_aux(const json_t *o, struct rdb_info *rdb)
{
    const json_t *aux = json_object_get(o, "aux");

    opt_text(aux, "server_version", rdb->server_version, sizeof(rdb->server_version));
    opt_text(aux, "repl_id", rdb->repl_id, sizeof(rdb->repl_id));
    rdb->ctime_s = opt_i64(aux, "ctime");
    rdb->used_memory = opt_i64(aux, "used_memory");
    rdb->repl_offset = opt_i64(aux, "repl_offset");
    rdb->repl_stream_db = opt_i64(aux, "repl_stream_db");
    rdb->aof_base = opt_i64(aux, "aof_base");
}

static int
parse_rdb(const json_t *o, struct rdb_info *rdb, struct err *err)
{
    static const char *const kinds[] = {[RDB_REDIS] = "redis", [RDB_VALKEY] = "valkey"};
    unsigned kind = 0;
    const json_t *types = json_object_get(o, "types");
    uint64_t version = 0;

    if (read_word(o, "kind", kinds, ARRAY_LEN(kinds), &kind, err) < 0 ||
        json_read_u64(o, "version", &version, err) < 0 || json_read_u64(o, "keys", &rdb->keys, err) < 0 ||
        json_read_u64(o, "expires", &rdb->expires, err) < 0 || parse_crc(o, rdb, err) < 0 || parse_dbs(o, rdb, err) < 0)
        return -1;
    if (version > UINT32_MAX)
        return err_set(err, ERR_UNSUPPORTED, "no RDB version is that high");
    rdb->kind = (enum rdb_kind)kind;
    rdb->version = (unsigned)version;
    rdb->parsed = json_opt_bool(o, "parsed", false);
    opt_text(o, "unparsed_why", rdb->unparsed_why, sizeof(rdb->unparsed_why));
    for (int t = 0; t < RDB_TYPE_COUNT; t++)
        rdb->types[t] = json_opt_u64(types, rdb_type_name((enum rdb_type)t), 0);
    rdb->functions = json_opt_u64(o, "functions", 0);
    parse_modules(o, rdb);
    parse_aux(o, rdb);
    return 0;
}

static void
parse_source(const json_t *o, struct server_facts *f)
{
    const json_t *c = json_object_get(o, "config");

    f->known = json_is_object(o);
    opt_text(o, "kind", f->kind, sizeof(f->kind));
    opt_text(o, "version", f->version, sizeof(f->version));
    opt_text(o, "run_id", f->run_id, sizeof(f->run_id));
    opt_text(o, "role", f->role, sizeof(f->role));
    opt_text(o, "host", f->host, sizeof(f->host));
    opt_text(o, "address", f->address, sizeof(f->address));
    opt_text(o, "modules", f->modules, sizeof(f->modules));
    opt_text(o, "repl_id", f->repl_id, sizeof(f->repl_id));
    f->repl_offset = opt_i64(o, "repl_offset");
    f->config_known = json_is_object(c);
    opt_text(c, "dir", f->config.dir, sizeof(f->config.dir));
    opt_text(c, "dbfilename", f->config.dbfilename, sizeof(f->config.dbfilename));
    opt_text(c, "appendonly", f->config.appendonly, sizeof(f->config.appendonly));
    opt_text(c, "appenddirname", f->config.appenddirname, sizeof(f->config.appenddirname));
    opt_text(c, "appendfilename", f->config.appendfilename, sizeof(f->config.appendfilename));
    opt_text(c, "databases", f->config.databases, sizeof(f->config.databases));
    opt_text(c, "maxmemory", f->config.maxmemory, sizeof(f->config.maxmemory));
    opt_text(c, "save", f->config.save, sizeof(f->config.save));
    opt_text(c, "cluster-enabled", f->config.cluster_enabled, sizeof(f->config.cluster_enabled));
    opt_text(c, "rdbcompression", f->config.rdbcompression, sizeof(f->config.rdbcompression));
}

static int
parse_tags(json_t *o, struct manifest *m, struct err *err)
{
    const char *key;
    json_t *value;

    json_object_foreach(o, key, value)
    {
        if (!json_is_string(value))
            return err_set(err, ERR_CORRUPT, "the tag \"%.60s\" is not a string", key);
        if (manifest_add_tag(m, key, json_string_value(value), err) < 0) {
            err->code = ERR_CORRUPT;
            return -1;
        }
    }
    return 0;
}

/* For people: whatever a guard of another version found is kept in its words. */
static void
parse_findings(const json_t *list, struct manifest *m)
{
    const json_t *item;
    size_t i;

    json_array_foreach(list, i, item)
    {
        if (json_is_object(item))
            manifest_add_finding(m, json_opt_str(item, "guard", ""), json_opt_str(item, "text", ""));
    }
}

static int
parse_object(json_t *o, struct manifest *m, struct err *err)
{
    const json_t *members = NULL, *rdb = NULL;
    const char *format = NULL, *id = NULL;
    uint64_t version = 0;

    if (json_read_str(o, "format", &format, err) < 0 || json_read_u64(o, "version", &version, err) < 0)
        return -1;
    if (strcmp(format, "remora-backup") != 0)
        return err_set(err, ERR_CORRUPT, "its format is \"%.40s\", not \"remora-backup\"", format);
    if (version != REPO_FORMAT_VERSION)
        return err_set(err, ERR_UNSUPPORTED, "its format version is %llu, this version of remora knows %d",
                       (unsigned long long)version, REPO_FORMAT_VERSION);
    if (repo_check_requires(o, err) < 0 || json_read_str(o, "id", &id, err) < 0)
        return -1;
    if (!backup_id_parse(id, &m->id, NULL))
        return err_set(err, ERR_CORRUPT, "\"id\" is not a backup's id");
    if (read_text(o, "uuid", m->uuid, sizeof(m->uuid), err) < 0 ||
        read_text(o, "instance", m->instance, sizeof(m->instance), err) < 0 ||
        read_text(o, "method", m->method, sizeof(m->method), err) < 0 ||
        read_text(o, "tool", m->tool_version, sizeof(m->tool_version), err) < 0 ||
        json_read_time(o, "snapshot_time", &m->snapshot_ms, err) < 0 ||
        json_read_time(o, "started", &m->started_ms, err) < 0 ||
        json_read_time(o, "finished", &m->finished_ms, err) < 0 || json_read_child(o, "members", &members, err) < 0 ||
        json_read_child(o, "rdb", &rdb, err) < 0)
        return -1;
    m->level = (int)json_opt_u64(o, "level", 0);
    m->suspicious = json_opt_bool(o, "suspicious", false);
    parse_findings(json_object_get(o, "guards"), m);
    parse_source(json_object_get(o, "source"), &m->source);
    if (parse_tags(json_object_get(o, "tags"), m, err) < 0 || parse_members(members, m, err) < 0 ||
        parse_rdb(rdb, &m->rdb, err) < 0)
        return -1;
    m->rdb.bytes = m->rdb_member.raw_size;
    return 0;
}

int
manifest_parse(const char *data, size_t len, struct manifest **out, struct err *err)
{
    struct manifest *m = NULL;
    json_t *object = NULL;
    int rc = -1;

    if (check_digest(data, len, err) < 0)
        return -1;
    object = json_read_object(data, len, err);
    if (object == NULL)
        return -1;
    m = manifest_new();
    rc = parse_object(object, m, err);
    json_decref(object);
    if (rc < 0) {
        manifest_free(m);
        return err_wrap(err, "the manifest is not usable");
    }
    *out = m;
    return 0;
}
