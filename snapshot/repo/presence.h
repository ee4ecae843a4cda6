/* SPDX-License-Identifier: Apache-2.0 */
/* presence.h: are the segments of a backup's member in the store, each in the size that its index says? What
 * publication and the quick verify share. Reads no segment. */
#ifndef SNAPSHOT_REPO_PRESENCE_H
#define SNAPSHOT_REPO_PRESENCE_H

#include <stdint.h>

#include "base/err.h"
#include "snapshot/repo/index.h"
#include "snapshot/repo/manifest.h"
#include "snapshot/repo/repo.h"

/* One listing of the folder of MEMBER, which is one of M's and has INDEX; what it lacks is asked for by itself before
 * it counts as missing, since some stores' listings lag. ERR_CORRUPT names a segment that is missing or has another
 * size. *NEWEST_MS (may be NULL) is when the newest one was put, by the store's clock. */
int presence_check(const struct repo *repo, const struct manifest *m, const struct manifest_member *member,
                   const struct index *index, int64_t *newest_ms, struct err *err) MUST_CHECK;

#endif
