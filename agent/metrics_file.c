/* SPDX-License-Identifier: Apache-2.0 */
/* metrics_file.c: see metrics_file.h. */
#include "agent/metrics_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"

/* A collector reads names that end in .prom: not this one. */
#define TEMP_PREFIX ".remora-metrics-"

/* What is there so far: *TEXT stays NULL where nothing of use is. A file that cannot be read, or is too large to be
 * ours, is replaced like any other. */
static int
read_old(int dir, const char *name, char **text, struct err *err)
{
    struct err unused = ERR_INIT;
    struct stat st;
    size_t len;

    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : err_sys(err, ERR_INTERNAL, errno, "look at %s", name);
    if (!S_ISREG(st.st_mode))
        return err_set(err, ERR_REFUSED, "%s is there and is no regular file; name another, or remove it", name);
    if (file_read_all(dir, name, FIGURES_TEXT_MAX, text, &len, &unused) < 0)
        *text = NULL;
    return 0;
}

/* F becomes what the file shall say: what was, and RUN. */
static void
add_run(struct figures *f, const struct metrics_run *run)
{
    struct figures_kind *k = &f->kinds[run->kind];

    k->shown = true;
    k->last_attempt_ms = run->started_ms;
    k->last_duration_ms = run->duration_ms;
    if (run->exit_status == 0) {
        k->last_success_ms = run->ended_ms;
        k->successes++;
    } else {
        k->failures[run->exit_status < BOARD_EXITS ? run->exit_status : 1]++;
    }
    if (run->made.snapshot_ms > 0)
        f->latest = run->made;
    if (run->newest != NEWEST_UNKNOWN)
        f->newest = run->newest;
    if (run->verified_ms > 0)
        f->verified_ms = run->verified_ms;
    store_meter_add(&f->storage, &run->storage);
}

/* The umask does not count: a collector of another user has to read it. */
static int
replace(int dir, const char *name, const struct buf *text, struct err *err)
{
    char temp[NAME_MAX + 1];

    if (file_write_temp(dir, TEMP_PREFIX, text->data, text->len, 0644, temp, sizeof(temp), err) < 0)
        return -1;
    if (fchmodat(dir, temp, 0644, 0) == 0 && renameat(dir, temp, dir, name) == 0)
        return file_sync_dir(dir, err);
    (void)err_sys(err, ERR_INTERNAL, errno, "bring %s in under its name", name);
    (void)unlinkat(dir, temp, 0);
    return -1;
}

static int
write_in(int dir, const char *name, const struct metrics_run *run, struct err *err)
{
    struct figures f = {.of_run = true, .run = run->kind, .now_ms = run->ended_ms};
    struct buf text;
    char *old = NULL;
    int rc = -1;

    buf_init(&text, FIGURES_TEXT_MAX);
    (void)snprintf(f.version, sizeof(f.version), "%s", REMORA_VERSION);
    (void)snprintf(f.instance, sizeof(f.instance), "%s", run->instance);
    if (read_old(dir, name, &old, err) == 0) {
        if (old != NULL)
            figures_read(&f, old);
        add_run(&f, run);
        if (figures_render(&f, &text, err) == 0)
            rc = replace(dir, name, &text, err);
    }
    free(old);
    buf_fini(&text);
    return rc;
}

int
metrics_file_write(const char *path, const struct metrics_run *run, struct err *err)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    char *folder = slash == NULL   ? mem_strdup(".")
                   : slash == path ? mem_strdup("/")
                                   : mem_strndup(path, (size_t)(slash - path));
    int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc;

    if (*name == '\0')
        rc = err_set(err, ERR_USAGE, "%s is a folder; name a file in it", path);
    else if (dir < 0)
        rc = err_sys(err, ERR_INTERNAL, errno, "open the folder %s", folder);
    else
        rc = write_in(dir, name, run, err);
    if (dir >= 0)
        (void)close(dir);
    free(folder);
    return rc;
}
