/* SPDX-License-Identifier: Apache-2.0 */
/* page_now.c: the upper part of the page: health, what runs, and the four figures that people come for. */
#include <string.h>

#include "agent/progress_bar.h"
#include "agent/sidecar/page_words.h"
#include "agent/sidecar/span.h"

/* What each health looks like: a word, a tone of colour, and a shape. */
struct look {
    const char *word, *tone, *shape;
};

static const struct look looks[] = {
    [HEALTH_GOOD] = {"Healthy", "good", "M-4.6.4-1.4 3.6 4.8-3.4"},
    [HEALTH_LATE] = {"Late", "warn", "M0-5V.6L3.6 3"},
    [HEALTH_SUSPICIOUS] = {"Suspicious", "warn", "M0-5.4V1M0 4.4v.2"},
    [HEALTH_FAILING] = {"Failing", "bad", "M0-5.4V1M0 4.4v.2"},
    [HEALTH_SERVER_DOWN] = {"Server down", "bad", "M-4-4 4 4M4-4-4 4"},
    [HEALTH_STORE_DOWN] = {"Repository down", "bad", "M-4-4 4 4M4-4-4 4"},
    [HEALTH_NEVER] = {"No backup yet", "warn", "M-4.4 0H4.4"},
    [HEALTH_STARTING] = {"Starting", "calm", "M-4.4 0v.2M0 0v.2M4.4 0v.2"},
};
static const struct look server_denied = {"Server denies access", "bad", "M-4-4 4 4M4-4-4 4"};
static const struct look store_denied = {"Repository denies access", "bad", "M-4-4 4 4M4-4-4 4"};

/* Finer than the judgement's own words where a person would do something else about it. */
static const struct look *
choose_look(const struct board *b, enum board_health health)
{
    if (health == HEALTH_SERVER_DOWN && b->server == REACH_DENIED)
        return &server_denied;
    if (health == HEALTH_STORE_DOWN && b->store == REACH_DENIED)
        return &store_denied;
    return &looks[health];
}

const char *
page_health_word(const struct board *b, enum board_health health)
{
    return choose_look(b, health)->word;
}

/* One of the answers: a question, and what is to be said to it. */
static void
put_answer(struct page *p, const char *id, const char *question, const char *text)
{
    if (text[0] == '\0')
        return;
    html_put(&p->h, "<div id=\"%s\"><dt>%s</dt><dd>", id, question);
    page_prose(p, text);
    html_put(&p->h, "</dd></div>\n");
}

void
page_health(struct page *p)
{
    const struct board_verdict *v = &p->verdict;
    const struct look *look = choose_look(p->b, v->health);
    char text[UNITS_TEXT_MAX];

    html_put(&p->h,
             "<section id=\"health\" class=\"health %s\" aria-labelledby=\"health-h\">\n"
             "<h2 id=\"health-h\"><svg class=\"sign\" viewBox=\"-12 -12 24 24\" aria-hidden=\"true\">"
             "<circle r=\"11\"/><path d=\"%s\"/></svg>%s</h2>\n",
             look->tone, look->shape, look->word);
    if (v->since_ms != 0 && v->since_ms <= p->now_ms) {
        html_put(&p->h, "<p class=\"since\">for %s, since ", span_format(p->now_ms - v->since_ms, text));
        page_moment(p, v->since_ms);
        html_put(&p->h, "</p>\n");
    }
    html_put(&p->h, "<p id=\"safety\" class=\"safety\">%s</p>\n", v->safety);
    if (v->cause[0] != '\0' || v->advice[0] != '\0') {
        html_put(&p->h, "<dl class=\"answers\">\n");
        put_answer(p, "cause", "What is wrong", v->cause);
        put_answer(p, "advice", "What to do", v->advice);
        html_put(&p->h, "</dl>\n");
    }
    html_put(&p->h, "</section>\n");
}

/* How far the job is, in words, and whether there is a figure for it. */
static void
put_done(struct page *p, const struct progress *progress)
{
    char done[UNITS_TEXT_MAX], total[UNITS_TEXT_MAX], stored[UNITS_TEXT_MAX];

    if (progress_unit(progress->phase) != PROGRESS_BYTES && progress->total > 0)
        html_put(&p->h, ", %s of %s%s", units_format_count(progress->done, done),
                 units_format_count(progress->total, total), progress->phase == PROGRESS_SAVING ? " keys" : "");
    else if (progress_unit(progress->phase) == PROGRESS_BYTES && progress->total > 0)
        html_put(&p->h, ", %s of %s", units_format_size(progress->done, done),
                 units_format_size(progress->total, total));
    else if (progress_unit(progress->phase) == PROGRESS_BYTES && progress->done > 0)
        html_put(&p->h, ", %s", units_format_size(progress->done, done));
    if (progress->stored > 0)
        html_put(&p->h, " as %s stored", units_format_size(progress->stored, stored));
}

static void
put_running(struct page *p, const struct job *job)
{
    const struct progress *progress = &job->progress;
    char took[UNITS_TEXT_MAX];
    int tenths = 0;

    html_put(&p->h, "<p class=\"line\"><strong id=\"work-l\">%s</strong> <span>%s</span></p>\n", work_name(job->kind),
             job->triggered ? "asked for by a request" : "by the schedule");
    if (progress->total > 0) {
        tenths = (int)(1000.0 * (double)progress->done / (double)progress->total);
        tenths = tenths < 0 ? 0 : tenths > 1000 ? 1000 : tenths;
        html_put(&p->h, "<progress aria-labelledby=\"work-l\" max=\"100\" value=\"%.1f\">%d %%</progress>\n",
                 tenths / 10.0, tenths / 10);
        html_put(&p->h, "<p class=\"fine\">%d %%, ", tenths / 10);
    } else {
        html_put(&p->h, "<progress aria-labelledby=\"work-l\"></progress>\n<p class=\"fine\">");
    }
    html_put(&p->h, "%s", progress_phase_name(progress->phase));
    put_done(p, progress);
    html_put(&p->h, "; for %s</p>\n", span_format(p->now_ms > job->started_ms ? p->now_ms - job->started_ms : 0, took));
}

static void
put_idle(struct page *p)
{
    static const char nothing[] = "<p class=\"line\"><strong>Nothing is running</strong></p>\n";
    int64_t next_ms = 0;
    enum work next = WORK_BACKUP;

    for (int kind = 0; kind < WORK_KINDS; kind++) {
        int64_t due_ms = p->b->kinds[kind].next_ms;

        if (due_ms != 0 && (next_ms == 0 || due_ms < next_ms)) {
            next_ms = due_ms;
            next = (enum work)kind;
        }
    }
    html_raw(&p->h, nothing, sizeof(nothing) - 1);
    html_put(&p->h, "<p class=\"fine\">");
    if (next_ms != 0) {
        html_put(&p->h, "Next: %s ", work_name(next));
        page_relative(p, next_ms);
        html_put(&p->h, ".");
    } else {
        html_put(&p->h, "%s", p->b->can_trigger ? "It starts when a request comes." : "Nothing is planned.");
    }
    html_put(&p->h, "</p>\n");
}

void
page_work(struct page *p)
{
    const struct job *running = NULL;
    const char *before = "Queued: ";

    html_put(&p->h, "<section id=\"work\" class=\"work\" aria-labelledby=\"work-h\">\n<h2 id=\"work-h\">Now</h2>\n");
    for (size_t i = 0; i < p->b->jobs.count; i++)
        if (p->b->jobs.jobs[i].state == JOB_RUNNING)
            running = &p->b->jobs.jobs[i];
    if (running != NULL)
        put_running(p, running);
    else
        put_idle(p);
    html_put(&p->h, "<p class=\"fine queue\">");
    for (size_t i = 0; i < p->b->jobs.count; i++)
        if (p->b->jobs.jobs[i].state == JOB_QUEUED) {
            html_put(&p->h, "%s%s", before, work_name(p->b->jobs.jobs[i].kind));
            before = ", then ";
        }
    html_put(&p->h, "%s</p>\n</section>\n", before[0] == 'Q' ? "The queue is empty." : ".");
}

/* The age of the last backup on a scale that ends where it is late. */
static void
put_age_bar(struct page *p, int64_t age_ms)
{
    int64_t late_ms = board_late_after_ms(p->b);
    double share, mark;
    char age[UNITS_TEXT_MAX], every[UNITS_TEXT_MAX];

    if (late_ms <= 0)
        return;
    share = age_ms < late_ms ? 100.0 * (double)age_ms / (double)late_ms : 100.0;
    mark = 100.0 * (double)p->b->expect_every_ms / (double)late_ms;
    html_put(&p->h,
             "<dd class=\"age%s\"><svg role=\"img\" aria-label=\"%s of %s\" height=\"8\" width=\"100%%\">"
             "<rect class=\"track\" y=\"2\" width=\"100%%\" height=\"4\" rx=\"2\"/>"
             "<rect class=\"fill\" y=\"2\" width=\"%.1f%%\" height=\"4\" rx=\"2\"/>"
             "<rect class=\"tick\" x=\"%.1f%%\" width=\"2\" height=\"8\"/></svg></dd>\n"
             "<dd>one is expected every %s</dd>\n",
             age_ms > late_ms ? " over" : "", span_format(age_ms, age), span_format(p->b->expect_every_ms, every),
             share, mark, every);
}

static void
put_last(struct page *p, const struct catalog_entry *latest)
{
    int64_t age_ms;

    html_put(&p->h, "<div><dt>Last good backup</dt>\n");
    if (latest == NULL) {
        html_put(&p->h, "<dd class=\"big none\">%s</dd>\n", p->b->catalog != NULL ? "None" : "Not known yet");
    } else {
        age_ms = p->now_ms - latest->snapshot_ms;
        html_put(&p->h, "<dd class=\"big\">");
        page_relative(p, latest->snapshot_ms);
        html_put(&p->h, "</dd>\n<dd>");
        page_moment(p, latest->snapshot_ms);
        html_put(&p->h, "</dd>\n");
        put_age_bar(p, age_ms > 0 ? age_ms : 0);
    }
    html_put(&p->h, "</div>\n");
}

static void
put_next(struct page *p)
{
    const struct board_kind *k = &p->b->kinds[WORK_BACKUP];

    html_put(&p->h, "<div><dt>Next backup</dt>\n");
    if (k->next_ms != 0) {
        html_put(&p->h, "<dd class=\"big\">");
        if (k->next_ms > p->now_ms)
            page_relative(p, k->next_ms);
        else
            html_put(&p->h, "due now");
        html_put(&p->h, "</dd>\n<dd>");
        page_moment(p, k->next_ms);
        html_put(&p->h, "</dd>\n");
    } else {
        html_put(&p->h, "<dd class=\"big none\">%s</dd>\n", p->b->can_trigger ? "On request" : "Not planned");
    }
    if (k->schedule[0] != '\0')
        html_put(&p->h, "<dd>schedule <code>%s</code></dd>\n", k->schedule);
    html_put(&p->h, "</div>\n");
}

static void
put_size(struct page *p, const struct catalog_entry *latest)
{
    char text[UNITS_TEXT_MAX];

    html_put(&p->h, "<div><dt>Data set</dt>\n");
    if (latest == NULL) {
        html_put(&p->h, "<dd class=\"big none\">-</dd>\n");
    } else {
        html_put(&p->h, "<dd class=\"big\">%s</dd>\n", units_format_size(latest->raw_size, text));
        html_put(&p->h, "<dd>stored as %s</dd>\n", units_format_size(latest->stored_size, text));
        html_put(&p->h, "<dd>%s keys</dd>\n", units_format_count(latest->keys, text));
    }
    html_put(&p->h, "</div>\n");
}

static const struct catalog_entry *
newest_verified(const struct catalog *c)
{
    for (size_t i = c != NULL ? c->count : 0; i > 0; i--)
        if (c->entries[i - 1].state == CATALOG_WHOLE && c->entries[i - 1].verified_ms != 0)
            return &c->entries[i - 1];
    return NULL;
}

/* By what E was found good, and when: the strongest proof, and a later one that is weaker. */
static void
put_proof(struct page *p, const struct catalog_entry *e)
{
    if (e->loaded_ms != 0) {
        html_put(&p->h, "<dd>loaded by %s, ", e->loaded_by);
        page_relative(p, e->loaded_ms);
        html_put(&p->h, "</dd>\n");
    }
    if (e->verified_ms != e->loaded_ms) {
        html_put(&p->h, "<dd>%s checked ", e->verified_level);
        page_relative(p, e->verified_ms);
        html_put(&p->h, "</dd>\n");
    }
}

static void
put_verified(struct page *p, const struct catalog_entry *latest)
{
    const struct catalog_entry *e = newest_verified(p->b->catalog);

    html_put(&p->h, "<div><dt>Last verified backup</dt>\n");
    if (e == NULL) {
        html_put(&p->h, "<dd class=\"big none\">None</dd>\n<dd>%s</dd>\n",
                 latest != NULL ? "no backup was read back yet" : "there is nothing to verify");
    } else {
        html_put(&p->h, "<dd class=\"big\">");
        page_relative(p, entry_ms(e));
        html_put(&p->h, "</dd>\n<dd>");
        page_moment(p, entry_ms(e));
        html_put(&p->h, "%s</dd>\n", e == latest ? ", the last one" : "");
        put_proof(p, e);
    }
    html_put(&p->h, "</div>\n");
}

void
page_figures(struct page *p)
{
    const struct catalog_entry *latest = board_latest(p->b);

    html_put(&p->h, "<section id=\"figures\" class=\"figures\" aria-labelledby=\"figures-h\">\n"
                    "<h2 id=\"figures-h\" class=\"unseen\">The last and the next backup</h2>\n<dl>\n");
    put_last(p, latest);
    put_next(p);
    put_size(p, latest);
    put_verified(p, latest);
    html_put(&p->h, "</dl>\n</section>\n");
}
