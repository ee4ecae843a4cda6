/* SPDX-License-Identifier: Apache-2.0 */
/* prune_scene.c: see prune_scene.h. */
#include "tests/support/prune_scene.h"

#include <string.h>

#include "base/clock.h"
#include "snapshot/repo/catalog.h"
#include "snapshot/verify.h"
#include "storage/store_fault.h"
#include "tests/support/test_common.h"

void
prune_scene_begin(struct prune_scene *s, size_t count, uint64_t keep_last, uint64_t min_good)
{
    int64_t newest_s = clock_wall_ms() / 1000 - 3600;

    assert_true(count <= PRUNE_SCENE_MAX);
    memset(s, 0, sizeof(*s));
    repo_case_open(&s->c);
    for (size_t i = 0; i < count; i++) {
        struct rdb_build dump;
        struct manifest *m;

        repo_case_dump(&dump, CASE_SEGMENT + 500, newest_s - (int64_t)(count - 1 - i) * 86400);
        m = repo_case_backup(&s->c, &dump);
        s->ids[s->count++] = m->id;
        manifest_free(m);
        rdb_build_fini(&dump);
    }
    s->options = (struct prune_options){.policy = {.last = keep_last, .min_good = min_good},
                                        .orphan_age_ms = PRUNE_SCENE_DAY,
                                        .tool_version = "0.0.test"};
    store_fault_reset_counts(s->c.store);
}

void
prune_scene_end(struct prune_scene *s)
{
    repo_case_close(&s->c);
}

void
prune_scene_fact(struct prune_scene *s, enum layout_fact kind, size_t i)
{
    struct err err = ERR_INIT;

    assert_ok(fact_put(&s->c.repo, CASE_INSTANCE, kind, &s->ids[i], NULL, "0.0.test", &err), &err);
}

void
prune_scene_remove_segment(struct prune_scene *s, size_t i)
{
    struct layout_key key;

    layout_segment(&key, CASE_INSTANCE, &s->ids[i], LAYOUT_MEMBER_RDB, 1);
    repo_case_remove(s->c.mem, key.text);
}

struct prune_plan *
prune_scene_plan(struct prune_scene *s)
{
    struct prune_plan *plan = NULL;
    struct err err = ERR_INIT;

    assert_ok(prune_plan_make(&s->c.repo, CASE_INSTANCE, &s->options, &plan, &err), &err);
    return plan;
}

int
prune_scene_apply(struct prune_scene *s, struct prune_plan *plan, struct err *err)
{
    return prune_plan_apply(&s->c.repo, CASE_INSTANCE, plan, err);
}

void
prune_scene_actions_are(const struct prune_plan *plan, const char *want)
{
    char got[PRUNE_SCENE_MAX + 1] = "";

    for (size_t i = 0; i < plan->backup_count; i++) {
        got[i] = prune_action_name(plan->backups[i].action)[0];
        assert_true(plan->backups[i].why[0] != '\0');
    }
    assert_string_equal(got, want);
}

void
prune_scene_plan_is(struct prune_scene *s, const char *want)
{
    struct prune_plan *plan = prune_scene_plan(s);

    prune_scene_actions_are(plan, want);
    prune_plan_free(plan);
}

void
prune_scene_there_are(struct prune_scene *s, const char *want)
{
    char got[PRUNE_SCENE_MAX + 1] = "";
    struct err err = ERR_INIT;
    struct manifest *m;

    for (size_t i = 0; i < s->count; i++) {
        m = NULL;
        got[i] = catalog_find(&s->c.repo, CASE_INSTANCE, s->ids[i].text, NULL, NULL, &m, &err) == 0 ? '1' : '0';
        if (got[i] == '1')
            assert_ok(verify_backup(&s->c.repo, m, VERIFY_DIGESTS, &case_reading, &err), &err);
        manifest_free(m);
        err_clear(&err);
    }
    assert_string_equal(got, want);
}

void
prune_scene_pass(struct prune_scene *s, int64_t ms)
{
    store_fault_shift_times(s->c.store, -ms, 0);
}
