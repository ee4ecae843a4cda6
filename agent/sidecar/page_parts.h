/* SPDX-License-Identifier: Apache-2.0 */
/* page_parts.h: what the page is put together from: for page*.c only. Each part writes one section; it ends what it
 * begins. */
#ifndef AGENT_SIDECAR_PAGE_PARTS_H
#define AGENT_SIDECAR_PAGE_PARTS_H

#include "agent/sidecar/board.h"
#include "agent/sidecar/page_html.h"

struct page {
    struct html h;
    const struct board *b;
    int64_t now_ms;
    struct board_verdict verdict;
};

/* page_assets.c: what stands in the page's style and script element. */
const char *page_style(size_t *len);
const char *page_script(size_t *len);

/* page_now.c: how things stand at this moment. */
const char *page_health_word(const struct board *b, enum board_health health); /* "Healthy", "Server down"... */
void page_health(struct page *p);  /* the word, what is safe, what is wrong, what to do */
void page_work(struct page *p);    /* the running job and the queue */
void page_figures(struct page *p); /* last and next backup, size, verification */

/* page_timeline.c and page_growth.c: what there is, drawn over time. */
void page_timeline(struct page *p);
void page_growth(struct page *p);

/* page_lists.c: what there is, in words. */
void page_backups(struct page *p);
void page_errors(struct page *p);
void page_jobs(struct page *p);
void page_schedules(struct page *p);
void page_outside(struct page *p); /* server and repository */

#endif
