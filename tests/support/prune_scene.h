/* SPDX-License-Identifier: Apache-2.0 */
/* prune_scene.h: a repository in memory with a backup a day, and plans of it: what the tests of prune.h begin with. */
#ifndef TESTS_SUPPORT_PRUNE_SCENE_H
#define TESTS_SUPPORT_PRUNE_SCENE_H

#include <stddef.h>
#include <stdint.h>

#include "snapshot/prune/prune.h"
#include "snapshot/repo/fact.h"
#include "tests/support/repo_case.h"

#define PRUNE_SCENE_MAX 40
#define PRUNE_SCENE_DAY INT64_C(86400000) /* ms */

/* The oldest backup first; the newest is an hour old. */
struct prune_scene {
    struct repo_case c;
    struct backup_id ids[PRUNE_SCENE_MAX];
    size_t count;
    struct prune_options options;
};

/* COUNT backups of two segments and an index each, and a policy. */
void prune_scene_begin(struct prune_scene *s, size_t count, uint64_t keep_last, uint64_t min_good);
void prune_scene_end(struct prune_scene *s);

/* Put a fact about backup number I; take one of its segments away. */
void prune_scene_fact(struct prune_scene *s, enum layout_fact kind, size_t i);
void prune_scene_remove_segment(struct prune_scene *s, size_t i);

/* A plan, which must come about; prune_plan_free(). And what becomes of it. */
struct prune_plan *prune_scene_plan(struct prune_scene *s);
int prune_scene_apply(struct prune_scene *s, struct prune_plan *plan, struct err *err) MUST_CHECK;

/* The first letters of the actions, oldest backup first: k r h n. Each has a reason. */
void prune_scene_actions_are(const struct prune_plan *plan, const char *want);
void prune_scene_plan_is(struct prune_scene *s, const char *want);

/* Which of the scene's backups there are, as '1' and '0'; every one of them has all its objects. */
void prune_scene_there_are(struct prune_scene *s, const char *want);

/* As if what is there had been put so much earlier. */
void prune_scene_pass(struct prune_scene *s, int64_t ms);

#endif
