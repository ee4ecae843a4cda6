/* SPDX-License-Identifier: Apache-2.0 */
/* test_retention.c: every rule by itself and in sum, what is never counted, what pauses, and what holds for any history
 * and policy, over many random ones (SEED of the environment). */
#include "snapshot/prune/retention.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "base/units.h"
#include "tests/support/test_common.h"

#define MINUTE INT64_C(60000)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)
#define MAX    64

/* A history in the making, oldest first. */
struct history {
    struct retention_item items[MAX];
    size_t count;
    int64_t now_ms;
    struct retention_verdict verdict;
};

static int64_t
ms_of(const char *time)
{
    struct err err = ERR_INIT;
    int64_t ms = 0;

    assert_ok(units_parse_time(time, &ms, &err), &err);
    return ms;
}

static struct retention_item *
add_at(struct history *h, int64_t ms)
{
    struct retention_item *item = &h->items[h->count++];

    assert_true(h->count <= MAX);
    *item = (struct retention_item){.taken_ms = ms, .whole = true};
    h->now_ms = ms > h->now_ms ? ms : h->now_ms;
    return item;
}

static struct retention_item *
add(struct history *h, const char *time)
{
    return add_at(h, ms_of(time));
}

static void
judge(struct history *h, const struct retention_policy *policy)
{
    retention_judge(policy, h->now_ms, h->items, h->count, &h->verdict);
}

/* What stays, as a text of '1' and '0', oldest first. */
static void
keeps(struct history *h, const struct retention_policy *policy, const char *want)
{
    char got[MAX + 1] = "";

    judge(h, policy);
    for (size_t i = 0; i < h->count; i++)
        got[i] = h->items[i].keep ? '1' : '0';
    assert_string_equal(got, want);
}

static void
why_is(const struct history *h, size_t i, const char *want)
{
    assert_string_equal(h->items[i].why, want);
}

/* ---- the rules --------------------------------------------------------------------------------------------------- */

static void
judge__keep_last__newest_n(void **state)
{
    struct history h = {0};

    (void)state;
    for (int i = 0; i < 5; i++)
        add_at(&h, i * DAY);
    keeps(&h, &(struct retention_policy){.last = 2}, "00011");
    why_is(&h, 4, "last 1");
    why_is(&h, 3, "last 2");
    why_is(&h, 0, "no rule keeps it");
    assert_int_equal(h.verdict.removed, 3);
    assert_int_equal(h.verdict.kept, 2);
    assert_int_equal(h.verdict.kept_good, 2);
    assert_string_equal(h.verdict.paused, "");
    keeps(&h, &(struct retention_policy){.last = 100}, "11111");
}

static void
judge__keep_hourly__newest_of_each_hour_that_has_one(void **state)
{
    struct history h = {0};

    (void)state;
    add(&h, "2026-11-23T01:59:59Z");
    add(&h, "2026-11-23T07:00:00Z"); /* a gap: hours without a backup do not count */
    add(&h, "2026-11-23T07:30:00Z");
    add(&h, "2026-11-23T07:59:59Z");
    add(&h, "2026-11-23T08:00:00Z");
    keeps(&h, &(struct retention_policy){.hourly = 2}, "00011");
    why_is(&h, 3, "hourly 2026-11-23T07");
    why_is(&h, 4, "hourly 2026-11-23T08");
    keeps(&h, &(struct retention_policy){.hourly = 3}, "10011");
}

static void
judge__keep_daily__by_utc_days(void **state)
{
    struct history h = {0};

    (void)state;
    add(&h, "2028-02-28T23:59:59Z");
    add(&h, "2028-02-29T00:00:00Z"); /* a leap year's day */
    add(&h, "2028-02-29T23:59:59Z");
    add(&h, "2028-03-01T00:00:00Z");
    keeps(&h, &(struct retention_policy){.daily = 2}, "0011");
    why_is(&h, 2, "daily 2028-02-29");
    keeps(&h, &(struct retention_policy){.daily = 3}, "1011");
}

static void
judge__keep_weekly__iso_weeks_across_the_year(void **state)
{
    struct history h = {0};

    (void)state;
    add(&h, "2026-12-27T12:00:00Z"); /* Sunday of week 52 */
    add(&h, "2026-12-28T00:00:00Z"); /* Monday of week 53 */
    add(&h, "2026-12-31T12:00:00Z");
    add(&h, "2027-01-03T23:59:59Z"); /* Sunday of the same week */
    add(&h, "2027-01-04T00:00:00Z"); /* Monday of week 1 */
    keeps(&h, &(struct retention_policy){.weekly = 3}, "10011");
    why_is(&h, 0, "weekly 2026-W52");
    why_is(&h, 3, "weekly 2026-W53");
    why_is(&h, 4, "weekly 2027-W01");
}

static void
judge__keep_weekly__days_of_the_next_years_first_week(void **state)
{
    struct history h = {0};

    (void)state;
    add(&h, "2024-12-29T10:00:00Z"); /* Sunday of 2024-W52 */
    add(&h, "2024-12-30T10:00:00Z"); /* Monday of 2025-W01 */
    add(&h, "2025-01-05T10:00:00Z");
    keeps(&h, &(struct retention_policy){.weekly = 5}, "101");
    why_is(&h, 0, "weekly 2024-W52");
    why_is(&h, 2, "weekly 2025-W01");
    judge(&h, &(struct retention_policy){.weekly = 5, .last = 2});
    why_is(&h, 1, "last 2");
}

static void
judge__keep_monthly_and_yearly__newest_of_each(void **state)
{
    struct history h = {0};

    (void)state;
    add(&h, "2024-02-29T00:00:00Z");
    add(&h, "2025-12-01T00:00:00Z");
    add(&h, "2025-12-31T23:59:59Z");
    add(&h, "2026-01-01T00:00:00Z");
    add(&h, "2026-01-31T00:00:00Z");
    keeps(&h, &(struct retention_policy){.monthly = 2}, "00101");
    why_is(&h, 2, "monthly 2025-12");
    keeps(&h, &(struct retention_policy){.yearly = 3}, "10101");
    why_is(&h, 0, "yearly 2024");
    keeps(&h, &(struct retention_policy){.monthly = 12}, "10101");
}

static void
judge__keep_within__from_the_newest_good_one(void **state)
{
    struct history h = {0};

    (void)state;
    add(&h, "2026-11-01T00:00:00Z");
    add(&h, "2026-11-03T00:00:00Z");
    add(&h, "2026-11-05T00:00:00Z");
    h.now_ms += 400 * DAY; /* backups have stopped long ago: what is kept stays */
    keeps(&h, &(struct retention_policy){.within_ms = 2 * DAY}, "011");
    why_is(&h, 1, "within 2d00h");
    keeps(&h, &(struct retention_policy){.within_ms = 2 * DAY - 1}, "001");
    keeps(&h, &(struct retention_policy){.within_ms = INT64_MAX}, "111");
}

static void
judge__several_rules__sum_and_all_of_them_named(void **state)
{
    static const struct retention_policy all = {
        .last = 1, .hourly = 1, .daily = 2, .weekly = 1, .monthly = 1, .yearly = 1, .within_ms = HOUR};
    struct history h = {0};

    (void)state;
    add(&h, "2026-11-21T12:00:00Z");
    add(&h, "2026-11-22T12:00:00Z");
    add(&h, "2026-11-23T12:00:00Z");
    add(&h, "2026-11-23T12:30:00Z")->held = true;
    keeps(&h, &all, "0111");
    why_is(&h, 1, "daily 2026-11-22");
    why_is(&h, 2, "within 1h00m");
    why_is(&h, 3,
           "last 1, hourly 2026-11-23T12, daily 2026-11-23, weekly 2026-W48, monthly 2026-11, yearly 2026, "
           "within 1h00m, held");
}

static void
judge__same_moment__order_decides(void **state)
{
    struct history h = {0};

    (void)state;
    for (int i = 0; i < 3; i++)
        add(&h, "2026-11-23T12:00:00Z");
    keeps(&h, &(struct retention_policy){.last = 2}, "011");
    keeps(&h, &(struct retention_policy){.daily = 2}, "001");
}

static void
judge__before_1970__counted_as_any_time(void **state)
{
    struct history h = {0};

    (void)state;
    add(&h, "1969-12-28T10:00:00Z");
    add(&h, "1969-12-29T10:00:00Z");
    add(&h, "1969-12-31T23:00:00Z");
    add(&h, "1970-01-01T00:00:00Z");
    keeps(&h, &(struct retention_policy){.weekly = 9}, "1001");
    why_is(&h, 0, "weekly 1969-W52");
    why_is(&h, 3, "weekly 1970-W01");
    keeps(&h, &(struct retention_policy){.daily = 9, .yearly = 9}, "1111");
}

static void
judge__empty__nothing(void **state)
{
    struct history h = {0};

    (void)state;
    keeps(&h, &(struct retention_policy){.last = 1, .min_good = 3}, "");
    assert_int_equal(h.verdict.kept, 0);
    assert_string_equal(h.verdict.paused, "there is no good backup");
}

/* ---- min-good ---------------------------------------------------------------------------------------------------- */

static void
judge__min_good__filled_up_verified_first(void **state)
{
    struct history h = {0};

    (void)state;
    for (int i = 0; i < 6; i++)
        add_at(&h, i * DAY);
    h.items[0].verified = h.items[2].verified = true;
    keeps(&h, &(struct retention_policy){.last = 1, .min_good = 1}, "000001");
    keeps(&h, &(struct retention_policy){.last = 1, .min_good = 2}, "001001");
    why_is(&h, 2, "min-good 2 (verified)");
    keeps(&h, &(struct retention_policy){.last = 1, .min_good = 3}, "101001");
    keeps(&h, &(struct retention_policy){.last = 1, .min_good = 4}, "101011");
    why_is(&h, 4, "min-good 4");
    keeps(&h, &(struct retention_policy){.last = 1, .min_good = 40}, "111111");
    keeps(&h, &(struct retention_policy){.last = 4, .min_good = 3}, "001111");
}

static void
judge__min_good__only_good_ones_count(void **state)
{
    struct history h = {0};

    (void)state;
    for (int i = 0; i < 6; i++)
        add_at(&h, i * DAY);
    h.items[4].whole = false;
    h.items[3].suspicious = true;
    h.items[2].broken = true;
    keeps(&h, &(struct retention_policy){.last = 1, .min_good = 3}, "110001");
    assert_int_equal(h.verdict.kept_good, 3);
    why_is(&h, 4, "damaged, no rule keeps it");
    why_is(&h, 3, "suspicious, no rule keeps it");
    why_is(&h, 2, "its data are not all there, no rule keeps it");
}

/* ---- what takes no place ----------------------------------------------------------------------------------------- */

static void
judge__not_good__judged_as_if_it_were_but_takes_no_place(void **state)
{
    struct history h = {0};

    (void)state;
    add(&h, "2026-11-20T12:00:00Z");
    add(&h, "2026-11-21T12:00:00Z");
    add(&h, "2026-11-22T12:00:00Z");
    add(&h, "2026-11-22T13:00:00Z")->suspicious = true; /* the newest of its day, in a kept day: stays */
    add(&h, "2026-11-23T10:00:00Z")->whole = false;     /* a newer one of its day is good: goes */
    add(&h, "2026-11-23T12:00:00Z");
    keeps(&h, &(struct retention_policy){.daily = 3}, "011101");
    why_is(&h, 3, "daily 2026-11-22, suspicious");
    why_is(&h, 4, "damaged, no rule keeps it");
    keeps(&h, &(struct retention_policy){.last = 2}, "001111");
    why_is(&h, 4, "last 2, damaged");
    why_is(&h, 2, "last 2");
    keeps(&h, &(struct retention_policy){.daily = 1}, "000001");
}

static void
judge__held_and_unsupported__stay_whatever_the_rules_say(void **state)
{
    struct history h = {0};

    (void)state;
    add(&h, "2020-01-01T00:00:00Z")->held = true;
    h.items[0].whole = false;
    add(&h, "2020-01-02T00:00:00Z")->held = true;
    add(&h, "2020-01-03T00:00:00Z")->unsupported = true;
    h.items[2].whole = false;
    add(&h, "2020-01-04T00:00:00Z");
    add(&h, "2020-01-05T00:00:00Z");
    keeps(&h, &(struct retention_policy){.last = 1}, "11101");
    why_is(&h, 0, "held, damaged");
    why_is(&h, 1, "held");
    why_is(&h, 2, "needs a newer remora");
    assert_int_equal(h.verdict.kept_good, 2);
    keeps(&h, &(struct retention_policy){.last = 1, .min_good = 2}, "11101"); /* a held one is a good one */
    keeps(&h, &(struct retention_policy){.last = 2}, "11111");                /* the other takes no place */
}

static void
judge__time_in_the_future__stays_and_is_not_the_newest(void **state)
{
    struct history h = {0};
    int64_t now_ms;

    (void)state;
    add(&h, "2026-11-22T00:00:00Z");
    add(&h, "2026-11-23T00:00:00Z");
    now_ms = h.now_ms;
    add_at(&h, now_ms + HOUR); /* clocks differ */
    add_at(&h, now_ms + HOUR + 1);
    add(&h, "2126-11-23T00:00:00Z")->suspicious = true;
    h.now_ms = now_ms;
    keeps(&h, &(struct retention_policy){.last = 1}, "00111");
    why_is(&h, 2, "last 1");
    why_is(&h, 3, "its time lies in the future");
    why_is(&h, 4, "its time lies in the future");
    assert_int_equal(h.verdict.kept_good, 1);
    assert_string_equal(h.verdict.paused, "");
    h.now_ms = now_ms + 3 * DAY; /* time has come to the one */
    keeps(&h, &(struct retention_policy){.last = 1, .expect_every_ms = 4 * DAY}, "00011");
}

/* ---- paused ------------------------------------------------------------------------------------------------------ */

static void
paused_is(const struct history *h, const char *words)
{
    assert_non_null(strstr(h->verdict.paused, words));
    assert_int_equal(h->verdict.removed, 0);
    for (size_t i = 0; i < h->count; i++)
        assert_true(h->items[i].keep);
}

static void
judge__no_rule__nothing_goes(void **state)
{
    struct history h = {0};

    (void)state;
    add_at(&h, 0);
    add_at(&h, DAY)->held = true;
    judge(&h, &(struct retention_policy){.min_good = 3, .expect_every_ms = 1});
    paused_is(&h, "no rule was given");
    judge(&h, &(struct retention_policy){.min_good = 1});
    paused_is(&h, "no rule was given");
    why_is(&h, 0, "no rule keeps it, nothing is expired now");
    why_is(&h, 1, "held");
    assert_false(retention_has_rule(&(struct retention_policy){.min_good = 3, .expect_every_ms = 1}));
    assert_true(retention_has_rule(&(struct retention_policy){.within_ms = 1}));
}

static void
judge__newest_too_old__nothing_goes(void **state)
{
    struct history h = {0};

    (void)state;
    for (int i = 0; i < 3; i++)
        add_at(&h, i * HOUR);
    h.now_ms += 2 * HOUR;
    keeps(&h, &(struct retention_policy){.last = 1, .expect_every_ms = 2 * HOUR}, "001");
    h.now_ms += 1;
    judge(&h, &(struct retention_policy){.last = 1, .expect_every_ms = 2 * HOUR});
    paused_is(&h, "expected every 2h00m");
    why_is(&h, 0, "no rule keeps it, nothing is expired now");
    why_is(&h, 2, "last 1");
    add_at(&h, h.now_ms)->whole = false; /* a damaged one is no sign of life */
    judge(&h, &(struct retention_policy){.last = 1, .expect_every_ms = 2 * HOUR});
    paused_is(&h, "expected every 2h00m");
}

static void
judge__newest_suspicious__nothing_goes_until_accepted(void **state)
{
    struct history h = {0};

    (void)state;
    for (int i = 0; i < 4; i++)
        add_at(&h, i * HOUR);
    h.items[3].suspicious = true;
    judge(&h, &(struct retention_policy){.last = 1});
    paused_is(&h, "is suspicious");
    add_at(&h, 4 * HOUR)->whole = false; /* the newest whole one is what counts */
    judge(&h, &(struct retention_policy){.last = 1});
    paused_is(&h, "is suspicious");
    h.items[3].suspicious = false;
    judge(&h, &(struct retention_policy){.last = 1}); /* whether the damaged one was suspicious is not known */
    paused_is(&h, "is damaged");
    h.items[3].suspicious = true;
    add_at(&h, 5 * HOUR); /* a good one has come since */
    keeps(&h, &(struct retention_policy){.last = 1}, "000001");
}

static void
judge__none_good__nothing_goes(void **state)
{
    struct history h = {0};

    (void)state;
    add_at(&h, 0)->whole = false;
    add_at(&h, HOUR)->broken = true;
    add_at(&h, 2 * HOUR)->unsupported = true;
    h.items[2].whole = false;
    judge(&h, &(struct retention_policy){.hourly = 1, .within_ms = 1});
    paused_is(&h, "there is no good backup");
    assert_int_equal(h.verdict.kept_good, 0);
}

/* ---- any history, any policy ------------------------------------------------------------------------------------- */

static uint64_t
random_next(uint64_t *s)
{
    uint64_t z = *s += 0x9e3779b97f4a7c15u; /* splitmix64 */

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static uint64_t
below(uint64_t *s, uint64_t n)
{
    return random_next(s) % n;
}

static bool
one_in(uint64_t *s, uint64_t n)
{
    return below(s, n) == 0;
}

/* Steps from seconds to years, so that spans are shared and skipped in all ways. */
static void
random_history(uint64_t *s, struct history *h)
{
    static const int64_t steps[] = {1000, 20 * MINUTE, HOUR, 8 * HOUR, DAY, 5 * DAY, 20 * DAY, 200 * DAY};
    size_t count = (size_t)below(s, 30);
    int64_t ms = ms_of("2019-12-01T00:00:00Z") + (int64_t)below(s, (uint64_t)(60 * DAY));

    memset(h, 0, sizeof(*h));
    for (size_t i = 0; i < count; i++) {
        struct retention_item *item = add_at(h, ms);

        ms += (int64_t)below(s, (uint64_t)steps[below(s, ARRAY_LEN(steps))]);
        item->unsupported = one_in(s, 20);
        item->whole = !item->unsupported && !one_in(s, 8);
        item->suspicious = item->whole && one_in(s, 6);
        item->held = one_in(s, 8);
        item->verified = one_in(s, 3);
        item->broken = one_in(s, 15);
    }
    if (one_in(s, 5) && count > 2)
        h->now_ms = h->items[count - 1 - below(s, 3)].taken_ms + (int64_t)below(s, (uint64_t)(3 * HOUR));
    else
        h->now_ms = ms + (int64_t)below(s, (uint64_t)DAY);
}

static void
random_policy(uint64_t *s, struct retention_policy *p)
{
    uint64_t *const counts[] = {&p->last, &p->hourly, &p->daily, &p->weekly, &p->monthly, &p->yearly};

    memset(p, 0, sizeof(*p));
    for (size_t i = 0; i < ARRAY_LEN(counts); i++)
        *counts[i] = one_in(s, 2) ? 0 : below(s, 6);
    p->within_ms = one_in(s, 2) ? 0 : (int64_t)below(s, (uint64_t)(30 * DAY));
    p->min_good = below(s, 6);
    p->expect_every_ms = one_in(s, 4) ? (int64_t)below(s, (uint64_t)(2 * DAY)) + 1 : 0;
}

/* The same with one rule more, or a greater number. */
static void
widen(uint64_t *s, struct retention_policy *p)
{
    uint64_t *const counts[] = {&p->last, &p->hourly, &p->daily, &p->weekly, &p->monthly, &p->yearly, &p->min_good};
    uint64_t which = below(s, ARRAY_LEN(counts) + 1);

    if (which < ARRAY_LEN(counts))
        *counts[which] += 1 + below(s, 4);
    else
        p->within_ms += 1 + (int64_t)below(s, (uint64_t)(30 * DAY));
}

/* How many different spans of SPAN ms, shifted by days so that weeks begin on Mondays, LIST's good ones have. */
static uint64_t
spans(const struct history *h, bool kept_only, int64_t span_ms, int64_t shift_ms)
{
    int64_t last = -1;
    uint64_t count = 0;

    for (size_t i = 0; i < h->count; i++) {
        int64_t number = span_ms > 0 ? (h->items[i].taken_ms + shift_ms) / span_ms : (int64_t)i;

        if (!h->items[i].good || (kept_only && !h->items[i].keep) || number == last)
            continue;
        last = number;
        count++;
    }
    return count;
}

static uint64_t
least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Every rule has its number of spans with a kept good one, as far as there are so many. */
static void
check_rules(const struct history *h, const struct retention_policy *p)
{
    const struct {
        uint64_t wanted;
        int64_t span_ms, shift_ms;
    } rules[] = {
        {p->last, 0, 0}, {p->hourly, HOUR, 0}, {p->daily, DAY, 0}, {p->weekly, 7 * DAY, 3 * DAY}, {p->min_good, 0, 0},
    };

    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        uint64_t all = spans(h, false, rules[i].span_ms, rules[i].shift_ms);

        assert_true(spans(h, true, rules[i].span_ms, rules[i].shift_ms) >= least(rules[i].wanted, all));
    }
}

/* Months and years by the text of the time: their number of different first LEN characters. */
static void
check_calendar(const struct history *h, uint64_t wanted, size_t len)
{
    char last[2][UNITS_TEXT_MAX] = {"", ""}, text[UNITS_TEXT_MAX];
    uint64_t counts[2] = {0, 0};

    for (size_t i = 0; i < h->count; i++) {
        (void)units_format_time(h->items[i].taken_ms, text);
        for (int kept = 0; kept < 2; kept++) {
            if (!h->items[i].good || (kept == 1 && !h->items[i].keep) || strncmp(text, last[kept], len) == 0)
                continue;
            memcpy(last[kept], text, sizeof(text));
            counts[kept]++;
        }
    }
    assert_true(counts[1] >= least(wanted, counts[0]));
}

static void
check_reasons(const struct history *h)
{
    uint64_t kept = 0, good = 0;

    for (size_t i = 0; i < h->count; i++) {
        const struct retention_item *item = &h->items[i];

        assert_true(item->why[0] != '\0' && strlen(item->why) < sizeof(item->why) - 1);
        assert_true(item->keep || strstr(item->why, "no rule keeps it") != NULL);
        assert_true(item->keep || (!item->held && !item->unsupported));
        assert_true(!item->good || (item->whole && !item->broken && !item->suspicious));
        kept += item->keep;
        good += item->keep && item->good;
    }
    assert_int_equal(h->verdict.kept, kept);
    assert_int_equal(h->verdict.removed, h->count - kept);
    assert_int_equal(h->verdict.kept_good, good);
    assert_true(h->verdict.paused[0] == '\0' || kept == h->count);
}

static void
check_twice_is_the_same(const struct history *h, const struct retention_policy *p)
{
    struct history again = *h;

    judge(&again, p);
    assert_string_equal(again.verdict.paused, h->verdict.paused);
    for (size_t i = 0; i < h->count; i++) {
        assert_int_equal(again.items[i].keep, h->items[i].keep);
        assert_string_equal(again.items[i].why, h->items[i].why);
    }
}

static void
check_nothing_more_goes(const struct history *h, const struct retention_policy *p)
{
    struct history left = {.now_ms = h->now_ms};

    for (size_t i = 0; i < h->count; i++)
        if (h->items[i].keep)
            left.items[left.count++] = h->items[i];
    judge(&left, p);
    assert_int_equal(left.verdict.removed, 0);
    assert_int_equal(left.verdict.kept_good, h->verdict.kept_good);
    assert_string_equal(left.verdict.paused, h->verdict.paused);
}

static bool
by_min_good_alone(const struct retention_item *item)
{
    return strncmp(item->why, "min-good", strlen("min-good")) == 0;
}

static void
check_more_rules_remove_no_more(const struct history *h, const struct retention_policy *p, uint64_t *s)
{
    struct retention_policy wider = *p;
    struct history again = *h;

    widen(s, &wider);
    if (!retention_has_rule(p))
        return; /* nothing goes without a rule: the first one is what begins it */
    judge(&again, &wider);
    assert_true(again.verdict.removed <= h->verdict.removed);
    for (size_t i = 0; i < h->count; i++)
        assert_true(!h->items[i].keep || again.items[i].keep || by_min_good_alone(&h->items[i]));
}

static void
judge__any_history_and_policy__what_always_holds(void **state)
{
    const char *text = getenv("SEED");
    uint64_t seed = text != NULL && *text != '\0' ? strtoull(text, NULL, 10) : 1;
    uint64_t removed = 0, paused = 0;
    const int runs = 20000;

    (void)state;
    printf("SEED=%llu\n", (unsigned long long)seed);
    for (int run = 0; run < runs; run++) {
        uint64_t s = seed * 1000003 + (uint64_t)run;
        struct retention_policy p;
        struct history h;

        random_history(&s, &h);
        random_policy(&s, &p);
        judge(&h, &p);
        check_reasons(&h);
        check_rules(&h, &p);
        check_calendar(&h, p.monthly, strlen("2026-11"));
        check_calendar(&h, p.yearly, strlen("2026"));
        check_twice_is_the_same(&h, &p);
        check_nothing_more_goes(&h, &p);
        check_more_rules_remove_no_more(&h, &p, &s);
        removed += h.verdict.removed;
        paused += h.verdict.paused[0] != '\0';
    }
    assert_true(removed > (uint64_t)runs);                                         /* the histories were worth it */
    assert_true(paused > (uint64_t)runs / 10 && paused < (uint64_t)runs * 9 / 10); /* both ways */
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judge__keep_last__newest_n),
        cmocka_unit_test(judge__keep_hourly__newest_of_each_hour_that_has_one),
        cmocka_unit_test(judge__keep_daily__by_utc_days),
        cmocka_unit_test(judge__keep_weekly__iso_weeks_across_the_year),
        cmocka_unit_test(judge__keep_weekly__days_of_the_next_years_first_week),
        cmocka_unit_test(judge__keep_monthly_and_yearly__newest_of_each),
        cmocka_unit_test(judge__keep_within__from_the_newest_good_one),
        cmocka_unit_test(judge__several_rules__sum_and_all_of_them_named),
        cmocka_unit_test(judge__same_moment__order_decides),
        cmocka_unit_test(judge__before_1970__counted_as_any_time),
        cmocka_unit_test(judge__empty__nothing),
        cmocka_unit_test(judge__min_good__filled_up_verified_first),
        cmocka_unit_test(judge__min_good__only_good_ones_count),
        cmocka_unit_test(judge__not_good__judged_as_if_it_were_but_takes_no_place),
        cmocka_unit_test(judge__held_and_unsupported__stay_whatever_the_rules_say),
        cmocka_unit_test(judge__time_in_the_future__stays_and_is_not_the_newest),
        cmocka_unit_test(judge__no_rule__nothing_goes),
        cmocka_unit_test(judge__newest_too_old__nothing_goes),
        cmocka_unit_test(judge__newest_suspicious__nothing_goes_until_accepted),
        cmocka_unit_test(judge__none_good__nothing_goes),
        cmocka_unit_test(judge__any_history_and_policy__what_always_holds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
