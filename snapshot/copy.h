/* SPDX-License-Identifier: Apache-2.0 */
/*
 * copy.h: the verb `copy`: backups from one repository into another, byte for byte: manifest, indexes, segments.
 *
 * Workers fetch a segment whole, prove it against the index and put it; what is there is passed over, what was
 * interrupted is gone on with (arrival.h). A `suspicious` mark that was cleared stays cleared; holds and what verify
 * has found are not copied: they belong to a place.
 */
#ifndef SNAPSHOT_COPY_H
#define SNAPSHOT_COPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "snapshot/progress.h"
#include "snapshot/repo/arrival.h"
#include "snapshot/repo/backup_id.h"
#include "snapshot/repo/repo.h"

struct copy_options {
    const struct repo *from; /* read only */
    const char *from_instance;
    const struct repo *to;
    const char *to_instance;
    unsigned jobs;   /* workers, 1 to 64; fewer where memory says so */
    uint64_t memory; /* of the process, bytes: see memory_plan_carry() */
    struct progress_sink progress;
};

struct copy_result {
    bool there; /* it was there already: nothing was put */
    uint64_t segments;
    struct arrival_counts counts;
};

/* Copy the backup ID. ERR_NOT_FOUND: there is none; ERR_CORRUPT: it is damaged; and arrival.h's errors. After a failure
 * the target has no such backup, but may have some of its segments. */
int copy_backup(const struct copy_options *o, const struct backup_id *id, struct copy_result *result,
                struct err *err) MUST_CHECK;

/* A backup of the source. */
struct copy_item {
    struct backup_id id;
    bool there; /* the target has it, and nothing is to be done: a manifest of that id and size, as listed */
};

struct copy_list {
    struct copy_item *items; /* ascending by id: the oldest first */
    size_t count;
};

/* Every backup of the source, and which of them the target has: by listings, without a get. copy_list_free() after
 * success. */
int copy_list(const struct copy_options *o, struct copy_list *list, struct err *err) MUST_CHECK;
void copy_list_free(struct copy_list *list);

#endif
