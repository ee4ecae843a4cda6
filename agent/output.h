/* SPDX-License-Identifier: Apache-2.0 */
/* output.h: results on stdout. A result that could not be written is an error: a script that reads the id of a backup
 * from a pipe must not be told that all is well. */
#ifndef AGENT_OUTPUT_H
#define AGENT_OUTPUT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/sidecar/figures.h"
#include "base/buf.h"
#include "base/err.h"
#include "snapshot/repo/catalog.h"

#define OUTPUT_MAX ((size_t)64 << 20) /* ceiling for one result */

struct output {
    int fd;
    bool json;  /* results are wanted as JSON */
    bool wrote; /* something was: the object of a failure does not follow it */
    /* What --metrics-file tells of the result, set by the command. */
    struct figures_latest made; /* backup; snapshot_ms 0: none was made that `latest` would take */
    enum figures_newest newest; /* backup: of what was made */
    int64_t verified_ms;        /* verify: when it last found one good by reading it; 0: none */
};

/* Write all of B. ERR_INTERNAL, ERR_NO_SPACE on a full disk, ERR_INTERRUPTED where the reader of a pipe is gone, or
 * stalls until a signal comes. */
int output_buf(struct output *out, const struct buf *b, struct err *err) MUST_CHECK;
/* One formatted piece; control characters but the newline as '?'. */
int output_text(struct output *out, struct err *err, const char *fmt, ...) PRINTF_LIKE(3, 4) MUST_CHECK;
/* One object, on one line. Takes OBJECT. */
int output_json_take(struct output *out, json_t *object, struct err *err) MUST_CHECK;

/* {"command":COMMAND,"error":{"code","exit_status","message"}}. */
json_t *output_failure(const char *command, const struct err *failure) MUST_CHECK;

/* Add a member to OBJECT, in the order of the calls; takes VALUE, which is never NULL but for want of memory. */
void output_add(json_t *object, const char *key, json_t *value);
/* The same for a string from outside, which may not be UTF-8: then its bad bytes are shown as '?'. */
void output_add_text(json_t *object, const char *key, const char *text);
/* And for a count of bytes or things. */
void output_add_count(json_t *object, const char *key, uint64_t n);
/* And for a moment, as RFC 3339 in UTC. */
void output_add_time(json_t *object, const char *key, int64_t ms);

/* The same, but null for 0. */
void output_add_moment(json_t *object, const char *key, int64_t ms);
/* A string from outside, but null for "". */
void output_add_word(json_t *object, const char *key, const char *text);

/* {"time","level","load":{"time","server"}}: when a backup was last found good, and how, and when a server last loaded
 * it; null where never. */
json_t *output_verified(const struct catalog_entry *facts) MUST_CHECK;

/* A backup in brief, as `list` and the agent show it: id, time, sizes, marks, and what is wrong with it. */
json_t *output_backup(const struct catalog_entry *e) MUST_CHECK;

#endif
