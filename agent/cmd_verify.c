/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_verify.c: `remora verify`: one backup or all of them, a line or an object each. A damaged one does not keep the
 * others from being looked at; the exit status is the worst of all, damage before anything else. */
#include <stdio.h>
#include <string.h>

#include "agent/cmd.h"
#include "agent/limits.h"
#include "agent/open_repo.h"
#include "agent/pick.h"
#include "agent/progress_bar.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/units.h"
#include "snapshot/repo/catalog.h"
#include "snapshot/verify.h"

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

/* A line or an object for the backup ID; RESULT's code is ERR_NONE where it is good. M may be NULL then not. */
static int
tell(struct check *c, const struct backup_id *id, const struct manifest *m, const struct err *result, int64_t ms,
     struct err *err)
{
    char size[UNITS_TEXT_MAX], took[UNITS_TEXT_MAX];
    json_t *object;

    REQUIRE(m != NULL || result->code != ERR_NONE);
    if (c->results == NULL && result->code == ERR_NONE)
        return output_text(c->out, err, "%s ok %s %s %s\n", id->text, verify_level_name(c->level),
                           units_format_size(m->rdb_member.raw_size, size), units_format_duration(ms, took));
    if (c->results == NULL)
        return output_text(c->out, err, "%s %s: %.900s\n", id->text,
                           result->code == ERR_CORRUPT ? "DAMAGED" : "NOT CHECKED", without_id(id, result->msg));
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
    output_add_count(object, "duration_ms", (uint64_t)ms);
    REQUIRE(json_array_append_new(c->results, object) == 0);
    return 0;
}

/* A result that cannot be recorded is a good result all the same. */
static void
record(const struct check *c, const struct manifest *m)
{
    struct err err = ERR_INIT;

    if (c->level == VERIFY_QUICK || c->config->record == RECORD_NO)
        return;
    if (verify_record(c->repo, m, c->level, REMORA_VERSION, &err) < 0)
        log_warn("the good result could not be recorded; --record no does not try", LOG_S("id", m->id.text),
                 LOG_S("why", err.msg));
}

static int
verify_one(struct check *c, const struct manifest *m, struct err *err)
{
    struct progress_bar *bar = progress_bar_new(c->config);
    struct read_options options = limits_reading(c->config, bar);
    struct err result = ERR_INIT;
    int64_t started_ms = clock_mono_ms();
    int rc = verify_backup(c->repo, m, c->level, &options, &result);

    progress_bar_free(bar);
    c->done++;
    if (rc < 0 && result.code == ERR_INTERRUPTED) {
        *err = result;
        return -1;
    }
    if (rc < 0)
        note_failure(c, &m->id, &result);
    else
        record(c, m);
    return tell(c, &m->id, m, &result, clock_mono_ms() - started_ms, err);
}

static int
verify_all(struct check *c, struct err *err)
{
    struct catalog *catalog = NULL;
    int rc = 0;

    if (catalog_load(c->repo, c->config->instance, &catalog, err) < 0)
        return -1;
    if (catalog->count == 0)
        log_info("no backup yet", LOG_S("instance", c->config->instance));
    for (size_t i = 0; i < catalog->count && rc == 0; i++) {
        const struct catalog_entry *e = &catalog->entries[i];

        if (e->manifest != NULL) {
            rc = verify_one(c, e->manifest, err);
            continue;
        }
        c->done++;
        note_failure(c, &e->id, &e->problem);
        rc = tell(c, &e->id, NULL, &e->problem, 0, err);
    }
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
    c->done++;
    note_failure(c, &id, &problem);
    return tell(c, &id, NULL, &problem, 0, err);
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
        return err_set(err, c->worst.code, "backup %s is not good: %s", c->worst_id.text,
                       without_id(&c->worst_id, c->worst.msg));
    return err_set(err, c->worst.code, "%zu of %zu backups are not good, such as %s: %s", c->bad, c->done,
                   c->worst_id.text, without_id(&c->worst_id, c->worst.msg));
}

int
cmd_verify(const struct config *config, struct output *out, struct err *err)
{
    const char *which = config->arg_count > 0 ? config->args[0] : "latest";
    struct check c = {.config = config, .out = out, .worst = ERR_INIT};
    bool writes = !config->quick && config->record == RECORD_AUTO;
    struct opened opened = {0};
    int rc = -1;

    if (config->all && config->arg_count > 0)
        return err_set(err, ERR_USAGE, "--all and the argument \"%.60s\" exclude each other", which);
    if (pick_check(which, err) < 0)
        return -1;
    if (open_repo_instance(config, writes ? OPEN_REPO_WRITE : OPEN_REPO_READ, &opened, err) < 0)
        goto out;
    c.repo = &opened.repo;
    c.level = config->quick ? VERIFY_QUICK : VERIFY_DIGESTS;
    c.results = out->json ? json_array() : NULL;
    rc = config->all ? verify_all(&c, err) : verify_named(&c, &opened, which, err);
    if (rc == 0)
        rc = finish(&c, err);
out:
    json_decref(c.results);
    open_repo_close(&opened);
    return rc;
}
