/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_export.c: `remora export`: one backup as one tar, into a new file or down a pipe. */
#include <string.h>
#include <unistd.h>

#include "agent/cmd.h"
#include "agent/limits.h"
#include "agent/open_repo.h"
#include "agent/pick.h"
#include "agent/progress_bar.h"
#include "agent/whole_file.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/units.h"
#include "snapshot/export.h"

static bool
is_pipe(const struct config *c)
{
    return strcmp(c->args[1], "-") == 0;
}

static int
check_options(const struct config *c, struct err *err)
{
    if (is_pipe(c) && c->json)
        return err_set(err, ERR_USAGE, "--json and - exclude each other: stdout carries the tar");
    if (is_pipe(c) && isatty(STDOUT_FILENO))
        return err_set(err, ERR_USAGE, "a tar is no text for a terminal; redirect it, as in > backup.tar");
    return pick_check(c->args[0], err);
}

static int
export_to(const struct config *c, const struct opened *o, const struct manifest *m, int fd, uint64_t *bytes,
          struct err *err)
{
    struct progress_bar *bar = progress_bar_new(c);
    const struct read_options options = limits_reading(c, bar);
    int rc;

    log_info("export started", LOG_S("id", m->id.text), LOG_S("instance", m->instance),
             LOG_S("repository", store_url(o->store)), LOG_S("file", c->args[1]));
    rc = export_backup(&o->repo, m->instance, &m->id, fd, &options, bytes, err);
    progress_bar_free(bar);
    return rc;
}

static int
export_to_file(const struct config *c, const struct opened *o, const struct manifest *m, uint64_t *bytes,
               struct err *err)
{
    struct whole_file file;
    int rc = whole_file_begin(c->args[1], &file, err);

    if (rc == 0)
        rc = export_to(c, o, m, file.fd, bytes, err);
    if (rc == 0)
        rc = whole_file_commit(&file, err);
    whole_file_end(&file);
    return rc;
}

static int
export_to_stdout(const struct config *c, const struct opened *o, const struct manifest *m, uint64_t *bytes,
                 struct err *err)
{
    struct err cause;

    if (export_to(c, o, m, STDOUT_FILENO, bytes, err) == 0)
        return 0;
    cause = *err;
    if (err->code != ERR_CORRUPT)
        return -1;
    return err_set(err, ERR_CORRUPT,
                   "%s; what stdout got is no whole tar: choose another backup (`remora list` shows "
                   "them)",
                   cause.msg);
}

static int
report(const struct config *c, const struct manifest *m, uint64_t bytes, int64_t ms, struct output *out,
       struct err *err)
{
    char size[UNITS_TEXT_MAX], took[UNITS_TEXT_MAX];
    json_t *object;

    log_info("export finished", LOG_S("id", m->id.text), LOG_U("bytes", bytes));
    if (is_pipe(c))
        return 0;
    if (!out->json)
        return output_text(out, err, "exported %s to %.700s (%s, %s)\n", m->id.text, c->args[1],
                           units_format_size(bytes, size), units_format_duration(ms, took));
    object = json_object();
    output_add_text(object, "command", "export");
    output_add_text(object, "id", m->id.text);
    output_add_text(object, "instance", m->instance);
    output_add_text(object, "file", c->args[1]);
    output_add_count(object, "bytes", bytes);
    output_add_count(object, "duration_ms", (uint64_t)ms);
    return output_json_take(out, object, err);
}

int
cmd_export(const struct config *config, struct output *out, struct err *err)
{
    int64_t started_ms = clock_mono_ms();
    struct opened opened = {0};
    struct manifest *m = NULL;
    uint64_t bytes = 0;
    int rc = -1;

    if (check_options(config, err) < 0)
        return -1;
    if (open_repo_instance(config, OPEN_REPO_READ, &opened, err) == 0 &&
        pick_backup(config, &opened, config->args[0], &m, err) == 0)
        rc = (is_pipe(config) ? export_to_stdout : export_to_file)(config, &opened, m, &bytes, err);
    if (rc == 0)
        rc = report(config, m, bytes, clock_mono_ms() - started_ms, out, err);
    manifest_free(m);
    open_repo_close(&opened);
    return rc;
}
