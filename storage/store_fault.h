/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_fault.h: a wrapper that misbehaves by plan and counts what it is asked, for tests.
 *
 *     s = store_fault_new(store_mem_new());
 *     store_fault_add(s, &(struct store_fault){.call = STORE_CALL_PUT, .nth = 3, .times = 1, .what =
 * STORE_FAULT_FAIL});
 *     ... the third put fails with ERR_STORAGE and nothing is stored ...
 *
 * Thread-safe: a plan may be changed while other threads call the store.
 */
#ifndef STORAGE_STORE_FAULT_H
#define STORAGE_STORE_FAULT_H

#include <stdint.h>

#include "storage/store.h"

enum store_call {
    STORE_CALL_ANY, /* zero: a fault that names no kind is for all of them */
    STORE_CALL_PUT,
    STORE_CALL_GET,
    STORE_CALL_STAT,
    STORE_CALL_LIST,
    STORE_CALL_REMOVE,
    STORE_CALL_NOW,
    STORE_CALL_COUNT
};

enum store_fault_kind {
    STORE_FAULT_FAIL,    /* fail without doing it */
    STORE_FAULT_LOSE,    /* do it, then fail: the answer was lost. A listing has told everything by then */
    STORE_FAULT_FLIP,    /* get: flip a bit of the object's byte `at`; a get without that byte is not touched */
    STORE_FAULT_SHORTEN, /* get: the object seems to end at its byte `at` */
    STORE_FAULT_HIDE,    /* list: leave out the keys that have `key` in them (nth and times count such keys) */
    STORE_FAULT_CUT,     /* list: fail when `at` keys were told */
    STORE_FAULT_DELAY,   /* do it delay_ms later */
};

/* One line of the plan. A call matches by its kind and by its key (a listing by its prefix; "" for now). */
struct store_fault {
    enum store_call call;
    enum store_fault_kind what;
    const char *key;    /* a part of the key; NULL: every key. Copied */
    uint64_t nth;       /* hit from the nth matching call on, counted from 1 since the line was added; 0 is 1 */
    uint64_t times;     /* that many calls; 0: all from there on */
    enum err_code code; /* FAIL, LOSE, CUT: the failure; ERR_NONE is ERR_STORAGE */
    uint64_t at;        /* FLIP, SHORTEN, CUT */
    int64_t delay_ms;   /* DELAY */
};

/* What was asked, counted before faults; the bytes are those that really went in and out. */
struct store_fault_counts {
    uint64_t calls[STORE_CALL_COUNT]; /* by kind; [STORE_CALL_ANY] is their sum */
    uint64_t bytes_put;
    uint64_t bytes_got;
    uint64_t listed; /* objects and folders told */
};

/* Wrap INNER, which belongs to the new handle from now on. An empty plan changes nothing. Never NULL. All functions
 * below must be given such a handle. */
struct store *store_fault_new(struct store *inner) MUST_CHECK;

/* Add a line to the plan (up to 32). Every line that a call matches counts it; of those that fail it, the first added
 * one does. */
void store_fault_add(struct store *s, const struct store_fault *fault);

/* Empty the plan; counts and shifts stay. */
void store_fault_clear(struct store *s);

/* From now on, add OBJECTS_MS to the times that stat and list tell, and NOW_MS to what now tells. */
void store_fault_shift_times(struct store *s, int64_t objects_ms, int64_t now_ms);

/* Call HOOK at the start of every call, in its thread, before the plan is asked; NULL: none. It may use other stores,
 * or kill the process. */
void store_fault_set_hook(struct store *s, void (*hook)(enum store_call call, const char *key, void *cookie),
                          void *cookie);

/* What was asked since the handle was made or the counts were reset. */
struct store_fault_counts store_fault_counts(struct store *s);
void store_fault_reset_counts(struct store *s);

#endif
