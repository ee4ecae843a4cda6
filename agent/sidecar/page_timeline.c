/* SPDX-License-Identifier: Apache-2.0 */
/*
 * page_timeline.c: the backups over time: a bar for each, or for those of a stretch of time where there are many; its
 * height is what they take in the store. Below it the marks, each in a lane of its own kind.
 */
#include <stdio.h>

#include "agent/sidecar/page_chart.h"
#include "agent/sidecar/page_words.h"
#include "agent/sidecar/span.h"

/* In pixels from the top. */
#define BARS_TOP    24
#define BARS_HEIGHT 96
#define BASE        (BARS_TOP + BARS_HEIGHT)
#define LANE_ALERT  (BASE + 13)
#define LANE_PROOF  (BASE + 29)
#define LANE_HELD   (BASE + 45)
#define AXIS        (BASE + 72)

static void
put_symbol(struct page *p, const char *mark, double x, int y)
{
    html_put(&p->h, "<svg class=\"mark %s\" x=\"%.1f%%\" y=\"%d\"><use href=\"#m-%s\"/></svg>", mark, x, y, mark);
}

/* What a pointer that rests on the bar is told. */
static void
put_tip(struct page *p, const struct chart *chart, const struct chart_column *c)
{
    char first[UNITS_TEXT_MAX], last[UNITS_TEXT_MAX], size[UNITS_TEXT_MAX];

    html_put(&p->h, "<title>");
    if (chart->single)
        html_put(&p->h, "%s UTC: ", words_moment(c->first_ms, p->now_ms, first));
    else
        html_put(&p->h, "%zu backups, %s to %s UTC: ", c->count, words_moment(c->first_ms, p->now_ms, first),
                 words_moment(c->last_ms, p->now_ms, last));
    if (c->whole)
        html_put(&p->h, "%s%s stored", chart->single ? "" : "at most ", units_format_size(c->stored, size));
    else
        html_put(&p->h, "cannot be read");
    if (c->verified > 0)
        html_put(&p->h, "%s", c->loaded > 0 ? ", verified by loading" : ", verified");
    html_put(&p->h, "%s%s%s</title>", c->suspicious > 0 ? ", suspicious" : "", c->held > 0 ? ", held" : "",
             c->damaged > 0 ? ", damaged" : "");
}

static void
put_column(struct page *p, const struct chart *chart, const struct chart_column *c)
{
    double x = chart_x(chart, c->at_ms), left = x - chart->width / 2, width = chart->width;
    double height = chart->sum.stored > 0 ? BARS_HEIGHT * (double)c->stored / (double)chart->sum.stored : 0.0;

    left = left < 0.0 ? 0.0 : left;
    width = left + width > 100.0 ? 100.0 - left : width; /* the last one's time is not over yet */
    height = height < 2.0 ? 2.0 : height;
    html_put(&p->h, "<g class=\"bar%s%s\">", c->suspicious > 0 ? " suspicious" : "", c->whole ? "" : " damaged");
    put_tip(p, chart, c);
    html_put(&p->h, "<rect x=\"%.1f%%\" y=\"%.1f\" width=\"%.1f%%\" height=\"%.1f\"/></g>", left, BASE - height, width,
             height);
    x = left + width / 2;
    if (c->damaged > 0 || c->suspicious > 0)
        put_symbol(p, c->damaged > 0 ? "damaged" : "suspicious", x, LANE_ALERT);
    if (c->verified > 0)
        put_symbol(p, c->loaded > 0 ? "loaded" : "verified", x, LANE_PROOF);
    if (c->held > 0)
        put_symbol(p, "held", x, LANE_HELD);
    html_put(&p->h, "\n");
}

static void
put_key(struct page *p, const char *mark, const char *words, size_t count)
{
    char text[UNITS_TEXT_MAX];

    html_put(&p->h, "<li>");
    page_mark(p, mark);
    html_put(&p->h, "%s <b>%s</b></li>\n", words, units_format_count(count, text));
}

static void
put_legend(struct page *p, const struct chart *chart)
{
    html_put(&p->h, "<ul class=\"legend\">\n");
    put_key(p, "verified", "verified", chart->sum.verified);
    put_key(p, "loaded", "loaded by a server", chart->sum.loaded);
    put_key(p, "held", "held", chart->sum.held);
    put_key(p, "suspicious", "suspicious", chart->sum.suspicious);
    put_key(p, "damaged", "damaged", chart->sum.damaged);
    html_put(&p->h, "</ul>\n");
}

/* One sentence that says what the drawing shows. */
static void
put_summary(struct page *p, const struct chart *chart)
{
    char text[UNITS_TEXT_MAX], count[UNITS_TEXT_MAX];

    html_put(&p->h, "%s %s since %s UTC, the largest %s.", units_format_count(chart->sum.count, count),
             chart->sum.count == 1 ? "backup" : "backups", words_moment(chart->sum.first_ms, p->now_ms, text),
             units_format_size(chart->sum.stored, (char[UNITS_TEXT_MAX]){0}));
    if (!chart->single)
        html_put(&p->h, " Each bar: the largest within %s.", span_format(chart->column_ms, text));
    if (chart->older > 0)
        html_put(&p->h, " %s older %s not drawn.", units_format_count(chart->older, count),
                 chart->older == 1 ? "one is" : "ones are");
}

static void
put_drawing(struct page *p, const struct chart *chart)
{
    char size[UNITS_TEXT_MAX];

    html_put(
        &p->h,
        "<svg class=\"chart\" role=\"img\" aria-labelledby=\"timeline-t timeline-d\" width=\"100%%\" height=\"%d\">\n"
        "<title id=\"timeline-t\">Backups over time</title>\n<desc id=\"timeline-d\">",
        AXIS + 6);
    put_summary(p, chart);
    html_put(&p->h, " %zu verified, %zu of them loaded by a server; %zu held, %zu suspicious, %zu damaged.</desc>\n",
             chart->sum.verified, chart->sum.loaded, chart->sum.held, chart->sum.suspicious, chart->sum.damaged);
    html_put(&p->h, "<line class=\"grid\" x2=\"100%%\" y1=\"%d\" y2=\"%d\"/>", BARS_TOP, BARS_TOP);
    html_put(&p->h, "<line class=\"grid\" x2=\"100%%\" y1=\"%d\" y2=\"%d\"/>", BARS_TOP + BARS_HEIGHT / 2,
             BARS_TOP + BARS_HEIGHT / 2);
    html_put(&p->h, "<text x=\"0\" y=\"%d\">%s</text>", BARS_TOP - 7, units_format_size(chart->sum.stored, size));
    html_put(&p->h, "<line class=\"base\" x2=\"100%%\" y1=\"%d.5\" y2=\"%d.5\"/>\n", BASE, BASE);
    for (size_t i = 0; i < chart->count; i++)
        put_column(p, chart, &chart->columns[i]);
    chart_put_axis(p, chart, AXIS);
    html_put(&p->h, "</svg>\n");
}

void
page_timeline(struct page *p)
{
    struct chart chart;

    chart_make(&chart, p->b->catalog, p->now_ms);
    html_put(&p->h, "<section id=\"timeline\" aria-labelledby=\"timeline-h\">\n<h2 id=\"timeline-h\">Backups</h2>\n");
    if (chart.count == 0) {
        html_put(&p->h, "<p class=\"empty\">%s</p>\n",
                 p->b->catalog != NULL ? "There is no backup to draw yet." : "The repository has not been read yet.");
    } else {
        html_put(&p->h, "<p class=\"fine\">");
        put_summary(p, &chart);
        html_put(&p->h, "</p>\n");
        put_drawing(p, &chart);
        put_legend(p, &chart);
    }
    html_put(&p->h, "</section>\n");
}
