/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prune.h: the verb `prune`: a plan of what may go and why, and what becomes of it. Judging is retention.h's, removing
 * removal.h's; here is what joins them to a repository.
 *
 * A plan changes nothing. It ends in an error, and nothing can be removed by it, when a listing was not complete or a
 * manifest could not be read for want of an answer. Of what a plan lets stay nothing is removed by prune_plan_apply(),
 * whatever happens meanwhile; of what it lets go each backup is looked at once more by itself. So several at once do no
 * harm, and one that was cut off is gone on with by the next.
 */
#ifndef SNAPSHOT_PRUNE_PRUNE_H
#define SNAPSHOT_PRUNE_PRUNE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "snapshot/progress.h"
#include "snapshot/prune/leftovers.h"
#include "snapshot/prune/retention.h"
#include "snapshot/repo/backup_id.h"
#include "snapshot/repo/repo.h"

/* So many backups may turn out to be broken; with one more nothing is expired. */
#define PRUNE_BROKEN_MAX 16

struct prune_options {
    struct retention_policy policy;
    int64_t orphan_age_ms; /* less than a day counts as a day */
    const char *tool_version;
    struct progress_sink progress;
};

enum prune_action {
    PRUNE_KEEP,
    PRUNE_REMOVE,  /* it goes; once applied: it is gone */
    PRUNE_HELD,    /* it was to go, and somebody holds it by now */
    PRUNE_NOT_YET, /* it was to go, and the store denied it: another time */
    PRUNE_ACTIONS
};

struct prune_backup {
    struct backup_id id;
    int64_t taken_ms; /* the time in its id */
    bool good;
    enum prune_action action;
    char why[256]; /* never empty */
};

struct prune_leftover {
    const struct leftover *what; /* the plan's */
    enum prune_action action;    /* PRUNE_KEEP: it waits */
    uint64_t objects;            /* of data/, found or, once applied, removed; 0 where they were not counted */
    char why[256];
};

struct prune_plan {
    struct prune_options options; /* as given */
    int64_t now_ms;               /* the store's time that was judged by */
    char paused[200];             /* why nothing is expired; "": it is not so */
    struct prune_backup *backups; /* ascending by id */
    size_t backup_count;
    struct prune_leftover *leftovers;
    size_t leftover_count;
    struct leftovers found; /* what the above point into */
    bool complete;          /* prune_plan_apply() has come to its end, with all actions as they became */
};

/* Look at INSTANCE and judge. Where something would go, the min_good newest good backups that stay (verified ones
 * first) are proven to have all their objects (VERIFY_QUICK); one that has not is not good, and is judged anew with
 * another in its place.
 *
 * Requests: catalog_load() with CATALOG_MARKS, leftovers_find(), and, for at most min_good + PRUNE_BROKEN_MAX backups
 * and only where something would go, the manifest, and the index and a listing a member. Tells options->progress, as
 * prune_plan_apply() does: PROGRESS_LISTING, CHECKING, LISTING, REMOVING. prune_plan_free(). */
int prune_plan_make(const struct repo *repo, const char *instance, const struct prune_options *options,
                    struct prune_plan **out, struct err *err) MUST_CHECK;
void prune_plan_free(struct prune_plan *p); /* NULL is fine */

/* Do what the plan says: the backups, oldest first, then the leftovers. Every removal is logged, and each action
 * becomes what came of it. A denied one is "not yet" and the others go on; when the store denied every single one,
 * ERR_STORE_DENIED in the end. Any other error ends it at once, as does a signal between two removals
 * (ERR_INTERRUPTED). Call it once. */
int prune_plan_apply(const struct repo *repo, const char *instance, struct prune_plan *plan,
                     struct err *err) MUST_CHECK;

/* How many of the plan's backups and leftovers there are of each action. */
struct prune_summary {
    uint64_t backups[PRUNE_ACTIONS], leftovers[PRUNE_ACTIONS];
    uint64_t objects; /* of the leftovers that go */
};
void prune_plan_count(const struct prune_plan *plan, struct prune_summary *out);

/* "keep", "remove", "held", "not-yet". */
const char *prune_action_name(enum prune_action action);

#endif
