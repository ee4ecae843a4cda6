/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agent_jobs.c: which job is started when, and what becomes of it: see parts.h.
 *
 * A job of the schedule goes from its planner to the queue, as a triggered one goes from the HTTP side; from there they
 * are alike. One child runs at a time.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/sidecar/job_env.h"
#include "agent/sidecar/parts.h"
#include "base/clock.h"
#include "base/json_read.h"
#include "base/log.h"
#include "base/sig.h"
#include "base/units.h"

#define LOOK_EVERY_MS 1000  /* at a child, for the watchdog */
#define KILL_AFTER_MS 10000 /* what a stalled job gets for its clean-up */
#define GRACE_LEFT_MS 5000  /* what a job gets for it at the agent's end */
#define RESULT_ITEMS  20    /* what is kept of a list in a result */

/* ---- a job that ended -------------------------------------------------------------------------------------------- */

/* The result, without the long lists in it: 64 of them are kept. NULL: there is none. */
static json_t *
short_result(const struct child_end *end)
{
    struct err unused = ERR_INIT;
    json_t *object = end->out_len > 0 ? json_read_object(end->out, end->out_len, &unused) : NULL, *value;
    const char *key;
    void *next;

    json_object_foreach_safe(object, next, key, value)
    {
        if (json_array_size(value) > RESULT_ITEMS)
            (void)json_object_del(object, key);
    }
    return object;
}

static void
count_end(struct board_kind *k, const struct run *r, int status, int64_t now_ms)
{
    k->last_duration_ms = now_ms - r->started_ms;
    if (status == 0) {
        k->successes++;
        k->last_success_ms = clock_wall_ms();
    } else {
        k->failures[status < BOARD_EXITS ? status : err_exit_status(ERR_INTERNAL)]++;
    }
}

static void
log_end(const struct run *r, int status, const char *error, int64_t now_ms)
{
    char took[UNITS_TEXT_MAX];

    (void)units_format_duration(now_ms - r->started_ms, took);
    if (status == 0)
        log_info("job succeeded", LOG_S("job", r->job_id), LOG_S("work", work_name(r->kind)), LOG_S("took", took));
    else
        log_warn("job failed", LOG_S("job", r->job_id), LOG_S("work", work_name(r->kind)), LOG_S("took", took),
                 LOG_I("exit_status", status), LOG_S("why", error));
}

/* Will it be the same when it is tried again soon? */
static bool
is_lasting(int status)
{
    static const enum err_code lasting[] = {ERR_USAGE, ERR_REFUSED, ERR_CORRUPT, ERR_UNSUPPORTED};

    for (size_t i = 0; i < ARRAY_LEN(lasting); i++)
        if (status == err_exit_status(lasting[i]))
            return true;
    return false;
}

/* A run that says it went well, and shows no backup, made none: its slot must not be marked as done. */
static bool
is_empty_handed(const struct run *r, int status, const json_t *result)
{
    return r->kind == WORK_BACKUP && status == 0 && *json_opt_str(result, "id", "") == '\0';
}

/* The run is over, or could not be started: END says how. */
static void
end_run(struct agent *a, const struct child_end *end, int64_t now_ms)
{
    struct run *r = &a->run;
    struct board *b = &a->board;
    char error[JOB_TEXT_MAX], limit[UNITS_TEXT_MAX];
    int status = end->exit_status;
    json_t *result = short_result(end);
    struct job *job;

    if (is_empty_handed(r, status, result)) {
        status = err_exit_status(ERR_INTERNAL);
        (void)snprintf(error, sizeof(error), "the run ended well, but did not say which backup it made");
    } else if (r->stalled && status != 0)
        (void)snprintf(error, sizeof(error),
                       "it made no progress for %s (--stall-timeout) and was stopped; the log tells what it waited for",
                       units_format_duration(a->config->stall_timeout_ms, limit));
    else
        (void)snprintf(error, sizeof(error), "%s", end->error);
    log_end(r, status, error, now_ms);
    store_meter_add(&a->job_storage, &end->storage);
    board_lock(b);
    job = jobs_find(&b->jobs, r->job_id);
    REQUIRE(job != NULL);
    job_end(job, status, error, result, clock_wall_ms());
    count_end(&b->kinds[r->kind], r, status, now_ms);
    if (status != 0)
        board_error_add(b, work_name(r->kind), status, error, clock_wall_ms());
    board_unlock(b);
    if (r->slot_ms != 0) {
        if (is_lasting(status))
            planner_refused(&a->planners[r->kind], clock_wall_ms());
        else
            planner_ended(&a->planners[r->kind], status == 0, clock_wall_ms());
        if (status == 0)
            agent_asks_done(a, r->kind, r->slot_ms);
    }
    child_free(r->child);
    memset(r, 0, sizeof(*r));
    agent_asks_refresh(a);
    (void)malloc_trim(0); /* what a large result or catalogue left, so that memory is the same after years */
}

/* ---- the job that runs ------------------------------------------------------------------------------------------- */

static void
terminate(struct run *r, int64_t now_ms)
{
    if (r->terminated_ms != 0)
        return;
    r->terminated_ms = now_ms;
    child_terminate(r->child);
}

static void
kill_now(struct run *r)
{
    if (!r->killed)
        log_warn("the job did not end when it was asked to: killed", LOG_S("job", r->job_id));
    r->killed = true;
    child_kill(r->child);
}

static void
watch_progress(struct agent *a, int64_t now_ms)
{
    struct run *r = &a->run;
    int64_t told_ms;
    struct job *job;

    board_lock(&a->board);
    job = jobs_find(&a->board.jobs, r->job_id);
    REQUIRE(job != NULL);
    job->progress = *child_progress(r->child, &told_ms);
    board_unlock(&a->board);
    if (!r->stalled && r->terminated_ms == 0 && now_ms - told_ms > a->config->stall_timeout_ms) {
        log_warn("the job makes no progress: stopping it", LOG_S("job", r->job_id), LOG_S("work", work_name(r->kind)));
        r->stalled = true;
        terminate(r, now_ms);
    }
    if (r->stalled && now_ms - r->terminated_ms > KILL_AFTER_MS)
        kill_now(r);
    agent_wake_at(a, now_ms + LOOK_EVERY_MS);
}

/* The agent is to end: the job may go on for a while, then has to clean up, then is killed. */
static void
watch_grace(struct agent *a, int64_t now_ms)
{
    int64_t left_ms = a->stop_ms + a->config->grace_ms - now_ms;

    if (left_ms <= GRACE_LEFT_MS || sig_stops() > 1)
        terminate(&a->run, now_ms);
    if (left_ms <= 0)
        kill_now(&a->run);
    agent_wake_at(a, now_ms + (left_ms > GRACE_LEFT_MS ? left_ms - GRACE_LEFT_MS : left_ms > 0 ? left_ms : 100));
}

static void
step_run(struct agent *a, int64_t now_ms)
{
    if (a->run.child == NULL)
        return;
    if (child_step(a->run.child)) {
        end_run(a, child_result(a->run.child), now_ms);
        return;
    }
    watch_progress(a, now_ms);
    if (a->stop_ms != 0)
        watch_grace(a, now_ms);
}

/* ---- what begins ------------------------------------------------------------------------------------------------- */

/* May this agent do scheduled work now? */
static bool
is_its_turn(const struct agent *a)
{
    const struct orders *o = &a->orders;

    if (a->stop_ms != 0 || o->other_pod)
        return false;
    return o->only_role == NULL || (a->board.server == REACH_UP && strcmp(a->board.server_role, o->only_role) == 0);
}

/* Ask the planner of KIND and do what it says. With the lock held. */
static void
plan(struct agent *a, enum work kind, bool turn, int64_t now_ms)
{
    struct planner *p = &a->planners[kind];
    struct board *b = &a->board;
    int64_t wall_ms = clock_wall_ms(), at_ms = 0;
    bool may = turn && jobs_running(&b->jobs, kind) == NULL && jobs_queued(&b->jobs, kind) == NULL, joined;

    switch (planner_next(p, wall_ms, a->server_seen || !a->orders.has_server, may, &at_ms)) {
    case PLANNER_CLAIM:
        planner_claiming(p);
        if (!asker_ask(a->asker, &(struct question){
                                     .kind = ASK_TAKE, .work = kind, .slot_ms = p->slot_ms, .again = p->retries > 0}))
            planner_claim_failed(p, wall_ms);
        break;
    case PLANNER_START:
        planner_started(p);
        (void)jobs_add(&b->jobs, kind, false, p->slot_ms, wall_ms, &joined);
        if (p->retries > 0)
            b->kinds[kind].retries++;
        break;
    case PLANNER_WAIT:
        if (at_ms != PLANNER_NEVER)
            agent_wake_at(a, now_ms + (at_ms > wall_ms ? at_ms - wall_ms : 0) + 1);
        break;
    }
    b->kinds[kind].next_ms = turn || a->orders.only_role != NULL ? planner_next_due(p, wall_ms) : 0;
}

static void
end_queue(struct agent *a)
{
    struct job *job;

    for (int kind = 0; kind < WORK_KINDS; kind++)
        while ((job = jobs_queued(&a->board.jobs, (enum work)kind)) != NULL)
            job_end(job, err_exit_status(ERR_INTERRUPTED), "the agent is ending, and the job had not begun", NULL,
                    clock_wall_ms());
}

static void
start(struct agent *a, int64_t now_ms)
{
    struct run *r = &a->run;
    struct job_env e;
    struct err err = ERR_INIT;

    log_info("job started", LOG_S("job", r->job_id), LOG_S("work", work_name(r->kind)),
             LOG_S("asked_by", r->slot_ms != 0 ? "schedule" : "trigger"));
    r->started_ms = now_ms;
    job_env_init(&e, a->config, r->kind);
    if (child_start((const char *const *)e.words, (const char *const *)e.env, &r->child, &err) < 0) {
        struct child_end end = {.exit_status = err_exit_status(err.code)};

        (void)snprintf(end.error, sizeof(end.error), "%s", err.msg);
        end_run(a, &end, now_ms);
    }
    job_env_fini(&e);
}

/* Take the next job out of the queue. */
static bool
take_next(struct agent *a)
{
    struct board *b = &a->board;
    struct job *job;

    board_lock(b);
    job = a->stop_ms == 0 ? jobs_next(&b->jobs) : NULL;
    if (job != NULL) {
        job->state = JOB_RUNNING;
        job->started_ms = clock_wall_ms();
        b->kinds[job->kind].last_attempt_ms = job->started_ms;
        a->run.kind = job->kind;
        a->run.slot_ms = job->slot_ms;
        memcpy(a->run.job_id, job->id, sizeof(a->run.job_id));
    }
    board_unlock(b);
    return job != NULL;
}

void
agent_jobs_step(struct agent *a, int64_t now_ms)
{
    bool turn;

    step_run(a, now_ms);
    child_reap_orphans(a->run.child);
    board_lock(&a->board);
    turn = is_its_turn(a);
    for (int kind = 0; kind < WORK_KINDS; kind++)
        plan(a, (enum work)kind, turn, now_ms);
    if (a->stop_ms != 0)
        end_queue(a);
    board_unlock(&a->board);
    if (a->run.child == NULL && take_next(a))
        start(a, now_ms);
}
