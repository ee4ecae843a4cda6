/* SPDX-License-Identifier: Apache-2.0 */
/* progress_bar.c: see progress_bar.h. The mutex guards what is on the terminal; it is taken under the log's own mutex
 * (in the hook), so nothing is logged while it is held. */
#include "agent/progress_bar.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "agent/tell.h"
#include "base/clock.h"
#include "base/compiler.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/units.h"

#define BAR_EVERY_MS   100
#define LINE_EVERY_MS  5000
#define SETTLE_MS      1000 /* no pace is told before: the first figures mislead */
#define CLEAR_LINE     "\r\033[K"
#define DEFAULT_COLUMN 80
#define BAR_CELLS_MIN  10
#define BAR_CELLS_MAX  40
#define PART_MAX       100

enum style { STYLE_NONE, STYLE_LINES, STYLE_BAR };

struct progress_bar {
    enum style style;
    enum progress_phase phase;
    uint64_t last_done;
    int64_t phase_ms; /* when this phase began */
    int64_t shown_ms; /* when something was shown last */
    bool started;
    pthread_mutex_t mutex;                 /* guards what follows and the terminal's line */
    char line[PROGRESS_BAR_WIDTH_MAX + 1]; /* what stands on the terminal; "": nothing */
};

static const char *const phase_names[] = {
    [PROGRESS_WAITING] = "waiting",       [PROGRESS_SAVING] = "saving",       [PROGRESS_STORING] = "storing",
    [PROGRESS_PUBLISHING] = "publishing", [PROGRESS_RESTORING] = "restoring", [PROGRESS_VERIFYING] = "verifying",
    [PROGRESS_LOADING] = "loading",       [PROGRESS_COPYING] = "copying",     [PROGRESS_EXPORTING] = "exporting",
    [PROGRESS_LISTING] = "listing",       [PROGRESS_CHECKING] = "checking",   [PROGRESS_REMOVING] = "removing",
};

const char *
progress_phase_name(enum progress_phase phase)
{
    return (size_t)phase < ARRAY_LEN(phase_names) ? phase_names[phase] : "";
}

bool
progress_phase_find(const char *name, enum progress_phase *phase)
{
    for (size_t i = 0; i < ARRAY_LEN(phase_names); i++) {
        if (strcmp(phase_names[i], name) == 0) {
            *phase = (enum progress_phase)i;
            return true;
        }
    }
    return false;
}

int64_t
progress_bar_eta_ms(const struct progress *p, int64_t elapsed_ms)
{
    double left;

    if (p->total == 0 || p->done == 0 || p->done > p->total || elapsed_ms < SETTLE_MS)
        return -1;
    left = (double)elapsed_ms * (double)(p->total - p->done) / (double)p->done;
    return left < 1e15 ? (int64_t)left : -1;
}

/* Percent done, 0 to 100; a total that turned out too small is 100. */
static unsigned
percent(const struct progress *p)
{
    if (p->done >= p->total)
        return 100;
    return (unsigned)((double)p->done * 100.0 / (double)p->total);
}

/* "1.2 GiB of 2.6 GiB", or keys while the server saves, or a count; "" without figures. */
static void
format_amount(const struct progress *p, char *out, size_t size)
{
    char done[UNITS_TEXT_MAX], total[UNITS_TEXT_MAX];
    const enum progress_unit unit = progress_unit(p->phase);
    const char *(*format)(uint64_t, char *) = unit == PROGRESS_BYTES ? units_format_size : units_format_count;
    const char *what = unit == PROGRESS_KEYS ? " keys" : "";

    *out = '\0';
    if (p->done == 0 && p->total == 0)
        return;
    if (p->total > 0)
        (void)snprintf(out, size, "%s of %s%s", format(p->done, done), format(p->total, total), what);
    else
        (void)snprintf(out, size, "%s%s", format(p->done, done), what);
}

static void
format_rate(const struct progress *p, int64_t elapsed_ms, char *out, size_t size)
{
    char text[UNITS_TEXT_MAX];

    *out = '\0';
    if (progress_unit(p->phase) != PROGRESS_BYTES || p->done == 0 || elapsed_ms < SETTLE_MS)
        return;
    (void)snprintf(out, size, "%s/s",
                   units_format_size((uint64_t)((double)p->done * 1000.0 / (double)elapsed_ms), text));
}

/* "[####......]  45%" in exactly ROOM columns, or "" when that is too little for a bar. */
static void
format_bar(unsigned done_percent, unsigned room, char *out)
{
    unsigned cells = room > 7 ? room - 7 : 0, full;

    *out = '\0';
    if (cells < BAR_CELLS_MIN)
        return;
    cells = cells < BAR_CELLS_MAX ? cells : BAR_CELLS_MAX;
    full = cells * done_percent / 100;
    *out++ = '[';
    memset(out, '#', full);
    memset(out + full, '.', cells - full);
    (void)snprintf(out + cells, 7, "] %3u%%", done_percent);
}

void
progress_bar_render(const struct progress *p, int64_t elapsed_ms, unsigned width, char *out)
{
    char parts[4][PART_MAX]; /* the phase, the amount, the pace, the time left */
    char eta[UNITS_TEXT_MAX], bar[BAR_CELLS_MAX + 16] = "";
    int64_t eta_ms = progress_bar_eta_ms(p, elapsed_ms);
    unsigned used = 0;

    width = width < PROGRESS_BAR_WIDTH_MAX ? width : PROGRESS_BAR_WIDTH_MAX;
    (void)snprintf(parts[0], sizeof(parts[0]), "%s", progress_phase_name(p->phase));
    format_amount(p, parts[1], sizeof(parts[1]));
    format_rate(p, elapsed_ms, parts[2], sizeof(parts[2]));
    parts[3][0] = '\0';
    if (eta_ms >= 0)
        (void)snprintf(parts[3], sizeof(parts[3]), "%s left", units_format_duration(eta_ms, eta));
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        size_t len = strlen(parts[i]) + (i > 0 ? 2 : 0);

        if (used + len > width)
            parts[i][0] = '\0';
        else if (parts[i][0] != '\0')
            used += (unsigned)len;
    }
    if (p->total > 0 && width > used + 2)
        format_bar(percent(p), width - used - 2, bar);
    used = (unsigned)snprintf(out, width + 1, "%.*s", (int)width, parts[0]);
    if (*bar != '\0')
        used += (unsigned)snprintf(out + used, width + 1 - used, "  %s", bar);
    for (size_t i = 1; i < ARRAY_LEN(parts); i++)
        if (parts[i][0] != '\0')
            used += (unsigned)snprintf(out + used, width + 1 - used, "  %s", parts[i]);
}

static void
put_terminal(const char *text)
{
    (void)!write(STDERR_FILENO, text, strlen(text)); /* a terminal that went away: nobody looks */
}

/* Takes the bar away before a log line and puts it back after. */
static void
around_log_line(bool before, void *cookie)
{
    struct progress_bar *bar = cookie;

    (void)pthread_mutex_lock(&bar->mutex);
    if (bar->line[0] != '\0')
        put_terminal(before ? CLEAR_LINE : bar->line);
    (void)pthread_mutex_unlock(&bar->mutex);
}

static unsigned
terminal_width(void)
{
    struct winsize size = {0};

    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < 21)
        return DEFAULT_COLUMN - 1;
    return size.ws_col - 1u; /* the last column would wrap on some terminals */
}

static void
draw(struct progress_bar *bar, const struct progress *p, int64_t elapsed_ms)
{
    char both[sizeof(CLEAR_LINE) + sizeof(bar->line)];

    (void)pthread_mutex_lock(&bar->mutex);
    progress_bar_render(p, elapsed_ms, terminal_width(), bar->line);
    (void)snprintf(both, sizeof(both), "%s%s", CLEAR_LINE, bar->line);
    put_terminal(both);
    (void)pthread_mutex_unlock(&bar->mutex);
}

static void
log_line(const struct progress *p, int64_t elapsed_ms)
{
    char amount[PART_MAX], rate[PART_MAX], left[UNITS_TEXT_MAX] = "";
    int64_t eta_ms = progress_bar_eta_ms(p, elapsed_ms);

    format_amount(p, amount, sizeof(amount));
    format_rate(p, elapsed_ms, rate, sizeof(rate));
    if (eta_ms >= 0)
        (void)units_format_duration(eta_ms, left);
    if (p->total > 0)
        log_info("progress", LOG_S("phase", progress_phase_name(p->phase)), LOG_U("percent", percent(p)),
                 LOG_S("done", amount), LOG_S("rate", rate), LOG_S("left", left));
    else
        log_info("progress", LOG_S("phase", progress_phase_name(p->phase)), LOG_S("done", amount), LOG_S("rate", rate));
}

static void
on_progress(const struct progress *p, void *cookie)
{
    struct progress_bar *bar = cookie;
    int64_t now = clock_mono_ms();
    bool new_phase = !bar->started || p->phase != bar->phase || p->done < bar->last_done;

    tell_progress(p);
    bar->last_done = p->done;
    if (new_phase) {
        bar->phase_ms = now;
        if (bar->style == STYLE_BAR)
            bar->shown_ms = 0; /* a bar shows a new phase at once */
        bar->phase = p->phase;
        bar->started = true;
    }
    if (bar->style == STYLE_NONE || now - bar->shown_ms < (bar->style == STYLE_BAR ? BAR_EVERY_MS : LINE_EVERY_MS))
        return;
    bar->shown_ms = now;
    if (bar->style == STYLE_BAR)
        draw(bar, p, now - bar->phase_ms);
    else
        log_line(p, now - bar->phase_ms);
}

static enum style
choose_style(const struct config *config)
{
    const char *term = getenv("TERM");

    if (config->progress == SHOW_NEVER)
        return STYLE_NONE;
    if (config->progress == SHOW_ALWAYS)
        return STYLE_BAR;
    if (config->log_format == LOG_JSON || !isatty(STDERR_FILENO) || term == NULL || strcmp(term, "dumb") == 0)
        return STYLE_LINES;
    return STYLE_BAR;
}

struct progress_bar *
progress_bar_new(const struct config *config)
{
    struct progress_bar *bar = mem_new(sizeof(*bar));

    bar->style = choose_style(config);
    bar->shown_ms = clock_mono_ms(); /* short work needs no lines */
    REQUIRE(pthread_mutex_init(&bar->mutex, NULL) == 0);
    if (bar->style == STYLE_BAR)
        log_set_hook(around_log_line, bar);
    return bar;
}

void
progress_bar_free(struct progress_bar *bar)
{
    if (bar == NULL)
        return;
    if (bar->style == STYLE_BAR)
        log_set_hook(NULL, NULL);
    if (bar->line[0] != '\0')
        put_terminal(CLEAR_LINE);
    (void)pthread_mutex_destroy(&bar->mutex);
    free(bar);
}

struct progress_sink
progress_bar_sink(struct progress_bar *bar)
{
    return (struct progress_sink){.fn = bar->style != STYLE_NONE || tell_is_on() ? on_progress : NULL, .cookie = bar};
}
