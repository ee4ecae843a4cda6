/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tell.h: what a command tells the agent that runs it as a child (sidecar/child.h): JSON objects, a line each, to the
 * descriptor that the environment variable REMORA_TELL_FD names. Internal to this program: there is no promise to
 * others, and readers ignore members that they do not know.
 *
 *   {"progress":{"phase":"storing","done":1,"total":2,"stored":3}}   at most twice a second
 *   {"error":{"exit_status":8,"message":"..."}}                      why it ends
 *   {"storage":{...}}                                                at the end: what was asked of the store
 *
 * A reader that does not read loses lines; nobody waits for it. Thread-safe after tell_setup().
 */
#ifndef AGENT_TELL_H
#define AGENT_TELL_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"
#include "snapshot/progress.h"

#define TELL_ENV      "REMORA_TELL_FD"
#define TELL_LINE_MAX 4096 /* PIPE_BUF: a line is written whole or not at all */

/* Find out whether anybody listens. Once, before threads; programs that are started later do not inherit it. */
void tell_setup(void);

/* Does anybody? */
bool tell_is_on(void);

/* Takes OBJECT. */
void tell_take(json_t *object);

void tell_progress(const struct progress *p);
void tell_error(const struct err *failure);

#endif
