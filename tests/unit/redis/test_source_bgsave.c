/* SPDX-License-Identifier: Apache-2.0 */
/* The source `bgsave` against a real server. */
#include "tests/support/test_common.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "snapshot/redis/client.h"
#include "snapshot/redis/source_bgsave.h"
#include "tests/support/redis_server.h"

#define DUMP_MAX (64u << 20)

static struct redis_server server, second;
static char other_dir[256];

static int
no_server(void **state)
{
    (void)state;
    memset(&server, 0, sizeof(server));
    memset(&second, 0, sizeof(second));
    other_dir[0] = '\0';
    return 0;
}

static int
stop_servers(void **state)
{
    (void)state;
    redis_server_stop(&second);
    redis_server_stop(&server);
    if (other_dir[0] != '\0')
        test_remove_dir(other_dir);
    return 0;
}

static struct source_bgsave_options
new_options(void)
{
    return (struct source_bgsave_options){.data_dir = server.dir, .timeout_ms = 30000, .allow_master = true};
}

static int
back_up_as(const char *url, struct source_bgsave_options *o, struct source **out, struct err *err)
{
    struct endpoint e;
    int rc;

    assert_ok(endpoint_parse(url, &e, err), err);
    o->endpoint = &e;
    rc = source_bgsave_open(o, out, err);
    o->endpoint = NULL;
    endpoint_fini(&e);
    return rc;
}

static struct source *
must_back_up(void)
{
    struct source_bgsave_options o = new_options();
    struct source *src = NULL;
    struct err err = ERR_INIT;

    assert_ok(back_up_as(server.url, &o, &src, &err), &err);
    return src;
}

static void
must_fail(const char *url, enum err_code code, const char *words)
{
    struct source_bgsave_options o = new_options();
    struct source *src = NULL;
    struct err err = ERR_INIT;

    assert_int_equal(back_up_as(url, &o, &src, &err), -1);
    if (err.code != code || strstr(err.msg, words) == NULL)
        fail_msg("not %s with \"%s\": %s", err_name(code), words, err.msg);
}

/* The bytes of SRC from where it stands, to its end, in pieces. The caller frees them. */
static char *
read_rest(struct source *src, size_t *len)
{
    struct err err = ERR_INIT;
    char *bytes = mem_new(DUMP_MAX);
    size_t got = 1;

    for (*len = 0; got > 0; *len += got) {
        assert_true(*len < DUMP_MAX);
        assert_ok(source_read(src, bytes + *len, 5000, &got, &err), &err);
    }
    return bytes;
}

/* The auxiliary field ctime (a four-byte integer until 2038), as the scanner would find it. */
static struct rdb_info
find_ctime(const char *bytes, size_t len)
{
    const unsigned char *p = memmem(bytes, len, "\005ctime\302", 7);
    struct rdb_info found = {.ctime_s = -1};

    assert_non_null(p);
    found.ctime_s = (int64_t)(p[7] | (uint32_t)p[8] << 8 | (uint32_t)p[9] << 16 | (uint32_t)p[10] << 24);
    return found;
}

/* Read the rest of SRC: it has WORD in it, and is confirmed. Frees SRC. */
static void
check_dump(struct source *src, const char *word)
{
    struct err err = ERR_INIT;
    size_t len = 0;
    char *bytes = read_rest(src, &len);
    struct rdb_info found = find_ctime(bytes, len);

    assert_int_equal(len, src->size);
    assert_memory_equal(bytes, "REDIS", 5);
    assert_non_null(memmem(bytes, len, word, strlen(word)));
    assert_ok(source_confirm(src, &found, &err), &err);
    free(bytes);
    source_free(src);
}

static void
set_key(const char *key)
{
    redis_server_do(&server, CLIENT_ARGS("SET", key, "v"));
}

static void
configure(const char *name, const char *value)
{
    redis_server_do(&server, CLIENT_ARGS("CONFIG", "SET", name, value));
}

/* COUNT keys, of which each takes MICROSECONDS to save. */
static void
make_slow(const char *count, const char *microseconds)
{
    redis_server_do(&server, CLIENT_ARGS("DEBUG", "POPULATE", count));
    configure("rdb-key-save-delay", microseconds);
}

static const char *const debug_args[] = {"--enable-debug-command", "yes", NULL};

static void
source_bgsave__real_server__round_trip_over_tcp_and_unix(void **state)
{
    struct source_bgsave_options o = new_options();
    struct source *src = NULL;
    struct err err = ERR_INIT;

    (void)state;
    redis_server_start(&server, NULL, NULL);
    set_key("first-key");
    src = must_back_up();
    assert_string_equal(src->facts.role, "master");
    assert_int_equal(strlen(src->facts.run_id), 40);
    assert_true(src->facts.config_known);
    assert_string_equal(src->facts.config.dir, server.dir);
    assert_string_equal(src->facts.config.dbfilename, "dump.rdb");
    assert_string_equal(src->facts.config.appendonly, "no");
    assert_string_equal(src->facts.config.cluster_enabled, "no");
    assert_string_equal(src->facts.config.databases, "16");
    assert_string_equal(src->facts.address, server.url);
    check_dump(src, "first-key");

    set_key("second-key");
    src = NULL;
    o.data_dir = server.dir;
    assert_ok(back_up_as(server.unix_url, &o, &src, &err), &err);
    assert_string_equal(src->facts.address, server.unix_url);
    check_dump(src, "second-key");
}

static void
source_bgsave__save_running_when_asked__is_not_adopted(void **state)
{
    (void)state;
    redis_server_start(&server, NULL, debug_args);
    make_slow("2000", "400");
    redis_server_do(&server, CLIENT_ARGS("BGSAVE"));
    set_key("written-in-between");
    check_dump(must_back_up(), "written-in-between");
}

static void
source_bgsave__aof_rewrite_running__is_waited_for(void **state)
{
    static const char *const args[] = {"--enable-debug-command", "yes", "--appendonly", "yes", NULL};
    int64_t start;

    (void)state;
    redis_server_start(&server, NULL, args);
    make_slow("2000", "400");
    redis_server_do(&server, CLIENT_ARGS("BGREWRITEAOF"));
    redis_server_wait_for(&server, "aof_rewrite_in_progress", "1");
    set_key("written-in-between");
    start = clock_mono_ms();
    check_dump(must_back_up(), "written-in-between");
    assert_true(clock_mono_ms() - start > 1000); /* both took their time, one after the other */
}

static void
source_bgsave__next_save_while_reading__old_bytes_stay_whole(void **state)
{
    struct err err = ERR_INIT;
    struct source *src;
    char *expected = NULL, *bytes;
    size_t expected_len = 0, len = 0, got = 0;
    char first[100];

    (void)state;
    redis_server_start(&server, NULL, debug_args);
    redis_server_do(&server, CLIENT_ARGS("DEBUG", "POPULATE", "20000"));
    src = must_back_up();
    assert_ok(file_read_all(AT_FDCWD, server.dump, DUMP_MAX, &expected, &expected_len, &err), &err);
    assert_ok(source_read(src, first, sizeof(first), &got, &err), &err);
    redis_server_do(&server, CLIENT_ARGS("FLUSHALL"));
    set_key("after-it");
    redis_server_do(&server, CLIENT_ARGS("SAVE"));
    bytes = read_rest(src, &len);
    assert_int_equal(got + len, expected_len);
    assert_memory_equal(first, expected, got);
    assert_memory_equal(bytes, expected + got, len);
    {
        struct rdb_info found = find_ctime(expected, expected_len);

        assert_ok(source_confirm(src, &found, &err), &err);
    }
    free(bytes);
    free(expected);
    source_free(src);
}

/* Waits until the server saves, then kills it. */
static void *
crash_in_mid_save(void *arg)
{
    (void)arg;
    clock_sleep_ms(700);
    redis_server_crash(&server);
    return NULL;
}

static void
source_bgsave__server_killed_in_mid_save__fails_soon(void **state)
{
    struct source_bgsave_options o = new_options();
    struct source *src = NULL;
    struct err err = ERR_INIT;
    int64_t start;
    pthread_t thread;

    (void)state;
    redis_server_start(&server, NULL, debug_args);
    make_slow("2000", "5000"); /* ten seconds */
    o.reconnect_ms = 500;
    start = clock_mono_ms();
    assert_int_equal(pthread_create(&thread, NULL, crash_in_mid_save, NULL), 0);
    assert_int_equal(back_up_as(server.url, &o, &src, &err), -1);
    (void)pthread_join(thread, NULL);
    assert_int_equal(err.code, ERR_SERVER);
    assert_non_null(strstr(err.msg, "was saving"));
    assert_true(clock_mono_ms() - start < 5000);
}

static void
source_bgsave__flushall_in_mid_save__is_not_taken_for_a_backup(void **state)
{
    struct source_bgsave_options o = new_options();
    struct source *src = NULL;
    struct err err = ERR_INIT;

    (void)state;
    redis_server_start(&server, NULL, debug_args);
    make_slow("500", "5000");
    o.timeout_ms = 500;
    assert_int_equal(back_up_as(server.url, &o, &src, &err), -1); /* ours is running, and given up on */
    assert_non_null(strstr(err.msg, "did not finish within 500 ms"));
    redis_server_wait_for(&server, "rdb_bgsave_in_progress", "1");
    redis_server_do(&server, CLIENT_ARGS("FLUSHALL")); /* kills the child */
    redis_server_wait_for(&server, "rdb_bgsave_in_progress", "0");
    redis_server_wait_for(&server, "rdb_last_bgsave_status", "ok");
    set_key("after-the-flush");
    check_dump(must_back_up(), "after-the-flush");
}

static void *
flush_in_mid_save(void *arg)
{
    (void)arg;
    clock_sleep_ms(1500);
    redis_server_do(&server, CLIENT_ARGS("FLUSHALL"));
    return NULL;
}

static void
source_bgsave__save_given_up_by_the_server__fails(void **state)
{
    struct source_bgsave_options o = new_options();
    struct source *src = NULL;
    struct err err = ERR_INIT;
    pthread_t thread;

    (void)state;
    redis_server_start(&server, NULL, debug_args);
    make_slow("1000", "5000");
    clock_sleep_ms(1100); /* rdb_last_save_time has whole seconds, and is now the server's start */
    assert_int_equal(pthread_create(&thread, NULL, flush_in_mid_save, NULL), 0);
    assert_int_equal(back_up_as(server.url, &o, &src, &err), -1);
    (void)pthread_join(thread, NULL);
    assert_int_equal(err.code, ERR_SERVER);
    assert_non_null(strstr(err.msg, "given up"));
}

static void
source_bgsave__acl_user__minimal_rules_and_less(void **state)
{
    static const char url_template[] = "redis://bk:pw%%20x@127.0.0.1:%u";
    struct source_bgsave_options o = new_options();
    struct source *src = NULL;
    struct err err = ERR_INIT;
    char url[128];

    (void)state;
    redis_server_start(&server, NULL, NULL);
    (void)snprintf(url, sizeof(url), url_template, server.port);
    set_key("acl-key");
    redis_server_do(&server, CLIENT_ARGS("ACL", "SETUSER", "bk", "on", ">pw x", "resetkeys", "resetchannels", "-@all",
                                         "+ping", "+info", "+bgsave", "+lastsave", "+config|get", "+role"));
    assert_ok(back_up_as(url, &o, &src, &err), &err);
    assert_true(src->facts.config_known);
    assert_null(strstr(src->facts.address, "pw"));
    check_dump(src, "acl-key");

    redis_server_do(&server, CLIENT_ARGS("ACL", "SETUSER", "bk", "-config|get", "-role"));
    src = NULL;
    assert_ok(back_up_as(url, &o, &src, &err), &err);
    assert_false(src->facts.config_known);
    assert_string_equal(src->facts.role, "master");
    check_dump(src, "acl-key");

    redis_server_do(&server, CLIENT_ARGS("ACL", "SETUSER", "bk", "-bgsave"));
    must_fail(url, ERR_SERVER_DENIED, "+bgsave");
    redis_server_do(&server, CLIENT_ARGS("ACL", "SETUSER", "bk", "-info"));
    must_fail(url, ERR_SERVER_DENIED, "+info");
    redis_server_do(&server, CLIENT_ARGS("ACL", "SETUSER", "bk", "off"));
    must_fail(url, ERR_SERVER_DENIED, "user bk");
}

static void
source_bgsave__passwords__wrong_missing_needless(void **state)
{
    char url[128];

    (void)state;
    redis_server_start(&server, NULL, NULL);
    (void)snprintf(url, sizeof(url), "redis://:needless@127.0.0.1:%u", server.port);
    must_fail(url, ERR_SERVER_DENIED, "has none");
    redis_server_do(&server, CLIENT_ARGS("CONFIG", "SET", "requirepass", "right"));
    must_fail(server.url, ERR_SERVER_DENIED, "wants a password");
    (void)snprintf(url, sizeof(url), "redis://:wrong@127.0.0.1:%u", server.port);
    must_fail(url, ERR_SERVER_DENIED, "wrong password");
    (void)snprintf(url, sizeof(url), "redis://nobody:right@127.0.0.1:%u", server.port);
    must_fail(url, ERR_SERVER_DENIED, "wrong password for the user nobody");
}

static void
source_bgsave__another_folder__names_both(void **state)
{
    struct source_bgsave_options o = new_options();
    struct source *src = NULL;
    struct err err = ERR_INIT;

    (void)state;
    redis_server_start(&server, NULL, NULL);
    test_make_dir(other_dir);
    o.data_dir = other_dir;
    assert_int_equal(back_up_as(server.url, &o, &src, &err), -1);
    assert_int_equal(err.code, ERR_USAGE);
    assert_non_null(strstr(err.msg, other_dir));
    assert_non_null(strstr(err.msg, server.dir));
}

static void
source_bgsave__servers_folder_gone__save_fails_with_misconf(void **state)
{
    struct source_bgsave_options o = new_options();
    struct source *src = NULL;
    struct err err = ERR_INIT;
    char dir[300];

    (void)state;
    test_make_dir(other_dir);
    (void)snprintf(dir, sizeof(dir), "%s/gone", other_dir);
    assert_int_equal(mkdir(dir, 0700), 0);
    redis_server_start(&server, dir, NULL);
    assert_ok(file_remove_tree(AT_FDCWD, dir, &err), &err);
    o.data_dir = other_dir;
    assert_int_equal(back_up_as(server.url, &o, &src, &err), -1);
    assert_int_equal(err.code, ERR_SERVER);
    assert_non_null(strstr(err.msg, "MISCONF"));
}

static void
source_bgsave__real_replica__is_taken_where_a_master_is_refused(void **state)
{
    struct source_bgsave_options o = new_options();
    struct source *src = NULL;
    struct err err = ERR_INIT;
    char port[8];
    const char *args[] = {"--replicaof", "127.0.0.1", port, NULL};
    static const char *const master_args[] = {"--repl-diskless-sync-delay", "0", NULL};

    (void)state;
    redis_server_start(&server, NULL, master_args);
    set_key("replicated");
    (void)snprintf(port, sizeof(port), "%u", server.port);
    redis_server_start(&second, NULL, args);
    redis_server_wait_for(&second, "master_link_status", "up");
    o.allow_master = false;
    assert_int_equal(back_up_as(server.url, &o, &src, &err), -1);
    assert_int_equal(err.code, ERR_REFUSED);
    o.data_dir = second.dir;
    assert_ok(back_up_as(second.url, &o, &src, &err), &err);
    assert_string_equal(src->facts.role, "replica");
    check_dump(src, "replicated");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(source_bgsave__real_server__round_trip_over_tcp_and_unix, no_server,
                                        stop_servers),
        cmocka_unit_test_setup_teardown(source_bgsave__save_running_when_asked__is_not_adopted, no_server,
                                        stop_servers),
        cmocka_unit_test_setup_teardown(source_bgsave__aof_rewrite_running__is_waited_for, no_server, stop_servers),
        cmocka_unit_test_setup_teardown(source_bgsave__next_save_while_reading__old_bytes_stay_whole, no_server,
                                        stop_servers),
        cmocka_unit_test_setup_teardown(source_bgsave__server_killed_in_mid_save__fails_soon, no_server, stop_servers),
        cmocka_unit_test_setup_teardown(source_bgsave__flushall_in_mid_save__is_not_taken_for_a_backup, no_server,
                                        stop_servers),
        cmocka_unit_test_setup_teardown(source_bgsave__save_given_up_by_the_server__fails, no_server, stop_servers),
        cmocka_unit_test_setup_teardown(source_bgsave__acl_user__minimal_rules_and_less, no_server, stop_servers),
        cmocka_unit_test_setup_teardown(source_bgsave__passwords__wrong_missing_needless, no_server, stop_servers),
        cmocka_unit_test_setup_teardown(source_bgsave__another_folder__names_both, no_server, stop_servers),
        cmocka_unit_test_setup_teardown(source_bgsave__servers_folder_gone__save_fails_with_misconf, no_server,
                                        stop_servers),
        cmocka_unit_test_setup_teardown(source_bgsave__real_replica__is_taken_where_a_master_is_refused, no_server,
                                        stop_servers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
