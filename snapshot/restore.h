/* SPDX-License-Identifier: Apache-2.0 */
/* restore.h: the verb `restore`: a backup's dump, checked while it is written, into an empty target or down a pipe. */
#ifndef SNAPSHOT_RESTORE_H
#define SNAPSHOT_RESTORE_H

#include <stddef.h>

#include "base/err.h"
#include "snapshot/member_reader.h"
#include "snapshot/repo/manifest.h"
#include "snapshot/repo/repo.h"
#include "snapshot/target/target.h"

/* Stage the backup M in TARGET, which is locked, by PLAN, and prove it: every digest, the dump's structure and its CRC.
 * target_seal() and target_enter() are the caller's. After a failure nothing is there that a server would load. What
 * was staged stays where another run may go on from it: after ERR_STORAGE, ERR_STORE_DENIED and ERR_INTERRUPTED. */
int restore_stage(const struct repo *repo, const struct manifest *m, struct target *target,
                  const struct target_plan *plan, const struct read_options *options, struct err *err) MUST_CHECK;

/* Write the dump to the descriptor FD as it is checked. On failure part of it has been written: the exit status is what
 * counts. */
int restore_stream(const struct repo *repo, const struct manifest *m, int fd, const struct read_options *options,
                   struct err *err) MUST_CHECK;

#endif
