/* SPDX-License-Identifier: Apache-2.0 */
/* commands.h: the commands as data: names, arguments and what help says of them. Who runs them is in main.c. */
#ifndef AGENT_COMMANDS_H
#define AGENT_COMMANDS_H

#include <stddef.h>

enum command_id {
    COMMAND_NONE,
    COMMAND_INIT,
    COMMAND_BACKUP,
    COMMAND_RESTORE,
    COMMAND_LIST,
    COMMAND_SHOW,
    COMMAND_VERIFY,
    COMMAND_PRUNE,
    COMMAND_DELETE,
    COMMAND_HOLD,
    COMMAND_RELEASE,
    COMMAND_ACCEPT,
    COMMAND_EXPORT,
    COMMAND_IMPORT,
    COMMAND_COPY,
    COMMAND_INSPECT,
    COMMAND_AGENT,
    COMMAND_TRIGGER,
    COMMAND_CHECK,
    COMMAND_VERSION,
    COMMAND_HELP,
    COMMAND_COUNT
};

struct command {
    const char *name;
    const char *arguments; /* as the usage line shows them; "" when there are none */
    size_t args_min, args_max;
    const char *summary; /* a line in the list of commands */
    const char *text;    /* paragraphs of `help COMMAND`, separated by newlines */
    const char *example; /* command lines, separated by newlines */
};

/* ID's entry; for COMMAND_NONE one with an empty name. */
const struct command *command_get(enum command_id id);

/* The command called NAME; COMMAND_NONE when there is none. */
enum command_id command_find(const char *name);

#endif
