/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log.h: one line per event on stderr, as text (`time level message key=value...`) or as JSON.
 *
 * An event is a constant message plus fields. Customers' key names and values, and secrets, are never given to it. Each
 * line is one write(2), so lines of several threads do not mix. A line of more than 16 KiB loses the fields from the
 * one that has no room on, and says "cut". log_setup() is called once, before threads exist.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_OFF };
enum log_format { LOG_TEXT, LOG_JSON };

struct log_field {
    const char *key; /* NULL ends a list of fields */
    enum { LOG_FIELD_STRING, LOG_FIELD_UINT, LOG_FIELD_INT, LOG_FIELD_BOOL } type;
    union {
        const char *s; /* NULL is written as an empty string */
        uint64_t u;
        int64_t i;
        bool b;
    } v;
};

#define LOG_S(k, value)                                                                                                \
    {                                                                                                                  \
        .key = (k), .type = LOG_FIELD_STRING, .v.s = (value)                                                           \
    }
#define LOG_U(k, value)                                                                                                \
    {                                                                                                                  \
        .key = (k), .type = LOG_FIELD_UINT, .v.u = (value)                                                             \
    }
#define LOG_I(k, value)                                                                                                \
    {                                                                                                                  \
        .key = (k), .type = LOG_FIELD_INT, .v.i = (value)                                                              \
    }
#define LOG_B(k, value)                                                                                                \
    {                                                                                                                  \
        .key = (k), .type = LOG_FIELD_BOOL, .v.b = (value)                                                             \
    }

/* Where, how and how much to log. FD is not owned. Until the first call: text, LOG_INFO, stderr. */
void log_setup(int fd, enum log_format format, enum log_level level);

/* Called before and after each line while a progress bar stands on the terminal, so that the two do not mix; NULL:
 * none. The hook runs in the thread that logs, under the log's own mutex, and must not log. */
void log_set_hook(void (*hook)(bool before, void *cookie), void *cookie);

/* Write one line when LEVEL is loud enough. FIELDS ends with a NULL key. Keeps errno. */
void log_event(enum log_level level, const char *msg, const struct log_field *fields);

/* log_info("backup started", LOG_S("id", id), LOG_U("jobs", jobs)); an event without fields says LOG_NONE. */
#define LOG_NONE                                                                                                       \
    {                                                                                                                  \
        .key = NULL                                                                                                    \
    }
#define LOG_FIELDS(...)     ((const struct log_field[]){__VA_ARGS__, LOG_NONE})
#define log_debug(msg, ...) log_event(LOG_DEBUG, (msg), LOG_FIELDS(__VA_ARGS__))
#define log_info(msg, ...)  log_event(LOG_INFO, (msg), LOG_FIELDS(__VA_ARGS__))
#define log_warn(msg, ...)  log_event(LOG_WARN, (msg), LOG_FIELDS(__VA_ARGS__))
#define log_error(msg, ...) log_event(LOG_ERROR, (msg), LOG_FIELDS(__VA_ARGS__))

#endif
