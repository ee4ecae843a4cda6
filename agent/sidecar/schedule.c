/* SPDX-License-Identifier: Apache-2.0 */
/*
 * schedule.c: see schedule.h. Finding the slots; schedule_parse.c reads the text.
 *
 * A local time is here a number of seconds: those since 1970 that UTC's clock would show when it reads so. It is a
 * moment plus the zone's offset. Between two changes of the offset the slots are local times that match, moved by it;
 * next and last go from one such stretch to the one after, or before. Invariant: changes lie more than a day apart, as
 * they do in all zones since 1970.
 */
#include "agent/sidecar/schedule.h"

#include <string.h>
#include <time.h>

#include "base/digest.h"

#define MINUTE    60
#define HOUR      (60 * MINUTE)
#define DAY       ((int64_t)24 * HOUR)
#define ALL_HOURS ((UINT64_C(1) << 24) - 1)
#define NOWHERE   (9 * 366 * DAY) /* nothing that comes at all stays away longer: 29 February, around 2100 */

static bool
has(uint64_t set, int value)
{
    return (set >> value & 1) != 0;
}

static int64_t
floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0 ? 1 : 0);
}

/* ---- local times that match -------------------------------------------------------------------------------------- */

static struct tm
calendar(int64_t local)
{
    time_t t = (time_t)local;
    struct tm tm = {0};

    (void)gmtime_r(&t, &tm);
    return tm;
}

static bool
day_matches(const struct schedule *s, const struct tm *tm)
{
    bool day = has(s->days, tm->tm_mday), weekday = has(s->weekdays, tm->tm_wday);

    return s->any_day || s->any_weekday ? day && weekday : day || weekday;
}

/* The first match at FROM or after. A day that does not match is passed over at once, and so is a month. */
static int64_t
match_from(const struct schedule *s, int64_t from)
{
    int64_t end = from + NOWHERE, at = floor_div(from + MINUTE - 1, MINUTE) * MINUTE;

    while (at < end) {
        struct tm tm = calendar(at);
        int64_t midnight = floor_div(at, DAY) * DAY;

        if (!has(s->months, tm.tm_mon + 1)) {
            tm = (struct tm){.tm_year = tm.tm_year, .tm_mon = tm.tm_mon + 1, .tm_mday = 1};
            at = timegm(&tm);
        } else if (!day_matches(s, &tm)) {
            at = midnight + DAY;
        } else if (!has(s->hours, tm.tm_hour)) {
            at = midnight + (int64_t)(tm.tm_hour + 1) * HOUR;
        } else if (!has(s->minutes, tm.tm_min)) {
            at += MINUTE;
        } else {
            return at;
        }
    }
    REQUIRE(false); /* schedule_parse() refuses what never comes */
    return 0;
}

/* The last match before BEFORE. */
static int64_t
match_before(const struct schedule *s, int64_t before)
{
    int64_t end = before - NOWHERE, at = floor_div(before - 1, MINUTE) * MINUTE;

    while (at > end) {
        struct tm tm = calendar(at);
        int64_t midnight = floor_div(at, DAY) * DAY;

        if (!has(s->months, tm.tm_mon + 1)) {
            tm = (struct tm){.tm_year = tm.tm_year, .tm_mon = tm.tm_mon, .tm_mday = 1};
            at = timegm(&tm) - MINUTE;
        } else if (!day_matches(s, &tm)) {
            at = midnight - MINUTE;
        } else if (!has(s->hours, tm.tm_hour)) {
            at = midnight + (int64_t)tm.tm_hour * HOUR - MINUTE;
        } else if (!has(s->minutes, tm.tm_min)) {
            at -= MINUTE;
        } else {
            return at;
        }
    }
    REQUIRE(false);
    return 0;
}

/* ---- changes of the zone's offset -------------------------------------------------------------------------------- */

struct change {
    int64_t at; /* the first second with the new offset */
    int64_t old_offset, new_offset;
};

static int64_t
offset_at(int64_t t)
{
    time_t when = (time_t)t;
    struct tm tm = {0};

    return localtime_r(&when, &tm) != NULL ? tm.tm_gmtoff : 0;
}

/* The one change between LOW and HIGH, whose offsets differ. */
static struct change
narrow(int64_t low, int64_t high)
{
    int64_t old_offset = offset_at(low);

    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;

        if (offset_at(middle) == old_offset)
            low = middle;
        else
            high = middle;
    }
    return (struct change){.at = high, .old_offset = old_offset, .new_offset = offset_at(high)};
}

/* The first change after AFTER and not after UNTIL. */
static bool
change_after(int64_t after, int64_t until, struct change *change)
{
    int64_t offset = offset_at(after);

    while (after < until) {
        int64_t to = until - after > DAY ? after + DAY : until;

        if (offset_at(to) != offset) {
            *change = narrow(after, to);
            return true;
        }
        after = to;
    }
    return false;
}

/* The last change not after UNTIL and after AFTER. */
static bool
change_before(int64_t until, int64_t after, struct change *change)
{
    int64_t offset = offset_at(until);

    while (until > after) {
        int64_t to = until - after > DAY ? until - DAY : after;

        if (offset_at(to) != offset) {
            *change = narrow(to, until);
            return true;
        }
        until = to;
    }
    return false;
}

/* The first local time that belongs to the new stretch. After a turn back, those that come a second time do not. */
static int64_t
stretch_begin(const struct schedule *s, const struct change *c)
{
    bool second_time = s->hours != ALL_HOURS && c->old_offset > c->new_offset;

    return c->at + (second_time ? c->old_offset : c->new_offset);
}

/* Is the local time one that the change skips, and that counts at the moment of the change? */
static bool
is_skipped(const struct schedule *s, const struct change *c, int64_t local)
{
    return s->hours != ALL_HOURS && local >= c->at + c->old_offset && local < c->at + c->new_offset;
}

/* ---- slots ------------------------------------------------------------------------------------------------------- */

/* In seconds: the first slot at T or after. */
static int64_t
slot_from(const struct schedule *s, int64_t t)
{
    int64_t offset = offset_at(t), from = t + offset, local;
    struct change c;

    if (change_before(t, t - DAY, &c)) {
        if (c.at == t && is_skipped(s, &c, match_from(s, t + c.old_offset)))
            return t;
        if (from < stretch_begin(s, &c))
            from = stretch_begin(s, &c);
    }
    for (;;) {
        local = match_from(s, from);
        if (!change_after(t, local - offset, &c))
            return local - offset;
        if (is_skipped(s, &c, local))
            return c.at;
        from = stretch_begin(s, &c);
        t = c.at;
        offset = c.new_offset;
    }
}

/* In seconds: the last slot at or before T. */
static int64_t
slot_until(const struct schedule *s, int64_t t)
{
    int64_t offset = offset_at(t), before = t + offset + 1, local;
    struct change c;

    for (;;) {
        local = match_before(s, before);
        if (!change_before(t, local - offset - DAY, &c) || local >= stretch_begin(s, &c))
            return local - offset;
        if (is_skipped(s, &c, local))
            return c.at;
        before = c.at + c.old_offset;
        t = c.at - 1;
        offset = c.old_offset;
    }
}

int64_t
schedule_next(const struct schedule *s, int64_t ms)
{
    if (s->every_ms > 0)
        return (floor_div(ms, s->every_ms) + 1) * s->every_ms;
    return slot_from(s, floor_div(ms, 1000) + 1) * 1000;
}

int64_t
schedule_last(const struct schedule *s, int64_t ms)
{
    if (s->every_ms > 0)
        return floor_div(ms, s->every_ms) * s->every_ms;
    return slot_until(s, floor_div(ms, 1000)) * 1000;
}

int64_t
schedule_offset(const char *seed, int64_t jitter_ms)
{
    uint8_t digest[DIGEST_SHA256_LEN];
    uint64_t n = 0;

    if (jitter_ms <= 0)
        return 0;
    digest_sha256(seed, strlen(seed), digest);
    for (size_t i = 0; i < sizeof(n); i++)
        n = n << 8 | digest[i];
    return (int64_t)(n % ((uint64_t)jitter_ms + 1));
}
