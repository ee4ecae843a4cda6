/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_inspect.c: `remora inspect`: what a backup or a dump file holds. All of it is read and proven before a word of it
 * is told. */
#include <string.h>

#include "agent/cmd.h"
#include "agent/inspect_report.h"
#include "agent/limits.h"
#include "agent/open_repo.h"
#include "agent/pick.h"
#include "agent/progress_bar.h"
#include "base/clock.h"
#include "base/log.h"
#include "snapshot/inspect_dump.h"
#include "snapshot/member_reader.h"

static int
check_options(const struct config *c, const char *which, struct err *err)
{
    if (c->rdb_file != NULL && c->arg_count > 0)
        return err_set(err, ERR_USAGE, "--rdb-file and the argument \"%.60s\" exclude each other", which);
    if (strlen(c->prefix_separator) != 1)
        return err_set(err, ERR_USAGE, "--prefix-separator is \"%.60s\", but has to be one character",
                       c->prefix_separator);
    return pick_check(which, err);
}

static int
tell(const struct inspect_report *r, struct output *out, struct err *err)
{
    struct buf text;
    int rc;

    inspect_finish(r->found);
    if (out->json)
        return output_json_take(out, inspect_report_json(r), err);
    buf_init(&text, OUTPUT_MAX);
    rc = inspect_report_text(r, &text, err);
    if (rc == 0)
        rc = output_buf(out, &text, err);
    buf_fini(&text);
    return rc;
}

/* COMMON is what a report on either source has in it. */
static int
inspect_file(const struct config *config, const struct inspect_report *common, struct output *out, struct err *err)
{
    const struct rdb_observer observer = inspect_observer(common->found);
    struct inspect_report r = *common;
    struct progress_bar *bar = progress_bar_new(config);
    const struct progress_sink progress = progress_bar_sink(bar);
    struct rdb_info info;
    int rc = inspect_dump(config->rdb_file, &observer, &progress, &info, err);

    progress_bar_free(bar);
    r.path = config->rdb_file;
    r.rdb = &info;
    if (rc == 0)
        rc = tell(&r, out, err);
    rdb_info_fini(&info);
    return rc;
}

/* The tables (INSPECT_MEMORY) fit into what the plan for reading leaves to the program itself. */
static int
read_backup(const struct config *config, const struct repo *repo, const struct manifest *m, struct inspect *found,
            struct err *err)
{
    struct progress_bar *bar = progress_bar_new(config);
    const struct read_options options = limits_reading(config, bar);
    const struct member_read read = {
        .repo = repo,
        .m = m,
        .member = &m->rdb_member,
        .options = &options,
        .phase = PROGRESS_VERIFYING,
        .observer = inspect_observer(found),
    };
    int rc = member_read(&read, err);

    progress_bar_free(bar);
    return rc;
}

static int
inspect_backup(const struct config *config, const char *which, const struct inspect_report *common, struct output *out,
               struct err *err)
{
    struct inspect_report r = *common;
    struct opened opened = {0};
    struct manifest *m = NULL;
    int rc = -1;

    if (open_repo_instance(config, OPEN_REPO_READ, &opened, err) < 0 ||
        pick_backup(config, &opened, which, &m, err) < 0)
        goto out;
    if (!m->rdb.parsed) {
        (void)err_set(err, ERR_UNSUPPORTED,
                      "backup %s: not all of it was understood when it was made (%s), so that its keys cannot be told",
                      m->id.text, m->rdb.unparsed_why);
        goto out;
    }
    r.backup = m;
    r.rdb = &m->rdb;
    rc = read_backup(config, &opened.repo, m, r.found, err);
    if (rc == 0)
        rc = tell(&r, out, err);
out:
    manifest_free(m);
    open_repo_close(&opened);
    return rc;
}

int
cmd_inspect(const struct config *config, struct output *out, struct err *err)
{
    const char *which = config->arg_count > 0 ? config->args[0] : "latest";
    struct inspect_report report = {0};
    int rc;

    if (check_options(config, which, err) < 0)
        return -1;
    report.options = (struct inspect_options){
        .now_ms = clock_wall_ms(),
        .top = (size_t)config->top,
        .prefixes = {.separator = config->prefix_separator[0], .depth = (unsigned)config->prefix_depth},
    };
    report.found = inspect_new(&report.options);
    rc = config->rdb_file != NULL ? inspect_file(config, &report, out, err)
                                  : inspect_backup(config, which, &report, out, err);
    if (rc < 0 && err->code == ERR_CORRUPT && report.found->all.keys > 0)
        log_warn("what was found before the damage is not told: it would not be the whole truth",
                 LOG_U("keys", report.found->all.keys));
    inspect_free(report.found);
    return rc;
}
