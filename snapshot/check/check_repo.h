/* SPDX-License-Identifier: Apache-2.0 */
/* check_repo.h: the rows about a repository. The one thing that is written is a probe object under the instance, which
 * is removed again. */
#ifndef SNAPSHOT_CHECK_CHECK_REPO_H
#define SNAPSHOT_CHECK_CHECK_REPO_H

#include <stdint.h>

#include "snapshot/check/check.h"
#include "storage/store.h"

/* Look at the repository in STORE, a handle that may write. INSTANCE NULL: its rows are left out, with a warning.
 * *LATEST_BYTES becomes the size of the latest backup's dump; 0: not known. */
void check_repository(struct check *c, struct store *store, const char *instance, uint64_t *latest_bytes);

/* The row about the store's clock less ours. */
void check_judge_skew(struct check *c, int64_t skew_ms);

#endif
