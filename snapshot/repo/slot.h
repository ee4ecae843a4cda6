/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slot.h: which of several agents does the work of a slot of the schedule: the one whose object leases/<kind>/<slot
 * time>.json was there first. It saves duplicate work, and no more: no backup is better or worse for it.
 *
 * A claimer that died or stalls is followed after the stall time by whoever puts <slot time>.1.json first, and so on;
 * the claim with the greatest number counts. Ages are the store's: its time of the object against its clock. What the
 * clocks of the claimers say decides nothing but which slot they ask for.
 *
 * Which can be wrong. A claimer whose clock is fast does slots before their time: its mark that a slot was done counts
 * when the others come to that slot, as long as it is not older than the distance to the next slot (and a minute, or
 * that distance again where it is less); then so is the work, and the slot is done again. One whose clock is slow, or
 * was put back, finds old marks and does such slots again for the same reason, by the next number. So a wrong clock
 * costs at most one more run a slot for each agent that has it, whatever it does to the marks of years to come no slot
 * goes without its run, and no schedule stands still since a clock was put back.
 *
 * One thing the store's time does not show: that the store's clock was put back with the claimer's (a folder of the
 * same host). A claimer that knows it of its own clock says whose marks it does not believe: its own. Those that it
 * left before it was last started it cannot tell; there the schedule waits for the clock to come to where it was.
 *
 * A store without create-only puts, or one that takes no notice of them (which is found out with every claim that is
 * won), lets more than one win where they ask at the same moment; mostly it is the last one who put.
 */
#ifndef SNAPSHOT_REPO_SLOT_H
#define SNAPSHOT_REPO_SLOT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "snapshot/repo/repo.h"

#define SLOT_OLD_MS   ((int64_t)24 * 3600 * 1000) /* what prune sweeps: slots older than this, but for the newest */
#define SLOT_KEEP_NEW 10                          /* of each kind */

struct slot_claim {
    const char *kind;    /* "backup", "verify", "prune": lower-case letters, up to LAYOUT_SLOT_KIND_MAX */
    int64_t slot_ms;     /* the slot's time; whole seconds count */
    const char *claimer; /* who: a host's name; for people */
    const char *nonce;   /* random, once a process and claim: what was put is recognized by it after a lost answer */
    int64_t stall_ms;    /* an unfinished claim this old is reclaimed */
    int64_t distance_ms; /* to the next slot: how long a mark counts; 0: for ever */
    const char *not_by;  /* marks of a nonce that begins with this do not count; NULL: all do */
};

enum slot_outcome {
    SLOT_OURS,
    SLOT_TAKEN, /* another one has it; ask again in *AGAIN_IN_MS, unless it is done by then */
    SLOT_DONE,  /* it was claimed and marked as done */
};

/* Try to claim it. *AGAIN_IN_MS is set with SLOT_TAKEN: from now on, whatever the clocks say, at most stall_ms.
 *
 * One who has it may ask again, with the same nonce: it is SLOT_OURS still unless somebody followed, and once half of
 * the stall time has gone by the claim is made anew (by the next number), so that its age starts again. A job that may
 * take longer than the stall time keeps its slot by asking every third of it. */
int slot_take(const struct repo *repo, const char *instance, const struct slot_claim *claim, enum slot_outcome *outcome,
              int64_t *again_in_ms, struct err *err) MUST_CHECK;

/* The work of a slot that is ours was done: nobody needs to follow. Puts <slot time>.done.json. */
int slot_done(const struct repo *repo, const char *instance, const struct slot_claim *claim,
              struct err *err) MUST_CHECK;

/* What nobody needs any more: the objects of slots whose newest one is older than AGE_MS by the store's clock, but for
 * the newest KEEP slots of each kind. */
struct slot_leftover {
    uint64_t objects, bytes;
    int64_t newest_ms; /* when the youngest of them was put */
};
int slot_survey(const struct repo *repo, const char *instance, int64_t age_ms, unsigned keep, struct slot_leftover *out,
                struct err *err) MUST_CHECK;

/* Remove them. After -1 some may be gone. */
int slot_sweep(const struct repo *repo, const char *instance, int64_t age_ms, unsigned keep, uint64_t *removed,
               struct err *err) MUST_CHECK;

#endif
