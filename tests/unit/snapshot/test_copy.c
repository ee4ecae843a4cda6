/* SPDX-License-Identifier: Apache-2.0 */
/* test_copy.c: a backup goes from one repository into another, whatever fails on the way. */
#include "snapshot/copy.h"

#include <string.h>

#include "base/mem.h"
#include "snapshot/repo/fact.h"
#include "storage/store_fault.h"
#include "tests/support/test_common.h"
#include "tests/support/travel_case.h"

#define JOBS 2

static int
setup(void **state)
{
    struct travel_case *t = mem_new(sizeof(*t));

    travel_case_open(t);
    *state = t;
    return 0;
}

static int
teardown(void **state)
{
    travel_case_close(*state);
    free(*state);
    return 0;
}

static struct copy_options
options(const struct travel_case *t)
{
    return (struct copy_options){.from = &t->from.repo,
                                 .from_instance = CASE_INSTANCE,
                                 .to = &t->to.repo,
                                 .to_instance = TRAVEL_TO,
                                 .jobs = JOBS,
                                 .memory = (uint64_t)64 << 20};
}

static int
copy(struct travel_case *t, struct copy_result *r, struct err *err)
{
    const struct copy_options o = options(t);

    return copy_backup(&o, &t->id, r, err);
}

static void
copy__whole_backup__the_same_bytes(void **state)
{
    struct travel_case *t = *state;
    struct err err = ERR_INIT;
    struct copy_result r;

    assert_ok(copy(t, &r, &err), &err);
    assert_true(travel_case_arrived(t));
    assert_false(r.there);
    assert_int_equal(r.segments, TRAVEL_SEGMENTS);
    assert_int_equal(r.counts.put, TRAVEL_SEGMENTS);
    assert_int_equal(r.counts.had, 0);
    assert_true(r.counts.put_bytes > 300);
    assert_int_equal(store_fault_counts(t->from.store).calls[STORE_CALL_PUT], 0);
    assert_int_equal(store_fault_counts(t->from.store).calls[STORE_CALL_REMOVE], 0);
}

static void
copy__there_already__one_request(void **state)
{
    struct travel_case *t = *state;
    struct err err = ERR_INIT;
    struct copy_result r;

    assert_ok(copy(t, &r, &err), &err);
    store_fault_reset_counts(t->from.store);
    store_fault_reset_counts(t->to.store);
    assert_ok(copy(t, &r, &err), &err);
    assert_true(r.there);
    assert_int_equal(store_fault_counts(t->from.store).calls[STORE_CALL_ANY], 1);
    assert_int_equal(store_fault_counts(t->to.store).calls[STORE_CALL_ANY], 1);
}

static void
copy__no_such_backup__not_found(void **state)
{
    struct travel_case *t = *state;
    const struct copy_options o = options(t);
    struct err err = ERR_INIT;
    struct copy_result r;
    struct backup_id id;

    assert_true(backup_id_parse("20200101T000000Z-abcdef", &id, NULL));
    assert_fails(copy_backup(&o, &id, &r, &err), &err, ERR_NOT_FOUND);
}

static void
copy__too_little_memory__says_how_much(void **state)
{
    struct travel_case *t = *state;
    struct copy_options o = options(t);
    struct err err = ERR_INIT;
    struct copy_result r;

    o.memory = (uint64_t)16 << 20;
    assert_int_equal(copy_backup(&o, &t->id, &r, &err), -1);
    assert_non_null(strstr(err.msg, "--memory at least 17MiB"));
    assert_fails(-1, &err, ERR_USAGE);
    assert_false(travel_case_arrived(t));
}

/* Every call of either store fails once, done or not. The next run goes on with what is there. */
static void
copy__every_call_fails_in_turn__the_next_run_goes_on(void **state)
{
    struct travel_case *t = *state;
    unsigned rounds = 0, resumed = 0;

    for (int variant = 0; variant < 4; variant++) {
        struct store *faulty = variant < 2 ? t->to.store : t->from.store;

        for (uint64_t nth = 1;; nth++, rounds++) {
            struct err err = ERR_INIT;
            struct copy_result r;
            size_t left;
            int rc;

            travel_case_clear(t);
            store_fault_clear(faulty);
            store_fault_reset_counts(faulty);
            store_fault_add(
                faulty, &(struct store_fault){
                            .what = variant % 2 == 0 ? STORE_FAULT_FAIL : STORE_FAULT_LOSE, .nth = nth, .times = 1});
            rc = copy(t, &r, &err);
            if (store_fault_counts(faulty).calls[STORE_CALL_ANY] < nth) {
                assert_ok(rc, &err);
                break;
            }
            if (rc < 0)
                assert_int_equal(err.code, ERR_STORAGE);
            left = travel_case_segments(t);
            store_fault_clear(faulty);
            if (travel_case_arrived(t)) /* the manifest's answer was lost, but it was put */
                continue;
            assert_ok(copy(t, &r, &err), &err);
            assert_true(travel_case_arrived(t));
            assert_true(r.counts.put <= TRAVEL_SEGMENTS - left + JOBS); /* each worker one that is there */
            assert_int_equal(r.counts.put + r.counts.had, TRAVEL_SEGMENTS);
            resumed += r.counts.had > 0;
        }
    }
    assert_true(rounds > 20);
    assert_true(resumed > 0);
}

/* ---- damage ------------------------------------------------------------------------------------------------------ */

static void
assert_damaged(struct travel_case *t)
{
    struct err err = ERR_INIT;
    struct copy_result r;

    assert_int_equal(copy(t, &r, &err), -1);
    assert_non_null(strstr(err.msg, t->id.text));
    assert_fails(-1, &err, ERR_CORRUPT);
    assert_false(travel_case_arrived(t));
}

static void
copy__any_flipped_byte_of_the_source__refused(void **state)
{
    struct travel_case *t = *state;
    struct layout_key keys[2 + TRAVEL_SEGMENTS] = {travel_case_manifest(t, false), travel_case_index(t, false)};

    for (uint64_t n = 0; n < TRAVEL_SEGMENTS; n++)
        keys[2 + n] = travel_case_segment(t, false, n);
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        size_t len = 0;

        free(repo_case_get(t->from.mem, keys[i].text, &len));
        for (size_t at = 0; at < len; at += 3) {
            store_fault_clear(t->from.store);
            store_fault_add(
                t->from.store,
                &(struct store_fault){.call = STORE_CALL_GET, .what = STORE_FAULT_FLIP, .key = keys[i].text, .at = at});
            assert_damaged(t);
        }
        store_fault_clear(t->from.store);
        store_fault_add(t->from.store,
                        &(struct store_fault){
                            .call = STORE_CALL_GET, .what = STORE_FAULT_SHORTEN, .key = keys[i].text, .at = len - 1});
        assert_damaged(t);
        travel_case_clear(t);
    }
}

static void
copy__missing_or_too_long_object__damaged(void **state)
{
    struct travel_case *t = *state;
    struct layout_key keys[] = {travel_case_index(t, false), travel_case_segment(t, false, 2)};
    struct err err = ERR_INIT;
    struct copy_result r;

    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        size_t len = 0;
        char *data = repo_case_get(t->from.mem, keys[i].text, &len);

        repo_case_remove(t->from.mem, keys[i].text);
        assert_damaged(t);
        repo_case_put(t->from.mem, keys[i].text, data, len + 1); /* the NUL behind it */
        assert_damaged(t);
        repo_case_put(t->from.mem, keys[i].text, data, len);
        free(data);
    }
    assert_ok(copy(t, &r, &err), &err);
    assert_true(travel_case_arrived(t));
}

static void
copy__requires_something_unknown__unsupported(void **state)
{
    struct travel_case *t = *state;
    struct err err = ERR_INIT;
    struct copy_result r;

    travel_case_forge(t, "\"requires\":[]", "\"requires\":[\"encryption-1\"]");
    assert_fails(copy(t, &r, &err), &err, ERR_UNSUPPORTED);
    assert_int_equal(travel_case_segments(t), 0);
}

/* ---- facts ------------------------------------------------------------------------------------------------------- */

static bool
has_fact(struct travel_case *t, enum layout_fact kind)
{
    struct err err = ERR_INIT;
    bool there = false;

    assert_ok(fact_find(&t->to.repo, TRAVEL_TO, kind, &t->id, &there, NULL, &err), &err);
    return there;
}

static void
copy__facts__only_accepted_goes_along(void **state)
{
    struct travel_case *t = *state;
    struct err err = ERR_INIT;
    struct copy_result r;

    travel_case_forge(t, "\"suspicious\":false", "\"suspicious\":true");
    assert_ok(copy(t, &r, &err), &err);
    assert_false(has_fact(t, LAYOUT_ACCEPTED));
    assert_ok(fact_put(&t->from.repo, CASE_INSTANCE, LAYOUT_ACCEPTED, &t->id, "as meant", "0", &err), &err);
    assert_ok(fact_put(&t->from.repo, CASE_INSTANCE, LAYOUT_HOLD, &t->id, NULL, "0", &err), &err);
    assert_ok(fact_put(&t->from.repo, CASE_INSTANCE, LAYOUT_VERIFIED, &t->id, NULL, "0", &err), &err);
    assert_ok(copy(t, &r, &err), &err); /* accepted since: that goes along by itself */
    assert_true(r.there);
    assert_true(has_fact(t, LAYOUT_ACCEPTED));
    assert_false(has_fact(t, LAYOUT_HOLD) || has_fact(t, LAYOUT_VERIFIED) || has_fact(t, LAYOUT_EXPIRED));
    travel_case_clear(t);
    store_fault_reset_counts(t->to.store);
    assert_ok(copy(t, &r, &err), &err); /* what stands there already is left */
    assert_int_equal(store_fault_counts(t->to.store).calls[STORE_CALL_PUT], TRAVEL_SEGMENTS + 2);
}

/* ---- the list of all --------------------------------------------------------------------------------------------- */

static void
list__what_is_there__by_listings_alone(void **state)
{
    struct travel_case *t = *state;
    const struct copy_options o = options(t);
    struct layout_key key = travel_case_manifest(t, true);
    struct err err = ERR_INIT;
    struct copy_list list;
    struct copy_result r;
    size_t len = 0;
    char *other = repo_case_manifest("20200101T000000Z-abcdef", false, &len);

    repo_case_put(t->from.mem, "instances/" CASE_INSTANCE "/backups/20200101T000000Z-abcdef.json", other, len);
    repo_case_put(t->from.mem, "instances/" CASE_INSTANCE "/backups/notes.txt", "x", 1);
    repo_case_put(t->to.mem, "instances/" TRAVEL_TO "/backups/20210101T000000Z-abcdef.json", other, len);
    free(other);
    assert_ok(copy_list(&o, &list, &err), &err);
    assert_int_equal(list.count, 2);
    assert_string_equal(list.items[0].id.text, "20200101T000000Z-abcdef");
    assert_string_equal(list.items[1].id.text, t->id.text);
    assert_false(list.items[0].there || list.items[1].there);
    copy_list_free(&list);

    assert_ok(copy(t, &r, &err), &err);
    store_fault_reset_counts(t->from.store);
    store_fault_reset_counts(t->to.store);
    assert_ok(copy_list(&o, &list, &err), &err);
    assert_true(!list.items[0].there && list.items[1].there);
    copy_list_free(&list);
    assert_int_equal(store_fault_counts(t->from.store).calls[STORE_CALL_ANY], 2); /* manifests, accepted */
    assert_int_equal(store_fault_counts(t->to.store).calls[STORE_CALL_ANY], 1);

    repo_case_put(t->to.mem, key.text, "short", 5); /* another one, or damaged: a closer look will tell */
    assert_ok(copy_list(&o, &list, &err), &err);
    assert_false(list.items[1].there);
    copy_list_free(&list);
    assert_fails(copy(t, &r, &err), &err, ERR_REFUSED);
}

static void
list__accepted_in_the_source_alone__not_all_there(void **state)
{
    struct travel_case *t = *state;
    const struct copy_options o = options(t);
    struct err err = ERR_INIT;
    struct copy_list list;
    struct copy_result r;

    travel_case_forge(t, "\"suspicious\":false", "\"suspicious\":true");
    assert_ok(copy(t, &r, &err), &err);
    assert_ok(fact_put(&t->from.repo, CASE_INSTANCE, LAYOUT_ACCEPTED, &t->id, NULL, "0", &err), &err);
    for (int round = 0; round < 2; round++) {
        assert_ok(copy_list(&o, &list, &err), &err);
        assert_int_equal(list.items[0].there, round == 1);
        copy_list_free(&list);
        assert_ok(copy(t, &r, &err), &err);
    }
}

static void
list__any_call_fails__said_so(void **state)
{
    struct travel_case *t = *state;
    const struct copy_options o = options(t);
    struct err err = ERR_INIT;
    struct copy_list list;

    assert_ok(fact_put(&t->from.repo, CASE_INSTANCE, LAYOUT_ACCEPTED, &t->id, NULL, "0", &err), &err);
    for (int i = 0; i < 4; i++) {
        struct store *faulty = i % 2 == 0 ? t->from.store : t->to.store;

        store_fault_clear(t->from.store);
        store_fault_clear(t->to.store);
        store_fault_add(faulty, &(struct store_fault){.call = STORE_CALL_LIST,
                                                      .what = STORE_FAULT_FAIL,
                                                      .nth = (uint64_t)i / 2 + 1,
                                                      .code = ERR_STORE_DENIED});
        assert_fails(copy_list(&o, &list, &err), &err, ERR_STORE_DENIED);
    }
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(copy__whole_backup__the_same_bytes),
        TEST(copy__there_already__one_request),
        TEST(copy__no_such_backup__not_found),
        TEST(copy__too_little_memory__says_how_much),
        TEST(copy__every_call_fails_in_turn__the_next_run_goes_on),
        TEST(copy__any_flipped_byte_of_the_source__refused),
        TEST(copy__missing_or_too_long_object__damaged),
        TEST(copy__requires_something_unknown__unsupported),
        TEST(copy__facts__only_accepted_goes_along),
        TEST(list__what_is_there__by_listings_alone),
        TEST(list__accepted_in_the_source_alone__not_all_there),
        TEST(list__any_call_fails__said_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
