/* SPDX-License-Identifier: Apache-2.0 */
/* page_words.c: see page_words.h. */
#include "agent/sidecar/page_words.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "agent/sidecar/span.h"

#define MINUTE_MS INT64_C(60000)

const char *
words_relative(int64_t ms, int64_t now_ms, char out[UNITS_TEXT_MAX])
{
    int64_t distance_ms = ms > now_ms ? ms - now_ms : now_ms - ms;
    char span[UNITS_TEXT_MAX];

    /* Seconds would change with every look at the page, and tell nobody more. */
    if (distance_ms < MINUTE_MS)
        (void)snprintf(out, UNITS_TEXT_MAX, "%s", ms > now_ms ? "in a moment" : "just now");
    else
        (void)snprintf(out, UNITS_TEXT_MAX, ms > now_ms ? "in %.30s" : "%.30s ago", span_format(distance_ms, span));
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

void
page_moment(struct page *p, int64_t ms)
{
    char text[UNITS_TEXT_MAX], words[UNITS_TEXT_MAX];

    html_put(&p->h, "<time class=\"moment\" datetime=\"%s\">%s UTC</time>", units_format_time(ms, text),
             words_moment(ms, p->now_ms, words));
}

void
page_relative(struct page *p, int64_t ms)
{
    char text[UNITS_TEXT_MAX], words[UNITS_TEXT_MAX];

    html_put(&p->h, "<time datetime=\"%s\">%s</time>", units_format_time(ms, text),
             words_relative(ms, p->now_ms, words));
}

void
page_prose(struct page *p, const char *text)
{
    bool code = false;

    for (;;) {
        size_t len = strcspn(text, "`");
        bool closes = text[len] == '`' && (code || strchr(text + len + 1, '`') != NULL);
        char piece[JOB_TEXT_MAX + 512];

        (void)snprintf(piece, sizeof(piece), "%.*s", (int)len, text);
        html_put(&p->h, "%s", piece);
        if (text[len] == '\0')
            return;
        if (closes)
            html_put(&p->h, code ? "</code>" : "<code>");
        else
            html_put(&p->h, "`");
        code = closes ? !code : code;
        text += len + 1;
    }
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
