/* SPDX-License-Identifier: Apache-2.0 */
/*
 * board_judge.c: how things stand, in a word and a sentence: see board.h.
 *
 * A cause is told before what follows from it: while the repository or the server is away, that is why backups fail or
 * are late. Every sentence says how old the last good backup is, since that is what would be restored now.
 */
#include <stdio.h>
#include <string.h>

#include "agent/sidecar/board.h"
#include "base/units.h"

#define MINUTE_MS 60000
#define HOUR_MS   (60 * (int64_t)MINUTE_MS)

/* A sentence in the making: what has no room is cut off. */
struct sentence {
    char *text;
    size_t size, len;
};

static void PRINTF_LIKE(2, 3) say(struct sentence *s, const char *fmt, ...)
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

    say(s, "%s%s", len > 0 ? error : "no reason was given", len > 0 && error[len - 1] == '.' ? "" : ".");
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
        say(s, "The last good backup is %s old", units_format_duration(since(latest->snapshot_ms, now_ms), age));
    else if (b->catalog != NULL)
        say(s, "There is no good backup yet");
    else
        say(s, "Which backups there are is not known yet");
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
        say(s, "; one is being taken now.");
    else if (k->next_ms > now_ms)
        say(s, "; the %s is due in %s.", which, units_format_duration(k->next_ms - now_ms, left));
    else if (k->next_ms != 0)
        say(s, "; the %s is due now.", which);
    else if (k->schedule[0] == '\0')
        say(s, "; backups are taken when they are asked for.");
    else
        say(s, ".");
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

/* The failure that stands: of the first kind whose last job failed. NULL: none. */
static const struct job *
standing_failure(const struct board *b)
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

/* The newest backup where it is a suspicious one. NULL: it is not. */
static const struct catalog_entry *
newest_is_suspicious(const struct board *b)
{
    const struct catalog_entry *e;

    if (b->catalog == NULL || b->catalog->count == 0)
        return NULL;
    e = &b->catalog->entries[b->catalog->count - 1];
    return e->state == CATALOG_WHOLE && e->suspicious && !e->accepted ? e : NULL;
}

/* What is outside of this process: the repository, then the server. False: both are there, or not asked yet. */
static bool
judge_outside(const struct board *b, int64_t now_ms, struct sentence *s, enum board_health *health)
{
    bool store = b->store == REACH_DOWN || b->store == REACH_DENIED;
    bool server = b->server == REACH_DOWN || b->server == REACH_DENIED;

    if (!store && !server)
        return false;
    *health = store ? HEALTH_STORE_DOWN : HEALTH_SERVER_DOWN;
    say(s, "%s: ",
        store ? b->store == REACH_DENIED ? "The repository denies access" : "The repository cannot be used"
        : b->server == REACH_DENIED ? "The server denies access"
                                    : "The server cannot be used");
    say_error(s, store ? b->store_error : b->server_error);
    say(s, " ");
    say_age(s, b, now_ms);
    say(s, ".");
    return true;
}

static bool
judge_work(const struct board *b, int64_t now_ms, struct sentence *s)
{
    const struct job *failed = standing_failure(b);
    const struct catalog_entry *odd = newest_is_suspicious(b);
    char ago[UNITS_TEXT_MAX];

    if (failed != NULL) {
        say(s, "The last %s failed %s ago: ", work_name(failed->kind),
            units_format_duration(since(failed->ended_ms, now_ms), ago));
        say_error(s, failed->error);
        say(s, " ");
    } else if (odd != NULL) {
        say(s,
            "The newest backup, %s, is marked suspicious since it holds far fewer keys than the one before, and is not "
            "taken for the latest: look at it, then `remora accept` or `remora delete` it. ",
            odd->id.text);
    } else {
        return false;
    }
    say_age(s, b, now_ms);
    say_next(s, b, "next one", now_ms);
    return true;
}

enum board_health
board_judge(const struct board *b, int64_t now_ms, char *sentence, size_t size)
{
    struct sentence s = {.text = sentence, .size = size};
    const struct catalog_entry *latest = board_latest(b);
    enum board_health health = HEALTH_GOOD;
    char text[UNITS_TEXT_MAX];

    *sentence = '\0';
    if (judge_outside(b, now_ms, &s, &health))
        return health;
    if (b->catalog == NULL) {
        say(&s, "The agent started %s ago and has not read the repository yet.",
            units_format_duration(since(b->started_ms, now_ms), text));
        return HEALTH_STARTING;
    }
    if (judge_work(b, now_ms, &s))
        return HEALTH_FAILING;
    say_age(&s, b, now_ms);
    if (latest == NULL) {
        say_next(&s, b, "first one", now_ms);
        return HEALTH_NEVER;
    }
    if (b->expect_every_ms > 0 && since(latest->snapshot_ms, now_ms) > board_late_after_ms(b)) {
        say(&s, ", and one is expected every %s", units_format_duration(b->expect_every_ms, text));
        health = HEALTH_LATE;
    }
    say_next(&s, b, "next one", now_ms);
    return health;
}

const char *
board_health_name(enum board_health health)
{
    static const char *const names[] = {
        [HEALTH_GOOD] = "good",
        [HEALTH_LATE] = "late",
        [HEALTH_FAILING] = "failing",
        [HEALTH_SERVER_DOWN] = "server-down",
        [HEALTH_STORE_DOWN] = "store-down",
        [HEALTH_NEVER] = "never",
        [HEALTH_STARTING] = "starting",
    };

    return names[health];
}
