/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test_common.h"

#include <stdio.h>
#include <string.h>

#include "snapshot/redis/server_fit.h"

static struct server_version
version(const char *text)
{
    struct err err = ERR_INIT;
    struct server_version v;

    assert_ok(server_version_parse(text, &v, &err), &err);
    return v;
}

static void
server_version_parse__what_people_and_programs_write__is_understood(void **state)
{
    static const struct {
        const char *text, *means;
    } cases[] = {
        {"7.2.4", "Redis or Valkey 7.2.4"},
        {"7.0", "Redis 7.0.0"},
        {"6.2.14", "Redis 6.2.14"},
        {"v8.0", "Redis or Valkey 8.0.0"},
        {"redis-7.0", "Redis 7.0.0"},
        {"Redis 8.10.1", "Redis 8.10.1"},
        {"redis:7.2.4-debian-12-r9", "Redis 7.2.4"},
        {"valkey-8.1.1", "Valkey 8.1.1"},
        {"VALKEY v8.0", "Valkey 8.0.0"},
        {"valkey:8.1-alpine", "Valkey 8.1.0"},
        {"9.0.0-rc1", "Redis or Valkey 9.0.0"},
        {"Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=ae4d7c971a948f0\n", "Redis 7.0.15"},
        {"Valkey server v=8.1.1 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=1\n", "Valkey 8.1.1"},
        {"Redis server v=255.255.255 sha=1:1", "Redis 255.255.255"},
        {" 7.2\n", "Redis or Valkey 7.2.0"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[SERVER_VERSION_TEXT];
        struct server_version v = version(cases[i].text);

        assert_string_equal(server_version_describe(&v, text), cases[i].means);
    }
}

static void
server_version_parse__anything_else__usage(void **state)
{
    static const char *const texts[] = {"",           "7",       "v8",
                                        "latest",     "redis",   "7.",
                                        "7.x",        "7.2.x",   "keydb-6.3",
                                        "-7.2",       "7.2.4.1", "99999999999.0",
                                        "valkey-7.0", "7,2",     "Futriix server v=1.0"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct err err = ERR_INIT;
        struct server_version v = {0};

        if (server_version_parse(texts[i], &v, &err) == 0)
            fail_msg("\"%s\" was taken for a version", texts[i]);
        assert_int_equal(err.code, ERR_USAGE);
        assert_int_equal(v.kinds, 0);
    }
}

static void
server_version_from_facts__valkey__is_by_its_own_version(void **state)
{
    const struct server_facts valkey = {.known = true, .kind = "valkey", .version = "8.1.1"},
                              redis = {.known = true, .kind = "redis", .version = "7.2.4"}, denied = {.known = true};
    struct server_version v;

    (void)state;
    server_version_from_facts(&valkey, &v);
    assert_int_equal(v.kinds, SERVER_VALKEY);
    assert_int_equal(v.minor, 1);
    server_version_from_facts(&redis, &v);
    assert_int_equal(v.kinds, SERVER_REDIS);
    server_version_from_facts(&denied, &v);
    assert_int_equal(v.kinds, 0);
}

static void
server_version_has_aof_folder__seven_and_valkey__yes(void **state)
{
    static const struct {
        const char *text;
        bool has;
    } cases[] = {{"6.2.14", false}, {"redis-5.0", false}, {"6.9.240", true},    {"7.0.0", true},
                 {"7.2", true},     {"redis-8.0", true},  {"valkey-7.2", true}, {"valkey-9.1", true}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct server_version v = version(cases[i].text);

        assert_int_equal(server_version_has_aof_folder(&v), cases[i].has);
    }
}

/* The greatest version of Redis's format, and the greatest of Valkey's (0: none), that a server reads. */
static void
server_version_reads__every_release__up_to_its_own(void **state)
{
    static const struct {
        const char *server;
        unsigned redis, valkey;
    } cases[] = {
        {"2.4", 5, 0},
        {"3.0.7", 6, 0},
        {"3.2", 7, 0},
        {"4.0.14", 8, 0},
        {"5.0.14", 9, 0},
        {"6.2.14", 9, 0},
        {"7.0.15", 10, 0},
        {"redis-7.2.4", 11, 0},
        {"7.2.4", 11, 0},
        {"redis-7.4.1", 12, 0},
        {"redis-8.0.6", 12, 0},
        {"redis-8.4", 12, 0},
        {"redis-8.6.3", 13, 0},
        {"redis-8.8", 14, 0},
        {"redis-8.10.0", 15, 0},
        {"valkey-7.2.5", 11, 0},
        {"valkey-8.1.1", 11, 0},
        {"valkey-9.0", 11, 80},
        {"valkey-9.1.2", 11, 80},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct server_version v = version(cases[i].server);

        for (unsigned rdb = 1; rdb < 100; rdb++) {
            enum server_fit redis = rdb <= cases[i].redis ? SERVER_FITS : SERVER_FITS_NOT,
                            valkey = rdb <= cases[i].valkey ? SERVER_FITS : SERVER_FITS_NOT;

            if (server_version_reads(&v, RDB_REDIS, rdb) != redis ||
                server_version_reads(&v, RDB_VALKEY, rdb) != valkey)
                fail_msg("%s and RDB version %u", cases[i].server, rdb);
        }
    }
}

static void
server_version_reads__not_known__is_never_guessed(void **state)
{
    const struct server_version none = {0};
    struct server_version v = version("8.0.1");

    (void)state;
    assert_int_equal(server_version_reads(&none, RDB_REDIS, 6), SERVER_FIT_UNKNOWN);
    /* Redis 8.0 reads 12 and Valkey 8.0 does not; both read 11, neither reads 13 or Valkey's. */
    assert_int_equal(server_version_reads(&v, RDB_REDIS, 11), SERVER_FITS);
    assert_int_equal(server_version_reads(&v, RDB_REDIS, 12), SERVER_FIT_UNKNOWN);
    assert_int_equal(server_version_reads(&v, RDB_REDIS, 13), SERVER_FITS_NOT);
    assert_int_equal(server_version_reads(&v, RDB_VALKEY, 80), SERVER_FITS_NOT);
    v = version("redis-8.12");
    assert_int_equal(server_version_reads(&v, RDB_REDIS, 15), SERVER_FITS);
    assert_int_equal(server_version_reads(&v, RDB_REDIS, 16), SERVER_FIT_UNKNOWN);
    assert_int_equal(server_version_reads(&v, RDB_VALKEY, 80), SERVER_FITS_NOT);
    v = version("valkey-9.2");
    assert_int_equal(server_version_reads(&v, RDB_VALKEY, 80), SERVER_FITS);
    assert_int_equal(server_version_reads(&v, RDB_VALKEY, 81), SERVER_FIT_UNKNOWN);
    assert_int_equal(server_version_reads(&v, RDB_REDIS, 12), SERVER_FITS_NOT);
}

/* ---- a dump and a server ----------------------------------------------------------------------------------------- */

static struct server_doubts doubts;
static struct err err;

static int
check(enum rdb_kind kind, unsigned rdb, const struct server_reader *server)
{
    const struct rdb_info dump = {.kind = kind, .version = rdb, .parsed = true};

    err_clear(&err);
    return server_fit_check(&dump, server, &doubts, &err);
}

static void
server_fit_check__version_too_old__says_what_would_do(void **state)
{
    struct server_reader server = {.version = version("valkey-8.1.1")};

    (void)state;
    assert_int_equal(check(RDB_REDIS, 11, &server), 0);
    assert_int_equal(doubts.count, 0);
    assert_int_equal(check(RDB_REDIS, 12, &server), -1);
    assert_int_equal(err.code, ERR_UNSUPPORTED);
    assert_non_null(strstr(err.msg, "Valkey 8.1.1"));
    assert_non_null(strstr(err.msg, "Redis 7.4 or later, but no Valkey"));
    assert_non_null(strstr(err.msg, "--server-version"));
    assert_int_equal(check(RDB_VALKEY, 80, &server), -1);
    assert_non_null(strstr(err.msg, "Valkey 9.0 or later"));
    server.version = version("redis-8.10");
    assert_int_equal(check(RDB_VALKEY, 80, &server), -1);
    assert_int_equal(check(RDB_REDIS, 16, &server), -1);
    assert_non_null(strstr(err.msg, "newer than 8.10"));
    server.version = version("7.0.15");
    assert_int_equal(check(RDB_REDIS, 11, &server), -1);
    assert_non_null(strstr(err.msg, "Redis 7.2 or later, or any Valkey"));
}

static void
server_fit_check__nothing_known__doubts_and_no_error(void **state)
{
    struct rdb_db dbs[] = {{.number = 0, .keys = 1}, {.number = 3, .keys = 1}};
    struct rdb_module modules[] = {{.name = "ReJSON-RL", .keys = 1}};
    const struct rdb_info dump = {
        .version = 11, .unparsed_why = "type 99", .dbs = dbs, .db_count = 2, .modules = modules, .module_count = 1};
    const struct server_reader nothing = {.databases = 0};

    (void)state;
    assert_ok(server_fit_check(&dump, &nothing, &doubts, &err), &err);
    assert_int_equal(doubts.count, 4);
    assert_non_null(strstr(doubts.items[0], "type 99"));
    assert_non_null(strstr(doubts.items[1], "unknown version"));
    assert_non_null(strstr(doubts.items[2], "database 3"));
    assert_non_null(strstr(doubts.items[3], "ReJSON-RL"));
}

static void
server_fit_check__relaxed_valkey__is_a_doubt(void **state)
{
    const struct server_reader server = {.version = version("valkey-8.1"), .is_version_check_relaxed = true},
                               redis = {.version = version("redis-7.0"), .is_version_check_relaxed = true};

    (void)state;
    assert_int_equal(check(RDB_REDIS, 12, &server), 0);
    assert_int_equal(doubts.count, 1);
    assert_int_equal(check(RDB_REDIS, 12, &redis), -1);
}

static void
server_fit_check__databases__one_too_few_is_refused(void **state)
{
    struct rdb_db dbs[] = {{.number = 0, .keys = 1}, {.number = 16, .keys = 1}};
    const struct rdb_info dump = {.version = 10, .parsed = true, .dbs = dbs, .db_count = 2};
    struct server_reader server = {.version = version("7.0"), .databases = 17};

    (void)state;
    assert_ok(server_fit_check(&dump, &server, &doubts, &err), &err);
    assert_int_equal(doubts.count, 0);
    server.databases = 16;
    assert_int_equal(server_fit_check(&dump, &server, &doubts, &err), -1);
    assert_int_equal(err.code, ERR_UNSUPPORTED);
    assert_non_null(strstr(err.msg, "`databases 17`"));
    err_clear(&err);
    server.databases = 1;
    assert_int_equal(server_fit_check(&dump, &server, &doubts, &err), -1);
    assert_non_null(strstr(err.msg, "cluster"));
    err_clear(&err);
}

static void
server_fit_check__modules__by_what_is_listed(void **state)
{
    static const struct {
        const char *type, *server, *modules;
        bool complete;
        enum server_fit fit;
    } cases[] = {
        {"ReJSON-RL", "7.2", "search,ReJSON", true, SERVER_FITS},
        {"ReJSON-RL", "valkey-8.1", "json", true, SERVER_FITS},
        {"ReJSON-RL", "7.2", "rejson", false, SERVER_FITS},
        {"ReJSON-RL", "7.2", "ReJSO,ReJSON2,bf", true, SERVER_FITS_NOT},
        {"ReJSON-RL", "7.2", "bf", false, SERVER_FIT_UNKNOWN},
        {"ReJSON-RL", "7.2", "", true, SERVER_FITS_NOT},
        {"ReJSON-RL", "7.2", NULL, false, SERVER_FIT_UNKNOWN},
        {"scdtype00", "7.2", "search", true, SERVER_FITS},
        {"MBbloomCF", "7.2", "bf", true, SERVER_FITS},
        {"somebodys", "7.2", "bf", true, SERVER_FIT_UNKNOWN},
        {"somebodys", "7.2", "", true, SERVER_FITS_NOT},
        {"vectorset", "redis-8.0", "", false, SERVER_FITS},
        {"vectorset", "redis-7.4", "", true, SERVER_FITS_NOT},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct rdb_module module = {.encver = 1};
        const struct rdb_info dump = {.version = 11, .parsed = true, .modules = &module, .module_count = 1};
        const struct server_reader server = {.version = version(cases[i].server),
                                             .databases = 16,
                                             .modules = cases[i].modules,
                                             .are_modules_complete = cases[i].complete};
        int rc;

        (void)snprintf(module.name, sizeof(module.name), "%s", cases[i].type);
        rc = server_fit_check(&dump, &server, &doubts, &err);
        if (rc != (cases[i].fit == SERVER_FITS_NOT ? -1 : 0) || doubts.count != (cases[i].fit == SERVER_FIT_UNKNOWN))
            fail_msg("case %zu, %s: %d, %zu doubts", i, cases[i].type, rc, doubts.count);
        if (rc < 0)
            assert_int_equal(err.code, ERR_UNSUPPORTED);
        err_clear(&err);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(server_version_parse__what_people_and_programs_write__is_understood),
        cmocka_unit_test(server_version_parse__anything_else__usage),
        cmocka_unit_test(server_version_from_facts__valkey__is_by_its_own_version),
        cmocka_unit_test(server_version_has_aof_folder__seven_and_valkey__yes),
        cmocka_unit_test(server_version_reads__every_release__up_to_its_own),
        cmocka_unit_test(server_version_reads__not_known__is_never_guessed),
        cmocka_unit_test(server_fit_check__version_too_old__says_what_would_do),
        cmocka_unit_test(server_fit_check__nothing_known__doubts_and_no_error),
        cmocka_unit_test(server_fit_check__relaxed_valkey__is_a_doubt),
        cmocka_unit_test(server_fit_check__databases__one_too_few_is_refused),
        cmocka_unit_test(server_fit_check__modules__by_what_is_listed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
