/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_restore.c: `remora restore`. The target is judged before anything is asked over a network, so that a pod with
 * data on its volume never waits for anyone; a restore that was ready when it was interrupted is finished without the
 * repository; and everything that can be refused is refused before the first byte is written.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/cmd.h"
#include "agent/limits.h"
#include "agent/open_export.h"
#include "agent/open_target.h"
#include "agent/pick.h"
#include "agent/progress_bar.h"
#include "agent/restore_backup.h"
#include "agent/restore_config.h"
#include "agent/restore_policy.h"
#include "agent/restore_report.h"
#include "agent/server.h"
#include "agent/target_server.h"
#include "base/clock.h"
#include "base/log.h"
#include "snapshot/redis/transport.h"
#include "snapshot/restore.h"

#define ANSWER_MS 5000 /* how long the server of --redis-url may take to take a connection */

struct run {
    const struct config *c;
    struct restore_policy policy;
    struct target_server server;
    struct target *target;
    struct restore_backup backup;
    struct restore_config files; /* --config-to: what will be written */
    struct restore_result *result;
    bool replace;  /* there is data, and it is to be moved away */
    bool prepared; /* everything that can be asked was asked, for `prepared_replace` */
    bool prepared_replace;
    bool locked;
};

/* What the state of the target calls for. */
enum act {
    ACT_FETCH,  /* restore from the repository */
    ACT_FINISH, /* bring in what an earlier run had ready */
    ACT_NONE,   /* nothing: the result says why */
};

/* ---- the command line -------------------------------------------------------------------------------------------- */

static int
check_options(const struct config *c, struct err *err)
{
    if (c->to_stdout && (c->target != NULL || c->config_to != NULL))
        return err_set(err, ERR_USAGE, "--%s and --stdout exclude each other",
                       c->target != NULL ? "target" : "config-to");
    if (!c->to_stdout && c->target == NULL && c->config_to == NULL)
        return err_set(err, ERR_USAGE,
                       "where to? Give --target DIR, the folder the server will start on, or --stdout, or --config-to "
                       "DIR for the configuration files");
    if (c->to_stdout && c->json)
        return err_set(err, ERR_USAGE, "--json and --stdout exclude each other: stdout carries the dump");
    if (c->to_stdout && isatty(STDOUT_FILENO))
        return err_set(err, ERR_USAGE, "--stdout: a dump is no text for a terminal; redirect it, as in > dump.rdb");
    if (c->force && c->if_empty)
        return err_set(err, ERR_USAGE, "--force and --if-empty exclude each other: one replaces data, one keeps it");
    if (c->discard && !c->force)
        return err_set(err, ERR_USAGE, "--discard goes with --force only: it deletes the data that was replaced");
    if (pick_check(c->backup, err) < 0)
        return err_wrap(err, "--backup");
    return open_export_check(c, err);
}

/* ---- what the state of the target calls for ---------------------------------------------------------------------- */

/* Is the backup that lies ready the one that was asked for? */
static bool
is_wanted(const struct run *r)
{
    return pick_is_latest(r->c->backup) || strcmp(r->c->backup, target_ready_plan(r->target)->id.text) == 0;
}

/* Data may be moved only while nobody serves it. Any connection that is taken counts as an answer. */
static int
check_server_is_down(const struct config *c, struct err *err)
{
    struct endpoint e;
    struct transport *t;
    struct err unused = ERR_INIT;

    if (c->redis_url == NULL)
        return 0;
    if (server_endpoint(c, &e, err) < 0)
        return -1;
    e.tls = false; /* no word is exchanged */
    t = transport_connect(&e, clock_mono_ms() + ANSWER_MS, &unused);
    if (t != NULL)
        (void)err_set(err, ERR_REFUSED,
                      "restore --force into %s was refused, nothing was changed: the server at %s is running; stop it "
                      "first, as by scaling its StatefulSet to 0",
                      c->target, endpoint_describe(&e));
    transport_free(t);
    endpoint_fini(&e);
    return t != NULL ? -1 : 0;
}

/* Always -1. */
static int
refuse(const struct run *r, enum target_state state, struct err *err)
{
    if (state == TARGET_UNSURE)
        return err_set(err, ERR_REFUSED,
                       "restore into %s was refused, nothing was changed: what is in it may be data (%s); look at it, "
                       "and move it away if it is not wanted, name it with --ignore, or restore with --force",
                       r->c->target, target_reason(r->target));
    return err_set(err, ERR_REFUSED,
                   "restore into %s was refused, no data was changed: there is data in it (%s); a restore needs an "
                   "empty folder, so move the data away, or restore with --force, which does that",
                   r->c->target, target_reason(r->target));
}

static int
decide_about_data(struct run *r, enum target_state state, enum act *act, struct err *err)
{
    if (r->c->force) {
        r->replace = true;
        return 0;
    }
    if (state == TARGET_DATA && !r->c->dry_run)
        target_tidy(r->target); /* what an interrupted restore left is of no use any more */
    if (state == TARGET_UNSURE || !r->c->if_empty)
        return refuse(r, state, err);
    *act = ACT_NONE;
    r->result->outcome = RESTORE_KEPT;
    (void)snprintf(r->result->why, sizeof(r->result->why), "there is data in it (%s)", target_reason(r->target));
    return 0;
}

static int
decide(struct run *r, enum target_state state, enum act *act, struct err *err)
{
    *act = ACT_FETCH;
    r->replace = false;
    switch (state) {
    case TARGET_EMPTY:
        return 0;
    case TARGET_STAGED:
        *act = is_wanted(r) ? ACT_FINISH : ACT_FETCH;
        return 0;
    case TARGET_REPLACING:
        *act = ACT_FINISH;
        if (!target_ready_fits(r->target))
            return err_set(err, ERR_REFUSED,
                           "%s holds a forced restore of %s that was interrupted, in the %s layout, which is not what "
                           "the server is said to read now; finish it with the options it was begun with",
                           r->c->target, target_ready_plan(r->target)->id.text,
                           target_layout_name(target_ready_plan(r->target)->layout));
        return check_server_is_down(r->c, err);
    case TARGET_DATA:
    case TARGET_UNSURE:
        break;
    }
    return decide_about_data(r, state, act, err);
}

/* ---- everything that can be refused ------------------------------------------------------------------------------ */

/* Nobody else may hold the data that a restore here would be older than. */
static int
check_peers(const struct config *c, struct err *err)
{
    if (!c->force)
        return server_check_peers(c, err);
    if (c->live_peers != NULL)
        log_warn("--force: the live peers are not asked", LOG_S("live_peers", c->live_peers));
    return 0;
}

/* The layout and the server, as far as flags and files have not told them; then: can that server read this backup? */
static int
check_reader(struct run *r, struct err *err)
{
    const char *source = r->backup.m->source.config.appendonly;

    (void)snprintf(r->result->source_appendonly, sizeof(r->result->source_appendonly), "%s", source);
    if (r->c->redis_url != NULL && !r->replace && target_server_ask(r->c, &r->server, err) < 0)
        return -1;
    if (target_server_need_layout(&r->server, source, err) < 0)
        return -1;
    return target_server_check_dump(&r->server, &r->backup.m->rdb, err);
}

static void
note_backup(struct run *r, const struct target_plan *plan, const char *layout_why)
{
    struct restore_result *result = r->result;

    result->id = plan->id;
    result->layout = plan->layout;
    result->bytes = plan->size;
    (void)snprintf(result->entry, sizeof(result->entry), "%s", target_layout_entry(plan->layout, &plan->names));
    (void)snprintf(result->layout_why, sizeof(result->layout_why), "%s", layout_why);
    (void)target_owner_text(r->target, result->owner);
}

static struct target_plan
make_plan(const struct run *r)
{
    return (struct target_plan){
        .id = r->backup.m->id,
        .layout = r->server.layout,
        .names = r->server.names,
        .size = r->backup.m->rdb_member.raw_size,
        .replace = r->replace,
    };
}

/* Ask all that can be asked before the target is touched. *FOUND says whether there is anything to restore. */
static int
prepare(struct run *r, enum restore_found *found, struct err *err)
{
    struct target_plan plan;

    if ((r->replace ? check_server_is_down(r->c, err) : check_peers(r->c, err)) < 0)
        return -1;
    if (target_check_access(r->target, r->replace, err) < 0)
        return -1;
    if (restore_backup_find(r->c, &r->policy, &r->backup, found, err) < 0)
        return -1;
    r->prepared = true;
    r->prepared_replace = r->replace;
    if (*found == RESTORE_FOUND_NOTHING && r->replace)
        return err_set(
            err, ERR_REFUSED,
            "restore --force into %s was refused, nothing was changed: there is nothing to restore (%s), and "
            "with the data in it (%s) no server would start empty; move that away if this is wanted",
            r->c->target, r->backup.why, target_reason(r->target));
    if (*found == RESTORE_FOUND_NOTHING) {
        r->result->outcome = RESTORE_EMPTY;
        (void)snprintf(r->result->why, sizeof(r->result->why), "%s", r->backup.why);
        log_warn("nothing is restored, and the server may start empty", LOG_S("why", r->backup.why));
        return 0;
    }
    if (r->c->config_to != NULL && (restore_config_check(r->c, err) < 0 ||
                                    restore_config_load(r->c, &r->backup.opened, r->backup.m, &r->files, err) < 0))
        return -1;
    if (check_reader(r, err) < 0 || target_check_room(r->target, r->backup.m->rdb_member.raw_size, err) < 0)
        return -1;
    plan = make_plan(r);
    note_backup(r, &plan, r->server.layout_why);
    return 0;
}

/* What to do about a backup that is damaged. */
static const char *
way_out(const struct config *c)
{
    return c->from != NULL ? "export it once more, or take another file"
                           : "choose another backup with --backup ID (`remora list` shows them)";
}

/* ---- doing it ---------------------------------------------------------------------------------------------------- */

static int
fetch(struct run *r, struct err *err)
{
    const struct target_plan plan = make_plan(r);
    const struct manifest *m = r->backup.m;
    struct progress_bar *bar = progress_bar_new(r->c);
    const struct read_options options = limits_reading(r->c, bar);
    int64_t since_ms = 0;
    int rc;

    log_info("restore started", LOG_S("id", m->id.text), LOG_S("instance", m->instance), LOG_S("target", r->c->target),
             LOG_S("repository", store_url(r->backup.opened.store)), LOG_S("layout", target_layout_name(plan.layout)),
             LOG_S("because", r->server.layout_why),
             LOG_S("source_had_appendonly",
                   *r->result->source_appendonly != '\0' ? r->result->source_appendonly : "unknown"));
    do {
        rc = restore_stage(&r->backup.opened.repo, m, r->target, &plan, &options, err);
    } while (rc < 0 && restore_backup_wait(&r->policy, &since_ms, err));
    progress_bar_free(bar);
    if (rc < 0 && err->code == ERR_CORRUPT) {
        const struct err cause = *err;

        return err_set(err, ERR_CORRUPT, "%s; nothing was restored: %s", cause.msg, way_out(r->c));
    }
    /* Before `ready` is written: from then on every later run would go through with the replacement. */
    if (rc == 0 && r->replace)
        rc = check_server_is_down(r->c, err);
    if (rc < 0 || target_seal(r->target, err) < 0 || target_enter(r->target, r->c->discard, err) < 0)
        return -1;
    r->result->outcome = RESTORE_DONE;
    (void)snprintf(r->result->replaced, sizeof(r->result->replaced), "%s", target_replaced(r->target));
    return 0;
}

static int
finish(struct run *r, struct err *err)
{
    const struct target_plan plan = *target_ready_plan(r->target);

    log_info("an earlier restore was ready: finishing it, without the repository", LOG_S("id", plan.id.text),
             LOG_S("target", r->c->target));
    if (target_enter(r->target, r->c->discard, err) < 0)
        return -1;
    note_backup(r, &plan, "as the earlier run had it");
    r->result->outcome = RESTORE_FINISHED;
    (void)snprintf(r->result->replaced, sizeof(r->result->replaced), "%s", target_replaced(r->target));
    return 0;
}

static void
tell_plan(struct run *r, enum act act)
{
    struct restore_result *result = r->result;

    result->outcome = RESTORE_PLANNED;
    result->config_files = r->files.files;
    if (act == ACT_FINISH) {
        note_backup(r, target_ready_plan(r->target), "as the earlier run had it");
        (void)snprintf(result->why, sizeof(result->why), "finish what an earlier run had ready");
    } else if (r->replace) {
        (void)snprintf(result->why, sizeof(result->why), "move what is there (%s) away, then restore%s",
                       target_reason(r->target), r->c->discard ? ", then delete the old data" : "");
    } else {
        (void)snprintf(result->why, sizeof(result->why), "restore into an empty folder");
    }
}

/* Look, decide, prepare; then once more under the lock; then do it. */
static int
restore_into_target(struct run *r, struct err *err)
{
    enum target_state state = TARGET_UNSURE;
    enum restore_found found = RESTORE_FOUND;
    enum act act = ACT_NONE;

    if (target_judge(r->target, &state, err) < 0)
        return -1;
    for (;;) {
        if (decide(r, state, &act, err) < 0)
            return -1;
        if (act == ACT_NONE)
            return 0;
        if (act == ACT_FETCH && (!r->prepared || r->prepared_replace != r->replace)) {
            if (prepare(r, &found, err) < 0)
                return -1;
            if (found == RESTORE_FOUND_NOTHING)
                return 0;
        }
        if (r->c->dry_run) {
            tell_plan(r, act);
            return 0;
        }
        if (!r->locked) {
            r->locked = true;
            if (target_lock(r->target, &state, err) < 0)
                return -1;
            continue;
        }
        if (act == ACT_FETCH)
            return fetch(r, err);
        if (finish(r, err) < 0)
            return -1;
        if (is_wanted(r))
            return 0;
        if (target_judge(r->target, &state, err) < 0) /* another backup was asked for, and had to wait for this one */
            return -1;
    }
}

/* The configuration files of what has been restored. An earlier run that was finished had not read them. */
static int
write_config(struct run *r, struct err *err)
{
    struct restore_result *result = r->result;

    if (r->c->config_to == NULL || (result->outcome != RESTORE_DONE && result->outcome != RESTORE_FINISHED))
        return 0;
    if ((strcmp(r->files.id.text, result->id.text) == 0 ||
         restore_config_load_id(r->c, &result->id, &r->files, err) == 0) &&
        restore_config_write(r->c, &r->files, result, err) == 0)
        return 0;
    return err_wrap(err,
                    "backup %s was restored to %s, but its configuration files were not written (`remora restore "
                    "--backup %s --config-to DIR` does that alone)",
                    result->id.text, r->c->target, result->id.text);
}

/* Another pod's restore (--only-ordinal): nothing is to be done here, unless a forced one was cut off on this volume,
 * on which a server would start with half of its data. */
static int
pass_by(struct run *r, struct err *err)
{
    enum target_state state = TARGET_UNSURE;

    if (target_judge(r->target, &state, err) < 0)
        return -1;
    if (state == TARGET_REPLACING)
        return restore_into_target(r, err);
    r->result->outcome = RESTORE_NOT_HERE;
    (void)snprintf(r->result->why, sizeof(r->result->why), "this is pod %llu, and --only-ordinal is %llu",
                   (unsigned long long)r->policy.pod, (unsigned long long)r->policy.only_pod);
    return 0;
}

static int
restore_to_target(const struct config *c, struct restore_result *result, struct err *err)
{
    struct run r = {.c = c, .result = result};
    int rc = -1;

    if (restore_policy_from(c, &r.policy, err) < 0 || target_server_from_flags(c, &r.server, err) < 0)
        return -1;
    if (open_target(c, &r.server, &r.target, err) == 0)
        rc = r.policy.other_pod ? pass_by(&r, err) : restore_into_target(&r, err);
    if (rc == 0)
        rc = write_config(&r, err);
    restore_config_fini(&r.files);
    restore_backup_fini(&r.backup);
    target_free(r.target);
    return rc;
}

/* ---- down a pipe ------------------------------------------------------------------------------------------------- */

static int
restore_to_stdout(const struct config *c, struct err *err)
{
    struct restore_backup b = {.m = NULL};
    struct progress_bar *bar = NULL;
    struct read_options options;
    int rc = -1;

    if (restore_backup_open(c, &b, err) < 0)
        goto out;
    log_info("restore started", LOG_S("id", b.m->id.text), LOG_S("instance", b.m->instance), LOG_S("target", "stdout"),
             LOG_S("repository", store_url(b.opened.store)));
    bar = progress_bar_new(c);
    options = limits_reading(c, bar);
    rc = restore_stream(&b.opened.repo, b.m, STDOUT_FILENO, &options, err);
    if (rc < 0 && err->code == ERR_CORRUPT) {
        const struct err cause = *err;

        (void)err_set(err, ERR_CORRUPT, "%s; what stdout got is no whole dump: %s", cause.msg, way_out(c));
    }
    if (rc == 0)
        log_info("restore finished", LOG_S("id", b.m->id.text), LOG_U("bytes", b.m->rdb_member.raw_size));
out:
    progress_bar_free(bar);
    restore_backup_fini(&b);
    return rc;
}

int
cmd_restore(const struct config *config, struct output *out, struct err *err)
{
    struct restore_result result = {.started_ms = clock_mono_ms()};

    if (check_options(config, err) < 0)
        return -1;
    if (config->to_stdout)
        return restore_to_stdout(config, err);
    if ((config->target != NULL ? restore_to_target(config, &result, err)
                                : restore_config_alone(config, &result, err)) < 0)
        return -1;
    return restore_report(config, &result, out, err);
}
