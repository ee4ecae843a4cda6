/* SPDX-License-Identifier: Apache-2.0 */
/* check_target.h: the rows about a folder that is to be restored into. Nothing in it is touched, not even the lock. */
#ifndef SNAPSHOT_CHECK_CHECK_TARGET_H
#define SNAPSHOT_CHECK_CHECK_TARGET_H

#include <stdint.h>

#include "snapshot/check/check.h"
#include "snapshot/target/target.h"

/* Could the folder of OPTIONS take a dump of BYTES bytes (0: its size is not known)? */
void check_target(struct check *c, const struct target_options *options, uint64_t bytes);

#endif
