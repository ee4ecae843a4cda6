/* SPDX-License-Identifier: Apache-2.0 */
/* travel_case.h: a backup in one repository in memory and another repository for it to go to: what the tests of copy
 * and import begin with. */
#ifndef TESTS_SUPPORT_TRAVEL_CASE_H
#define TESTS_SUPPORT_TRAVEL_CASE_H

#include "tests/support/repo_case.h"

#define TRAVEL_TO       "elsewhere" /* the instance it goes to */
#define TRAVEL_SEGMENTS 4

struct travel_case {
    struct repo_case from, to;
    struct backup_id id;
};

/* A small backup of TRAVEL_SEGMENTS segments in FROM's CASE_INSTANCE. */
void travel_case_open(struct travel_case *t);
void travel_case_close(struct travel_case *t);

/* Keys of the backup in FROM, or with TO in the other place. */
struct layout_key travel_case_manifest(const struct travel_case *t, bool to);
struct layout_key travel_case_index(const struct travel_case *t, bool to);
struct layout_key travel_case_segment(const struct travel_case *t, bool to, uint64_t n);

/* Is it in its new place? If so its objects are those of FROM, byte for byte, or the test fails. */
bool travel_case_arrived(const struct travel_case *t);
/* How many of its segments are there. */
size_t travel_case_segments(const struct travel_case *t);
/* Take it away from there. */
void travel_case_clear(const struct travel_case *t);

/* Put TEXT in place of WHAT in the manifest in FROM, whose digest stays good. */
void travel_case_forge(const struct travel_case *t, const char *what, const char *text);

#endif
