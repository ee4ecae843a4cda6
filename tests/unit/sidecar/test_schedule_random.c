/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_schedule_random.c: random schedules in many zones, against an oracle that reads the local clock minute by minute
 * over two years (SEED of the environment).
 *
 * The oracle shares nothing with what it judges: a schedule is made as sets of values, and as text from the same dice.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/sidecar/schedule.h"
#include "base/mem.h"
#include "tests/support/test_common.h"

#define MINUTES   (2 * 366 * 24 * 60)
#define SCHEDULES 6 /* a zone */
#define SAMPLES   500

static const char *const zones[] = {
    "UTC",          "Europe/Berlin",  "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca",
    "Africa/Cairo", "America/Havana", "Pacific/Apia",     "Asia/Kathmandu",      "Antarctica/Troll"};

struct local_minute {
    int64_t local; /* minutes since 1970 as the clock shows them */
    uint8_t minute, hour, day, month, weekday;
};

struct made {
    bool minutes[60], hours[24], days[32], months[13], weekdays[7];
    bool any_day, any_weekday, every_hour;
    char text[256];
};

static uint64_t state_of_dice;

static unsigned
dice(unsigned sides)
{
    state_of_dice = state_of_dice * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)((state_of_dice >> 33) % sides);
}

/* A field of values from MIN to MAX, into SET and behind TEXT. True: a star. */
static bool
make_field(int min, int max, bool *set, char *text, size_t size)
{
    size_t len = strlen(text);
    int kind = (int)dice(10), items = 1 + (int)dice(3);

    memset(set, 0, (size_t)max + 1);
    if (kind < 4) {
        memset(set + min, 1, (size_t)(max - min) + 1);
        (void)snprintf(text + len, size - len, "* ");
        return true;
    }
    if (kind == 4) {
        int step = 2 + (int)dice((unsigned)max - 1);

        for (int v = min; v <= max; v += step)
            set[v] = true;
        (void)snprintf(text + len, size - len, "*/%d ", step);
        return false;
    }
    for (int i = 0; i < items; i++) {
        int first = min + (int)dice((unsigned)(max - min) + 1), last = first + (int)dice((unsigned)(max - first) + 1);
        int step = 1 + (int)dice(3);

        if (kind < 8)
            last = first;
        for (int v = first; v <= last; v += step)
            set[v] = true;
        len = strlen(text);
        (void)snprintf(text + len, size - len, first == last ? "%s%d" : "%s%d-%d/%d", i > 0 ? "," : "", first, last,
                       step);
    }
    len = strlen(text);
    (void)snprintf(text + len, size - len, " ");
    return false;
}

static void
make_schedule(struct made *m)
{
    memset(m, 0, sizeof(*m));
    (void)make_field(0, 59, m->minutes, m->text, sizeof(m->text));
    (void)make_field(0, 23, m->hours, m->text, sizeof(m->text));
    m->any_day = make_field(1, 31, m->days, m->text, sizeof(m->text));
    (void)make_field(1, 12, m->months, m->text, sizeof(m->text));
    m->any_weekday = make_field(0, 6, m->weekdays, m->text, sizeof(m->text));
    m->every_hour = true;
    for (int h = 0; h < 24; h++)
        m->every_hour = m->every_hour && m->hours[h];
}

static void
fill_minute(struct local_minute *out, const struct tm *tm)
{
    struct tm copy = *tm;

    out->local = timegm(&copy) / 60;
    out->minute = (uint8_t)tm->tm_min;
    out->hour = (uint8_t)tm->tm_hour;
    out->day = (uint8_t)tm->tm_mday;
    out->month = (uint8_t)(tm->tm_mon + 1);
    out->weekday = (uint8_t)tm->tm_wday;
}

static bool
matches(const struct made *m, const struct local_minute *l)
{
    bool day = m->days[l->day], weekday = m->weekdays[l->weekday];

    if (!m->minutes[l->minute] || !m->hours[l->hour] || !m->months[l->month])
        return false;
    if (m->any_day && m->any_weekday)
        return true;
    if (m->any_day)
        return weekday;
    return m->any_weekday ? day : day || weekday;
}

/* Did the clock leap over a time that matches, between these two? */
static bool
leapt_over_one(const struct made *m, int64_t from, int64_t to)
{
    for (int64_t minute = from + 1; minute < to; minute++) {
        time_t t = (time_t)(minute * 60);
        struct local_minute l;
        struct tm tm;

        (void)gmtime_r(&t, &tm);
        fill_minute(&l, &tm);
        if (matches(m, &l))
            return true;
    }
    return false;
}

/* The oracle's answer: for each minute, the next one that is a slot, and the last one up to it. MINUTES, 0: beyond. */
struct answers {
    uint32_t next[MINUTES], last[MINUTES];
};

static void
find_slots(const struct made *m, const struct local_minute *clock, struct answers *out)
{
    int64_t latest = clock[0].local;
    uint32_t next = MINUTES;

    out->last[0] = 0;
    for (uint32_t i = 1; i < MINUTES; i++) {
        const struct local_minute *l = &clock[i];
        bool slot = matches(m, l) && (m->every_hour || l->local > latest);

        if (!m->every_hour && leapt_over_one(m, clock[i - 1].local, l->local))
            slot = true;
        if (l->local > latest)
            latest = l->local;
        out->last[i] = slot ? i : out->last[i - 1];
    }
    for (uint32_t i = MINUTES; i-- > 0;) {
        out->next[i] = next;
        if (out->last[i] == i)
            next = i;
    }
}

static void
check_moment(const struct schedule *s, const struct made *m, const struct answers *right, int64_t begin, size_t i,
             int64_t ms)
{
    uint32_t next = right->next[i], last = right->last[i];
    int64_t t = (begin + (int64_t)i * 60) * 1000 + ms, got = schedule_next(s, t);

    if (next < MINUTES ? got != (begin + (int64_t)next * 60) * 1000 : got < (begin + (int64_t)MINUTES * 60) * 1000)
        fail_msg("TZ=%s \"%s\": next(%lld) is %lld", getenv("TZ"), m->text, (long long)t, (long long)got);
    assert_int_equal(schedule_last(s, got), got);
    assert_true(schedule_last(s, got - 1) <= t);
    got = schedule_last(s, t);
    if (last > 0 ? got != (begin + (int64_t)last * 60) * 1000 : got > begin * 1000)
        fail_msg("TZ=%s \"%s\": last(%lld) is %lld", getenv("TZ"), m->text, (long long)t, (long long)got);
    assert_int_equal(schedule_next(s, got - 1), got);
}

static void
check_schedule(const struct local_minute *clock, struct answers *right, int64_t begin)
{
    struct err err = ERR_INIT;
    struct schedule s;
    struct made m;

    do
        make_schedule(&m);
    while (schedule_parse(m.text, &s, &err) < 0 && strstr(err.msg, "never comes") != NULL);
    assert_ok(schedule_parse(m.text, &s, &err), &err);
    find_slots(&m, clock, right);
    for (int i = 0; i < SAMPLES; i++)
        check_moment(&s, &m, right, begin, dice(MINUTES), dice(60000));
    for (size_t i = 1; i + 180 < MINUTES; i++) {
        if (clock[i].local == clock[i - 1].local + 1)
            continue;
        for (size_t near = i > 180 ? i - 180 : 1; near < i + 180; near += 1 + dice(5)) /* the clock was changed */
            check_moment(&s, &m, right, begin, near, dice(2) * 59999);
    }
}

static void
schedule__random__like_the_oracle(void **state)
{
    struct local_minute *clock = mem_array(MINUTES, sizeof(*clock));
    struct answers *right = mem_new(sizeof(*right));

    (void)state;
    for (size_t z = 0; z < ARRAY_LEN(zones); z++) {
        /* Somewhere in 2010 to 2034, but Apia's leap of a day at the end of 2011. */
        int64_t year = strcmp(zones[z], "Pacific/Apia") == 0 ? 41 : 40 + dice(24), begin = year * 31556952 / 60 * 60;

        assert_int_equal(setenv("TZ", zones[z], 1), 0);
        tzset();
        for (size_t i = 0; i < MINUTES; i++) {
            time_t t = (time_t)(begin + (int64_t)i * 60);
            struct tm tm;

            (void)localtime_r(&t, &tm);
            fill_minute(&clock[i], &tm);
        }
        for (int i = 0; i < SCHEDULES; i++)
            check_schedule(clock, right, begin);
    }
    free(right);
    free(clock);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(schedule__random__like_the_oracle)};
    const char *text = getenv("SEED");

    state_of_dice = text != NULL && *text != '\0' ? strtoull(text, NULL, 10) : 1;
    printf("SEED=%llu\n", (unsigned long long)state_of_dice);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
