/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options.h: THE table of options, and the parser that reads command line and environment by it.
 *
 * The table is data: help, and whatever else describes the command line, is generated from it. An option's environment
 * variable is derived from its name (--redis-url: REMORA_REDIS_URL). A value comes from the command line, else from the
 * environment (an empty variable counts as unset), else from the table; all three are read by the same rules.
 */
#ifndef AGENT_OPTIONS_H
#define AGENT_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/config.h"
#include "base/err.h"

#define OPTION_ENV_MAX 64

enum option_kind {
    OPTION_FLAG,     /* bool; no value, or =yes, =no */
    OPTION_STRING,   /* const char * */
    OPTION_SIZE,     /* uint64_t, bytes */
    OPTION_DURATION, /* int64_t, milliseconds */
    OPTION_NUMBER,   /* uint64_t */
    OPTION_CHOICE,   /* int: the place of the word in `value`, "first|second" */
    OPTION_LIST,     /* struct config_list; may be repeated; the environment separates by commas */
    OPTION_SECRET,   /* const char *: the path of a file that holds a secret */
};

struct option {
    const char *name; /* without the dashes */
    enum option_kind kind;
    bool global;        /* shown among the global options */
    unsigned commands;  /* where it is allowed: bits 1 << enum command_id */
    const char *value;  /* what help calls its value; the choices of a choice; NULL for a flag */
    const char *preset; /* the default, as it would be typed; NULL: none */
    uint64_t min, max;  /* of a number or size, both included; a duration is at least 1 s */
    bool needs_unit;    /* a duration among options that are counts: a bare number would be a slip */
    size_t field;       /* where in struct config */
    const char *help;   /* sentences without the default */
};

/* The whole table, *COUNT entries. */
const struct option *options_table(size_t *count);

/* The environment variable of OPTION. Returns OUT. */
const char *option_env(const struct option *option, char out[OPTION_ENV_MAX]);

/*
 * Read ARGV and the environment into CONFIG. A password in a URL in ARGV is overwritten there with asterisks, since
 * anyone may read a process's arguments. ERR_USAGE names the option and what it wants; CONFIG then still holds what
 * could be understood, so that the failure is told in the format that was asked for. No arguments at all is
 * COMMAND_NONE. config_fini() in any case.
 */
int options_parse(int argc, char **argv, struct config *config, struct err *err) MUST_CHECK;

#endif
