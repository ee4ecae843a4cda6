/* SPDX-License-Identifier: Apache-2.0 */
/* Dumps that real servers wrote (tests/golden/rdb/README.md): what is in them is known. */
#include "tests/unit/rdb/scan_common.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "tests/support/rdb_build.h"

/* All were filled with the same commands. */
static const struct {
    const char *name;
    enum rdb_kind kind;
    unsigned version;
    const char *server;
    enum rdb_crc_state crc;
} dumps[] = {
    {"redis-7.0.15.rdb", RDB_REDIS, 10, "7.0.15", RDB_CRC_GOOD},
    {"redis-7.0.15-plain.rdb", RDB_REDIS, 10, "7.0.15", RDB_CRC_DISABLED},
    {"redis-7.0.15-lfu.rdb", RDB_REDIS, 10, "7.0.15", RDB_CRC_GOOD},
    {"redis-7.0.15-lru.rdb", RDB_REDIS, 10, "7.0.15", RDB_CRC_GOOD},
    {"redis-8.0.2.rdb", RDB_REDIS, 12, "8.0.2", RDB_CRC_GOOD},
    {"redis-8.0.6-lfu.rdb", RDB_REDIS, 12, "8.0.6", RDB_CRC_GOOD},
    {"valkey-8.1.1.rdb", RDB_REDIS, 11, "8.1.1", RDB_CRC_GOOD},
    {"valkey-9.1.2.rdb", RDB_VALKEY, 80, "9.1.2", RDB_CRC_GOOD},
};

/* Tests are run from the top of the source tree; REMORA_TESTS names the tests' folder for those that are not. */
static void
load(size_t which, char **data, size_t *len)
{
    const char *tests = getenv("REMORA_TESTS");
    struct err err = ERR_INIT;
    char path[512];

    (void)snprintf(path, sizeof(path), "%s/golden/rdb/%s", tests != NULL ? tests : "tests", dumps[which].name);
    assert_ok(file_read_all(AT_FDCWD, path, 1 << 20, data, len, &err), &err);
}

static void
golden__every_dump__holds_what_was_put_in(void **state)
{
    static const uint64_t types[RDB_TYPE_COUNT] = {11, 3, 3, 2, 4, 2, 0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(dumps); i++) {
        struct err err = ERR_INIT;
        struct rdb_scan *scan = NULL;
        const struct rdb_info *info = NULL;
        char *data = NULL;
        size_t len = 0;

        load(i, &data, &len);
        assert_ok(scan_slices((uint8_t *)data, len, 0, len, NULL, &scan, &err), &err);
        info = rdb_scan_info(scan);
        assert_true(info->parsed && info->kind == dumps[i].kind && info->version == dumps[i].version);
        assert_int_equal(info->crc_state, dumps[i].crc);
        assert_true(info->crc_computed == rdb_build_crc((uint8_t *)data, len - 8));
        assert_int_equal(info->keys, 25);
        assert_int_equal(info->expires, 2);
        for (int type = 0; type < RDB_TYPE_COUNT; type++)
            assert_int_equal(info->types[type], types[type]);
        assert_int_equal(info->db_count, 2);
        assert_true(info->dbs[0].number == 0 && info->dbs[0].keys == 23 && info->dbs[0].expires == 1);
        assert_true(info->dbs[1].number == 9 && info->dbs[1].keys == 2 && info->dbs[1].expires == 1);
        assert_int_equal(info->functions, 1);
        assert_int_equal(info->module_count, 0);
        assert_string_equal(info->server_version, dumps[i].server);
        assert_true(info->ctime_s > 1700000000 && info->used_memory > 500000 && info->aof_base == 0);
        assert_true(strlen(info->repl_id) == 40 && info->repl_offset >= 0 && info->repl_stream_db >= 0);
        rdb_scan_free(scan);
        free(data);
    }
}

/* What make-dump.sh puts in, in whatever encoding the server writes it. */
static const struct {
    const char *name;
    uint64_t database;
    enum rdb_type type;
    int64_t elements;
} put_in[] = {
    {"string:short", 0, RDB_STRING, -1},
    {"string:int8", 0, RDB_STRING, -1},
    {"string:int16", 0, RDB_STRING, -1},
    {"string:int32", 0, RDB_STRING, -1},
    {"string:int64", 0, RDB_STRING, -1},
    {"string:compressible", 0, RDB_STRING, -1},
    {"string:expiring", 0, RDB_STRING, -1},
    {"string:bits", 0, RDB_STRING, -1},
    {"string:hll", 0, RDB_STRING, -1},
    {"list:small", 0, RDB_LIST, 5},
    {"list:long", 0, RDB_LIST, 401},
    {"list:plain-node", 0, RDB_LIST, 2},
    {"set:ints", 0, RDB_SET, 40},
    {"set:words", 0, RDB_SET, 3},
    {"set:large", 0, RDB_SET, 150},
    {"zset:small", 0, RDB_ZSET, 4},
    {"zset:large", 0, RDB_ZSET, 150},
    {"hash:small", 0, RDB_HASH, 2},
    {"hash:large", 0, RDB_HASH, 150},
    {"hash:ttl-small", 0, RDB_HASH, 3},
    {"hash:ttl-large", 0, RDB_HASH, 150},
    {"stream:plain", 0, RDB_STREAM, 1},
    {"stream:groups", 0, RDB_STREAM, 6},
    {"other-database", 9, RDB_STRING, -1},
    {"other-database:expiring", 9, RDB_STRING, -1},
};

static const struct seen_key *
find_seen(const struct seen *seen, const char *name)
{
    for (size_t i = 0; i < seen->count; i++)
        if (seen->keys[i].key.name_len == strlen(name) && memcmp(seen->keys[i].name, name, strlen(name)) == 0)
            return &seen->keys[i];
    fail_msg("the key %s was not told", name);
    return NULL;
}

static void
golden__observer__is_told_what_was_put_in(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(dumps); i++) {
        struct err err = ERR_INIT;
        struct seen seen = {0};
        const struct rdb_scan_options options = {.observer = {see_key, &seen}};
        struct rdb_scan *scan = NULL;
        bool is_plain = strstr(dumps[i].name, "plain") != NULL;
        char *data = NULL;
        size_t len = 0;

        load(i, &data, &len);
        assert_ok(scan_slices((uint8_t *)data, len, 0, len, &options, &scan, &err), &err);
        assert_int_equal(seen.count, ARRAY_LEN(put_in));
        for (size_t k = 0; k < ARRAY_LEN(put_in); k++) {
            const struct rdb_key *key = &find_seen(&seen, put_in[k].name)->key;
            bool expires = strstr(put_in[k].name, "expiring") != NULL;

            assert_true(key->database == put_in[k].database && key->type == put_in[k].type);
            if (key->elements != put_in[k].elements)
                fail_msg("%s: %s has %d elements", dumps[i].name, put_in[k].name, (int)key->elements);
            assert_int_equal(key->expires, expires);
            assert_true(expires ? key->expires_ms > INT64_C(1700000000000) : key->expires_ms == -1);
        }
        assert_string_equal(rdb_encoding_name(find_seen(&seen, "string:int8")->key.encoding), "int");
        assert_string_equal(rdb_encoding_name(find_seen(&seen, "string:short")->key.encoding), "raw");
        assert_string_equal(rdb_encoding_name(find_seen(&seen, "string:compressible")->key.encoding),
                            is_plain ? "raw" : "lzf");
        assert_string_equal(rdb_encoding_name(find_seen(&seen, "list:long")->key.encoding), "quicklist");
        assert_string_equal(rdb_encoding_name(find_seen(&seen, "set:ints")->key.encoding),
                            is_plain ? "hashtable" : "intset");
        assert_string_equal(rdb_encoding_name(find_seen(&seen, "zset:large")->key.encoding), "skiplist");
        seen_reset(&seen);
        rdb_scan_free(scan);
        free(data);
    }
}

static void
golden__any_slicing__is_the_same(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(dumps); i++) {
        struct err err = ERR_INIT;
        struct rdb_scan *whole = NULL;
        struct seen seen = {0};
        struct rdb_scan_options options = {.observer = {see_key, &seen}};
        char *data = NULL;
        size_t len = 0;

        load(i, &data, &len);
        assert_ok(scan_slices((uint8_t *)data, len, 0, len, NULL, &whole, &err), &err);
        assert_slicing_is_same((uint8_t *)data, len, 0, len, &options, whole, NULL);
        assert_seen_fits(&seen, rdb_scan_info(whole), len);
        for (size_t step = 1; step < 100; step++) {
            options.lzf_proven = false;
            assert_slicing_is_same((uint8_t *)data, len, 0, step, &options, whole, &seen);
            options.lzf_proven = true;
            assert_slicing_is_same((uint8_t *)data, len, 0, step, &options, whole, &seen);
        }
        seen_reset(&seen);
        rdb_scan_free(whole);
        free(data);
    }
}

static void
golden__cut_at_any_byte__is_corrupt(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(dumps); i++) {
        char *data = NULL;
        size_t len = 0;

        load(i, &data, &len);
        assert_any_cut_is_corrupt((uint8_t *)data, len);
        free(data);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden__every_dump__holds_what_was_put_in),
        cmocka_unit_test(golden__observer__is_told_what_was_put_in),
        cmocka_unit_test(golden__any_slicing__is_the_same),
        cmocka_unit_test(golden__cut_at_any_byte__is_corrupt),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
