/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parts.h: the parts of the loop among themselves: agent.c (the loop, signals, the end), agent_asks.c (what is asked of
 * server and store, and what was answered), agent_jobs.c (what is started, watched and ended).
 *
 * Each part has a step, called after whatever happened: it does what is due and says by agent_wake_at() when it wants
 * to be called again. All in one thread. Durations are by clock_mono_ms(), moments that people see by clock_wall_ms().
 */
#ifndef AGENT_SIDECAR_PARTS_H
#define AGENT_SIDECAR_PARTS_H

#include "agent/config.h"
#include "agent/sidecar/asker.h"
#include "agent/sidecar/board.h"
#include "agent/sidecar/child.h"
#include "agent/sidecar/orders.h"
#include "agent/sidecar/planner.h"
#include "agent/sidecar/web.h"

/* The job that runs. */
struct run {
    struct child *child; /* NULL: none */
    char job_id[JOB_ID_LEN + 1];
    enum work kind;
    int64_t slot_ms; /* 0: triggered */
    int64_t started_ms, terminated_ms;
    bool stalled, killed;
};

struct agent {
    const struct config *config;
    struct orders orders;
    struct board board;
    struct planner planners[WORK_KINDS];
    struct asker *asker;  /* claims, the server, whether the store is there: short questions */
    struct asker *reader; /* the catalogue, which may take long where it is large or the store slow */
    struct web *web;
    struct run run;
    int signal_fd, wake_fd;
    int64_t wake_at_ms; /* when a step is due */
    int64_t stop_ms;    /* when the first SIGTERM came; 0: not yet */

    bool server_seen;
    bool catalog_failed;                                          /* when it was last asked for */
    int64_t ask_server_ms, ask_store_ms, ask_catalog_ms, mark_ms; /* when they are due */
    int64_t keep_ms[WORK_KINDS];                                  /* the same; 0: no slot is held */
    unsigned marks_tried;                                         /* in a row: marking what follows as done */
    int64_t undone[WORK_KINDS];            /* slots whose work was done and not marked so yet; 0: none */
    struct store_meter_counts job_storage; /* what all jobs asked of the store */
    char last_words[256];                  /* why it ends */
};

/* Have the steps called at AT_MS at the latest. */
void agent_wake_at(struct agent *a, int64_t at_ms);

void agent_asks_step(struct agent *a, int64_t now_ms);
/* Ask for all anew, at once. */
void agent_asks_refresh(struct agent *a);
/* The work of a slot was done. */
void agent_asks_done(struct agent *a, enum work kind, int64_t slot_ms);
/* Try at once to mark as done what is not marked yet. */
void agent_asks_mark(struct agent *a);
/* Is there a slot to be marked as done yet? */
bool agent_asks_has_undone(const struct agent *a);

void agent_jobs_step(struct agent *a, int64_t now_ms);

#endif
