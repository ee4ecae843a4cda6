/* SPDX-License-Identifier: Apache-2.0 */
/* schedule_parse.c: a schedule as people write it; see schedule.h. Knows nothing of time zones. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "agent/sidecar/schedule.h"
#include "base/units.h"

#define FIELDS         5
#define TEXT_MAX       256
#define SHORTEST_EVERY 1000                                   /* ms: slots are named by whole seconds */
#define LONGEST_EVERY  ((int64_t)10 * 366 * 24 * 3600 * 1000) /* and no time overflows */
#define NAMES_MAX      12

enum { MINUTES, HOURS, DAYS, MONTHS, WEEKDAYS };

static const struct field {
    const char *name;
    int min, max;
    const char *names[NAMES_MAX]; /* of min and what follows */
} fields[FIELDS] = {
    [MINUTES] = {.name = "minute", .min = 0, .max = 59},
    [HOURS] = {.name = "hour", .min = 0, .max = 23},
    [DAYS] = {.name = "day of the month", .min = 1, .max = 31},
    [MONTHS] = {.name = "month",
                .min = 1,
                .max = 12,
                .names = {"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}},
    [WEEKDAYS] = {.name = "day of the week", .max = 7, .names = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"}},
};

static const struct shorthand {
    const char *name, *text;
} shorthands[] = {
    {"@hourly", "0 * * * *"},  {"@daily", "0 0 * * *"},  {"@midnight", "0 0 * * *"}, {"@weekly", "0 0 * * 0"},
    {"@monthly", "0 0 1 * *"}, {"@yearly", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"},
};

/* ---- one field --------------------------------------------------------------------------------------------------- */

static int
find_name(const struct field *f, const char *text, size_t len)
{
    for (int i = 0; i < NAMES_MAX && f->names[i] != NULL; i++) {
        if (strlen(f->names[i]) == len && strncasecmp(f->names[i], text, len) == 0)
            return f->min + i;
    }
    return -1;
}

/* A number or a name at *P, which moves on. */
static int
read_value(const struct field *f, const char **p, int *value, struct err *err)
{
    size_t len = 0;

    if (isdigit((unsigned char)**p)) {
        for (*value = 0; isdigit((unsigned char)**p); (*p)++)
            *value = *value < 1000 ? *value * 10 + **p - '0' : *value;
        if (*value < f->min || *value > f->max)
            return err_set(err, ERR_USAGE, "it must be %d to %d", f->min, f->max);
        return 0;
    }
    while (isalpha((unsigned char)(*p)[len]))
        len++;
    *value = len > 0 ? find_name(f, *p, len) : -1;
    if (*value < 0)
        return err_set(err, ERR_USAGE, "\"%.20s\" is no number%s", *p, f->names[0] != NULL ? " and no name" : "");
    *p += len;
    return 0;
}

/* "*", "3", "3-5", each with or without "/2", at *P, which moves on. *ALL: it is every value. */
static int
read_item(const struct field *f, const char **p, uint64_t *set, bool *all, struct err *err)
{
    int first = f->min, last = f->max, step = 1;
    bool star = **p == '*', open = star;

    if (star)
        (*p)++;
    else if (read_value(f, p, &first, err) < 0)
        return -1;
    if (!star && **p == '-') {
        bool named = !isdigit((unsigned char)*++*p);

        if (read_value(f, p, &last, err) < 0)
            return -1;
        if (f == &fields[WEEKDAYS] && named && last == 0)
            last = 7; /* "sat-sun" */
        if (last < first)
            return err_set(err, ERR_USAGE, "a range goes upwards; write two, with a comma");
    } else if (!star) {
        open = **p == '/'; /* "5/10" goes on from 5 */
        last = open ? f->max : first;
    }
    if (**p == '/') {
        static const struct field steps = {.name = "step", .min = 1, .max = 999};

        (*p)++;
        if (read_value(&steps, p, &step, err) < 0 || step > f->max)
            return err_set(err, ERR_USAGE, "a step must be 1 to %d", f->max);
    }
    /* 7 is another name of Sunday: a step over the whole week must not count it. */
    if (open && f == &fields[WEEKDAYS] && last == 7 && first < 7)
        last = 6;
    for (int v = first; v <= last; v += step)
        *set |= UINT64_C(1) << v;
    *all = star && step == 1;
    return 0;
}

static int
read_field(const struct field *f, const char *text, uint64_t *set, bool *any, struct err *err)
{
    const char *p = text;
    bool all;

    *set = 0;
    *any = false;
    for (;;) {
        if (read_item(f, &p, set, &all, err) < 0)
            return err_wrap(err, "the %s \"%s\"", f->name, text);
        *any = *any || all;
        if (*p == '\0')
            return 0;
        if (*p != ',')
            return err_set(err, ERR_USAGE, "the %s \"%s\": \"%s\" is not understood", f->name, text, p);
        p++;
    }
}

/* ---- all of it --------------------------------------------------------------------------------------------------- */

/* Is there a day in any of the months that has such a number? */
static int
check_comes(const struct schedule *s, struct err *err)
{
    static const int longest[] = {0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    if (s->any_day || !s->any_weekday)
        return 0;
    for (int month = 1; month <= 12; month++) {
        if ((s->months >> month & 1) != 0 && (s->days & ((UINT64_C(2) << longest[month]) - 1)) != 0)
            return 0;
    }
    return err_set(err, ERR_USAGE, "it never comes: no month of it has such a day");
}

static int
parse_fields(const char *text, struct schedule *s, struct err *err)
{
    char copy[TEXT_MAX], *words[FIELDS], *state = NULL;
    bool unused;
    int count = 0;

    (void)snprintf(copy, sizeof(copy), "%s", text);
    for (char *w = strtok_r(copy, " \t", &state); w != NULL; w = strtok_r(NULL, " \t", &state)) {
        if (count < FIELDS)
            words[count] = w;
        count++;
    }
    if (count != FIELDS)
        return err_set(err, ERR_USAGE,
                       "it has %d field%s where five are needed (minute, hour, day of the month, month, day of the "
                       "week); or say @every 6h, @hourly, @daily, @weekly, @monthly, @yearly",
                       count, count == 1 ? "" : "s");
    if (read_field(&fields[MINUTES], words[MINUTES], &s->minutes, &unused, err) < 0 ||
        read_field(&fields[HOURS], words[HOURS], &s->hours, &unused, err) < 0 ||
        read_field(&fields[DAYS], words[DAYS], &s->days, &s->any_day, err) < 0 ||
        read_field(&fields[MONTHS], words[MONTHS], &s->months, &unused, err) < 0 ||
        read_field(&fields[WEEKDAYS], words[WEEKDAYS], &s->weekdays, &s->any_weekday, err) < 0)
        return -1;
    s->weekdays = (s->weekdays | s->weekdays >> 7) & 0x7f;
    return check_comes(s, err);
}

static int
parse_every(const char *duration, struct schedule *s, struct err *err)
{
    if (units_parse_duration(duration, &s->every_ms, err) < 0)
        return -1;
    if (s->every_ms < SHORTEST_EVERY)
        return err_set(err, ERR_USAGE, "an interval must be at least a second");
    if (s->every_ms > LONGEST_EVERY)
        return err_set(err, ERR_USAGE, "an interval must be at most ten years");
    return 0;
}

static int
parse(const char *text, struct schedule *s, struct err *err)
{
    static const char every[] = "@every";
    size_t len = strlen(every);

    if (strncasecmp(text, every, len) == 0 && (text[len] == ' ' || text[len] == '\t'))
        return parse_every(text + len + strspn(text + len, " \t"), s, err);
    if (text[0] != '@')
        return parse_fields(text, s, err);
    for (size_t i = 0; i < ARRAY_LEN(shorthands); i++) {
        if (strcasecmp(text, shorthands[i].name) == 0)
            return parse_fields(shorthands[i].text, s, err);
    }
    return err_set(err, ERR_USAGE,
                   "there are @every DURATION, @hourly, @daily, @weekly, @monthly and @yearly, and no other");
}

int
schedule_parse(const char *text, struct schedule *s, struct err *err)
{
    const char *start = text + strspn(text, " \t");
    struct schedule parsed = {0};

    if (strlen(start) >= TEXT_MAX)
        return err_set(err, ERR_USAGE, "the schedule is longer than %d characters", TEXT_MAX - 1);
    if (parse(start, &parsed, err) < 0)
        return err_wrap(err, "schedule \"%s\"", start);
    *s = parsed;
    return 0;
}
