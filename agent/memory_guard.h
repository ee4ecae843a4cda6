/* SPDX-License-Identifier: Apache-2.0 */
/* memory_guard.h: what the memory guard goes by, out of the configuration and of what can be seen of the server's
 * container from here. */
#ifndef AGENT_MEMORY_GUARD_H
#define AGENT_MEMORY_GUARD_H

#include "agent/config.h"
#include "snapshot/guard.h"
#include "snapshot/redis/endpoint.h"

/* For the server at ENDPOINT, which must outlive OUT. Its container's limit is taken for known only where the server
 * is seen to run in ours. */
void memory_guard_options(const struct config *config, const struct endpoint *endpoint,
                          struct guard_memory_options *out);

#endif
