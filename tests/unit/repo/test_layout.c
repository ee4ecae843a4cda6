/* SPDX-License-Identifier: Apache-2.0 */
/* test_layout.c: every key by its exact text, the longest ones, and keys that only look like ours. */
#include "snapshot/repo/layout.h"

#include <string.h>

#include "storage/store.h"
#include "tests/support/test_common.h"

#define ID "20261122T103000Z-1a2b3c"

static struct backup_id
the_id(void)
{
    struct backup_id id;

    assert_true(backup_id_parse(ID, &id, NULL));
    return id;
}

static void
layout__every_key__exact_text(void **state)
{
    struct backup_id id = the_id();
    struct layout_key k;

    (void)state;
    assert_string_equal(LAYOUT_MARKER, "remora.json");
    layout_instance_marker(&k, "shop-cache");
    assert_string_equal(k.text, "instances/shop-cache/instance.json");
    layout_manifest(&k, "shop-cache", &id);
    assert_string_equal(k.text, "instances/shop-cache/backups/" ID ".json");
    layout_manifests(&k, "shop-cache");
    assert_string_equal(k.text, "instances/shop-cache/backups/");
    layout_data(&k, "shop-cache", &id);
    assert_string_equal(k.text, "instances/shop-cache/data/" ID "/");
    layout_member(&k, "shop-cache", &id, "rdb");
    assert_string_equal(k.text, "instances/shop-cache/data/" ID "/rdb/");
    layout_segment(&k, "shop-cache", &id, "rdb", 0);
    assert_string_equal(k.text, "instances/shop-cache/data/" ID "/rdb/00000000.zst");
    layout_segment(&k, "shop-cache", &id, "rdb", 131071);
    assert_string_equal(k.text, "instances/shop-cache/data/" ID "/rdb/00131071.zst");
    layout_index(&k, "shop-cache", &id, "rdb");
    assert_string_equal(k.text, "instances/shop-cache/data/" ID "/rdb/index");
}

static void
layout__slots__exact_text_and_back(void **state)
{
    static const char *const bad[] = {"instances/a/leases/backup/20261122T103000Z",
                                      "instances/a/leases/backup/20261122T103000Z.",
                                      "instances/a/leases/backup/20261122T103000Z.0.json",
                                      "instances/a/leases/backup/20261122T103000Z.01.json",
                                      "instances/a/leases/backup/20261122T103000Z.x.json",
                                      "instances/a/leases/backup/20261122T103000Z.1.json.bak",
                                      "instances/a/leases/backup/20261322T103000Z.json",
                                      "instances/a/leases/backup/20261122T103000Z-json",
                                      "instances/a/leases/Backup/20261122T103000Z.json",
                                      "instances/a/leases//20261122T103000Z.json",
                                      "instances/a/leases/20261122T103000Z.json",
                                      "instances/a/expired/backup/20261122T103000Z.json",
                                      "instances/a/leases/x/backup/20261122T103000Z.json",
                                      "a/leases/backup/20261122T103000Z.json",
                                      "instances/a/leases/abcdefghijklmnopq/20261122T103000Z.json",
                                      "instances/a/leases/backup/2026.json",
                                      "instances/a/leases/backup/20261122T103000Z.1234567.json"};
    int64_t ms = 1795343400000; /* 2026-11-22T10:30:00Z */
    struct layout_slot slot;
    struct layout_key k;

    (void)state;
    layout_slot(&k, "shop-cache", "backup", ms);
    assert_string_equal(k.text, "instances/shop-cache/leases/backup/20261122T103000Z.");
    layout_slot_claim(&k, "shop-cache", "backup", ms + 999, 0);
    assert_string_equal(k.text, "instances/shop-cache/leases/backup/20261122T103000Z.json");
    assert_true(layout_parse_slot(k.text, &slot));
    assert_true(slot.slot_ms == ms && slot.number == 0 && !slot.done && strcmp(slot.kind, "backup") == 0);
    layout_slot_claim(&k, "shop-cache", "verify", ms, 104);
    assert_string_equal(k.text, "instances/shop-cache/leases/verify/20261122T103000Z.104.json");
    assert_true(layout_parse_slot(k.text, &slot));
    assert_true(slot.slot_ms == ms && slot.number == 104 && !slot.done && strcmp(slot.kind, "verify") == 0);
    layout_slot_done(&k, "shop-cache", "prune", ms);
    assert_string_equal(k.text, "instances/shop-cache/leases/prune/20261122T103000Z.done.json");
    assert_true(layout_parse_slot(k.text, &slot));
    assert_true(slot.slot_ms == ms && slot.done && strcmp(slot.kind, "prune") == 0);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        if (layout_parse_slot(bad[i], &slot))
            fail_msg("\"%s\" was taken for a slot's", bad[i]);
    }
}

static void
layout__every_fact__exact_text(void **state)
{
    static const struct {
        enum layout_fact fact;
        const char *folder;
    } facts[] = {{LAYOUT_VERIFIED, "verified"},
                 {LAYOUT_ACCEPTED, "accepted"},
                 {LAYOUT_HOLD, "holds"},
                 {LAYOUT_EXPIRED, "expired"}};
    struct backup_id id = the_id();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(facts); i++) {
        struct layout_key k;
        char want[200];

        layout_fact(&k, "a", facts[i].fact, &id);
        (void)snprintf(want, sizeof(want), "instances/a/%s/" ID ".json", facts[i].folder);
        assert_string_equal(k.text, want);
        layout_facts(&k, "a", facts[i].fact);
        (void)snprintf(want, sizeof(want), "instances/a/%s/", facts[i].folder);
        assert_string_equal(k.text, want);
    }
}

static void
layout__longest_names__are_legal_keys(void **state)
{
    struct backup_id id = the_id();
    struct err err = ERR_INIT;
    char name[LAYOUT_INSTANCE_MAX + 2];
    struct layout_key k;

    (void)state;
    memset(name, 'x', sizeof(name));
    name[LAYOUT_INSTANCE_MAX] = '\0';
    assert_ok(layout_check_instance(name, &err), &err);
    layout_segment(&k, name, &id, "a-member-of-15-", 99999999);
    assert_ok(store_key_check(k.text, &err), &err);
    layout_fact(&k, name, LAYOUT_VERIFIED, &id);
    assert_ok(store_key_check(k.text, &err), &err);
    name[LAYOUT_INSTANCE_MAX] = 'x';
    name[LAYOUT_INSTANCE_MAX + 1] = '\0';
    assert_fails(layout_check_instance(name, &err), &err, ERR_USAGE);
}

static void
check_instance__names__by_the_rule(void **state)
{
    static const char *const good[] = {"a", "0", "shop-cache", "A.b_c-9", "a..b", "a-"};
    static const char *const bad[] = {"",      ".",        "..",   "-a",          "_a",  ".a", "a/b",
                                      "a b",   "a\n",      "a\\b", "caf\xc3\xa9", "a:b", "a*", "/",
                                      "a\x7f", "\xc3\xa9", "a%2f", ".tmp-a",      "a\tb"};
    struct err err = ERR_INIT;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_ok(layout_check_instance(good[i], &err), &err);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_fails(layout_check_instance(bad[i], &err), &err, ERR_USAGE);
}

static void
parse_id__our_keys__found(void **state)
{
    struct backup_id id = the_id(), back;
    struct layout_key k;

    (void)state;
    layout_manifest(&k, "shop-cache", &id);
    assert_true(layout_parse_id(k.text, &back));
    assert_string_equal(back.text, ID);
    layout_fact(&k, "shop-cache", LAYOUT_HOLD, &id);
    assert_true(layout_parse_id(k.text, &back));
}

static void
parse_id__look_alikes__refused(void **state)
{
    static const char *const bad[] = {
        "",
        "/",
        ID ".json",
        "backups/" ID ".json",
        "instances/a/backups/",
        "instances/a/backups/" ID,
        "instances/a/backups/" ID ".json.bak",
        "instances/a/backups/" ID ".JSON",
        "instances/a/backups/" ID ".json~",
        "instances/a/backups/x" ID ".json",
        "instances/a/backups/20261322T103000Z-1a2b3c.json",
        "instances/a/backups/old/" ID ".json", /* a copy that somebody made */
        "instances/a/" ID ".json",
        "elsewhere/a/backups/" ID ".json",
    };
    struct backup_id id;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        if (layout_parse_id(bad[i], &id))
            fail_msg("\"%s\" was taken for one of ours", bad[i]);
    }
}

static void
parse_data__our_folders__id(void **state)
{
    struct backup_id id = the_id(), back;
    struct layout_key k;

    (void)state;
    layout_data(&k, "shop-cache", &id);
    assert_true(layout_parse_data(k.text, &back));
    assert_string_equal(back.text, ID);
}

static void
parse_data__look_alikes__refused(void **state)
{
    static const char *const bad[] = {
        "",
        "/",
        ID "/",
        "/" ID "/",
        "data/" ID "/",
        "instances/a/data/",
        "instances/a/data/" ID,
        "instances/a/data/" ID "x/",
        "instances/a/data/x" ID "/",
        "instances/a/data/20261322T103000Z-1a2b3c/",
        "instances/a/data/" ID "/rdb/",
        "instances/a/data/old/" ID "/", /* a copy that somebody made */
        "instances/a/" ID "/",
        "instances/a/old/" ID "/", /* a folder of another name */
        "elsewhere/a/data/" ID "/",
    };
    struct backup_id id;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        if (layout_parse_data(bad[i], &id))
            fail_msg("\"%s\" was taken for one of ours", bad[i]);
    }
}

static void
parse_segment__our_keys__number(void **state)
{
    struct backup_id id = the_id();
    struct layout_key k;
    uint64_t n = 0;

    (void)state;
    layout_segment(&k, "a", &id, "rdb", 70001);
    assert_true(layout_parse_segment(k.text, &n));
    assert_int_equal(n, 70001);
}

static void
parse_segment__look_alikes__refused(void **state)
{
#define DIR "instances/a/data/" ID "/rdb/"
    static const char *const bad[] = {
        "",
        "00000000.zst",
        DIR "index",
        DIR "0000000.zst",
        DIR "000000000.zst",
        DIR "0000000x.zst",
        DIR "+0000001.zst",
        DIR "-0000001.zst",
        DIR " 0000001.zst",
        DIR "00000001.zst.x",
        DIR "00000001.ZST",
        DIR "00000001zzst",
        DIR "old/00000001.zst",
        "instances/a/data/" ID "/00000001.zst",
    };
    uint64_t n = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        if (layout_parse_segment(bad[i], &n))
            fail_msg("\"%s\" was taken for a segment", bad[i]);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layout__every_key__exact_text),       cmocka_unit_test(layout__slots__exact_text_and_back),
        cmocka_unit_test(layout__every_fact__exact_text),      cmocka_unit_test(layout__longest_names__are_legal_keys),
        cmocka_unit_test(check_instance__names__by_the_rule),  cmocka_unit_test(parse_id__our_keys__found),
        cmocka_unit_test(parse_id__look_alikes__refused),      cmocka_unit_test(parse_data__our_folders__id),
        cmocka_unit_test(parse_data__look_alikes__refused),    cmocka_unit_test(parse_segment__our_keys__number),
        cmocka_unit_test(parse_segment__look_alikes__refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
