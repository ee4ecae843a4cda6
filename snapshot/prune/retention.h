/* SPDX-License-Identifier: Apache-2.0 */
/*
 * retention.h: which backups may go, by a policy, with a reason for every one. Pure: no I/O, no clock.
 *
 * Only good backups (whole, not `suspicious` unless accepted) fill the places that a policy has. One that is damaged or
 * suspicious is judged as if it were good, but takes no good one's place. One that needs a newer remora, or is held, is
 * always kept. Times are those in the ids; hours, days, weeks (Monday is the first day, ISO 8601), months and years are
 * UTC's. Of several backups in one of them the newest is kept, as restic does. --keep-within counts from the newest
 * good backup, never from today: when backups stop, what is kept stays.
 *
 * Nothing is expired (`paused`) when there is no good backup, or the newest good one is older than expect_every, or the
 * newest whole one is suspicious and not accepted, or no rule was given. A time that lies more than an hour in the
 * future is a wrong clock's: such a backup is kept, counts as no newest one and fills no place.
 */
#ifndef SNAPSHOT_PRUNE_RETENTION_H
#define SNAPSHOT_PRUNE_RETENTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RETENTION_MIN_GOOD 3

struct retention_policy {
    uint64_t last, hourly, daily, weekly, monthly, yearly; /* how many of each; 0: no such rule */
    int64_t within_ms;                                     /* all that are no older than this; 0: no such rule */
    uint64_t min_good;       /* never fewer good ones than this: filled up with verified ones first, newest first */
    int64_t expect_every_ms; /* 0: not checked */
};

/* One backup: what is known, and the judgement. */
struct retention_item {
    int64_t taken_ms; /* the array ascends by this */
    bool whole;       /* false: damaged */
    bool unsupported; /* needs a newer remora */
    bool suspicious;  /* and not accepted */
    bool held;
    bool verified;
    bool broken; /* a look at its data has shown that they are not all there: not good, kept while held or by a rule */

    bool keep;
    char why[160]; /* "last 1, daily 2026-11-23, held": every rule that keeps it; or why it goes */
};

struct retention_verdict {
    char
        paused[200]; /* why nothing is expired; "" when it is not so. What would have gone has keep true, and says so */
    uint64_t removed, kept, kept_good;
};

void retention_judge(const struct retention_policy *policy, int64_t now_ms, struct retention_item *items, size_t count,
                     struct retention_verdict *verdict);

#endif
