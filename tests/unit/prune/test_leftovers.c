/* SPDX-License-Identifier: Apache-2.0 */
/* test_leftovers.c: what is found to belong to no backup, what is not, and that it goes. */
#include "snapshot/prune/leftovers.h"

#include <string.h>

#include "snapshot/repo/slot.h"
#include "tests/support/prune_case.h"
#include "tests/support/test_common.h"

#define PROBE LAYOUT_INSTANCES CASE_INSTANCE "/probe/0123456789abcdef"

static struct prune_case here;
static struct leftovers found;

static int
setup(void **state)
{
    (void)state;
    prune_case_open(&here);
    memset(&found, 0, sizeof(found));
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    leftovers_fini(&found);
    prune_case_close(&here);
    return 0;
}

static void
find(int64_t age_ms)
{
    struct err err = ERR_INIT;

    leftovers_fini(&found);
    assert_ok(leftovers_find(&here.at.repo, CASE_INSTANCE, age_ms, &found, &err), &err);
}

/* Exactly one was found, and this is it. */
static void
assert_one(enum leftover_kind kind, bool ready, const char *why)
{
    assert_int_equal(found.count, 1);
    assert_string_equal(leftover_name(found.items[0].kind), leftover_name(kind));
    if (kind != LEFTOVER_PROBE && kind != LEFTOVER_LEASES)
        assert_string_equal(found.items[0].id.text, PRUNE_ID);
    assert_int_equal(found.items[0].ready, ready);
    assert_non_null(strstr(found.items[0].why, why));
    assert_int_equal(strstr(found.items[0].why, "waits until") == NULL, ready);
}

static enum removal_outcome
remove_first(uint64_t *objects)
{
    enum removal_outcome outcome = REMOVAL_HELD;
    struct err err = ERR_INIT;

    assert_ok(leftover_remove(&here.at.repo, CASE_INSTANCE, &found.items[0], 0, "0.0.test", &outcome, objects, &err),
              &err);
    return outcome;
}

static void
leftovers_find__whole_backup_with_facts__nothing(void **state)
{
    (void)state;
    find(0);
    assert_int_equal(found.count, 0);
    prune_case_manifest(&here);
    prune_case_data(&here, 3);
    prune_case_fact(&here, LAYOUT_VERIFIED);
    prune_case_fact(&here, LAYOUT_ACCEPTED);
    prune_case_fact(&here, LAYOUT_HOLD);
    prune_case_travel(&here, 1000);
    find(0);
    assert_int_equal(found.count, 0);
}

static void
leftovers_find__data_alone__orphan_that_waits(void **state)
{
    uint64_t objects = 9;

    (void)state;
    prune_case_data(&here, 3);
    find(0);
    assert_one(LEFTOVER_ORPHAN, false, "data without a manifest");
    assert_int_equal(found.items[0].objects, 3);
    assert_int_equal(found.items[0].bytes, 21);
    assert_int_equal(remove_first(&objects), REMOVAL_KEPT);
    assert_int_equal(objects, 0);
    prune_case_travel(&here, 24);
    find(0);
    assert_one(LEFTOVER_ORPHAN, true, "data without a manifest");
    find(48 * PRUNE_HOUR);
    assert_one(LEFTOVER_ORPHAN, false, "waits until");
    find(0);
    assert_int_equal(remove_first(&objects), REMOVAL_DONE);
    assert_int_equal(objects, 3);
    find(0);
    assert_one(LEFTOVER_NOTE, false, "waits until"); /* it got one, so that nothing of that id arrives meanwhile */
    prune_case_travel(&here, 48);
    find(0);
    assert_int_equal(remove_first(&objects), REMOVAL_DONE);
    find(0);
    assert_int_equal(found.count, 0);
}

static void
leftovers_find__removed_backup__data_then_note_then_nothing(void **state)
{
    uint64_t objects = 0;

    (void)state;
    prune_case_manifest(&here);
    prune_case_data(&here, 3);
    prune_case_fact(&here, LAYOUT_VERIFIED);
    assert_int_equal(prune_case_remove_manifest(&here), REMOVAL_DONE);
    prune_case_travel(&here, 23);
    find(0);
    assert_one(LEFTOVER_DATA, false, "a backup that was removed");
    prune_case_travel(&here, 24);
    find(48 * PRUNE_HOUR); /* the age of orphans is not theirs */
    assert_one(LEFTOVER_DATA, true, "a backup that was removed");
    assert_int_equal(remove_first(&objects), REMOVAL_DONE);
    assert_int_equal(objects, 3);
    find(0);
    assert_one(LEFTOVER_NOTE, true, "whose data are gone");
    assert_int_equal(remove_first(&objects), REMOVAL_DONE);
    assert_int_equal(prune_case_count(&here), 0);
}

static void
leftovers_find__note_beside_a_manifest__stale_after_an_hour(void **state)
{
    uint64_t objects = 0;

    (void)state;
    prune_case_manifest(&here);
    prune_case_data(&here, 1);
    prune_case_fact(&here, LAYOUT_EXPIRED);
    find(0);
    assert_one(LEFTOVER_STALE_NOTE, false, "which it was not");
    prune_case_travel(&here, 1);
    find(0);
    assert_one(LEFTOVER_STALE_NOTE, true, "which it was not");
    assert_int_equal(remove_first(&objects), REMOVAL_DONE);
    find(0);
    assert_int_equal(found.count, 0);
    assert_int_equal(prune_case_count(&here), 2);
}

static void
leftovers_find__facts_alone__one_item_by_the_newest(void **state)
{
    uint64_t objects = 0;

    (void)state;
    prune_case_fact(&here, LAYOUT_VERIFIED);
    prune_case_travel(&here, 10);
    prune_case_fact(&here, LAYOUT_HOLD);
    prune_case_travel(&here, 24);
    find(0);
    assert_one(LEFTOVER_FACTS, false, "a backup that is gone");
    prune_case_travel(&here, 34);
    find(0);
    assert_one(LEFTOVER_FACTS, true, "a backup that is gone");
    assert_int_equal(remove_first(&objects), REMOVAL_DONE);
    assert_int_equal(prune_case_count(&here), 0);
}

static void
leftovers_find__probe__goes_after_an_hour(void **state)
{
    uint64_t objects = 0;

    (void)state;
    repo_case_put(here.at.mem, PROBE, "{}", 2);
    find(0);
    assert_one(LEFTOVER_PROBE, false, "whether that is allowed");
    prune_case_travel(&here, 1);
    find(0);
    assert_one(LEFTOVER_PROBE, true, "whether that is allowed");
    assert_string_equal(found.items[0].key, PROBE);
    store_fault_add(here.at.store, &(struct store_fault){
                                       .call = STORE_CALL_REMOVE, .what = STORE_FAULT_FAIL, .code = ERR_STORE_DENIED});
    {
        enum removal_outcome outcome = REMOVAL_DONE;
        struct err err = ERR_INIT;

        assert_ok(
            leftover_remove(&here.at.repo, CASE_INSTANCE, &found.items[0], 0, "0.0.test", &outcome, &objects, &err),
            &err);
        assert_int_equal(outcome, REMOVAL_NOT_YET);
        assert_int_equal(err.code, ERR_STORE_DENIED);
    }
    store_fault_clear(here.at.store);
    assert_int_equal(remove_first(&objects), REMOVAL_DONE);
    assert_int_equal(prune_case_count(&here), 0);
}

static void
claim_slots(int first, int count)
{
    struct slot_claim claim = {.kind = "backup", .claimer = "host", .nonce = "1", .stall_ms = PRUNE_HOUR};
    enum slot_outcome outcome;
    struct err err = ERR_INIT;
    int64_t again;

    for (int i = first; i < first + count; i++) {
        claim.slot_ms = 1795343400000 + i * PRUNE_HOUR;
        assert_ok(slot_take(&here.at.repo, CASE_INSTANCE, &claim, &outcome, &again, &err), &err);
        assert_int_equal(outcome, SLOT_OURS);
        assert_ok(slot_done(&here.at.repo, CASE_INSTANCE, &claim, &err), &err);
    }
}

static void
leftovers_find__leases__go_after_a_day_but_for_the_newest(void **state)
{
    uint64_t objects = 0;

    (void)state;
    claim_slots(0, SLOT_KEEP_NEW);
    prune_case_travel(&here, 25);
    find(0);
    assert_int_equal(found.count, 0);
    claim_slots(SLOT_KEEP_NEW, 3);
    find(0);
    assert_one(LEFTOVER_LEASES, true, "claims of slots");
    assert_string_equal(found.items[0].key, LAYOUT_INSTANCES CASE_INSTANCE "/leases/");
    assert_int_equal(found.items[0].objects, 2 * 3);
    assert_true(found.items[0].bytes > 0);
    assert_int_equal(remove_first(&objects), REMOVAL_DONE);
    assert_int_equal(objects, 2 * 3);
    assert_int_equal(prune_case_count(&here), 2 * SLOT_KEEP_NEW);
    find(0);
    assert_int_equal(found.count, 0);
}

static void
leftover_remove__leases_denied__not_yet(void **state)
{
    uint64_t objects = 0;

    (void)state;
    claim_slots(0, SLOT_KEEP_NEW + 1);
    prune_case_travel(&here, 25);
    find(0);
    assert_one(LEFTOVER_LEASES, true, "claims of slots");
    store_fault_add(here.at.store, &(struct store_fault){
                                       .call = STORE_CALL_REMOVE, .what = STORE_FAULT_FAIL, .code = ERR_STORE_DENIED});
    assert_int_equal(remove_first(&objects), REMOVAL_NOT_YET);
    assert_int_equal(objects, 0);
}

static void
leftovers_find__foreign_names__left_alone(void **state)
{
    (void)state;
    repo_case_put(here.at.mem, LAYOUT_INSTANCES CASE_INSTANCE "/data/README", "x", 1);
    repo_case_put(here.at.mem, LAYOUT_INSTANCES CASE_INSTANCE "/data/mine/rdb/00000000.zst", "x", 1);
    repo_case_put(here.at.mem, LAYOUT_INSTANCES CASE_INSTANCE "/data/" PRUNE_ID "-copy/rdb/00000000.zst", "x", 1);
    repo_case_put(here.at.mem, LAYOUT_INSTANCES CASE_INSTANCE "/holds/notes.txt", "x", 1);
    repo_case_put(here.at.mem, LAYOUT_INSTANCES CASE_INSTANCE "/log/x/timeline.json", "x", 1);
    prune_case_travel(&here, 1000);
    find(0);
    assert_int_equal(found.count, 0);
}

static void
leftovers_find__several__by_kind_and_id(void **state)
{
    static const char *const ids[] = {"20261121T000000Z-000000", "20261122T000000Z-000000", "20261123T000000Z-000000"};

    (void)state;
    for (size_t i = ARRAY_LEN(ids); i > 0; i--) {
        assert_true(backup_id_parse(ids[i - 1], &here.id, NULL));
        prune_case_data(&here, 1);
        if (i == 2)
            prune_case_fact(&here, LAYOUT_EXPIRED);
    }
    find(0);
    assert_int_equal(found.count, 3);
    assert_int_equal(found.items[0].kind, LEFTOVER_DATA);
    assert_string_equal(found.items[0].id.text, ids[1]);
    assert_int_equal(found.items[1].kind, LEFTOVER_ORPHAN);
    assert_string_equal(found.items[1].id.text, ids[0]);
    assert_string_equal(found.items[2].id.text, ids[2]);
}

static void
publish(struct prune_case *p)
{
    prune_case_data(p, 3);
    prune_case_manifest(p);
    prune_case_fact(p, LAYOUT_HOLD);
}

static void
leftovers_find__published_at_any_moment__never_an_orphan(void **state)
{
    (void)state;
    for (unsigned nth = 1; nth <= 11; nth++) {
        prune_case_when(&here, STORE_CALL_ANY, NULL, nth, publish);
        find(0);
        assert_int_equal(found.count, 0);
        prune_case_close(&here);
        prune_case_open(&here);
    }
}

static void
leftovers_find__listing_breaks_off__is_an_error(void **state)
{
    (void)state;
    prune_case_manifest(&here);
    prune_case_data(&here, 1);
    for (uint64_t nth = 1; nth <= 8; nth++) {
        struct err err = ERR_INIT;

        store_fault_clear(here.at.store);
        store_fault_add(here.at.store, &(struct store_fault){.call = STORE_CALL_LIST,
                                                             .what = nth % 2 == 0 ? STORE_FAULT_FAIL : STORE_FAULT_LOSE,
                                                             .nth = nth,
                                                             .times = 1});
        assert_fails(leftovers_find(&here.at.repo, CASE_INSTANCE, 0, &found, &err), &err, ERR_STORAGE);
    }
    store_fault_clear(here.at.store);
    find(0);
}

/* A listing of manifests that lags lets a backup look like an orphan; nothing comes of it. */
static void
leftover_remove__listing_hid_the_manifest__keeps_all(void **state)
{
    uint64_t objects = 0;

    (void)state;
    prune_case_manifest(&here);
    prune_case_data(&here, 3);
    prune_case_travel(&here, 100);
    store_fault_add(here.at.store, &(struct store_fault){.what = STORE_FAULT_HIDE, .key = "/backups/"});
    find(0);
    assert_one(LEFTOVER_ORPHAN, true, "data without a manifest");
    assert_int_equal(remove_first(&objects), REMOVAL_KEPT);
    assert_int_equal(prune_case_count_data(&here), 3);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(leftovers_find__whole_backup_with_facts__nothing),
        TEST(leftovers_find__data_alone__orphan_that_waits),
        TEST(leftovers_find__removed_backup__data_then_note_then_nothing),
        TEST(leftovers_find__note_beside_a_manifest__stale_after_an_hour),
        TEST(leftovers_find__facts_alone__one_item_by_the_newest),
        TEST(leftovers_find__probe__goes_after_an_hour),
        TEST(leftovers_find__leases__go_after_a_day_but_for_the_newest),
        TEST(leftover_remove__leases_denied__not_yet),
        TEST(leftovers_find__foreign_names__left_alone),
        TEST(leftovers_find__several__by_kind_and_id),
        TEST(leftovers_find__published_at_any_moment__never_an_orphan),
        TEST(leftovers_find__listing_breaks_off__is_an_error),
        TEST(leftover_remove__listing_hid_the_manifest__keeps_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
