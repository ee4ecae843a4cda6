/* SPDX-License-Identifier: Apache-2.0 */
/* job.c: see job.h. The array is in the order in which the jobs were queued; the oldest one that ended makes room. */
#include "agent/sidecar/job.h"

#include <stdio.h>
#include <string.h>

#include "agent/output.h"
#include "agent/progress_bar.h"
#include "base/compiler.h"
#include "base/digest.h"
#include "base/json_read.h"
#include "base/units.h"

void
jobs_init(struct jobs *j)
{
    memset(j, 0, sizeof(*j));
}

void
jobs_fini(struct jobs *j)
{
    for (size_t i = 0; i < j->count; i++)
        json_decref(j->jobs[i].result);
    j->count = 0;
}

static bool
has_ended(const struct job *job)
{
    return job->state == JOB_SUCCEEDED || job->state == JOB_FAILED;
}

static void
make_room(struct jobs *j)
{
    size_t i = 0;

    if (j->count < JOBS_KEPT)
        return;
    while (i < j->count && !has_ended(&j->jobs[i]))
        i++;
    REQUIRE(i < j->count);
    json_decref(j->jobs[i].result);
    j->count--;
    memmove(&j->jobs[i], &j->jobs[i + 1], (j->count - i) * sizeof(*j->jobs));
}

/* The first of KIND in this state; NULL: none. */
static struct job *
first(struct jobs *j, enum work kind, enum job_state state)
{
    for (size_t i = 0; i < j->count; i++)
        if (j->jobs[i].kind == kind && j->jobs[i].state == state)
            return &j->jobs[i];
    return NULL;
}

struct job *
jobs_running(struct jobs *j, enum work kind)
{
    return first(j, kind, JOB_RUNNING);
}

struct job *
jobs_queued(struct jobs *j, enum work kind)
{
    return first(j, kind, JOB_QUEUED);
}

struct job *
jobs_add(struct jobs *j, enum work kind, bool triggered, int64_t slot_ms, int64_t now_ms, bool *joined)
{
    struct job *job = jobs_queued(j, kind);
    uint8_t id[JOB_ID_LEN / 2];

    *joined = triggered && job != NULL;
    if (*joined)
        return job;
    make_room(j);
    job = &j->jobs[j->count++];
    *job = (struct job){.kind = kind,
                        .state = JOB_QUEUED,
                        .triggered = triggered,
                        .slot_ms = triggered ? 0 : slot_ms,
                        .queued_ms = now_ms};
    digest_random(id, sizeof(id));
    units_hex(id, sizeof(id), job->id);
    return job;
}

struct job *
jobs_find(struct jobs *j, const char *id)
{
    for (size_t i = 0; i < j->count; i++)
        if (strcmp(j->jobs[i].id, id) == 0)
            return &j->jobs[i];
    return NULL;
}

struct job *
jobs_next(struct jobs *j)
{
    struct job *next = NULL;

    for (int kind = 0; kind < WORK_KINDS; kind++) {
        if (jobs_running(j, (enum work)kind) != NULL)
            return NULL;
        if (next == NULL && kind == WORK_BACKUP)
            next = jobs_queued(j, WORK_BACKUP);
    }
    for (size_t i = 0; i < j->count && next == NULL; i++)
        if (j->jobs[i].state == JOB_QUEUED)
            next = &j->jobs[i];
    return next;
}

void
job_end(struct job *job, int exit_status, const char *error, json_t *result, int64_t now_ms)
{
    const char *id = result != NULL ? json_opt_str(result, "id", "") : "";

    REQUIRE(!has_ended(job));
    job->state = exit_status == 0 ? JOB_SUCCEEDED : JOB_FAILED;
    job->exit_status = exit_status;
    job->ended_ms = now_ms;
    job->result = result;
    (void)snprintf(job->error, sizeof(job->error), "%s", exit_status != 0 ? error : "");
    if (exit_status == 0 && job->kind == WORK_BACKUP)
        (void)snprintf(job->backup_id, sizeof(job->backup_id), "%s", id);
}

const char *
job_state_name(enum job_state state)
{
    static const char *const names[] = {
        [JOB_QUEUED] = "queued", [JOB_RUNNING] = "running", [JOB_SUCCEEDED] = "succeeded", [JOB_FAILED] = "failed"};

    return names[state];
}

static json_t *
progress_json(const struct progress *p)
{
    json_t *object = json_object();

    output_add_text(object, "phase", progress_phase_name(p->phase));
    output_add_count(object, "done", p->done);
    output_add_count(object, "total", p->total);
    output_add_count(object, "stored", p->stored);
    return object;
}

json_t *
job_json(const struct job *job)
{
    json_t *object = json_object();
    bool ended = has_ended(job);

    output_add_text(object, "id", job->id);
    output_add_text(object, "kind", work_name(job->kind));
    output_add_text(object, "state", job_state_name(job->state));
    output_add(object, "triggered", json_boolean(job->triggered));
    output_add_moment(object, "slot", job->slot_ms);
    output_add_moment(object, "queued", job->queued_ms);
    output_add_moment(object, "started", job->started_ms);
    output_add_moment(object, "ended", job->ended_ms);
    output_add(object, "progress", job->state == JOB_RUNNING ? progress_json(&job->progress) : json_null());
    output_add(object, "exit_status", ended ? json_integer(job->exit_status) : json_null());
    if (job->state == JOB_FAILED)
        output_add_text(object, "error", job->error);
    else
        output_add(object, "error", json_null());
    output_add_word(object, "backup_id", job->backup_id);
    output_add(object, "result", job->result != NULL ? json_deep_copy(job->result) : json_null());
    return object;
}
