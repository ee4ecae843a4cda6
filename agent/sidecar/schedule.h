/* SPDX-License-Identifier: Apache-2.0 */
/*
 * schedule.h: when work is due: five cron fields, or an interval. Pure, but for the rules of the time zone, which the C
 * library reads (TZ of the process). Thread-safe as long as nobody changes TZ.
 *
 * A schedule is a row of slots, moments that every agent finds alike whatever its host and whenever it started: so one
 * of them can claim a slot by its time. Those of an interval count from 1970-01-01T00:00:00Z.
 *
 * In a time zone with summer time, a local time that a change skips is a slot at the moment of the change, and one that
 * comes twice is a slot the first time only: what is to run at half past two runs once on every day. A schedule of
 * every hour of the day takes the clock as it is instead: what is to run every 15 minutes does so through a change too.
 *
 * A day-of-month and a day-of-week that are both restricted are added up, as cron does.
 */
#ifndef AGENT_SIDECAR_SCHEDULE_H
#define AGENT_SIDECAR_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct schedule {
    int64_t every_ms;                                /* an interval; 0: the fields below */
    uint64_t minutes, hours, days, months, weekdays; /* a bit for each value; Sunday is 0 */
    bool any_day, any_weekday;                       /* the field restricts nothing: it was "*" */
};

/* "MINUTE HOUR DAY MONTH WEEKDAY" with lists, ranges, steps ("10-20/2"; "5/10" is "5-59/10"; a "*" takes one too) and
 * names (jan, mon; 7 is Sunday too); "@hourly", "@daily", "@weekly", "@monthly", "@yearly"; "@every DURATION" of at
 * least a second. ERR_USAGE says which field is wrong and why; also for one that never comes (30 February). */
int schedule_parse(const char *text, struct schedule *s, struct err *err) MUST_CHECK;

/* The first slot after MS, in milliseconds since 1970; by the zone of the process (TZ). */
int64_t schedule_next(const struct schedule *s, int64_t ms);

/* The last slot at or before MS. */
int64_t schedule_last(const struct schedule *s, int64_t ms);

/* A delay within 0..JITTER_MS, spread by SEED (an instance's name and the kind of work), the same for all agents and
 * slots: the load of many instances does not fall on one moment, and the distance between two backups stays what it is.
 */
int64_t schedule_offset(const char *seed, int64_t jitter_ms);

#endif
