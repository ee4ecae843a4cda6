/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_retry.h: a wrapper that asks again when a store fails for the moment: ERR_STORAGE, and nothing else. A refusal
 * (ERR_STORE_DENIED) is final, and so is ERR_STORAGE with ERR_NEVER_RETRY.
 *
 * The pauses double from first_pause_ms to max_pause_ms, each shortened by chance by up to a half, so that many agents
 * do not come back together; where the store asked for a longer one (Retry-After), that is kept. A call gives up when
 * its next pause would end behind its budget, or when a signal asks to stop (ERR_INTERRUPTED). While the store has
 * never answered, the budget is first_budget_ms: a wrong address should not take long to tell. A call that was tried
 * again logs one line when it ends: how often, for how long, and what the first failure was.
 *
 * A create-only put whose answer was lost and that then meets an object gets it once: our very bytes mean that the put
 * succeeded; any others are ERR_EXISTS. A listing goes on behind the last key that was told. Thread-safe as the store
 * that it wraps.
 */
#ifndef STORAGE_STORE_RETRY_H
#define STORAGE_STORE_RETRY_H

#include "storage/store.h"
#include "storage/store_meter.h"

struct store_retry_options {
    int64_t budget_ms;         /* of one call; 0: 5 min */
    int64_t first_budget_ms;   /* 0: 20 s, or budget_ms when that is less */
    int64_t first_pause_ms;    /* 0: 250 ms */
    int64_t max_pause_ms;      /* 0: 20 s */
    struct store_meter *meter; /* where each try after a call's first is counted; outlives the handle. NULL: nowhere */
};

/* Wrap INNER, which belongs to the new handle from now on. Never NULL. */
struct store *store_retry_new(struct store *inner, const struct store_retry_options *options) MUST_CHECK;

#endif
