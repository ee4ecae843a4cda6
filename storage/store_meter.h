/* SPDX-License-Identifier: Apache-2.0 */
/* store_meter.h: a wrapper that counts and times what is asked of a store: what the metrics of storage come from.
 * Thread-safe. */
#ifndef STORAGE_STORE_METER_H
#define STORAGE_STORE_METER_H

#include <stdint.h>

#include "storage/store.h"

enum store_meter_call { METER_PUT, METER_GET, METER_STAT, METER_LIST, METER_REMOVE, METER_CALLS };

/* Upper bounds of the buckets in milliseconds; one more bucket takes the rest. */
#define METER_BUCKETS 10
extern const int64_t store_meter_bounds_ms[METER_BUCKETS];

struct store_meter_counts {
    struct {
        uint64_t calls, failures;
        uint64_t buckets[METER_BUCKETS + 1]; /* calls that took at most so long; not cumulative */
        uint64_t total_ms;
    } calls[METER_CALLS];
    uint64_t bytes_put, bytes_got;
};

/* Wrap INNER, which belongs to the new handle. Inside of store_retry it counts attempts, outside of it calls. Never
 * NULL. */
struct store *store_meter_new(struct store *inner) MUST_CHECK;

/* The counts so far. S must be such a handle. */
struct store_meter_counts store_meter_counts(struct store *s);

/* "put", "get"... */
const char *store_meter_name(enum store_meter_call call);

#endif
