/* SPDX-License-Identifier: Apache-2.0 */
/*
 * page_html.h: writes HTML and SVG to memory, so that what comes from outside can only ever become text.
 *
 * Invariant: every %s is escaped, also within quoted attributes; markup comes from formats alone, which are literals of
 * ours. Bytes that are no UTF-8, and control characters, become U+FFFD.
 */
#ifndef AGENT_SIDECAR_PAGE_HTML_H
#define AGENT_SIDECAR_PAGE_HTML_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/compiler.h"

struct html {
    struct buf *out;
    bool full; /* something had no room: what is there must not be shown */
};

/* FORMAT is markup; of conversions it may have %s (escaped), %d, %zu, %.1f and %%. */
void html_put(struct html *h, const char *format, ...) PRINTF_LIKE(2, 3);

/* Markup as it is: a literal, or a file of ours. */
void html_raw(struct html *h, const char *markup, size_t len);

#endif
