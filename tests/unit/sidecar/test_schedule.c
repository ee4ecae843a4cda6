/* SPDX-License-Identifier: Apache-2.0 */
/* test_schedule.c: what is a schedule and what is not, and where its slots lie: by examples, mostly of days on which
 * the clock is changed. test_schedule_random.c compares many with an oracle. Needs the zones of tzdata. */
#include "agent/sidecar/schedule.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/units.h"
#include "tests/support/test_common.h"

static void
set_zone(const char *zone, const char *summer_name)
{
    time_t july = 1784000000; /* 2026-07-14 */
    struct tm tm;

    assert_int_equal(setenv("TZ", zone, 1), 0);
    tzset();
    assert_non_null(localtime_r(&july, &tm));
    if (strcmp(tm.tm_zone, summer_name) != 0)
        fail_msg("the zone %s is not known here (install tzdata): it says %s", zone, tm.tm_zone);
}

static int
teardown(void **state)
{
    (void)state;
    unsetenv("TZ");
    tzset();
    return 0;
}

static struct schedule
parse(const char *text)
{
    struct err err = ERR_INIT;
    struct schedule s;

    assert_ok(schedule_parse(text, &s, &err), &err);
    return s;
}

static int64_t
at(const char *time)
{
    struct err err = ERR_INIT;
    int64_t ms;

    assert_ok(units_parse_time(time, &ms, &err), &err);
    return ms;
}

/* The slots of TEXT after FROM are exactly those of the list, one by one forwards, and backwards again. */
static void
assert_slots(const char *text, const char *from, const char *const *slots)
{
    struct schedule s = parse(text);
    int64_t t = at(from);
    char shown[UNITS_TEXT_MAX];
    size_t n;

    for (n = 0; slots[n] != NULL; n++) {
        t = schedule_next(&s, t);
        if (t != at(slots[n]))
            fail_msg("%s: slot %zu after %s is %s, not %s", text, n + 1, from, units_format_time(t, shown), slots[n]);
        assert_int_equal(schedule_last(&s, t), t);
    }
    while (n-- > 1) {
        t = schedule_last(&s, t - 1);
        if (t != at(slots[n - 1]))
            fail_msg("%s: the slot before %s is %s, not %s", text, slots[n], units_format_time(t, shown), slots[n - 1]);
    }
}
#define SLOTS(text, from, ...) assert_slots(text, from, (const char *const[]){__VA_ARGS__, NULL})

static void
assert_refused(const char *text, const char *why)
{
    struct schedule s = {.every_ms = 7};
    struct err err = ERR_INIT;

    if (schedule_parse(text, &s, &err) == 0)
        fail_msg("\"%s\" was taken", text);
    assert_int_equal(err.code, ERR_USAGE);
    if (strstr(err.msg, why) == NULL)
        fail_msg("\"%s\": \"%s\" does not say \"%s\"", text, err.msg, why);
    assert_int_equal(s.every_ms, 7);
}

/* ---- the text ---------------------------------------------------------------------------------------------------- */

static void
schedule_parse__fields__bits(void **state)
{
    struct schedule s = parse("5,10-12 */8  20/5 jan,MAR-5 sat-sun");

    (void)state;
    assert_int_equal(s.every_ms, 0);
    assert_int_equal(s.minutes, 1u << 5 | 7u << 10);
    assert_int_equal(s.hours, 1u << 0 | 1u << 8 | 1u << 16);
    assert_int_equal(s.days, 1u << 20 | 1u << 25 | 1u << 30);
    assert_int_equal(s.months, 1u << 1 | 7u << 3);
    assert_int_equal(s.weekdays, 1u << 6 | 1u << 0);
    assert_false(s.any_day);
    assert_false(s.any_weekday);
}

static void
schedule_parse__stars__restrict_nothing(void **state)
{
    struct schedule s = parse("\t* * * * *");

    (void)state;
    assert_true(s.minutes == (UINT64_C(1) << 60) - 1 && s.hours == (1u << 24) - 1);
    assert_true(s.days == 0xfffffffeu && s.months == 0x1ffe && s.weekdays == 0x7f);
    assert_true(s.any_day && s.any_weekday);
    s = parse("0 0 */1 * */2");
    assert_true(s.any_day);
    assert_false(s.any_weekday);
    assert_int_equal(s.weekdays, 1u << 0 | 1u << 2 | 1u << 4 | 1u << 6);
}

static void
schedule_parse__seven__is_sunday(void **state)
{
    (void)state;
    assert_int_equal(parse("0 0 * * 7").weekdays, 1);
    assert_int_equal(parse("0 0 * * 5-7").weekdays, 1u << 5 | 1u << 6 | 1);
    assert_int_equal(parse("0 0 * * fri-sun").weekdays, 1u << 5 | 1u << 6 | 1);
    assert_int_equal(parse("0 0 * * 1/3").weekdays, 1u << 1 | 1u << 4);
    assert_int_equal(parse("0 0 * * sun").weekdays, 1);
}

static void
schedule_parse__words__like_their_fields(void **state)
{
    static const char *const pairs[][2] = {
        {"@hourly", "0 * * * *"},  {"@daily", "0 0 * * *"},  {"@Midnight", "0 0 * * *"}, {"@weekly", "0 0 * * 0"},
        {"@monthly", "0 0 1 * *"}, {"@yearly", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        struct schedule a = parse(pairs[i][0]), b = parse(pairs[i][1]);

        assert_true(a.minutes == b.minutes && a.hours == b.hours && a.days == b.days && a.months == b.months &&
                    a.weekdays == b.weekdays && a.any_day == b.any_day && a.any_weekday == b.any_weekday);
    }
    assert_int_equal(parse("@every 6h").every_ms, 6 * 3600 * 1000);
    assert_int_equal(parse("@every 1s").every_ms, 1000);
    assert_int_equal(parse("@EVERY  1h30m").every_ms, 5400 * 1000);
}

static void
schedule_parse__nonsense__names_field_and_reason(void **state)
{
    (void)state;
    assert_refused("", "it has 0 fields");
    assert_refused("5", "it has 1 field where");
    assert_refused("0 0 * *", "it has 4 fields where five are needed");
    assert_refused("0 0 * * * *", "it has 6 fields");
    assert_refused("60 * * * *", "the minute \"60\": it must be 0 to 59");
    assert_refused("99999999999 * * * *", "the minute \"99999999999\": it must be 0 to 59");
    assert_refused("0 24 * * *", "the hour \"24\": it must be 0 to 23");
    assert_refused("0 0 0 * *", "the day of the month \"0\": it must be 1 to 31");
    assert_refused("0 0 1,32 * *", "the day of the month \"1,32\": it must be 1 to 31");
    assert_refused("0 0 * 13 *", "the month \"13\": it must be 1 to 12");
    assert_refused("0 0 * * 8", "the day of the week \"8\": it must be 0 to 7");
    assert_refused("0 0 * june *", "\"june\" is no number and no name");
    assert_refused("0 0 * * mon-", "\"\" is no number and no name");
    assert_refused("x * * * *", "the minute \"x\": \"x\" is no number");
    assert_refused("-5 * * * *", "is no number");
    assert_refused("5- * * * *", "is no number");
    assert_refused("5, * * * *", "is no number");
    assert_refused(",5 * * * *", "is no number");
    assert_refused("0 22-2 * * *", "the hour \"22-2\": a range goes upwards");
    assert_refused("0 0 * * fri-mon", "a range goes upwards");
    assert_refused("*/0 * * * *", "a step must be 1 to 59");
    assert_refused("*/90 * * * *", "the minute \"*/90\": a step must be 1 to 59");
    assert_refused("*/ * * * *", "a step must be");
    assert_refused("*5 * * * *", "\"5\" is not understood");
    assert_refused("1-5-7 * * * *", "\"-7\" is not understood");
    assert_refused("1/2/3 * * * *", "\"/3\" is not understood");
    assert_refused("@every", "no other");
    assert_refused("@reboot", "no other");
    assert_refused("@every 900ms", "at least a second");
    assert_refused("@every tomorrow", "schedule \"@every tomorrow\"");
    assert_refused("@every -5m", "schedule");
}

static void
schedule_parse__too_long__refused(void **state)
{
    char text[1000];

    (void)state;
    memset(text, '1', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    assert_refused(text, "longer than 255");
}

static void
schedule_parse__never_comes__refused(void **state)
{
    (void)state;
    assert_refused("0 0 30 2 *", "never comes");
    assert_refused("0 0 31 4,6,9,11 *", "never comes");
    assert_refused("0 0 30-31 feb *", "never comes");
    (void)parse("0 0 31 4,5 *");
    (void)parse("0 0 29 2 *");
    (void)parse("0 0 30 2 mon"); /* the Mondays of February */
    (void)parse("0 0 * 2 mon");
}

/* ---- slots ------------------------------------------------------------------------------------------------------- */

static void
schedule_next__interval__counts_from_1970(void **state)
{
    struct schedule s = parse("@every 7h");
    int64_t step = 7 * 3600 * 1000;

    (void)state;
    assert_int_equal(schedule_next(&s, 0), step);
    assert_int_equal(schedule_next(&s, step - 1), step);
    assert_int_equal(schedule_next(&s, step), 2 * step);
    assert_int_equal(schedule_last(&s, step), step);
    assert_int_equal(schedule_last(&s, step - 1), 0);
    assert_int_equal(schedule_last(&s, -1), -step);
    assert_int_equal(schedule_next(&s, -step - 1), -step);
}

static void
schedule_next__calendar__months_and_leap_years(void **state)
{
    (void)state;
    set_zone("UTC", "UTC");
    SLOTS("0 0 31 * *", "2026-01-31T00:00:00Z", "2026-03-31T00:00:00Z", "2026-05-31T00:00:00Z", "2026-07-31T00:00:00Z",
          "2026-08-31T00:00:00Z", "2026-10-31T00:00:00Z", "2026-12-31T00:00:00Z", "2027-01-31T00:00:00Z");
    SLOTS("30 4 29 2 *", "2095-01-01T00:00:00Z", "2096-02-29T04:30:00Z", "2104-02-29T04:30:00Z",
          "2108-02-29T04:30:00Z");
    SLOTS("59 23 31 12 *", "2026-12-31T23:58:59.999Z", "2026-12-31T23:59:00Z", "2027-12-31T23:59:00Z");
    SLOTS("@weekly", "2026-11-23T00:00:00Z", "2026-11-29T00:00:00Z", "2026-12-06T00:00:00Z");
    SLOTS("0 12 13 * fri", "2026-11-06T11:00:00Z", "2026-11-06T12:00:00Z", "2026-11-13T12:00:00Z",
          "2026-11-20T12:00:00Z", "2026-11-27T12:00:00Z", "2026-12-04T12:00:00Z", "2026-12-11T12:00:00Z",
          "2026-12-13T12:00:00Z");
    SLOTS("0 12 * * mon", "2026-11-23T12:00:00Z", "2026-11-30T12:00:00Z");
    SLOTS("*/20 8,20 * * *", "2026-11-23T08:00:00Z", "2026-11-23T08:20:00Z", "2026-11-23T08:40:00Z",
          "2026-11-23T20:00:00Z");
}

static void
schedule_next__berlin__skipped_and_repeated(void **state)
{
    (void)state;
    set_zone("Europe/Berlin", "CEST");
    /* 2026-03-29: 02:00 +01 becomes 03:00 +02 at 01:00Z */
    SLOTS("30 2 * * *", "2026-03-27T12:00:00Z", "2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z");
    SLOTS("*/15 2,4 29 3 *", "2026-03-01T00:00:00Z", "2026-03-29T01:00:00Z", "2026-03-29T02:00:00Z",
          "2026-03-29T02:15:00Z");
    SLOTS("0 2-3 * * *", "2026-03-28T22:00:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z");
    SLOTS("0 3 * * *", "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z", "2026-03-30T01:00:00Z");
    /* 2026-10-25: 03:00 +02 becomes 02:00 +01 at 01:00Z */
    SLOTS("30 2 * * *", "2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z");
    SLOTS("0 2-3 * * *", "2026-10-24T12:00:00Z", "2026-10-25T00:00:00Z", "2026-10-25T02:00:00Z",
          "2026-10-26T01:00:00Z");
    SLOTS("30 2 * * *", "2026-10-25T01:10:00Z", "2026-10-26T01:30:00Z"); /* in the second half past two's hour */
}

static void
schedule_next__every_hour_of_the_day__goes_on_evenly(void **state)
{
    (void)state;
    set_zone("Europe/Berlin", "CEST");
    SLOTS("30 * * * *", "2026-10-24T23:00:00Z", "2026-10-24T23:30:00Z", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z",
          "2026-10-25T02:30:00Z");
    SLOTS("30 * * * *", "2026-03-29T00:00:00Z", "2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z", "2026-03-29T02:30:00Z");
    SLOTS("*/30 * 25 10 *", "2026-10-25T22:00:00Z", "2026-10-25T22:30:00Z", "2027-10-24T22:00:00Z");
}

static void
schedule_next__new_york__skipped_and_repeated(void **state)
{
    (void)state;
    set_zone("America/New_York", "EDT");
    /* 2026-03-08: 02:00 -05 becomes 03:00 -04 at 07:00Z; 2026-11-01: 02:00 -04 becomes 01:00 -05 at 06:00Z */
    SLOTS("15 2 * * *", "2026-03-07T00:00:00Z", "2026-03-07T07:15:00Z", "2026-03-08T07:00:00Z", "2026-03-09T06:15:00Z");
    SLOTS("59 1 * * sun", "2026-10-31T00:00:00Z", "2026-11-01T05:59:00Z", "2026-11-08T06:59:00Z");
}

static void
schedule_next__lord_howe__half_an_hour(void **state)
{
    (void)state;
    set_zone("Australia/Lord_Howe", "+1030");
    /* 2026-04-05: 02:00 +11 becomes 01:30 +1030 at 15:00Z of the 4th; 2026-10-04: 02:00 +1030 becomes 02:30 +11 */
    SLOTS("45 1 * * *", "2026-04-04T12:00:00Z", "2026-04-04T14:45:00Z", "2026-04-05T15:15:00Z");
    SLOTS("0,15,30 2 * * *", "2026-10-03T12:00:00Z", "2026-10-03T15:30:00Z", "2026-10-04T15:00:00Z");
}

static void
schedule_next__midnight_that_is_skipped__at_the_change(void **state)
{
    (void)state;
    set_zone("Africa/Cairo", "EEST"); /* 2026-04-24T00:00 +02 becomes 01:00 +03 */
    SLOTS("@daily", "2026-04-22T23:00:00Z", "2026-04-23T22:00:00Z", "2026-04-24T21:00:00Z");
}

static void
schedule_next__a_day_that_is_skipped__at_the_change(void **state)
{
    (void)state;
    set_zone("Pacific/Apia", "+13"); /* no 30 December 2011 */
    SLOTS("0 12 * * *", "2011-12-29T00:00:00Z", "2011-12-29T22:00:00Z", "2011-12-30T10:00:00Z", "2011-12-30T22:00:00Z");
}

static void
schedule_next__rare__is_found_fast(void **state)
{
    struct schedule s = parse("0 0 29 2 *");
    int64_t start = clock_mono_ms(), t = at("2096-03-01T00:00:00Z");

    (void)state;
    set_zone("Europe/Berlin", "CEST");
    for (int i = 0; i < 100; i++) {
        t = schedule_next(&s, t);
        t = schedule_last(&s, t - 1);
    }
    assert_true(clock_mono_ms() - start < 60000); /* some milliseconds each; a search day by day would take minutes */
}

static void
schedule_offset__seeds__spread_and_stay(void **state)
{
    int64_t jitter = 600000, low = 0;

    (void)state;
    assert_int_equal(schedule_offset("a backup", 0), 0);
    for (int i = 0; i < 1000; i++) {
        char seed[32];
        int64_t o;

        (void)snprintf(seed, sizeof(seed), "shop-%d backup", i);
        o = schedule_offset(seed, jitter);
        assert_in_range(o, 0, jitter);
        assert_int_equal(o, schedule_offset(seed, jitter));
        low += o < jitter / 2;
    }
    assert_in_range(low, 400, 600);
    assert_int_equal(schedule_offset("shop backup", 1) & ~INT64_C(1), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(schedule_parse__fields__bits),
        cmocka_unit_test(schedule_parse__stars__restrict_nothing),
        cmocka_unit_test(schedule_parse__seven__is_sunday),
        cmocka_unit_test(schedule_parse__words__like_their_fields),
        cmocka_unit_test(schedule_parse__nonsense__names_field_and_reason),
        cmocka_unit_test(schedule_parse__too_long__refused),
        cmocka_unit_test(schedule_parse__never_comes__refused),
        cmocka_unit_test(schedule_next__interval__counts_from_1970),
        cmocka_unit_test_teardown(schedule_next__calendar__months_and_leap_years, teardown),
        cmocka_unit_test_teardown(schedule_next__berlin__skipped_and_repeated, teardown),
        cmocka_unit_test_teardown(schedule_next__every_hour_of_the_day__goes_on_evenly, teardown),
        cmocka_unit_test_teardown(schedule_next__new_york__skipped_and_repeated, teardown),
        cmocka_unit_test_teardown(schedule_next__lord_howe__half_an_hour, teardown),
        cmocka_unit_test_teardown(schedule_next__midnight_that_is_skipped__at_the_change, teardown),
        cmocka_unit_test_teardown(schedule_next__a_day_that_is_skipped__at_the_change, teardown),
        cmocka_unit_test_teardown(schedule_next__rare__is_found_fast, teardown),
        cmocka_unit_test(schedule_offset__seeds__spread_and_stay),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
