/* SPDX-License-Identifier: Apache-2.0 */
/* cgroup.h: how many CPUs, and how much memory, may this process really use, and does another share them? */
#ifndef AGENT_CGROUP_H
#define AGENT_CGROUP_H

#include <stdbool.h>
#include <stdint.h>

/* The CPU quota of this process's cgroup and of all above it, rounded up; 0: no limit that can be seen. Both versions:
 * cpu.max, and cpu.cfs_quota_us with cpu.cfs_period_us. ROOT is put in front of /proc and /sys: "" but for tests. */
unsigned cgroup_quota_cpus(const char *root);

/* The least of that quota and the CPUs that the scheduler may give us; at least 1. */
unsigned cgroup_cpus(const char *root);

/* The memory in bytes that all processes of this cgroup may have together: the least of its limit, of those above it
 * (memory.max, memory.limit_in_bytes), and of what the machine has. 0: cannot be seen. */
uint64_t cgroup_memory(const char *root);

/* Does process PID, as it is seen here, run PROGRAM in the very cgroup of this process? The name is needed because
 * containers of a pod count their processes apart: what is number 1 over there is another process here. False where it
 * cannot be seen. */
bool cgroup_is_shared(const char *root, uint64_t pid, const char *program);

#endif
