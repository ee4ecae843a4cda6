/* SPDX-License-Identifier: Apache-2.0 */
/* metrics.c: GET /metrics: the board as figures. The lock is held for a copy of numbers, not for their text. */
#include <stdio.h>

#include "agent/sidecar/figures.h"
#include "agent/sidecar/web.h"
#include "base/clock.h"

static void
copy_kinds(const struct board *b, struct figures *f)
{
    for (int i = 0; i < WORK_KINDS; i++) {
        const struct board_kind *from = &b->kinds[i];
        struct figures_kind *to = &f->kinds[i];

        to->last_attempt_ms = from->last_attempt_ms;
        to->last_success_ms = from->last_success_ms;
        to->last_duration_ms = from->last_duration_ms;
        to->next_ms = from->next_ms;
        to->successes = from->successes;
        to->retries = from->retries;
        for (int status = 0; status < BOARD_EXITS; status++)
            to->failures[status] = from->failures[status];
        /* Backups can be triggered; work that is neither scheduled nor was ever done is none of this agent's. */
        to->shown = i == WORK_BACKUP || from->schedule[0] != '\0' || from->last_attempt_ms != 0;
    }
    for (size_t i = 0; i < b->jobs.count; i++) {
        const struct job *job = &b->jobs.jobs[i];

        f->kinds[job->kind].running += job->state == JOB_RUNNING;
        f->kinds[job->kind].queued += job->state == JOB_QUEUED;
    }
}

static void
copy_catalog(const struct board *b, struct figures *f)
{
    const struct catalog_entry *latest = board_latest(b);

    f->catalog_known = b->catalog != NULL;
    for (size_t i = 0; b->catalog != NULL && i < b->catalog->count; i++) {
        const struct catalog_entry *e = &b->catalog->entries[i];

        if (e->state != CATALOG_WHOLE)
            f->backups_damaged++;
        else if (e->suspicious && !e->accepted)
            f->backups_suspicious++;
        else
            f->backups_good++;
        if (e->verified_ms > f->verified_ms)
            f->verified_ms = e->verified_ms;
    }
    if (latest != NULL)
        f->latest = (struct figures_latest){.snapshot_ms = latest->snapshot_ms,
                                            .raw_size = latest->raw_size,
                                            .stored_size = latest->stored_size,
                                            .keys = latest->keys};
    if (b->catalog != NULL && b->catalog->count > 0)
        f->newest = board_suspicious(b) != NULL ? NEWEST_SUSPICIOUS : NEWEST_FINE;
}

static enum board_health
health_of(const struct board *b, int64_t now_ms)
{
    struct board_verdict verdict;

    board_verdict(b, now_ms, &verdict);
    return verdict.health;
}

static void
copy_server(const struct board *b, struct figures_server *s)
{
    s->reach = b->server;
    (void)snprintf(s->kind, sizeof(s->kind), "%s", b->server_kind);
    (void)snprintf(s->version, sizeof(s->version), "%s", b->server_version);
    (void)snprintf(s->role, sizeof(s->role), "%s", b->server_role);
    s->keys = b->server_keys;
    s->memory = b->server_memory;
    s->cow = b->server_cow;
    s->fork_us = b->server_fork_us;
}

void
web_metrics(const struct web_request *request, struct web_answer *answer)
{
    struct board *b = request->board;
    struct figures f = {.now_ms = clock_wall_ms()};
    struct err err = ERR_INIT;

    board_lock(b);
    (void)snprintf(f.version, sizeof(f.version), "%s", b->version);
    (void)snprintf(f.instance, sizeof(f.instance), "%s", b->instance);
    f.started_ms = b->started_ms;
    f.expect_every_ms = b->expect_every_ms;
    f.health = health_of(b, f.now_ms);
    f.store = b->store;
    f.storage = b->storage;
    copy_kinds(b, &f);
    copy_catalog(b, &f);
    copy_server(b, &f.server);
    board_unlock(b);

    answer->status = 200;
    answer->content_type = "text/plain; version=0.0.4; charset=utf-8";
    if (figures_render(&f, &answer->body, &err) == 0)
        return;
    answer->status = 500;
    answer->content_type = "text/plain; charset=utf-8";
    buf_reset(&answer->body);
    (void)!buf_printf(&answer->body, &err, "%s\n", err.msg); /* without room for a line the status says enough */
}
