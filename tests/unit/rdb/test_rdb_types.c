/* SPDX-License-Identifier: Apache-2.0 */
/* Every type of value and every opcode, alone: counted as what it is, in any slicing, damaged wherever it is cut. */
#include "tests/unit/rdb/scan_common.h"

#include <stdio.h>

#include "tests/support/rdb_build.h"

#define STREAM_NODES "L1 S S L1 L9 L0 "
#define STREAM_2     STREAM_NODES "L1 L0 L0 L0 L70000 "
#define GROUPS_2     "L2 S L1 L2 L5 L2 R24 L1 R24 L300 L2 S R8 L2 R16 R16 S R8 L0 S L0 L0 L0 L0 L0"
#define GROUPS_3     "L2 S L1 L2 L5 L2 R24 L1 R24 L300 L2 S R16 L2 R16 R16 S R16 L0 S L0 L0 L0 L0 L0"

static const struct {
    unsigned byte;
    enum rdb_type type;
    const char *headers[4];
    const char *script; /* behind the name of the key */
} types[] = {
    {0, RDB_STRING, {"REDIS0001", "REDIS0006", "REDIS0013", "VALKEY080"}, "S"},
    {1, RDB_LIST, {"REDIS0002", "REDIS0006", "REDIS0013", "VALKEY080"}, "L9 S S S S S S S S S"},
    {1, RDB_LIST, {"REDIS0002", "REDIS0006"}, "L0"},
    {2, RDB_SET, {"REDIS0003", "REDIS0010", "REDIS0013", "VALKEY080"}, "L3 S S S"},
    {3, RDB_ZSET, {"REDIS0003", "REDIS0007"}, "L5 S B253 S B254 S B255 S B4 R4 S B252 R252"},
    {4, RDB_HASH, {"REDIS0004", "REDIS0011", "VALKEY080"}, "L4 S S S S S S S S"},
    {5, RDB_ZSET, {"REDIS0008", "REDIS0013", "VALKEY080"}, "L3 S R8 S R8 S R8"},
    {7, RDB_MODULE, {"REDIS0008", "REDIS0013", "VALKEY080"}, "M L1 L5 L2 L700 L3 R4 L4 R8 L5 S L5 S L0"},
    {7, RDB_MODULE, {"REDIS0009"}, "M L0"},
    {9, RDB_HASH, {"REDIS0003"}, "S"},
    {10, RDB_LIST, {"REDIS0004", "REDIS0006"}, "S"},
    {11, RDB_SET, {"REDIS0006", "REDIS0013", "VALKEY080"}, "S"},
    {12, RDB_ZSET, {"REDIS0006", "REDIS0009"}, "S"},
    {13, RDB_HASH, {"REDIS0006", "REDIS0009"}, "S"},
    {14, RDB_LIST, {"REDIS0007", "REDIS0009"}, "L3 S S S"},
    {15,
     RDB_STREAM,
     {"REDIS0009"},
     STREAM_NODES "L2 S L1 L2 L2 R24 L1 R24 L3 L2 S R8 L2 R16 R16 S R8 L0 S L0 L0 L0 L0"},
    {15, RDB_STREAM, {"REDIS0009"}, "L0 L0 L0 L0 L0"},
    {16, RDB_HASH, {"REDIS0010", "REDIS0013", "VALKEY080"}, "S"},
    {17, RDB_ZSET, {"REDIS0010", "REDIS0013", "VALKEY080"}, "S"},
    {18, RDB_LIST, {"REDIS0010", "REDIS0013", "VALKEY080"}, "L3 L2 S L1 S L2 S"},
    {19, RDB_STREAM, {"REDIS0010"}, STREAM_2 GROUPS_2},
    {20, RDB_SET, {"REDIS0011", "REDIS0013", "VALKEY080"}, "S"},
    {21, RDB_STREAM, {"REDIS0011", "REDIS0012", "VALKEY080"}, STREAM_2 GROUPS_3},
    {22, RDB_HASH, {"VALKEY080"}, "L2 S S R8 S S R8"},
    {24, RDB_HASH, {"REDIS0012", "REDIS0013"}, "R8 L3 L0 S S L5 S S L99999 S S"},
    {25, RDB_HASH, {"REDIS0012", "REDIS0013"}, "R8 S"},
    {26, RDB_STREAM, {"REDIS0013"}, STREAM_2 GROUPS_3 "L100 L100 L2 S L2 S L1 L2 S L3 L4 S L0 L5 L6"},
};

static void
check_type(const char *header, unsigned byte, enum rdb_type type, const char *script)
{
    struct err err = ERR_INIT;
    struct rdb_build b;
    struct rdb_scan *scan = NULL;
    const struct rdb_info *info = NULL;

    /* Each time the strings of the value are in other encodings. */
    for (unsigned variety = 0; variety < 8; variety++) {
        rdb_build_init(&b, header);
        b.strings = variety;
        rdb_build_select(&b, 3);
        rdb_build_byte(&b, byte);
        rdb_build_script(&b, "S");
        rdb_build_script(&b, script);
        rdb_build_set(&b, "next", "key");
        rdb_build_end(&b);
        if (scan_slices(b.data, b.len, 0, b.len, NULL, &scan, &err) < 0)
            fail_msg("type %u in %s: %s", byte, header, err.msg);
        info = rdb_scan_info(scan);
        assert_int_equal(info->keys, 2);
        assert_int_equal(info->types[type], type == RDB_STRING ? 2 : 1);
        assert_int_equal(info->types[RDB_STRING], type == RDB_STRING ? 2 : 1);
        assert_int_equal(info->db_count, 1);
        assert_true(info->dbs[0].number == 3 && info->dbs[0].keys == 2);
        rdb_scan_free(scan);
        assert_any_slicing_is_same(b.data, b.len, NULL);
        assert_any_cut_is_corrupt(b.data, b.len);
        rdb_build_fini(&b);
    }
}

static void
type__every_one_in_its_versions__is_counted(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        for (size_t v = 0; v < ARRAY_LEN(types[i].headers) && types[i].headers[v] != NULL; v++)
            check_type(types[i].headers[v], types[i].byte, types[i].type, types[i].script);
    }
}

static const struct {
    const char *header;
    const char *script;
    unsigned expires, functions, modules;
} opcodes[] = {
    {"REDIS0006", "B253 R4", 1, 0, 0},
    {"REDIS0006", "B252 R8", 1, 0, 0},
    {"REDIS0006", "B252 R8 B252 R8", 1, 0, 0},
    {"REDIS0009", "B248 L3600", 0, 0, 0},
    {"REDIS0009", "B249 B7", 0, 0, 0},
    {"REDIS0009", "B252 R8 B248 L100000", 1, 0, 0},
    {"REDIS0013", "B252 R8 B249 B9 B243 L2 R4 L1 L5 L0 R4 L5 S L0", 1, 0, 0},
    {"REDIS0012", "B243 L0", 0, 0, 0},
    {"REDIS0013", "B252 R8 B250 S S", 1, 0, 0},
    {"REDIS0009", "B251 L1 L0 B251 L1 L0 B254 L0", 0, 0, 0},
    {"REDIS0012", "B244 L16383 L5 L5", 0, 0, 0},
    {"REDIS0010", "B245 S B245 S", 0, 2, 0},
    {"REDIS0010", "B246 S S L1 S S B246 S S L0 S", 0, 2, 0},
    {"REDIS0009", "B247 M L2 L1 L1 L5 L5 S L0", 0, 0, 1},
    {"VALKEY080", "B243 S L2 L0 L100 L200 L16383", 0, 0, 0},
    {"VALKEY080", "B250 S S B245 S B247 M L2 L2 L0", 0, 1, 1},
};

static void
opcode__every_one__is_taken(void **state)
{
    struct err err = ERR_INIT;
    struct rdb_build b;
    struct rdb_scan *scan = NULL;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(opcodes); i++) {
        rdb_build_init(&b, opcodes[i].header);
        rdb_build_script(&b, opcodes[i].script);
        rdb_build_set(&b, "key", "value");
        rdb_build_set(&b, "other", "value");
        rdb_build_end(&b);
        if (scan_slices(b.data, b.len, 0, b.len, NULL, &scan, &err) < 0)
            fail_msg("%s %s: %s", opcodes[i].header, opcodes[i].script, err.msg);
        assert_int_equal(rdb_scan_info(scan)->keys, 2);
        assert_int_equal(rdb_scan_info(scan)->expires, opcodes[i].expires);
        assert_int_equal(rdb_scan_info(scan)->dbs[0].expires, opcodes[i].expires);
        assert_int_equal(rdb_scan_info(scan)->functions, opcodes[i].functions);
        assert_int_equal(rdb_scan_info(scan)->module_count, opcodes[i].modules);
        rdb_scan_free(scan);
        assert_any_slicing_is_same(b.data, b.len, NULL);
        assert_any_cut_is_corrupt(b.data, b.len);
        rdb_build_fini(&b);
    }
}

/* What this program was not taught, by dialect. */
static void
byte__every_other__is_unsupported(void **state)
{
    static const char known_redis[] = {0,  1,  2,  3,  4,  5,  7,  9,  10, 11, 12, 13,
                                       14, 15, 16, 17, 18, 19, 20, 21, 24, 25, 26};
    static const char known_valkey[] = {0, 1, 2, 3, 4, 5, 7, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22};
    struct err err = ERR_INIT;

    (void)state;
    for (unsigned byte = 0; byte <= 242; byte++) {
        for (int is_valkey = 0; is_valkey < 2; is_valkey++) {
            struct rdb_build b;

            if (is_valkey ? memchr(known_valkey, (int)byte, sizeof(known_valkey)) != NULL
                          : memchr(known_redis, (int)byte, sizeof(known_redis)) != NULL)
                continue;
            rdb_build_init(&b, is_valkey ? "VALKEY080" : "REDIS0013");
            rdb_build_set(&b, "key", "value");
            rdb_build_byte(&b, byte);
            rdb_build_str(&b, "what is this?");
            rdb_build_end(&b);
            assert_fails(scan_verdict(b.data, b.len, &err), &err, ERR_UNSUPPORTED);
            rdb_build_fini(&b);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(type__every_one_in_its_versions__is_counted),
        cmocka_unit_test(opcode__every_one__is_taken),
        cmocka_unit_test(byte__every_other__is_unsupported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
