/* SPDX-License-Identifier: Apache-2.0 */
/*
 * planner.h: what one kind of work is to do next. Pure: it is told what happened and what time it is.
 *
 *     idle --slot + offset--> wanted --claimed--> ready --started--> running --done--> idle
 *                               |  ^                ^                  |
 *                               |  +-- again later  +---- a pause -----+ failed
 *                               +--> idle: another one did it, or the next slot has come
 *
 * - A slot is due at its time plus the schedule's offset. Slots that were missed (this agent was away, or a job took
 *   longer than a slot) are made up for by one run: that of the last slot.
 * - A job that fails is tried again after growing pauses (30 s doubled up to 15 min) until the next slot is due; then
 *   that slot takes its place.
 * - Nothing is wanted before the server has been seen once, and nothing of a kind while a job of that kind is under way
 * or queued.
 * - A wall clock that jumps never makes two runs of one slot; after a jump back no slot is run that was run already,
 * and after one forward the last slot alone is.
 */
#ifndef AGENT_SIDECAR_PLANNER_H
#define AGENT_SIDECAR_PLANNER_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/sidecar/schedule.h"

enum planner_step {
    PLANNER_WAIT,  /* until at_ms (wall clock), unless something happens */
    PLANNER_CLAIM, /* take the slot: then planner_claimed() */
    PLANNER_START, /* start the job: then planner_started() */
};

struct planner {
    const struct schedule *schedule; /* NULL: nothing is ever wanted */
    int64_t offset_ms;
    /* What follows is the planner's own; zero at the start. */
    int64_t slot_ms;      /* the slot in hand; 0: none */
    int64_t done_slot_ms; /* the last one that needs nothing any more */
    bool ours, running, started_once;
    unsigned failures; /* of this slot */
    int64_t again_at_ms;
};

/* At the start: nothing is due that lies before the last slot. */
void planner_init(struct planner *p, const struct schedule *schedule, int64_t offset_ms);

enum planner_step planner_next(struct planner *p, int64_t now_ms, bool server_seen, bool may_run, int64_t *at_ms);

/* What came of PLANNER_CLAIM. */
void planner_claimed(struct planner *p, bool ours, bool done, int64_t again_at_ms);
/* The slot could not be claimed for now (the store is away): again at a growing pause. */
void planner_claim_failed(struct planner *p, int64_t now_ms);
void planner_started(struct planner *p);
void planner_ended(struct planner *p, bool well, int64_t now_ms);

/* When the next slot is due, by the clock; 0: never. What people see. */
int64_t planner_next_due(const struct planner *p, int64_t now_ms);

#endif
