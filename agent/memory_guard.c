/* SPDX-License-Identifier: Apache-2.0 */
/* memory_guard.c: see memory_guard.h. */
#include "agent/memory_guard.h"

#include "agent/cgroup.h"

static uint64_t
container_limit(const struct server_memory *told, const void *cookie)
{
    const struct endpoint *endpoint = cookie;

    if (!endpoint_is_here(endpoint) || !cgroup_is_shared("", told->process_id, told->program))
        return 0;
    return cgroup_memory("");
}

void
memory_guard_options(const struct config *config, const struct endpoint *endpoint, struct guard_memory_options *out)
{
    *out = (struct guard_memory_options){
        .policy = (enum guard_policy)config->memory_guard,
        .server_memory = config->server_memory,
        .container_limit = container_limit,
        .cookie = endpoint,
    };
}
