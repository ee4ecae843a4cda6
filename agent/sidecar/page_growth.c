/* SPDX-License-Identifier: Apache-2.0 */
/* page_growth.c: how the data set grew: its keys and its raw size by the backups, each as a line from zero up. */
#include <stdio.h>

#include "agent/sidecar/page_chart.h"
#include "agent/sidecar/page_words.h"

#define TOP    24
#define HEIGHT 84
#define BASE   (TOP + HEIGHT)
#define AXIS   (BASE + 26)

/* One of the two lines. */
struct line {
    const char *id, *heading, *unit;
    uint64_t (*value)(const struct chart_column *c);
    const char *(*format)(uint64_t value, char out[UNITS_TEXT_MAX]);
};

static uint64_t
keys_of(const struct chart_column *c)
{
    return c->keys;
}

static uint64_t
raw_of(const struct chart_column *c)
{
    return c->raw;
}

/* The first and the last column with figures, and the most of all. False: there is none. */
static bool
find_ends(const struct chart *chart, const struct line *line, const struct chart_column **first,
          const struct chart_column **last, uint64_t *most)
{
    *first = *last = NULL;
    *most = 0;
    for (size_t i = 0; i < chart->count; i++) {
        const struct chart_column *c = &chart->columns[i];

        if (!c->whole)
            continue;
        *first = *first != NULL ? *first : c;
        *last = c;
        *most = line->value(c) > *most ? line->value(c) : *most;
    }
    return *last != NULL;
}

static double
height_of(uint64_t value, uint64_t most)
{
    return most > 0 ? (double)value / (double)most : 0.0;
}

/* The line and what is under it, in a drawing of its own that is stretched to the width. */
static void
put_path(struct page *p, const struct chart *chart, const struct line *line, uint64_t most, bool area)
{
    double x = 0.0;
    bool begun = false;

    html_put(&p->h, "<path class=\"%s\" d=\"M", area ? "area" : "line");
    for (size_t i = 0; i < chart->count; i++) {
        const struct chart_column *c = &chart->columns[i];

        if (!c->whole)
            continue;
        x = 10.0 * chart_x(chart, c->at_ms);
        if (area && !begun)
            html_put(&p->h, "%.1f %d ", x, HEIGHT);
        begun = true;
        html_put(&p->h, "%.1f %.1f ", x, HEIGHT - HEIGHT * height_of(line->value(c), most));
    }
    if (area)
        html_put(&p->h, "%.1f %dZ", x, HEIGHT);
    html_put(&p->h, "\"/>");
}

static void
put_change(struct page *p, const struct line *line, const struct chart_column *first, const struct chart_column *last)
{
    double from = (double)line->value(first),
           change = from > 0.0 ? 100.0 * ((double)line->value(last) - from) / from : 0;
    char since[UNITS_TEXT_MAX], now[UNITS_TEXT_MAX];

    html_put(&p->h, "<b>%s</b>%s", line->format(line->value(last), now), line->unit);
    if (first == last)
        return;
    html_put(&p->h, change < 0 ? ", %.1f %% less than on %s UTC" : ", %.1f %% more than on %s UTC",
             change < 0 ? -change : change, words_moment(first->last_ms, p->now_ms, since));
}

static void
put_line(struct page *p, const struct chart *chart, const struct line *line)
{
    const struct chart_column *first, *last;
    char text[UNITS_TEXT_MAX];
    uint64_t most;

    html_put(&p->h, "<div>\n<h3>%s</h3>\n", line->heading);
    if (!find_ends(chart, line, &first, &last, &most)) {
        html_put(&p->h, "<p class=\"empty\">No backup has figures yet.</p>\n</div>\n");
        return;
    }
    html_put(&p->h, "<p class=\"fine\">");
    put_change(p, line, first, last);
    html_put(&p->h,
             ".</p>\n<svg class=\"chart\" role=\"img\" aria-labelledby=\"%s-t %s-d\" width=\"100%%\" height=\"%d\">\n"
             "<title id=\"%s-t\">%s over time</title>\n<desc id=\"%s-d\">",
             line->id, line->id, AXIS + 6, line->id, line->heading, line->id);
    put_change(p, line, first, last);
    html_put(&p->h, "; at most %s.</desc>\n", line->format(most, text));
    html_put(&p->h, "<line class=\"grid\" x2=\"100%%\" y1=\"%d\" y2=\"%d\"/><text x=\"0\" y=\"%d\">%s</text>", TOP, TOP,
             TOP - 7, line->format(most, text));
    html_put(
        &p->h,
        "<svg x=\"0\" y=\"%d\" width=\"100%%\" height=\"%d\" viewBox=\"0 0 1000 %d\" preserveAspectRatio=\"none\">",
        TOP, HEIGHT, HEIGHT);
    put_path(p, chart, line, most, true);
    put_path(p, chart, line, most, false);
    html_put(&p->h, "</svg>\n<line class=\"base\" x2=\"100%%\" y1=\"%d.5\" y2=\"%d.5\"/>", BASE, BASE);
    html_put(&p->h, "<circle class=\"dot\" cx=\"%.1f%%\" cy=\"%.1f\" r=\"3\"/>", chart_x(chart, last->at_ms),
             BASE - HEIGHT * height_of(line->value(last), most));
    chart_put_axis(p, chart, AXIS);
    html_put(&p->h, "</svg>\n</div>\n");
}

void
page_growth(struct page *p)
{
    static const struct line lines[] = {
        {"keys", "Keys", " keys", keys_of, units_format_count},
        {"raw", "Size of the dump", "", raw_of, units_format_size},
    };
    struct chart chart;

    chart_make(&chart, p->b->catalog, p->now_ms);
    html_put(&p->h,
             "<section id=\"growth\" aria-labelledby=\"growth-h\">\n<h2 id=\"growth-h\">Growth of the data set</h2>\n"
             "<div class=\"pair\">\n");
    for (size_t i = 0; i < ARRAY_LEN(lines); i++)
        put_line(p, &chart, &lines[i]);
    html_put(&p->h, "</div>\n</section>\n");
}
