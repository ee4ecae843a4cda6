/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_verify.c: `remora verify`: one backup, all of them or a sample, a line or an object each. A damaged one does not
 * keep the others from being looked at; the exit status is the worst of all, damage before anything else. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/cgroup.h"
#include "agent/cmd.h"
#include "agent/limits.h"
#include "agent/open_repo.h"
#include "agent/pick.h"
#include "agent/printable.h"
#include "agent/progress_bar.h"
#include "agent/verify_options.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/units.h"
#include "snapshot/repo/catalog.h"
#include "snapshot/sample.h"
#include "snapshot/verify.h"
#include "snapshot/verify_load.h"

struct check {
    const struct config *config;
    const struct repo *repo;
    enum verify_level level;
    struct output *out;
    json_t *results; /* JSON: all of them */
    size_t done, bad;
    struct err worst;
    struct backup_id worst_id;
};

/* What came of one backup. */
struct verdict {
    struct err err; /* ERR_NONE: it is good */
    int64_t ms;
    struct verify_loaded loaded; /* --load */
};

static void
note_failure(struct check *c, const struct backup_id *id, const struct err *failure)
{
    c->bad++;
    if (c->worst.code == ERR_NONE || (failure->code == ERR_CORRUPT && c->worst.code != ERR_CORRUPT)) {
        c->worst = *failure;
        c->worst_id = *id;
    }
}

/* What is wrong, without the "backup ID: " in front, which stands in the line already. */
static const char *
without_id(const struct backup_id *id, const char *sentence)
{
    char prefix[BACKUP_ID_LEN + 16];
    int len = snprintf(prefix, sizeof(prefix), "backup %s: ", id->text);

    return strncmp(sentence, prefix, (size_t)len) == 0 ? sentence + len : sentence;
}

/* What a server had to say: " (redis 7.0.15, 12 keys expired since the backup)". "" at the other levels. */
static const char *
describe_load(const struct check *c, const struct verify_loaded *loaded, char *out, size_t size)
{
    char expired[UNITS_TEXT_MAX], note[2 * UNITS_TEXT_MAX] = "";

    if (loaded->expired > 0)
        (void)snprintf(note, sizeof(note), ", %s key%s expired since the backup",
                       units_format_count(loaded->expired, expired), loaded->expired == 1 ? "" : "s");
    if (c->level == VERIFY_LOAD)
        (void)snprintf(out, size, " (%s%s)", loaded->server, note);
    else
        out[0] = '\0';
    return out;
}

static int
tell_line(struct check *c, const struct backup_id *id, const struct manifest *m, const struct verdict *v,
          struct err *err)
{
    char size[UNITS_TEXT_MAX], took[UNITS_TEXT_MAX], load[256];
    struct err told = v->err;

    if (told.code == ERR_NONE)
        return output_text(c->out, err, "%s ok %s %s %s%s\n", id->text, verify_level_name(c->level),
                           units_format_size(m->rdb_member.raw_size, size), units_format_duration(v->ms, took),
                           describe_load(c, &v->loaded, load, sizeof(load)));
    printable_make(told.msg);
    return output_text(c->out, err, "%s %s: %.900s\n", id->text, told.code == ERR_CORRUPT ? "DAMAGED" : "NOT CHECKED",
                       without_id(id, told.msg));
}

/* A line or an object for the backup ID. M is NULL only where V is a failure. */
static int
tell(struct check *c, const struct backup_id *id, const struct manifest *m, const struct verdict *v, struct err *err)
{
    const struct err *result = &v->err;
    bool loaded = c->level == VERIFY_LOAD && result->code == ERR_NONE;
    json_t *object;

    REQUIRE(m != NULL || result->code != ERR_NONE);
    if (c->results == NULL)
        return tell_line(c, id, m, v, err);
    object = json_object();
    output_add_text(object, "id", id->text);
    output_add_text(object, "level", verify_level_name(c->level));
    output_add(object, "ok", json_boolean(result->code == ERR_NONE));
    if (result->code != ERR_NONE) {
        output_add_text(object, "error", without_id(id, result->msg));
        output_add_text(object, "code", err_name(result->code));
    } else {
        output_add(object, "error", json_null());
        output_add(object, "code", json_null());
    }
    output_add_count(object, "duration_ms", (uint64_t)v->ms);
    output_add(object, "server", loaded ? json_string(v->loaded.server) : json_null());
    output_add(object, "expired_keys", loaded ? json_integer((json_int_t)v->loaded.expired) : json_null());
    REQUIRE(json_array_append_new(c->results, object) == 0);
    return 0;
}

/* A result that cannot be recorded is a good result all the same. */
static void
record(const struct check *c, const struct manifest *m, const struct verify_loaded *loaded)
{
    const struct verify_fact found = {
        .level = c->level, .server = c->level == VERIFY_LOAD ? loaded->server : NULL, .tool_version = REMORA_VERSION};
    struct err err = ERR_INIT;

    if (c->level == VERIFY_QUICK || c->config->record == RECORD_NO)
        return;
    if (verify_record(c->repo, m, &found, &err) < 0)
        log_warn("the good result could not be recorded; --record no does not try", LOG_S("id", m->id.text),
                 LOG_S("why", err.msg));
}

static const char *
temp_dir(const struct config *config)
{
    const char *standard = getenv("TMPDIR");

    if (config->temp_dir != NULL)
        return config->temp_dir;
    return standard != NULL && *standard != '\0' ? standard : "/tmp";
}

static int
look_at(const struct check *c, const struct manifest *m, const struct read_options *reading, struct verdict *v)
{
    const struct verify_load_options options = {
        .server_binary = c->config->server_binary,
        .temp_dir = temp_dir(c->config),
        .memory_limit = c->level == VERIFY_LOAD ? cgroup_memory("") : 0,
        .reading = *reading,
    };

    if (c->level != VERIFY_LOAD)
        return verify_backup(c->repo, m, c->level, reading, &v->err);
    if (verify_load(c->repo, m, &options, &v->loaded, &v->err) < 0)
        return -1;
    if (v->loaded.skipped > 0)
        log_warn("the server left out keys that hold no element, as every server of its version would",
                 LOG_S("id", m->id.text), LOG_U("keys", v->loaded.skipped));
    return 0;
}

static int
verify_one(struct check *c, const struct manifest *m, struct err *err)
{
    struct progress_bar *bar = progress_bar_new(c->config);
    const struct read_options options = limits_reading(c->config, bar);
    struct verdict v = {.err = ERR_INIT};
    int64_t started_ms = clock_mono_ms();
    int rc;

    progress_tell(&options.progress, PROGRESS_VERIFYING, 0, m->rdb_member.raw_size, 0);
    rc = look_at(c, m, &options, &v);
    progress_bar_free(bar);
    v.ms = clock_mono_ms() - started_ms;
    c->done++;
    if (rc < 0 && v.err.code == ERR_INTERRUPTED) {
        *err = v.err;
        return -1;
    }
    if (rc < 0)
        note_failure(c, &m->id, &v.err);
    else
        record(c, m, &v.loaded);
    if (rc == 0 && c->level != VERIFY_QUICK)
        c->out->verified_ms = clock_wall_ms();
    return tell(c, &m->id, m, &v, err);
}

/* A backup whose manifest is PROBLEM. */
static int
tell_problem(struct check *c, const struct backup_id *id, const struct err *problem, struct err *err)
{
    const struct verdict v = {.err = *problem};

    c->done++;
    note_failure(c, id, problem);
    return tell(c, id, NULL, &v, err);
}

/* The backup ID of a listing, whose manifest is read only now. */
static int
verify_listed(struct check *c, const struct backup_id *id, struct err *err)
{
    struct manifest *m = NULL;
    struct err problem = ERR_INIT;
    int rc;

    if (catalog_find(c->repo, c->config->instance, id->text, NULL, NULL, &m, &problem) == 0) {
        rc = verify_one(c, m, err);
        manifest_free(m);
        return rc;
    }
    if (problem.code == ERR_INTERRUPTED) {
        *err = problem;
        return -1;
    }
    if (problem.code != ERR_NOT_FOUND)
        return tell_problem(c, id, &problem, err);
    if (repo_check_there(c->repo, err) < 0)
        return -1;
    log_info("this backup was removed meanwhile", LOG_S("id", id->text));
    return 0;
}

/* Which of CATALOG's backups are looked into: all that cannot be used, and N of the others, all for N 0. free() it. */
static bool *
choose(const struct catalog *catalog, uint64_t n)
{
    int64_t *times_ms = mem_array(catalog->count, sizeof(*times_ms));
    bool *picked = mem_array(catalog->count, sizeof(*picked)), *chosen = mem_array(catalog->count, sizeof(*chosen));
    size_t whole = 0, at = 0;

    for (size_t i = 0; i < catalog->count; i++)
        if (catalog->entries[i].state == CATALOG_WHOLE)
            times_ms[whole++] = catalog->entries[i].taken_ms;
    sample_pick(times_ms, whole, n > 0 ? (size_t)n : whole + 1, picked);
    for (size_t i = 0; i < catalog->count; i++)
        chosen[i] = catalog->entries[i].state != CATALOG_WHOLE || picked[at++];
    free(times_ms);
    free(picked);
    return chosen;
}

/* Thousands of backups take their time. */
static int
load_catalog(const struct check *c, struct catalog **out, struct err *err)
{
    struct progress_bar *bar = progress_bar_new(c->config);
    struct repo telling = *c->repo;
    int rc;

    telling.progress = progress_bar_sink(bar);
    rc = catalog_load(&telling, c->config->instance, CATALOG_MARKS, out, err);
    progress_bar_free(bar);
    return rc;
}

/* --all and --sample. Damaged manifests are told and counted with both: they are known already. */
static int
verify_many(struct check *c, struct err *err)
{
    struct catalog *catalog = NULL;
    bool *chosen;
    int rc = 0;

    if (load_catalog(c, &catalog, err) < 0)
        return -1;
    if (catalog->count == 0)
        log_info("no backup yet", LOG_S("instance", c->config->instance));
    chosen = choose(catalog, c->config->sample);
    for (size_t i = 0; i < catalog->count && rc == 0; i++) {
        if (chosen[i])
            rc = verify_listed(c, &catalog->entries[i].id, err);
    }
    free(chosen);
    catalog_free(catalog);
    return rc;
}

static int
verify_named(struct check *c, const struct opened *s, const char *which, struct err *err)
{
    struct manifest *m = NULL;
    struct backup_id id;
    struct err problem = ERR_INIT;
    int rc;

    if (pick_backup(c->config, s, which, &m, &problem) == 0) {
        rc = verify_one(c, m, err);
        manifest_free(m);
        return rc;
    }
    if (problem.code != ERR_CORRUPT || !backup_id_parse(which, &id, NULL)) {
        *err = problem;
        return -1;
    }
    return tell_problem(c, &id, &problem, err);
}

/* The object with all results; then the worst failure, if any, as the command's own. */
static int
finish(struct check *c, struct err *err)
{
    json_t *object;

    if (c->results != NULL) {
        object = json_object();
        output_add_text(object, "command", "verify");
        output_add(object, "results", c->results);
        c->results = NULL;
        if (output_json_take(c->out, object, err) < 0)
            return -1;
    }
    if (c->bad == 0)
        return 0;
    if (c->done == 1)
        return err_set(err, c->worst.code, "backup %s %s: %s", c->worst_id.text,
                       c->worst.code == ERR_CORRUPT ? "is not good" : "could not be verified",
                       without_id(&c->worst_id, c->worst.msg));
    return err_set(err, c->worst.code, "%zu of %zu backups are not good or could not be verified, such as %s: %s",
                   c->bad, c->done, c->worst_id.text, without_id(&c->worst_id, c->worst.msg));
}

int
cmd_verify(const struct config *config, struct output *out, struct err *err)
{
    const char *which = config->arg_count > 0 ? config->args[0] : "latest";
    struct check c = {.config = config, .out = out, .worst = ERR_INIT};
    bool writes = !config->quick && config->record == RECORD_AUTO;
    struct opened opened = {0};
    int rc = -1;

    if (verify_options_check(config, config->arg_count > 0 ? which : NULL, err) < 0)
        return -1;
    if (open_repo_instance(config, writes ? OPEN_REPO_WRITE : OPEN_REPO_READ, &opened, err) < 0)
        goto out;
    c.repo = &opened.repo;
    c.level = config->quick ? VERIFY_QUICK : config->load ? VERIFY_LOAD : VERIFY_DIGESTS;
    c.results = out->json ? json_array() : NULL;
    rc = config->all || config->sample > 0 ? verify_many(&c, err) : verify_named(&c, &opened, which, err);
    if (rc == 0)
        rc = finish(&c, err);
out:
    json_decref(c.results);
    open_repo_close(&opened);
    return rc;
}
