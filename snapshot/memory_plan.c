/* SPDX-License-Identifier: Apache-2.0 */
/* memory_plan.c: see memory_plan.h. */
#include "snapshot/memory_plan.h"

#include <inttypes.h>
#include <stdbool.h>

#include "base/units.h"
#include "snapshot/repo/segment.h"

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
    uint64_t need_mib;

    if (level < SEGMENT_LEVEL_MIN || level > segment_level_max())
        return err_set(err, ERR_USAGE, "the compression level is %d, but zstd's go from %d to %d", level,
                       SEGMENT_LEVEL_MIN, segment_level_max());
    if (jobs < 1 || jobs > 64)
        return err_set(err, ERR_USAGE, "the number of jobs is %u, but may be 1 to 64", jobs);
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
    need_mib = (plan->buffer_bytes + MEMORY_PLAN_RESERVE + (1u << 20) - 1) >> 20; /* rounded up: it is to be believed */
    return err_set(err, ERR_USAGE,
                   "%s of memory is not enough for one job at level %d: give --memory at least %" PRIu64
                   "MiB, or a lower --level",
                   units_format_size(memory, have), level, need_mib);
}
