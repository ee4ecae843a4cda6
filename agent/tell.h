/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tell.h: what a run tells the agent that started it: JSON lines to the pipe whose descriptor the environment variable
 * REMORA_TELL_FD names.
 *
 *     {"progress":{"phase":"storing","done":1,"total":2,"stored":3}}
 *     {"error":{"exit_status":8,"message":"..."}}
 *     {"storage":{"calls":{"put":{"count":1,"failures":0,"total_ms":4,"buckets":[1,0,...]},...},
 *                 "bytes_put":1,"bytes_got":0,"retries":0}}
 *
 * The only place that knows that descriptor and these lines, in both directions. Telling never fails and never holds
 * the work up: what the reader does not take is dropped.
 */
#ifndef AGENT_TELL_H
#define AGENT_TELL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "snapshot/progress.h"
#include "storage/store_meter.h"

#define TELL_FD_NAME  "REMORA_TELL_FD"
#define TELL_LINE_MAX 4096 /* bytes, the newline among them: a pipe takes them in one piece or not at all */

/* At the start of the process, before anything is opened: take the descriptor of the environment, which is a pipe or a
 * socket (else nothing is told). No child of ours inherits it. */
void tell_start(void);

/* Is there somebody to tell? */
bool tell_is_on(void);

/* At most twice a second, but a new phase at once. From one thread. */
void tell_progress(const struct progress *p);

/* At the end; they wait for room for at most a second. The sentence is told here too, since stdout may hold a result
 * beside a failure. */
void tell_error(const struct err *failure);
void tell_storage(const struct store_meter_counts *counts);

enum tell_kind { TELL_NOTHING, TELL_PROGRESS, TELL_ERROR, TELL_STORAGE };

/* Pure: {"phase","done","total","stored"}, as it stands in such a line and in the agent's jobs. False, and *P
 * untouched, for anything else. */
bool tell_read_progress(const json_t *from, struct progress *p);

/* What was told so far. */
struct told {
    struct progress progress;          /* the last */
    char error[1024];                  /* "": none */
    struct store_meter_counts storage; /* zeros: none */
};

/* Pure: what LINE (LEN bytes, without the newline) tells, into *TOLD. TELL_NOTHING: none of these lines, or a broken
 * one; nothing is touched then. */
enum tell_kind tell_parse(const char *line, size_t len, struct told *told);

#endif
