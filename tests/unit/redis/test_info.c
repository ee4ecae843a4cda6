/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test_common.h"

#include <string.h>

#include "snapshot/redis/info.h"

/* What servers of several versions say, cut to the lines that matter and some of their neighbours. */
static const char redis_62[] =
    "# Server\r\nredis_version:6.2.14\r\nredis_mode:standalone\r\nprocess_id:1\r\n"
    "run_id:0123456789abcdef0123456789abcdef01234567\r\ntcp_port:6379\r\n"
    "server_time_usec:1795381461826178\r\n\r\n# Memory\r\nused_memory:916912\r\n"
    "used_memory_human:895.42K\r\n\r\n# Persistence\r\nloading:0\r\ncurrent_cow_size:4096\r\n"
    "current_save_keys_processed:1024\r\ncurrent_save_keys_total:5000\r\n"
    "rdb_changes_since_last_save:0\r\nrdb_bgsave_in_progress:1\r\n"
    "rdb_last_save_time:1795381400\r\nrdb_last_bgsave_status:ok\r\n"
    "aof_enabled:0\r\naof_rewrite_in_progress:0\r\nmodule_fork_in_progress:0\r\n\r\n"
    "# Replication\r\nrole:slave\r\nmaster_link_status:down\r\nmaster_sync_in_progress:1\r\n\r\n"
    "# Modules\r\n\r\n# Cluster\r\ncluster_enabled:0\r\n";
static const char redis_70[] = "# Server\r\nredis_version:7.0.15\r\nredis_mode:standalone\r\n"
                               "run_id:a1cd17b9ed345c023321b5832179d0177b431ed8\r\ntcp_port:7399\r\n"
                               "server_time_usec:1795381461826178\r\nuptime_in_seconds:0\r\n\r\n# Memory\r\n"
                               "used_memory:916912\r\n\r\n# Persistence\r\nloading:0\r\nasync_loading:0\r\n"
                               "current_save_keys_processed:0\r\ncurrent_save_keys_total:0\r\n"
                               "rdb_bgsave_in_progress:0\r\nrdb_last_save_time:1795381461\r\n"
                               "rdb_last_bgsave_status:err\r\nrdb_saves:7\r\naof_rewrite_in_progress:1\r\n"
                               "module_fork_in_progress:0\r\n\r\n# Replication\r\nrole:master\r\n\r\n# Modules\r\n\r\n"
                               "# Cluster\r\ncluster_enabled:1\r\n";
static const char redis_86[] =
    "# Server\r\nredis_version:8.6.3\r\nredis_mode:standalone\r\nrun_id:ff\r\n"
    "server_time_usec:1795381461826178\r\n\r\n# Persistence\r\nloading:0\r\n"
    "rdb_bgsave_in_progress:0\r\nrdb_last_bgsave_status:ok\r\nrdb_saves:0\r\n"
    "rdb_saves_consecutive_failures:0\r\nrdb_last_save_time:1\r\n\r\n"
    "# Replication\r\nrole:master\r\n\r\n# Modules\r\n"
    "module:name=ReJSON,ver=80601,api=1,filters=0,usedby=[search],using=[],options=[]\r\n"
    "module:name=search,ver=80605,api=1,filters=0,usedby=[],using=[ReJSON],options=[]\r\n\r\n"
    "# Cluster\r\ncluster_enabled:0\r\n";
static const char valkey_81[] = "# Server\r\nredis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:8.1.1\r\n"
                                "valkey_release_stage:ga\r\nserver_mode:standalone\r\nrun_id:ee\r\n"
                                "server_time_usec:1795381461826178\r\n\r\n# Replication\r\nrole:slave\r\n"
                                "master_link_status:up\r\nmaster_sync_in_progress:0\r\n";

static void
info_text__fields__whole_names_only(void **state)
{
    char text[64];
    uint64_t n = 99;

    (void)state;
    assert_true(info_text(redis_70, "redis_version", text, sizeof(text)));
    assert_string_equal(text, "7.0.15");
    assert_false(info_text(redis_70, "version", text, sizeof(text)));
    assert_false(info_text(redis_70, "used_mem", text, sizeof(text)));
    assert_string_equal(text, "");
    assert_true(info_text(redis_70, "run_id", text, 5));
    assert_string_equal(text, "a1cd");
    assert_true(info_u64(redis_70, "rdb_saves", &n));
    assert_int_equal(n, 7);
    assert_false(info_u64(redis_70, "redis_version", &n));
    assert_int_equal(n, 7);
    assert_false(info_text("", "x", text, sizeof(text)));
    assert_true(info_text("a:1\nx:2", "x", text, sizeof(text)));
    assert_string_equal(text, "2");
    assert_true(info_text("x:\r\n", "x", text, sizeof(text)));
    assert_string_equal(text, "");
}

static void
server_status_parse__redis_62_replica__has_no_rdb_saves(void **state)
{
    struct server_status s;

    (void)state;
    server_status_parse(redis_62, &s);
    assert_string_equal(s.run_id, "0123456789abcdef0123456789abcdef01234567");
    assert_int_equal(s.server_ms, 1795381461826);
    assert_false(s.has_saves);
    assert_true(s.rdb_running && s.syncing && s.is_replica && s.last_save_ok);
    assert_false(s.link_up || s.loading || s.aof_running || s.module_fork);
    assert_int_equal(s.keys_done, 1024);
    assert_int_equal(s.keys_total, 5000);
    assert_int_equal(s.cow_bytes, 4096);
    assert_int_equal(s.memory.used, 916912);
    assert_int_equal(s.last_save_s, 1795381400);
    assert_non_null(strstr(server_status_busy(&s), "synchronization"));
}

static void
server_status_parse__redis_70__failed_save_and_aof_rewrite(void **state)
{
    struct server_status s;

    (void)state;
    server_status_parse(redis_70, &s);
    assert_true(s.has_saves && s.aof_running && s.link_up);
    assert_int_equal(s.saves, 7);
    assert_false(s.rdb_running || s.last_save_ok || s.is_replica);
    assert_non_null(strstr(server_status_busy(&s), "append-only"));
}

static void
server_status_parse__nothing__is_all_unknown(void **state)
{
    struct server_status s;

    (void)state;
    server_status_parse("", &s);
    assert_string_equal(s.run_id, "");
    assert_int_equal(s.server_ms, -1);
    assert_int_equal(s.last_save_s, -1);
    assert_false(s.has_saves || s.last_save_ok || s.rdb_running);
    assert_null(server_status_busy(&s));
}

static void
server_memory_parse__all_of_it__and_what_is_missing(void **state)
{
    struct server_memory m;

    (void)state;
    server_memory_parse("process_id:41\r\nexecutable:/usr/local/bin/redis-server\r\nused_memory:1000\r\n"
                        "used_memory_rss:1500\r\nmaxmemory:4000\r\ntotal_system_memory:9000\r\n"
                        "rdb_last_cow_size:70\r\ncurrent_cow_peak:0\r\nmem_replication_backlog:200\r\n"
                        "repl_backlog_size:1048576\r\n",
                        &m);
    assert_int_equal(m.used, 1000);
    assert_int_equal(m.resident, 1500);
    assert_int_equal(m.max, 4000);
    assert_int_equal(m.machine, 9000);
    assert_int_equal(m.copied, 70);
    assert_int_equal(m.backlog_room, 1048376);
    assert_int_equal(m.process_id, 41);
    assert_string_equal(m.program, "redis-server");
    server_memory_parse("used_memory:1000\r\ncurrent_cow_peak:71\r\nrdb_last_cow_size:70\r\n"
                        "mem_replication_backlog:200\r\nrepl_backlog_size:100\r\n"
                        "executable:a-program-with-a-long-name\r\nprocess_id:-3\r\n",
                        &m);
    assert_int_equal(m.resident, 1000);
    assert_int_equal(m.copied, 71);
    assert_int_equal(m.backlog_room, 0);
    assert_int_equal(m.process_id, 0);
    assert_string_equal(m.program, "a-program-with-"); /* as the kernel cuts it */
    server_memory_parse("", &m);
    assert_int_equal(m.used, 0);
    assert_int_equal(m.resident, 0);
    assert_string_equal(m.program, "");
}

static void
server_status_busy__each_cause__is_named(void **state)
{
    static const struct {
        const char *line, *word;
    } cases[] = {
        {"loading:1", "load"},
        {"async_loading:1", "load"},
        {"master_sync_in_progress:1", "replica"},
        {"rdb_bgsave_in_progress:1", "save"},
        {"aof_rewrite_in_progress:1", "append-only"},
        {"module_fork_in_progress:1", "module"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct server_status s;

        server_status_parse(cases[i].line, &s);
        assert_non_null(server_status_busy(&s));
        assert_non_null(strstr(server_status_busy(&s), cases[i].word));
    }
}

static void
server_facts_from_info__each_server__kind_version_role_modules(void **state)
{
    static const struct {
        const char *info, *kind, *version, *role, *modules, *cluster;
    } cases[] = {
        {redis_62, "redis", "6.2.14", "replica", "", "no"},
        {redis_70, "redis", "7.0.15", "master", "", "yes"},
        {redis_86, "redis", "8.6.3", "master", "ReJSON,search", "no"},
        {valkey_81, "valkey", "8.1.1", "replica", "", ""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct server_facts f = {0};

        server_facts_from_info(cases[i].info, &f);
        assert_true(f.known);
        assert_string_equal(f.kind, cases[i].kind);
        assert_string_equal(f.version, cases[i].version);
        assert_string_equal(f.role, cases[i].role);
        assert_string_equal(f.modules, cases[i].modules);
        assert_string_equal(f.config.cluster_enabled, cases[i].cluster);
    }
}

static void
server_facts_from_info__modules_beyond_the_room__are_left_out(void **state)
{
    struct server_facts f = {0};
    char info[8192] = "";
    size_t at = 0;

    (void)state;
    for (int i = 0; i < 100; i++)
        at += (size_t)snprintf(info + at, sizeof(info) - at, "module:name=module-%03d,ver=1\r\n", i);
    server_facts_from_info(info, &f);
    assert_true(strlen(f.modules) < sizeof(f.modules));
    assert_non_null(strstr(f.modules, "module-000,module-001"));
    assert_true(strlen(f.modules) > sizeof(f.modules) - 16);
}

/* The one reply in BYTES; the caller frees it. */
static struct reply *
parse(const char *bytes)
{
    struct resp_parser *p = resp_parser_new();
    struct err err = ERR_INIT;
    struct reply *r = NULL;

    assert_ok(resp_parser_feed(p, bytes, strlen(bytes), &err), &err);
    assert_ok(resp_parser_take(p, &r, &err), &err);
    assert_non_null(r);
    resp_parser_free(p);
    return r;
}

static void
server_facts_from_role__replies__only_roles_count(void **state)
{
    static const struct {
        const char *bytes, *role;
    } cases[] = {
        {"*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n", "master"},
        {"*5\r\n$5\r\nslave\r\n$9\r\n127.0.0.1\r\n:6379\r\n$9\r\nconnected\r\n:14\r\n", "replica"},
        {"*2\r\n$8\r\nsentinel\r\n*0\r\n", "before"},
        {"*1\r\n:1\r\n", "before"},
        {"*0\r\n", "before"},
        {"+master\r\n", "before"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct server_facts f = {.role = "before"};
        struct reply *r = parse(cases[i].bytes);

        assert_int_equal(server_facts_from_role(r, &f), strcmp(cases[i].role, "before") != 0);
        assert_string_equal(f.role, cases[i].role);
        reply_free(r);
    }
}

static void
server_config_from_reply__each_setting__lands_in_its_place(void **state)
{
    struct server_config c = {0};
    const char *name;
    size_t count = 0;
    struct reply *r;

    (void)state;
    for (; (name = server_config_name(count)) != NULL; count++) {
        char bytes[128];

        (void)snprintf(bytes, sizeof(bytes), "*2\r\n$%zu\r\n%s\r\n$3\r\nv%02zu\r\n", strlen(name), name, count);
        r = parse(bytes);
        server_config_from_reply(name, r, &c);
        reply_free(r);
    }
    assert_int_equal(count, 10);
    assert_string_equal(c.dir, "v00");
    assert_string_equal(c.dbfilename, "v01");
    assert_string_equal(c.rdbcompression, "v09");
    r = parse("*0\r\n");
    server_config_from_reply("dir", r, &c);
    assert_string_equal(c.dir, "v00");
    reply_free(r);
    r = parse("*2\r\n$10\r\nappendonly\r\n$20\r\n01234567890123456789\r\n");
    server_config_from_reply("appendonly", r, &c);
    assert_string_equal(c.appendonly, "0123456");
    reply_free(r);
}

static void
info_keys__each_keyspace__is_summed_or_not_understood(void **state)
{
    static const struct {
        const char *info;
        bool told;
        uint64_t keys;
    } cases[] = {
        {"# Server\r\n\r\n# Keyspace\r\n", true, 0},
        {"# Keyspace\r\ndb0:keys=1,expires=0,avg_ttl=0\r\n", true, 1},
        {"# Keyspace\r\ndb5:keys=12,expires=12,avg_ttl=9,subexpiry=0\r\n", true, 12},
        {"# Keyspace\r\ndb0:keys=2,expires=0\r\ndb10:keys=30,expires=0\r\n", true, 32},
        {"# Keyspace\r\ndb0:keys=18446744073709551615,expires=0\r\ndb1:keys=2,expires=0\r\n", true, UINT64_MAX},
        {"# Keyspace\r\ndb0:keys=3", true, 3},
        {"# Keysizes\r\ndb0_distrib_strings_sizes:1=4\r\n# Keyspace\r\ndbfoo:keys=1\r\n", true, 0},
        {"# Server\r\ndb0:keys=1,expires=0\r\n", false, 0},
        {"# Keyspace\r\ndb0:keys=x,expires=0\r\n", false, 0},
        {"# Keyspace\r\ndb0:keys=,expires=0\r\n", false, 0},
        {"# Keyspace\r\ndb0:expires=0,keys=7\r\n", false, 0},
        {"# Keyspace\r\ndb0:keys=99999999999999999999,expires=0\r\n", false, 0},
        {"", false, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint64_t keys = 0;

        if (info_keys(cases[i].info, &keys) != cases[i].told || keys != cases[i].keys)
            fail_msg("case %zu: %llu keys", i, (unsigned long long)keys);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(info_text__fields__whole_names_only),
        cmocka_unit_test(info_keys__each_keyspace__is_summed_or_not_understood),
        cmocka_unit_test(server_status_parse__redis_62_replica__has_no_rdb_saves),
        cmocka_unit_test(server_status_parse__redis_70__failed_save_and_aof_rewrite),
        cmocka_unit_test(server_status_parse__nothing__is_all_unknown),
        cmocka_unit_test(server_memory_parse__all_of_it__and_what_is_missing),
        cmocka_unit_test(server_status_busy__each_cause__is_named),
        cmocka_unit_test(server_facts_from_info__each_server__kind_version_role_modules),
        cmocka_unit_test(server_facts_from_info__modules_beyond_the_room__are_left_out),
        cmocka_unit_test(server_facts_from_role__replies__only_roles_count),
        cmocka_unit_test(server_config_from_reply__each_setting__lands_in_its_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
