/* SPDX-License-Identifier: Apache-2.0 */
/* What the observer is told of keys: names, sizes, expiries, encodings, elements. That it is the same in any slicing is
 * also tested with every other dump (scan_common.h). */
#include "tests/unit/rdb/scan_common.h"

#include <stdio.h>

#include "tests/support/rdb_build.h"

/* All keys of the dump B, which is ended here. Looked at in any slicing too. */
static void
observe(struct rdb_build *b, struct seen *seen)
{
    const struct rdb_scan_options options = {.observer = {see_key, seen}};
    struct err err = ERR_INIT;
    struct rdb_scan *scan = NULL;

    rdb_build_end(b);
    assert_ok(scan_slices(b->data, b->len, 0, b->len, &options, &scan, &err), &err);
    assert_seen_fits(seen, rdb_scan_info(scan), b->len);
    rdb_scan_free(scan);
    assert_any_slicing_is_same(b->data, b->len, NULL);
    rdb_build_fini(b);
}

static void
assert_name(const struct seen_key *k, const char *name)
{
    assert_int_equal(k->key.name_len, strlen(name));
    assert_int_equal(k->key.name_full_len, strlen(name));
    assert_memory_equal(k->name, name, strlen(name));
}

/* ---- names ------------------------------------------------------------------------------------------------------- */

static void
name__any_form_of_string__is_told(void **state)
{
    static const char *const names[] = {"plain", "-1",  "-511", "-50463231", "abcabcabcabcabcabcabcabcabcabcZ",
                                        NULL,    "abc", "ab"};
    struct rdb_build b;
    struct seen seen = {0};

    (void)state;
    rdb_build_init(&b, "REDIS0010");
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        rdb_build_script(&b, "B0 S");
        rdb_build_str(&b, "value");
    }
    rdb_build_set(&b, "", "the empty name");
    observe(&b, &seen);
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (names[i] != NULL)
            assert_name(&seen.keys[i], names[i]);
    assert_true(seen.keys[5].key.name_len == 100 && memcmp(seen.keys[5].name, "a hundred bytes", 15) == 0);
    assert_name(&seen.keys[ARRAY_LEN(names)], "");
    seen_reset(&seen);
}

static void
name__longer_than_the_room__is_cut_and_its_length_told(void **state)
{
    static const size_t lens[] = {RDB_KEY_NAME_MAX - 1, RDB_KEY_NAME_MAX, RDB_KEY_NAME_MAX + 1, 1700};
    char name[2000];
    struct rdb_build b;
    struct seen seen = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(name); i++)
        name[i] = (char)('a' + i % 26);
    rdb_build_init(&b, "REDIS0010");
    for (size_t i = 0; i < ARRAY_LEN(lens); i++) {
        rdb_build_byte(&b, 0);
        rdb_build_len(&b, lens[i]);
        rdb_build_raw(&b, name, lens[i]);
        rdb_build_str(&b, "value");
    }
    observe(&b, &seen);
    for (size_t i = 0; i < ARRAY_LEN(lens); i++) {
        size_t kept = lens[i] < RDB_KEY_NAME_MAX ? lens[i] : RDB_KEY_NAME_MAX;

        assert_int_equal(seen.keys[i].key.name_full_len, lens[i]);
        assert_int_equal(seen.keys[i].key.name_len, kept);
        assert_memory_equal(seen.keys[i].name, name, kept);
    }
    seen_reset(&seen);
}

/* "xy", then copies of 264 bytes from two back; 2 + 7 * 264 = 1850 bytes in all. */
static void
name__compressed_and_longer_than_the_room__is_cut(void **state)
{
    struct rdb_build b;
    struct seen seen = {0};

    (void)state;
    rdb_build_init(&b, "REDIS0010");
    rdb_build_raw(&b, "\x00\xc3", 2);
    rdb_build_len(&b, 3 + 7 * 3);
    rdb_build_len(&b, 2 + 7 * 264);
    rdb_build_raw(&b, "\x01xy", 3);
    for (int i = 0; i < 7; i++)
        rdb_build_raw(&b, "\xe0\xff\x01", 3);
    rdb_build_str(&b, "value");
    rdb_build_set(&b, "next", "value");
    observe(&b, &seen);
    assert_int_equal(seen.keys[0].key.name_full_len, 1850);
    assert_int_equal(seen.keys[0].key.name_len, RDB_KEY_NAME_MAX);
    for (size_t i = 0; i < RDB_KEY_NAME_MAX; i++)
        assert_int_equal(seen.keys[0].name[i], i % 2 == 0 ? 'x' : 'y');
    assert_name(&seen.keys[1], "next");
    seen_reset(&seen);
}

/* ---- expiries, databases, bytes ---------------------------------------------------------------------------------- */

static void
key__what_is_said_about_it__counts_among_its_bytes(void **state)
{
    static const uint64_t bytes[] = {1 + 2 + 2, 9 + 5, 5 + 2 + 5, 9 + 5, 9 + 2 + 9 + 7 + 5, 9 + 5, 5};
    static const int64_t expires_ms[] = {-1, INT64_C(1893456000123), INT64_C(1893456000000), -1000, INT64_C(2), -1, -1};
    struct rdb_build b;
    struct seen seen = {0};

    (void)state;
    rdb_build_init(&b, "REDIS0013");
    rdb_build_script(&b, "B254 L5 B251 L7 L4");
    rdb_build_set(&b, "a", "1");
    rdb_build_raw(&b, "\xfc\x7b\xb4\xc5\xda\xb8\x01\x00\x00", 9); /* 1893456000123 ms */
    rdb_build_set(&b, "b", "1");
    rdb_build_raw(&b, "\xfd\x80\xd8\xdb\x70", 5); /* 1893456000 s */
    rdb_build_raw(&b, "\xf9\x07", 2);             /* a frequency */
    rdb_build_set(&b, "c", "1");
    rdb_build_raw(&b, "\xfc\x18\xfc\xff\xff\xff\xff\xff\xff", 9); /* before 1970 */
    rdb_build_set(&b, "d", "1");
    rdb_build_raw(&b, "\xfc\x01\x00\x00\x00\x00\x00\x00\x00", 9); /* said twice: the last holds */
    rdb_build_raw(&b, "\xf8\x09", 2);                             /* idle seconds */
    rdb_build_raw(&b, "\xfc\x02\x00\x00\x00\x00\x00\x00\x00", 9);
    rdb_build_raw(&b, "\xfa\x03key\x01v", 7); /* an auxiliary field may stand between */
    rdb_build_set(&b, "e", "1");
    rdb_build_select(&b, 70000);
    rdb_build_raw(&b, "\xfc\xff\xff\xff\xff\xff\xff\xff\xff",
                  9); /* -1: a server takes it for none, the count does not */
    rdb_build_set(&b, "f", "1");
    rdb_build_set(&b, "g", "1");
    observe(&b, &seen);
    assert_int_equal(seen.count, ARRAY_LEN(bytes));
    for (size_t i = 0; i < seen.count; i++) {
        assert_int_equal(seen.keys[i].key.bytes, bytes[i]);
        assert_true(seen.keys[i].key.expires_ms == expires_ms[i]);
        assert_int_equal(seen.keys[i].key.expires, i > 0 && i < 6);
        assert_int_equal(seen.keys[i].key.database, i < 5 ? 5 : 70000);
    }
    seen_reset(&seen);
}

/* ---- encodings and elements -------------------------------------------------------------------------------------- */

/* A packed value of 12 bytes that starts with HEAD. */
static void
packed(struct rdb_build *b, const char *head, size_t len)
{
    char value[12] = {0};

    memcpy(value, head, len);
    rdb_build_len(b, sizeof(value));
    rdb_build_raw(b, value, sizeof(value));
}

static const struct {
    const char *header;
    unsigned record;
    const char *head;
    const char *encoding;
    int64_t elements;
} packings[] = {
    {"REDIS0003", 9, "\x05\0\0\0\0\0\0\0\0\0", "zipmap", 5},
    {"REDIS0003", 9, "\xfd\0\0\0\0\0\0\0\0\0", "zipmap", 253},
    {"REDIS0003", 9, "\xfe\0\0\0\0\0\0\0\0\0", "zipmap", -1},
    {"REDIS0006", 10, "\0\0\0\0\0\0\0\0\x03\x01", "ziplist", 0x103},
    {"REDIS0006", 10, "\0\0\0\0\0\0\0\0\xff\xff", "ziplist", -1},
    {"REDIS0006", 11, "\x02\0\0\0\x70\x11\x01\0\0\0", "intset", 70000},
    {"REDIS0006", 12, "\0\0\0\0\0\0\0\0\x06\0", "ziplist", 3},
    {"REDIS0006", 13, "\0\0\0\0\0\0\0\0\xfe\xff", "ziplist", 32767},
    {"REDIS0010", 16, "\x0c\0\0\0\x08\0\0\0\0\0", "listpack", 4},
    {"REDIS0010", 17, "\x0c\0\0\0\x02\0\0\0\0\0", "listpack", 1},
    {"REDIS0010", 17, "\x0c\0\0\0\xff\xff\0\0\0\0", "listpack", -1},
    {"REDIS0011", 20, "\x0c\0\0\0\x07\0\0\0\0\0", "listpack", 7},
};

static void
elements__packed_value__are_those_of_its_header(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(packings); i++) {
        struct rdb_build b;
        struct seen seen = {0};

        rdb_build_init(&b, packings[i].header);
        rdb_build_byte(&b, packings[i].record);
        rdb_build_str(&b, "key");
        packed(&b, packings[i].head, 10);
        rdb_build_set(&b, "next", "value");
        observe(&b, &seen);
        assert_string_equal(rdb_encoding_name(seen.keys[0].key.encoding), packings[i].encoding);
        assert_int_equal(seen.keys[0].key.record, packings[i].record);
        if (seen.keys[0].key.elements != packings[i].elements)
            fail_msg("case %zu: %d elements", i, (int)seen.keys[0].key.elements);
        assert_int_equal(seen.keys[1].key.elements, RDB_ELEMENTS_UNKNOWN);
        seen_reset(&seen);
    }
}

/* Two literals, then copies from two back: 8, 0, 8, 0, 8, 0... */
static void
elements__compressed_packed_value__are_known(void **state)
{
    struct rdb_build b;
    struct seen seen = {0};

    (void)state;
    rdb_build_init(&b, "REDIS0010");
    rdb_build_raw(&b, "\x10\x03key\xc3", 6);
    rdb_build_len(&b, 3 + 2 + 3);
    rdb_build_len(&b, 2 + 3 + 264);
    rdb_build_raw(&b, "\x01\x08\x00\x20\x01\xe0\xff\x01", 8);
    observe(&b, &seen);
    assert_int_equal(seen.keys[0].key.elements, 4);
    seen_reset(&seen);
}

static void
elements__too_short_or_a_number__are_unknown(void **state)
{
    struct rdb_build b;
    struct seen seen = {0};

    (void)state;
    rdb_build_init(&b, "REDIS0010");
    rdb_build_raw(&b, "\x10\x01k\x05\x0c\0\0\0\x08", 9);
    rdb_build_raw(&b, "\x10\x01k\xc2\x0c\x0c\x0c\x0c", 8);
    rdb_build_raw(&b, "\x10\x01k\x00", 4);
    observe(&b, &seen);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(seen.keys[i].key.elements, RDB_ELEMENTS_UNKNOWN);
    seen_reset(&seen);
}

static void
elements__list_nodes__add_up(void **state)
{
    struct rdb_build b;
    struct seen seen = {0};

    (void)state;
    rdb_build_init(&b, "REDIS0011");
    rdb_build_raw(&b, "\x12\x01q\x03\x02", 5);
    packed(&b, "\x0c\0\0\0\x09\0", 6);
    rdb_build_raw(&b, "\x01\x05plain\x02", 8);
    packed(&b, "\x0c\0\0\0\x00\x01", 6);
    rdb_build_raw(&b, "\x12\x01r\x02\x02", 5);
    packed(&b, "\x0c\0\0\0\xff\xff", 6); /* one node that does not tell */
    rdb_build_byte(&b, 2);
    packed(&b, "\x0c\0\0\0\x01\0", 6);
    rdb_build_raw(&b, "\x0e\x01s\x02", 4);
    packed(&b, "\0\0\0\0\0\0\0\0\x02\0", 10);
    packed(&b, "\0\0\0\0\0\0\0\0\x03\0", 10);
    rdb_build_raw(&b, "\x0e\x01t\x00", 4);
    observe(&b, &seen);
    assert_int_equal(seen.keys[0].key.elements, 9 + 1 + 256);
    assert_int_equal(seen.keys[1].key.elements, RDB_ELEMENTS_UNKNOWN);
    assert_int_equal(seen.keys[2].key.elements, 5);
    assert_int_equal(seen.keys[3].key.elements, 0);
    seen_reset(&seen);
}

static const struct {
    const char *header, *script, *encoding;
    int64_t elements;
} counted[] = {
    {"REDIS0006", "B1 S L3 S S S", "linkedlist", 3},
    {"REDIS0006", "B2 S L2 S S", "hashtable", 2},
    {"REDIS0006", "B3 S L2 S B253 S B253", "skiplist", 2},
    {"REDIS0006", "B4 S L1 S S", "hashtable", 1},
    {"REDIS0009", "B5 S L2 S R8 S R8", "skiplist", 2},
    {"REDIS0009", "B15 S L1 S S L700 L9 L0 L1 S L1 L2 L0 L0", "stream", 700},
    {"REDIS0013", "B21 S L1 S S L8 L9 L0 L1 L0 L0 L0 L70000 L1 S L1 L2 L5 L0 L1 S R16 L0", "stream", 8},
    {"REDIS0012", "B24 S R8 L2 L0 S S L5 S S", "hashtable", 2},
    {"VALKEY080", "B22 S L2 S S R8 S S R8", "hashtable", 2},
    {"REDIS0009", "B7 S M L1 L5 L0", "module", -1},
    {"REDIS0012", "B25 S R8 S", "listpackex", -1},
    {"REDIS0009", "B0 S L3 R3", "raw", -1},
};

static void
elements__values_of_counted_parts__are_their_outermost_count(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(counted); i++) {
        struct rdb_build b;
        struct seen seen = {0};

        rdb_build_init(&b, counted[i].header);
        rdb_build_script(&b, counted[i].script);
        observe(&b, &seen);
        assert_string_equal(rdb_encoding_name(seen.keys[0].key.encoding), counted[i].encoding);
        if (seen.keys[0].key.elements != counted[i].elements)
            fail_msg("%s: %d elements", counted[i].script, (int)seen.keys[0].key.elements);
        seen_reset(&seen);
    }
}

static void
elements__fields_that_expire__are_three_entries_each(void **state)
{
    struct rdb_build b;
    struct seen seen = {0};

    (void)state;
    rdb_build_init(&b, "REDIS0012");
    rdb_build_script(&b, "B25 S R8");
    packed(&b, "\x0c\0\0\0\x09\0", 6);
    observe(&b, &seen);
    assert_int_equal(seen.keys[0].key.elements, 3);
    seen_reset(&seen);
}

static void
encoding__strings__are_told_by_their_form(void **state)
{
    static const char *const encodings[] = {"raw", "int", "int", "int", "lzf", "raw", "raw", "raw"};
    struct rdb_build b;
    struct seen seen = {0};

    (void)state;
    rdb_build_init(&b, "REDIS0010");
    for (unsigned i = 0; i < ARRAY_LEN(encodings); i++) {
        rdb_build_raw(&b, "\x00\x01k", 3);
        rdb_build_script(&b, "S");
    }
    observe(&b, &seen);
    for (size_t i = 0; i < ARRAY_LEN(encodings); i++)
        assert_string_equal(rdb_encoding_name(seen.keys[i].key.encoding), encodings[i]);
    seen_reset(&seen);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(name__any_form_of_string__is_told),
        cmocka_unit_test(name__longer_than_the_room__is_cut_and_its_length_told),
        cmocka_unit_test(name__compressed_and_longer_than_the_room__is_cut),
        cmocka_unit_test(key__what_is_said_about_it__counts_among_its_bytes),
        cmocka_unit_test(elements__packed_value__are_those_of_its_header),
        cmocka_unit_test(elements__compressed_packed_value__are_known),
        cmocka_unit_test(elements__too_short_or_a_number__are_unknown),
        cmocka_unit_test(elements__list_nodes__add_up),
        cmocka_unit_test(elements__values_of_counted_parts__are_their_outermost_count),
        cmocka_unit_test(elements__fields_that_expire__are_three_entries_each),
        cmocka_unit_test(encoding__strings__are_told_by_their_form),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
