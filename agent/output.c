/* SPDX-License-Identifier: Apache-2.0 */
/* output.c: see output.h. */
#include "agent/output.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/printable.h"
#include "base/file.h"
#include "base/json_read.h"
#include "base/mem.h"
#include "base/units.h"

static int
put(struct output *out, const char *data, size_t len, struct err *err)
{
    out->wrote = true;
    if (file_write_all(out->fd, data, len, err) < 0)
        return err_wrap(err, "the result could not be written to stdout");
    return 0;
}

int
output_buf(struct output *out, const struct buf *b, struct err *err)
{
    return b->len == 0 ? 0 : put(out, b->data, b->len, err);
}

int
output_text(struct output *out, struct err *err, const char *fmt, ...)
{
    char small[1024];
    va_list ap;
    int len;

    va_start(ap, fmt);
    len = vsnprintf(small, sizeof(small), fmt, ap);
    va_end(ap);
    REQUIRE(len >= 0 && (size_t)len < sizeof(small));
    for (char *line = small, *next; line != NULL; line = next) { /* the format's own ends of lines stay */
        next = strchr(line, '\n');
        if (next != NULL)
            *next = '\0';
        printable_make(line);
        if (next != NULL)
            *next++ = '\n';
    }
    return put(out, small, (size_t)len, err);
}

int
output_json_take(struct output *out, json_t *object, struct err *err)
{
    char *line = json_write_line(object);
    size_t len = strlen(line);
    int rc;

    json_decref(object);
    line = mem_grow(line, len + 2, 1);
    memcpy(line + len, "\n", 2);
    rc = put(out, line, len + 1, err);
    free(line);
    return rc;
}

void
output_add(json_t *object, const char *key, json_t *value)
{
    REQUIRE(json_object_set_new(object, key, value) == 0);
}

void
output_add_text(json_t *object, const char *key, const char *text)
{
    json_t *value = json_string(text);
    char *copy;

    if (value == NULL) {
        copy = mem_strdup(text);
        for (char *c = copy; *c != '\0'; c++)
            if ((unsigned char)*c > 0x7e)
                *c = '?';
        value = json_string(copy);
        free(copy);
    }
    output_add(object, key, value);
}

void
output_add_count(json_t *object, const char *key, uint64_t n)
{
    output_add(object, key, json_integer((json_int_t)n));
}

void
output_add_time(json_t *object, const char *key, int64_t ms)
{
    char text[UNITS_TEXT_MAX];

    output_add(object, key, json_string(units_format_time(ms, text)));
}

void
output_add_moment(json_t *object, const char *key, int64_t ms)
{
    if (ms != 0)
        output_add_time(object, key, ms);
    else
        output_add(object, key, json_null());
}

void
output_add_word(json_t *object, const char *key, const char *text)
{
    if (*text != '\0')
        output_add_text(object, key, text);
    else
        output_add(object, key, json_null());
}

json_t *
output_failure(const char *command, const struct err *failure)
{
    json_t *object = json_object(), *error = json_object();

    if (*command != '\0')
        output_add_text(object, "command", command);
    else
        output_add(object, "command", json_null());
    output_add_text(error, "code", err_name(failure->code));
    output_add(error, "exit_status", json_integer(err_exit_status(failure->code)));
    output_add_text(error, "message", failure->msg);
    output_add(object, "error", error);
    return object;
}

json_t *
output_verified(const struct catalog_entry *facts)
{
    json_t *object, *load;

    if (facts->verified_ms == 0)
        return json_null();
    object = json_object();
    output_add_time(object, "time", facts->verified_ms);
    output_add_text(object, "level", facts->verified_level);
    load = facts->loaded_ms != 0 ? json_object() : json_null();
    if (facts->loaded_ms != 0) {
        output_add_time(load, "time", facts->loaded_ms);
        output_add_text(load, "server", facts->loaded_by);
    }
    output_add(object, "load", load);
    return object;
}

json_t *
output_backup(const struct catalog_entry *e)
{
    static const char *const states[] = {
        [CATALOG_WHOLE] = "whole", [CATALOG_DAMAGED] = "damaged", [CATALOG_UNSUPPORTED] = "unsupported"};
    const bool whole = e->state == CATALOG_WHOLE;
    json_t *object = json_object();

    output_add_text(object, "id", e->id.text);
    output_add_time(object, "time", whole ? e->snapshot_ms : e->taken_ms);
    output_add(object, "method", whole ? json_string(e->method) : json_null());
    output_add(object, "keys", whole ? json_integer((json_int_t)e->keys) : json_null());
    output_add(object, "raw_size", whole ? json_integer((json_int_t)e->raw_size) : json_null());
    output_add(object, "stored_size", whole ? json_integer((json_int_t)e->stored_size) : json_null());
    output_add(object, "verified", output_verified(e));
    output_add_text(object, "state", states[e->state]);
    output_add(object, "suspicious", json_boolean(e->suspicious));
    output_add(object, "accepted", json_boolean(e->accepted));
    output_add(object, "held", json_boolean(e->held));
    if (whole)
        output_add(object, "problem", json_null());
    else
        output_add_text(object, "problem", e->problem);
    return object;
}
