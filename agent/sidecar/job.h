/* SPDX-License-Identifier: Apache-2.0 */
/* job.h: the jobs of an agent as records: the running ones, the queued ones, and the last that ended. Pure: no I/O. */
#ifndef AGENT_SIDECAR_JOB_H
#define AGENT_SIDECAR_JOB_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/sidecar/work.h"
#include "snapshot/progress.h"

#define JOB_ID_LEN   16 /* hex digits, random */
#define JOBS_KEPT    64 /* records; the oldest ended one makes room */
#define JOB_TEXT_MAX 1024

enum job_state { JOB_QUEUED, JOB_RUNNING, JOB_SUCCEEDED, JOB_FAILED };

struct job {
    char id[JOB_ID_LEN + 1];
    enum work kind;
    enum job_state state;
    bool triggered;                          /* by a request; else by the schedule */
    int64_t slot_ms;                         /* of the schedule; 0 when triggered */
    int64_t queued_ms, started_ms, ended_ms; /* wall clock; 0: not yet */
    struct progress progress;                /* while it runs */
    int exit_status;                         /* when it ended */
    char error[JOB_TEXT_MAX];                /* the sentence of its failure; "" */
    char backup_id[32];                      /* WORK_BACKUP that succeeded; else "" */
    json_t *result;                          /* the command's own JSON; NULL */
};

struct jobs {
    struct job jobs[JOBS_KEPT]; /* as they were queued, the oldest first */
    size_t count;
};

void jobs_init(struct jobs *j);
void jobs_fini(struct jobs *j);

/* A new job at the end of the queue. A triggered one that finds one of its kind queued joins it: *JOINED. Never NULL,
 * since running and queued ones are few. Pointers to other jobs do not hold after it. */
struct job *jobs_add(struct jobs *j, enum work kind, bool triggered, int64_t slot_ms, int64_t now_ms, bool *joined);

struct job *jobs_find(struct jobs *j, const char *id); /* NULL: none of that id */
struct job *jobs_running(struct jobs *j, enum work kind);
struct job *jobs_queued(struct jobs *j, enum work kind); /* the first */

/* The next one to start: queued, none of its kind running; backups before all else. At most one job runs at a time.
 * NULL: none. */
struct job *jobs_next(struct jobs *j);

/* It ran to its end, or was given up in the queue. Takes RESULT. */
void job_end(struct job *job, int exit_status, const char *error, json_t *result, int64_t now_ms);

/* As /api/v1/jobs/ID shows it. */
json_t *job_json(const struct job *job);
const char *job_state_name(enum job_state state);

#endif
