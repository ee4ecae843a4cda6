/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_restore.c: `remora restore`. The target is judged before the repository is opened, so that a pod with data on its
 * volume never waits for a store; and a restore that was ready when it was interrupted is finished without one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/cmd.h"
#include "agent/limits.h"
#include "agent/open_repo.h"
#include "agent/pick.h"
#include "agent/progress_bar.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/units.h"
#include "snapshot/restore.h"

/* What became of it. */
struct restored {
    struct backup_id id;
    uint64_t bytes;
    bool resumed;              /* an earlier run had it ready */
    char source_appendonly[8]; /* as the manifest says it; "": not known */
    int64_t started_ms;
};

static int
check_options(const struct config *c, struct err *err)
{
    if (c->to_stdout == (c->target != NULL))
        return err_set(err, ERR_USAGE,
                       c->to_stdout ? "--target and --stdout exclude each other"
                                    : "where to? Give --target DIR, the folder the server will start "
                                      "on, or --stdout");
    if (c->to_stdout && c->json)
        return err_set(err, ERR_USAGE, "--json and --stdout exclude each other: stdout carries the dump");
    if (c->to_stdout && isatty(STDOUT_FILENO))
        return err_set(err, ERR_USAGE, "--stdout: a dump is no text for a terminal; redirect it, as in > dump.rdb");
    return pick_check(c->backup, err) < 0 ? err_wrap(err, "--backup") : 0;
}

/* -1 where STATE forbids a restore. What an interrupted one left beside data is of no use to anyone and goes. */
static int
check_state(const struct config *c, struct target *target, enum target_state state, struct err *err)
{
    if (state == TARGET_DATA) {
        target_tidy(target);
        return err_set(err, ERR_REFUSED,
                       "restore into %s was refused, no data was changed: there is data in it (%s); a restore needs "
                       "an empty folder, so move the data away if it is not wanted any more",
                       c->target, target_reason(target));
    }
    if (state == TARGET_UNSURE)
        return err_set(err, ERR_REFUSED,
                       "restore into %s was refused, nothing was changed: what is in it may be data (%s); look at it, "
                       "and move it away if it is not wanted",
                       c->target, target_reason(target));
    return 0;
}

/* Does the folder hold, ready, what was asked for? */
static bool
is_staged(const struct config *c, const struct target *target, enum target_state state)
{
    return state == TARGET_STAGED &&
           (pick_is_latest(c->backup) || strcmp(c->backup, target_staged_id(target)->text) == 0);
}

static int
fetch(const struct config *c, struct target *target, struct restored *done, struct err *err)
{
    struct opened opened = {0};
    struct manifest *m = NULL;
    struct progress_bar *bar = NULL;
    struct read_options options;
    enum target_state state = TARGET_UNSURE;
    int rc = -1;

    if (open_repo_instance(c, OPEN_REPO_READ, &opened, err) < 0 || pick_backup(c, &opened, c->backup, &m, err) < 0)
        goto out;
    if (target != NULL && (target_lock(target, &state, err) < 0 || check_state(c, target, state, err) < 0))
        goto out;
    log_info("restore started", LOG_S("id", m->id.text), LOG_S("instance", m->instance),
             LOG_S("target", c->to_stdout ? "stdout" : c->target), LOG_S("repository", store_url(opened.store)));
    bar = progress_bar_new(c);
    options = limits_reading(c, bar);
    rc = target != NULL ? restore_run(&opened.repo, m, target, &options, err)
                        : restore_stream(&opened.repo, m, STDOUT_FILENO, &options, err);
    if (rc < 0 && err->code == ERR_CORRUPT) {
        const struct err cause = *err;

        (void)err_set(err, ERR_CORRUPT, "%s; %s: choose another backup with --backup ID (`remora list` shows them)",
                      cause.msg, c->to_stdout ? "what stdout got is no whole dump" : "nothing was restored");
    }
    done->id = m->id;
    done->bytes = m->rdb_member.raw_size;
    (void)snprintf(done->source_appendonly, sizeof(done->source_appendonly), "%s", m->source.config.appendonly);
out:
    progress_bar_free(bar);
    manifest_free(m);
    open_repo_close(&opened);
    return rc;
}

/* Finish the restore that an earlier run had ready. 1: it was not there any more once the lock was held. */
static int
resume(const struct config *c, struct target *target, struct restored *done, struct err *err)
{
    enum target_state state = TARGET_UNSURE;
    char *path;
    struct stat st;

    if (target_lock(target, &state, err) < 0 || check_state(c, target, state, err) < 0)
        return -1;
    if (!is_staged(c, target, state))
        return 1;
    done->id = *target_staged_id(target);
    done->resumed = true;
    log_info("an earlier restore was ready: finishing it, without the repository", LOG_S("id", done->id.text),
             LOG_S("target", c->target));
    if (target_enter(target, err) < 0)
        return -1;
    path = mem_printf("%s/%s", c->target, c->dbfilename);
    if (stat(path, &st) == 0)
        done->bytes = (uint64_t)st.st_size;
    free(path);
    return 0;
}

static int
restore_to_target(const struct config *c, struct restored *done, struct err *err)
{
    enum target_state state = TARGET_UNSURE;
    struct target *target = NULL;
    int rc = -1;

    if (target_open(c->target, c->dbfilename != NULL ? c->dbfilename : "dump.rdb", &target, err) < 0 || target_judge(target, &state, err) < 0 ||
        check_state(c, target, state, err) < 0)
        goto out;
    rc = is_staged(c, target, state) ? resume(c, target, done, err) : 1;
    if (rc == 1)
        rc = fetch(c, target, done, err);
out:
    target_free(target);
    return rc;
}

static int
report(const struct config *c, const struct restored *done, struct output *out, struct err *err)
{
    char size[UNITS_TEXT_MAX], took[UNITS_TEXT_MAX];
    int64_t ms = clock_mono_ms() - done->started_ms;
    json_t *object;

    log_warn("this dump is for a server with `appendonly no`: one with `appendonly yes` starts empty beside it and "
             "overwrites it with the next save",
             LOG_S("source_had_appendonly", *done->source_appendonly != '\0' ? done->source_appendonly : "unknown"));
    if (!out->json)
        return output_text(out, err, "restored %s to %s/%s (%s, %s%s)\n", done->id.text, c->target, c->dbfilename,
                           units_format_size(done->bytes, size), units_format_duration(ms, took),
                           done->resumed ? ", finished what an earlier run had ready" : "");
    object = json_object();
    output_add_text(object, "command", "restore");
    output_add_text(object, "id", done->id.text);
    output_add_text(object, "target", c->target);
    output_add_text(object, "file", c->dbfilename);
    output_add_count(object, "bytes", done->bytes);
    output_add(object, "resumed", json_boolean(done->resumed));
    output_add_count(object, "duration_ms", (uint64_t)ms);
    return output_json_take(out, object, err);
}

int
cmd_restore(const struct config *config, struct output *out, struct err *err)
{
    struct restored done = {.started_ms = clock_mono_ms()};

    if (check_options(config, err) < 0)
        return -1;
    if (!config->to_stdout)
        return restore_to_target(config, &done, err) < 0 ? -1 : report(config, &done, out, err);
    if (fetch(config, NULL, &done, err) < 0)
        return -1;
    log_info("restore finished", LOG_S("id", done.id.text), LOG_U("bytes", done.bytes));
    return 0;
}
