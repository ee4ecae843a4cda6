/* SPDX-License-Identifier: Apache-2.0 */
/* page_chart.h: the time axis of the drawings, and backups gathered into as many columns as an eye can tell apart.
 * Horizontal places are per cent of the drawing, so that it fits any screen and its text keeps its size. */
#ifndef AGENT_SIDECAR_PAGE_CHART_H
#define AGENT_SIDECAR_PAGE_CHART_H

#include "agent/sidecar/page.h"
#include "agent/sidecar/page_parts.h"

struct chart_column {
    int64_t at_ms;             /* its middle */
    int64_t first_ms, last_ms; /* of its backups */
    size_t count;              /* of backups, at least 1 */
    size_t verified, loaded, suspicious, held, damaged;
    uint64_t stored; /* the most that one of them took */
    bool whole;      /* one at least can be read: the figures below are those of the last that can */
    uint64_t keys, raw;
};

struct chart {
    int64_t from_ms, to_ms;
    size_t older;      /* backups before from_ms, which are not drawn */
    bool single;       /* a column is a backup */
    int64_t column_ms; /* else how much time a column stands for */
    double width;      /* of a column, per cent */
    struct chart_column columns[PAGE_BINS];
    size_t count;
    struct chart_column sum; /* over all columns */
};

/* The backups of C (may be NULL). The axis ends at NOW_MS and begins where nine of ten backups are on it. */
void chart_make(struct chart *chart, const struct catalog *c, int64_t now_ms);

double chart_x(const struct chart *chart, int64_t ms);

/* The ticks with their labels, and "now", at the height Y (a literal number of pixels). */
void chart_put_axis(struct page *p, const struct chart *chart, int y);

#endif
