/* SPDX-License-Identifier: Apache-2.0 */
/* page_words.c: see page_words.h. */
#include "agent/sidecar/page_words.h"

#include <stdio.h>
#include <time.h>

#define SECOND_MS 1000
#define MINUTE_MS (60 * (int64_t)SECOND_MS)
#define HOUR_MS   (60 * MINUTE_MS)
#define DAY_MS    (24 * HOUR_MS)

const char *
words_span(int64_t ms, char out[UNITS_TEXT_MAX])
{
    int minutes = (int)(ms / MINUTE_MS % 60), hours = (int)(ms / HOUR_MS % 24);
    long days = (long)(ms / DAY_MS);

    if (ms < MINUTE_MS)
        (void)snprintf(out, UNITS_TEXT_MAX, "%d s", ms > 0 ? (int)(ms / SECOND_MS) : 0);
    else if (ms < HOUR_MS)
        (void)snprintf(out, UNITS_TEXT_MAX, "%d min", minutes);
    else if (ms < 6 * HOUR_MS && minutes > 0)
        (void)snprintf(out, UNITS_TEXT_MAX, "%d h %d min", hours, minutes);
    else if (ms < 2 * DAY_MS)
        (void)snprintf(out, UNITS_TEXT_MAX, "%d h", (int)(ms / HOUR_MS));
    else
        (void)snprintf(out, UNITS_TEXT_MAX, "%ld days", days);
    return out;
}

const char *
words_relative(int64_t ms, int64_t now_ms, char out[UNITS_TEXT_MAX])
{
    int64_t distance_ms = ms > now_ms ? ms - now_ms : now_ms - ms;
    char span[UNITS_TEXT_MAX];

    /* Seconds would change with every look at the page, and tell nobody more. */
    if (distance_ms < MINUTE_MS)
        (void)snprintf(out, UNITS_TEXT_MAX, "%s", ms > now_ms ? "in a moment" : "just now");
    else
        (void)snprintf(out, UNITS_TEXT_MAX, ms > now_ms ? "in %.30s" : "%.30s ago", words_span(distance_ms, span));
    return out;
}

const char *
words_month(int month)
{
    static const char names[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

    return names[month % 12];
}

const char *
words_moment(int64_t ms, int64_t now_ms, char out[UNITS_TEXT_MAX])
{
    time_t seconds = (time_t)(ms / 1000), now_seconds = (time_t)(now_ms / 1000);
    struct tm tm, now;

    if (gmtime_r(&seconds, &tm) == NULL || gmtime_r(&now_seconds, &now) == NULL)
        return units_format_time(0, out);
    if (tm.tm_year == now.tm_year)
        (void)snprintf(out, UNITS_TEXT_MAX, "%d %s %02d:%02d", tm.tm_mday, words_month(tm.tm_mon), tm.tm_hour,
                       tm.tm_min);
    else
        (void)snprintf(out, UNITS_TEXT_MAX, "%d %s %d %02d:%02d", tm.tm_mday, words_month(tm.tm_mon), tm.tm_year + 1900,
                       tm.tm_hour, tm.tm_min);
    return out;
}

static void
put_time(struct page *p, int64_t ms, const char *words)
{
    char text[UNITS_TEXT_MAX];

    html_put(&p->h, "<time datetime=\"%s\">%s</time>", units_format_time(ms, text), words);
}

void
page_moment(struct page *p, int64_t ms)
{
    char text[UNITS_TEXT_MAX];

    put_time(p, ms, words_moment(ms, p->now_ms, text));
}

void
page_relative(struct page *p, int64_t ms)
{
    char text[UNITS_TEXT_MAX];

    put_time(p, ms, words_relative(ms, p->now_ms, text));
}

int64_t
entry_ms(const struct catalog_entry *e)
{
    return e->state == CATALOG_WHOLE ? e->snapshot_ms : e->taken_ms;
}

bool
entry_is_suspicious(const struct catalog_entry *e)
{
    return e->suspicious && !e->accepted;
}

void
page_mark(struct page *p, const char *mark)
{
    html_put(&p->h, "<svg class=\"mark %s\" viewBox=\"-6 -6 12 12\" aria-hidden=\"true\"><use href=\"#m-%s\"/></svg>",
             mark, mark);
}
