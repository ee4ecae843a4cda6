/* SPDX-License-Identifier: Apache-2.0 */
/* psync_attempt.c: see psync_attempt.h. */
#include "snapshot/redis/psync_attempt.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "snapshot/redis/info.h"
#include "snapshot/redis/psync_handshake.h"
#include "snapshot/redis/save_guards.h"
#include "snapshot/redis/session.h"

static void
tell(const struct psync_attempt *a, enum source_phase phase, const char *waiting_for, int64_t since_ms)
{
    struct source_progress p = {.phase = phase, .waiting_for = waiting_for, .elapsed_ms = clock_mono_ms() - since_ms};

    if (a->options->progress != NULL)
        a->options->progress(&p, a->options->cookie);
}

static enum psync_outcome
from_handshake(enum psync_handshake answer)
{
    switch (answer) {
    case PSYNC_HANDSHAKE_DONE:
        return PSYNC_READY;
    case PSYNC_HANDSHAKE_LATER:
        return PSYNC_LATER;
    default:
        return PSYNC_FAILED;
    }
}

/* Who is it, may it be burdened, and has it the memory? Asked over this very connection: behind a Service's address
 * another one could come out at another server. */
static enum psync_outcome
learn_facts(const struct psync_attempt *a, struct client *c, struct err *err)
{
    const struct source_psync_options *o = a->options;

    struct server_memory memory;

    if (session_learn_facts(o->endpoint, c, a->facts, &memory, err) < 0 ||
        server_facts_check_role(a->facts, o->allow_master, err) < 0 ||
        save_guard_memory(&o->memory_guard, &memory, true, endpoint_describe(o->endpoint), a->findings, err) < 0)
        return PSYNC_FAILED;
    return PSYNC_READY;
}

/* ---- the answer to PSYNC ---------------------------------------------------------------------------------------- */

static enum psync_outcome
on_refusal(struct psync_attempt *a, const struct psync_stream *s, struct err *err)
{
    const char *server = endpoint_describe(a->options->endpoint);

    a->waiting_for = psync_refusal_passes(s->bulk.line);
    if (a->waiting_for != NULL)
        return PSYNC_LATER;
    (void)psync_refused(s->client, s->bulk.line, err);
    if (strstr(s->bulk.line, "BGSAVE failed") == NULL)
        return PSYNC_FAILED;
    (void)err_set(err, ERR_SERVER,
                  "PSYNC to %s: the server could not fork a child to save (its log says why: most often memory, see "
                  "vm.overcommit_memory and the memory limit)",
                  server);
    return PSYNC_ABANDONED;
}

static enum psync_outcome
on_close(const struct psync_attempt *a, const struct psync_stream *s, struct err *err)
{
    const char *server = endpoint_describe(a->options->endpoint);

    if (s->bulk.repl_id[0] == '\0') {
        (void)err_set(err, ERR_SERVER, "PSYNC to %s: the server closed the connection without an answer", server);
        return PSYNC_FAILED;
    }
    (void)err_set(err, ERR_SERVER,
                  "PSYNC to %s: the server accepted, and then closed the connection before the dump: its saving child "
                  "failed (its log says why: memory, a full disk with repl-diskless-sync no, or data that it cannot "
                  "write for a replica of the version %s, as Valkey 9 has with TTLs of hash fields)",
                  server, PSYNC_SPEAKS_VERSION);
    return PSYNC_ABANDONED;
}

static enum psync_outcome
on_garbage(const struct psync_attempt *a, const struct psync_stream *s, struct err *err)
{
    struct reply r = {.type = REPLY_STATUS};
    char line[PSYNC_LINE_MAX + 1], words[CLIENT_WORDS_MAX];

    (void)snprintf(line, sizeof(line), "%s", s->bulk.line);
    r.text = line;
    r.len = strlen(line) < 80 ? strlen(line) : 80;
    (void)err_set(err, ERR_SERVER,
                  "PSYNC to %s: the answer \"%s\" is not part of the replication protocol: is there a proxy between?",
                  endpoint_describe(a->options->endpoint), client_words(&r, words));
    return PSYNC_FAILED;
}

/* Nothing, or not enough, came in time. */
static enum psync_outcome
on_silence(const struct psync_attempt *a, const struct psync_stream *s, struct err *err)
{
    const char *server = endpoint_describe(a->options->endpoint);

    if (err->code == ERR_SERVER && err->sys == ETIMEDOUT && clock_mono_ms() >= a->deadline_ms)
        (void)err_set(
            err, ERR_SERVER,
            "PSYNC to %s: the dump had not begun when --timeout was over: the server may be busy with another "
            "save, an AOF rewrite or repl-diskless-sync-delay",
            server);
    else if (err->code == ERR_SERVER && err->sys != ETIMEDOUT && s->bulk.repl_id[0] != '\0')
        return on_close(a, s, err); /* a reset is how some connections are closed */
    else
        (void)err_wrap(err, "PSYNC to %s", server);
    return PSYNC_FAILED;
}

/* Up to the dump's header. */
static enum psync_outcome
await_header(struct psync_attempt *a, struct psync_stream *s, struct err *err)
{
    int64_t since_ms = clock_mono_ms();

    for (;;) {
        enum psync_token token;
        struct psync_span none;
        bool accepted = s->bulk.repl_id[0] != '\0';

        tell(a, accepted ? SOURCE_SAVING : SOURCE_WAITING, accepted ? NULL : "the server to begin", since_ms);
        if (psync_stream_next(s, a->deadline_ms, &token, &none, err) < 0)
            return on_silence(a, s, err);
        switch (token) {
        case PSYNC_KEEPALIVE:
            break;
        case PSYNC_FULL:
            a->full_ms = clock_wall_ms();
            since_ms = clock_mono_ms();
            break;
        case PSYNC_BEGUN:
            return PSYNC_READY;
        case PSYNC_REFUSED:
            return on_refusal(a, s, err);
        case PSYNC_NEED_MORE:
            return on_close(a, s, err);
        default:
            return on_garbage(a, s, err);
        }
    }
}

/* ---- the try ---------------------------------------------------------------------------------------------------- */

static enum psync_outcome
greet(struct psync_attempt *a, struct client *c, bool *rdb_only, struct err *err)
{
    enum psync_outcome outcome = from_handshake(psync_ping(c, &a->waiting_for, err));

    if (outcome == PSYNC_READY)
        outcome = learn_facts(a, c, err);
    if (outcome == PSYNC_READY)
        outcome = from_handshake(psync_announce(c, rdb_only, &a->waiting_for, err));
    return outcome;
}

enum psync_outcome
psync_attempt_run(struct psync_attempt *a, struct err *err)
{
    const struct client_options client = {.deadline_ms = a->deadline_ms};
    struct client *c = client_connect(a->options->endpoint, &client, err);
    enum psync_outcome outcome;
    bool rdb_only = false;

    if (c == NULL)
        return PSYNC_FAILED;
    outcome = greet(a, c, &rdb_only, err);
    if (outcome != PSYNC_READY) {
        client_free(c);
        return outcome;
    }
    a->stream = psync_stream_open(c, rdb_only, a->stall_ms, err);
    outcome = a->stream != NULL ? await_header(a, a->stream, err) : PSYNC_FAILED;
    if (outcome == PSYNC_READY) {
        if (!rdb_only)
            log_debug("the server knows no rdb-only (before 6.2): it buffers its stream until the dump is through",
                      LOG_S("server", endpoint_describe(a->options->endpoint)));
        return outcome;
    }
    psync_stream_free(a->stream);
    a->stream = NULL;
    return outcome;
}
