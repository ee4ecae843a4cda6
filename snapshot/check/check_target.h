/* SPDX-License-Identifier: Apache-2.0 */
/* check_target.h: the rows about a folder that is to be restored into. Nothing in it is touched, not even the lock. */
#ifndef SNAPSHOT_CHECK_CHECK_TARGET_H
#define SNAPSHOT_CHECK_CHECK_TARGET_H

#include <stdint.h>

#include "snapshot/check/check.h"

/* Could the folder PATH take a dump of BYTES bytes (0: its size is not known) under the name DBFILENAME? */
void check_target(struct check *c, const char *path, const char *dbfilename, uint64_t bytes);

#endif
