/* SPDX-License-Identifier: Apache-2.0 */
/* The scanner's verdicts: what is whole, what is damaged and where, what is not supported, and what is counted. */
#include "tests/unit/rdb/scan_common.h"

#include "tests/support/rdb_build.h"

/* A bit of everything that is counted. */
static void
build_sample(struct rdb_build *b, const char *header)
{
    rdb_build_init(b, header);
    rdb_build_aux(b, "redis-ver", "7.0.15");
    rdb_build_script(b, "B250");
    rdb_build_str(b, "ctime");
    rdb_build_raw(b, "\xc2\x00\xf1\x53\x65", 5); /* 1700000000 */
    rdb_build_aux(b, "repl-id", "0123456789abcdef0123456789abcdef01234567");
    rdb_build_aux(b, "repl-offset", "5000000000");
    rdb_build_select(b, 7);
    rdb_build_script(b, "B251 L2 L1 B252 R8");
    rdb_build_set(b, "a", "1");
    rdb_build_script(b, "B4 S L2 S S S S B2 S L1 S");
    rdb_build_select(b, 0);
    rdb_build_script(b, "B253 R4 B1 S L1 S B249 B3");
    rdb_build_set(b, "b", "some value");
    rdb_build_select(b, 7);
    rdb_build_script(b, "B252 R8 B5 S L1 S R8");
    rdb_build_end(b);
}

static void
assert_corrupt_at(const struct rdb_build *b, const char *where)
{
    struct err err = ERR_INIT;

    assert_int_equal(scan_verdict(b->data, b->len, &err), -1);
    assert_int_equal(err.code, ERR_CORRUPT);
    if (strstr(err.msg, where) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", err.msg, where);
}

/* ---- good dumps -------------------------------------------------------------------------------------------------- */

static void
scan__sample__counts_everything(void **state)
{
    struct err err = ERR_INIT;
    struct rdb_build b;
    struct rdb_scan *scan = NULL;
    const struct rdb_info *info = NULL;

    (void)state;
    build_sample(&b, "REDIS0010");
    assert_ok(scan_slices(b.data, b.len, 0, 5, NULL, &scan, &err), &err);
    info = rdb_scan_info(scan);
    assert_true(info->parsed && info->kind == RDB_REDIS);
    assert_int_equal(info->version, 10);
    assert_int_equal(info->bytes, b.len);
    assert_int_equal(info->crc_state, RDB_CRC_GOOD);
    assert_true(info->crc_computed == rdb_build_crc(b.data, b.len - 8));
    assert_true(info->crc_stored == info->crc_computed);
    assert_int_equal(info->keys, 6);
    assert_int_equal(info->expires, 3);
    assert_int_equal(info->types[RDB_STRING], 2);
    assert_int_equal(info->types[RDB_LIST] + info->types[RDB_SET] + info->types[RDB_ZSET], 3);
    assert_int_equal(info->types[RDB_HASH], 1);
    assert_int_equal(info->db_count, 2);
    assert_true(info->dbs[0].number == 0 && info->dbs[0].keys == 2 && info->dbs[0].expires == 1);
    assert_true(info->dbs[1].number == 7 && info->dbs[1].keys == 4 && info->dbs[1].expires == 2);
    assert_string_equal(info->server_version, "7.0.15");
    assert_string_equal(info->repl_id, "0123456789abcdef0123456789abcdef01234567");
    assert_true(info->ctime_s == 1700000000 && info->repl_offset == INT64_C(5000000000));
    assert_true(info->used_memory == -1 && info->repl_stream_db == -1 && info->aof_base == -1);
    rdb_scan_free(scan);
    assert_any_slicing_is_same(b.data, b.len, NULL);
    assert_any_cut_is_corrupt(b.data, b.len);
    rdb_build_fini(&b);
}

static void
scan__empty_dataset__is_good(void **state)
{
    static const char *const headers[] = {"REDIS0001", "REDIS0004", "REDIS0005", "REDIS0013",
                                          "REDIS9999", "VALKEY080", "VALKEY081"};
    struct err err = ERR_INIT;
    struct rdb_build b;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(headers); i++) {
        rdb_build_init(&b, headers[i]);
        rdb_build_end(&b);
        assert_ok(scan_verdict(b.data, b.len, &err), &err);
        assert_any_slicing_is_same(b.data, b.len, NULL);
        rdb_build_fini(&b);
    }
}

static void
scan__version_without_crc__ends_at_its_end_mark(void **state)
{
    struct err err = ERR_INIT;
    struct rdb_build b;
    struct rdb_scan *scan = NULL;

    (void)state;
    rdb_build_init(&b, "REDIS0004");
    rdb_build_set(&b, "key", "value");
    rdb_build_end(&b);
    assert_ok(scan_slices(b.data, b.len, 0, 1, NULL, &scan, &err), &err);
    assert_int_equal(rdb_scan_info(scan)->crc_state, RDB_CRC_NONE);
    assert_true(rdb_scan_info(scan)->crc_stored == 0);
    assert_true(rdb_scan_info(scan)->crc_computed == rdb_build_crc(b.data, b.len));
    rdb_scan_free(scan);
    rdb_build_byte(&b, 0);
    assert_corrupt_at(&b, "RDB damaged at byte 21: there are bytes behind its end");
    rdb_build_fini(&b);
}

static void
scan__zero_crc__is_accepted_as_disabled(void **state)
{
    struct err err = ERR_INIT;
    struct rdb_build b;
    struct rdb_scan *scan = NULL;

    (void)state;
    rdb_build_init(&b, "REDIS0011");
    rdb_build_set(&b, "key", "value");
    rdb_build_end_with(&b, 0);
    assert_ok(scan_slices(b.data, b.len, 0, 3, NULL, &scan, &err), &err);
    assert_int_equal(rdb_scan_info(scan)->crc_state, RDB_CRC_DISABLED);
    assert_true(rdb_scan_info(scan)->crc_computed == rdb_build_crc(b.data, b.len - 8));
    rdb_scan_free(scan);
    rdb_build_fini(&b);
}

static void
scan__large_value_across_many_blocks__is_good(void **state)
{
    struct err err = ERR_INIT;
    struct rdb_build b;
    struct rdb_scan *scan = NULL;
    uint8_t *value = mem_new(300000);

    (void)state;
    rdb_build_init(&b, "REDIS0011");
    rdb_build_byte(&b, 0);
    rdb_build_str(&b, "big");
    rdb_build_len(&b, 300000);
    rdb_build_raw(&b, value, 300000);
    rdb_build_set(&b, "key", "value");
    rdb_build_end(&b);
    for (size_t step = 4096; step < 400000; step = step * 3 + 1) {
        assert_ok(scan_slices(b.data, b.len, 0, step, NULL, &scan, &err), &err);
        assert_int_equal(rdb_scan_info(scan)->keys, 2);
        rdb_scan_free(scan);
    }
    rdb_build_fini(&b);
    free(value);
}

/* ---- damage ------------------------------------------------------------------------------------------------------ */

static void
scan__every_single_bit_flipped__is_corrupt(void **state)
{
    struct err err = ERR_INIT;
    struct rdb_build b;

    (void)state;
    for (int is_valkey = 0; is_valkey < 2; is_valkey++) {
        build_sample(&b, is_valkey ? "VALKEY080" : "REDIS0011");
        for (size_t bit = 0; bit < 8 * b.len; bit++) {
            b.data[bit / 8] ^= (uint8_t)(1U << (bit % 8));
            if (scan_verdict(b.data, b.len, &err) == 0 || err.code != ERR_CORRUPT)
                fail_msg("bit %zu of byte %zu: %s: %s", bit % 8, bit / 8, err_name(err.code), err.msg);
            err_clear(&err);
            b.data[bit / 8] ^= (uint8_t)(1U << (bit % 8));
        }
        rdb_build_fini(&b);
    }
}

static void
scan__not_a_dump__says_so(void **state)
{
    static const char *const heads[] = {"RODIS0011", "VALKEX080", "REDIS00x1",     "REDIS0000",
                                        "VALKEY079", "VALKEY011", "*3\r\n$3\r\nS", "         "};
    struct err err = ERR_INIT;
    struct rdb_build b;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
        rdb_build_init(&b, heads[i]);
        rdb_build_end(&b);
        assert_corrupt_at(&b, "RDB damaged at byte ");
        rdb_build_fini(&b);
    }
    assert_fails(scan_verdict((const uint8_t *)"", 0, &err), &err, ERR_CORRUPT);
}

/* Shorter than a header and a CRC: what is held back must not be mistaken for anything. */
static void
scan__tiny__is_corrupt_at_any_length(void **state)
{
    struct err err = ERR_INIT;
    struct rdb_build b;

    (void)state;
    rdb_build_init(&b, "REDIS0011");
    rdb_build_script(&b, "B255 B0 B0 B0 B0 B0 B0 B0 B0");
    for (size_t len = 0; len < b.len; len++)
        assert_fails(scan_verdict(b.data, len, &err), &err, ERR_CORRUPT);
    assert_ok(scan_verdict(b.data, b.len, &err), &err); /* 18 bytes: the smallest there is */
    b.data[9] = 27;                                     /* unknown, and without a byte to spare */
    for (size_t len = 0; len < b.len; len++)
        assert_fails(scan_verdict(b.data, len, &err), &err, ERR_CORRUPT);
    assert_fails(scan_verdict(b.data, b.len, &err), &err, ERR_UNSUPPORTED);
    rdb_build_fini(&b);
}

/* Each with its CRC disabled, so that nothing but structure can tell. */
static void
scan__bad_structure__names_the_byte(void **state)
{
    static const struct {
        const char *script;
        const char *where;
        bool is_all; /* nothing more comes */
    } cases[] = {
        {"B0 B130", "byte 10: this is no string", false},
        {"B0 L1 R1 B191 L1", "byte 12: this is no string", false},
        {"B0 B196", "byte 10: this is no string", false},
        {"B254 B192", "byte 10: this is no length", false},
        {"B2 L1 R1 B195", "byte 12: this is no length", false},
        {"B0 L1 R1 B195 L2 L3 B2 B97", "byte 15: a compressed string", false},
        {"B0 L1 R1 B195 L3 L3 B0 B97 B32", "byte 17: a compressed string", false},
        {"B0 L1 R1 B195 L4 L4 B0 B97 B32 B1", "byte 17: a compressed string", false},
        {"B0 L1 R1 B195 L0 L4", "byte 12: a compressed string is empty", false},
        {"B0 L1 R1 B195 L1 L0", "byte 12: a compressed string is empty", false},
        {"B18 L1 R1 L1 L3 L1 R1", "byte 13: a list node", false},
        {"B246 S S L2", "byte 18: a flag", false},
        {"B247 M L1", "byte 19: a module's record", false},
        {"B252 R8", "byte 18: a key was announced", false},
        {"B253 R4 B254 L0", "byte 14: a key was announced", false},
        {"B248 L9 B251 L0 L0", "byte 11: a key was announced", false},
        {"B249 B9 B245 S", "byte 11: a key was announced", false},
        {"B243 L0 B244 L0 L0 L0", "byte 11: a key was announced", false},
        {"B0 L1 R1 L1 R1 B255 B0 B0 B0 B0 B0 B0 B0 B0 B7", "byte 23: there are bytes behind its end", true},
        {"B0 L63 R30", "byte 41: it ends here", true},
        {"B2 L1 R1 L9999999 B1 B1 B1 B1", "byte 21: it ends here", true},
    };
    struct rdb_build b;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        rdb_build_init(&b, "REDIS0012");
        rdb_build_script(&b, cases[i].script);
        if (!cases[i].is_all)
            rdb_build_end_with(&b, 0);
        assert_corrupt_at(&b, cases[i].where);
        rdb_build_fini(&b);
    }
}

static void
scan__length_near_the_end_of_64_bits__is_cut_short(void **state)
{
    struct rdb_build b;

    (void)state;
    rdb_build_init(&b, "REDIS0011");
    rdb_build_script(&b, "B0 L1 R1 L18446744073709551615 R500");
    assert_corrupt_at(&b, "it ends here");
    rdb_build_fini(&b);
    rdb_build_init(&b, "REDIS0011");
    rdb_build_script(&b, "B0 L1 R1 B195 L18446744073709551615 L18446744073709551615 B0 R1 B0 R1");
    assert_corrupt_at(&b, "it ends here");
    rdb_build_fini(&b);
    rdb_build_init(&b, "REDIS0011");
    rdb_build_script(&b, "B250 L18446744073709551615 R500");
    assert_corrupt_at(&b, "it ends here");
    rdb_build_fini(&b);
}

static void
scan_feed__after_a_failure__fails_the_same_way(void **state)
{
    struct err first = ERR_INIT;
    struct err later = ERR_INIT;
    struct rdb_scan *scan = rdb_scan_new(NULL);

    (void)state;
    assert_int_equal(rdb_scan_feed(scan, "REDIS0011\xfe\xff", 11, &first), -1);
    assert_int_equal(rdb_scan_feed(scan, "more", 4, &later), -1);
    assert_string_equal(first.msg, later.msg);
    err_clear(&later);
    assert_int_equal(rdb_scan_finish(scan, &later), -1);
    assert_string_equal(first.msg, later.msg);
    assert_int_equal(later.code, ERR_CORRUPT);
    rdb_scan_free(scan);
    rdb_scan_free(NULL);
}

/* ---- what is not supported --------------------------------------------------------------------------------------- */

static const struct rdb_scan_options allow = {.allow_unparsed = true};

/* Something unknown at byte 20, after one key. */
static void
build_unknown(struct rdb_build *b, const char *header, const char *script)
{
    rdb_build_init(b, header);
    rdb_build_set(b, "key", "value");
    rdb_build_script(b, script);
}

static void
scan__unknown__good_crc__is_a_matter_of_the_option(void **state)
{
    static const struct {
        const char *header;
        const char *script;
        const char *why;
    } cases[] = {
        {"REDIS0009", "B6 S R20", "value type 6 at byte 20"},
        {"REDIS0013", "B27 S R20", "value type 27 at byte 20"},
        {"REDIS0011", "B22 S R20", "value type 22 at byte 20"},
        {"REDIS0011", "B23 S R20", "value type 23 at byte 20"},
        {"VALKEY080", "B24 S R20", "value type 24 at byte 20"},
        {"REDIS0015", "B242 R20", "opcode 242 at byte 20"},
        {"REDIS0011", "B243 L0", "opcode 243 at byte 20"},
        {"REDIS0010", "B121 L1", "opcode 121 at byte 20"},
        {"REDIS0013", "B7 S M L6 L1 L0", "module item 6 at byte 36"},
        {"REDIS0099", "B0 S B196 R2", "this is no string at byte 27"}, /* in a newer version: not called damage */
        {"VALKEY081", "B18 S L1 L3 S", "a list node is neither plain nor packed at byte 28"},
    };
    struct err err = ERR_INIT;
    struct rdb_build b;
    struct rdb_scan *scan = NULL;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        build_unknown(&b, cases[i].header, cases[i].script);
        rdb_build_end(&b);
        assert_int_equal(scan_slices(b.data, b.len, 0, 1, NULL, &scan, &err), -1);
        assert_int_equal(err.code, ERR_UNSUPPORTED);
        if (strstr(err.msg, cases[i].why) == NULL || strstr(err.msg, "--allow-unparsed") == NULL)
            fail_msg("\"%s\" does not say \"%s\"", err.msg, cases[i].why);
        err_clear(&err);
        rdb_scan_free(scan);
        assert_ok(scan_slices(b.data, b.len, 0, 1, &allow, &scan, &err), &err);
        assert_false(rdb_scan_info(scan)->parsed);
        assert_string_equal(rdb_scan_info(scan)->unparsed_why, cases[i].why);
        assert_int_equal(rdb_scan_info(scan)->keys, 1);
        assert_int_equal(rdb_scan_info(scan)->db_count, 1);
        assert_int_equal(rdb_scan_info(scan)->crc_state, RDB_CRC_GOOD);
        rdb_scan_free(scan);
        assert_any_slicing_is_same(b.data, b.len, &allow);
        rdb_build_fini(&b);
    }
}

static void
scan__unknown__without_a_good_crc__is_never_accepted(void **state)
{
    struct err err = ERR_INIT;
    struct rdb_build b;
    struct rdb_scan *scan = NULL;

    (void)state;
    build_unknown(&b, "REDIS0015", "B30 R40");
    rdb_build_end_with(&b, 0);
    assert_fails(scan_slices(b.data, b.len, 0, 9, &allow, &scan, &err), &err, ERR_UNSUPPORTED);
    rdb_scan_free(scan);
    b.data[b.len - 1] = 1;
    assert_fails(scan_slices(b.data, b.len, 0, 9, &allow, &scan, &err), &err, ERR_CORRUPT);
    rdb_scan_free(scan);
    rdb_build_fix_crc(&b);
    for (size_t cut = 0; cut < b.len; cut++) {
        assert_fails(scan_slices(b.data, cut, 0, 9, &allow, &scan, &err), &err, ERR_CORRUPT);
        rdb_scan_free(scan);
    }
    rdb_build_fini(&b);
    build_unknown(&b, "REDIS0004", "B30 R40"); /* no CRC at all */
    rdb_build_end(&b);
    assert_fails(scan_slices(b.data, b.len, 0, 9, &allow, &scan, &err), &err, ERR_UNSUPPORTED);
    rdb_scan_free(scan);
    rdb_build_fini(&b);
}

static void
scan__newer_version__known_types_only__is_parsed(void **state)
{
    static const char *const headers[] = {"REDIS0014", "REDIS0016", "VALKEY090"};
    struct err err = ERR_INIT;
    struct rdb_build b;
    struct rdb_scan *scan = NULL;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(headers); i++) {
        build_sample(&b, headers[i]);
        assert_ok(scan_slices(b.data, b.len, 0, 9, NULL, &scan, &err), &err);
        assert_true(rdb_scan_info(scan)->parsed);
        assert_int_equal(rdb_scan_info(scan)->keys, 6);
        rdb_scan_free(scan);
        assert_any_cut_is_corrupt(b.data, b.len);
        rdb_build_fini(&b);
    }
}

/* A newer version might put something behind its end; with a CRC over it, it is news, without it is damage. */
static void
scan__newer_version__bytes_behind_its_end__are_judged_by_the_crc(void **state)
{
    struct err err = ERR_INIT;
    struct rdb_build b;

    (void)state;
    build_sample(&b, "REDIS0020");
    rdb_build_script(&b, "R12");
    assert_fails(scan_verdict(b.data, b.len, &err), &err, ERR_CORRUPT);
    rdb_build_fix_crc(&b);
    assert_fails(scan_verdict(b.data, b.len, &err), &err, ERR_UNSUPPORTED);
    rdb_build_fini(&b);
}

/* ---- limits ------------------------------------------------------------------------------------------------------ */

static void
scan__many_databases__up_to_the_limit(void **state)
{
    struct err err = ERR_INIT;
    struct rdb_build b;
    struct rdb_scan *scan = NULL;

    (void)state;
    rdb_build_init(&b, "REDIS0011");
    for (uint64_t i = 0; i < 65536; i++) {
        rdb_build_select(&b, i * 40503 % 65536 + (i << 40)); /* in no order, and large */
        rdb_build_set(&b, "k", "v");
    }
    rdb_build_select(&b, 1); /* without keys: not listed, does not count */
    rdb_build_end(&b);
    assert_ok(scan_slices(b.data, b.len, 0, b.len, NULL, &scan, &err), &err);
    assert_int_equal(rdb_scan_info(scan)->db_count, 65536);
    for (size_t i = 1; i < 65536; i++)
        assert_true(rdb_scan_info(scan)->dbs[i - 1].number < rdb_scan_info(scan)->dbs[i].number);
    rdb_scan_free(scan);
    b.len -= 9;
    rdb_build_set(&b, "one", "too many");
    rdb_build_end(&b);
    assert_fails(scan_verdict(b.data, b.len, &err), &err, ERR_UNSUPPORTED);
    b.len -= 9;
    rdb_build_select(&b, 5);
    rdb_build_end(&b);
    assert_fails(scan_verdict(b.data, b.len, &err), &err, ERR_UNSUPPORTED);
    rdb_build_fini(&b);
}

static void
scan__modules__are_named_and_counted(void **state)
{
    struct err err = ERR_INIT;
    struct rdb_build b;
    struct rdb_scan *scan = NULL;
    const struct rdb_info *info = NULL;

    (void)state;
    rdb_build_init(&b, "REDIS0011");
    rdb_build_script(&b, "B247 M L2 L1 L0 B7 S M L0 B7 S M L2 L5 L0");
    for (uint64_t i = 1; i <= 100; i++) {
        rdb_build_script(&b, "B7 S");
        rdb_build_len(&b, i << 10);
        rdb_build_script(&b, "L0");
    }
    rdb_build_end(&b);
    assert_ok(scan_slices(b.data, b.len, 0, 10, NULL, &scan, &err), &err);
    info = rdb_scan_info(scan);
    assert_int_equal(info->types[RDB_MODULE], 102);
    assert_int_equal(info->module_count, 64); /* the rest is left out */
    assert_string_equal(info->modules[0].name, "testmod-1");
    assert_int_equal(info->modules[0].encver, 3);
    assert_int_equal(info->modules[0].keys, 2);
    assert_string_equal(info->modules[1].name, "AAAAAAAAB");
    rdb_scan_free(scan);
    rdb_build_fini(&b);
}

static void
scan__auxiliary_fields__in_every_form(void **state)
{
    static const char name[] = "valkey-ver";
    struct err err = ERR_INIT;
    struct rdb_build b;
    struct rdb_scan *scan = NULL;
    const struct rdb_info *info = NULL;

    (void)state;
    rdb_build_init(&b, "VALKEY080");
    rdb_build_byte(&b, 250);
    rdb_build_str(&b, name);
    rdb_build_raw(&b, "\xc3\x0a\x19\x01\x39.\x20\x00\xe0\x0a\x02\x00\n", 13); /* 25 bytes, compressed */
    rdb_build_aux(&b, "used-mem", "-5");
    rdb_build_aux(&b, "repl-offset", "12x");
    rdb_build_aux(&b, "ctime", "99999999999999999999");
    rdb_build_aux(&b, "", "");
    rdb_build_aux(&b, "slot-info", "1,2,3,4");
    rdb_build_script(&b, "B250");
    rdb_build_str(&b, "repl-stream-db");
    rdb_build_raw(&b, "\xc0\x05", 2);
    rdb_build_script(&b, "B250");
    rdb_build_str(&b, "aof-base");
    rdb_build_raw(&b, "\xc1\x01\x00", 3);
    rdb_build_script(&b, "B250");
    rdb_build_str(&b, "repl-id"); /* too long to be kept at all */
    rdb_build_script(&b, "L1025 R1025 B250 L2000 R2000 L1 R1");
    rdb_build_end(&b);
    assert_ok(scan_slices(b.data, b.len, 0, b.len, NULL, &scan, &err), &err);
    info = rdb_scan_info(scan);
    assert_string_equal(info->server_version, "9.......................?");
    assert_true(info->used_memory == -1 && info->repl_offset == -1 && info->ctime_s == -1);
    assert_true(info->repl_stream_db == 5 && info->aof_base == 1);
    assert_string_equal(info->repl_id, "");
    rdb_scan_free(scan);
    assert_any_slicing_is_same(b.data, b.len, NULL);
    rdb_build_fini(&b);
}

static void
type_name__every_type__has_one(void **state)
{
    (void)state;
    assert_string_equal(rdb_type_name(RDB_STRING), "string");
    assert_string_equal(rdb_type_name(RDB_LIST), "list");
    assert_string_equal(rdb_type_name(RDB_SET), "set");
    assert_string_equal(rdb_type_name(RDB_ZSET), "zset");
    assert_string_equal(rdb_type_name(RDB_HASH), "hash");
    assert_string_equal(rdb_type_name(RDB_STREAM), "stream");
    assert_string_equal(rdb_type_name(RDB_MODULE), "module");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scan__sample__counts_everything),
        cmocka_unit_test(scan__empty_dataset__is_good),
        cmocka_unit_test(scan__version_without_crc__ends_at_its_end_mark),
        cmocka_unit_test(scan__zero_crc__is_accepted_as_disabled),
        cmocka_unit_test(scan__large_value_across_many_blocks__is_good),
        cmocka_unit_test(scan__every_single_bit_flipped__is_corrupt),
        cmocka_unit_test(scan__not_a_dump__says_so),
        cmocka_unit_test(scan__tiny__is_corrupt_at_any_length),
        cmocka_unit_test(scan__bad_structure__names_the_byte),
        cmocka_unit_test(scan__length_near_the_end_of_64_bits__is_cut_short),
        cmocka_unit_test(scan_feed__after_a_failure__fails_the_same_way),
        cmocka_unit_test(scan__unknown__good_crc__is_a_matter_of_the_option),
        cmocka_unit_test(scan__unknown__without_a_good_crc__is_never_accepted),
        cmocka_unit_test(scan__newer_version__known_types_only__is_parsed),
        cmocka_unit_test(scan__newer_version__bytes_behind_its_end__are_judged_by_the_crc),
        cmocka_unit_test(scan__many_databases__up_to_the_limit),
        cmocka_unit_test(scan__modules__are_named_and_counted),
        cmocka_unit_test(scan__auxiliary_fields__in_every_form),
        cmocka_unit_test(type_name__every_type__has_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
