/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test_common.h"

#include <string.h>

#include "snapshot/inspect/inspect.h"

#define NOW_MS  INT64_C(1800000000000)
#define HOUR_MS INT64_C(3600000)

static struct inspect *
new_inspection(size_t top)
{
    const struct inspect_options options = {.now_ms = NOW_MS, .top = top, .prefixes = {.separator = ':', .depth = 1}};

    return inspect_new(&options);
}

static void
tell(struct inspect *x, const struct rdb_key *key)
{
    const struct rdb_observer observer = inspect_observer(x);
    struct rdb_key named = *key;

    if (named.name == NULL) {
        named.name = (const uint8_t *)"user:1";
        named.name_len = named.name_full_len = 6;
    }
    observer.fn(&named, observer.cookie);
}

static void
assert_sum(const struct inspect_sum *sum, uint64_t keys, uint64_t bytes, uint64_t expires)
{
    assert_int_equal(sum->keys, keys);
    assert_int_equal(sum->bytes, bytes);
    assert_int_equal(sum->expires, expires);
}

static void
inspect__databases_types_encodings__are_summed_up(void **state)
{
    struct inspect *x = new_inspection(10);
    struct inspect_db all;
    size_t count = 0;

    (void)state;
    tell(x, &(struct rdb_key){
                .database = 9, .type = RDB_HASH, .encoding = RDB_ENCODING_LISTPACK, .bytes = 20, .elements = 4});
    tell(x, &(struct rdb_key){.database = 0,
                              .type = RDB_HASH,
                              .encoding = RDB_ENCODING_LISTPACK,
                              .bytes = 30,
                              .elements = 5,
                              .expires = true,
                              .expires_ms = NOW_MS});
    tell(x, &(struct rdb_key){
                .database = 9, .type = RDB_STRING, .encoding = RDB_ENCODING_LZF, .bytes = 100, .elements = -1});
    tell(x, &(struct rdb_key){
                .database = 9, .type = RDB_HASH, .encoding = RDB_ENCODING_HASHTABLE, .bytes = 400, .elements = 50});
    inspect_finish(x);
    assert_sum(&x->all, 4, 550, 1);
    assert_int_equal(x->db_count, 2);
    assert_int_equal(x->dbs[0].number, 0);
    assert_sum(&x->dbs[0].all, 1, 30, 1);
    assert_int_equal(x->dbs[1].number, 9);
    assert_sum(&x->dbs[1].all, 3, 520, 0);
    assert_sum(&x->dbs[1].sums[RDB_HASH][RDB_ENCODING_HASHTABLE], 1, 400, 0);
    inspect_sum_all(x, &all);
    assert_sum(&all.all, 4, 550, 1);
    assert_sum(&all.sums[RDB_HASH][RDB_ENCODING_LISTPACK], 2, 50, 1);
    assert_sum(&all.sums[RDB_STRING][RDB_ENCODING_LZF], 1, 100, 0);
    (void)top_keys_sort(x->by_bytes, &count);
    assert_int_equal(count, 4);
    (void)top_keys_sort(x->by_elements, &count);
    assert_int_equal(count, 3); /* not the one whose number of elements is not known */
    inspect_free(x);
}

static void
inspect__expiries__fall_into_their_steps(void **state)
{
    static const struct {
        int64_t expires_ms;
        enum inspect_expiry step;
    } cases[] = {
        {INT64_MIN, INSPECT_PAST},
        {0, INSPECT_PAST},
        {NOW_MS, INSPECT_PAST},
        {NOW_MS + 1, INSPECT_HOUR},
        {NOW_MS + HOUR_MS, INSPECT_HOUR},
        {NOW_MS + HOUR_MS + 1, INSPECT_DAY},
        {NOW_MS + 24 * HOUR_MS, INSPECT_DAY},
        {NOW_MS + 24 * HOUR_MS + 1, INSPECT_WEEK},
        {NOW_MS + 7 * 24 * HOUR_MS, INSPECT_WEEK},
        {NOW_MS + 7 * 24 * HOUR_MS + 1, INSPECT_MONTH},
        {NOW_MS + 30 * 24 * HOUR_MS, INSPECT_MONTH},
        {NOW_MS + 30 * 24 * HOUR_MS + 1, INSPECT_LATER},
        {INT64_MAX, INSPECT_LATER},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct inspect *x = new_inspection(1);

        tell(x, &(struct rdb_key){.bytes = 7, .expires = true, .expires_ms = cases[i].expires_ms});
        tell(x, &(struct rdb_key){.bytes = 8, .expires_ms = -1});
        assert_sum(&x->expiry[cases[i].step], 1, 7, 1);
        assert_sum(&x->expiry[INSPECT_NEVER], 1, 8, 0);
        inspect_free(x);
    }
}

static void
inspect__sizes__fall_below_their_limits(void **state)
{
    struct inspect *x = new_inspection(1);

    (void)state;
    assert_int_equal(inspect_size_limit(0), 16);
    assert_int_equal(inspect_size_limit(1), 64);
    assert_int_equal(inspect_size_limit(INSPECT_SIZES - 2), UINT64_C(4) << 30);
    assert_true(inspect_size_limit(INSPECT_SIZES - 1) == UINT64_MAX);
    tell(x, &(struct rdb_key){.bytes = 15});
    tell(x, &(struct rdb_key){.bytes = 16});
    tell(x, &(struct rdb_key){.bytes = 63});
    tell(x, &(struct rdb_key){.bytes = UINT64_C(4) << 30});
    assert_sum(&x->sizes[0], 1, 15, 0);
    assert_sum(&x->sizes[1], 2, 79, 0);
    assert_sum(&x->sizes[INSPECT_SIZES - 1], 1, UINT64_C(4) << 30, 0);
    inspect_free(x);
}

static void
inspect__too_many_databases__are_lumped(void **state)
{
    struct inspect *x = new_inspection(1);
    struct inspect_db all;

    (void)state;
    for (uint64_t n = 0; n < INSPECT_DATABASES_MAX + 10; n++)
        tell(x, &(struct rdb_key){.database = 1000 - n, .bytes = 3});
    tell(x, &(struct rdb_key){.database = 1000, .bytes = 3});
    inspect_finish(x);
    assert_int_equal(x->db_count, INSPECT_DATABASES_MAX);
    assert_int_equal(x->dbs[INSPECT_DATABASES_MAX - 1].number, 1000);
    assert_sum(&x->dbs[INSPECT_DATABASES_MAX - 1].all, 2, 6, 0);
    assert_sum(&x->other_dbs.all, 10, 30, 0);
    inspect_sum_all(x, &all);
    assert_sum(&all.all, INSPECT_DATABASES_MAX + 11, 3 * (INSPECT_DATABASES_MAX + 11), 0);
    inspect_free(x);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inspect__databases_types_encodings__are_summed_up),
        cmocka_unit_test(inspect__expiries__fall_into_their_steps),
        cmocka_unit_test(inspect__sizes__fall_below_their_limits),
        cmocka_unit_test(inspect__too_many_databases__are_lumped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
