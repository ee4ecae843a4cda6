/* SPDX-License-Identifier: Apache-2.0 */
/* open_store.h: from a repository URL to a store. The only place in the program that names backends. */
#ifndef AGENT_OPEN_STORE_H
#define AGENT_OPEN_STORE_H

#include "agent/config.h"
#include "base/err.h"
#include "storage/store.h"
#include "storage/store_meter.h"

enum open_store_flag {
    OPEN_STORE_READ_ONLY = 1u << 0, /* whatever happens, nothing is changed through this handle */
    OPEN_STORE_MAKE = 1u << 1,      /* make a missing root folder */
};

/* The store at config->repo, which is not NULL: file:///path, a bare path, or s3://bucket/prefix with the options of
 * its kind (wrapped so that passing failures are tried again). ERR_USAGE for a URL that this build cannot open; never
 * repeats its user part. Otherwise the backend's errors. NULL with ERR. */
struct store *open_store(const struct config *config, unsigned flags, struct err *err) MUST_CHECK;

/* What all stores that were opened here were asked since the start of the process, freed ones too. Thread-safe. */
struct store_meter_counts open_store_counts(void);

/* Where S, which open_store() made, is a folder: remove the temporary files of killed writers below "instances" that
 * are older than MIN_AGE_MS. *REMOVED is how many (also after a failure); 0 for other stores, which leave none. */
int open_store_sweep(struct store *s, int64_t min_age_ms, uint64_t *removed, struct err *err) MUST_CHECK;

/* The tar of `remora export` at PATH, read only. NULL with ERR: see storage/store_tar.h. */
struct store *open_store_tar(const char *path, struct err *err) MUST_CHECK;

#endif
