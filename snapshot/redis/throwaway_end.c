/* SPDX-License-Identifier: Apache-2.0 */
/* throwaway_end.c: why a throw-away server ended by itself, from what it wrote last. The sentences are those of Redis
 * 5.0 to 8.0 and Valkey 7.2 to 9.0. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/mem.h"
#include "snapshot/redis/throwaway_server.h"

#define WORDS_MAX 480
#define LINES     2 /* of its words are told: the last but one says what, the last that it gives up */

/* What it says of data that are whole, but not for it. That the magic is foreign is said as for any other file. */
static const char *const unsupported[] = {
    "Can't handle RDB format version", "Wrong signature trying to load DB", "no matching module",
    "AUX module data I can't load",    "modules have to be loaded",
};
static const char *const no_memory[] = {"Out Of Memory allocating", "Out of memory", "Cannot allocate memory"};
static const char *const began_words[] = {"Server initialized", "Loading RDB produced by", "Reading RDB"};

static bool
has_any(const char *text, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strstr(text, words[i]) != NULL)
            return true;
    return false;
}

/* Behind "1234:M 22 Nov 2026 10:30:00.123 # ", if the line begins like that. */
static const char *
skip_stamp(const char *line, const char *end)
{
    for (const char *p = line; p + 2 < end && p < line + 48; p++)
        if (p[0] == ' ' && strchr("#*-.", p[1]) != NULL && p[2] == ' ')
            return p + 3;
    return line;
}

/* Copy one line, printable, as far as there is room. */
static size_t
add_line(char *out, size_t at, const char *line, const char *end)
{
    if (at > 0 && at + 3 < WORDS_MAX) {
        out[at++] = ';';
        out[at++] = ' ';
    }
    for (line = skip_stamp(line, end); line < end && at + 1 < WORDS_MAX; line++)
        out[at++] = (unsigned char)*line >= ' ' && *line != 127 ? *line : '?';
    out[at] = '\0';
    return at;
}

/* Where the last words end: in front of the report that a crash ends with. */
static const char *
end_of_words(const char *log)
{
    const char *report = strstr(log, " BUG REPORT START"), *end;

    if (report == NULL)
        return log + strlen(log);
    for (end = report; end > log && end[-1] != '\n'; end--)
        ;
    while (end > log && (end[-1] == '\n' || end[-1] == '\r')) /* an empty line stands between */
        end--;
    return end;
}

static void
last_words(const char *log, char out[WORDS_MAX])
{
    const char *end = end_of_words(log), *starts[LINES] = {NULL}, *ends[LINES] = {NULL};
    size_t at = 0;

    out[0] = '\0';
    for (int n = LINES; n > 0 && end > log;) {
        const char *start;

        while (end > log && (end[-1] == '\n' || end[-1] == '\r' || end[-1] == ' '))
            end--;
        for (start = end; start > log && start[-1] != '\n'; start--)
            ;
        if (start < end) {
            n--;
            starts[n] = start;
            ends[n] = end;
        }
        end = start;
    }
    for (int n = 0; n < LINES; n++)
        if (starts[n] != NULL)
            at = add_line(out, at, starts[n], ends[n]);
}

int
throwaway_explain_end(const char *log, int status, bool began, struct err *err)
{
    char words[WORDS_MAX], how[64];

    last_words(log, words);
    began = began || has_any(log, began_words, ARRAY_LEN(began_words));
    if (WIFSIGNALED(status))
        (void)snprintf(how, sizeof(how), "was ended by signal %d", WTERMSIG(status));
    else
        (void)snprintf(how, sizeof(how), "ended with status %d", WEXITSTATUS(status));
    if (has_any(log, unsupported, ARRAY_LEN(unsupported)))
        return err_set(err, ERR_UNSUPPORTED,
                       "this server cannot read a dump of that version or kind; it said: %s: give a newer or the right "
                       "server with --server-binary",
                       words);
    if (has_any(log, no_memory, ARRAY_LEN(no_memory)) || (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL))
        return err_set(
            err, ERR_NO_SPACE,
            "the throw-away server %s while it loaded the dump, most likely for want of memory%s%s: give this "
            "run as much memory as the dataset's server has",
            how, *words != '\0' ? "; it last said: " : "", words);
    if (!began)
        return err_set(err, ERR_SERVER, "the throw-away server %s before it came to the dump%s%s", how,
                       *words != '\0' ? "; it said: " : " and said nothing", words);
    return err_set(err, ERR_CORRUPT, "a server does not load it: it %s; it said: %s", how, words);
}
