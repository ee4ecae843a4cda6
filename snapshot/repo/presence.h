/* SPDX-License-Identifier: Apache-2.0 */
/* presence.h: are a backup's segments in the store, each in the size that its index says? What publication and the
 * quick verify share. Reads no segment. */
#ifndef SNAPSHOT_REPO_PRESENCE_H
#define SNAPSHOT_REPO_PRESENCE_H

#include <stdint.h>

#include "base/err.h"
#include "snapshot/repo/index.h"
#include "snapshot/repo/manifest.h"
#include "snapshot/repo/repo.h"

/* One listing of the dump's folder; what it lacks is asked for by itself before it counts as missing, since some
 * stores' listings lag. ERR_CORRUPT names a segment that is missing or has another size. *NEWEST_MS (may be NULL) is
 * when the newest one was put, by the store's clock. */
int presence_check(const struct repo *repo, const struct index *index, const struct manifest *m, int64_t *newest_ms,
                   struct err *err) MUST_CHECK;

#endif
