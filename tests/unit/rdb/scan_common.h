/* SPDX-License-Identifier: Apache-2.0 */
/* scan_common.h: scanning bytes in memory, for the tests of the scanner. */
#ifndef TESTS_UNIT_RDB_SCAN_COMMON_H
#define TESTS_UNIT_RDB_SCAN_COMMON_H

#include "tests/support/test_common.h"

#include <string.h>

#include "base/mem.h"
#include "snapshot/rdb/rdb_scan.h"

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

/* Whole, byte by byte, by 2, 3 and 7, and split at every place: always good, always the same. */
static inline void
assert_any_slicing_is_same(const uint8_t *data, size_t len, const struct rdb_scan_options *options)
{
    static const size_t steps[] = {1, 2, 3, 7};
    struct err err = ERR_INIT;
    struct rdb_scan *whole = NULL;
    struct rdb_scan *sliced = NULL;

    assert_ok(scan_slices(data, len, 0, len, options, &whole, &err), &err);
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        assert_ok(scan_slices(data, len, 0, steps[i], options, &sliced, &err), &err);
        assert_same_info(rdb_scan_info(whole), rdb_scan_info(sliced));
        rdb_scan_free(sliced);
    }
    for (size_t split = 1; split < len; split++) {
        assert_ok(scan_slices(data, len, split, len, options, &sliced, &err), &err);
        assert_same_info(rdb_scan_info(whole), rdb_scan_info(sliced));
        rdb_scan_free(sliced);
    }
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
