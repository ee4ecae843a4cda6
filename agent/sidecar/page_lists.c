/* SPDX-License-Identifier: Apache-2.0 */
/* page_lists.c: the lower part of the page: backups, errors, jobs, schedules, server and repository, in words. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "agent/help.h"
#include "agent/sidecar/page_words.h"
#include "agent/sidecar/span.h"

#define BACKUPS_SHOWN 8
#define JOBS_SHOWN    8
#define ERRORS_OPEN   3 /* those before are shown when asked for */

/* A table; on a narrow screen each row becomes a block whose cells carry their column's name, and the roles keep it a
 * table for those who hear it. HEADS ends with NULL. */
static void
open_table(struct page *p, const char *labelled_by, const char *const *heads)
{
    html_put(&p->h, "<table role=\"table\" aria-labelledby=\"%s\">\n<thead role=\"rowgroup\"><tr role=\"row\">",
             labelled_by);
    for (; *heads != NULL; heads++)
        html_put(&p->h, "<th scope=\"col\" role=\"columnheader\">%s</th>", *heads);
    html_put(&p->h, "</tr></thead>\n<tbody role=\"rowgroup\">\n");
}

static void
open_row(struct page *p)
{
    html_put(&p->h, "<tr role=\"row\"><th scope=\"row\" role=\"rowheader\">");
}

static void
open_cell(struct page *p, const char *head)
{
    html_put(&p->h, "<td role=\"cell\" data-head=\"%s\">", head);
}

static void
put_cell(struct page *p, const char *head, const char *text)
{
    open_cell(p, head);
    html_put(&p->h, "%s</td>", text);
}

static void
put_moment_and_age(struct page *p, int64_t ms)
{
    page_moment(p, ms);
    html_put(&p->h, " <span class=\"quiet\">");
    page_relative(p, ms);
    html_put(&p->h, "</span>");
}

static void
put_marked(struct page *p, const char *mark, const char *words)
{
    html_put(&p->h, "<span class=\"chip %s\">", mark);
    page_mark(p, mark);
    html_put(&p->h, "%s</span> ", words);
}

static void
put_marks(struct page *p, const struct catalog_entry *e)
{
    if (e->state != CATALOG_WHOLE)
        put_marked(p, "damaged", e->state == CATALOG_UNSUPPORTED ? "not supported" : "damaged");
    if (entry_is_suspicious(e))
        put_marked(p, "suspicious", "suspicious");
    if (e->loaded_ms != 0)
        put_marked(p, "loaded", "loaded");
    else if (e->verified_ms != 0)
        put_marked(p, "verified", "verified");
    else if (e->state == CATALOG_WHOLE)
        html_put(&p->h, "<span class=\"quiet\">not verified</span> ");
    if (e->held)
        put_marked(p, "held", "held");
}

static void
put_backup(struct page *p, const struct catalog_entry *e)
{
    const bool whole = e->state == CATALOG_WHOLE;
    char text[UNITS_TEXT_MAX];

    open_row(p);
    put_moment_and_age(p, entry_ms(e));
    html_put(&p->h, " <code>%s</code></th>", e->id.text);
    put_cell(p, "Keys", whole ? units_format_count(e->keys, text) : "-");
    put_cell(p, "Raw", whole ? units_format_size(e->raw_size, text) : "-");
    put_cell(p, "Stored", whole ? units_format_size(e->stored_size, text) : "-");
    open_cell(p, "State");
    put_marks(p, e);
    html_put(&p->h, "</td></tr>\n");
}

void
page_backups(struct page *p)
{
    static const char *const heads[] = {"Taken", "Keys", "Raw", "Stored", "State", NULL};
    const struct catalog *c = p->b->catalog;
    char text[UNITS_TEXT_MAX];

    html_put(&p->h,
             "<section id=\"backups\" aria-labelledby=\"backups-h\">\n<h2 id=\"backups-h\">Newest backups</h2>\n");
    if (c == NULL || c->count == 0) {
        html_put(&p->h, "<p class=\"empty\">%s</p>\n", c != NULL ? "There is none." : "Not known yet.");
    } else {
        open_table(p, "backups-h", heads);
        for (size_t i = 0; i < c->count && i < BACKUPS_SHOWN; i++)
            put_backup(p, &c->entries[c->count - 1 - i]);
        html_put(&p->h, "</tbody>\n</table>\n");
        if (c->count > BACKUPS_SHOWN)
            html_put(&p->h, "<p class=\"fine\">%s more: <code>remora list</code> has all of them.</p>\n",
                     units_format_count(c->count - BACKUPS_SHOWN, text));
    }
    html_put(&p->h, "</section>\n");
}

/* What the exit status means, up to the first colon. */
static void
put_status(struct page *p, int exit_status)
{
    const char *meaning;
    char word[64];
    int status;

    for (size_t i = 0; (meaning = help_status(i, &status)) != NULL; i++)
        if (status == exit_status) {
            (void)snprintf(word, sizeof(word), "%.*s", (int)strcspn(meaning, ":;"), meaning);
            html_put(&p->h, "exit %d, %s", exit_status, word);
            return;
        }
    if (exit_status > 128)
        html_put(&p->h, "killed by signal %d", exit_status - 128);
    else
        html_put(&p->h, "exit %d", exit_status);
}

static void
put_error(struct page *p, const struct board_error *e)
{
    html_put(&p->h, "<li><p class=\"line\"><strong>%s</strong> <span>", e->what);
    put_status(p, e->exit_status);
    html_put(&p->h, "</span> ");
    put_moment_and_age(p, e->at_ms);
    html_put(&p->h, "</p>\n<p>");
    page_prose(p, e->text);
    html_put(&p->h, "</p></li>\n");
}

void
page_errors(struct page *p)
{
    const struct board *b = p->b;

    html_put(&p->h, "<section id=\"errors\" aria-labelledby=\"errors-h\">\n<h2 id=\"errors-h\">Last errors</h2>\n");
    if (b->error_count == 0) {
        html_put(&p->h, "<p class=\"empty\">None since the agent started.</p>\n</section>\n");
        return;
    }
    html_put(&p->h, "<ol class=\"errors\">\n");
    for (size_t i = 0; i < b->error_count; i++) {
        if (i == ERRORS_OPEN)
            html_put(&p->h,
                     "</ol>\n<details id=\"errors-older\">\n<summary id=\"errors-more\">%zu older</summary>\n"
                     "<ol class=\"errors\">\n",
                     b->error_count - i);
        put_error(p, &b->errors[b->error_count - 1 - i]);
    }
    html_put(&p->h, b->error_count > ERRORS_OPEN ? "</ol>\n</details>\n</section>\n" : "</ol>\n</section>\n");
}

static void
put_job(struct page *p, const struct job *job)
{
    char text[UNITS_TEXT_MAX];

    open_row(p);
    html_put(&p->h, "%s <span class=\"quiet\">%s</span></th>", work_name(job->kind),
             job->triggered ? "by request" : "by schedule");
    open_cell(p, "Ended");
    put_moment_and_age(p, job->ended_ms);
    html_put(&p->h, "</td>");
    put_cell(p, "Took",
             job->started_ms != 0 && job->ended_ms > job->started_ms
                 ? span_format(job->ended_ms - job->started_ms, text)
                 : "-");
    open_cell(p, "Result");
    if (job->state == JOB_SUCCEEDED) {
        put_marked(p, "verified", "done");
        if (job->backup_id[0] != '\0')
            html_put(&p->h, "<code>%s</code>", job->backup_id);
    } else {
        put_marked(p, "damaged", "failed");
        put_status(p, job->exit_status);
    }
    html_put(&p->h, "</td></tr>\n");
}

void
page_jobs(struct page *p)
{
    static const char *const heads[] = {"Work", "Ended", "Took", "Result", NULL};
    const struct jobs *jobs = &p->b->jobs;
    size_t shown = 0;

    html_put(&p->h, "<section id=\"jobs\" aria-labelledby=\"jobs-h\">\n<h2 id=\"jobs-h\">Last jobs</h2>\n");
    for (size_t i = jobs->count; i > 0 && shown < JOBS_SHOWN; i--) {
        const struct job *job = &jobs->jobs[i - 1];

        if (job->state != JOB_SUCCEEDED && job->state != JOB_FAILED)
            continue;
        if (shown++ == 0)
            open_table(p, "jobs-h", heads);
        put_job(p, job);
    }
    html_put(&p->h, shown > 0 ? "</tbody>\n</table>\n" : "<p class=\"empty\">None since the agent started.</p>\n");
    html_put(&p->h, "</section>\n");
}

static void
put_when(struct page *p, const char *head, int64_t ms, const char *never)
{
    open_cell(p, head);
    if (ms != 0)
        put_moment_and_age(p, ms);
    else
        html_put(&p->h, "<span class=\"quiet\">%s</span>", never);
    html_put(&p->h, "</td>");
}

void
page_schedules(struct page *p)
{
    static const char *const heads[] = {"Work", "Next", "Last success", "Runs here", NULL};

    html_put(&p->h,
             "<section id=\"schedules\" aria-labelledby=\"schedules-h\">\n<h2 id=\"schedules-h\">Schedules</h2>\n");
    open_table(p, "schedules-h", heads);
    for (int kind = 0; kind < WORK_KINDS; kind++) {
        const struct board_kind *k = &p->b->kinds[kind];
        char done[UNITS_TEXT_MAX], failed[UNITS_TEXT_MAX];
        uint64_t failures = 0;

        for (int i = 0; i < BOARD_EXITS; i++)
            failures += k->failures[i];
        open_row(p);
        html_put(&p->h, "%s ", work_name((enum work)kind));
        if (k->schedule[0] != '\0')
            html_put(&p->h, "<code>%s</code></th>", k->schedule);
        else
            html_put(&p->h, "<span class=\"quiet\">no schedule</span></th>");
        put_when(p, "Next", k->next_ms, "not planned");
        put_when(p, "Last success", k->last_success_ms, "none yet");
        open_cell(p, "Runs here");
        html_put(&p->h, "%s done, %s failed</td></tr>\n", units_format_count(k->successes, done),
                 units_format_count(failures, failed));
    }
    html_put(&p->h,
             "</tbody>\n</table>\n<p class=\"fine\">Last success and runs are those of this agent%s%s.</p>\n"
             "</section>\n",
             p->b->run_on[0] != '\0' ? ", which runs on: " : "", p->b->run_on);
}

static void
put_reach(struct page *p, enum board_reach reach, int64_t asked_ms)
{
    static const char *const words[] = {[REACH_UNKNOWN] = "not asked yet",
                                        [REACH_UP] = "answers",
                                        [REACH_DOWN] = "down",
                                        [REACH_DENIED] = "denies access"};

    html_put(&p->h, "<div><dt>State</dt><dd>");
    if (reach == REACH_UP)
        put_marked(p, "verified", words[reach]);
    else if (reach == REACH_UNKNOWN)
        html_put(&p->h, "%s ", words[reach]);
    else
        put_marked(p, "damaged", words[reach]);
    if (asked_ms != 0) {
        html_put(&p->h, "<span class=\"quiet\">asked ");
        page_relative(p, asked_ms);
        html_put(&p->h, "</span>");
    }
    html_put(&p->h, "</dd></div>\n");
}

static void
put_fact(struct page *p, const char *name, const char *value, const char *more)
{
    if (value[0] != '\0')
        html_put(&p->h, "<div><dt>%s</dt><dd>%s%s</dd></div>\n", name, value, more);
}

static void
put_server(struct page *p)
{
    const struct board *b = p->b;
    char text[UNITS_TEXT_MAX];

    html_put(&p->h, "<section id=\"server\" aria-labelledby=\"server-h\">\n<h2 id=\"server-h\">Server</h2>\n<dl "
                    "class=\"facts\">\n");
    put_reach(p, b->server, b->server_asked_ms);
    put_fact(p, "Address", b->server_address, "");
    if (b->server_kind[0] != '\0')
        html_put(&p->h, "<div><dt>Version</dt><dd>%s %s</dd></div>\n", b->server_kind, b->server_version);
    put_fact(p, "Role", b->server_role, "");
    if (b->server_memory > 0) {
        put_fact(p, "Keys", units_format_count(b->server_keys, text), "");
        put_fact(p, "Memory", units_format_size(b->server_memory, text), "");
    }
    put_fact(p, "Error", b->server_error, "");
    html_put(&p->h, "</dl>\n</section>\n");
}

static void
put_store(struct page *p)
{
    const struct board *b = p->b;
    uint64_t calls = 0, failures = 0;
    char text[UNITS_TEXT_MAX], failed[UNITS_TEXT_MAX];

    for (int i = 0; i < METER_CALLS; i++) {
        calls += b->storage.calls[i].calls;
        failures += b->storage.calls[i].failures;
    }
    html_put(&p->h, "<section id=\"store\" aria-labelledby=\"store-h\">\n<h2 id=\"store-h\">Repository</h2>\n<dl "
                    "class=\"facts\">\n");
    put_reach(p, b->store, b->store_asked_ms);
    put_fact(p, "Place", b->repository, "");
    put_fact(p, "Written", units_format_size(b->storage.bytes_put, text), " since the start");
    put_fact(p, "Read", units_format_size(b->storage.bytes_got, text), " since the start");
    html_put(&p->h, "<div><dt>Requests</dt><dd>%s, of which %s failed</dd></div>\n", units_format_count(calls, text),
             units_format_count(failures, failed));
    put_fact(p, "Error", b->store_error, "");
    html_put(&p->h, "</dl>\n</section>\n");
}

void
page_outside(struct page *p)
{
    html_put(&p->h, "<div class=\"pair\">\n");
    put_server(p);
    put_store(p);
    html_put(&p->h, "</div>\n");
}
