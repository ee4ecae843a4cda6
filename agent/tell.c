/* SPDX-License-Identifier: Apache-2.0 */
/* tell.c: see tell.h. */
#include "agent/tell.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/output.h"
#include "agent/progress_bar.h"
#include "base/clock.h"
#include "base/json_read.h"

#define EVERY_MS 500
#define ROOM_MS  1000

static int tell_fd = -1; /* set once, at the start */
static int64_t told_ms;  /* progress: the last line, of the one thread that tells */
static enum progress_phase told_phase;

void
tell_start(void)
{
    const char *text = getenv(TELL_FD_NAME);
    char *end = NULL;
    struct stat st;
    long fd;
    int flags;

    tell_fd = -1;
    told_ms = 0;
    if (text == NULL)
        return;
    errno = 0;
    fd = strtol(text, &end, 10);
    if (errno == 0 && end != text && *end == '\0' && fd > STDERR_FILENO && fd <= INT32_MAX &&
        fstat((int)fd, &st) == 0 && (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode))) {
        flags = fcntl((int)fd, F_GETFL);
        if (flags >= 0 && (flags & O_ACCMODE) != O_RDONLY && fcntl((int)fd, F_SETFL, flags | O_NONBLOCK) == 0 &&
            fcntl((int)fd, F_SETFD, FD_CLOEXEC) == 0)
            tell_fd = (int)fd;
    }
    (void)unsetenv(TELL_FD_NAME);
}

bool
tell_is_on(void)
{
    return tell_fd >= 0;
}

/* One line around OBJECT, which is taken. WAIT_MS: for room in the pipe. */
static void
send_line(json_t *object, int wait_ms)
{
    struct pollfd room = {.fd = tell_fd, .events = POLLOUT};
    char *line = json_write_line(object);
    size_t len = strlen(line);

    json_decref(object);
    if (len < TELL_LINE_MAX) {
        line[len] = '\n'; /* in the place of the NUL */
        if (wait_ms > 0)
            (void)poll(&room, 1, wait_ms);
        (void)!write(tell_fd, line, len + 1); /* full, or nobody reads: dropped */
    }
    free(line);
}

void
tell_progress(const struct progress *p)
{
    int64_t now_ms = clock_mono_ms();
    json_t *object, *inner;

    if (!tell_is_on() || (told_ms != 0 && p->phase == told_phase && now_ms - told_ms < EVERY_MS))
        return;
    told_ms = now_ms;
    told_phase = p->phase;
    object = json_object();
    inner = json_object();
    output_add_text(inner, "phase", progress_phase_name(p->phase));
    output_add_count(inner, "done", p->done);
    output_add_count(inner, "total", p->total);
    output_add_count(inner, "stored", p->stored);
    output_add(object, "progress", inner);
    send_line(object, 0);
}

void
tell_error(const struct err *failure)
{
    json_t *object, *inner;

    if (!tell_is_on())
        return;
    object = json_object();
    inner = json_object();
    output_add(inner, "exit_status", json_integer(err_exit_status(failure->code)));
    output_add_text(inner, "message", failure->msg);
    output_add(object, "error", inner);
    send_line(object, ROOM_MS);
}

void
tell_storage(const struct store_meter_counts *counts)
{
    json_t *object, *inner, *calls;

    if (!tell_is_on())
        return;
    object = json_object();
    inner = json_object();
    calls = json_object();
    for (int i = 0; i < METER_CALLS; i++) {
        json_t *call = json_object(), *buckets = json_array();

        output_add_count(call, "count", counts->calls[i].calls);
        output_add_count(call, "failures", counts->calls[i].failures);
        output_add_count(call, "total_ms", counts->calls[i].total_ms);
        for (int k = 0; k <= METER_BUCKETS; k++)
            REQUIRE(json_array_append_new(buckets, json_integer((json_int_t)counts->calls[i].buckets[k])) == 0);
        output_add(call, "buckets", buckets);
        output_add(calls, store_meter_name((enum store_meter_call)i), call);
    }
    output_add(inner, "calls", calls);
    output_add_count(inner, "bytes_put", counts->bytes_put);
    output_add_count(inner, "bytes_got", counts->bytes_got);
    output_add_count(inner, "retries", counts->retries);
    output_add(object, "storage", inner);
    send_line(object, ROOM_MS);
}

/* ---- reading ---- */

bool
tell_read_progress(const json_t *from, struct progress *p)
{
    struct progress read = {0};
    struct err unused = ERR_INIT;
    const char *phase;

    if (json_read_str(from, "phase", &phase, &unused) < 0 || json_read_u64(from, "done", &read.done, &unused) < 0 ||
        json_read_u64(from, "total", &read.total, &unused) < 0 ||
        json_read_u64(from, "stored", &read.stored, &unused) < 0)
        return false;
    if (!progress_phase_find(phase, &read.phase))
        return false;
    *p = read;
    return true;
}

static bool
read_call(const json_t *calls, enum store_meter_call which, struct store_meter_counts *c)
{
    struct err unused = ERR_INIT;
    const json_t *call, *buckets;

    if (json_read_child(calls, store_meter_name(which), &call, &unused) < 0 ||
        json_read_u64(call, "count", &c->calls[which].calls, &unused) < 0 ||
        json_read_u64(call, "failures", &c->calls[which].failures, &unused) < 0 ||
        json_read_u64(call, "total_ms", &c->calls[which].total_ms, &unused) < 0)
        return false;
    buckets = json_object_get(call, "buckets");
    if (json_array_size(buckets) != METER_BUCKETS + 1)
        return false;
    for (size_t k = 0; k <= METER_BUCKETS; k++) {
        const json_t *n = json_array_get(buckets, k);

        if (!json_is_integer(n) || json_integer_value(n) < 0)
            return false;
        c->calls[which].buckets[k] = (uint64_t)json_integer_value(n);
    }
    return true;
}

static bool
read_storage(const json_t *from, struct store_meter_counts *counts)
{
    struct store_meter_counts read = {0};
    struct err unused = ERR_INIT;
    const json_t *calls;

    if (json_read_child(from, "calls", &calls, &unused) < 0 ||
        json_read_u64(from, "bytes_put", &read.bytes_put, &unused) < 0 ||
        json_read_u64(from, "bytes_got", &read.bytes_got, &unused) < 0 ||
        json_read_u64(from, "retries", &read.retries, &unused) < 0)
        return false;
    for (int i = 0; i < METER_CALLS; i++)
        if (!read_call(calls, (enum store_meter_call)i, &read))
            return false;
    *counts = read;
    return true;
}

static bool
read_error(const json_t *from, char *text, size_t size)
{
    struct err unused = ERR_INIT;
    const char *message;

    if (json_read_str(from, "message", &message, &unused) < 0)
        return false;
    (void)snprintf(text, size, "%s", message);
    return true;
}

enum tell_kind
tell_parse(const char *line, size_t len, struct told *told)
{
    enum tell_kind kind = TELL_NOTHING;
    struct err unused = ERR_INIT;
    const json_t *inner;
    json_t *object;

    if (len > TELL_LINE_MAX || (object = json_read_object(line, len, &unused)) == NULL)
        return TELL_NOTHING;
    if ((inner = json_object_get(object, "progress")) != NULL)
        kind = tell_read_progress(inner, &told->progress) ? TELL_PROGRESS : TELL_NOTHING;
    else if ((inner = json_object_get(object, "error")) != NULL)
        kind = read_error(inner, told->error, sizeof(told->error)) ? TELL_ERROR : TELL_NOTHING;
    else if ((inner = json_object_get(object, "storage")) != NULL)
        kind = read_storage(inner, &told->storage) ? TELL_STORAGE : TELL_NOTHING;
    json_decref(object);
    return kind;
}
