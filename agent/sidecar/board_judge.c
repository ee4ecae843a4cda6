/* SPDX-License-Identifier: Apache-2.0 */
/*
 * board_judge.c: how things stand, in a word and a sentence: see board.h.
 *
 * A cause is told before what follows from it: while the repository or the server is away, that is why backups fail or
 * are late. Every verdict says how old the last good backup is, since that is what would be restored now; what is to be
 * done is said by board_advice.c.
 */
#include <stdio.h>
#include <string.h>

#include "agent/sidecar/board_parts.h"
#include "agent/sidecar/span.h"
#include "base/units.h"

#define MINUTE_MS 60000
#define HOUR_MS   (60 * (int64_t)MINUTE_MS)

void
sentence_say(struct sentence *s, const char *fmt, ...)
{
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(s->text + s->len, s->size - s->len, fmt, ap);
    va_end(ap);
    if (n > 0)
        s->len = s->len + (size_t)n < s->size ? s->len + (size_t)n : s->size - 1;
}

/* An error's own sentence, which may end in a full stop or not. */
static void
say_error(struct sentence *s, const char *error)
{
    size_t len = strlen(error);

    sentence_say(s, "%s%s", len > 0 ? error : "no reason was given", len > 0 && error[len - 1] == '.' ? "" : ".");
}

static int64_t
since(int64_t then_ms, int64_t now_ms)
{
    return now_ms > then_ms ? now_ms - then_ms : 0;
}

/* "The last good backup is 12m old", or that there is none, without the full stop. */
static void
say_age(struct sentence *s, const struct board *b, int64_t now_ms)
{
    const struct catalog_entry *latest = board_latest(b);
    char age[UNITS_TEXT_MAX];

    if (latest != NULL)
        sentence_say(s, "The last good backup is %s old", span_format(since(latest->snapshot_ms, now_ms), age));
    else if (b->catalog != NULL)
        sentence_say(s, "There is no good backup yet");
    else
        sentence_say(s, "Which backups there are is not known yet");
}

/* "; the next one is due in 5m." */
static void
say_next(struct sentence *s, const struct board *b, const char *which, int64_t now_ms)
{
    const struct board_kind *k = &b->kinds[WORK_BACKUP];
    char left[UNITS_TEXT_MAX];
    bool running = false;

    for (size_t i = 0; i < b->jobs.count; i++)
        running = running || (b->jobs.jobs[i].kind == WORK_BACKUP && b->jobs.jobs[i].state == JOB_RUNNING);
    if (running)
        sentence_say(s, "; one is being taken now.");
    else if (k->next_ms > now_ms)
        sentence_say(s, "; the %s is due in %s.", which, span_format(k->next_ms - now_ms, left));
    else if (k->next_ms != 0)
        sentence_say(s, "; the %s is due now.", which);
    else if (k->schedule[0] == '\0')
        sentence_say(s, "; backups are taken when they are asked for.");
    else
        sentence_say(s, ".");
}

int64_t
board_late_after_ms(const struct board *b)
{
    int64_t slack_ms = b->expect_every_ms / 4;

    if (b->expect_every_ms == 0)
        return 0;
    slack_ms = slack_ms < MINUTE_MS ? MINUTE_MS : slack_ms;
    slack_ms = slack_ms > HOUR_MS ? HOUR_MS : slack_ms;
    return b->expect_every_ms + slack_ms;
}

/* Did what this failed job was to do succeed since, whoever did it? */
static bool
was_made_up_for(const struct board *b, const struct job *failed)
{
    const struct catalog_entry *latest = board_latest(b);

    if (latest == NULL)
        return false;
    if (failed->kind == WORK_BACKUP)
        return latest->snapshot_ms > failed->started_ms;
    return failed->kind == WORK_VERIFY && latest->verified_ms > failed->started_ms;
}

const struct job *
board_standing_failure(const struct board *b)
{
    for (int kind = 0; kind < WORK_KINDS; kind++) {
        size_t i = b->jobs.count;

        while (i-- > 0) {
            const struct job *job = &b->jobs.jobs[i];

            if (job->kind != (enum work)kind || (job->state != JOB_SUCCEEDED && job->state != JOB_FAILED))
                continue;
            if (job->state == JOB_FAILED && !was_made_up_for(b, job))
                return job;
            break;
        }
    }
    return NULL;
}

const struct catalog_entry *
board_suspicious(const struct board *b)
{
    const struct catalog_entry *e;

    if (b->catalog == NULL || b->catalog->count == 0)
        return NULL;
    e = &b->catalog->entries[b->catalog->count - 1];
    return e->state == CATALOG_WHOLE && e->suspicious && !e->accepted ? e : NULL;
}

/* When the newest error of that name came up. 0: it is not remembered any more. */
static int64_t
newest_error_ms(const struct board *b, const char *what)
{
    for (size_t i = b->error_count; i > 0; i--)
        if (strcmp(b->errors[i - 1].what, what) == 0)
            return b->errors[i - 1].at_ms;
    return 0;
}

/* The first of the failures in a row that FAILED is the last of. */
static int64_t
first_failure_ms(const struct board *b, const struct job *failed)
{
    int64_t ms = failed->ended_ms;

    for (const struct job *job = failed; job >= b->jobs.jobs; job--) {
        if (job->kind == failed->kind && job->state == JOB_SUCCEEDED)
            break;
        if (job->kind == failed->kind && job->state == JOB_FAILED)
            ms = job->ended_ms;
    }
    return ms;
}

/* What is outside of this process: the repository, then the server. False: both are there, or not asked yet. */
static bool
judge_outside(const struct board *b, struct board_verdict *v, struct sentence *s)
{
    bool store = b->store == REACH_DOWN || b->store == REACH_DENIED;
    bool server = b->server == REACH_DOWN || b->server == REACH_DENIED;

    if (!store && !server)
        return false;
    v->health = store ? HEALTH_STORE_DOWN : HEALTH_SERVER_DOWN;
    v->since_ms = newest_error_ms(b, store ? "repository" : "server");
    sentence_say(s, "%s: ",
                 store ? b->store == REACH_DENIED ? "The repository denies access" : "The repository cannot be used"
                 : b->server == REACH_DENIED ? "The server denies access"
                                             : "The server cannot be used");
    say_error(s, store ? b->store_error : b->server_error);
    return true;
}

/* What was done and how it ended. False: it ended well. */
static bool
judge_work(const struct board *b, int64_t now_ms, struct board_verdict *v, struct sentence *s)
{
    const struct job *failed = board_standing_failure(b);
    const struct catalog_entry *odd = board_suspicious(b);
    char ago[UNITS_TEXT_MAX];

    if (failed != NULL) {
        v->health = HEALTH_FAILING;
        v->since_ms = first_failure_ms(b, failed);
        sentence_say(s, "The last %s failed %s ago: ", work_name(failed->kind),
                     span_format(since(failed->ended_ms, now_ms), ago));
        say_error(s, failed->error);
    } else if (odd != NULL) {
        v->health = HEALTH_SUSPICIOUS;
        v->since_ms = odd->snapshot_ms;
        sentence_say(s,
                     "The last backup, %s, has far fewer keys than the one before. It is not taken for the latest "
                     "until you accept it.",
                     odd->id.text);
    } else {
        return false;
    }
    return true;
}

/* The backup that there is against the one that was expected. */
static void
judge_age(const struct board *b, int64_t now_ms, struct board_verdict *v, struct sentence *s)
{
    const struct catalog_entry *latest = board_latest(b);
    char every[UNITS_TEXT_MAX];

    if (latest == NULL) {
        v->health = HEALTH_NEVER;
    } else if (b->expect_every_ms > 0 && since(latest->snapshot_ms, now_ms) > board_late_after_ms(b)) {
        v->health = HEALTH_LATE;
        v->since_ms = latest->snapshot_ms + board_late_after_ms(b);
        sentence_say(s, "A backup is expected every %s, and none came in time.",
                     span_format(b->expect_every_ms, every));
    }
}

void
board_verdict(const struct board *b, int64_t now_ms, struct board_verdict *out)
{
    struct sentence cause = {.text = out->cause, .size = sizeof(out->cause)};
    struct sentence safety = {.text = out->safety, .size = sizeof(out->safety)};
    char text[UNITS_TEXT_MAX];
    bool away;

    memset(out, 0, sizeof(*out));
    away = judge_outside(b, out, &cause);
    if (!away && b->catalog == NULL) {
        out->health = HEALTH_STARTING;
        sentence_say(&safety, "The agent started %s ago and has not read the repository yet.",
                     span_format(since(b->started_ms, now_ms), text));
        return;
    }
    if (!away && !judge_work(b, now_ms, out, &cause))
        judge_age(b, now_ms, out, &cause);
    say_age(&safety, b, now_ms);
    if (away)
        sentence_say(&safety, ".");
    else
        say_next(&safety, b, board_latest(b) != NULL ? "next one" : "first one", now_ms);
    board_advise(b, out);
}

enum board_health
board_judge(const struct board *b, int64_t now_ms, char *sentence, size_t size)
{
    struct board_verdict v = {.since_ms = 0};

    board_verdict(b, now_ms, &v);
    (void)snprintf(sentence, size, "%s%s%s", v.cause, v.cause[0] != '\0' ? " " : "", v.safety);
    return v.health;
}

const char *
board_health_name(enum board_health health)
{
    static const char *const names[] = {
        [HEALTH_GOOD] = "good",
        [HEALTH_LATE] = "late",
        [HEALTH_SUSPICIOUS] = "suspicious",
        [HEALTH_FAILING] = "failing",
        [HEALTH_SERVER_DOWN] = "server-down",
        [HEALTH_STORE_DOWN] = "store-down",
        [HEALTH_NEVER] = "never",
        [HEALTH_STARTING] = "starting",
    };

    return names[health];
}
