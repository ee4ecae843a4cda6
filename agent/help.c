/* SPDX-License-Identifier: Apache-2.0 */
/* help.c: see help.h. Lines end before column 100. */
#include "agent/help.h"

#include <string.h>

#include "agent/options.h"

#define TEXT_WIDTH 96

/* In the order of the statuses; the numbers themselves come from base/err.c. */
static const struct {
    enum err_code code;
    const char *meaning;
} statuses[] = {
    {ERR_NONE, "done"},
    {ERR_INTERNAL, "unexpected failure"},
    {ERR_USAGE, "usage or configuration"},
    {ERR_NOT_FOUND, "not found: no such backup, instance or repository"},
    {ERR_REFUSED, "refused, to protect data: the target is not empty, or a policy forbids it"},
    {ERR_CORRUPT, "integrity: a digest, checksum or structure is wrong"},
    {ERR_STORAGE, "storage unreachable or failing"},
    {ERR_STORE_DENIED, "storage denied: credentials or permissions"},
    {ERR_SERVER, "server unreachable or failing"},
    {ERR_SERVER_DENIED, "server denied: password, ACL, or a command that is not available"},
    {ERR_NO_SPACE, "no space or memory"},
    {ERR_LOCKED, "locked by another run"},
    {ERR_INTERRUPTED, "interrupted by a signal and cleaned up, or the reader of stdout went away"},
    {ERR_UNSUPPORTED, "unsupported: a version or type that this build does not know"},
};

const char *
help_status(size_t i, int *status)
{
    if (i >= ARRAY_LEN(statuses))
        return NULL;
    *status = err_exit_status(statuses[i].code);
    return statuses[i].meaning;
}

/* TEXT in lines that start with INDENT spaces; a newline in it ends a paragraph. */
static int
write_wrapped(struct buf *out, int indent, const char *text, struct err *err)
{
    int column = 0;

    while (*text != '\0') {
        int len = (int)strcspn(text, " \n");

        if (column > 0 && column + 1 + len > TEXT_WIDTH) {
            if (buf_append(out, "\n", 1, err) < 0)
                return -1;
            column = 0;
        }
        if (buf_printf(out, err, "%*s%.*s", column == 0 ? indent : 1, "", len, text) < 0)
            return -1;
        column += len + (column == 0 ? indent : 1);
        text += len;
        if (*text == '\n') {
            if (buf_append(out, "\n", 1, err) < 0)
                return -1;
            column = 0;
        }
        text += strspn(text, " \n");
    }
    return buf_append(out, "\n", 1, err);
}

static int
write_option(struct buf *out, const struct option *o, struct err *err)
{
    if (buf_printf(out, err, "  --%s%s%s%s%s%s\n", o->name, o->value != NULL ? " " : "",
                   o->value != NULL ? o->value : "", o->preset != NULL ? "  (default " : "",
                   o->preset != NULL ? o->preset : "", o->preset != NULL ? ")" : "") < 0)
        return -1;
    return write_wrapped(out, 6, o->help, err);
}

/* The global options, or those that only COMMAND (and its like) has. */
static int
write_options(struct buf *out, const char *title, bool global, enum command_id command, struct err *err)
{
    size_t count;
    const struct option *table = options_table(&count);
    bool any = false;

    for (size_t i = 0; i < count; i++) {
        if (table[i].global != global || (table[i].commands & (1u << command)) == 0)
            continue;
        if (!any && buf_printf(out, err, "\n%s:\n", title) < 0)
            return -1;
        any = true;
        if (write_option(out, &table[i], err) < 0)
            return -1;
    }
    return 0;
}

static int
write_commands(struct buf *out, struct err *err)
{
    for (int i = COMMAND_NONE + 1; i < COMMAND_COUNT; i++) {
        const struct command *c = command_get((enum command_id)i);

        if (buf_printf(out, err, "  %-8s %-17s %s\n", c->name, c->arguments, c->summary) < 0)
            return -1;
    }
    return 0;
}

int
help_short(struct buf *out, struct err *err)
{
    if (buf_printf(out, err, "Usage: remora [GLOBAL OPTIONS] COMMAND [OPTIONS]\n\nCommands:\n") < 0 ||
        write_commands(out, err) < 0)
        return -1;
    return buf_printf(out, err, "\n`remora help` tells more, `remora help COMMAND` all of one command.\n");
}

static int
write_overview(struct buf *out, struct err *err)
{
    static const char about[] =
        "Backs up Redis and Valkey, and restores them.\n"
        "Every option may stand before or after the command, as --option VALUE or --option=VALUE, and has an "
        "environment variable: --redis-url is REMORA_REDIS_URL. The command line wins. Results go to stdout, logs and "
        "progress to stderr. Sizes are written 64M, durations 1h30m.";

    if (buf_printf(out, err, "Usage: remora [GLOBAL OPTIONS] COMMAND [OPTIONS]\n\n") < 0 ||
        write_wrapped(out, 0, about, err) < 0 || buf_printf(out, err, "\nCommands:\n") < 0 ||
        write_commands(out, err) < 0 || write_options(out, "Global options", true, COMMAND_BACKUP, err) < 0 ||
        buf_printf(out, err, "\nExit statuses:\n") < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_LEN(statuses); i++)
        if (buf_printf(out, err, "  %2d  %s\n", err_exit_status(statuses[i].code), statuses[i].meaning) < 0)
            return -1;
    return 0;
}

/* Each line of TEXT behind two spaces. */
static int
write_example(struct buf *out, const char *text, struct err *err)
{
    if (buf_printf(out, err, "\nExample:\n") < 0)
        return -1;
    while (*text != '\0') {
        int len = (int)strcspn(text, "\n");

        if (buf_printf(out, err, "  %.*s\n", len, text) < 0)
            return -1;
        text += len + (text[len] == '\n');
    }
    return 0;
}

int
help_write(enum command_id command, struct buf *out, struct err *err)
{
    const struct command *c = command_get(command);

    if (command == COMMAND_NONE)
        return write_overview(out, err);
    if (buf_printf(out, err, "Usage: remora %s%s%s [OPTIONS]\n\n", c->name, *c->arguments != '\0' ? " " : "",
                   c->arguments) < 0 ||
        write_wrapped(out, 0, c->text, err) < 0 || write_options(out, "Options", false, command, err) < 0 ||
        write_options(out, "Global options", true, command, err) < 0)
        return -1;
    return write_example(out, c->example, err);
}
