/* SPDX-License-Identifier: Apache-2.0 */
/* page.c: the frame of the page, and the order of its parts: see page.h. */
#include "agent/sidecar/page.h"

#include <stdio.h>
#include <string.h>

#include "agent/sidecar/page_parts.h"
#include "agent/sidecar/page_words.h"
#include "agent/sidecar/web.h"
#include "base/clock.h"

#define LONG_NAME 40 /* from here on an instance's name is set smaller */

/* How often a browser without JavaScript loads the page anew. */
#define RELOAD_S "30"

/* The shapes of the marks, drawn around 0,0 within 12 units: each differs from the others without its colour. */
static const char shapes[] =
    "<svg class=\"shapes\" width=\"0\" height=\"0\" aria-hidden=\"true\"><defs>"
    "<path id=\"m-verified\" d=\"M-4 .2-1.2 3 4-3\" class=\"stroke\"/>"
    "<path id=\"m-loaded\" d=\"M0-6A6 6 0 0 1 0 6 6 6 0 0 1 0-6M-4 .8-1.4 3.4-.6 3.4 4.1-1.9 2.9-3-1.1 1.5-2.9-.3Z\" "
    "class=\"solid\" fill-rule=\"evenodd\"/>"
    "<path id=\"m-suspicious\" d=\"M0-5 5.4 4.6H-5.4Z\" class=\"solid\"/>"
    "<path id=\"m-held\" d=\"M-2.4-.8V-2.4a2.4 2.4 0 0 1 4.8 0v1.6M-4-.8H4V4.6H-4Z\" class=\"lock\"/>"
    "<path id=\"m-damaged\" d=\"M-3.6-3.6 3.6 3.6M3.6-3.6-3.6 3.6\" class=\"stroke\"/>"
    "</defs></svg>";

static void
put_head(struct page *p)
{
    size_t len;
    const char *text;

    html_put(&p->h,
             "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
             "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
             "<meta name=\"color-scheme\" content=\"light dark\">\n"
             "<noscript><meta http-equiv=\"refresh\" content=\"" RELOAD_S "\"></noscript>\n"
             "<title>%s: %s - remora</title>\n<style>",
             page_health_word(p->b, p->verdict.health), p->b->instance);
    text = page_style(&len);
    html_raw(&p->h, text, len);
    html_put(&p->h, "</style>\n</head>\n");
}

static void
put_top(struct page *p)
{
    char text[UNITS_TEXT_MAX], clock[sizeof("10:30:00")];

    (void)snprintf(clock, sizeof(clock), "%s", units_format_time(p->now_ms, text) + strlen("2026-11-22T"));
    html_put(&p->h, "<body>\n<a class=\"skip\" id=\"skip\" href=\"#main\">Skip to the status</a>\n");
    html_raw(&p->h, shapes, sizeof(shapes) - 1);
    html_put(&p->h,
             "\n<header>\n<p class=\"brand\">remora</p>\n<h1 class=\"%s\">%s</h1>\n"
             "<p class=\"as-of\" id=\"as-of\">%s<span>as of <time class=\"moment exact\" datetime=\"%s\">",
             strlen(p->b->instance) > LONG_NAME ? "long" : "short", p->b->instance,
             p->b->stopping ? "<strong>shutting down</strong> " : "", units_format_time(p->now_ms, text));
    html_put(&p->h, "%s UTC</time></span></p>\n</header>\n", clock);
}

static void
put_foot(struct page *p)
{
    size_t len;
    const char *text;

    html_put(&p->h, "<footer>\n<p>remora %s on %s, up since ", p->b->version,
             p->b->host[0] != '\0' ? p->b->host : "this host");
    page_moment(p, p->b->started_ms);
    html_put(&p->h,
             ". All times are UTC.<noscript> The page is loaded anew every " RELOAD_S " seconds.</noscript></p>\n"
             "<nav aria-label=\"For programs\"><a id=\"to-status\" href=\"/api/v1/status\">Status as JSON</a> "
             "<a id=\"to-backups\" href=\"/api/v1/backups\">Backups as JSON</a> "
             "<a id=\"to-metrics\" href=\"/metrics\">Metrics</a></nav>\n</footer>\n"
             "<p id=\"link\" role=\"status\"></p>\n<p id=\"news\" class=\"unseen\" role=\"status\"></p>\n<script>");
    text = page_script(&len);
    html_raw(&p->h, text, len);
    html_put(&p->h, "</script>\n</body>\n</html>\n");
}

int
page_write(const struct board *b, int64_t now_ms, struct buf *out, struct err *err)
{
    static void (*const parts[])(struct page *) = {
        page_health,  page_work,   page_figures, page_timeline,  page_growth,
        page_backups, page_errors, page_jobs,    page_schedules, page_outside,
    };
    struct page p = {.h = {.out = out}, .b = b, .now_ms = now_ms};

    board_verdict(b, now_ms, &p.verdict);
    put_head(&p);
    put_top(&p);
    html_put(&p.h, "<main id=\"main\" tabindex=\"-1\">\n");
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        parts[i](&p);
    html_put(&p.h, "</main>\n");
    put_foot(&p);
    if (p.h.full)
        return err_set(err, ERR_NO_SPACE, "the status page does not fit into %zu bytes", out->cap);
    return 0;
}

void
web_page(const struct web_request *request, struct web_answer *answer)
{
    struct err err = ERR_INIT;
    int rc;

    answer->status = 200;
    answer->content_type = "text/html; charset=utf-8";
    answer->policy = page_policy();
    board_lock(request->board);
    rc = page_write(request->board, clock_wall_ms(), &answer->body, &err);
    board_unlock(request->board);
    if (rc < 0) {
        buf_reset(&answer->body);
        answer->status = 500;
        answer->content_type = "text/plain; charset=utf-8";
        answer->policy = NULL;
        (void)!buf_append(&answer->body, err.msg, strlen(err.msg), &err);
    }
}
