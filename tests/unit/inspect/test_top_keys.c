/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test_common.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "snapshot/inspect/top_keys.h"

#define KEYS 2000

/* Numbers that look random, the same on every machine. */
static unsigned
next_number(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(*state >> 33);
}

static void
add(struct top_keys *t, const char *name, uint64_t database, uint64_t measure)
{
    char copy[32]; /* gone after the call, as a parser's names are */
    struct rdb_key key = {.database = database, .bytes = measure, .elements = RDB_ELEMENTS_UNKNOWN};

    (void)snprintf(copy, sizeof(copy), "%s", name);
    key.name = (const uint8_t *)copy;
    key.name_len = key.name_full_len = strlen(copy);
    top_keys_add(t, &key, measure);
    memset(copy, 'X', sizeof(copy));
}

static void
assert_at(const struct top_key *top, const char *name, uint64_t database, uint64_t measure)
{
    assert_int_equal(top->measure, measure);
    assert_int_equal(top->key.database, database);
    assert_int_equal(top->key.name_len, strlen(name));
    assert_memory_equal(top->key.name, name, strlen(name));
}

static void
sort__fewer_than_there_is_room_for__is_all_of_them(void **state)
{
    struct top_keys *t = top_keys_new(10);
    size_t count = 1;
    const struct top_key *top = NULL;

    (void)state;
    (void)top_keys_sort(t, &count);
    assert_int_equal(count, 0);
    add(t, "b", 0, 5);
    add(t, "a", 0, 7);
    add(t, "c", 0, 7);
    top = top_keys_sort(t, &count);
    assert_int_equal(count, 3);
    assert_at(&top[0], "a", 0, 7);
    assert_at(&top[1], "c", 0, 7);
    assert_at(&top[2], "b", 0, 5);
    top_keys_free(t);
}

static void
add__no_room_at_all__is_nothing(void **state)
{
    struct top_keys *t = top_keys_new(0);
    size_t count = 1;

    (void)state;
    add(t, "a", 0, 1);
    (void)top_keys_sort(t, &count);
    assert_int_equal(count, 0);
    top_keys_free(t);
}

static void
add__same_measure__name_and_database_decide_whatever_the_order(void **state)
{
    static const struct {
        const char *name;
        uint64_t database;
    } keys[] = {{"b", 1}, {"a", 2}, {"ab", 0}, {"a", 0}, {"c", 0}, {"b", 0}};

    (void)state;
    for (size_t first = 0; first < ARRAY_LEN(keys); first++) {
        struct top_keys *t = top_keys_new(4);
        size_t count = 0;
        const struct top_key *top = NULL;

        for (size_t i = 0; i < ARRAY_LEN(keys); i++)
            add(t, keys[(first + i) % ARRAY_LEN(keys)].name, keys[(first + i) % ARRAY_LEN(keys)].database, 9);
        top = top_keys_sort(t, &count);
        assert_int_equal(count, 4);
        assert_at(&top[0], "a", 0, 9);
        assert_at(&top[1], "a", 2, 9);
        assert_at(&top[2], "ab", 0, 9);
        assert_at(&top[3], "b", 0, 9);
        top_keys_free(t);
    }
}

static int
descending(const void *left, const void *right)
{
    const uint64_t *a = left, *b = right;

    return *a > *b ? -1 : *a < *b;
}

static void
add__many__keeps_the_largest(void **state)
{
    static const size_t rooms[] = {1, 2, 3, 10, 100, KEYS};

    (void)state;
    for (unsigned seed = 1; seed <= 20; seed++) {
        for (size_t r = 0; r < ARRAY_LEN(rooms); r++) {
            struct top_keys *t = top_keys_new(rooms[r]);
            uint64_t measures[KEYS], random = seed;
            size_t count = 0;
            const struct top_key *top = NULL;
            char name[32];

            for (size_t i = 0; i < KEYS; i++) {
                measures[i] = next_number(&random) % 1000;
                (void)snprintf(name, sizeof(name), "%zu", i);
                add(t, name, 0, measures[i]);
            }
            qsort(measures, KEYS, sizeof(*measures), descending);
            top = top_keys_sort(t, &count);
            assert_int_equal(count, rooms[r]);
            for (size_t i = 0; i < count; i++)
                assert_true(top[i].measure == measures[i] && top[i].key.bytes == measures[i]);
            top_keys_free(t);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sort__fewer_than_there_is_room_for__is_all_of_them),
        cmocka_unit_test(add__no_room_at_all__is_nothing),
        cmocka_unit_test(add__same_measure__name_and_database_decide_whatever_the_order),
        cmocka_unit_test(add__many__keeps_the_largest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
