/* SPDX-License-Identifier: Apache-2.0 */
/* test_memory_plan.c: the formula, what shrinks first, and a refusal that can be believed. */
#include "snapshot/memory_plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "snapshot/repo/segment.h"
#include "tests/support/test_common.h"

#define MIB ((uint64_t)1 << 20)

static void
assert_formula(const struct memory_plan *p, uint64_t memory)
{
    assert_int_equal(p->encoder_bytes, segment_encoder_memory(p->level, p->segment_bytes));
    assert_int_equal(p->buffer_bytes,
                     (p->jobs + 1) * p->segment_bytes + p->jobs * (segment_bound(p->segment_bytes) + p->encoder_bytes));
    assert_true(p->buffer_bytes <= memory - MEMORY_PLAN_RESERVE);
}

static void
plan__the_default__two_jobs_of_8_mib_segments(void **state)
{
    struct err err = ERR_INIT;
    struct memory_plan p;

    (void)state;
    assert_ok(memory_plan_make(64 * MIB, 2, SEGMENT_LEVEL_DEFAULT, &p, &err), &err);
    assert_int_equal(p.jobs, 2);
    assert_int_equal(p.segment_bytes, 8 * MIB);
    assert_int_equal(p.level, SEGMENT_LEVEL_DEFAULT);
    assert_formula(&p, 64 * MIB);
}

static void
plan__every_size_and_level__fits_or_refuses(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    for (uint64_t memory = 0; memory < 300 * MIB; memory += 7 * MIB + 13) {
        for (int level = SEGMENT_LEVEL_MIN; level <= segment_level_max(); level++) {
            for (unsigned jobs = 1; jobs <= 64; jobs *= 4) {
                struct memory_plan p;

                if (memory_plan_make(memory, jobs, level, &p, &err) < 0) {
                    assert_fails(-1, &err, ERR_USAGE);
                    continue;
                }
                assert_formula(&p, memory);
                assert_in_range(p.jobs, 1, jobs);
                assert_in_range(p.segment_bytes, MIB, 8 * MIB);
                assert_int_equal(p.segment_bytes & (p.segment_bytes - 1), 0);
                assert_int_equal(p.level, level);
            }
        }
    }
}

static void
plan__less_and_less_memory__segments_shrink_then_jobs(void **state)
{
    struct err err = ERR_INIT;
    struct memory_plan before, p;
    unsigned steps = 0;

    (void)state;
    assert_ok(memory_plan_make(500 * MIB, 4, 3, &before, &err), &err);
    assert_int_equal(before.jobs, 4);
    assert_int_equal(before.segment_bytes, 8 * MIB);
    for (uint64_t memory = 500 * MIB; memory_plan_make(memory, 4, 3, &p, &err) == 0; memory -= MIB / 2) {
        if (p.jobs == before.jobs) {
            assert_true(p.segment_bytes <= before.segment_bytes);
        } else {
            assert_int_equal(p.jobs, before.jobs - 1);
            assert_int_equal(before.segment_bytes, MEMORY_PLAN_SEGMENT_MIN); /* nothing was left to shrink */
        }
        steps += p.jobs != before.jobs || p.segment_bytes != before.segment_bytes;
        before = p;
    }
    assert_int_equal(before.jobs, 1);
    assert_int_equal(before.segment_bytes, MEMORY_PLAN_SEGMENT_MIN);
    assert_true(steps >= 6);
}

static void
plan__too_little__says_how_much_is_enough(void **state)
{
    (void)state;
    for (int level = SEGMENT_LEVEL_MIN; level <= segment_level_max(); level++) {
        struct err err = ERR_INIT;
        struct memory_plan p;
        char need[32] = "";
        uint64_t bytes = 0;
        const char *at;

        assert_int_equal(memory_plan_make(1000, 8, level, &p, &err), -1);
        assert_int_equal(err.code, ERR_USAGE);
        at = strstr(err.msg, "--memory at least ");
        assert_non_null(at);
        assert_int_equal(sscanf(at, "--memory at least %31[^,]", need), 1);
        err_clear(&err);
        assert_ok(units_parse_size(need, &bytes, &err), &err); /* as it stands it can be given back to us */
        assert_ok(memory_plan_make(bytes, 8, level, &p, &err), &err);
        assert_fails(memory_plan_make(bytes - MIB, 8, level, &p, &err), &err, ERR_USAGE);
    }
}

static void
plan__bad_figures__refused(void **state)
{
    struct err err = ERR_INIT;
    struct memory_plan p;

    (void)state;
    assert_fails(memory_plan_make(64 * MIB, 0, 1, &p, &err), &err, ERR_USAGE);
    assert_fails(memory_plan_make(64 * MIB, 65, 1, &p, &err), &err, ERR_USAGE);
    assert_fails(memory_plan_make(64 * MIB, 1, 0, &p, &err), &err, ERR_USAGE);
    assert_fails(memory_plan_make(64 * MIB, 1, segment_level_max() + 1, &p, &err), &err, ERR_USAGE);
    assert_ok(memory_plan_make(UINT64_MAX, 64, 1, &p, &err), &err);
}

/* ---- reading ---- */

static void
read_plan__the_default__two_jobs_and_a_ring_of_four(void **state)
{
    struct err err = ERR_INIT;
    struct memory_read_plan p;

    (void)state;
    assert_ok(memory_plan_read(64 * MIB, 2, 8 * MIB, 3 * MIB, &p, &err), &err);
    assert_int_equal(p.jobs, 2);
    assert_int_equal(p.ring, 4);
    /* Segments that do not compress: the ring gives way before a job does. */
    assert_ok(memory_plan_read(64 * MIB, 2, 8 * MIB, segment_bound(8 * MIB), &p, &err), &err);
    assert_int_equal(p.jobs, 2);
    assert_int_equal(p.ring, 3);
}

static void
read_plan__every_size__fits_or_says_how_much_would(void **state)
{
    static const size_t sizes[] = {1, 4096, MIB, 8 * MIB, 64 * MIB};

    (void)state;
    for (uint64_t memory = 0; memory < 300 * MIB; memory += 7 * MIB + 13) {
        for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
            for (unsigned jobs = 1; jobs <= 64; jobs *= 4) {
                size_t raw = sizes[i], stored = segment_bound(raw);
                struct err err = ERR_INIT;
                struct memory_read_plan p;
                unsigned long need = 0;
                char *end = NULL;

                if (memory_plan_read(memory, jobs, raw, stored, &p, &err) == 0) {
                    assert_in_range(p.jobs, 1, jobs);
                    assert_in_range(p.ring, p.jobs == 1 ? 1 : p.jobs + 1, p.jobs + 2);
                    assert_int_equal(p.buffer_bytes, p.ring * raw + p.jobs * (stored + segment_decoder_memory()));
                    assert_true(p.buffer_bytes + MEMORY_PLAN_RESERVE <= memory);
                    continue;
                }
                assert_int_equal(err.code, ERR_USAGE);
                assert_non_null(strstr(err.msg, "--memory at least "));
                need = strtoul(strstr(err.msg, "at least ") + strlen("at least "), &end, 10);
                assert_memory_equal(end, "MiB", 3);
                err_clear(&err);
                assert_ok(memory_plan_read(need * MIB, jobs, raw, stored, &p, &err), &err);
                assert_fails(memory_plan_read((need - 1) * MIB, jobs, raw, stored, &p, &err), &err, ERR_USAGE);
            }
        }
    }
}

static void
read_plan__bad_figures__refused(void **state)
{
    struct err err = ERR_INIT;
    struct memory_read_plan p;

    (void)state;
    assert_fails(memory_plan_read(64 * MIB, 0, 1, 1, &p, &err), &err, ERR_USAGE);
    assert_fails(memory_plan_read(64 * MIB, 65, 1, 1, &p, &err), &err, ERR_USAGE);
    assert_ok(memory_plan_read(UINT64_MAX, 64, 64 * MIB, 64 * MIB, &p, &err), &err);
    assert_int_equal(p.jobs, 64);
}

/* ---- carrying ---------------------------------------------------------------------------------------------------- */

static void
carry_plan__every_size__fits_or_says_how_much_would(void **state)
{
    static const size_t sizes[] = {1, 4096, MIB, 8 * MIB, 64 * MIB};

    (void)state;
    for (uint64_t memory = 0; memory < 300 * MIB; memory += 7 * MIB + 13) {
        for (size_t i = 0; i < 2 * ARRAY_LEN(sizes); i++) {
            for (unsigned jobs = 1; jobs <= 64; jobs *= 4) {
                size_t stored = sizes[i / 2], index = 3 * stored;
                struct memory_carry_plan p;
                struct err err = ERR_INIT;
                unsigned long need = 0;

                if (memory_plan_carry(memory, jobs, i % 2, stored, index, &p, &err) == 0) {
                    assert_in_range(p.jobs, 1, jobs);
                    assert_int_equal(p.buffers, p.jobs + i % 2);
                    assert_int_equal(p.buffer_bytes, p.buffers * stored + 2 * index);
                    assert_true(p.buffer_bytes + MEMORY_PLAN_RESERVE <= memory);
                    assert_true(p.jobs == jobs || p.buffer_bytes + stored + MEMORY_PLAN_RESERVE > memory);
                    continue;
                }
                assert_int_equal(err.code, ERR_USAGE);
                assert_non_null(strstr(err.msg, "--memory at least "));
                need = strtoul(strstr(err.msg, "at least ") + strlen("at least "), NULL, 10);
                err_clear(&err);
                assert_ok(memory_plan_carry(need * MIB, jobs, i % 2, stored, index, &p, &err), &err);
                assert_fails(memory_plan_carry((need - 1) * MIB, jobs, i % 2, stored, index, &p, &err), &err,
                             ERR_USAGE);
            }
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plan__the_default__two_jobs_of_8_mib_segments),
        cmocka_unit_test(plan__every_size_and_level__fits_or_refuses),
        cmocka_unit_test(plan__less_and_less_memory__segments_shrink_then_jobs),
        cmocka_unit_test(plan__too_little__says_how_much_is_enough),
        cmocka_unit_test(plan__bad_figures__refused),
        cmocka_unit_test(read_plan__the_default__two_jobs_and_a_ring_of_four),
        cmocka_unit_test(read_plan__every_size__fits_or_says_how_much_would),
        cmocka_unit_test(read_plan__bad_figures__refused),
        cmocka_unit_test(carry_plan__every_size__fits_or_says_how_much_would),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
