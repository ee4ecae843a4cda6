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

static void
golden__any_slicing__is_the_same(void **state)
{
    const struct rdb_scan_options proven = {.lzf_proven = true};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(dumps); i++) {
        struct err err = ERR_INIT;
        struct rdb_scan *whole = NULL;
        struct rdb_scan *sliced = NULL;
        char *data = NULL;
        size_t len = 0;

        load(i, &data, &len);
        assert_ok(scan_slices((uint8_t *)data, len, 0, len, NULL, &whole, &err), &err);
        for (size_t step = 1; step < 100; step++) {
            assert_ok(scan_slices((uint8_t *)data, len, 0, step, NULL, &sliced, &err), &err);
            assert_same_info(rdb_scan_info(whole), rdb_scan_info(sliced));
            rdb_scan_free(sliced);
            assert_ok(scan_slices((uint8_t *)data, len, 0, step, &proven, &sliced, &err), &err);
            assert_same_info(rdb_scan_info(whole), rdb_scan_info(sliced));
            rdb_scan_free(sliced);
        }
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
        cmocka_unit_test(golden__any_slicing__is_the_same),
        cmocka_unit_test(golden__cut_at_any_byte__is_corrupt),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
