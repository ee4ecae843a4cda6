/* SPDX-License-Identifier: Apache-2.0 */
/* test_restore_policy.c: what --if-unreachable, --only-ordinal, --pod-index and --owner say. */
#include "agent/restore_policy.h"

#include <string.h>

#include "agent/open_target.h"
#include "base/mem.h"
#include "tests/support/test_common.h"

static void
ordinal__host_names__the_number_behind_the_last_dash(void **state)
{
    static const struct {
        const char *name;
        bool has;
        uint64_t number;
    } cases[] = {
        {"redis-0", true, 0},
        {"redis-12", true, 12},
        {"shop-cache-redis-3", true, 3},
        {"redis", false, 0},
        {"redis-", false, 0},
        {"redis-x", false, 0},
        {"redis-1a", false, 0},
        {"", false, 0},
        {"redis--1", true, 1},
        {"3", false, 0},
        {"redis-99999999999999999999", false, 0},
        {"redis-1.ns", false, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint64_t number = 0;

        if (restore_policy_ordinal(cases[i].name, &number) != cases[i].has)
            fail_msg("%s", cases[i].name);
        if (cases[i].has)
            assert_int_equal(number, cases[i].number);
    }
}

static void
policy__each_form__is_read(void **state)
{
    static const struct {
        const char *unreachable, *only, *pod;
        enum restore_unreachable want;
        int64_t wait_ms;
        bool other, bad;
    } cases[] = {
        {"fail", NULL, NULL, UNREACHABLE_FAIL, 0, false, false},
        {"start-empty", NULL, NULL, UNREACHABLE_START_EMPTY, 0, false, false},
        {"wait:5m", NULL, NULL, UNREACHABLE_WAIT, 300000, false, false},
        {"wait:", NULL, NULL, UNREACHABLE_FAIL, 0, false, true},
        {"wait:soon", NULL, NULL, UNREACHABLE_FAIL, 0, false, true},
        {"wait", NULL, NULL, UNREACHABLE_FAIL, 0, false, true},
        {"never", NULL, NULL, UNREACHABLE_FAIL, 0, false, true},
        {"fail", "0", "0", UNREACHABLE_FAIL, 0, false, false},
        {"fail", "0", "1", UNREACHABLE_FAIL, 0, true, false},
        {"fail", "x", "1", UNREACHABLE_FAIL, 0, false, true},
        {"fail", "0", "-1", UNREACHABLE_FAIL, 0, false, true},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct config config = {
            .if_unreachable = cases[i].unreachable, .only_ordinal = cases[i].only, .pod_index = cases[i].pod};
        struct restore_policy policy;
        struct err err = ERR_INIT;

        if (cases[i].bad) {
            assert_fails(restore_policy_from(&config, &policy, &err), &err, ERR_USAGE);
            continue;
        }
        assert_ok(restore_policy_from(&config, &policy, &err), &err);
        assert_int_equal(policy.unreachable, cases[i].want);
        assert_int_equal(policy.wait_ms, cases[i].wait_ms);
        assert_int_equal(policy.other_pod, cases[i].other);
    }
}

static void
owner__two_numbers__and_nothing_else(void **state)
{
    static const char *const bad[] = {"",
                                      ":",
                                      "999",
                                      "999:",
                                      ":999",
                                      "redis:redis",
                                      "-1:0",
                                      "0:4294967295",
                                      "4294967295:0",
                                      "1:2:3",
                                      "99999999999999999999999999:1"};
    const struct target_server server = {.names = target_names_default};
    struct config config = {.target = "/", .owner = "999:1000"};
    struct target_options options;
    struct err err = ERR_INIT;

    (void)state;
    assert_ok(open_target_options(&config, &server, &options, &err), &err);
    assert_true(options.owner_given);
    assert_int_equal(options.uid, 999);
    assert_int_equal(options.gid, 1000);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        config.owner = bad[i];
        assert_fails(open_target_options(&config, &server, &options, &err), &err, ERR_USAGE);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ordinal__host_names__the_number_behind_the_last_dash),
        cmocka_unit_test(policy__each_form__is_read),
        cmocka_unit_test(owner__two_numbers__and_nothing_else),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
