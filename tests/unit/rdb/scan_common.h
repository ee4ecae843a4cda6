/* SPDX-License-Identifier: Apache-2.0 */
/* scan_common.h: scanning bytes in memory, for the tests of the scanner. */
#ifndef TESTS_UNIT_RDB_SCAN_COMMON_H
#define TESTS_UNIT_RDB_SCAN_COMMON_H

#include "tests/support/test_common.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "snapshot/rdb/rdb_scan.h"

/* What an observer was told, names copied. */
struct seen_key {
    struct rdb_key key;
    uint8_t name[RDB_KEY_NAME_MAX];
};

struct seen {
    struct seen_key *keys;
    size_t count;
};

static inline void
see_key(const struct rdb_key *key, void *cookie)
{
    struct seen *seen = (struct seen *)cookie;
    struct seen_key *to = NULL;

    seen->keys = (struct seen_key *)mem_grow(seen->keys, seen->count + 1, sizeof(*seen->keys));
    to = &seen->keys[seen->count++];
    memset(to, 0, sizeof(*to));
    assert_true(key->name_len <= sizeof(to->name) && key->name_len <= key->name_full_len);
    to->key = *key;
    to->key.name = NULL; /* it is gone after this call */
    memcpy(to->name, key->name, key->name_len);
}

static inline void
seen_reset(struct seen *seen)
{
    free(seen->keys);
    *seen = (struct seen){0};
}

static inline void
assert_same_seen(const struct seen *a, const struct seen *b)
{
    assert_int_equal(a->count, b->count);
    for (size_t i = 0; i < a->count; i++) {
        const struct rdb_key *x = &a->keys[i].key, *y = &b->keys[i].key;

        assert_true(x->database == y->database && x->type == y->type && x->record == y->record);
        assert_true(x->encoding == y->encoding && x->bytes == y->bytes && x->elements == y->elements);
        assert_true(x->expires == y->expires && x->expires_ms == y->expires_ms);
        assert_true(x->name_len == y->name_len && x->name_full_len == y->name_full_len);
        assert_memory_equal(a->keys[i].name, b->keys[i].name, RDB_KEY_NAME_MAX);
    }
}

/* Every key of INFO, a dump of LEN bytes, was told, and none takes what belongs to another. */
static inline void
assert_seen_fits(const struct seen *seen, const struct rdb_info *info, size_t len)
{
    uint64_t types[RDB_TYPE_COUNT] = {0};
    uint64_t bytes = 0, expires = 0;

    assert_int_equal(seen->count, info->keys);
    for (size_t i = 0; i < seen->count; i++) {
        types[seen->keys[i].key.type]++;
        bytes += seen->keys[i].key.bytes;
        expires += seen->keys[i].key.expires;
        assert_true(seen->keys[i].key.expires || seen->keys[i].key.expires_ms == -1);
    }
    assert_memory_equal(types, info->types, sizeof(types));
    assert_int_equal(expires, info->expires);
    assert_true(bytes < len);
}

/* Scan LEN bytes in slices of STEP, the first one of FIRST (0: also STEP). Every slice is copied to a place of its own
 * size, so that a sanitizer sees a byte read past it. *SCAN is the caller's to free. */
static inline int
scan_slices(const uint8_t *data, size_t len, size_t first, size_t step, const struct rdb_scan_options *options,
            struct rdb_scan **scan, struct err *err)
{
    size_t at = 0;
    int rc = 0;

    *scan = rdb_scan_new(options);
    while (at < len && rc == 0) {
        size_t want = at == 0 && first > 0 ? first : step;
        size_t n = want < len - at ? want : len - at;
        uint8_t *slice = mem_new(n);

        memcpy(slice, data + at, n);
        rc = rdb_scan_feed(*scan, slice, n, err);
        free(slice);
        at += n;
    }
    return rc == 0 ? rdb_scan_finish(*scan, err) : rc;
}

/* Only whether it is good. */
static inline int
scan_verdict(const uint8_t *data, size_t len, struct err *err)
{
    struct rdb_scan *scan = NULL;
    int rc = scan_slices(data, len, 0, len + 1, NULL, &scan, err);

    rdb_scan_free(scan);
    return rc;
}

static inline void
assert_same_info(const struct rdb_info *a, const struct rdb_info *b)
{
    struct rdb_info flat_a = *a;
    struct rdb_info flat_b = *b;

    assert_int_equal(a->db_count, b->db_count);
    assert_int_equal(a->module_count, b->module_count);
    for (size_t i = 0; i < a->db_count; i++) {
        assert_true(a->dbs[i].number == b->dbs[i].number);
        assert_true(a->dbs[i].keys == b->dbs[i].keys && a->dbs[i].expires == b->dbs[i].expires);
    }
    for (size_t i = 0; i < a->module_count; i++) {
        assert_string_equal(a->modules[i].name, b->modules[i].name);
        assert_true(a->modules[i].keys == b->modules[i].keys && a->modules[i].encver == b->modules[i].encver);
    }
    flat_a.dbs = flat_b.dbs = NULL;
    flat_a.modules = flat_b.modules = NULL;
    /* Text members are zero behind their NUL: they start zeroed and are written once. */
    assert_memory_equal(&flat_a, &flat_b, sizeof(flat_a));
}

/* One slicing gives the same as WHOLE, and tells the observer what EXPECTED says; with NULL, what OPTIONS' own struct
 * seen holds afterwards is the first that was told. */
static inline void
assert_slicing_is_same(const uint8_t *data, size_t len, size_t first, size_t step,
                       const struct rdb_scan_options *options, const struct rdb_scan *whole,
                       const struct seen *expected)
{
    struct rdb_scan_options own = *options;
    struct err err = ERR_INIT;
    struct rdb_scan *sliced = NULL;
    struct seen seen = {0};

    if (expected != NULL)
        own.observer.cookie = &seen;
    assert_ok(scan_slices(data, len, first, step, &own, &sliced, &err), &err);
    assert_same_info(rdb_scan_info(whole), rdb_scan_info(sliced));
    if (expected != NULL)
        assert_same_seen(expected, &seen);
    seen_reset(&seen);
    rdb_scan_free(sliced);
}

/* Whole, byte by byte, by 2, 3 and 7, and split at every place: always good, always the same, to an observer too, and
 * where compressed strings are proven. */
static inline void
assert_any_slicing_is_same(const uint8_t *data, size_t len, const struct rdb_scan_options *options)
{
    static const size_t steps[] = {1, 2, 3, 7};
    struct err err = ERR_INIT;
    struct rdb_scan *whole = NULL;
    struct seen seen = {0};
    struct rdb_scan_options observed = {0};

    if (options != NULL)
        observed = *options;
    assert_ok(scan_slices(data, len, 0, len, &observed, &whole, &err), &err); /* nobody looks */
    observed.observer = (struct rdb_observer){.fn = see_key, .cookie = &seen};
    assert_slicing_is_same(data, len, 0, len, &observed, whole, NULL);
    if (rdb_scan_info(whole)->parsed)
        assert_seen_fits(&seen, rdb_scan_info(whole), len);
    for (size_t i = 0; i < ARRAY_LEN(steps); i++)
        assert_slicing_is_same(data, len, 0, steps[i], &observed, whole, &seen);
    for (size_t split = 1; split < len; split++)
        assert_slicing_is_same(data, len, split, len, &observed, whole, &seen);
    observed.lzf_proven = true;
    for (size_t i = 0; i < ARRAY_LEN(steps); i++)
        assert_slicing_is_same(data, len, 0, steps[i], &observed, whole, &seen);
    assert_slicing_is_same(data, len, 0, len, &observed, whole, &seen);
    seen_reset(&seen);
    rdb_scan_free(whole);
}

/* Cut short at every byte: damaged, never good, never "unsupported". */
static inline void
assert_any_cut_is_corrupt(const uint8_t *data, size_t len)
{
    struct err err = ERR_INIT;

    for (size_t cut = 0; cut < len; cut++) {
        uint8_t *head = mem_new(cut);

        memcpy(head, data, cut);
        if (scan_verdict(head, cut, &err) == 0 || err.code != ERR_CORRUPT)
            fail_msg("cut at byte %zu: %s: %s", cut, err_name(err.code), err.msg);
        err_clear(&err);
        free(head);
    }
}

#endif
