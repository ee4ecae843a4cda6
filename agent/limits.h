/* SPDX-License-Identifier: Apache-2.0 */
/* limits.h: how many threads and how much memory the work of this run may take. */
#ifndef AGENT_LIMITS_H
#define AGENT_LIMITS_H

#include "agent/config.h"
#include "agent/progress_bar.h"
#include "snapshot/member_reader.h"

/* --jobs, else the CPUs that this process may use, at most 2. */
unsigned limits_jobs(const struct config *c);

/* What the reading of a backup may use; BAR, which must outlive it, is told. */
struct read_options limits_reading(const struct config *c, struct progress_bar *bar);

#endif
