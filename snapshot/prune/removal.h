/* SPDX-License-Identifier: Apache-2.0 */
/*
 * removal.h: how a backup goes, in an order in which nobody is ever left with half of one: note, holds, manifest; a day
 * later data, facts, note. FORMAT.md has the rules and why they hold; prune and delete share this.
 *
 * Any step may be interrupted, repeated, or done by several at once.
 */
#ifndef SNAPSHOT_PRUNE_REMOVAL_H
#define SNAPSHOT_PRUNE_REMOVAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "snapshot/repo/backup_id.h"
#include "snapshot/repo/repo.h"

#define REMOVAL_NOTE_AGE_MS   ((int64_t)24 * 3600 * 1000) /* data stay so long after the manifest went */
#define REMOVAL_NOTE_VALID_MS ((int64_t)10 * 60 * 1000)   /* note to removal of the manifest, by CLOCK_BOOTTIME */

enum removal_outcome {
    REMOVAL_DONE,
    REMOVAL_HELD,    /* somebody holds it: nothing was removed */
    REMOVAL_NOT_YET, /* the store denies it for now (object lock, or no permission): another time; *err says why */
    REMOVAL_KEPT,    /* the manifest is there (again), or the note is too young: nothing was removed */
};

/* The backup ceases to exist: a fresh note, a look for holds, the manifest. -1 for what is none of the outcomes. */
int removal_of_manifest(const struct repo *repo, const char *instance, const struct backup_id *id, const char *reason,
                        const char *tool_version, enum removal_outcome *outcome, struct err *err) MUST_CHECK;

/* What is left of one that has ceased to exist: nothing happens unless the manifest is absent when asked for and its
 * note is old enough by the store's clock. *OBJECTS is how many of data/ were removed. */
int removal_of_data(const struct repo *repo, const char *instance, const struct backup_id *id,
                    enum removal_outcome *outcome, uint64_t *objects, struct err *err) MUST_CHECK;

/* Data without a manifest and without a note, such as a killed backup leaves: the same, where the newest object is
 * older than AGE_MS (at least 24 h). */
int removal_of_orphan(const struct repo *repo, const char *instance, const struct backup_id *id, int64_t age_ms,
                      enum removal_outcome *outcome, uint64_t *objects, struct err *err) MUST_CHECK;

#endif
