/* SPDX-License-Identifier: Apache-2.0 */
/* limits.c: see limits.h. */
#include "agent/limits.h"

#include "agent/cgroup.h"

#define DEFAULT_JOBS 2

unsigned
limits_jobs(const struct config *c)
{
    unsigned cpus;

    if (c->jobs > 0)
        return (unsigned)c->jobs;
    cpus = cgroup_cpus("");
    return cpus < DEFAULT_JOBS ? cpus : DEFAULT_JOBS;
}

struct read_options
limits_reading(const struct config *c, struct progress_bar *bar)
{
    return (struct read_options){
        .jobs = limits_jobs(c),
        .memory = c->memory,
        .progress = progress_bar_sink(bar),
    };
}
