/* SPDX-License-Identifier: Apache-2.0 */
/* test_publish.c: the order in which a backup comes into being, the limits, and answers that were lost. */
#include "snapshot/repo/publish.h"

#include <string.h>

#include "base/mem.h"
#include "storage/store_fault.h"
#include "storage/store_mem.h"
#include "tests/support/repo_case.h"
#include "tests/support/test_common.h"

#define ID       "20261122T103000Z-1a2b3c"
#define FOLDER   "instances/" CASE_INSTANCE "/"
#define MANIFEST FOLDER "backups/" ID ".json"
#define SEGMENTS 5

struct publishing {
    struct repo_case c;
    struct index index;
    struct manifest *m;
    struct publish_limits limits;
    bool maybe;
    char calls[4000]; /* what the store was asked, in order */
    bool rival;       /* another backup's manifest comes first */
};

static int
setup(void **state)
{
    struct publishing *p = mem_new(sizeof(*p));
    struct err err = ERR_INIT;

    repo_case_open(&p->c);
    p->limits = publish_limits;
    p->m = manifest_new();
    assert_true(backup_id_parse(ID, &p->m->id, NULL));
    digest_uuid(p->m->uuid);
    (void)snprintf(p->m->instance, sizeof(p->m->instance), "%s", CASE_INSTANCE);
    (void)snprintf(p->m->method, sizeof(p->m->method), "file");
    (void)snprintf(p->m->rdb_member.name, sizeof(p->m->rdb_member.name), "%s", LAYOUT_MEMBER_RDB);
    index_init(&p->index);
    for (uint64_t n = 0; n < SEGMENTS; n++) {
        struct index_segment s = {.raw_offset = 10 * n, .raw_size = 10, .stored_size = 3 + n};
        struct layout_key key;

        layout_segment(&key, CASE_INSTANCE, &p->m->id, LAYOUT_MEMBER_RDB, n);
        repo_case_put(p->c.mem, key.text, "0123456789", 3 + n);
        digest_sha256("0123456789", 3 + n, s.sha256);
        assert_ok(index_set(&p->index, n, &s, &err), &err);
    }
    *state = p;
    return 0;
}

static int
teardown(void **state)
{
    struct publishing *p = *state;

    manifest_free(p->m);
    index_fini(&p->index);
    repo_case_close(&p->c);
    free(p);
    return 0;
}

static int
publish(struct publishing *p, struct err *err)
{
    p->maybe = true;
    const struct publication what = {
        .m = p->m, .members = {{.member = &p->m->rdb_member, .index = &p->index}}, .member_count = 1};

    return publish_backup(&p->c.repo, &what, &p->limits, &p->maybe, err);
}

static void
fault(struct publishing *p, enum store_call call, enum store_fault_kind what, const char *key, enum err_code code)
{
    store_fault_add(p->c.store, &(struct store_fault){.call = call, .what = what, .key = key, .code = code});
}

/* It failed with CODE, nothing says that it might have been published, and there is no manifest. */
static void
assert_not_published(struct publishing *p, enum err_code code, const char *says)
{
    struct err err = ERR_INIT;

    assert_int_equal(publish(p, &err), -1);
    if (err.code != code || strstr(err.msg, says) == NULL)
        fail_msg("%s: %s", err_name(err.code), err.msg);
    assert_non_null(strstr(err.msg, ID));
    assert_false(p->maybe);
    assert_int_equal(repo_case_count(p->c.mem, FOLDER "backups/"), 0);
}

static void
note_call(enum store_call call, const char *key, void *cookie)
{
    static const char *const names[STORE_CALL_COUNT] = {
        [STORE_CALL_PUT] = "put",   [STORE_CALL_GET] = "get",       [STORE_CALL_STAT] = "stat",
        [STORE_CALL_LIST] = "list", [STORE_CALL_REMOVE] = "remove", [STORE_CALL_NOW] = "now"};
    struct publishing *p = cookie;
    size_t len = strlen(p->calls);

    (void)snprintf(p->calls + len, sizeof(p->calls) - len, "%s %s\n", names[call], key);
    if (p->rival && call == STORE_CALL_PUT && strcmp(key, MANIFEST) == 0)
        repo_case_put(p->c.mem, key, "another's", 9);
}

static void
publish__all_there__list_index_manifest_in_that_order(void **state)
{
    struct publishing *p = *state;
    struct err err = ERR_INIT;
    struct manifest *back = NULL;
    size_t len = 0, index_len = 0;
    char *text, *index;
    uint8_t sha[DIGEST_SHA256_LEN];

    store_fault_set_hook(p->c.store, note_call, p);
    assert_ok(publish(p, &err), &err);
    assert_false(p->maybe);
    assert_string_equal(
        p->calls, "list " FOLDER "data/" ID "/rdb/\nnow \nput " FOLDER "data/" ID "/rdb/index\nput " MANIFEST "\n");
    text = repo_case_get(p->c.mem, MANIFEST, &len);
    assert_ok(manifest_parse(text, len, &back, &err), &err);
    index = repo_case_get(p->c.mem, FOLDER "data/" ID "/rdb/index", &index_len);
    digest_sha256(index, index_len, sha);
    assert_memory_equal(back->rdb_member.index_sha256, sha, sizeof(sha));
    assert_int_equal(back->rdb_member.index_size, index_len);
    assert_int_equal(back->rdb_member.segments, SEGMENTS);
    assert_int_equal(back->rdb_member.raw_size, 50);
    assert_int_equal(back->rdb_member.stored_size, 3 + 4 + 5 + 6 + 7);
    assert_true(back->finished_ms > 0);
    manifest_free(back);
    free(text);
    free(index);
}

static void
publish__listing_lags__the_segment_is_asked_for(void **state)
{
    struct publishing *p = *state;
    struct err err = ERR_INIT;

    fault(p, STORE_CALL_LIST, STORE_FAULT_HIDE, "00000003.zst", ERR_NONE);
    fault(p, STORE_CALL_LIST, STORE_FAULT_HIDE, "00000000.zst", ERR_NONE);
    assert_ok(publish(p, &err), &err);
    assert_int_equal(store_fault_counts(p->c.store).calls[STORE_CALL_STAT], 2);
    assert_int_equal(repo_case_count(p->c.mem, MANIFEST), 1);
}

static void
publish__segment_missing_or_wrong__not_published(void **state)
{
    struct publishing *p = *state;

    repo_case_remove(p->c.mem, FOLDER "data/" ID "/rdb/00000004.zst");
    assert_not_published(p, ERR_STORAGE, "segment 4 ");
    repo_case_put(p->c.mem, FOLDER "data/" ID "/rdb/old/00000004.zst", "0123456", 7); /* elsewhere does not count */
    assert_not_published(p, ERR_STORAGE, "segment 4 ");
    repo_case_put(p->c.mem, FOLDER "data/" ID "/rdb/00000004.zst", "01234567", 8);
    assert_not_published(p, ERR_STORAGE, "size");
    repo_case_put(p->c.mem, FOLDER "data/" ID "/rdb/00000004.zst", "0123456", 7);
    repo_case_put(p->c.mem, FOLDER "data/" ID "/rdb/00000001.zst", "", 0);
    assert_not_published(p, ERR_STORAGE, "segment 1 ");
    fault(p, STORE_CALL_LIST, STORE_FAULT_HIDE, "00000001.zst", ERR_NONE); /* found wrong by asking for it */
    assert_not_published(p, ERR_STORAGE, "segment 1 ");
    assert_int_equal(repo_case_count(p->c.mem, FOLDER "data/" ID "/rdb/index"), 0);
}

static void
publish__any_call_before_the_manifest_fails__not_published(void **state)
{
    static const enum err_code codes[] = {ERR_STORAGE, ERR_STORE_DENIED, ERR_INTERRUPTED};
    struct publishing *p = *state;

    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        for (enum store_fault_kind how = STORE_FAULT_FAIL; how <= STORE_FAULT_LOSE; how++) {
            store_fault_clear(p->c.store);
            fault(p, STORE_CALL_LIST, how, NULL, codes[i]);
            assert_not_published(p, codes[i], "planned");
            store_fault_clear(p->c.store);
            fault(p, STORE_CALL_NOW, how, NULL, codes[i]);
            assert_not_published(p, codes[i], "planned");
            store_fault_clear(p->c.store);
            fault(p, STORE_CALL_PUT, how, "/index", codes[i]);
            assert_not_published(p, codes[i], "planned");
            store_fault_clear(p->c.store);
            fault(p, STORE_CALL_LIST, STORE_FAULT_HIDE, "00000002", ERR_NONE);
            fault(p, STORE_CALL_STAT, how, NULL, codes[i]);
            assert_not_published(p, codes[i], "planned");
        }
    }
}

#define HOUR_MS INT64_C(3600000)

static void
publish__newest_segment_by_the_stores_clock__must_be_younger_than_12_h(void **state)
{
    struct publishing *p = *state;
    struct err err = ERR_INIT;

    /* The store's clock is far from ours: only it counts. */
    store_fault_shift_times(p->c.store, -100 * HOUR_MS, -100 * HOUR_MS + 12 * HOUR_MS);
    assert_not_published(p, ERR_STORAGE, "too old");
    store_fault_shift_times(p->c.store, -100 * HOUR_MS, -100 * HOUR_MS + 12 * HOUR_MS - 60000);
    assert_ok(publish(p, &err), &err);
}

static void
publish__one_young_segment__is_enough(void **state)
{
    struct publishing *p = *state;
    struct err err = ERR_INIT;

    store_mem_set_clock(p->c.mem, 20 * HOUR_MS);
    assert_not_published(p, ERR_STORAGE, "too old");
    repo_case_put(p->c.mem, FOLDER "data/" ID "/rdb/00000002.zst", "01234", 5);
    assert_ok(publish(p, &err), &err);
}

static void
publish__too_long_since_the_listing__gives_up(void **state)
{
    struct publishing *p = *state;
    struct err err = ERR_INIT;

    assert_int_equal(publish_limits.segment_age_ms, 12 * HOUR_MS);
    assert_int_equal(publish_limits.listing_age_ms, HOUR_MS);
    p->limits.listing_age_ms = 50;
    store_fault_add(
        p->c.store,
        &(struct store_fault){.call = STORE_CALL_PUT, .what = STORE_FAULT_DELAY, .key = "/index", .delay_ms = 80});
    assert_not_published(p, ERR_STORAGE, "since the segments were listed");
    store_fault_clear(p->c.store);
    store_fault_add(p->c.store, /* the listing's own time counts too */
                    &(struct store_fault){.call = STORE_CALL_LIST, .what = STORE_FAULT_DELAY, .delay_ms = 80});
    assert_not_published(p, ERR_STORAGE, "since the segments were listed");
    p->limits.listing_age_ms = HOUR_MS;
    assert_ok(publish(p, &err), &err);
}

static void
publish__manifests_answer_lost__settled_as_done(void **state)
{
    static const enum err_code codes[] = {ERR_STORAGE, ERR_EXISTS, ERR_INTERRUPTED};
    struct publishing *p = *state;
    struct err err = ERR_INIT;

    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        store_fault_clear(p->c.store);
        repo_case_remove(p->c.mem, MANIFEST);
        fault(p, STORE_CALL_PUT, STORE_FAULT_LOSE, MANIFEST, codes[i]); /* EXISTS: a retry found its own first put */
        assert_ok(publish(p, &err), &err);
        assert_int_equal(err.code, ERR_NONE);
        assert_false(p->maybe);
        assert_int_equal(repo_case_count(p->c.mem, MANIFEST), 1);
    }
}

/* A put that failed may still be under way, whatever a get says now. */
static void
publish__manifests_fate_unknown__said_so(void **state)
{
    static const enum err_code open[] = {ERR_STORAGE, ERR_INTERRUPTED, ERR_INTERNAL, ERR_CORRUPT};
    struct publishing *p = *state;
    struct err err = ERR_INIT;

    for (size_t i = 0; i < ARRAY_LEN(open); i++) {
        for (int lost = 0; lost < 2; lost++) {
            store_fault_clear(p->c.store);
            repo_case_remove(p->c.mem, MANIFEST);
            fault(p, STORE_CALL_PUT, lost ? STORE_FAULT_LOSE : STORE_FAULT_FAIL, MANIFEST, open[i]);
            if (lost)
                fault(p, STORE_CALL_GET, STORE_FAULT_FAIL, MANIFEST, ERR_STORE_DENIED);
            assert_fails(publish(p, &err), &err, open[i]);
            assert_true(p->maybe);
        }
    }
}

static void
publish__store_says_no__surely_not_published(void **state)
{
    static const enum err_code no[] = {ERR_STORE_DENIED, ERR_NO_SPACE};
    struct publishing *p = *state;
    struct err err = ERR_INIT;

    for (size_t i = 0; i < ARRAY_LEN(no); i++) {
        store_fault_clear(p->c.store);
        fault(p, STORE_CALL_PUT, STORE_FAULT_FAIL, MANIFEST, no[i]);
        assert_not_published(p, no[i], "planned");
        /* It said no to the put and nothing at all to the get: that is not known. */
        fault(p, STORE_CALL_GET, STORE_FAULT_FAIL, MANIFEST, ERR_STORAGE);
        assert_fails(publish(p, &err), &err, no[i]);
        assert_true(p->maybe);
    }
}

static void
publish__anothers_manifest_is_there__untouched(void **state)
{
    struct publishing *p = *state;
    struct err err = ERR_INIT;
    size_t len = 0;
    char *text;

    p->rival = true;
    store_fault_set_hook(p->c.store, note_call, p);
    assert_fails(publish(p, &err), &err, ERR_EXISTS);
    assert_true(p->maybe); /* whose segments those are is not known: nothing may be removed */
    text = repo_case_get(p->c.mem, MANIFEST, &len);
    assert_string_equal(text, "another's");
    free(text);
}

static void
publish__store_without_create_only__plain_put(void **state)
{
    struct publishing *p = *state;
    struct err err = ERR_INIT;

    store_drop_features(p->c.store, STORE_CREATE_ONLY);
    assert_ok(publish(p, &err), &err);
    assert_int_equal(repo_case_count(p->c.mem, MANIFEST), 1);
}

/* What could not be read back is never published. */
static void
publish__manifest_that_cannot_be_read_back__refused(void **state)
{
    struct publishing *p = *state;

    p->m->rdb.dbs = mem_array(1, sizeof(*p->m->rdb.dbs));
    p->m->rdb.dbs[0] = (struct rdb_db){.number = UINT64_MAX, .keys = 1}; /* JSON's integers end at 2^63 */
    p->m->rdb.db_count = 1;
    assert_not_published(p, ERR_UNSUPPORTED, "\"db\"");
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(publish__all_there__list_index_manifest_in_that_order),
        TEST(publish__listing_lags__the_segment_is_asked_for),
        TEST(publish__segment_missing_or_wrong__not_published),
        TEST(publish__any_call_before_the_manifest_fails__not_published),
        TEST(publish__newest_segment_by_the_stores_clock__must_be_younger_than_12_h),
        TEST(publish__one_young_segment__is_enough),
        TEST(publish__too_long_since_the_listing__gives_up),
        TEST(publish__manifests_answer_lost__settled_as_done),
        TEST(publish__manifests_fate_unknown__said_so),
        TEST(publish__store_says_no__surely_not_published),
        TEST(publish__anothers_manifest_is_there__untouched),
        TEST(publish__store_without_create_only__plain_put),
        TEST(publish__manifest_that_cannot_be_read_back__refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
