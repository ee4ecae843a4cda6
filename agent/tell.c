/* SPDX-License-Identifier: Apache-2.0 */
/* tell.c: see tell.h. */
#include "agent/tell.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/output.h"
#include "agent/progress_bar.h"
#include "base/json_read.h"
#include "base/mem.h"
#include "base/units.h"

static int tell_fd = -1;

void
tell_setup(void)
{
    const char *text = getenv(TELL_ENV);
    struct err unused = ERR_INIT;
    struct stat st;
    uint64_t fd = 0;

    tell_fd = -1;
    if (text == NULL)
        return;
    if (units_parse_u64(text, &fd, &unused) == 0 && fd > STDERR_FILENO && fd < 1024 && fstat((int)fd, &st) == 0 &&
        S_ISFIFO(st.st_mode) && fcntl((int)fd, F_SETFD, FD_CLOEXEC) == 0 && fcntl((int)fd, F_SETFL, O_NONBLOCK) == 0)
        tell_fd = (int)fd;
    (void)unsetenv(TELL_ENV);
}

bool
tell_is_on(void)
{
    return tell_fd >= 0;
}

void
tell_take(json_t *object)
{
    char *line = json_write_line(object);
    size_t len = strlen(line);

    json_decref(object);
    line = mem_grow(line, len + 2, 1);
    memcpy(line + len, "\n", 2);
    if (tell_fd >= 0 && len + 1 <= TELL_LINE_MAX)
        (void)!write(tell_fd, line, len + 1); /* full, or nobody is there any more */
    free(line);
}

void
tell_progress(const struct progress *p)
{
    json_t *line = json_object(), *progress = json_object();

    output_add_text(progress, "phase", progress_phase_name(p->phase));
    output_add_count(progress, "done", p->done);
    output_add_count(progress, "total", p->total);
    output_add_count(progress, "stored", p->stored);
    output_add(line, "progress", progress);
    tell_take(line);
}

void
tell_error(const struct err *failure)
{
    json_t *line = json_object(), *error = json_object();

    output_add(error, "exit_status", json_integer(err_exit_status(failure->code)));
    output_add_text(error, "message", failure->msg);
    output_add(line, "error", error);
    tell_take(line);
}
