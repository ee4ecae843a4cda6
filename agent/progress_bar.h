/* SPDX-License-Identifier: Apache-2.0 */
/*
 * progress_bar.h: how far the work is, on stderr: a bar on a terminal, redrawn at most ten times a second and cleared
 * while a log line is written; or a log line every five seconds; or nothing. And to the agent that runs this process,
 * where one does (tell.h).
 *
 * Invariant: one at a time in a process (the log has one hook). The sink is called from one thread; log lines may come
 * from any.
 */
#ifndef AGENT_PROGRESS_BAR_H
#define AGENT_PROGRESS_BAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/config.h"
#include "snapshot/progress.h"

#define PROGRESS_BAR_WIDTH_MAX 200

struct progress_bar;

/* Show progress as CONFIG wants it. Never NULL. */
struct progress_bar *progress_bar_new(const struct config *config);
/* Takes the bar off the terminal. NULL is fine. */
void progress_bar_free(struct progress_bar *bar);

/* Where the work tells its progress; valid until progress_bar_free(). */
struct progress_sink progress_bar_sink(struct progress_bar *bar);

/* Pure: the bar as one line of at most WIDTH columns (at least 20) after ELAPSED_MS in this phase. OUT holds
 * PROGRESS_BAR_WIDTH_MAX + 1 bytes. What does not fit is left out, the least important first. */
void progress_bar_render(const struct progress *p, int64_t elapsed_ms, unsigned width, char *out);

/* Pure: milliseconds until the end of the phase, at the pace so far; -1: cannot be said. */
int64_t progress_bar_eta_ms(const struct progress *p, int64_t elapsed_ms);

/* "storing": the phase in words. "": no phase has this number. */
const char *progress_phase_name(enum progress_phase phase);
/* The reverse; false, and *PHASE untouched, for any other word. */
bool progress_phase_find(const char *name, enum progress_phase *phase);

#endif
