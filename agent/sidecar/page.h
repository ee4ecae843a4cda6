/* SPDX-License-Identifier: Apache-2.0 */
/*
 * page.h: the status page for people: one page that needs nothing else, a pure function of the board. It is complete
 * without JavaScript; its script asks for the page again and puts the parts that changed in place.
 *
 * The page's size is bounded, whatever the board holds: backups are drawn in at most PAGE_BINS bars.
 */
#ifndef AGENT_SIDECAR_PAGE_H
#define AGENT_SIDECAR_PAGE_H

#include <stdint.h>

#include "agent/sidecar/board.h"
#include "base/buf.h"

#define PAGE_MAX  ((size_t)256 << 10)
#define PAGE_BINS 60

/* The page as of NOW_MS, appended to OUT; with the board's lock held. ERR_NO_SPACE: OUT's ceiling is below PAGE_MAX. */
int page_write(const struct board *b, int64_t now_ms, struct buf *out, struct err *err) MUST_CHECK;

/* Its Content-Security-Policy: its own style and script by their digests, requests to where it came from, and nothing
 * else. */
const char *page_policy(void);

#endif
