/* SPDX-License-Identifier: Apache-2.0 */
/* config_member.h: the member "config" of a backup, read back: a pax tar, which came from outside. */
#ifndef SNAPSHOT_CONFIG_MEMBER_H
#define SNAPSHOT_CONFIG_MEMBER_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "snapshot/member_reader.h"
#include "snapshot/repo/manifest.h"
#include "snapshot/repo/repo.h"

/* All of it into TAR (set up here; the caller does buf_fini() in any case), every digest proven, and read to its end as
 * a tar of *FILES files that base/tar_read.h takes. ERR_NOT_FOUND: the backup has none. ERR_CORRUPT: damaged, larger
 * than any writer makes it, or no such tar. Tells no progress. */
int config_member_read(const struct repo *repo, const struct manifest *m, const struct read_options *options,
                       struct buf *tar, uint64_t *files, struct err *err) MUST_CHECK;

#endif
