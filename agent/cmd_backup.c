/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_backup.c: `remora backup`. What can be wrong with the command line, the memory or the repository is found before
 * the server is asked to fork.
 */
#include <stdlib.h>
#include <string.h>

#include "agent/backup_config.h"
#include "agent/backup_method.h"
#include "agent/backup_tags.h"
#include "agent/cmd.h"
#include "agent/limits.h"
#include "agent/memory_guard.h"
#include "agent/open_repo.h"
#include "agent/progress_bar.h"
#include "agent/server.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/units.h"
#include "snapshot/backup.h"
#include "snapshot/redis/source_bgsave.h"
#include "snapshot/redis/source_file.h"
#include "snapshot/redis/source_psync.h"
#include "snapshot/repo/catalog.h"
#include "snapshot/repo/probe.h"

#define DEFAULT_DUMP "dump.rdb"

/* One run: what was found out of the configuration before anything is touched. */
struct run {
    const struct config *config;
    enum config_method method; /* never METHOD_AUTO */
    char *dump;                /* file: the dump's path */
    struct endpoint endpoint;  /* bgsave, psync; file: only where the server is asked for its configuration */
    struct memory_plan plan;
    struct manifest_tag tags[MANIFEST_TAGS_MAX];
    size_t tag_count;
    struct config_bundle *bundle; /* --with-config; else NULL */
    struct buf config_tar;        /* made of it */
    struct guard_options guards;
    struct guard_shrink shrink;
    struct opened opened;
    struct progress_bar *bar;
    int64_t started_ms;
};

static int
choose_method(struct run *r, struct err *err)
{
    const struct config *c = r->config;

    if (backup_method_choose(c, &r->method, err) < 0)
        return -1;
    if (r->method != METHOD_FILE)
        return server_endpoint(c, &r->endpoint, err);
    r->dump = c->rdb_file != NULL ? mem_strdup(c->rdb_file) : mem_printf("%s/%s", c->data_dir, DEFAULT_DUMP);
    return c->with_config.count > 0 && c->redis_url != NULL ? server_endpoint(c, &r->endpoint, err) : 0;
}

/* What is kept of the configuration, before the server is asked for a save. */
static int
make_config(struct run *r, struct err *err)
{
    const struct endpoint *e = r->endpoint.text != NULL ? &r->endpoint : NULL;
    int rc = 0;

    if (r->bundle != NULL)
        rc = backup_config_finish(r->bundle, e, r->method != METHOD_FILE, &r->config_tar, err);
    config_bundle_free(r->bundle);
    r->bundle = NULL;
    return rc;
}

static int
make_plan(struct run *r, struct err *err)
{
    const struct config *c = r->config;
    const uint64_t memory = c->memory > r->config_tar.len ? c->memory - r->config_tar.len : 0;
    char segment[UNITS_TEXT_MAX], buffers[UNITS_TEXT_MAX], text[UNITS_TEXT_MAX];

    if (memory_plan_make(memory, limits_jobs(c), (int)c->level, &r->plan, err) < 0)
        return -1;
    log_info("memory plan", LOG_S("memory", units_format_size(c->memory, text)), LOG_U("jobs", r->plan.jobs),
             LOG_S("segment", units_format_size(r->plan.segment_bytes, segment)), LOG_I("zstd_level", r->plan.level),
             LOG_S("buffers", units_format_size(r->plan.buffer_bytes, buffers)));
    if (r->plan.jobs < c->jobs)
        log_warn("fewer jobs than asked for: --memory does not suffice", LOG_U("asked", c->jobs),
                 LOG_U("jobs", r->plan.jobs));
    return 0;
}

/* The last good backup, by whose keys the new one will be judged. Looked for before the server is asked for anything: a
 * store that fails now must not cost a save. */
static int
find_measure(struct run *r, struct err *err)
{
    const struct config *c = r->config;
    struct manifest *last = NULL;

    r->shrink.percent = (unsigned)c->shrink_guard;
    r->shrink.policy = (enum guard_policy)c->on_shrink;
    if (c->shrink_guard == 0)
        return 0;
    if (catalog_find(&r->opened.repo, c->instance, "latest", NULL, NULL, &last, err) == 0) {
        r->shrink.id = last->id;
        r->shrink.keys = last->rdb.parsed ? last->rdb.keys : 0;
        manifest_free(last);
        return 0;
    }
    if (err->code == ERR_NOT_FOUND) {
        err_clear(err);
        return 0;
    }
    if (err->code != ERR_UNSUPPORTED)
        return err_wrap(err, "find the last good backup, by which the shrink guard goes (--shrink-guard 0: without)");
    /* What is not understood is no measure, but a backup more is worth more than a guard. */
    log_warn("the shrink guard has nothing to go by", LOG_S("instance", c->instance), LOG_S("why", err->msg));
    err_clear(err);
    return 0;
}

static void
set_guards(struct run *r)
{
    memory_guard_options(r->config, &r->endpoint, &r->guards.memory);
    r->guards.space = (enum guard_policy)r->config->space_guard;
}

/* The save's progress, told as the backup's own. */
static void
on_save_progress(const struct source_progress *p, void *cookie)
{
    struct progress_sink sink = progress_bar_sink(cookie);

    progress_tell(&sink, p->phase == SOURCE_SAVING ? PROGRESS_SAVING : PROGRESS_WAITING, p->keys_done, p->keys_total,
                  0);
}

static int
open_bgsave(struct run *r, struct source **source, struct err *err)
{
    const struct config *c = r->config;
    const struct source_bgsave_options o = {
        .endpoint = &r->endpoint,
        .data_dir = c->data_dir,
        .rdb_file = c->rdb_file,
        .timeout_ms = c->timeout_ms,
        .allow_master = c->allow_master == CONFIG_YES,
        .guards = r->guards,
        .progress = on_save_progress,
        .cookie = r->bar,
    };

    return source_bgsave_open(&o, source, err);
}

static int
open_psync(struct run *r, struct source **source, struct err *err)
{
    const struct config *c = r->config;
    const struct source_psync_options o = {
        .endpoint = &r->endpoint,
        .timeout_ms = c->timeout_ms,
        .allow_master = c->allow_master == CONFIG_YES,
        .spool_dir = c->spool_dir,
        .spool_bytes = c->spool_size,
        .memory_guard = r->guards.memory,
        .progress = on_save_progress,
        .cookie = r->bar,
    };

    return source_psync_open(&o, source, err);
}

static int
open_source(struct run *r, struct source **source, struct err *err)
{
    const char *url = store_url(r->opened.store);

    switch (r->method) {
    case METHOD_FILE:
        log_info("reading a dump file", LOG_S("instance", r->config->instance), LOG_S("file", r->dump),
                 LOG_S("repository", url));
        return source_file_open(r->dump, source, err);
    case METHOD_PSYNC:
        log_info("asking the server for its data", LOG_S("instance", r->config->instance),
                 LOG_S("server", endpoint_describe(&r->endpoint)), LOG_S("repository", url));
        return open_psync(r, source, err);
    default:
        log_info("asking the server for a save", LOG_S("instance", r->config->instance),
                 LOG_S("server", endpoint_describe(&r->endpoint)), LOG_S("repository", url));
        return open_bgsave(r, source, err);
    }
}

static void
log_suspicion(const struct run *r, const struct manifest *m)
{
    if (m->suspicious)
        log_warn("the backup has far fewer keys than the last good one and is marked suspicious: it is never the "
                 "latest and prune expires nothing until `remora accept`; look whether the server lost data",
                 LOG_S("id", m->id.text), LOG_U("keys", m->rdb.keys), LOG_S("last_good", r->shrink.id.text),
                 LOG_U("last_good_keys", r->shrink.keys));
}

static void
log_finish(const struct run *r, const struct manifest *m)
{
    char raw[UNITS_TEXT_MAX], stored[UNITS_TEXT_MAX], took[UNITS_TEXT_MAX];

    if (m->rdb.crc_state == RDB_CRC_DISABLED)
        log_warn("the dump carries no checksum: damage that came before this backup cannot be seen; set `rdbchecksum "
                 "yes` on the server",
                 LOG_S("id", m->id.text));
    if (!m->rdb.parsed)
        log_warn("the dump was taken on its checksum alone", LOG_S("id", m->id.text),
                 LOG_S("why", m->rdb.unparsed_why));
    log_suspicion(r, m);
    log_info("backup finished", LOG_S("id", m->id.text), LOG_S("instance", m->instance), LOG_S("method", m->method),
             LOG_U("keys", m->rdb.keys), LOG_S("raw", units_format_size(m->rdb_member.raw_size, raw)),
             LOG_S("stored", units_format_size(m->rdb_member.stored_size, stored)),
             LOG_U("segments", m->rdb_member.segments),
             LOG_S("took", units_format_duration(clock_mono_ms() - r->started_ms, took)));
}

static json_t *
guards_of(const struct manifest *m)
{
    json_t *list = json_array();

    for (size_t i = 0; i < m->finding_count; i++) {
        json_t *one = json_object();

        output_add_text(one, "guard", m->findings[i].guard);
        output_add_text(one, "text", m->findings[i].text);
        REQUIRE(json_array_append_new(list, one) == 0);
    }
    return list;
}

static int
report(const struct run *r, const struct manifest *m, struct output *out, struct err *err)
{
    json_t *object;

    if (!out->json)
        return output_text(out, err, "%s\n", m->id.text);
    object = json_object();
    output_add_text(object, "command", "backup");
    output_add_text(object, "id", m->id.text);
    output_add_text(object, "instance", m->instance);
    output_add_text(object, "method", m->method);
    output_add_time(object, "snapshot_time", m->snapshot_ms);
    output_add_count(object, "raw_size", m->rdb_member.raw_size);
    output_add_count(object, "stored_size", m->rdb_member.stored_size);
    output_add_count(object, "segments", m->rdb_member.segments);
    output_add_count(object, "config_size", m->config_member.raw_size);
    output_add_count(object, "keys", m->rdb.keys);
    output_add_count(object, "expires", m->rdb.expires);
    output_add(object, "suspicious", json_boolean(m->suspicious));
    output_add(object, "guards", guards_of(m));
    output_add_count(object, "duration_ms", (uint64_t)(clock_mono_ms() - r->started_ms));
    return output_json_take(out, object, err);
}

/* From here on the server is asked, and the repository written. */
static int
run_backup(struct run *r, struct manifest **m, struct err *err)
{
    struct source *source = NULL;
    const int64_t started_ms = repo_now_ms(&r->opened.repo);
    int rc = -1;

    r->bar = progress_bar_new(r->config);
    if (open_source(r, &source, err) == 0) {
        const struct backup_options o = {
            .repo = &r->opened.repo,
            .instance = r->config->instance,
            .plan = r->plan,
            .tool_version = REMORA_VERSION,
            .tags = r->tags,
            .tag_count = r->tag_count,
            .started_ms = started_ms,
            .allow_unparsed = r->config->allow_unparsed,
            .config = r->config_tar.data,
            .config_len = r->config_tar.len,
            .shrink = r->shrink,
            .progress = progress_bar_sink(r->bar),
        };

        rc = backup_run(&o, source, m, err);
    }
    source_free(source);
    progress_bar_free(r->bar);
    return rc;
}

static void
run_fini(struct run *r)
{
    backup_tags_free(r->tags, r->tag_count);
    config_bundle_free(r->bundle);
    buf_fini(&r->config_tar);
    open_repo_close(&r->opened);
    endpoint_fini(&r->endpoint);
    free(r->dump);
}

int
cmd_backup(const struct config *config, struct output *out, struct err *err)
{
    struct run r = {.config = config, .started_ms = clock_mono_ms()};
    struct manifest *m = NULL;
    int rc = -1;

    if (choose_method(&r, err) < 0 || backup_tags_read(config, r.tags, &r.tag_count, err) < 0 ||
        backup_config_read(config, &r.bundle, err) < 0)
        goto out;
    if (open_repo_instance(config, config->create ? OPEN_REPO_CREATE : OPEN_REPO_WRITE, &r.opened, err) < 0)
        goto out;
    if (make_config(&r, err) < 0 || make_plan(&r, err) < 0 || find_measure(&r, err) < 0)
        goto out;
    set_guards(&r);
    /* Before the server is asked for a save, or the stream begins; a bare file's first put says it soon enough. */
    if (r.method != METHOD_FILE && probe_run(&r.opened.repo, config->instance, err) < 0)
        goto out;
    if (run_backup(&r, &m, err) < 0)
        goto out;
    log_finish(&r, m);
    if (!m->suspicious) /* `latest` would not take it */
        out->made = figures_latest_of(m);
    rc = report(&r, m, out, err);
    if (rc < 0)
        (void)err_wrap(err, "backup %s was made, but could not be reported", m->id.text);
out:
    manifest_free(m);
    run_fini(&r);
    return rc;
}
