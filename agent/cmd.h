/* SPDX-License-Identifier: Apache-2.0 */
/* cmd.h: the commands, one file each. A command writes its result to OUT, logs what is worth it, and returns 0, or -1
 * with the error that decides the exit status; main.c tells it. */
#ifndef AGENT_CMD_H
#define AGENT_CMD_H

#include "agent/config.h"
#include "agent/output.h"
#include "base/err.h"

typedef int cmd_fn(const struct config *config, struct output *out, struct err *err);

cmd_fn cmd_init, cmd_backup, cmd_restore, cmd_list, cmd_show, cmd_verify, cmd_prune, cmd_delete, cmd_hold, cmd_release,
    cmd_accept, cmd_export, cmd_import, cmd_copy, cmd_inspect, cmd_agent, cmd_trigger, cmd_check, cmd_version, cmd_help;

#endif
