/* SPDX-License-Identifier: Apache-2.0 */
/*
 * retention.h: which backups may go, by a policy, with a reason for every one. Pure: no I/O, no clock.
 *
 * Only good backups (whole, their data not known to be broken, not `suspicious` unless accepted) fill the places that a
 * policy has. One that is not good is judged as if it were, each by itself, but takes no good one's place. One that
 * needs a newer remora, or is held, is always kept; a held good one takes places like any other. Times are those in the
 * ids; hours, days, weeks (Monday is the first day, ISO 8601), months and years are UTC's. Of several backups in one of
 * them the newest is kept, as restic does; hours and days that have no good backup do not count. --keep-within counts
 * from the newest good backup, never from today: when backups stop, what is kept stays.
 *
 * Nothing is expired (`paused`) when there is no good backup, or the newest good one is older than expect_every, or the
 * newest whole one is suspicious and not accepted, or the newest of all is damaged, so that nobody knows whether it is
 * suspicious, or no rule was given. A time that lies more than an hour in the
 * future is a wrong clock's: such a backup is kept, is never the newest one, fills no place and is not counted as good.
 *
 * What holds for any history and policy (test_retention.c tries many): at least min_good good ones are kept, or all
 * there are; of a policy with one more rule, or with a higher number, no more are removed, and what a rule, a hold, a
 * newer remora or a wrong clock keeps stays kept (but what min_good alone had filled in may make room for what the new
 * rule keeps); when what goes is gone, judging again lets nothing more go.
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
    uint64_t min_good;       /* where the rules and holds keep fewer good ones: filled up to this, with verified ones
                                first, newest first */
    int64_t expect_every_ms; /* 0: not checked */
};

/* One backup: what is known, and the judgement. */
struct retention_item {
    int64_t taken_ms; /* the array ascends by this */
    bool whole;       /* its manifest is; false with unsupported false: damaged */
    bool unsupported; /* needs a newer remora */
    bool suspicious;  /* and not accepted */
    bool held;
    bool verified;
    bool broken; /* a look at its data has shown that they are not all there */

    bool good; /* see above */
    bool keep;
    char why[200]; /* "last 1, daily 2026-11-23, held": every rule that keeps it; or why it goes. Never empty */
};

struct retention_verdict {
    char paused[200]; /* why nothing is expired; "" when it is not so. What would have gone is kept, and says so */
    uint64_t removed, kept, kept_good;
};

/* Judge COUNT items as of NOW_MS; what they held of an earlier judgement does not matter. */
void retention_judge(const struct retention_policy *policy, int64_t now_ms, struct retention_item *items, size_t count,
                     struct retention_verdict *verdict);

/* Expire nothing of what was judged: what would have gone is kept, and says so. WHY goes to verdict->paused. */
void retention_pause(struct retention_item *items, size_t count, const char *why, struct retention_verdict *verdict);

/* Has POLICY any rule that keeps something? Without one nothing is expired. */
bool retention_has_rule(const struct retention_policy *policy);

#endif
