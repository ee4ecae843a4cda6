/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test_common.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/target_server.h"
#include "base/clock.h"
#include "snapshot/redis/client.h"
#include "snapshot/redis/server_program.h"
#include "tests/support/fake_redis.h"
#include "tests/support/redis_server.h"

static char dir[256], conf_path[300], program[300];
static struct target_server t;
static struct err err;

static int
set_up(void **state)
{
    (void)state;
    test_make_dir(dir);
    (void)snprintf(conf_path, sizeof(conf_path), "%s/redis.conf", dir);
    (void)snprintf(program, sizeof(program), "%s/server", dir);
    err_clear(&err);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    test_remove_dir(dir);
    return 0;
}

static void
write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

/* A program that does what TEXT says. */
static void
write_program(const char *text)
{
    write_file(program, text);
    assert_int_equal(chmod(program, 0700), 0);
}

static int
from_flags(const struct config *c)
{
    return target_server_from_flags(c, &t, &err);
}

/* It fails with ERR_USAGE, and the sentence has WORDS. */
static void
refuses(const struct config *c, const char *words)
{
    assert_int_equal(from_flags(c), -1);
    assert_int_equal(err.code, ERR_USAGE);
    if (strstr(err.msg, words) == NULL)
        fail_msg("no \"%s\" in: %s", words, err.msg);
    err_clear(&err);
}

/* ---- options ----------------------------------------------------------------------------------------------------- */

static void
target_server_from_flags__nothing__all_is_unknown(void **state)
{
    const struct config c = {0};

    (void)state;
    assert_ok(from_flags(&c), &err);
    assert_int_equal(t.layout, TARGET_LAYOUT_UNKNOWN);
    assert_string_equal(t.layout_why, "");
    assert_int_equal(t.version.kinds, 0);
    assert_int_equal(t.databases, 0);
    assert_false(t.are_modules_complete);
    assert_string_equal(t.names.dbfilename, "dump.rdb");
    assert_string_equal(t.names.appenddirname, "appendonlydir");
    assert_string_equal(t.names.appendfilename, "appendonly.aof");
    assert_int_equal(target_server_need_layout(&t, "yes", &err), -1);
    assert_int_equal(err.code, ERR_USAGE);
    assert_non_null(strstr(err.msg, "--appendonly yes or --appendonly no"));
    assert_non_null(strstr(err.msg, "had appendonly yes)"));
    assert_fails(target_server_need_layout(&t, "", &err), &err, ERR_USAGE);
}

static void
target_server_from_flags__layout__by_options(void **state)
{
    static const struct {
        int layout, appendonly;
        const char *version;
        enum target_layout means;
        const char *why;
    } cases[] = {
        {LAYOUT_AUTO, APPENDONLY_NO, NULL, TARGET_LAYOUT_RDB, "--appendonly no"},
        {LAYOUT_AUTO, APPENDONLY_YES, "7.0.15", TARGET_LAYOUT_AOF, "--appendonly yes, Redis 7.0.15"},
        {LAYOUT_AUTO, APPENDONLY_YES, "valkey-8.1", TARGET_LAYOUT_AOF, "--appendonly yes, Valkey 8.1.0"},
        {LAYOUT_AUTO, APPENDONLY_YES, "6.2.14", TARGET_LAYOUT_SINGLE_AOF, "--appendonly yes, Redis 6.2.14"},
        {LAYOUT_AUTO, APPENDONLY_YES, NULL, TARGET_LAYOUT_AOF,
         "--appendonly yes; a server of unknown version, taken for Redis 7.0 or later or Valkey"},
        {LAYOUT_RDB, APPENDONLY_AUTO, NULL, TARGET_LAYOUT_RDB, "--layout rdb"},
        {LAYOUT_RDB, APPENDONLY_NO, "7.2", TARGET_LAYOUT_RDB, "--layout rdb"},
        {LAYOUT_AOF, APPENDONLY_YES, "7.2", TARGET_LAYOUT_AOF, "--layout aof"},
        {LAYOUT_AOF, APPENDONLY_AUTO, NULL, TARGET_LAYOUT_AOF, "--layout aof"},
        {LAYOUT_SINGLE_AOF, APPENDONLY_AUTO, "6.0", TARGET_LAYOUT_SINGLE_AOF, "--layout single-aof"},
        {LAYOUT_SINGLE_AOF, APPENDONLY_YES, "7.0", TARGET_LAYOUT_SINGLE_AOF, "--layout single-aof"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct config c = {
            .layout = cases[i].layout, .appendonly = cases[i].appendonly, .server_version = cases[i].version};

        assert_ok(from_flags(&c), &err);
        assert_int_equal(t.layout, cases[i].means);
        assert_string_equal(t.layout_why, cases[i].why);
        assert_ok(target_server_need_layout(&t, "", &err), &err);
    }
}

static void
target_server_from_flags__contradictions__usage(void **state)
{
    struct config c = {.layout = LAYOUT_RDB, .appendonly = APPENDONLY_YES};

    (void)state;
    refuses(&c, "--layout rdb and --appendonly yes");
    c.layout = LAYOUT_AOF;
    c.appendonly = APPENDONLY_NO;
    refuses(&c, "--layout aof and --appendonly no");
    c.layout = LAYOUT_SINGLE_AOF;
    refuses(&c, "--layout single-aof and --appendonly no");
    c = (struct config){.layout = LAYOUT_AOF, .server_version = "6.2.14"};
    refuses(&c, "--layout single-aof");
    c = (struct config){.server_version = "latest"};
    refuses(&c, "--server-version");
}

static void
target_server_from_flags__names__are_bare_and_differ(void **state)
{
    static const char *const bad[] = {"", "a/b", "/a", "a\\b", ".", "..", ".remora-lock", ".remora-"};
    struct config c = {.dbfilename = "d", .appenddirname = "..d", .appendfilename = ".remoras"};

    (void)state;
    assert_ok(from_flags(&c), &err);
    assert_string_equal(t.names.dbfilename, "d");
    assert_string_equal(t.names.appenddirname, "..d");
    assert_string_equal(t.names.appendfilename, ".remoras");
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        c = (struct config){.dbfilename = bad[i]};
        refuses(&c, "--dbfilename");
        c = (struct config){.appenddirname = bad[i]};
        refuses(&c, "--appenddirname");
        c = (struct config){.appendfilename = bad[i]};
        refuses(&c, "--appendfilename");
    }
    c = (struct config){.dbfilename = "appendonlydir"};
    refuses(&c, "are the same");
    c = (struct config){.appenddirname = "x", .appendfilename = "x"};
    refuses(&c, "are the same");
    c = (struct config){.dbfilename = "appendonly.aof"};
    refuses(&c, "are the same");
}

/* ---- configuration ----------------------------------------------------------------------------------------------- */

static void
target_server_from_flags__configuration__says_the_rest(void **state)
{
    struct config c = {.redis_conf = conf_path, .server_version = "6.2", .appendfilename = "mine.aof"};
    char why[512];

    (void)state;
    write_file(conf_path, "dbfilename d.rdb\nappendfilename other.aof\nappendonly yes\ndatabases 20\n"
                          "loadmodule /x/rejson.so\nrdb-version-check relaxed\n");
    assert_ok(from_flags(&c), &err);
    assert_int_equal(t.layout, TARGET_LAYOUT_SINGLE_AOF);
    (void)snprintf(why, sizeof(why), "appendonly yes in %s line 3, Redis 6.2.0", conf_path);
    assert_string_equal(t.layout_why, why);
    assert_string_equal(t.names.dbfilename, "d.rdb");
    assert_string_equal(t.names.appendfilename, "mine.aof");
    assert_string_equal(t.names.appenddirname, "appendonlydir");
    assert_int_equal(t.databases, 20);
    assert_string_equal(t.modules, "rejson");
    assert_false(t.are_modules_complete);
    assert_true(t.is_version_check_relaxed);
    /* Options win. */
    c.appendonly = APPENDONLY_NO;
    assert_ok(from_flags(&c), &err);
    assert_int_equal(t.layout, TARGET_LAYOUT_RDB);
    assert_string_equal(t.layout_why, "--appendonly no");
    c.appendonly = APPENDONLY_AUTO;
    c.layout = LAYOUT_RDB;
    assert_ok(from_flags(&c), &err);
    assert_int_equal(t.layout, TARGET_LAYOUT_RDB);
    assert_string_equal(t.layout_why, "--layout rdb");
}

static void
target_server_from_flags__configuration_is_silent__says_the_default_and_no_number(void **state)
{
    const struct config c = {.redis_conf = conf_path};

    (void)state;
    write_file(conf_path, "port 6379\n");
    assert_ok(from_flags(&c), &err);
    assert_int_equal(t.layout, TARGET_LAYOUT_RDB);
    assert_non_null(strstr(t.layout_why, "does not set appendonly"));
    assert_true(t.is_appendonly_mute);
    assert_int_equal(t.databases, 0);
    write_file(conf_path, "cluster-enabled yes\ndatabases 16\n");
    assert_ok(from_flags(&c), &err);
    assert_int_equal(t.databases, 1);
    write_file(conf_path, "cluster-enabled yes\ncluster-databases 8\n");
    assert_ok(from_flags(&c), &err);
    assert_int_equal(t.databases, 8);
}

static void
target_server_from_flags__bad_configuration__usage(void **state)
{
    const struct config c = {.redis_conf = conf_path, .appendonly = APPENDONLY_NO};

    (void)state;
    refuses(&c, "--redis-conf");
    write_file(conf_path, "appendonly perhaps\n");
    refuses(&c, "line 1");
    write_file(conf_path, "dbfilename ../x\n");
    refuses(&c, conf_path);
    write_file(conf_path, "dbfilename x\nappendfilename x\n");
    refuses(&c, "are the same");
}

#define TIME SERVER_PROGRAM_TIMEOUT_MS

/* ---- the program ------------------------------------------------------------------------------------------------- */

static void
server_program_version__programs__are_asked(void **state)
{
    struct server_version v;

    (void)state;
    assert_ok(server_program_version("redis-server", TIME, &v, &err), &err); /* of the PATH */
    assert_int_equal(v.kinds, SERVER_REDIS);
    assert_true(v.major >= 5);
    write_program("#!/bin/sh\n[ $# = 1 ] && [ \"$1\" = --version ] && echo 'Valkey server v=8.1.1 sha=0'; "
                  "echo more >&2; head -c 100000 /dev/zero\n");
    assert_ok(server_program_version(program, TIME, &v, &err), &err);
    assert_int_equal(v.kinds, SERVER_VALKEY);
    assert_int_equal(v.minor, 1);
}

static void
server_program_version__no_answer__usage(void **state)
{
    static const char *const programs[] = {
        "#!/bin/sh\n",
        "#!/bin/sh\necho Hello\n",
        "#!/bin/sh\necho Redis server v=7.0.15\nexit 1\n",
        "#!/bin/sh\necho Redis server v=7.0.15\nkill -9 $$\n",
        "no program, and no shell makes one of it\n",
    };
    struct server_version v;
    struct config c = {.server_binary = program};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(programs); i++) {
        write_program(programs[i]);
        assert_fails(server_program_version(program, TIME, &v, &err), &err, ERR_USAGE);
    }
    refuses(&c, "--server-binary");
    assert_fails(server_program_version("/no/such", TIME, &v, &err), &err, ERR_USAGE);
    assert_fails(server_program_version(dir, TIME, &v, &err), &err, ERR_USAGE);
}

/* It says who it is and does not end; nor does what it started, which holds the pipe. */
static void
server_program_version__hangs__is_ended_in_time(void **state)
{
    int64_t started = clock_mono_ms();
    struct server_version v;

    (void)state;
    write_program("#!/bin/sh\necho Redis server v=7.0.15\nsleep 100 &\nwait\n");
    assert_fails(server_program_version(program, 400, &v, &err), &err, ERR_USAGE);
    assert_in_range(clock_mono_ms() - started, 400, 10000);
}

static void
target_server_from_flags__version_given__the_program_is_not_run(void **state)
{
    const struct config c = {.server_version = "6.2", .server_binary = "/no/such", .appendonly = APPENDONLY_YES};

    (void)state;
    assert_ok(from_flags(&c), &err);
    assert_int_equal(t.layout, TARGET_LAYOUT_SINGLE_AOF);
}

/* ---- the running server ------------------------------------------------------------------------------------------ */

static void
target_server_ask__no_url__nothing_is_asked(void **state)
{
    const struct config c = {0};

    (void)state;
    assert_ok(from_flags(&c), &err);
    assert_ok(target_server_ask(&c, &t, &err), &err);
    assert_int_equal(t.layout, TARGET_LAYOUT_UNKNOWN);
}

static void
target_server_ask__real_server__tells_all(void **state)
{
    const char *const args[] = {"--appendonly", "yes", "--appenddirname", "aofs", "--databases", "5", NULL};
    struct rdb_db dbs[] = {{.number = 5, .keys = 1}};
    const struct rdb_info dump = {.version = 9, .parsed = true, .dbs = dbs, .db_count = 1};
    struct redis_server s;
    struct config c = {0};

    (void)state;
    redis_server_start(&s, NULL, args);
    c.redis_url = s.url;
    assert_ok(from_flags(&c), &err);
    assert_ok(target_server_ask(&c, &t, &err), &err);
    assert_int_equal(t.layout, TARGET_LAYOUT_AOF);
    assert_non_null(strstr(t.layout_why, "running server at redis://127.0.0.1"));
    assert_string_equal(t.names.appenddirname, "aofs");
    assert_int_equal(t.databases, 5);
    assert_int_not_equal(t.version.kinds, 0);
    assert_true(t.are_modules_complete);
    assert_string_equal(t.silent_why, "");
    assert_fails(target_server_check_dump(&t, &dump, &err), &err, ERR_UNSUPPORTED);
    /* What is said wins over what runs. */
    c = (struct config){
        .redis_url = s.url, .appendonly = APPENDONLY_NO, .appenddirname = "mine", .server_version = "redis-6.2"};
    assert_ok(from_flags(&c), &err);
    assert_ok(target_server_ask(&c, &t, &err), &err);
    assert_int_equal(t.layout, TARGET_LAYOUT_RDB);
    assert_string_equal(t.names.appenddirname, "mine");
    assert_int_equal(t.version.major, 6);
    /* A silent configuration does not: arguments are not in it. */
    write_file(conf_path, "port 6379\n");
    c = (struct config){.redis_url = s.url, .redis_conf = conf_path};
    assert_ok(from_flags(&c), &err);
    assert_int_equal(t.layout, TARGET_LAYOUT_RDB);
    assert_ok(target_server_ask(&c, &t, &err), &err);
    assert_int_equal(t.layout, TARGET_LAYOUT_AOF);
    /* One that says it does. */
    write_file(conf_path, "appendonly no\ndatabases 9\n");
    assert_ok(from_flags(&c), &err);
    assert_ok(target_server_ask(&c, &t, &err), &err);
    assert_int_equal(t.layout, TARGET_LAYOUT_RDB);
    assert_int_equal(t.databases, 9);
    redis_server_stop(&s);
}

static void
target_server_ask__nobody_there__stays_unknown_and_says_so(void **state)
{
    struct config c = {.redis_url = "redis://127.0.0.1:1"};

    (void)state;
    assert_ok(from_flags(&c), &err);
    assert_ok(target_server_ask(&c, &t, &err), &err);
    assert_int_equal(target_server_need_layout(&t, "", &err), -1);
    assert_non_null(strstr(err.msg, "redis://127.0.0.1:1"));
    err_clear(&err);
    c.redis_url = "http://x";
    assert_fails(target_server_ask(&c, &t, &err), &err, ERR_USAGE);
}

/* A server of which a test says what INFO is; CONFIG is denied unless `settings` says otherwise. */
static const char *fake_info;

static void
answer(const struct reply *command, struct fake_answer *a, void *cookie)
{
    (void)cookie;
    if (fake_redis_word_is(command, 0, "INFO"))
        fake_answer_bulk(a, fake_info);
    else
        fake_answer_raw(a, "-NOPERM this user has no permissions to run the command\r\n");
}

static int
ask_fake(const char *info, struct config *c)
{
    struct fake_redis *f;
    struct endpoint e;
    int rc;

    fake_info = info;
    f = fake_redis_start(answer, NULL);
    fake_redis_endpoint(f, &e);
    c->redis_url = endpoint_describe(&e);
    assert_ok(from_flags(c), &err);
    rc = target_server_ask(c, &t, &err);
    endpoint_fini(&e);
    fake_redis_stop(f);
    return rc;
}

static void
target_server_ask__config_is_denied__layout_stays_unknown(void **state)
{
    struct config c = {0};

    (void)state;
    assert_ok(ask_fake("redis_version:7.2.4\r\nvalkey_version:8.1.1\r\nredis_mode:standalone\r\ncluster_enabled:0\r\n"
                       "module:name=json,ver=1\r\n",
                       &c),
              &err);
    assert_int_equal(t.layout, TARGET_LAYOUT_UNKNOWN);
    assert_int_equal(t.version.kinds, SERVER_VALKEY);
    assert_int_equal(t.databases, 0);
    assert_string_equal(t.modules, "json");
    assert_int_equal(target_server_need_layout(&t, "no", &err), -1);
    assert_non_null(strstr(err.msg, "CONFIG GET"));
    err_clear(&err);
    /* Its version counts for a layout that is known. */
    c = (struct config){.appendonly = APPENDONLY_YES};
    assert_ok(ask_fake("redis_version:6.2.14\r\nredis_mode:standalone\r\n", &c), &err);
    assert_int_equal(t.layout, TARGET_LAYOUT_SINGLE_AOF);
    c = (struct config){.layout = LAYOUT_AOF};
    assert_fails(ask_fake("redis_version:6.2.14\r\nredis_mode:standalone\r\n", &c), &err, ERR_USAGE);
}

static void
target_server_ask__what_runs__completes_a_bare_number(void **state)
{
    struct config c = {.server_version = "8.0"};

    (void)state;
    assert_ok(ask_fake("redis_version:7.2.4\r\nvalkey_version:8.0.1\r\n", &c), &err);
    assert_int_equal(t.version.kinds, SERVER_VALKEY);
    assert_ok(ask_fake("redis_version:7.2.4\r\n", &c), &err);
    assert_int_equal(t.version.kinds, SERVER_REDIS | SERVER_VALKEY);
    assert_int_equal(t.version.major, 8);
}

static void
target_server_ask__sentinel__usage(void **state)
{
    struct config c = {0};

    (void)state;
    assert_fails(ask_fake("redis_version:7.2.4\r\nredis_mode:sentinel\r\n", &c), &err, ERR_USAGE);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(target_server_from_flags__nothing__all_is_unknown),
        TEST(target_server_from_flags__layout__by_options),
        TEST(target_server_from_flags__contradictions__usage),
        TEST(target_server_from_flags__names__are_bare_and_differ),
        TEST(target_server_from_flags__configuration__says_the_rest),
        TEST(target_server_from_flags__configuration_is_silent__says_the_default_and_no_number),
        TEST(target_server_from_flags__bad_configuration__usage),
        TEST(server_program_version__programs__are_asked),
        TEST(server_program_version__no_answer__usage),
        TEST(server_program_version__hangs__is_ended_in_time),
        TEST(target_server_from_flags__version_given__the_program_is_not_run),
        TEST(target_server_ask__no_url__nothing_is_asked),
        TEST(target_server_ask__real_server__tells_all),
        TEST(target_server_ask__nobody_there__stays_unknown_and_says_so),
        TEST(target_server_ask__config_is_denied__layout_stays_unknown),
        TEST(target_server_ask__what_runs__completes_a_bare_number),
        TEST(target_server_ask__sentinel__usage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
