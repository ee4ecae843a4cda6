/* SPDX-License-Identifier: Apache-2.0 */
/*
 * retention.c: see retention.h. One pass from the newest backup to the oldest: a rule "N a day" has so many places; the
 * first good backup that is met in a day takes one, and the places of later days are taken by then.
 */
#include "snapshot/prune/retention.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/compiler.h"
#include "base/units.h"

#define MINUTE_MS ((int64_t)60 * 1000)
#define HOUR_MS   (60 * MINUTE_MS)
#define DAY_MS    (24 * HOUR_MS)
#define FUTURE_MS HOUR_MS /* clocks that differ by no more are usual */

/* What a rule counts. */
enum span { SPAN_EACH, SPAN_HOUR, SPAN_DAY, SPAN_WEEK, SPAN_MONTH, SPAN_YEAR, SPAN_COUNT };

/* The places of one rule, while backups are met from the newest on. */
struct places {
    uint64_t limit, taken;
    int64_t last; /* the span that took the last one */
};

struct judge {
    const struct retention_policy *policy;
    int64_t now_ms;
    struct retention_item *items;
    size_t count;
    struct places places[SPAN_COUNT];
    const struct retention_item *newest_good; /* NULL: there is none */
};

static void add_reason(struct retention_item *item, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* One more reason, behind a comma. */
static void
add_reason(struct retention_item *item, const char *fmt, ...)
{
    size_t len = strlen(item->why), cap = sizeof(item->why);
    va_list ap;

    if (len > 0)
        len += (size_t)snprintf(item->why + len, cap - len, ", ");
    REQUIRE(len < cap);
    va_start(ap, fmt);
    (void)vsnprintf(item->why + len, cap - len, fmt, ap);
    va_end(ap);
}

/* ---- time -------------------------------------------------------------------------------------------------------- */

static int64_t
floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0 ? 1 : 0);
}

static struct tm
utc(int64_t ms)
{
    time_t seconds = (time_t)floor_div(ms, 1000);
    struct tm tm;

    REQUIRE(gmtime_r(&seconds, &tm) != NULL);
    return tm;
}

/* Weeks since the one that 1970 began in, on a Thursday: its Monday was day -3. */
static int64_t
week_of(int64_t ms)
{
    return floor_div(floor_div(ms, DAY_MS) + 3, 7);
}

/* The number of the span that a time lies in: later spans have greater ones. POSITION is the backup's in the array. */
static int64_t
span_number(enum span span, int64_t ms, size_t position)
{
    struct tm tm;

    switch (span) {
    case SPAN_HOUR:
        return floor_div(ms, HOUR_MS);
    case SPAN_DAY:
        return floor_div(ms, DAY_MS);
    case SPAN_WEEK:
        return week_of(ms);
    case SPAN_MONTH:
        tm = utc(ms);
        return (int64_t)tm.tm_year * 12 + tm.tm_mon;
    case SPAN_YEAR:
        return utc(ms).tm_year;
    default:
        return (int64_t)position;
    }
}

/* "daily 2026-11-23"; RANK is which of the newest it is, from 1. */
static void
add_span_reason(struct retention_item *item, enum span span, uint64_t rank)
{
    struct tm tm = utc(item->taken_ms);
    int year = tm.tm_year + 1900, month = tm.tm_mon + 1, day = tm.tm_mday;

    switch (span) {
    case SPAN_HOUR:
        add_reason(item, "hourly %04d-%02d-%02dT%02d", year, month, day, tm.tm_hour);
        break;
    case SPAN_DAY:
        add_reason(item, "daily %04d-%02d-%02d", year, month, day);
        break;
    case SPAN_WEEK:
        tm = utc(week_of(item->taken_ms) * 7 * DAY_MS); /* its Thursday, whose year is the week's (ISO 8601) */
        add_reason(item, "weekly %04d-W%02d", tm.tm_year + 1900, tm.tm_yday / 7 + 1);
        break;
    case SPAN_MONTH:
        add_reason(item, "monthly %04d-%02d", year, month);
        break;
    case SPAN_YEAR:
        add_reason(item, "yearly %04d", year);
        break;
    default:
        add_reason(item, "last %llu", (unsigned long long)rank);
        break;
    }
}

/* ---- the rules --------------------------------------------------------------------------------------------------- */

static bool
is_future(const struct judge *j, const struct retention_item *item)
{
    return item->taken_ms > j->now_ms + FUTURE_MS;
}

/* What keeps a backup from being good, in a word or a few. */
static const char *
flaw(const struct retention_item *item)
{
    return item->broken ? "its data are not all there" : !item->whole ? "damaged" : "suspicious";
}

/* Is there a place for ITEM, which is AT the place of the array? Only a good one takes it. */
static void
apply_span(struct judge *j, enum span span, struct retention_item *item, size_t at)
{
    struct places *p = &j->places[span];
    int64_t number;

    if (p->taken >= p->limit)
        return;
    number = span_number(span, item->taken_ms, at);
    if (p->taken > 0 && p->last == number)
        return;
    add_span_reason(item, span, p->taken + 1);
    item->keep = true;
    if (item->good) {
        p->taken++;
        p->last = number;
    }
}

static void
apply_within(const struct judge *j, struct retention_item *item)
{
    char text[UNITS_TEXT_MAX];

    if (j->policy->within_ms <= 0)
        return;
    if (j->newest_good != NULL && j->newest_good->taken_ms - item->taken_ms > j->policy->within_ms)
        return;
    add_reason(item, "within %s", units_format_duration(j->policy->within_ms, text));
    item->keep = true;
}

static void
apply_rules(struct judge *j, struct retention_item *item, size_t at)
{
    if (is_future(j, item)) {
        add_reason(item, "its time lies in the future");
        item->keep = true;
    } else if (item->unsupported) {
        add_reason(item, "needs a newer remora");
        item->keep = true;
    } else {
        for (int span = 0; span < SPAN_COUNT; span++)
            apply_span(j, (enum span)span, item, at);
        apply_within(j, item);
    }
    if (item->held) {
        add_reason(item, "held");
        item->keep = true;
    }
}

/* Keep good ones until there are min_good of them: the verified, then the others. */
static void
fill_up(struct judge *j)
{
    const uint64_t wanted = j->policy->min_good;
    uint64_t have = 0;

    for (size_t i = 0; i < j->count; i++)
        have += j->items[i].good && j->items[i].keep;
    for (int round = 0; round < 2; round++) {
        const bool verified = round == 0;

        for (size_t i = j->count; i > 0 && have < wanted; i--) {
            struct retention_item *item = &j->items[i - 1];

            if (!item->good || item->keep || item->verified != verified)
                continue;
            add_reason(item, "min-good %llu%s", (unsigned long long)wanted, verified ? " (verified)" : "");
            item->keep = true;
            have++;
        }
    }
}

/* ---- the judgement ----------------------------------------------------------------------------------------------- */

bool
retention_has_rule(const struct retention_policy *p)
{
    return p->last > 0 || p->hourly > 0 || p->daily > 0 || p->weekly > 0 || p->monthly > 0 || p->yearly > 0 ||
           p->within_ms > 0;
}

/* The newest whole backup, by a clock that can be right. */
static const struct retention_item *
newest_whole(const struct judge *j)
{
    for (size_t i = j->count; i > 0; i--) {
        const struct retention_item *item = &j->items[i - 1];

        if (item->whole && !item->unsupported && !item->broken && !is_future(j, item))
            return item;
    }
    return NULL;
}

/* Is the last backup, those of wrong clocks left aside, one of which nothing can be read? */
static bool
is_newest_damaged(const struct judge *j)
{
    for (size_t i = j->count; i > 0; i--) {
        const struct retention_item *item = &j->items[i - 1];

        if (!is_future(j, item))
            return !item->whole && !item->unsupported;
    }
    return false;
}

static void
find_pause(const struct judge *j, char *out, size_t size)
{
    const struct retention_item *newest = newest_whole(j);
    char age[UNITS_TEXT_MAX], wanted[UNITS_TEXT_MAX];
    int64_t age_ms;

    out[0] = '\0';
    if (!retention_has_rule(j->policy)) {
        (void)snprintf(out, size, "no rule was given");
        return;
    }
    if (newest != NULL && newest->suspicious) {
        (void)snprintf(out, size, "the newest backup, of %s, is suspicious; `remora accept` when it is as it should be",
                       units_format_time(newest->taken_ms, age));
        return;
    }
    if (j->newest_good == NULL) {
        (void)snprintf(out, size, "there is no good backup");
        return;
    }
    age_ms = j->now_ms - j->newest_good->taken_ms;
    if (j->policy->expect_every_ms > 0 && age_ms > j->policy->expect_every_ms)
        (void)snprintf(out, size, "the newest good backup is %s old, and one is expected every %s",
                       units_format_duration(age_ms, age), units_format_duration(j->policy->expect_every_ms, wanted));
    else if (is_newest_damaged(j))
        (void)snprintf(out, size,
                       "the newest backup is damaged, so nobody knows whether it is suspicious; take another, or "
                       "`remora delete` it");
}

/* Complete the reasons, and count. */
static void
conclude(struct judge *j, struct retention_verdict *verdict)
{
    for (size_t i = 0; i < j->count; i++) {
        struct retention_item *item = &j->items[i];
        const bool flawed = !item->good && !item->unsupported && !is_future(j, item);

        if (flawed)
            add_reason(item, "%s", flaw(item));
        if (!item->keep)
            add_reason(item, "no rule keeps it");
        verdict->removed += !item->keep;
        verdict->kept += item->keep;
        verdict->kept_good += item->keep && item->good;
    }
}

void
retention_pause(struct retention_item *items, size_t count, const char *why, struct retention_verdict *verdict)
{
    (void)snprintf(verdict->paused, sizeof(verdict->paused), "%s", why);
    for (size_t i = 0; i < count; i++) {
        if (items[i].keep)
            continue;
        add_reason(&items[i], "nothing is expired now");
        items[i].keep = true;
        verdict->removed--;
        verdict->kept++;
        verdict->kept_good += items[i].good;
    }
}

void
retention_judge(const struct retention_policy *policy, int64_t now_ms, struct retention_item *items, size_t count,
                struct retention_verdict *verdict)
{
    const uint64_t limits[SPAN_COUNT] = {policy->last,   policy->hourly,  policy->daily,
                                         policy->weekly, policy->monthly, policy->yearly};
    struct judge j = {.policy = policy, .now_ms = now_ms, .items = items, .count = count};
    char pause[sizeof(verdict->paused)];

    memset(verdict, 0, sizeof(*verdict));
    for (int span = 0; span < SPAN_COUNT; span++)
        j.places[span].limit = limits[span];
    for (size_t i = 0; i < count; i++) {
        struct retention_item *item = &items[i];

        REQUIRE(i == 0 || items[i - 1].taken_ms <= item->taken_ms);
        item->good = item->whole && !item->unsupported && !item->suspicious && !item->broken && !is_future(&j, item);
        item->keep = false;
        item->why[0] = '\0';
        if (item->good)
            j.newest_good = item;
    }
    for (size_t i = count; i > 0; i--)
        apply_rules(&j, &items[i - 1], i - 1);
    fill_up(&j);
    conclude(&j, verdict);
    find_pause(&j, pause, sizeof(pause));
    if (pause[0] != '\0')
        retention_pause(items, count, pause, verdict);
}
