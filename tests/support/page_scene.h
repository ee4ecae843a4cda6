/* SPDX-License-Identifier: Apache-2.0 */
/* page_scene.h: boards as they are in each state that people may see, with data as real ones have it: for the tests of
 * the status page and for its screenshots. The same at every run. */
#ifndef TESTS_SUPPORT_PAGE_SCENE_H
#define TESTS_SUPPORT_PAGE_SCENE_H

#include <stdint.h>

#include "agent/sidecar/board.h"

#define PAGE_SCENE_NOW_MS INT64_C(1795430530000) /* 2026-11-23T10:42:10Z */

/* "healthy", "late"...; NULL behind the last. */
const char *page_scene_name(unsigned i);

/* The board of that name; NULL: no such scene. End it with page_scene_free(). */
struct board *page_scene_new(const char *name);
void page_scene_free(struct board *b);

/* One more backup, AGE_MS old, the newest; its figures grow with time. */
struct catalog_entry *page_scene_add(struct board *b, int64_t age_ms);

#endif
