/* SPDX-License-Identifier: Apache-2.0 */
#include "snapshot/repo/probe.h"

#include <string.h>

#include "storage/store_fault.h"
#include "tests/support/repo_case.h"
#include "tests/support/test_common.h"

#define PROBES "instances/" CASE_INSTANCE "/probe/"

static struct repo_case c;

static int
set_up(void **state)
{
    (void)state;
    repo_case_open(&c);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    repo_case_close(&c);
    return 0;
}

static void
probe_run__writable_repository__costs_a_put_and_a_removal_and_leaves_nothing(void **state)
{
    struct store_fault_counts counts;
    struct err err = ERR_INIT;

    (void)state;
    assert_ok(probe_run(&c.repo, CASE_INSTANCE, &err), &err);
    counts = store_fault_counts(c.store);
    assert_int_equal(counts.calls[STORE_CALL_PUT], 1);
    assert_int_equal(counts.calls[STORE_CALL_REMOVE], 1);
    assert_int_equal(counts.calls[STORE_CALL_ANY], 2);
    assert_int_equal(repo_case_count(c.mem, PROBES), 0);
}

static void
probe_run__put_denied_or_failing__is_the_puts_error(void **state)
{
    static const enum err_code codes[] = {ERR_STORE_DENIED, ERR_STORAGE, ERR_NO_SPACE, ERR_REFUSED};
    struct err err = ERR_INIT;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        store_fault_clear(c.store);
        store_fault_add(c.store,
                        &(struct store_fault){.call = STORE_CALL_PUT, .what = STORE_FAULT_FAIL, .code = codes[i]});
        assert_int_equal(probe_run(&c.repo, CASE_INSTANCE, &err), -1);
        assert_int_equal(err.code, codes[i]);
        assert_non_null(strstr(err.msg, "cannot be written to"));
        assert_non_null(strstr(err.msg, PROBES));
        err_clear(&err);
    }
}

/* A pod that may put and not remove, and a store that keeps everything for its time. */
static void
probe_run__removal_refused__is_no_failure(void **state)
{
    static const enum err_code codes[] = {ERR_STORE_DENIED, ERR_LOCKED, ERR_STORAGE};
    struct err err = ERR_INIT;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        store_fault_clear(c.store);
        store_fault_add(c.store,
                        &(struct store_fault){.call = STORE_CALL_REMOVE, .what = STORE_FAULT_FAIL, .code = codes[i]});
        assert_ok(probe_run(&c.repo, CASE_INSTANCE, &err), &err);
        assert_int_equal(repo_case_count(c.mem, PROBES), i + 1); /* each has a name of its own */
    }
}

static void
probe_init__its_put__is_neither_permanent_nor_conditional(void **state)
{
    struct probe p;

    (void)state;
    probe_init(&p, CASE_INSTANCE);
    assert_int_equal(p.put.flags, 0);
    assert_ptr_equal(p.put.key, p.key.text);
    assert_int_equal(strlen(p.key.text), strlen(PROBES) + 16);
    probe_fini(&p);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(probe_run__writable_repository__costs_a_put_and_a_removal_and_leaves_nothing),
        TEST(probe_run__put_denied_or_failing__is_the_puts_error),
        TEST(probe_run__removal_refused__is_no_failure),
        cmocka_unit_test(probe_init__its_put__is_neither_permanent_nor_conditional),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
