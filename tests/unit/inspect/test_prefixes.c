/* SPDX-License-Identifier: Apache-2.0 */
/* The table of prefixes: exact while it has room, and after that within the bound that it tells. */
#include "tests/support/test_common.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "snapshot/inspect/prefixes.h"

static void
add(struct prefixes *t, const char *name, uint64_t bytes, bool expires)
{
    const struct rdb_key key = {.name = (const uint8_t *)name,
                                .name_len = strlen(name),
                                .name_full_len = strlen(name),
                                .bytes = bytes,
                                .expires = expires};

    prefixes_add(t, &key);
}

/* "NAME keys/expires/bytes, ..." of all prefixes, in the order that is told. */
static void
assert_table(struct prefixes *t, const char *expected)
{
    char text[1024] = "";
    size_t count = 0, used = 0;
    const struct prefix *p = prefixes_sort(t, &count);

    for (size_t i = 0; i < count; i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%.*s %" PRIu64 "/%" PRIu64 "/%" PRIu64,
                                 i > 0 ? ", " : "", (int)p[i].len, (const char *)prefixes_name(t, &p[i]), p[i].sum.keys,
                                 p[i].sum.expires, p[i].sum.bytes);
    assert_string_equal(text, expected);
}

/* ---- what a prefix is -------------------------------------------------------------------------------------------- */

static void
cut__any_name__is_its_first_parts_but_never_the_last(void **state)
{
    static const struct {
        const char *name;
        unsigned depth;
        const char *prefix;
    } cases[] = {
        {"", 1, ""},
        {"plain", 1, ""},
        {"user:7", 1, "user:"},
        {"user:7:name", 1, "user:"},
        {":x", 1, ":"},
        {"user:", 1, "user:"},
        {"user:7", 2, "user:"},
        {"user:7:name", 2, "user:7:"},
        {"a:b:c:d", 3, "a:b:c:"},
        {"a:b:c:d", 8, "a:b:c:"},
        {"::::", 2, "::"},
        {"user.7", 1, ""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct prefix_options options = {.separator = ':', .depth = cases[i].depth};

        assert_int_equal(prefixes_cut(&options, (const uint8_t *)cases[i].name, strlen(cases[i].name)),
                         strlen(cases[i].prefix));
    }
}

/* ---- with room -----------------------------------------------------------------------------------------------------
 */

static void
add__few_prefixes__is_exact_and_sorted(void **state)
{
    const struct prefix_options options = {.separator = ':', .depth = 1};
    struct prefixes *t = prefixes_new(&options);

    (void)state;
    add(t, "b:1", 10, true);
    add(t, "a:1", 10, false);
    add(t, "none", 3, false);
    add(t, "c:1", 10, false);
    add(t, "c:2", 10, true);
    add(t, "also none", 4, true);
    assert_table(t, "c: 2/1/20, a: 1/0/10, b: 1/1/10,  2/1/7");
    assert_true(prefixes_bytes_missed(t) == 0 && prefixes_others(t)->keys == 0);
    prefixes_free(t);
}

static void
add__as_many_as_there_is_room_for__is_exact(void **state)
{
    const struct prefix_options options = {.separator = ':', .depth = 1, .prefixes_max = 100};
    struct prefixes *t = prefixes_new(&options);
    char name[32];
    size_t count = 0;

    (void)state;
    for (int i = 0; i < 300; i++) {
        (void)snprintf(name, sizeof(name), "p%d:x", i % 100);
        add(t, name, 5, false);
    }
    (void)prefixes_sort(t, &count);
    assert_int_equal(count, 100);
    assert_true(prefixes_bytes_missed(t) == 0);
    prefixes_free(t);
}

/* ---- without -------------------------------------------------------------------------------------------------------
 */

static void
add__one_too_many__takes_the_median_off_all(void **state)
{
    const struct prefix_options options = {.separator = ':', .depth = 1, .prefixes_max = 4};
    struct prefixes *t = prefixes_new(&options);

    (void)state;
    add(t, "a:", 100, false);
    add(t, "b:", 10, true);
    add(t, "c:", 30, false);
    add(t, "d:", 20, false);
    add(t, "e:", 1, false); /* the median is 30: only a: stays, with a credit of 70 */
    add(t, "b:", 5, false);
    assert_int_equal(prefixes_others(t)->keys, 3);
    assert_int_equal(prefixes_others(t)->bytes, 60);
    assert_int_equal(prefixes_others(t)->expires, 1);
    assert_int_equal(prefixes_bytes_missed(t), 30);
    assert_table(t, "a: 1/0/100, b: 1/0/5, e: 1/0/1");
    prefixes_free(t);
}

#define NAMES 500

struct truth {
    struct inspect_sum sums[NAMES];
    struct inspect_sum all;
};

/* Numbers that look random, the same on every machine. */
static unsigned
next_number(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(*state >> 33);
}

/* Any number of prefixes, some much larger than others, in a random order. */
static void
check_bounds(uint64_t seed, size_t room)
{
    const struct prefix_options options = {.separator = '/', .depth = 1, .prefixes_max = room};
    struct prefixes *t = prefixes_new(&options);
    struct truth truth = {0};
    struct inspect_sum told = *prefixes_others(t);
    const struct prefix *p = NULL;
    size_t count = 0;
    uint64_t missed = 0;
    bool is_told[NAMES] = {0};

    for (int i = 0; i < 20000; i++) {
        unsigned which = next_number(&seed) % NAMES;
        char name[32];
        struct inspect_sum one = {1, 1 + next_number(&seed) % (which % 17 == 0 ? 5000 : 50),
                                  next_number(&seed) % 3 == 0};

        (void)snprintf(name, sizeof(name), "prefix-%u/%d", which, i);
        add(t, name, one.bytes, one.expires > 0);
        inspect_sum_add(&truth.sums[which], &one);
        inspect_sum_add(&truth.all, &one);
    }
    missed = prefixes_bytes_missed(t);
    assert_true(missed <= 2 * truth.all.bytes / room);
    assert_int_equal(missed == 0, room >= NAMES);
    told = *prefixes_others(t);
    p = prefixes_sort(t, &count);
    assert_true(count <= room);
    for (size_t i = 0; i < count; i++) {
        char name[32] = "";
        size_t which = 0;

        assert_true(i == 0 || p[i - 1].sum.bytes >= p[i].sum.bytes);
        memcpy(name, prefixes_name(t, &p[i]), p[i].len);
        which = strtoul(name + strlen("prefix-"), NULL, 10);
        assert_false(is_told[which]);
        is_told[which] = true;
        assert_true(p[i].sum.bytes <= truth.sums[which].bytes && p[i].sum.keys <= truth.sums[which].keys);
        assert_true(p[i].sum.expires <= truth.sums[which].expires);
        assert_true(p[i].sum.bytes + missed >= truth.sums[which].bytes);
        inspect_sum_add(&told, &p[i].sum);
    }
    for (size_t i = 0; i < NAMES; i++)
        assert_true(is_told[i] || truth.sums[i].bytes <= missed);
    assert_true(told.keys == truth.all.keys && told.bytes == truth.all.bytes && told.expires == truth.all.expires);
    prefixes_free(t);
}

static void
add__more_than_there_is_room_for__stays_within_what_it_says(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        check_bounds(seed, 1);
        check_bounds(seed, 3);
        check_bounds(seed, 64);
        check_bounds(seed, 257);
        check_bounds(seed, NAMES);
    }
}

static void
add__names_that_fill_their_room__make_room_too(void **state)
{
    const struct prefix_options options = {
        .separator = ':', .depth = 1, .prefixes_max = 1000, .names_max = 4 * RDB_KEY_NAME_MAX};
    struct prefixes *t = prefixes_new(&options);
    char name[RDB_KEY_NAME_MAX + 1];
    struct inspect_sum told = {0};
    size_t count = 0;
    const struct prefix *p = NULL;

    (void)state;
    for (int i = 0; i < 100; i++) {
        memset(name, 'x', sizeof(name) - 1);
        name[0] = (char)('0' + i / 10);
        name[1] = (char)('0' + i % 10);
        name[RDB_KEY_NAME_MAX - 1] = ':';
        name[RDB_KEY_NAME_MAX] = '\0';
        add(t, name, 10, false);
        add(t, "steady:", 10, false);
    }
    assert_true(prefixes_bytes_missed(t) > 0);
    told = *prefixes_others(t);
    p = prefixes_sort(t, &count);
    assert_true(p[0].len == 7 && memcmp(prefixes_name(t, &p[0]), "steady:", 7) == 0);
    for (size_t i = 0; i < count; i++)
        inspect_sum_add(&told, &p[i].sum);
    assert_int_equal(told.keys, 200);
    prefixes_free(t);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cut__any_name__is_its_first_parts_but_never_the_last),
        cmocka_unit_test(add__few_prefixes__is_exact_and_sorted),
        cmocka_unit_test(add__as_many_as_there_is_room_for__is_exact),
        cmocka_unit_test(add__one_too_many__takes_the_median_off_all),
        cmocka_unit_test(add__more_than_there_is_room_for__stays_within_what_it_says),
        cmocka_unit_test(add__names_that_fill_their_room__make_room_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
