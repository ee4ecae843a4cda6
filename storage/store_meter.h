/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_meter.h: a wrapper that counts and times what is asked of a store: what the metrics of storage come from.
 *
 * The counts are kept outside of the handle, in a meter that any number of handles share and that outlives them. The
 * wrapper belongs inside of store_retry, so that a time is that of one attempt; store_retry itself counts there how
 * often it asked again.
 */
#ifndef STORAGE_STORE_METER_H
#define STORAGE_STORE_METER_H

#include <pthread.h>
#include <stdint.h>

#include "storage/store.h"

enum store_meter_call { METER_PUT, METER_GET, METER_STAT, METER_LIST, METER_REMOVE, METER_NOW, METER_CALLS };

/* Upper bounds of the buckets in milliseconds; one more bucket takes the rest. */
#define METER_BUCKETS 10
extern const int64_t store_meter_bounds_ms[METER_BUCKETS];

struct store_meter_counts {
    struct {
        uint64_t calls;
        uint64_t failures;                   /* without an answer, or denied; that there is no such object, or one
                                                already, is an answer */
        uint64_t buckets[METER_BUCKETS + 1]; /* calls that took at most so long; not cumulative */
        uint64_t total_ms;
    } calls[METER_CALLS];
    uint64_t bytes_put, bytes_got; /* of calls that succeeded */
    uint64_t retries;              /* what store_retry asked again */
};

/* Where counts are added up; static or in another struct, without clean-up. */
struct store_meter {
    pthread_mutex_t mutex; /* guards the counts */
    struct store_meter_counts counts;
};

#define STORE_METER_INIT                                                                                               \
    {                                                                                                                  \
        .mutex = PTHREAD_MUTEX_INITIALIZER                                                                             \
    }

/* Wrap INNER, which belongs to the new handle; METER must outlive it. A removal of many keys at once is one call where
 * INNER has it. As thread-safe as INNER. Never NULL. */
struct store *store_meter_new(struct store *inner, struct store_meter *meter) MUST_CHECK;

/* A call was made once more. Thread-safe. */
void store_meter_retried(struct store_meter *meter);

/* The counts so far. Thread-safe. */
struct store_meter_counts store_meter_read(struct store_meter *meter);

/* SUM += MORE. */
void store_meter_add(struct store_meter_counts *sum, const struct store_meter_counts *more);

/* "put", "get", "stat", "list", "remove", "now". */
const char *store_meter_name(enum store_meter_call call);

#endif
