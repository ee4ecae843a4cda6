/* SPDX-License-Identifier: Apache-2.0 */
/* page_words.h: how the page says times, and the marks of a backup. */
#ifndef AGENT_SIDECAR_PAGE_WORDS_H
#define AGENT_SIDECAR_PAGE_WORDS_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/sidecar/page_parts.h"
#include "base/units.h"

/* A moment seen from NOW_MS: "12 minutes ago", "in 1 h 5 min", "just now". Returns OUT. */
const char *words_relative(int64_t ms, int64_t now_ms, char out[UNITS_TEXT_MAX]);

/* "22 Nov 10:30" or, of another year than NOW_MS, "22 Nov 2025 10:30"; UTC. Returns OUT. */
const char *words_moment(int64_t ms, int64_t now_ms, char out[UNITS_TEXT_MAX]);

/* "Nov": month 0 is January. */
const char *words_month(int month);

/* <time> elements: the moment, to which the script adds the viewer's own time, and how long ago it was. */
void page_moment(struct page *p, int64_t ms);
void page_relative(struct page *p, int64_t ms);

/* TEXT, with what stands between two backticks as code. */
void page_prose(struct page *p, const char *text);

/* When the backup was taken: by its manifest, or by its id where that cannot be read. */
int64_t entry_ms(const struct catalog_entry *e);
/* Marked suspicious, and nobody has looked at it. */
bool entry_is_suspicious(const struct catalog_entry *e);

/* The shape of a mark, in a drawing that follows the text's size: "verified", "loaded", "suspicious", "held",
 * "damaged". */
void page_mark(struct page *p, const char *mark);

#endif
