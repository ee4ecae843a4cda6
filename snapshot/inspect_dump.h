/* SPDX-License-Identifier: Apache-2.0 */
/* inspect_dump.h: the verb `inspect`: a dump that lies in a file or comes through a pipe, read and judged, each of its
 * keys told to an observer. (A backup: member_reader.h, whose struct member_read takes an observer too.) */
#ifndef SNAPSHOT_INSPECT_DUMP_H
#define SNAPSHOT_INSPECT_DUMP_H

#include "base/err.h"
#include "snapshot/progress.h"
#include "snapshot/rdb/rdb_info.h"
#include "snapshot/rdb/rdb_key.h"

/* Read the dump at PATH ("-": stdin) to its end; only 0 means that what the observer was told is true. INFO, which is
 * empty, gets what was found; caller does rdb_info_fini() in any case. ERR_CORRUPT, ERR_UNSUPPORTED (not all of it is
 * understood), ERR_USAGE (no such file), ERR_REFUSED (it changed meanwhile), ERR_INTERRUPTED. */
int inspect_dump(const char *path, const struct rdb_observer *observer, const struct progress_sink *progress,
                 struct rdb_info *info, struct err *err) MUST_CHECK;

#endif
