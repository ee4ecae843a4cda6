/* SPDX-License-Identifier: Apache-2.0 */
/* api.c: the probes, the catalogue, triggers and jobs over HTTP; docs/openapi.json describes the answers. What they
 * are made of is copied out of the board under its lock, and written after it. */
#include <stdio.h>
#include <string.h>

#include "agent/output.h"
#include "agent/sidecar/web.h"
#include "base/clock.h"
#include "base/json_read.h"
#include "base/log.h"
#include "base/units.h"

#define LIMIT_PRESET 100
#define LIMIT_MAX    200 /* what is built for one request holds up the others */

/* The process lives, and this thread does. */
void
web_healthz(const struct web_request *request, struct web_answer *answer)
{
    (void)request;
    web_answer_text(answer, 200, "ok");
}

/* Configured and serving. Never about store or server: the sidecar's readiness is its pod's. */
void
web_readyz(const struct web_request *request, struct web_answer *answer)
{
    bool serving, stopping;

    board_lock(request->board);
    serving = request->board->serving;
    stopping = request->board->stopping;
    board_unlock(request->board);
    if (stopping)
        web_answer_text(answer, 503, "stopping");
    else if (!serving)
        web_answer_text(answer, 503, "starting");
    else
        web_answer_text(answer, 200, "ready");
}

/* ---- the catalogue ---- */

static bool
parse_limit(const char *text, uint64_t *limit)
{
    struct err unused = ERR_INIT;

    *limit = LIMIT_PRESET;
    return text == NULL || (units_parse_u64(text, limit, &unused) == 0 && *limit >= 1 && *limit <= LIMIT_MAX);
}

void
api_backups(const struct web_request *request, struct web_answer *answer)
{
    struct board *b = request->board;
    json_t *object = NULL, *backups;
    uint64_t limit;

    if (!parse_limit(request->limit, &limit)) {
        web_answer_error(answer, 400, "limit is a number from 1 to %d", LIMIT_MAX);
        return;
    }
    board_lock(b);
    if (b->catalog != NULL) {
        object = json_object();
        backups = json_array();
        for (size_t i = b->catalog->count; i > 0 && b->catalog->count - i < limit; i--)
            REQUIRE(json_array_append_new(backups, output_backup(&b->catalog->entries[i - 1])) == 0);
        output_add_text(object, "instance", b->instance);
        output_add_count(object, "count", b->catalog->count);
        output_add_moment(object, "asked", b->store_asked_ms);
        output_add(object, "backups", backups);
    }
    board_unlock(b);
    if (object != NULL)
        web_answer_json_take(answer, object);
    else
        web_answer_error(answer, 503, "the repository has not been read yet; /api/v1/status says how the store is");
}

/* ---- jobs ---- */

/* {"job":{...}} */
static json_t *
wrap_job(const struct job *job)
{
    json_t *object = json_object();

    output_add(object, "job", job_json(job));
    return object;
}

/* A body says nothing yet, so that it can say something one day. */
static bool
is_empty_body(const struct web_request *request)
{
    struct err unused = ERR_INIT;
    json_t *object;
    bool empty;

    if (request->body_len == 0)
        return true;
    object = json_read_object(request->body, request->body_len, &unused);
    empty = object != NULL && json_object_size(object) == 0;
    json_decref(object);
    return empty;
}

void
api_backup_post(const struct web_request *request, struct web_answer *answer)
{
    struct board *b = request->board;
    char id[JOB_ID_LEN + 1] = "";
    json_t *object = NULL;
    bool joined = false;

    if (!is_empty_body(request)) {
        web_answer_error(answer, 400, "the body must be empty, or the JSON object {}");
        return;
    }
    board_lock(b);
    if (!b->stopping) {
        const struct job *job = jobs_add(&b->jobs, WORK_BACKUP, true, 0, clock_wall_ms(), &joined);

        (void)snprintf(id, sizeof(id), "%s", job->id);
        object = wrap_job(job);
        output_add(object, "joined", json_boolean(joined));
    }
    board_unlock(b);
    if (object == NULL) {
        web_answer_error(answer, 503, "the agent is about to end; ask again when it runs anew");
        return;
    }
    board_wake(b);
    log_info("a backup was asked for", LOG_S("job", id), LOG_B("joined", joined));
    web_answer_json_take(answer, object);
    answer->status = 202;
    (void)snprintf(answer->location, sizeof(answer->location), "/api/v1/jobs/%s", id);
}

void
api_job(const struct web_request *request, struct web_answer *answer)
{
    const struct job *job;
    json_t *object = NULL;

    board_lock(request->board);
    job = jobs_find(&request->board->jobs, request->rest);
    if (job != NULL)
        object = wrap_job(job);
    board_unlock(request->board);
    if (object != NULL)
        web_answer_json_take(answer, object);
    else
        web_answer_error(answer, 404,
                         "the agent knows no such job: it keeps the last %d, and forgets them when it ends", JOBS_KEPT);
}
