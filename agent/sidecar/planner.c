/* SPDX-License-Identifier: Apache-2.0 */
/* planner.c: see planner.h. */
#include "agent/sidecar/planner.h"

#include <string.h>

#include "base/compiler.h"

/* ---- slots that need nothing any more ---------------------------------------------------------------------------- */

static bool
is_settled(const struct planner *p, int64_t slot_ms)
{
    for (size_t i = 0; i < p->settled_count; i++) {
        if (slot_ms >= p->settled[i].first_ms && slot_ms <= p->settled[i].last_ms)
            return true;
    }
    return false;
}

/* Make one of the spans I and I + 1. */
static void
join_spans(struct planner *p, size_t i)
{
    p->settled[i].last_ms = p->settled[i + 1].last_ms;
    memmove(&p->settled[i + 1], &p->settled[i + 2], (p->settled_count - i - 2) * sizeof(p->settled[0]));
    p->settled_count--;
}

/* Join the two that have the fewest slots between them, as far as time tells. */
static void
give_up_smallest_hole(struct planner *p)
{
    int64_t smallest = INT64_MAX;
    size_t which = 0;

    for (size_t i = 0; i + 1 < p->settled_count; i++) {
        int64_t hole = p->settled[i + 1].first_ms - p->settled[i].last_ms;

        if (hole < smallest) {
            smallest = hole;
            which = i;
        }
    }
    join_spans(p, which);
}

static void
settle(struct planner *p, int64_t slot_ms)
{
    size_t i = 0;

    if (is_settled(p, slot_ms))
        return;
    while (i < p->settled_count && p->settled[i].last_ms < slot_ms)
        i++;
    memmove(&p->settled[i + 1], &p->settled[i], (p->settled_count - i) * sizeof(p->settled[0]));
    p->settled[i] = (struct planner_span){.first_ms = slot_ms, .last_ms = slot_ms};
    p->settled_count++;
    if (i + 1 < p->settled_count && schedule_next(p->schedule, slot_ms) >= p->settled[i + 1].first_ms)
        join_spans(p, i);
    if (i > 0 && schedule_next(p->schedule, p->settled[i - 1].last_ms) >= slot_ms)
        join_spans(p, i - 1);
    if (p->settled_count > PLANNER_SPANS)
        give_up_smallest_hole(p);
}

/* ---- the slot in hand -------------------------------------------------------------------------------------------- */

static void
take_in_hand(struct planner *p, int64_t slot_ms)
{
    p->slot_ms = slot_ms;
    p->state = PLANNER_WANTED;
    p->retries = 0;
    p->claims_failed = 0;
    p->again_at_ms = 0;
    p->pause_ms = 0;
}

static void
let_go(struct planner *p)
{
    take_in_hand(p, 0);
}

static void
pause_for(struct planner *p, int64_t pause_ms, int64_t now_ms)
{
    p->pause_ms = pause_ms > 0 ? pause_ms : 0;
    p->again_at_ms = now_ms + p->pause_ms;
}

/* After TRIES that failed. */
static int64_t
growing_pause(unsigned tries)
{
    int64_t pause = PLANNER_FIRST_PAUSE_MS;

    while (tries-- > 1 && pause < PLANNER_MAX_PAUSE_MS)
        pause *= 2;
    return pause < PLANNER_MAX_PAUSE_MS ? pause : PLANNER_MAX_PAUSE_MS;
}

/* Which slot is to be in hand at NOW_MS, as long as nothing of it is under way? */
static void
choose_slot(struct planner *p, int64_t now_ms)
{
    int64_t last = schedule_last(p->schedule, now_ms - p->offset_ms);
    bool is_due = last > 0 && last != p->slot_ms && !is_settled(p, last);

    if (is_due || last > p->slot_ms) {
        if (p->retries > 0)
            settle(p, p->slot_ms); /* it had its tries: it does not come again when a clock is put back */
        take_in_hand(p, is_due ? last : 0);
    } else if (last < p->slot_ms && p->state == PLANNER_WANTED && p->retries == 0) {
        let_go(p); /* a wrong clock's: it comes again in its time */
    }
    /* A clock that was put back must not make a pause longer. */
    if (p->again_at_ms - now_ms > p->pause_ms)
        p->again_at_ms = now_ms + p->pause_ms;
}

static int64_t
earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t
next_due(const struct planner *p, int64_t now_ms)
{
    int64_t slot = schedule_next(p->schedule, now_ms - p->offset_ms);

    for (size_t i = 0; i < p->settled_count; i++) { /* they ascend */
        if (slot >= p->settled[i].first_ms && slot <= p->settled[i].last_ms)
            slot = schedule_next(p->schedule, p->settled[i].last_ms);
    }
    return slot + p->offset_ms;
}

/* ---- the calls --------------------------------------------------------------------------------------------------- */

void
planner_init(struct planner *p, const struct schedule *schedule, int64_t offset_ms)
{
    memset(p, 0, sizeof(*p));
    p->schedule = schedule;
    p->offset_ms = offset_ms;
    let_go(p);
}

enum planner_step
planner_next(struct planner *p, int64_t now_ms, bool server_seen, bool may_run, int64_t *at_ms)
{
    *at_ms = PLANNER_NEVER;
    if (p->schedule == NULL || !server_seen || p->state == PLANNER_CLAIMING || p->state == PLANNER_RUNNING)
        return PLANNER_WAIT;
    choose_slot(p, now_ms);
    *at_ms = next_due(p, now_ms);
    if (!may_run && p->state == PLANNER_READY)
        p->state = PLANNER_WANTED; /* who knows how long: the claim may have grown old, and another one followed it */
    if (p->slot_ms == 0 || !may_run)
        return PLANNER_WAIT;
    if (p->state == PLANNER_READY)
        return PLANNER_START;
    if (p->again_at_ms <= now_ms)
        return PLANNER_CLAIM;
    *at_ms = earlier(*at_ms, p->again_at_ms);
    return PLANNER_WAIT;
}

void
planner_claiming(struct planner *p)
{
    REQUIRE(p->slot_ms != 0 && p->state == PLANNER_WANTED);
    p->state = PLANNER_CLAIMING;
}

void
planner_claimed(struct planner *p, bool ours, bool done, int64_t again_in_ms, int64_t now_ms)
{
    REQUIRE(p->state == PLANNER_CLAIMING);
    p->claims_failed = 0;
    p->state = PLANNER_WANTED;
    if (done) {
        settle(p, p->slot_ms);
        let_go(p);
    } else if (ours) {
        p->state = PLANNER_READY;
    } else {
        pause_for(p, again_in_ms, now_ms);
    }
}

void
planner_claim_failed(struct planner *p, int64_t now_ms)
{
    REQUIRE(p->state == PLANNER_CLAIMING);
    p->state = PLANNER_WANTED;
    pause_for(p, growing_pause(++p->claims_failed), now_ms);
}

void
planner_started(struct planner *p)
{
    REQUIRE(p->state == PLANNER_READY);
    p->state = PLANNER_RUNNING;
}

void
planner_ended(struct planner *p, bool well, int64_t now_ms)
{
    REQUIRE(p->state == PLANNER_RUNNING);
    if (well) {
        settle(p, p->slot_ms);
        let_go(p);
        return;
    }
    p->state = PLANNER_WANTED;
    pause_for(p, growing_pause(++p->retries), now_ms);
}

void
planner_refused(struct planner *p, int64_t now_ms)
{
    int64_t pause_ms;

    planner_ended(p, false, now_ms);
    pause_ms = p->pause_ms * PLANNER_REFUSED_FACTOR;
    pause_for(p, pause_ms < PLANNER_REFUSED_MAX_MS ? pause_ms : PLANNER_REFUSED_MAX_MS, now_ms);
}

int64_t
planner_held_slot(const struct planner *p)
{
    return p->state == PLANNER_RUNNING ? p->slot_ms : 0;
}

int64_t
planner_next_due(const struct planner *p, int64_t now_ms)
{
    return p->schedule != NULL ? next_due(p, now_ms) : 0;
}
