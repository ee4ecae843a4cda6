/* SPDX-License-Identifier: Apache-2.0 */
/* memory_plan.c: see memory_plan.h. */
#include "snapshot/memory_plan.h"

#include <inttypes.h>

#include "base/units.h"
#include "snapshot/repo/segment.h"

static int
check_jobs(unsigned jobs, struct err *err)
{
    if (jobs < 1 || jobs > 64)
        return err_set(err, ERR_USAGE, "the number of jobs is %u, but may be 1 to 64", jobs);
    return 0;
}

/* What --memory would have to say for such buffers; rounded up, since it is to be believed. */
static uint64_t
needed_mib(size_t buffer_bytes)
{
    return ((uint64_t)buffer_bytes + MEMORY_PLAN_RESERVE + (1u << 20) - 1) >> 20;
}

/* ---- a backup ---------------------------------------------------------------------------------------------------- */

static bool
fits(struct memory_plan *plan, uint64_t budget)
{
    plan->encoder_bytes = segment_encoder_memory(plan->level, plan->segment_bytes);
    plan->buffer_bytes = (plan->jobs + 1) * plan->segment_bytes +
                         plan->jobs * (segment_bound(plan->segment_bytes) + plan->encoder_bytes);
    return plan->buffer_bytes <= budget;
}

int
memory_plan_make(uint64_t memory, unsigned jobs, int level, struct memory_plan *plan, struct err *err)
{
    uint64_t budget = memory > MEMORY_PLAN_RESERVE ? memory - MEMORY_PLAN_RESERVE : 0;
    char have[UNITS_TEXT_MAX];

    if (level < SEGMENT_LEVEL_MIN || level > segment_level_max())
        return err_set(err, ERR_USAGE, "the compression level is %d, but zstd's go from %d to %d", level,
                       SEGMENT_LEVEL_MIN, segment_level_max());
    if (check_jobs(jobs, err) < 0)
        return -1;
    plan->level = level;
    for (plan->jobs = jobs; plan->jobs >= 1; plan->jobs--) {
        for (plan->segment_bytes = MEMORY_PLAN_SEGMENT_MAX; plan->segment_bytes >= MEMORY_PLAN_SEGMENT_MIN;
             plan->segment_bytes /= 2) {
            if (fits(plan, budget))
                return 0;
        }
    }
    plan->jobs = 1;
    plan->segment_bytes = MEMORY_PLAN_SEGMENT_MIN;
    (void)fits(plan, budget);
    return err_set(err, ERR_USAGE,
                   "%s of memory is not enough for one job at level %d: give --memory at least %" PRIu64
                   "MiB, or a lower --level",
                   units_format_size(memory, have), level, needed_mib(plan->buffer_bytes));
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static bool
read_fits(struct memory_read_plan *plan, unsigned jobs, unsigned ring, uint64_t budget)
{
    plan->jobs = jobs;
    plan->ring = ring;
    plan->buffer_bytes = ring * plan->raw_bytes + jobs * (plan->stored_bytes + segment_decoder_memory());
    return plan->buffer_bytes <= budget;
}

int
memory_plan_read(uint64_t memory, unsigned jobs, size_t raw_bytes, size_t stored_bytes, struct memory_read_plan *plan,
                 struct err *err)
{
    uint64_t budget = memory > MEMORY_PLAN_RESERVE ? memory - MEMORY_PLAN_RESERVE : 0;
    char have[UNITS_TEXT_MAX], segment[UNITS_TEXT_MAX];

    if (check_jobs(jobs, err) < 0)
        return -1;
    plan->raw_bytes = raw_bytes;
    plan->stored_bytes = stored_bytes;
    for (unsigned n = jobs; n >= 1; n--) {
        if (read_fits(plan, n, n + 2, budget) || read_fits(plan, n, n + 1, budget))
            return 0;
    }
    if (read_fits(plan, 1, 1, budget)) /* nothing overlaps then, but it can be read */
        return 0;
    return err_set(
        err, ERR_USAGE, "%s of memory is not enough for segments of %s: give --memory at least %" PRIu64 "MiB",
        units_format_size(memory, have), units_format_size(raw_bytes, segment), needed_mib(plan->buffer_bytes));
}

/* ---- carrying ---------------------------------------------------------------------------------------------------- */

int
memory_plan_carry(uint64_t memory, unsigned jobs, bool reader, size_t stored_bytes, size_t index_bytes,
                  struct memory_carry_plan *plan, struct err *err)
{
    uint64_t budget = memory > MEMORY_PLAN_RESERVE ? memory - MEMORY_PLAN_RESERVE : 0;
    char have[UNITS_TEXT_MAX], segment[UNITS_TEXT_MAX];

    if (check_jobs(jobs, err) < 0)
        return -1;
    plan->stored_bytes = stored_bytes;
    for (plan->jobs = jobs;; plan->jobs--) {
        plan->buffers = plan->jobs + (reader ? 1 : 0);
        plan->buffer_bytes = plan->buffers * stored_bytes + 2 * index_bytes; /* its text and its table */
        if (plan->buffer_bytes <= budget)
            return 0;
        if (plan->jobs == 1)
            break;
    }
    return err_set(err, ERR_USAGE,
                   "%s of memory is not enough for segments of %s as stored: give --memory at least %" PRIu64 "MiB",
                   units_format_size(memory, have), units_format_size(stored_bytes, segment),
                   needed_mib(plan->buffer_bytes));
}
