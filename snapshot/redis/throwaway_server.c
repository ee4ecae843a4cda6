/* SPDX-License-Identifier: Apache-2.0 */
/*
 * throwaway_server.c: see throwaway_server.h.
 *
 * The server works in its folder and knows the socket by a relative name; we reach it through /proc/self/fd. So a
 * folder's path may be longer than the 107 bytes of a socket's name, and hold any character.
 */
#include "snapshot/redis/throwaway_server.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/sig.h"
#include "base/units.h"
#include "snapshot/redis/client.h"
#include "snapshot/redis/info.h"
#include "snapshot/redis/server_facts.h"
#include "snapshot/redis/throwaway_process.h"

#define SOCKET_NAME   "remora.socket"
#define ANSWER_MS     60000
#define STALL_MS      300000
#define CONNECT_MS    2000
#define REPLY_MS      10000 /* while it loads: one huge value keeps it from answering */
#define COMMAND_MS    120000
#define POLL_MS       50
#define FIRST_POLL_MS 5 /* small dumps are loaded at once */
#define END_WAIT_MS   2000
#define WORDS_MAX     64

struct throwaway {
    struct throwaway_options options;
    struct throwaway_process process;
    struct endpoint endpoint;
    struct client *client; /* NULL between two connections */
    bool began;            /* it answered: what follows is its data's doing */
    char version[64];
};

/* ---- the start --------------------------------------------------------------------------------------------------- */

static int
start_process(struct throwaway *t, struct err *err)
{
    const struct throwaway_options *o = &t->options;
    char databases[24];
    /* No file of configuration is named, so none is read. `save ""` also keeps SIGTERM from saving. */
    const char *const fixed[] = {"--port",      "0",      "--unixsocket", SOCKET_NAME, "--unixsocketperm", "700",
                                 "--save",      "",       "--appendonly", "no",        "--daemonize",      "no",
                                 "--maxmemory", "0",      "--loglevel",   "notice",    "--dbfilename",     "dump.rdb",
                                 "--databases", databases};
    const char *argv[WORDS_MAX];
    size_t argc = 0;

    (void)snprintf(databases, sizeof(databases), "%" PRIu64, o->databases > 16 ? o->databases : 16);
    argv[argc++] = o->program;
    for (size_t i = 0; i < ARRAY_LEN(fixed); i++)
        argv[argc++] = fixed[i];
    for (size_t i = 0; o->settings != NULL && o->settings[i] != NULL; i++) {
        REQUIRE(argc + 1 < ARRAY_LEN(argv));
        argv[argc++] = o->settings[i];
    }
    argv[argc] = NULL;
    return throwaway_process_start(&t->process, argv, o->folder_fd, err);
}

/* ---- talking ----------------------------------------------------------------------------------------------------- */

static void
hang_up(struct throwaway *t)
{
    client_free(t->client);
    t->client = NULL;
}

/* INFO's text in *OUT; NULL when it does not answer yet. */
static int
ask(struct throwaway *t, struct reply **out, struct err *err)
{
    const struct client_options options = {.connect_timeout_ms = CONNECT_MS, .reply_timeout_ms = REPLY_MS};
    const char *const *argv = CLIENT_ARGS("INFO");
    struct err why = ERR_INIT;

    *out = NULL;
    if (t->client == NULL)
        t->client = client_connect(&t->endpoint, &options, &why);
    if (t->client == NULL || client_call(t->client, argv, out, &why) < 0) {
        hang_up(t);
        if (why.code == ERR_SERVER)
            return 0;
        *err = why;
        return -1;
    }
    if ((*out)->type == REPLY_STRING)
        return 0;
    (void)client_refused(t->client, argv, *out, err);
    reply_free(*out);
    *out = NULL;
    return -1;
}

/* It ended: say why. */
static int
explain(struct throwaway *t, struct err *err)
{
    return throwaway_explain_end(t->process.tail, t->process.status, t->began, err);
}

static void
note_version(struct throwaway *t, const char *info)
{
    struct server_facts facts = {0};

    server_facts_from_info(info, &facts);
    (void)snprintf(t->version, sizeof(t->version), "%s %s", facts.kind, facts.version);
    for (char *p = t->version; *p != '\0'; p++) /* it goes into a fact, and could be any program's */
        if ((unsigned char)*p < ' ' || (unsigned char)*p > '~')
            *p = '?';
}

/* One look at INFO: is it done? *MOVED: the loading went on. */
static bool
has_loaded(struct throwaway *t, const char *info, uint64_t *loaded, bool *moved)
{
    struct server_status status;
    uint64_t now = 0, total = 0;

    server_status_parse(info, &status);
    note_version(t, info);
    if (!status.loading)
        return true;
    (void)info_u64(info, "loading_loaded_bytes", &now);
    (void)info_u64(info, "loading_total_bytes", &total);
    *moved = !t->began || now != *loaded;
    t->began = true;
    *loaded = now;
    progress_tell(t->options.progress, PROGRESS_LOADING, now, total, 0);
    return false;
}

static int
give_up(const struct throwaway *t, int64_t waited_ms, struct err *err)
{
    char text[UNITS_TEXT_MAX];

    return err_set(err, ERR_SERVER,
                   t->began
                       ? "the throw-away server %s has not got on with loading the dump for %s: look at the load of "
                         "this machine"
                       : "the throw-away server %s does not answer after %s: is that a server's program?",
                   t->options.program, units_format_duration(waited_ms, text));
}

static int
wait_until_loaded(struct throwaway *t, struct err *err)
{
    int64_t moved_at = clock_mono_ms(), pause_ms = FIRST_POLL_MS;
    uint64_t loaded = 0;

    progress_tell(t->options.progress, PROGRESS_LOADING, 0, 0, 0);
    for (;;) {
        int64_t limit_ms, waited_ms;
        struct reply *info = NULL;
        bool moved = false, done = false;

        if (sig_check(err) < 0)
            return -1;
        if (!throwaway_process_runs(&t->process))
            return explain(t, err);
        if (ask(t, &info, err) < 0)
            return -1;
        if (info != NULL)
            done = has_loaded(t, info->text, &loaded, &moved);
        reply_free(info);
        if (done)
            return 0;
        if (moved)
            moved_at = clock_mono_ms();
        limit_ms = t->began ? t->options.stall_ms : t->options.answer_ms;
        waited_ms = clock_mono_ms() - moved_at;
        if (waited_ms >= limit_ms)
            return give_up(t, waited_ms, err);
        clock_sleep_ms(pause_ms);
        pause_ms = pause_ms * 2 < POLL_MS ? pause_ms * 2 : POLL_MS;
    }
}

int
throwaway_start(const struct throwaway_options *options, struct throwaway **out, struct err *err)
{
    struct throwaway *t = mem_new(sizeof(*t));
    char *url = mem_printf("unix:///proc/self/fd/%d/%s", options->folder_fd, SOCKET_NAME);
    int rc = -1;

    t->options = *options;
    t->options.answer_ms = options->answer_ms > 0 ? options->answer_ms : ANSWER_MS;
    t->options.stall_ms = options->stall_ms > 0 ? options->stall_ms : STALL_MS;
    if (endpoint_parse(url, &t->endpoint, err) < 0)
        goto out;
    if (start_process(t, err) < 0 || wait_until_loaded(t, err) < 0)
        goto out;
    client_set_reply_timeout(t->client, COMMAND_MS);
    t->began = true;
    *out = t;
    rc = 0;
out:
    free(url);
    if (rc < 0)
        throwaway_stop(t);
    return rc;
}

int
throwaway_call(struct throwaway *t, const char *const *argv, struct reply **out, struct err *err)
{
    if (t->client == NULL)
        return err_set(err, ERR_SERVER, "%s to the throw-away server: the connection was lost before", argv[0]);
    if (client_command(t->client, argv, out, err) == 0)
        return 0;
    if (!client_is_lost(t->client) || err->code != ERR_SERVER)
        return -1;
    hang_up(t);
    clock_sleep_ms(POLL_MS); /* a connection breaks before its process is gone */
    return throwaway_process_runs(&t->process) ? -1 : explain(t, err);
}

const char *
throwaway_version(const struct throwaway *t)
{
    return t->version;
}

const char *
throwaway_log(struct throwaway *t)
{
    (void)throwaway_process_runs(&t->process);
    return t->process.tail;
}

void
throwaway_stop(struct throwaway *t)
{
    struct err unused = ERR_INIT;
    bool asked = false;

    if (t == NULL)
        return;
    if (t->client != NULL && t->process.pid != 0)
        asked = client_send(t->client, CLIENT_ARGS("SHUTDOWN", "NOSAVE"), &unused) == 0;
    hang_up(t);
    throwaway_process_end(&t->process, asked ? END_WAIT_MS : 0);
    endpoint_fini(&t->endpoint);
    free(t);
}
