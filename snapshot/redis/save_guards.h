/* SPDX-License-Identifier: Apache-2.0 */
/*
 * save_guards.h: the guards that are asked before a server is made to save. What they find is logged at once (the save
 * may be the end of the server and of us), and noted for the manifest.
 */
#ifndef SNAPSHOT_REDIS_SAVE_GUARDS_H
#define SNAPSHOT_REDIS_SAVE_GUARDS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "snapshot/guard.h"
#include "snapshot/redis/dump_file.h"

/* Has SERVER (its name for messages), which tells this of its memory, enough for the copies of a save? FULL_SYNC: one
 * whose dump goes over the wire. 0, or by the policy -1 with ERR_NO_SPACE. */
int save_guard_memory(const struct guard_memory_options *o, const struct server_memory *told, bool full_sync,
                      const char *server, struct guard_findings *findings, struct err *err) MUST_CHECK;

/* Has the volume room for a save beside the dump at PATH? LAST and USED_MEMORY as dump_check_space() wants them, whose
 * errors these are. */
int save_guard_space(enum guard_policy policy, const char *path, const struct dump_stamp *last, uint64_t used_memory,
                     struct guard_findings *findings, struct err *err) MUST_CHECK;

#endif
