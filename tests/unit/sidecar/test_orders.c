/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test_common.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/options.h"
#include "agent/sidecar/orders.h"
#include "base/mem.h"

#define WORDS_MAX 24
#define HOUR      ((int64_t)3600000)

/* orders_from() with these words behind `remora agent --repo /r --instance shop`; the strings of O do not outlive it.
 */
static int
read_orders(const char *const *words, struct orders *o, struct err *err)
{
    static const char *const first[] = {"remora", "agent", "--repo", "/r", "--instance", "shop"};
    char *argv[WORDS_MAX];
    struct config config;
    int argc = 0, rc;

    while (argc < (int)ARRAY_LEN(first)) {
        argv[argc] = mem_strdup(first[argc]);
        argc++;
    }
    for (; *words != NULL; words++)
        argv[argc++] = mem_strdup(*words);
    rc = options_parse(argc, argv, &config, err);
    if (rc == 0)
        rc = orders_from(&config, o, err);
    for (int i = 0; rc == 0 && i < WORK_KINDS; i++)
        o->works[i].text = o->works[i].text != NULL ? "given" : NULL;
    config_fini(&config);
    while (argc > 0)
        free(argv[--argc]);
    return rc;
}

#define WORDS(...) ((const char *const[]){"--redis-url", "redis://h", __VA_ARGS__, NULL})

static void
orders_from__nothing_but_a_server__only_triggers(void **state)
{
    struct err err = ERR_INIT;
    struct orders o;

    (void)state;
    assert_ok(read_orders((const char *const[]){"--redis-url", "redis://h", NULL}, &o, &err), &err);
    assert_true(o.has_server);
    assert_null(o.works[WORK_BACKUP].text);
    assert_null(o.only_role);
    assert_false(o.other_pod);
    assert_int_equal(o.expect_every_ms, 0);
    assert_ok(read_orders(WORDS("--expect-every", "2h"), &o, &err), &err);
    assert_int_equal(o.expect_every_ms, 2 * HOUR);
    assert_ok(read_orders((const char *const[]){"--rdb-file", "/d.rdb", NULL}, &o, &err), &err);
    assert_false(o.has_server);
}

static void
orders_from__schedules__the_longest_distance_is_expected(void **state)
{
    static const struct {
        const char *schedule;
        int64_t every_ms;
    } cases[] = {
        {"@every 90m", HOUR * 3 / 2},
        {"@hourly", HOUR},
        {"0 0 * * *", 24 * HOUR},
        {"0 9-17 * * 1-5", 64 * HOUR}, /* over the weekend */
        {"* 9-17 * * 1-5", 63 * HOUR + 60000},
        {"0 0 1 * *", 31 * 24 * HOUR},
    };
    struct err err = ERR_INIT;
    struct orders o;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_ok(read_orders(WORDS("--backup-schedule", cases[i].schedule), &o, &err), &err);
        if (o.expect_every_ms != cases[i].every_ms)
            fail_msg("%s: %lld", cases[i].schedule, (long long)o.expect_every_ms);
        assert_non_null(o.works[WORK_BACKUP].text);
        assert_int_equal(o.works[WORK_BACKUP].offset_ms, 0);
    }
    assert_ok(read_orders(WORDS("--backup-schedule", "@daily", "--backup-jitter", "1h", "--verify-schedule", "@daily"),
                          &o, &err),
              &err);
    assert_in_range(o.works[WORK_BACKUP].offset_ms, 1, HOUR);
    assert_int_equal(o.works[WORK_VERIFY].offset_ms, 0);
}

static void
orders_from__run_on__is_read(void **state)
{
    struct err err = ERR_INIT;
    struct orders o;

    (void)state;
    assert_ok(read_orders(WORDS("--run-on", "replica"), &o, &err), &err);
    assert_string_equal(o.only_role, "replica");
    assert_ok(read_orders(WORDS("--run-on", "ordinal=2", "--pod-index", "2"), &o, &err), &err);
    assert_false(o.other_pod);
    assert_null(o.only_role);
    assert_ok(read_orders(WORDS("--run-on", "ordinal=2", "--pod-index", "0"), &o, &err), &err);
    assert_true(o.other_pod);
}

static void
orders_from__time_zone__is_that_of_the_process(void **state)
{
    struct err err = ERR_INIT;
    struct orders o;
    const time_t winter = 1768478400; /* 2026-01-15T12:00:00Z */

    (void)state;
    assert_ok(read_orders(WORDS("--time-zone", "Europe/Berlin"), &o, &err), &err);
    assert_int_equal(localtime(&winter)->tm_hour, 13);
    assert_ok(read_orders(WORDS("--time-zone", "UTC"), &o, &err), &err);
    assert_int_equal(localtime(&winter)->tm_hour, 12);
}

static void
orders_from__mistakes__are_usage_errors_that_name_the_option(void **state)
{
    static const struct {
        const char *option, *value, *named;
    } cases[] = {
        {"--backup-schedule", "61 * * * *", "--backup-schedule"},
        {"--verify-schedule", "hourly", "--verify-schedule"},
        {"--prune-schedule", "@every 0s", "--prune-schedule"},
        {"--time-zone", "Mars/Olympus", "--time-zone"},
        {"--time-zone", "/etc/passwd", "--time-zone"},
        {"--time-zone", "../../../etc/passwd", "--time-zone"},
        {"--run-on", "ordinal", "--run-on"},
        {"--run-on", "ordinal=-1", "--run-on"},
        {"--run-on", "slave", "--run-on"},
        {"--method", "bgsave", "--data-dir"},
        {"--instance", "../x", "--instance"},
        {"--repo", "gopher://x/y", "--repo"},
        {"--redis-url", "http://x", "--redis-url"},
        {"--redis-password-file", "/nonexistent/password", "--redis-password-file"},
        {"--backup-jitter", "8d", "--backup-jitter"},
        {"--backup-schedule", "@every 4000d", "ten years"},
        /* What the first job would have found. */
        {"--tag", "WRONG", "--tag"},
        {"--tag", "=x", "--tag"},
        {"--memory", "1M", "memory"},
        {"--with-config", "/dev/null", "--with-config"},
        {"--prune-schedule", "@daily", "--keep-last"},
    };
    struct err err = ERR_INIT;
    struct orders o;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        if (read_orders(WORDS(cases[i].option, cases[i].value), &o, &err) == 0)
            fail_msg("taken: %s %s", cases[i].option, cases[i].value);
        if (err.code != ERR_USAGE || strstr(err.msg, cases[i].named) == NULL)
            fail_msg("%s %s: %s", cases[i].option, cases[i].value, err.msg);
        err_clear(&err);
    }
    assert_fails(read_orders((const char *const[]){"--rdb-file", "/d", "--run-on", "master", NULL}, &o, &err), &err,
                 ERR_USAGE);
    assert_fails(read_orders(WORDS("--prune-schedule", "@daily", "--orphan-age", "1h"), &o, &err), &err, ERR_USAGE);
    assert_int_equal(read_orders(WORDS("--tag", "a=b", "--tag", "a=c"), &o, &err), -1);
    assert_non_null(strstr(err.msg, "twice"));
    err_clear(&err);
    assert_fails(
        read_orders(WORDS("--verify-schedule", "@daily", "--load", "--server-binary", "/nonexistent"), &o, &err), &err,
        ERR_USAGE);
    assert_int_equal(read_orders(WORDS("--run-on", "master", "--allow-master", "no"), &o, &err), -1);
    assert_non_null(strstr(err.msg, "--allow-master"));
}

static void
orders_from__whole__is_taken(void **state)
{
    struct err err = ERR_INIT;
    struct orders o;

    (void)state;
    assert_ok(read_orders(WORDS("--tag", "a=b,c", "--tag", "d=", "--prune-schedule", "@daily", "--keep-within", "7d",
                                "--with-config", "/nonexistent/nodes.conf"),
                          &o, &err),
              &err);
    assert_non_null(o.works[WORK_PRUNE].text);
    assert_ok(read_orders(WORDS("--run-on", "replica", "--allow-master", "no", "--keep-last", "3"), &o, &err), &err);
}

/* A child inherits what the agent itself has no option for. */
static void
orders_from__mistake_in_the_environment_of_a_job__is_found(void **state)
{
    static const struct {
        const char *name, *value, *schedule;
    } cases[] = {
        {"REMORA_ALL", "yes", "--verify-schedule"},
        {"REMORA_RECORD", "perhaps", "--verify-schedule"},
        {"REMORA_CREATE", "perhaps", "--backup-schedule"},
        {"REMORA_TAG", "WRONG", "--backup-schedule"},
    };
    struct err err = ERR_INIT;
    struct orders o;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(setenv(cases[i].name, cases[i].value, 1), 0);
        assert_fails(read_orders(WORDS(cases[i].schedule, "@daily"), &o, &err), &err, ERR_USAGE);
        assert_int_equal(unsetenv(cases[i].name), 0);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(orders_from__nothing_but_a_server__only_triggers),
        cmocka_unit_test(orders_from__schedules__the_longest_distance_is_expected),
        cmocka_unit_test(orders_from__run_on__is_read),
        cmocka_unit_test(orders_from__time_zone__is_that_of_the_process),
        cmocka_unit_test(orders_from__mistakes__are_usage_errors_that_name_the_option),
        cmocka_unit_test(orders_from__whole__is_taken),
        cmocka_unit_test(orders_from__mistake_in_the_environment_of_a_job__is_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
