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
#define REMOVAL_NOTE_STALE_MS ((int64_t)3600 * 1000)      /* a note beside a manifest may go; a probe, too */

enum removal_outcome {
    REMOVAL_DONE,
    REMOVAL_HELD,    /* somebody holds it: nothing was removed */
    REMOVAL_NOT_YET, /* the store denies it for now (object lock, or no permission): another time; *err says why */
    REMOVAL_KEPT,    /* the manifest is there (again), or the note or the data are too young: nothing was removed, or
                        nothing more */
};

/* The backup ceases to exist: a fresh note, a look for holds, the manifest. One whose manifest is absent already is
 * REMOVAL_DONE, and gets no note. -1 for what is none of the outcomes. */
int removal_of_manifest(const struct repo *repo, const char *instance, const struct backup_id *id, const char *reason,
                        const char *tool_version, enum removal_outcome *outcome, struct err *err) MUST_CHECK;

/* Good backups of which NEEDED have to be left. */
struct removal_reserve {
    const struct backup_id *ids;
    size_t count;
    uint64_t needed;
};

/* The same, but REMOVAL_KEPT unless so many of RESERVE are there and not about to be removed themselves: asked after
 * the note was put, so that of two removers that count on each other's backup one sees the other's note. */
int removal_of_manifest_reserving(const struct removal_reserve *reserve, const struct repo *repo, const char *instance,
                                  const struct backup_id *id, const char *reason, const char *tool_version,
                                  enum removal_outcome *outcome, struct err *err) MUST_CHECK;

/* The same with another time than REMOVAL_NOTE_VALID_MS, for tests. ERR_STORAGE when the store is always too slow. */
int removal_of_manifest_within(int64_t note_valid_ms, const struct repo *repo, const char *instance,
                               const struct backup_id *id, const char *reason, const char *tool_version,
                               enum removal_outcome *outcome, struct err *err) MUST_CHECK;

/* What is left of one that has ceased to exist: nothing happens unless the manifest is absent when asked for, and its
 * note and the newest of its data are old enough by the store's clock; that is asked anew before every batch. Where
 * there are data, they go, and are counted in *OBJECTS; where there are none (any more), the facts go, and the note
 * last (repo->progress is told after every batch): so a later prune does that, and no importer of the same backup meets
 * removals that are still on their way. */
int removal_of_data(const struct repo *repo, const char *instance, const struct backup_id *id,
                    enum removal_outcome *outcome, uint64_t *objects, struct err *err) MUST_CHECK;

/* Data without a manifest and without a note, such as a killed backup leaves, where the newest object is older than
 * AGE_MS (at least 24 h). They get a note first, which keeps backups of the same id from arriving, and goes a day later
 * by removal_of_data(). */
int removal_of_orphan(const struct repo *repo, const char *instance, const struct backup_id *id, int64_t age_ms,
                      const char *tool_version, enum removal_outcome *outcome, uint64_t *objects,
                      struct err *err) MUST_CHECK;

/* A note beside a manifest goes when it is older than REMOVAL_NOTE_STALE_MS: nobody acts on it any more. */
int removal_of_stale_note(const struct repo *repo, const char *instance, const struct backup_id *id,
                          enum removal_outcome *outcome, struct err *err) MUST_CHECK;

/* The facts about a backup without manifest, note and data, all of them older than AGE_MS (at least 24 h). */
int removal_of_facts(const struct repo *repo, const char *instance, const struct backup_id *id, int64_t age_ms,
                     enum removal_outcome *outcome, struct err *err) MUST_CHECK;

#endif
