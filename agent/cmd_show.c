/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_show.c: `remora show`: all that is known of one backup, for people; with --json the manifest as it is stored. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/cmd.h"
#include "agent/open_repo.h"
#include "agent/pick.h"
#include "agent/printable.h"
#include "base/json_read.h"
#include "base/units.h"
#include "snapshot/repo/catalog.h"
#include "snapshot/repo/fact.h"
#include "snapshot/repo/layout.h"

/* The lines in the making. The first failure is kept; nothing is written after it. */
struct sheet {
    struct buf text;
    struct err err;
};

static void line(struct sheet *s, const char *name, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* "name   value" on one line, whatever is in the value; nothing at all for an empty one. */
static void
line(struct sheet *s, const char *name, const char *fmt, ...)
{
    char value[1024];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(value, sizeof(value), fmt, ap);
    va_end(ap);
    printable_make(value);
    if (s->err.code == ERR_NONE && value[0] != '\0')
        (void)!buf_printf(&s->text, &s->err, "%-16s %s\n", name, value);
}

/* An empty line and a title. */
static void
title(struct sheet *s, const char *text)
{
    if (s->err.code == ERR_NONE)
        (void)!buf_printf(&s->text, &s->err, "\n%s\n", text);
}

static void
size_line(struct sheet *s, const char *name, uint64_t bytes)
{
    char text[UNITS_TEXT_MAX];

    if (bytes < 1024)
        line(s, name, "%" PRIu64 " bytes", bytes);
    else
        line(s, name, "%s (%" PRIu64 " bytes)", units_format_size(bytes, text), bytes);
}

/* What is known beside the manifest. */
struct known {
    struct catalog_entry facts;
    struct fact_words hold, acceptance; /* where `facts` says that there is one */
};

static int
load_known(const struct repo *repo, const struct manifest *m, struct known *k, struct err *err)
{
    struct catalog_entry *f = &k->facts;

    if (catalog_entry_load(repo, m->instance, &m->id, f, err) < 0 ||
        (f->held && fact_read(repo, m->instance, LAYOUT_HOLD, &m->id, &f->held, &k->hold, err) < 0) ||
        (f->accepted && fact_read(repo, m->instance, LAYOUT_ACCEPTED, &m->id, &f->accepted, &k->acceptance, err) < 0))
        return -1;
    return 0;
}

/* "yes since 2026-11-23T04:00:00Z: before the migration" */
static void
fact_line(struct sheet *s, const char *name, const char *what, const struct fact_words *words)
{
    char when[UNITS_TEXT_MAX];

    line(s, name, "%s%s%s%s%s", what, words->time_ms != 0 ? " since " : "",
         words->time_ms != 0 ? units_format_time(words->time_ms, when) : "", words->reason[0] != '\0' ? ": " : "",
         words->reason);
}

static void
show_facts(struct sheet *s, const struct manifest *m, const struct known *known)
{
    const struct catalog_entry *facts = &known->facts;
    char text[UNITS_TEXT_MAX], name[32];

    if (facts->verified_ms != 0)
        line(s, "verified", "%s, %s", units_format_time(facts->verified_ms, text), facts->verified_level);
    else
        line(s, "verified", "never");
    if (facts->loaded_ms != 0)
        line(s, "loaded", "%s, by %s", units_format_time(facts->loaded_ms, text), facts->loaded_by);
    if (m->suspicious)
        line(s, "suspicious", "%s", facts->accepted ? "yes, and accepted" : "yes: never taken for the latest");
    if (facts->accepted)
        fact_line(s, "accepted", "yes", &known->acceptance);
    if (facts->held)
        fact_line(s, "held", "kept from prune and delete", &known->hold);
    for (size_t i = 0; i < m->finding_count; i++) {
        (void)snprintf(name, sizeof(name), "%s guard", m->findings[i].guard);
        line(s, name, "%s", m->findings[i].text);
    }
}

static void
show_backup(struct sheet *s, const struct manifest *m, const struct known *known)
{
    const struct manifest_member *rdb = &m->rdb_member;
    char text[UNITS_TEXT_MAX], took[UNITS_TEXT_MAX];

    line(s, "backup", "%s", m->id.text);
    line(s, "instance", "%s", m->instance);
    line(s, "snapshot time", "%s", units_format_time(m->snapshot_ms, text));
    line(s, "method", "%s", m->method);
    line(s, "started", "%s, took %s", units_format_time(m->started_ms, text),
         units_format_duration(m->finished_ms - m->started_ms, took));
    show_facts(s, m, known);
    size_line(s, "raw size", rdb->raw_size);
    size_line(s, "stored size", rdb->stored_size);
    line(s, "segments", "%" PRIu64 ", zstd level %d", rdb->segments, m->level);
    if (m->config_member.segments > 0)
        size_line(s, "configuration", m->config_member.raw_size);
    line(s, "made by", "remora %s", m->tool_version);
    line(s, "uuid", "%s", m->uuid);
    for (size_t i = 0; i < m->tag_count; i++)
        line(s, "tag", "%s=%s", m->tags[i].key, m->tags[i].value);
}

static void
show_dump(struct sheet *s, const struct rdb_info *rdb)
{
    static const char *const crc[] = {[RDB_CRC_NONE] = "none: this version of the format has none",
                                      [RDB_CRC_DISABLED] = "none: written with rdbchecksum no",
                                      [RDB_CRC_GOOD] = "good"};
    char keys[UNITS_TEXT_MAX], expires[UNITS_TEXT_MAX], name[32];

    title(s, "Dump");
    line(s, "format", "%s version %u", rdb->kind == RDB_VALKEY ? "VALKEY" : "REDIS", rdb->version);
    line(s, "written by", "%s", rdb->server_version);
    if (rdb->ctime_s >= 0)
        line(s, "save began", "%s", units_format_time(rdb->ctime_s * 1000, keys));
    line(s, "checksum", "%s (%016" PRIx64 ")", crc[rdb->crc_state], rdb->crc_computed);
    if (!rdb->parsed)
        line(s, "parsed", "only in part, the counts are too low: %s", rdb->unparsed_why);
    line(s, "keys", "%s, %s of them with a time to live", units_format_count(rdb->keys, keys),
         units_format_count(rdb->expires, expires));
    for (size_t i = 0; i < rdb->db_count; i++) {
        (void)snprintf(name, sizeof(name), "  database %" PRIu64, rdb->dbs[i].number);
        line(s, name, "%s, %s with a time to live", units_format_count(rdb->dbs[i].keys, keys),
             units_format_count(rdb->dbs[i].expires, expires));
    }
    for (int i = 0; i < RDB_TYPE_COUNT; i++) {
        (void)snprintf(name, sizeof(name), "  %s", rdb_type_name((enum rdb_type)i));
        if (rdb->types[i] > 0)
            line(s, name, "%s", units_format_count(rdb->types[i], keys));
    }
    if (rdb->functions > 0)
        line(s, "functions", "%" PRIu64 " libraries", rdb->functions);
    for (size_t i = 0; i < rdb->module_count; i++)
        line(s, "module", "%s, encoding %" PRIu64 ", %s keys", rdb->modules[i].name, rdb->modules[i].encver,
             units_format_count(rdb->modules[i].keys, keys));
    if (rdb->repl_id[0] != '\0')
        line(s, "replication", "%s, offset %" PRId64 ", database %" PRId64, rdb->repl_id, rdb->repl_offset,
             rdb->repl_stream_db);
}

static void
show_server(struct sheet *s, const struct server_facts *f)
{
    const struct server_config *c = &f->config;
    const struct {
        const char *name, *value;
    } settings[] = {
        {"dir", c->dir},
        {"dbfilename", c->dbfilename},
        {"appendonly", c->appendonly},
        {"appenddirname", c->appenddirname},
        {"appendfilename", c->appendfilename},
        {"databases", c->databases},
        {"maxmemory", c->maxmemory},
        {"save", c->save},
        {"cluster-enabled", c->cluster_enabled},
        {"rdbcompression", c->rdbcompression},
    };

    title(s, "Server");
    if (!f->known) {
        line(s, "unknown", "the backup was made from a file");
        return;
    }
    if (f->kind[0] != '\0')
        line(s, "server", "%s %s, %s", f->kind, f->version, f->role);
    else
        line(s, "server", "unknown: INFO was not allowed");
    line(s, "address", "%s", f->address);
    line(s, "host", "%s", f->host);
    line(s, "run id", "%s", f->run_id);
    line(s, "modules", "%s", f->modules);
    if (f->repl_id[0] != '\0')
        line(s, "sent as of", "%s, offset %" PRId64, f->repl_id, f->repl_offset);
    if (!f->config_known)
        line(s, "configuration", "unknown: CONFIG GET was not allowed");
    for (size_t i = 0; i < ARRAY_LEN(settings); i++)
        line(s, settings[i].name, "%s", settings[i].value);
}

static int
show_text(const struct manifest *m, const struct known *known, struct output *out, struct err *err)
{
    struct sheet s = {.err = ERR_INIT};
    int rc = -1;

    buf_init(&s.text, OUTPUT_MAX);
    show_backup(&s, m, known);
    show_dump(&s, &m->rdb);
    show_server(&s, &m->source);
    if (s.err.code == ERR_NONE)
        rc = output_buf(out, &s.text, err);
    else
        *err = s.err;
    buf_fini(&s.text);
    return rc;
}

/* {"time","reason"}: each null where it is not known. */
static json_t *
make_fact(const struct fact_words *words)
{
    json_t *object = json_object();

    if (words->time_ms != 0)
        output_add_time(object, "time", words->time_ms);
    else
        output_add(object, "time", json_null());
    if (words->reason[0] != '\0')
        output_add_text(object, "reason", words->reason);
    else
        output_add(object, "reason", json_null());
    return object;
}

static int
show_json(const struct repo *repo, const struct manifest *m, const struct known *known, struct output *out,
          struct err *err)
{
    struct layout_key key;
    json_t *object, *stored;
    char *data = NULL;
    size_t len = 0;

    layout_manifest(&key, m->instance, &m->id);
    if (store_get_all(repo->store, key.text, REPO_SMALL_OBJECT, &data, &len, err) < 0)
        return -1;
    stored = json_read_object(data, len, err);
    free(data);
    if (stored == NULL)
        return err_wrap(err, "manifest of %s", m->id.text);
    object = json_object();
    output_add_text(object, "command", "show");
    output_add(object, "manifest", stored);
    output_add(object, "verified", output_verified(&known->facts));
    output_add(object, "accepted", json_boolean(known->facts.accepted));
    output_add(object, "acceptance", known->facts.accepted ? make_fact(&known->acceptance) : json_null());
    output_add(object, "held", json_boolean(known->facts.held));
    output_add(object, "hold", known->facts.held ? make_fact(&known->hold) : json_null());
    return output_json_take(out, object, err);
}

int
cmd_show(const struct config *config, struct output *out, struct err *err)
{
    struct opened opened = {0};
    struct known known = {0};
    struct manifest *m = NULL;
    int rc = -1;

    if (pick_check(config->args[0], err) < 0)
        return -1;
    if (open_repo_instance(config, OPEN_REPO_READ, &opened, err) < 0 ||
        pick_backup(config, &opened, config->args[0], &m, err) < 0 || load_known(&opened.repo, m, &known, err) < 0)
        goto out;
    rc = out->json ? show_json(&opened.repo, m, &known, out, err) : show_text(m, &known, out, err);
out:
    catalog_entry_fini(&known.facts);
    manifest_free(m);
    open_repo_close(&opened);
    return rc;
}
