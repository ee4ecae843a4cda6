/* SPDX-License-Identifier: Apache-2.0 */
/* test_removal_data.c: what is left of a backup goes when nobody can need it any more, whatever others do meanwhile. */
#include "snapshot/prune/removal.h"

#include <stdlib.h>
#include <string.h>

#include "snapshot/repo/fact.h"
#include "snapshot/repo/publish.h"
#include "tests/support/prune_case.h"
#include "tests/support/test_common.h"

static struct prune_case here;

static int
setup(void **state)
{
    (void)state;
    prune_case_open(&here);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    prune_case_close(&here);
    return 0;
}

static enum removal_outcome
remove_orphan(int64_t age_ms, uint64_t *objects)
{
    enum removal_outcome outcome = REMOVAL_KEPT;
    struct err err = ERR_INIT;

    assert_ok(removal_of_orphan(&here.at.repo, CASE_INSTANCE, &here.id, age_ms, &outcome, objects, &err), &err);
    return outcome;
}

static enum removal_outcome
remove_stale_note(void)
{
    enum removal_outcome outcome = REMOVAL_DONE;
    struct err err = ERR_INIT;

    assert_ok(removal_of_stale_note(&here.at.repo, CASE_INSTANCE, &here.id, &outcome, &err), &err);
    return outcome;
}

static enum removal_outcome
remove_facts(void)
{
    enum removal_outcome outcome = REMOVAL_DONE;
    struct err err = ERR_INIT;

    assert_ok(removal_of_facts(&here.at.repo, CASE_INSTANCE, &here.id, 0, &outcome, &err), &err);
    return outcome;
}

/* Another prune removes what is left of the same backup. */
static void
remove_as_another(struct prune_case *p)
{
    enum removal_outcome outcome;
    struct err err = ERR_INIT;
    uint64_t objects = 0;

    assert_ok(removal_of_data(&p->behind, CASE_INSTANCE, &p->id, &outcome, &objects, &err), &err);
}

/* What an importer (copy, import) does with young remains: it puts one segment anew. */
static void
refresh_segment(struct prune_case *p)
{
    prune_case_data(p, 1);
}

/* ---- the data ---- */

/* A backup whose manifest went at hour 0. */
static void
removed_backup(unsigned segments)
{
    prune_case_manifest(&here);
    prune_case_data(&here, segments);
    prune_case_fact(&here, LAYOUT_VERIFIED);
    prune_case_fact(&here, LAYOUT_ACCEPTED);
    assert_int_equal(prune_case_remove_manifest(&here), REMOVAL_DONE);
    prune_case_fact(&here, LAYOUT_HOLD); /* came too late */
}

static void
removal_of_data__young_note__keeps_all(void **state)
{
    uint64_t objects = 7;

    (void)state;
    removed_backup(3);
    prune_case_travel(&here, 23);
    assert_int_equal(prune_case_remove_data(&here, &objects), REMOVAL_KEPT);
    assert_int_equal(objects, 0);
    assert_int_equal(prune_case_count_data(&here), 3);
}

static void
removal_of_data__day_old_note__data_then_facts_then_note(void **state)
{
    uint64_t objects = 0;

    (void)state;
    removed_backup(3);
    prune_case_travel(&here, 24);
    assert_int_equal(prune_case_remove_data(&here, &objects), REMOVAL_DONE);
    assert_int_equal(objects, 3);
    assert_int_equal(prune_case_count_data(&here), 0);
    assert_int_equal(prune_case_count(&here), 4); /* three facts and the note */
    prune_case_when(&here, STORE_CALL_REMOVE, "/expired/", 1, prune_case_put_hold);
    assert_int_equal(prune_case_remove_data(&here, &objects), REMOVAL_DONE);
    assert_int_equal(objects, 0);
    assert_true(here.acted); /* when the note goes, the facts have gone: only what the hook put is there */
    assert_int_equal(prune_case_count(&here), 1);
}

static void
removal_of_data__many_pages__all_go(void **state)
{
    uint64_t objects = 0;

    (void)state;
    removed_backup(2 * STORE_REMOVE_MAX + 5);
    prune_case_travel(&here, 24);
    assert_int_equal(prune_case_remove_data(&here, &objects), REMOVAL_DONE);
    assert_int_equal(objects, 2 * STORE_REMOVE_MAX + 5);
    assert_int_equal(prune_case_count_data(&here), 0);
}

static void
removal_of_data__manifest_there__keeps_all(void **state)
{
    uint64_t objects = 0;

    (void)state;
    prune_case_manifest(&here);
    prune_case_data(&here, 3);
    prune_case_fact(&here, LAYOUT_EXPIRED);
    prune_case_travel(&here, 1000);
    assert_int_equal(prune_case_remove_data(&here, &objects), REMOVAL_KEPT);
    assert_int_equal(prune_case_count(&here), 5);
}

static void
removal_of_data__without_a_note__keeps_all(void **state)
{
    uint64_t objects = 0;

    (void)state;
    prune_case_data(&here, 3);
    prune_case_travel(&here, 1000);
    assert_int_equal(prune_case_remove_data(&here, &objects), REMOVAL_KEPT);
    assert_int_equal(prune_case_count_data(&here), 3);
}

static void
removal_of_data__manifest_comes_between_batches__stops(void **state)
{
    uint64_t objects = 0;

    (void)state;
    removed_backup(2 * STORE_REMOVE_MAX);
    prune_case_travel(&here, 24);
    prune_case_when(&here, STORE_CALL_LIST, "/data/", 3, prune_case_manifest); /* survey, first page, second page */
    assert_int_equal(prune_case_remove_data(&here, &objects), REMOVAL_KEPT);
    assert_int_equal(objects, STORE_REMOVE_MAX);
    assert_int_equal(prune_case_count_data(&here), STORE_REMOVE_MAX);
}

/* An importer's segment: its publication may come within the next 12 hours. */
static void
removal_of_data__young_segment__keeps_all(void **state)
{
    uint64_t objects = 0;

    (void)state;
    removed_backup(3);
    prune_case_travel(&here, 20);
    refresh_segment(&here);
    prune_case_travel(&here, 40);
    assert_int_equal(prune_case_remove_data(&here, &objects), REMOVAL_KEPT);
    assert_int_equal(prune_case_count_data(&here), 3);
    prune_case_travel(&here, 44);
    assert_int_equal(prune_case_remove_data(&here, &objects), REMOVAL_DONE);
    assert_int_equal(objects, 3);
}

static void
removal_of_data__segment_comes_before_the_batch__stops(void **state)
{
    uint64_t objects = 0;

    (void)state;
    removed_backup(3);
    prune_case_travel(&here, 24);
    prune_case_when(&here, STORE_CALL_LIST, "/data/", 2, refresh_segment);
    assert_int_equal(prune_case_remove_data(&here, &objects), REMOVAL_KEPT);
    assert_true(here.acted);
    assert_int_equal(prune_case_count_data(&here), 3);
}

static void
removal_of_data__note_put_anew__waits_another_day(void **state)
{
    uint64_t objects = 0;

    (void)state;
    removed_backup(3);
    prune_case_travel(&here, 24);
    prune_case_when(&here, STORE_CALL_STAT, "/expired/", 2, prune_case_put_note);
    assert_int_equal(prune_case_remove_data(&here, &objects), REMOVAL_KEPT);
    assert_true(here.acted);
    assert_int_equal(prune_case_count_data(&here), 3);
}

static void
removal_of_data__two_at_once__note_stays_while_removals_may_be_under_way(void **state)
{
    uint64_t objects = 0;

    (void)state;
    for (unsigned nth = 1; nth <= 12; nth++) {
        prune_case_travel(&here, 0);
        removed_backup(3);
        prune_case_travel(&here, 24);
        prune_case_when(&here, STORE_CALL_ANY, NULL, nth, remove_as_another);
        assert_int_not_equal(prune_case_remove_data(&here, &objects), REMOVAL_NOT_YET);
        assert_int_equal(prune_case_count_data(&here), 0);
        /* The other one came before our last look, or has left the note: no importer was let in between. */
        assert_true(!here.acted || nth <= 4 || prune_case_has_fact(&here, LAYOUT_EXPIRED));
        prune_case_when(&here, STORE_CALL_ANY, NULL, 0, NULL);
        while (prune_case_has_fact(&here, LAYOUT_EXPIRED))
            assert_int_equal(prune_case_remove_data(&here, &objects), REMOVAL_DONE);
        assert_int_equal(prune_case_count(&here), 0);
    }
}

static void
removal_of_data__locked__not_yet_then_done(void **state)
{
    enum removal_outcome outcome = REMOVAL_DONE;
    struct err err = ERR_INIT;
    uint64_t objects = 0;

    (void)state;
    removed_backup(3);
    prune_case_travel(&here, 24);
    store_fault_add(
        here.at.store,
        &(struct store_fault){
            .call = STORE_CALL_REMOVE, .what = STORE_FAULT_FAIL, .code = ERR_LOCKED, .key = "00000001", .times = 1});
    assert_ok(removal_of_data(&here.at.repo, CASE_INSTANCE, &here.id, &outcome, &objects, &err), &err);
    assert_int_equal(outcome, REMOVAL_NOT_YET);
    assert_int_equal(err.code, ERR_LOCKED);
    assert_true(prune_case_has_fact(&here, LAYOUT_EXPIRED));
    assert_int_equal(prune_case_remove_data(&here, &objects), REMOVAL_DONE);
    assert_int_equal(prune_case_count_data(&here), 0);
    assert_int_equal(prune_case_remove_data(&here, &objects), REMOVAL_DONE);
    assert_int_equal(prune_case_count(&here), 0);
}

/* ---- orphans ---- */

static void
removal_of_orphan__young__keeps_all(void **state)
{
    uint64_t objects = 0;

    (void)state;
    prune_case_data(&here, 3);
    prune_case_travel(&here, 23);
    assert_int_equal(remove_orphan(0, &objects), REMOVAL_KEPT); /* less than a day counts as a day */
    prune_case_travel(&here, 30);
    assert_int_equal(remove_orphan(48 * PRUNE_HOUR, &objects), REMOVAL_KEPT);
    assert_int_equal(prune_case_count_data(&here), 3);
}

static void
removal_of_orphan__old__goes(void **state)
{
    uint64_t objects = 0;

    (void)state;
    prune_case_data(&here, 3);
    prune_case_travel(&here, 24);
    assert_int_equal(remove_orphan(0, &objects), REMOVAL_DONE);
    assert_int_equal(objects, 3);
    assert_int_equal(prune_case_count(&here), 0);
}

static void
removal_of_orphan__one_young_segment__keeps_all(void **state)
{
    uint64_t objects = 0;

    (void)state;
    prune_case_data(&here, 3);
    prune_case_travel(&here, 12);
    refresh_segment(&here);
    prune_case_travel(&here, 35);
    assert_int_equal(remove_orphan(0, &objects), REMOVAL_KEPT);
    assert_int_equal(prune_case_count_data(&here), 3);
}

static void
removal_of_orphan__manifest_or_note__keeps_all(void **state)
{
    uint64_t objects = 0;

    (void)state;
    prune_case_data(&here, 3);
    prune_case_fact(&here, LAYOUT_EXPIRED);
    prune_case_travel(&here, 24);
    assert_int_equal(remove_orphan(0, &objects), REMOVAL_KEPT);
    prune_case_take_note(&here);
    prune_case_manifest(&here);
    assert_int_equal(remove_orphan(0, &objects), REMOVAL_KEPT);
    assert_int_equal(prune_case_count_data(&here), 3);
}

static void
removal_of_orphan__listing_hides_the_manifest__keeps_all(void **state)
{
    uint64_t objects = 0;

    (void)state;
    prune_case_data(&here, 3);
    prune_case_manifest(&here);
    prune_case_travel(&here, 24);
    store_fault_add(here.at.store, &(struct store_fault){.what = STORE_FAULT_HIDE, .key = "/backups/"});
    assert_int_equal(remove_orphan(0, &objects), REMOVAL_KEPT);
    assert_int_equal(prune_case_count_data(&here), 3);
}

static void
removal_of_orphan__stat_of_manifest_fails__is_an_error(void **state)
{
    enum removal_outcome outcome;
    struct err err = ERR_INIT;
    uint64_t objects;

    (void)state;
    prune_case_data(&here, 3);
    prune_case_travel(&here, 24);
    store_fault_add(here.at.store,
                    &(struct store_fault){.call = STORE_CALL_STAT, .what = STORE_FAULT_FAIL, .code = ERR_STORE_DENIED});
    assert_fails(removal_of_orphan(&here.at.repo, CASE_INSTANCE, &here.id, 0, &outcome, &objects, &err), &err,
                 ERR_STORE_DENIED);
    assert_int_equal(prune_case_count_data(&here), 3);
}

/* The publication of what lies in data/, at a moment of the removal: the rules of publish.h decide. */
static bool published;

static void
publish(struct prune_case *p)
{
    struct manifest *m = manifest_new();
    struct publication what = {.m = m, .members = {{.member = &m->rdb_member}}, .member_count = 1};
    struct err err = ERR_INIT;
    struct index index;
    bool maybe = false;

    m->id = p->id;
    digest_uuid(m->uuid);
    (void)snprintf(m->instance, sizeof(m->instance), CASE_INSTANCE);
    (void)snprintf(m->method, sizeof(m->method), "file");
    (void)snprintf(m->tool_version, sizeof(m->tool_version), "0.0.test");
    (void)snprintf(m->rdb_member.name, sizeof(m->rdb_member.name), LAYOUT_MEMBER_RDB);
    index_init(&index);
    for (uint64_t i = 0; i < 3; i++)
        assert_ok(index_set(&index, i, &(struct index_segment){.raw_size = 10, .stored_size = 7}, &err), &err);
    what.members[0].index = &index;
    published = publish_backup(&p->behind, &what, &publish_limits, &maybe, &err) == 0;
    index_fini(&index);
    manifest_free(m);
}

static void
removal_of_orphan__published_at_any_moment__never_half(void **state)
{
    static const int ages[] = {0, 11, 13, 23, 24, 30};
    unsigned both[2] = {0};

    (void)state;
    for (size_t a = 0; a < ARRAY_LEN(ages); a++) {
        for (unsigned nth = 1; nth <= 9; nth++) {
            uint64_t objects = 0;

            prune_case_travel(&here, 0);
            prune_case_data(&here, 3);
            prune_case_travel(&here, ages[a]);
            published = false;
            prune_case_when(&here, STORE_CALL_ANY, NULL, nth, publish);
            (void)remove_orphan(0, &objects);
            both[published]++;
            if (published)
                assert_int_equal(prune_case_count_data(&here), 4);
            assert_int_equal(published, prune_case_has_manifest(&here));
            prune_case_close(&here);
            prune_case_open(&here);
        }
    }
    assert_true(both[0] > 0 && both[1] > 0);
}

/* ---- notes and facts ---- */

static void
removal_of_stale_note__beside_a_manifest__goes_after_an_hour(void **state)
{
    (void)state;
    prune_case_manifest(&here);
    prune_case_fact(&here, LAYOUT_EXPIRED);
    assert_int_equal(remove_stale_note(), REMOVAL_KEPT);
    prune_case_travel(&here, 1);
    assert_int_equal(remove_stale_note(), REMOVAL_DONE);
    assert_false(prune_case_has_fact(&here, LAYOUT_EXPIRED));
    assert_true(prune_case_has_manifest(&here));
}

static void
removal_of_stale_note__without_a_manifest__stays(void **state)
{
    (void)state;
    prune_case_data(&here, 1);
    prune_case_fact(&here, LAYOUT_EXPIRED);
    prune_case_travel(&here, 100);
    assert_int_equal(remove_stale_note(), REMOVAL_KEPT);
    assert_true(prune_case_has_fact(&here, LAYOUT_EXPIRED));
}

static void
removal_of_stale_note__remover_comes_meanwhile__stays(void **state)
{
    (void)state;
    prune_case_manifest(&here);
    prune_case_fact(&here, LAYOUT_EXPIRED);
    prune_case_travel(&here, 100);
    prune_case_when(&here, STORE_CALL_STAT, "/expired/", 1, prune_case_put_note);
    assert_int_equal(remove_stale_note(), REMOVAL_KEPT);
    assert_true(prune_case_has_fact(&here, LAYOUT_EXPIRED));
}

/* The worst moment: between its look and its removal another prune removes the backup. */
static void
removal_of_stale_note__taken_from_a_remover__data_still_have_one(void **state)
{
    (void)state;
    prune_case_manifest(&here);
    prune_case_data(&here, 3);
    prune_case_fact(&here, LAYOUT_EXPIRED);
    prune_case_travel(&here, 100);
    prune_case_when(&here, STORE_CALL_REMOVE, "/backups/", 1, prune_case_take_note);
    assert_int_equal(prune_case_remove_manifest(&here), REMOVAL_DONE);
    assert_true(here.acted && prune_case_has_fact(&here, LAYOUT_EXPIRED));
    assert_int_equal(remove_orphan(0, &(uint64_t){0}), REMOVAL_KEPT);
}

static void
removal_of_facts__of_a_gone_backup__go_after_a_day(void **state)
{
    (void)state;
    prune_case_fact(&here, LAYOUT_VERIFIED);
    prune_case_travel(&here, 20);
    prune_case_fact(&here, LAYOUT_HOLD);
    prune_case_travel(&here, 30);
    assert_int_equal(remove_facts(), REMOVAL_KEPT);
    prune_case_travel(&here, 44);
    assert_int_equal(remove_facts(), REMOVAL_DONE);
    assert_int_equal(prune_case_count(&here), 0);
}

static void
removal_of_facts__manifest_data_or_note__stay(void **state)
{
    (void)state;
    prune_case_fact(&here, LAYOUT_HOLD);
    prune_case_data(&here, 1);
    prune_case_travel(&here, 24);
    assert_int_equal(remove_facts(), REMOVAL_KEPT);
    prune_case_manifest(&here);
    assert_int_equal(remove_facts(), REMOVAL_KEPT);
    repo_case_remove(here.at.mem, LAYOUT_INSTANCES CASE_INSTANCE "/data/" PRUNE_ID "/rdb/00000000.zst");
    assert_int_equal(remove_facts(), REMOVAL_KEPT);
    repo_case_remove(here.at.mem, LAYOUT_INSTANCES CASE_INSTANCE "/backups/" PRUNE_ID ".json");
    prune_case_fact(&here, LAYOUT_EXPIRED);
    assert_int_equal(remove_facts(), REMOVAL_KEPT);
    assert_true(prune_case_has_fact(&here, LAYOUT_HOLD));
    prune_case_take_note(&here);
    assert_int_equal(remove_facts(), REMOVAL_DONE);
    assert_int_equal(prune_case_count(&here), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(removal_of_data__young_note__keeps_all),
        TEST(removal_of_data__day_old_note__data_then_facts_then_note),
        TEST(removal_of_data__many_pages__all_go),
        TEST(removal_of_data__manifest_there__keeps_all),
        TEST(removal_of_data__without_a_note__keeps_all),
        TEST(removal_of_data__manifest_comes_between_batches__stops),
        TEST(removal_of_data__young_segment__keeps_all),
        TEST(removal_of_data__segment_comes_before_the_batch__stops),
        TEST(removal_of_data__note_put_anew__waits_another_day),
        TEST(removal_of_data__two_at_once__note_stays_while_removals_may_be_under_way),
        TEST(removal_of_data__locked__not_yet_then_done),
        TEST(removal_of_orphan__young__keeps_all),
        TEST(removal_of_orphan__old__goes),
        TEST(removal_of_orphan__one_young_segment__keeps_all),
        TEST(removal_of_orphan__manifest_or_note__keeps_all),
        TEST(removal_of_orphan__listing_hides_the_manifest__keeps_all),
        TEST(removal_of_orphan__stat_of_manifest_fails__is_an_error),
        TEST(removal_of_orphan__published_at_any_moment__never_half),
        TEST(removal_of_stale_note__beside_a_manifest__goes_after_an_hour),
        TEST(removal_of_stale_note__without_a_manifest__stays),
        TEST(removal_of_stale_note__remover_comes_meanwhile__stays),
        TEST(removal_of_stale_note__taken_from_a_remover__data_still_have_one),
        TEST(removal_of_facts__of_a_gone_backup__go_after_a_day),
        TEST(removal_of_facts__manifest_data_or_note__stay),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
