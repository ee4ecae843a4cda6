/* SPDX-License-Identifier: Apache-2.0 */
/* api_status.c: GET /api/v1/status: all of the board that is worth knowing. */
#include "agent/output.h"
#include "agent/sidecar/web.h"
#include "base/clock.h"
#include "base/units.h"

static const char *
reach_name(enum board_reach reach)
{
    static const char *const names[] = {
        [REACH_UNKNOWN] = "unknown", [REACH_UP] = "up", [REACH_DOWN] = "down", [REACH_DENIED] = "denied"};

    return names[reach];
}

static json_t *
health_json(const struct board *b, int64_t now_ms)
{
    char sentence[JOB_TEXT_MAX + 512];
    json_t *object = json_object();
    struct board_verdict v;

    (void)board_judge(b, now_ms, sentence, sizeof(sentence));
    board_verdict(b, now_ms, &v);
    output_add_text(object, "state", board_health_name(v.health));
    output_add_text(object, "sentence", sentence);
    output_add_word(object, "advice", v.advice);
    return object;
}

static json_t *
server_json(const struct board *b)
{
    json_t *object = json_object();

    output_add_text(object, "state", reach_name(b->server));
    output_add_moment(object, "asked", b->server_asked_ms);
    output_add_word(object, "address", b->server_address);
    output_add_word(object, "kind", b->server_kind);
    output_add_word(object, "version", b->server_version);
    output_add_word(object, "role", b->server_role);
    output_add_count(object, "keys", b->server_keys);
    output_add_count(object, "memory_bytes", b->server_memory);
    output_add_count(object, "copied_on_write_bytes", b->server_cow);
    output_add_count(object, "fork_us", b->server_fork_us);
    output_add_word(object, "error", b->server_error);
    return object;
}

static json_t *
store_json(const struct board *b)
{
    json_t *object = json_object();

    output_add_text(object, "state", reach_name(b->store));
    output_add_moment(object, "asked", b->store_asked_ms);
    output_add_word(object, "error", b->store_error);
    return object;
}

/* {"6":2}: exit statuses that came about, and how often. */
static json_t *
failures_json(const struct board_kind *k)
{
    json_t *object = json_object();
    char status[12];

    for (int i = 1; i < BOARD_EXITS; i++) {
        if (k->failures[i] == 0)
            continue;
        (void)snprintf(status, sizeof(status), "%d", i);
        output_add_count(object, status, k->failures[i]);
    }
    return object;
}

static json_t *
kind_json(const struct board *b, enum work kind)
{
    const struct board_kind *k = &b->kinds[kind];
    json_t *object = json_object();

    output_add_text(object, "kind", work_name(kind));
    output_add_word(object, "schedule", k->schedule);
    output_add_moment(object, "next", k->next_ms);
    output_add_moment(object, "last_attempt", k->last_attempt_ms);
    output_add_moment(object, "last_success", k->last_success_ms);
    output_add_count(object, "last_duration_ms", (uint64_t)k->last_duration_ms);
    output_add_count(object, "successes", k->successes);
    output_add(object, "failures", failures_json(k));
    output_add_count(object, "retries", k->retries);
    return object;
}

/* Those of STATE, the oldest first. */
static json_t *
jobs_json(const struct board *b, enum job_state state)
{
    json_t *list = json_array();

    for (size_t i = 0; i < b->jobs.count; i++)
        if (b->jobs.jobs[i].state == state)
            REQUIRE(json_array_append_new(list, job_json(&b->jobs.jobs[i])) == 0);
    return list;
}

/* The newest first. */
static json_t *
errors_json(const struct board *b)
{
    json_t *list = json_array();

    for (size_t i = b->error_count; i > 0; i--) {
        const struct board_error *e = &b->errors[i - 1];
        json_t *object = json_object();

        output_add_time(object, "time", e->at_ms);
        output_add_text(object, "what", e->what);
        output_add(object, "exit_status", json_integer(e->exit_status));
        output_add_text(object, "message", e->text);
        REQUIRE(json_array_append_new(list, object) == 0);
    }
    return list;
}

/* null while the repository has never been read. */
static json_t *
backups_json(const struct board *b)
{
    const struct catalog_entry *latest = board_latest(b);
    uint64_t stored = 0, damaged = 0, suspicious = 0, held = 0;
    json_t *object;

    if (b->catalog == NULL)
        return json_null();
    for (size_t i = 0; i < b->catalog->count; i++) {
        const struct catalog_entry *e = &b->catalog->entries[i];

        damaged += e->state != CATALOG_WHOLE;
        suspicious += e->suspicious && !e->accepted;
        held += e->held;
        stored += e->stored_size;
    }
    object = json_object();
    output_add_count(object, "count", b->catalog->count);
    output_add_count(object, "damaged", damaged);
    output_add_count(object, "suspicious", suspicious);
    output_add_count(object, "held", held);
    output_add_count(object, "stored_size", stored);
    output_add(object, "latest", latest != NULL ? output_backup(latest) : json_null());
    return object;
}

/* With the lock held. */
static json_t *
status_json(const struct board *b, int64_t now_ms)
{
    json_t *object = json_object(), *schedules = json_array();

    for (int kind = 0; kind < WORK_KINDS; kind++)
        REQUIRE(json_array_append_new(schedules, kind_json(b, (enum work)kind)) == 0);
    output_add_text(object, "version", b->version);
    output_add_text(object, "instance", b->instance);
    output_add_text(object, "repository", b->repository);
    output_add_text(object, "host", b->host);
    output_add_text(object, "run_on", b->run_on);
    output_add_time(object, "now", now_ms);
    output_add_time(object, "started", b->started_ms);
    output_add(object, "serving", json_boolean(b->serving));
    output_add(object, "stopping", json_boolean(b->stopping));
    output_add(object, "can_trigger", json_boolean(b->can_trigger));
    output_add(object, "health", health_json(b, now_ms));
    output_add_count(object, "expect_every_ms", (uint64_t)b->expect_every_ms);
    output_add_count(object, "late_after_ms", (uint64_t)board_late_after_ms(b));
    output_add(object, "server", server_json(b));
    output_add(object, "store", store_json(b));
    output_add(object, "schedules", schedules);
    output_add(object, "running", jobs_json(b, JOB_RUNNING));
    output_add(object, "queued", jobs_json(b, JOB_QUEUED));
    output_add(object, "backups", backups_json(b));
    output_add(object, "errors", errors_json(b));
    return object;
}

void
api_status(const struct web_request *request, struct web_answer *answer)
{
    json_t *object;

    board_lock(request->board);
    object = status_json(request->board, clock_wall_ms());
    board_unlock(request->board);
    web_answer_json_take(answer, object);
}
