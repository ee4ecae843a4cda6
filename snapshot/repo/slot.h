/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slot.h: which of several agents does the work of a slot of the schedule: the one whose object leases/<kind>/<slot
 * time>.json was there first. It saves duplicate work, and no more: no backup is better or worse for it.
 *
 * A claimer that died or stalls is followed after the stall time by whoever puts <slot time>.1.json first, and so on.
 * On a store without create-only puts every candidate may win.
 */
#ifndef SNAPSHOT_REPO_SLOT_H
#define SNAPSHOT_REPO_SLOT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "snapshot/repo/repo.h"

struct slot_claim {
    const char *kind;    /* "backup", "verify", "prune" */
    int64_t slot_ms;     /* the slot's time */
    const char *claimer; /* who: a host's name; for people */
    const char *nonce;   /* random, once a process and claim: what was put is recognized by it after a lost answer */
    int64_t stall_ms;    /* an unfinished claim this old is reclaimed */
};

enum slot_outcome {
    SLOT_OURS,
    SLOT_TAKEN, /* another one has it; ask again at *AGAIN_MS, unless it is done by then */
    SLOT_DONE,  /* it was claimed and marked as done */
};

/* Try to claim it. *AGAIN_MS is by the store's clock. */
int slot_take(const struct repo *repo, const char *instance, const struct slot_claim *claim, enum slot_outcome *outcome,
              int64_t *again_ms, struct err *err) MUST_CHECK;

/* The work of a slot that is ours was done: nobody needs to follow. Puts <slot time>.done.json. */
int slot_done(const struct repo *repo, const char *instance, const struct slot_claim *claim,
              struct err *err) MUST_CHECK;

/* Remove the objects of slots older than AGE_MS, but for the newest KEEP of each kind. For prune. */
int slot_sweep(const struct repo *repo, const char *instance, int64_t age_ms, unsigned keep, uint64_t *removed,
               struct err *err) MUST_CHECK;

#endif
