/* SPDX-License-Identifier: Apache-2.0 */
/*
 * export.h: the verb `export`: one backup as a tar that is a whole repository: the markers, the manifest, and for each
 * member its index and its segments, in this order (docs/FORMAT.md, "The tar of one backup"), byte for byte as they are
 * stored. The same backup gives the same tar whenever it is exported.
 */
#ifndef SNAPSHOT_EXPORT_H
#define SNAPSHOT_EXPORT_H

#include <stdint.h>

#include "base/err.h"
#include "snapshot/member_reader.h"
#include "snapshot/repo/backup_id.h"
#include "snapshot/repo/repo.h"

/* Write the backup ID of INSTANCE to the descriptor FD; a pipe will do. Every digest is checked before the bytes go
 * out: ERR_CORRUPT, and ERR_NOT_FOUND where there is no such backup. After any failure what FD got is no whole tar.
 * *BYTES is how many it got. */
int export_backup(const struct repo *repo, const char *instance, const struct backup_id *id, int fd,
                  const struct read_options *options, uint64_t *bytes, struct err *err) MUST_CHECK;

#endif
