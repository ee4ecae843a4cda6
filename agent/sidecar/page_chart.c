/* SPDX-License-Identifier: Apache-2.0 */
/* page_chart.c: see page_chart.h. */
#include "agent/sidecar/page_chart.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "agent/sidecar/page_words.h"

#define MINUTE_MS INT64_C(60000)
#define HOUR_MS   (60 * MINUTE_MS)
#define DAY_MS    (24 * HOUR_MS)
#define YEAR_MS   (365 * DAY_MS)

static size_t
count_since(const struct catalog *c, int64_t ms)
{
    size_t n = 0;

    for (size_t i = 0; i < c->count; i++)
        n += entry_ms(&c->entries[i]) >= ms;
    return n;
}

static void
choose_axis(struct chart *chart, const struct catalog *c, int64_t now_ms)
{
    static const int64_t spans[] = {HOUR_MS,     6 * HOUR_MS, DAY_MS,       3 * DAY_MS, 7 * DAY_MS,  14 * DAY_MS,
                                    35 * DAY_MS, 91 * DAY_MS, 182 * DAY_MS, YEAR_MS,    2 * YEAR_MS, 5 * YEAR_MS};
    int64_t oldest_ms = entry_ms(&c->entries[0]), newest_ms = entry_ms(&c->entries[c->count - 1]), span_ms;
    size_t wanted = (c->count * 9 + 9) / 10, i = 0;

    chart->to_ms = newest_ms > now_ms ? newest_ms : now_ms;
    while (i < ARRAY_LEN(spans) && count_since(c, chart->to_ms - spans[i]) < wanted)
        i++;
    chart->from_ms = i < ARRAY_LEN(spans) ? chart->to_ms - spans[i] : oldest_ms;
    chart->older = c->count - count_since(c, chart->from_ms);
    if (chart->older == 0)
        chart->from_ms = oldest_ms;
    if (chart->to_ms - chart->from_ms < MINUTE_MS)
        chart->from_ms = chart->to_ms - MINUTE_MS;
    /* Room for a half of the first column and of the last. */
    span_ms = chart->to_ms - chart->from_ms;
    chart->from_ms -= span_ms / 50;
    chart->to_ms += span_ms / 100;
}

/* How much time a column stands for where there are too many backups for one each. */
static int64_t
choose_width(const struct chart *chart)
{
    static const int64_t widths[] = {MINUTE_MS,   5 * MINUTE_MS, 15 * MINUTE_MS, 30 * MINUTE_MS, HOUR_MS,
                                     2 * HOUR_MS, 3 * HOUR_MS,   6 * HOUR_MS,    12 * HOUR_MS,   DAY_MS,
                                     2 * DAY_MS,  4 * DAY_MS,    7 * DAY_MS,     14 * DAY_MS,    30 * DAY_MS,
                                     60 * DAY_MS, 91 * DAY_MS,   182 * DAY_MS,   YEAR_MS};
    int64_t span_ms = chart->to_ms - chart->from_ms;
    size_t i = 0;

    /* One less, since the axis begins and ends within a column. */
    while (i < ARRAY_LEN(widths) && span_ms / widths[i] >= PAGE_BINS - 1)
        i++;
    return i < ARRAY_LEN(widths) ? widths[i] : span_ms / (PAGE_BINS - 2);
}

static void
add_entry(struct chart_column *column, const struct catalog_entry *e)
{
    int64_t ms = entry_ms(e);

    if (column->count++ == 0)
        column->first_ms = ms;
    column->last_ms = ms;
    column->verified += e->verified_ms != 0;
    column->loaded += e->loaded_ms != 0;
    column->suspicious += entry_is_suspicious(e);
    column->held += e->held;
    column->damaged += e->state != CATALOG_WHOLE;
    if (e->state != CATALOG_WHOLE)
        return;
    column->whole = true;
    column->keys = e->keys;
    column->raw = e->raw_size;
    if (e->stored_size > column->stored)
        column->stored = e->stored_size;
}

/* Has every backup room for a column of its own? */
static bool
has_room(const struct chart *chart, const struct catalog *c)
{
    int64_t least_ms = (chart->to_ms - chart->from_ms) / PAGE_BINS;

    for (size_t i = chart->older + 1; i < c->count; i++)
        if (entry_ms(&c->entries[i]) - entry_ms(&c->entries[i - 1]) < least_ms)
            return false;
    return true;
}

void
chart_make(struct chart *chart, const struct catalog *c, int64_t now_ms)
{
    int64_t last = -1;

    memset(chart, 0, sizeof(*chart));
    if (c == NULL || c->count == 0)
        return;
    choose_axis(chart, c, now_ms);
    chart->single = has_room(chart, c);
    chart->column_ms = choose_width(chart);
    chart->width =
        chart->single ? 72.0 / PAGE_BINS : 72.0 * (double)chart->column_ms / (double)(chart->to_ms - chart->from_ms);
    for (size_t i = chart->older; i < c->count; i++) {
        int64_t ms = entry_ms(&c->entries[i]), slot = ms / chart->column_ms;

        if ((chart->single || slot != last) && chart->count < PAGE_BINS) {
            chart->columns[chart->count++].at_ms = chart->single ? ms : slot * chart->column_ms + chart->column_ms / 2;
            last = slot;
        }
        add_entry(&chart->columns[chart->count - 1], &c->entries[i]);
        add_entry(&chart->sum, &c->entries[i]);
    }
}

double
chart_x(const struct chart *chart, int64_t ms)
{
    double x = 100.0 * (double)(ms - chart->from_ms) / (double)(chart->to_ms - chart->from_ms);

    return x < 0.0 ? 0.0 : x > 100.0 ? 100.0 : x;
}

/* The label of a tick: as fine as the distance between two asks for. Returns OUT. */
static const char *
tick_label(int64_t ms, int64_t step_ms, char out[UNITS_TEXT_MAX])
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm tm = {0};

    (void)gmtime_r(&seconds, &tm);
    if (step_ms < DAY_MS)
        (void)snprintf(out, UNITS_TEXT_MAX, "%02d:%02d", tm.tm_hour, tm.tm_min);
    else if (step_ms < 60 * DAY_MS)
        (void)snprintf(out, UNITS_TEXT_MAX, "%d %s", tm.tm_mday, words_month(tm.tm_mon));
    else
        (void)snprintf(out, UNITS_TEXT_MAX, "%s %d", words_month(tm.tm_mon), tm.tm_year + 1900);
    return out;
}

void
chart_put_axis(struct page *p, const struct chart *chart, int y)
{
    static const int64_t steps[] = {15 * MINUTE_MS, HOUR_MS,      3 * HOUR_MS, 6 * HOUR_MS, 12 * HOUR_MS,
                                    DAY_MS,         2 * DAY_MS,   7 * DAY_MS,  14 * DAY_MS, 30 * DAY_MS,
                                    61 * DAY_MS,    122 * DAY_MS, YEAR_MS,     2 * YEAR_MS, 5 * YEAR_MS};
    int64_t span_ms = chart->to_ms - chart->from_ms, step_ms, at_ms;
    char text[UNITS_TEXT_MAX];
    size_t i = 0;

    while (i + 1 < ARRAY_LEN(steps) && span_ms / steps[i] > (steps[i] < 60 * DAY_MS ? 5 : 4))
        i++;
    step_ms = steps[i];
    for (at_ms = (chart->from_ms / step_ms + 1) * step_ms; at_ms < chart->to_ms; at_ms += step_ms) {
        double x = chart_x(chart, at_ms);

        if (x < 9.0 || x > 82.0) /* no room for its label on a narrow screen */
            continue;
        html_put(&p->h, "<line class=\"tick\" x1=\"%.1f%%\" x2=\"%.1f%%\" y1=\"%d\" y2=\"%d\"/>", x, x, y - 17, y - 13);
        html_put(&p->h, "<text x=\"%.1f%%\" y=\"%d\" text-anchor=\"middle\">%s</text>\n", x, y,
                 tick_label(at_ms, step_ms, text));
    }
    html_put(&p->h, "<text x=\"100%%\" y=\"%d\" text-anchor=\"end\">now</text>\n", y);
}
