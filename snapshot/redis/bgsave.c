/* SPDX-License-Identifier: Apache-2.0 */
/* bgsave.c: see bgsave.h. */
#include "snapshot/redis/bgsave.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/sig.h"
#include "base/units.h"
#include "snapshot/redis/save_guards.h"

#define POLL_FIRST_MS 20
#define POLL_MAX_MS   250
#define PROGRESS_MS   500
/* ctime has whole seconds. Where the server does not tell its clock (before 6.2), ours stands in for it. */
#define CTIME_SLACK_S  1
#define CLOCKS_SLACK_S 60

/* The pauses between two looks: short at first, so that a small dataset is not waited for. */
struct pace {
    int64_t started_ms;
    int64_t pause_ms;
};

static struct pace
pace_start(void)
{
    return (struct pace){.started_ms = clock_mono_ms(), .pause_ms = POLL_FIRST_MS};
}

/* Sleep; 0, or -1 on a signal. The deadline is the caller's to look at. */
static int
pace_pause(struct pace *p, int64_t deadline_ms, struct err *err)
{
    int64_t left = deadline_ms - clock_mono_ms();

    clock_sleep_ms(p->pause_ms < left ? p->pause_ms : left);
    p->pause_ms = p->pause_ms * 3 / 2 < POLL_MAX_MS ? p->pause_ms * 3 / 2 : POLL_MAX_MS;
    return sig_check(err);
}

static void
report(struct bgsave *b, enum source_phase phase, const char *waiting_for, const struct pace *pace,
       const struct server_status *status)
{
    int64_t now = clock_mono_ms();
    struct source_progress p = {.phase = phase,
                                .waiting_for = waiting_for,
                                .elapsed_ms = now - pace->started_ms,
                                .keys_done = status->keys_done,
                                .keys_total = status->keys_total,
                                .cow_bytes = status->cow_bytes};

    if (b->options->progress == NULL || (b->reported_at_ms != 0 && now - b->reported_at_ms < PROGRESS_MS))
        return;
    b->reported_at_ms = now;
    b->options->progress(&p, b->options->cookie);
}

static const char *
server_name(const struct bgsave *b)
{
    return endpoint_describe(b->session->endpoint);
}

/* ---- waiting and asking ----------------------------------------------------------------------------------------- */

static int
fail_waiting(const struct bgsave *b, const char *reason, struct err *err)
{
    char limit[UNITS_TEXT_MAX];

    return err_set(err, ERR_SERVER,
                   "no BGSAVE could be asked of %s within %s: still waiting for %s; try again later, or give a longer "
                   "--timeout",
                   server_name(b), units_format_duration(b->options->timeout_ms, limit), reason);
}

/* Until the server runs no child and loads nothing; b->asked is then how it was. */
static int
wait_for_idle(struct bgsave *b, struct pace *pace, struct err *err)
{
    const char *reason = NULL;

    for (;;) {
        enum session_answer answer = session_status(b->session, &b->asked, err);

        if (answer == SESSION_FAILED) {
            bool too_late = reason != NULL && err->code != ERR_INTERRUPTED && clock_mono_ms() >= b->deadline_ms;

            return too_late ? fail_waiting(b, reason, err) : -1;
        }
        reason = answer == SESSION_TOLD ? server_status_busy(&b->asked) : "a script or function that keeps it busy";
        if (reason == NULL)
            return 0;
        if (clock_mono_ms() >= b->deadline_ms)
            return fail_waiting(b, reason, err);
        report(b, SOURCE_WAITING, reason, pace, &b->asked);
        if (pace_pause(pace, b->deadline_ms, err) < 0)
            return -1;
    }
}

/* Error replies that only say "not now". */
static bool
is_try_later(const struct reply *r)
{
    return reply_has_code(r, "LOADING") || reply_has_code(r, "BUSY") ||
           (r->type == REPLY_ERROR &&
            (strstr(r->text, "already in progress") != NULL || strstr(r->text, "child process is active") != NULL ||
             strstr(r->text, "log rewriting in progress") != NULL));
}

static int
fail_asking(const struct bgsave *b, const struct reply *r, struct err *err)
{
    char words[CLIENT_WORDS_MAX];

    if (r->type == REPLY_ERROR && strcmp(r->text, "ERR") == 0)
        return err_set(
            err, ERR_SERVER,
            "BGSAVE to %s: the server could not fork (it only says ERR; its log has the cause): give it more "
            "memory, or set vm.overcommit_memory=1 on the node",
            server_name(b));
    if (r->type == REPLY_ERROR)
        return client_refused(b->session->client, CLIENT_ARGS("BGSAVE"), r, err);
    return err_set(err, ERR_SERVER, "BGSAVE to %s: the server answered \"%s\", which does not say that a save began",
                   server_name(b), r->type == REPLY_STATUS ? client_words(r, words) : "(no status)");
}

/* What came of one BGSAVE. */
enum asked { ASKED_FAILED = -1, ASKED_ACCEPTED, ASKED_LATER };

static enum asked
ask(struct bgsave *b, struct err *err)
{
    struct err why = ERR_INIT;
    struct reply *r = NULL;
    enum asked result = ASKED_FAILED;
    bool lost = false;

    if (session_call(b->session, CLIENT_ARGS("BGSAVE"), &r, &lost, &why) < 0) {
        /* Whether a save began is not known, so that none may be taken for ours: wait for its end and ask anew. */
        if (lost)
            return ASKED_LATER;
        *err = why;
        return ASKED_FAILED;
    }
    if (r->type == REPLY_STATUS && strncmp(r->text, "Background saving started", 25) == 0) {
        b->accepted_ms = clock_wall_ms();
        result = ASKED_ACCEPTED;
    } else if (is_try_later(r)) {
        result = ASKED_LATER;
    } else {
        (void)fail_asking(b, r, err);
    }
    reply_free(r);
    return result;
}

/* Anew before each request: only the last answer counts. */
static int
ask_guards(struct bgsave *b, struct err *err)
{
    const struct guard_options *o = &b->options->guards;

    if (save_guard_memory(&o->memory, &b->asked.memory, false, server_name(b), &b->findings, err) < 0)
        return -1;
    return save_guard_space(o->space, b->dump, &b->before, b->asked.memory.used, &b->findings, err);
}

/* Never with SCHEDULE: a scheduled save begins nobody knows when, and on the older servers not at all while another
 * child is running. */
static int
request(struct bgsave *b, struct err *err)
{
    struct pace pace = pace_start();

    for (;;) {
        enum asked result;

        if (wait_for_idle(b, &pace, err) < 0 || dump_stamp_take(b->dump, &b->before, err) < 0 || ask_guards(b, err) < 0)
            return -1;
        result = ask(b, err);
        if (result == ASKED_FAILED)
            return -1;
        if (result == ASKED_ACCEPTED)
            break;
        if (clock_mono_ms() >= b->deadline_ms)
            return fail_waiting(b, "a save or another child process", err);
        if (pace_pause(&pace, b->deadline_ms, err) < 0)
            return -1;
    }
    b->not_before_s =
        b->asked.server_ms >= 0 ? b->asked.server_ms / 1000 - CTIME_SLACK_S : b->accepted_ms / 1000 - CLOCKS_SLACK_S;
    log_debug("the server began a save", LOG_S("server", server_name(b)));
    return 0;
}

/* ---- the end of the save ---------------------------------------------------------------------------------------- */

static int
fail_unfinished(const struct bgsave *b, struct err *err)
{
    char limit[UNITS_TEXT_MAX];

    return err_set(err, ERR_SERVER,
                   "BGSAVE on %s did not finish within %s; the save goes on in the server: give a longer --timeout",
                   server_name(b), units_format_duration(b->options->timeout_ms, limit));
}

static int
wait_for_end(struct bgsave *b, struct server_status *status, struct err *err)
{
    struct pace pace = pace_start();

    b->reported_at_ms = 0;
    for (;;) {
        enum session_answer answer = session_status(b->session, status, err);

        if (answer == SESSION_TOLD && !status->rdb_running)
            return 0;
        if (answer == SESSION_FAILED && (err->code == ERR_INTERRUPTED || clock_mono_ms() < b->deadline_ms))
            return err_wrap(err, "while %s was saving", server_name(b));
        if (clock_mono_ms() >= b->deadline_ms)
            return fail_unfinished(b, err);
        if (answer == SESSION_TOLD)
            report(b, SOURCE_SAVING, NULL, &pace, status);
        if (pace_pause(&pace, b->deadline_ms, err) < 0)
            return -1;
    }
}

static int
fail_saving(const struct bgsave *b, const struct server_status *status, struct err *err)
{
    bool is_full = dump_is_space_short(b->dump, &b->before, status->memory.used);
    char leftovers[256], remark[320] = "";

    if (dump_list_leftovers(b->dump, leftovers, sizeof(leftovers)) > 0)
        (void)snprintf(remark, sizeof(remark), "; it left behind %s", leftovers);
    return err_set(err, is_full ? ERR_NO_SPACE : ERR_SERVER,
                   "the save on %s failed%s; until one succeeds the server may refuse writes (-MISCONF, "
                   "stop-writes-on-bgsave-error): its log has the cause%s",
                   server_name(b), is_full ? ", and its volume has no room for one" : "", remark);
}

/* The server says it is not saving: was there a save, did it end well, and was it not before ours? A child that is
 * killed on purpose (FLUSHALL, a replica's full synchronization, BGSAVE CANCEL) leaves the status at "ok". */
static int
check_end(const struct bgsave *b, const struct server_status *end, struct err *err)
{
    int64_t asked_s = b->asked.server_ms >= 0 ? b->asked.server_ms / 1000 : -1;

    if (!end->last_save_ok)
        return fail_saving(b, end, err);
    if (end->has_saves && b->asked.has_saves && end->saves < b->asked.saves + 1)
        return err_set(err, ERR_SERVER,
                       "%s said that a save began, but counts none (rdb_saves %" PRIu64 ", then %" PRIu64
                       "): back up again",
                       server_name(b), b->asked.saves, end->saves);
    if (end->last_save_s >= 0 && asked_s >= 0 && end->last_save_s < asked_s)
        return err_set(err, ERR_SERVER,
                       "the save on %s was given up before its end (FLUSHALL, a full synchronization of a replica or "
                       "BGSAVE CANCEL do that): back up again",
                       server_name(b));
    return 0;
}

int
bgsave_run(struct bgsave *b, struct err *err)
{
    struct server_status end = {0};

    if (request(b, err) < 0 || wait_for_end(b, &end, err) < 0)
        return -1;
    return check_end(b, &end, err);
}
