/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_import.c: `remora import`: the backup in a file of `remora export`, or one that comes down a pipe. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/cmd.h"
#include "agent/limits.h"
#include "agent/open_repo.h"
#include "agent/progress_bar.h"
#include "base/log.h"
#include "base/sig.h"
#include "snapshot/import.h"

/* FILE, or stdin for "-". The descriptor, or -1. */
static int
open_file(const char *file, struct err *err)
{
    struct stat st;
    int fd;

    if (strcmp(file, "-") == 0) {
        if (!isatty(STDIN_FILENO))
            return STDIN_FILENO;
        return err_set(err, ERR_USAGE, "stdin is a terminal: give a file, or pipe one of `remora export` in");
    }
    do { /* a FIFO that has no writer yet is waited for */
        if (sig_check(err) < 0)
            return -1;
        fd = open(file, O_RDONLY | O_CLOEXEC);
    } while (fd < 0 && errno == EINTR);
    if (fd < 0)
        return errno == ENOENT ? err_set(err, ERR_NOT_FOUND, "there is no file %.300s", file)
                               : err_sys(err, ERR_USAGE, errno, "open %.300s", file);
    if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
        (void)close(fd);
        return err_set(err, ERR_USAGE,
                       "%.300s is a folder: an export that was unpacked is a repository, which `remora copy --repo` "
                       "takes backups from",
                       file);
    }
    return fd;
}

static int
import_from(const struct config *config, const struct opened *s, int fd, struct import_result *result, struct err *err)
{
    struct progress_bar *bar = progress_bar_new(config);
    const struct import_options options = {.to = &s->repo,
                                           .instance = config->instance,
                                           .jobs = limits_jobs(config),
                                           .memory = config->memory,
                                           .progress = progress_bar_sink(bar)};
    struct tar_reader *tar = tar_reader_from_fd(fd, err);
    int rc = tar != NULL ? import_backup(&options, tar, result, err) : -1;

    tar_reader_free(tar);
    progress_bar_free(bar);
    return rc;
}

static int
tell(const struct config *config, struct output *out, const struct import_result *r, struct err *err)
{
    json_t *object;

    if (!out->json) {
        if (r->there)
            log_info("the backup is there already", LOG_S("id", r->id.text), LOG_S("instance", config->instance));
        return output_text(out, err, "%s\n", r->id.text);
    }
    object = json_object();
    output_add_text(object, "command", "import");
    output_add_text(object, "instance", config->instance);
    output_add_text(object, "id", r->id.text);
    output_add_text(object, "action", r->there ? "there" : "imported");
    output_add_count(object, "segments", r->counts.put);
    output_add_count(object, "bytes", r->counts.put_bytes);
    output_add_count(object, "skipped", r->counts.had);
    return output_json_take(out, object, err);
}

int
cmd_import(const struct config *config, struct output *out, struct err *err)
{
    const char *file = config->args[0];
    struct import_result result;
    struct opened opened = {0};
    int fd = open_file(file, err), rc = -1;

    if (fd < 0)
        return -1;
    if (open_repo_instance(config, config->create ? OPEN_REPO_CREATE : OPEN_REPO_WRITE, &opened, err) < 0)
        goto out;
    if (import_from(config, &opened, fd, &result, err) < 0) {
        (void)err_wrap(err, "import %.300s", strcmp(file, "-") == 0 ? "from stdin" : file);
        goto out;
    }
    rc = tell(config, out, &result, err);
out:
    open_repo_close(&opened);
    if (fd != STDIN_FILENO)
        (void)close(fd);
    return rc;
}
