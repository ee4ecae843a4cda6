/* SPDX-License-Identifier: Apache-2.0 */
/* backup_method.h: which way a backup takes, by what was given. What backup and agent share. Pure. */
#ifndef AGENT_BACKUP_METHOD_H
#define AGENT_BACKUP_METHOD_H

#include "agent/config.h"
#include "base/err.h"

/* --method, with auto made into what --data-dir, --rdb-file and --redis-url mean. ERR_USAGE where they do not say where
 * the dump is. */
int backup_method_choose(const struct config *config, enum config_method *method, struct err *err) MUST_CHECK;

#endif
