/* SPDX-License-Identifier: Apache-2.0 */
/*
 * leftovers.h: what lies in an instance and belongs to no backup: data of killed, failed and removed backups, notes,
 * facts, probes, old claims of slots. Finding removes nothing; what is found is a suspicion, and leftover_remove() asks
 * the store again before it touches anything (removal.h).
 *
 * The manifests are listed last, after everything that is compared with them: a backup that is published meanwhile is
 * there in that listing, and its data are not taken for an orphan's.
 */
#ifndef SNAPSHOT_PRUNE_LEFTOVERS_H
#define SNAPSHOT_PRUNE_LEFTOVERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "snapshot/prune/removal.h"
#include "snapshot/repo/backup_id.h"
#include "snapshot/repo/repo.h"

enum leftover_kind {
    LEFTOVER_DATA,       /* a removed backup's data: no manifest, a note */
    LEFTOVER_ORPHAN,     /* data without a manifest and without a note: of a backup that failed, was killed, or runs */
    LEFTOVER_NOTE,       /* a note (and facts, maybe) without manifest and data: a removal's last step is to be done */
    LEFTOVER_STALE_NOTE, /* a note beside a manifest: a removal that was broken off, or refused */
    LEFTOVER_FACTS,      /* facts about a backup of which nothing else is left */
    LEFTOVER_PROBE,      /* see probe.h */
    LEFTOVER_LEASES,     /* one item for all that slot_survey() finds; younger ones are no leftovers */
    LEFTOVER_KINDS
};

struct leftover {
    enum leftover_kind kind;
    struct backup_id id; /* "" with LEFTOVER_PROBE and LEFTOVER_LEASES */
    char *key;           /* of LEFTOVER_PROBE; of LEFTOVER_LEASES their folder; else NULL */
    int64_t since_ms; /* the store's time of what its age counts from: note, newest object, newest fact, probe, claim */
    uint64_t objects, bytes; /* of LEFTOVER_ORPHAN: what lies in data/; of LEFTOVER_LEASES; else 0 */
    bool ready;              /* old enough to be removed now */
    char why[200];           /* what it is, and when it is not ready: until when it waits */
};

struct leftovers {
    struct leftover *items; /* by id within a kind, kinds in the order above */
    size_t count;
    int64_t now_ms; /* the store's time that ages were reckoned with */
};

/* All of INSTANCE, by one listing each of data/ (folders only), the facts, probe/, leases/ and backups/, and one of
 * each orphan's data; tells repo->progress. A listing that is not complete is an error. ORPHAN_AGE_MS less than a day
 * counts as a day. leftovers_fini() after success. */
int leftovers_find(const struct repo *repo, const char *instance, int64_t orphan_age_ms, struct leftovers *out,
                   struct err *err) MUST_CHECK;
void leftovers_fini(struct leftovers *l);

/* A word for KIND, for JSON output: "data", "orphan", "note", "stale-note", "facts", "probe",
 * "leases". */
const char *leftover_name(enum leftover_kind kind);

/* Remove it, as far as the store, asked again, lets it be one: by the functions of removal.h, which explain OUTCOME and
 * the rest. One that is not ready is REMOVAL_KEPT. A prune must not call this for a LEFTOVER_STALE_NOTE whose backup it
 * removes itself. */
int leftover_remove(const struct repo *repo, const char *instance, const struct leftover *item, int64_t orphan_age_ms,
                    const char *tool_version, enum removal_outcome *outcome, uint64_t *objects,
                    struct err *err) MUST_CHECK;

#endif
