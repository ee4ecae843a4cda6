/* SPDX-License-Identifier: Apache-2.0 */
/* test_check_repo.c: a repository that is well, and every way in which its store says no. */
#include "snapshot/check/check_repo.h"

#include <string.h>

#include "storage/store_fault.h"
#include "storage/store_mem.h"
#include "tests/support/check_case.h"
#include "tests/support/repo_case.h"
#include "tests/support/test_common.h"

#define PROBE "instances/" CASE_INSTANCE "/probe/"

static struct repo_case repo;
static struct check check;
static uint64_t latest;

static int
set_up(void **state)
{
    (void)state;
    repo_case_open(&repo);
    memset(&check, 0, sizeof(check));
    latest = 99;
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    check_fini(&check);
    repo_case_close(&repo);
    return 0;
}

/* Check with the fault in place. */
static void
check_with(const struct store_fault *fault)
{
    store_fault_add(repo.store, fault);
    check_repository(&check, repo.store, CASE_INSTANCE, &latest);
}

static void
check_repository__healthy__is_ok_and_leaves_nothing(void **state)
{
    struct rdb_build dump;
    struct manifest *m;
    size_t before;

    (void)state;
    repo_case_dump(&dump, 5000, 0);
    m = repo_case_backup(&repo, &dump);
    before = repo_case_count(repo.mem, "");
    check_repository(&check, repo.store, CASE_INSTANCE, &latest);
    for (size_t i = 0; i < check.count; i++) {
        assert_string_equal(check.rows[i].area, "repository");
        check_case_is(&check, check.rows[i].name, CHECK_OK, "");
    }
    assert_int_equal(check.count, 8);
    check_case_is(&check, "latest", CHECK_OK, m->id.text);
    assert_int_equal(latest, 5000);
    assert_int_equal(repo_case_count(repo.mem, ""), before);
    manifest_free(m);
    rdb_build_fini(&dump);
}

static void
check_repository__no_backup_yet__is_a_warning(void **state)
{
    (void)state;
    check_repository(&check, repo.store, CASE_INSTANCE, &latest);
    check_case_is(&check, "latest", CHECK_WARN, "no backup");
    assert_null(check_gravest(&check));
    assert_int_equal(latest, 0);
}

static void
check_repository__a_damaged_newest__is_named(void **state)
{
    struct rdb_build dump;

    (void)state;
    repo_case_dump(&dump, 5000, 0);
    manifest_free(repo_case_backup(&repo, &dump));
    repo_case_put(repo.mem, "instances/" CASE_INSTANCE "/backups/20990101T000000Z-abcdef.json", "{", 1);
    check_repository(&check, repo.store, CASE_INSTANCE, &latest);
    check_case_is(&check, "latest", CHECK_WARN, "20990101T000000Z-abcdef");
    assert_int_equal(latest, 5000);
    rdb_build_fini(&dump);
}

static void
check_repository__no_marker__is_not_found(void **state)
{
    struct store *empty = store_mem_new();

    (void)state;
    check_repository(&check, empty, CASE_INSTANCE, &latest);
    check_case_is(&check, "reachable", CHECK_OK, "answers");
    check_case_failed(&check, "marker", ERR_NOT_FOUND, "not a repository");
    assert_int_equal(check.count, 2);
    assert_int_equal(repo_case_count(empty, ""), 0);
    store_free(empty);
}

static void
check_repository__a_bad_marker__is_corrupt(void **state)
{
    (void)state;
    repo_case_put(repo.mem, "remora.json", "{}", 2);
    check_repository(&check, repo.store, CASE_INSTANCE, &latest);
    check_case_failed(&check, "marker", ERR_CORRUPT, "remora.json");
}

static void
check_repository__unreachable_or_denied__keeps_its_code(void **state)
{
    static const enum err_code codes[] = {ERR_STORAGE, ERR_STORE_DENIED};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        check_fini(&check);
        store_fault_clear(repo.store);
        check_with(&(struct store_fault){.call = STORE_CALL_GET, .what = STORE_FAULT_FAIL, .code = codes[i]});
        check_case_failed(&check, "reachable", codes[i], "");
        assert_int_equal(check.count, 1);
    }
}

static void
check_repository__no_bucket_or_folder__is_no_marker_that_is_missing(void **state)
{
    (void)state;
    check_with(&(struct store_fault){.call = STORE_CALL_NOW, .what = STORE_FAULT_FAIL, .code = ERR_NOT_FOUND});
    check_case_failed(&check, "reachable", ERR_NOT_FOUND, "");
    check_case_lacks(&check, "marker");
}

static void
check_repository__no_such_instance__writes_nothing(void **state)
{
    (void)state;
    check_repository(&check, repo.store, "other", &latest);
    check_case_failed(&check, "instance", ERR_NOT_FOUND, CASE_INSTANCE);
    check_case_is(&check, "writable", CHECK_WARN, "not tried");
    check_case_lacks(&check, "create-only");
    assert_int_equal(store_fault_counts(repo.store).calls[STORE_CALL_PUT], 0);
}

static void
check_repository__bad_or_no_instance_name__is_told(void **state)
{
    (void)state;
    check_repository(&check, repo.store, "../up", &latest);
    check_case_failed(&check, "instance", ERR_USAGE, "not an instance name");
    check_fini(&check);
    check_repository(&check, repo.store, NULL, &latest);
    check_case_is(&check, "instance", CHECK_WARN, CASE_INSTANCE);
    check_case_lacks(&check, "writable");
    assert_int_equal(store_fault_counts(repo.store).calls[STORE_CALL_PUT], 0);
}

static void
check_repository__put_refused__keeps_its_code(void **state)
{
    static const enum err_code codes[] = {ERR_STORE_DENIED, ERR_NO_SPACE, ERR_STORAGE};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        check_fini(&check);
        store_fault_clear(repo.store);
        check_with(&(struct store_fault){.call = STORE_CALL_PUT, .what = STORE_FAULT_FAIL, .code = codes[i]});
        check_case_failed(&check, "writable", codes[i], "");
        check_case_is(&check, "latest", CHECK_WARN, "no backup"); /* it goes on */
    }
}

static void
check_repository__lost_answer_to_put__leaves_no_probe(void **state)
{
    (void)state;
    check_with(&(struct store_fault){.call = STORE_CALL_PUT, .what = STORE_FAULT_LOSE});
    check_case_failed(&check, "writable", ERR_STORAGE, "");
    assert_int_equal(repo_case_count(repo.mem, PROBE), 0);
}

static void
check_repository__other_bytes_come_back__is_corrupt(void **state)
{
    (void)state;
    check_with(&(struct store_fault){.call = STORE_CALL_GET, .what = STORE_FAULT_FLIP, .key = "/probe/", .at = 3});
    check_case_failed(&check, "writable", ERR_CORRUPT, "does not hold the bytes");
    assert_int_equal(repo_case_count(repo.mem, PROBE), 0);
}

static void
check_repository__no_create_only__is_a_warning(void **state)
{
    (void)state;
    store_drop_features(repo.store, STORE_CREATE_ONLY);
    check_repository(&check, repo.store, CASE_INSTANCE, &latest);
    check_case_is(&check, "create-only", CHECK_WARN, "no put that refuses");
    check_case_is(&check, "removable", CHECK_OK, "");
}

static void
check_repository__remove_denied__is_a_warning_that_names_the_object(void **state)
{
    (void)state;
    check_with(&(struct store_fault){.call = STORE_CALL_REMOVE, .what = STORE_FAULT_FAIL, .code = ERR_STORE_DENIED});
    check_case_is(&check, "writable", CHECK_OK, "");
    check_case_is(&check, "removable", CHECK_WARN, PROBE);
    assert_int_equal(repo_case_count(repo.mem, PROBE), 1);
}

static void
check_judge_skew__distances__a_minute_warns_a_quarter_fails(void **state)
{
    static const struct {
        int64_t ms;
        enum check_verdict verdict;
        const char *words;
    } cases[] = {
        {0, CHECK_OK, ""},
        {60000, CHECK_OK, ""},
        {-60000, CHECK_OK, ""},
        {61000, CHECK_WARN, "ahead of"},
        {-61000, CHECK_WARN, "behind"},
        {900000, CHECK_WARN, "ahead of"},
        {901000, CHECK_FAIL, "ahead of"},
        {-901000, CHECK_FAIL, "behind"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        check_fini(&check);
        check.area = "repository";
        check_judge_skew(&check, cases[i].ms);
        check_case_is(&check, "clock", cases[i].verdict, cases[i].words);
    }
}

static void
check_repository__store_clock_ahead__is_seen(void **state)
{
    (void)state;
    store_fault_shift_times(repo.store, 0, 3600 * 1000);
    check_repository(&check, repo.store, CASE_INSTANCE, &latest);
    check_case_failed(&check, "clock", ERR_STORAGE, "ahead of");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(check_repository__healthy__is_ok_and_leaves_nothing),
        TEST(check_repository__no_backup_yet__is_a_warning),
        TEST(check_repository__a_damaged_newest__is_named),
        TEST(check_repository__no_marker__is_not_found),
        TEST(check_repository__a_bad_marker__is_corrupt),
        TEST(check_repository__unreachable_or_denied__keeps_its_code),
        TEST(check_repository__no_bucket_or_folder__is_no_marker_that_is_missing),
        TEST(check_repository__no_such_instance__writes_nothing),
        TEST(check_repository__bad_or_no_instance_name__is_told),
        TEST(check_repository__put_refused__keeps_its_code),
        TEST(check_repository__lost_answer_to_put__leaves_no_probe),
        TEST(check_repository__other_bytes_come_back__is_corrupt),
        TEST(check_repository__no_create_only__is_a_warning),
        TEST(check_repository__remove_denied__is_a_warning_that_names_the_object),
        TEST(check_judge_skew__distances__a_minute_warns_a_quarter_fails),
        TEST(check_repository__store_clock_ahead__is_seen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
