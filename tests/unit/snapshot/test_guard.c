/* SPDX-License-Identifier: Apache-2.0 */
/* test_guard.c: the judgements of the guards at their edges: limits, zeroes, and numbers that no server has. */
#include "snapshot/guard.h"

#include <stdio.h>
#include <string.h>

#include "tests/support/test_common.h"

#define MIB (UINT64_C(1) << 20)

/* ---- a data set that shrank ---- */

static bool
has_shrunk(uint64_t before, uint64_t now, unsigned percent)
{
    const struct guard_shrink g = {.percent = percent, .keys = before};
    const struct rdb_info found = {.parsed = true, .keys = now};

    return guard_has_shrunk(&g, &found);
}

static void
guard_has_shrunk__edges__fewer_than_the_share_and_no_more(void **state)
{
    static const struct {
        uint64_t before, now;
        unsigned percent;
        bool shrunk;
    } cases[] = {
        {100, 100, 50, false},
        {100, 1000, 50, false},
        {100, 50, 50, false},
        {100, 49, 50, true},
        {100, 0, 50, true},
        {101, 50, 50, true}, /* 50.5 */
        {101, 51, 50, false},
        {3, 1, 50, true},
        {2, 1, 50, false},
        {1, 0, 50, true},
        {1, 0, 1, true},
        {1, 1, 100, false},
        {1000, 999, 100, true},
        {199, 1, 1, true}, /* 1.99 */
        {199, 2, 1, false},
        {99, 0, 1, true}, /* 0.99 */
        {99, 1, 1, false},
        {UINT64_MAX, UINT64_MAX / 2, 50, true}, /* half of an odd number */
        {UINT64_MAX, UINT64_MAX / 2 + 1, 50, false},
        {UINT64_MAX, UINT64_MAX - 1, 100, true},
        {UINT64_MAX, UINT64_MAX, 100, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        if (has_shrunk(cases[i].before, cases[i].now, cases[i].percent) != cases[i].shrunk)
            fail_msg("case %zu", i);
    }
}

static void
guard_has_shrunk__nothing_to_go_by__is_never(void **state)
{
    const struct guard_shrink g = {.percent = 50, .keys = 1000}, none = {0};
    const struct rdb_info empty = {.parsed = true}, uncounted = {.parsed = false, .keys = 1};

    (void)state;
    assert_true(guard_has_shrunk(&g, &empty));
    assert_false(has_shrunk(0, 0, 50));
    assert_false(has_shrunk(0, 0, 100));
    assert_false(has_shrunk(1000, 0, 0));
    assert_false(guard_has_shrunk(&none, &empty));
    assert_false(guard_has_shrunk(&g, &uncounted));
}

static void
guard_shrink_text__greatest_numbers__fits_a_finding(void **state)
{
    struct guard_shrink g = {.percent = 100, .keys = UINT64_MAX};
    const struct rdb_info found = {.parsed = true, .keys = UINT64_MAX - 1};
    char text[sizeof(((struct manifest_finding *)NULL)->text)];

    (void)state;
    assert_true(backup_id_parse("20261122T103000Z-1a2b3c", &g.id, NULL));
    (void)guard_shrink_text(&g, &found, text, sizeof(text));
    assert_true(strlen(text) < sizeof(text) - 1);
    assert_non_null(strstr(text, "18446744073709551614"));
    assert_non_null(strstr(text, "20261122T103000Z-1a2b3c is 18446744073709551615"));
    assert_non_null(strstr(text, "100 %"));
}

/* ---- memory ---- */

static enum guard_memory_state
judge(const struct server_memory *m, bool full_sync, uint64_t limit)
{
    const struct guard_limit l = {.bytes = limit, .of = "its machine"};

    return guard_memory_judge(m, full_sync, &l).state;
}

static void
guard_memory_judge__tenth_of_the_data__is_expected_at_least(void **state)
{
    const struct server_memory m = {.used = 1000, .resident = 1200, .copied = 10};

    (void)state;
    assert_int_equal(judge(&m, false, 1299), GUARD_MEMORY_SHORT);
    assert_int_equal(judge(&m, false, 1300), GUARD_MEMORY_TIGHT);
    assert_int_equal(judge(&m, false, 2199), GUARD_MEMORY_TIGHT);
    assert_int_equal(judge(&m, false, 2200), GUARD_MEMORY_FITS);
}

static void
guard_memory_judge__last_save_copied_more__counts_one_and_a_half_times(void **state)
{
    const struct server_memory m = {.used = 1000, .resident = 1200, .copied = 200};

    (void)state;
    assert_int_equal(judge(&m, false, 1499), GUARD_MEMORY_SHORT);
    assert_int_equal(judge(&m, false, 1500), GUARD_MEMORY_TIGHT);
}

static void
guard_memory_judge__full_synchronization__needs_a_backlog_too(void **state)
{
    const struct server_memory m = {.used = 1000, .resident = 1200, .backlog_room = 500};

    (void)state;
    assert_int_equal(judge(&m, false, 1300), GUARD_MEMORY_TIGHT);
    assert_int_equal(judge(&m, true, 1799), GUARD_MEMORY_SHORT);
    assert_int_equal(judge(&m, true, 1800), GUARD_MEMORY_TIGHT);
}

static void
guard_memory_judge__not_told__is_unknown_and_never_short(void **state)
{
    const struct server_memory nothing = {0}, some = {.used = 1000, .resident = 1000};

    (void)state;
    assert_int_equal(judge(&nothing, true, 0), GUARD_MEMORY_UNKNOWN);
    assert_int_equal(judge(&nothing, true, 1), GUARD_MEMORY_UNKNOWN);
    assert_int_equal(judge(&some, true, 0), GUARD_MEMORY_UNKNOWN);
}

static void
guard_memory_judge__numbers_no_server_has__do_not_wrap_around(void **state)
{
    const struct server_memory huge = {.used = UINT64_MAX,
                                       .resident = UINT64_MAX,
                                       .copied = UINT64_MAX,
                                       .max = UINT64_MAX,
                                       .backlog_room = UINT64_MAX};
    const struct server_memory resident = {.used = 10, .resident = UINT64_MAX};
    const struct server_memory copied = {.used = 10, .resident = 10, .copied = UINT64_MAX};

    (void)state;
    assert_int_equal(judge(&huge, true, 1), GUARD_MEMORY_SHORT);
    assert_int_equal(judge(&huge, true, UINT64_MAX - 1), GUARD_MEMORY_SHORT);
    assert_int_equal(judge(&resident, false, UINT64_MAX - 1), GUARD_MEMORY_SHORT);
    assert_int_equal(judge(&copied, false, UINT64_MAX - 1), GUARD_MEMORY_SHORT);
    assert_int_equal(judge(&huge, true, UINT64_MAX), GUARD_MEMORY_FITS);
}

static void
guard_memory_grown__maxmemory__is_what_the_data_may_become(void **state)
{
    const struct server_memory m = {.used = 10, .resident = 20, .max = 100, .copied = 3};
    const struct server_memory full = {.used = 110, .resident = 120, .max = 100};
    struct server_memory grown = guard_memory_grown(&m);

    (void)state;
    assert_int_equal(grown.used, 100);
    assert_int_equal(grown.resident, 100);
    assert_int_equal(grown.copied, 3);
    grown = guard_memory_grown(&full);
    assert_int_equal(grown.used, 110);
    assert_int_equal(grown.resident, 120);
}

/* ---- the limit ---- */

static uint64_t
container_limit(const struct server_memory *told, const void *cookie)
{
    return told->process_id == 7 ? *(const uint64_t *)cookie : 0;
}

static void
guard_memory_limit__each_source__in_its_order(void **state)
{
    const uint64_t container = 500;
    const struct server_memory ours = {.used = 1, .machine = 1000, .process_id = 7};
    const struct server_memory other = {.used = 1, .machine = 1000, .process_id = 8}, silent = {.used = 1};
    struct guard_memory_options o = {.container_limit = container_limit, .cookie = &container};
    struct guard_limit limit = guard_memory_limit(&o, &ours);

    (void)state;
    assert_int_equal(limit.bytes, 500);
    assert_non_null(strstr(limit.of, "container"));
    assert_false(limit.is_machine);
    limit = guard_memory_limit(&o, &other);
    assert_int_equal(limit.bytes, 1000);
    assert_true(limit.is_machine);
    assert_int_equal(guard_memory_limit(NULL, &ours).bytes, 1000);
    assert_int_equal(guard_memory_limit(NULL, &silent).bytes, 0);
    o.container_limit = NULL;
    assert_int_equal(guard_memory_limit(&o, &ours).bytes, 1000);
    o.container_limit = container_limit;
    o.server_memory = 2000; /* what is said counts, even when it is more */
    limit = guard_memory_limit(&o, &ours);
    assert_int_equal(limit.bytes, 2000);
    assert_string_equal(limit.of, "--server-memory");
}

static void
guard_memory_text__figures__are_all_there(void **state)
{
    const struct server_memory m = {.used = 100 * MIB, .resident = 120 * MIB, .copied = 8 * MIB};
    const struct guard_limit limit = {.bytes = 125 * MIB, .of = "the container that remora shares with it"};
    struct guard_memory g = guard_memory_judge(&m, false, &limit);
    char text[sizeof(((struct manifest_finding *)NULL)->text)];

    (void)state;
    assert_string_equal(
        guard_memory_text(&m, &g, text, sizeof(text)),
        "the server has 120 MiB resident, a save may take 12.0 MiB more (the last one copied 8.00 MiB), "
        "and the limit of the container that remora shares with it is 125 MiB");
}

/* ---- findings ---- */

static void
guard_note__again__takes_the_place_of_the_first(void **state)
{
    struct guard_findings f = {0};
    char text[1000];

    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    for (unsigned i = 0; i < 3 * MANIFEST_FINDINGS_MAX; i++) {
        guard_note(&f, "memory", text);
        guard_note(&f, "space", "no room");
    }
    assert_int_equal(f.count, 2);
    assert_int_equal(strlen(f.list[0].text), sizeof(f.list[0].text) - 1);
    assert_true(guard_has_noted(&f, "memory") && guard_has_noted(&f, "space"));
    guard_forget(&f, "memory");
    guard_forget(&f, "memory");
    guard_forget(&f, "shrink");
    assert_int_equal(f.count, 1);
    assert_string_equal(f.list[0].guard, "space");
    assert_false(guard_has_noted(&f, "memory"));
    guard_forget(&f, "space");
    assert_int_equal(f.count, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(guard_has_shrunk__edges__fewer_than_the_share_and_no_more),
        cmocka_unit_test(guard_has_shrunk__nothing_to_go_by__is_never),
        cmocka_unit_test(guard_shrink_text__greatest_numbers__fits_a_finding),
        cmocka_unit_test(guard_memory_judge__tenth_of_the_data__is_expected_at_least),
        cmocka_unit_test(guard_memory_judge__last_save_copied_more__counts_one_and_a_half_times),
        cmocka_unit_test(guard_memory_judge__full_synchronization__needs_a_backlog_too),
        cmocka_unit_test(guard_memory_judge__not_told__is_unknown_and_never_short),
        cmocka_unit_test(guard_memory_judge__numbers_no_server_has__do_not_wrap_around),
        cmocka_unit_test(guard_memory_grown__maxmemory__is_what_the_data_may_become),
        cmocka_unit_test(guard_memory_limit__each_source__in_its_order),
        cmocka_unit_test(guard_memory_text__figures__are_all_there),
        cmocka_unit_test(guard_note__again__takes_the_place_of_the_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
