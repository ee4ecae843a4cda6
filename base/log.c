/* SPDX-License-Identifier: Apache-2.0 */
/* log.c: see log.h. A line is built in a capped buffer and written at once. */
#include "base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/units.h"

#define LINE_MAX_BYTES 16384
/* What a line that was too long ends with instead of the fields that have no room. */
#define CUT_TEXT " cut=true"
#define CUT_JSON ",\"cut\":true"

static const char *const level_names[] = {"debug", "info", "warn", "error"};

static struct {
    pthread_mutex_t mutex; /* guards the hook and the order of lines */
    int fd;
    enum log_format format;
    enum log_level level;
    void (*hook)(bool before, void *cookie);
    void *cookie;
} state = {PTHREAD_MUTEX_INITIALIZER, STDERR_FILENO, LOG_TEXT, LOG_INFO, NULL, NULL};

void
log_setup(int fd, enum log_format format, enum log_level level)
{
    state.fd = fd;
    state.format = format;
    state.level = level;
}

void
log_set_hook(void (*hook)(bool before, void *cookie), void *cookie)
{
    (void)pthread_mutex_lock(&state.mutex);
    state.hook = hook;
    state.cookie = cookie;
    (void)pthread_mutex_unlock(&state.mutex);
}

/* Appending: what passes the line's ceiling is not stored; leave_out() then takes the whole field out. */
static void
put(struct buf *line, const char *s, size_t len)
{
    struct err unused = ERR_INIT;
    size_t room = line->cap - line->len;

    REQUIRE(buf_append(line, s, len < room ? len : room, &unused) == 0);
}

static void
put_text(struct buf *line, const char *s)
{
    put(line, s, strlen(s));
}

/* S between double quotes, with JSON's escapes; bytes over 127 go through as they are (the messages are UTF-8). */
static void
put_quoted(struct buf *line, const char *s)
{
    char esc[8];

    put(line, "\"", 1);
    for (; *s != '\0'; s++) {
        unsigned char c = (unsigned char)*s;

        if (c == '"' || c == '\\') {
            esc[0] = '\\';
            esc[1] = *s;
            put(line, esc, 2);
        } else if (c == '\n') {
            put(line, "\\n", 2);
        } else if (c < 0x20 || c == 0x7f) {
            (void)snprintf(esc, sizeof(esc), "\\u%04x", c);
            put_text(line, esc);
        } else {
            put(line, s, 1);
        }
    }
    put(line, "\"", 1);
}

static bool
is_bare_word(const char *s)
{
    if (*s == '\0')
        return false;
    for (; *s != '\0'; s++) {
        unsigned char c = (unsigned char)*s;

        if (c <= ' ' || c == 0x7f || c == '"' || c == '=' || c == '\\')
            return false;
    }
    return true;
}

/* A bare word in text lines, quoted where it has to be. */
static void
put_word(struct buf *line, const char *s)
{
    if (!is_bare_word(s))
        put_quoted(line, s);
    else
        put_text(line, s);
}

static void
put_value(struct buf *line, const struct log_field *f, enum log_format format)
{
    char number[24];

    switch (f->type) {
    case LOG_FIELD_STRING:
        (format == LOG_JSON ? put_quoted : put_word)(line, f->v.s != NULL ? f->v.s : "");
        return;
    case LOG_FIELD_UINT:
        (void)snprintf(number, sizeof(number), "%" PRIu64, f->v.u);
        break;
    case LOG_FIELD_INT:
        (void)snprintf(number, sizeof(number), "%" PRId64, f->v.i);
        break;
    case LOG_FIELD_BOOL:
        (void)snprintf(number, sizeof(number), "%s", f->v.b ? "true" : "false");
        break;
    }
    put_text(line, number);
}

/* Did the field that was written from BEFORE on fill the line? Then take it out and write CUT, for which (and for a
 * closing brace) there is room beyond the ceiling. */
static bool
leave_out(struct buf *line, size_t before, const char *cut)
{
    if (line->len < line->cap)
        return false;
    line->len = before;
    line->cap += strlen(cut) + 1;
    put_text(line, cut);
    return true;
}

static void
build_text(struct buf *line, const char *when, enum log_level level, const char *msg, const struct log_field *fields)
{
    put_text(line, when);
    put_text(line, " ");
    put_text(line, level_names[level]);
    put_text(line, " ");
    put_text(line, msg);
    for (; fields->key != NULL; fields++) {
        size_t before = line->len;

        put_text(line, " ");
        put_text(line, fields->key);
        put_text(line, "=");
        put_value(line, fields, LOG_TEXT);
        if (leave_out(line, before, CUT_TEXT))
            break;
    }
}

static void
build_json(struct buf *line, const char *when, enum log_level level, const char *msg, const struct log_field *fields)
{
    put_text(line, "{\"time\":");
    put_quoted(line, when);
    put_text(line, ",\"level\":");
    put_quoted(line, level_names[level]);
    put_text(line, ",\"msg\":");
    put_quoted(line, msg);
    for (; fields->key != NULL; fields++) {
        size_t before = line->len;

        put_text(line, ",");
        put_quoted(line, fields->key);
        put_text(line, ":");
        put_value(line, fields, LOG_JSON);
        if (leave_out(line, before, CUT_JSON))
            break;
    }
    put_text(line, "}");
}

void
log_event(enum log_level level, const char *msg, const struct log_field *fields)
{
    char when[UNITS_TEXT_MAX];
    int saved = errno;
    struct buf line;

    if (level < state.level)
        return;
    buf_init(&line, LINE_MAX_BYTES);
    (void)units_format_time_ms(clock_wall_ms(), when);
    (state.format == LOG_JSON ? build_json : build_text)(&line, when, level, msg, fields);
    line.cap++; /* the newline always fits */
    put_text(&line, "\n");

    (void)pthread_mutex_lock(&state.mutex);
    if (state.hook != NULL)
        state.hook(true, state.cookie);
    (void)!write(state.fd, line.data, line.len); /* nobody is left to tell if this fails */
    if (state.hook != NULL)
        state.hook(false, state.cookie);
    (void)pthread_mutex_unlock(&state.mutex);
    buf_fini(&line);
    errno = saved;
}
