/* SPDX-License-Identifier: Apache-2.0 */
/* help.h: help for people, generated from the tables of commands and options. */
#ifndef AGENT_HELP_H
#define AGENT_HELP_H

#include <stddef.h>

#include "agent/commands.h"
#include "base/buf.h"
#include "base/err.h"

/* A few lines: what remora without arguments says. */
int help_short(struct buf *out, struct err *err) MUST_CHECK;

/* All of COMMAND; for COMMAND_NONE: the commands, the global options, the exit statuses. */
int help_write(enum command_id command, struct buf *out, struct err *err) MUST_CHECK;

/* Exit status number I and what it means, in the order of the statuses; NULL behind the last. */
const char *help_status(size_t i, int *status);

#endif
