/* SPDX-License-Identifier: Apache-2.0 */
/*
 * planner.h: what one kind of work is to do next. Pure: it is told what happened and what time it is.
 *
 *     idle --slot + offset--> wanted --claimed--> ready --started--> running --done--> idle
 *                               |  ^                                    |
 *                               |  +-- again after a pause: not ours ---+
 *                               |      yet, store away, job failed
 *                               +--> idle: another one did it, or the next slot has come
 *
 * - A slot is due at its time plus the schedule's offset. Slots that were missed (this agent was away, or a job took
 *   longer than a slot) are made up for by one run: that of the last slot.
 * - A job that fails is tried again after growing pauses (30 s doubled up to 15 min) until the next slot is due; then
 *   that slot takes its place. One that was refused, which time alone hardly cures, has pauses 16 times as long, up to
 *   4 h: each try may cost a save of the server, or the reading of a whole backup. Each try claims the slot again:
 * meanwhile another agent may have followed a claim that stalled. So it does when its job could not start at once after
 * it was claimed.
 * - Nothing is wanted before the server has been seen once, and nothing of a kind while a job of that kind is under way
 *   or queued.
 * - A wall clock that jumps never makes two runs of one slot; after a jump back no slot is run that was run already,
 *   and after one forward the last slot alone is. Slots that a wrong clock passed over are wanted when it was put
 * right.
 *
 * What is asked is asked once: after PLANNER_CLAIM and planner_claiming(), or PLANNER_START and planner_started(), it
 * says WAIT until it was told the answer. A caller that sleeps should look again every minute or so, for the clock's
 * jumps.
 */
#ifndef AGENT_SIDECAR_PLANNER_H
#define AGENT_SIDECAR_PLANNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/sidecar/schedule.h"

#define PLANNER_NEVER          INT64_MAX /* an *at_ms: until something happens */
#define PLANNER_FIRST_PAUSE_MS ((int64_t)30 * 1000)
#define PLANNER_MAX_PAUSE_MS   ((int64_t)15 * 60 * 1000)
#define PLANNER_REFUSED_FACTOR 16
#define PLANNER_REFUSED_MAX_MS ((int64_t)4 * 3600 * 1000)
#define PLANNER_SPANS          8

enum planner_step {
    PLANNER_WAIT,  /* until at_ms (wall clock), unless something happens */
    PLANNER_CLAIM, /* take slot_ms: planner_claiming() now, then planner_claimed() or planner_claim_failed() */
    PLANNER_START, /* start (or queue) the job of slot_ms: planner_started() now, then planner_ended() */
};

/* Slots that need nothing any more: all from the first to the last. */
struct planner_span {
    int64_t first_ms, last_ms;
};

struct planner {
    const struct schedule *schedule; /* NULL: nothing is ever wanted */
    int64_t offset_ms;
    int64_t slot_ms;  /* the slot in hand; 0: none */
    unsigned retries; /* tries of this slot that failed; for people */
    /* What follows is the planner's own. */
    enum { PLANNER_WANTED, PLANNER_CLAIMING, PLANNER_READY, PLANNER_RUNNING } state; /* of the slot in hand */
    unsigned claims_failed;                                                          /* in a row */
    int64_t again_at_ms, pause_ms; /* not before, by the clock; and how long that was to be */
    /* Ascending. They are few: normally one, which grows; one more for each hole that missed slots or a wrong clock
     * left. When there are too many, the smallest hole is given up. */
    struct planner_span settled[PLANNER_SPANS + 1];
    size_t settled_count;
};

/* The last slot that is due at the start is wanted, as one that was missed; none before it. SCHEDULE must live as long.
 */
void planner_init(struct planner *p, const struct schedule *schedule, int64_t offset_ms);

/* What is to be done at NOW_MS. SERVER_SEEN: it has been since the start. MAY_RUN: no job of the kind is under way or
 * queued, and this agent is one that may do it. *AT_MS is set with every step. */
enum planner_step planner_next(struct planner *p, int64_t now_ms, bool server_seen, bool may_run, int64_t *at_ms);

void planner_claiming(struct planner *p);
/* What came of it: it is ours; or it was done by somebody; or neither, and it is to be asked again in AGAIN_IN_MS. */
void planner_claimed(struct planner *p, bool ours, bool done, int64_t again_in_ms, int64_t now_ms);
/* The slot could not be claimed for now (the store is away): again at a growing pause. */
void planner_claim_failed(struct planner *p, int64_t now_ms);
void planner_started(struct planner *p);
void planner_ended(struct planner *p, bool well, int64_t now_ms);
/* Instead of it: it failed in a way that will hardly be another one soon. */
void planner_refused(struct planner *p, int64_t now_ms);

/* The slot whose job is queued or runs, which nobody else is to take; 0: none. */
int64_t planner_held_slot(const struct planner *p);

/* When the next slot that needs a run is due, by the clock; 0: never. What people see. */
int64_t planner_next_due(const struct planner *p, int64_t now_ms);

#endif
