/* SPDX-License-Identifier: Apache-2.0 */
/*
 * backup.h: the verb `backup`: a source's bytes through the scanner, cut into segments, compressed and stored by
 * workers; then index and manifest.
 *
 *     source --read--> scanner --segments--> N workers: zstd, SHA-256, put --> index, manifest
 *
 * One thread reads and scans; a full pool of segment buffers makes it wait, so memory is what memory_plan.h said at the
 * start. Nothing is published unless the scanner found the dump whole and the source confirmed it. On the first error,
 * or a signal, the segments that were put are removed (best effort) and there is no manifest.
 *
 * The configuration, a small member that lies in memory, follows the dump when its buffers are free again.
 */
#ifndef SNAPSHOT_BACKUP_H
#define SNAPSHOT_BACKUP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "snapshot/guard.h"
#include "snapshot/memory_plan.h"
#include "snapshot/progress.h"
#include "snapshot/repo/manifest.h"
#include "snapshot/repo/repo.h"
#include "snapshot/source.h"

struct backup_options {
    const struct repo *repo;
    const char *instance;
    struct memory_plan plan; /* segment size, workers, level */
    const char *tool_version;
    const struct manifest_tag *tags;
    size_t tag_count;
    int64_t started_ms;  /* when the whole thing began, by the store's clock (repo_now_ms()); 0: now */
    bool allow_unparsed; /* take a dump with unknown types on its CRC alone */
    const void *config;  /* the member "config" (config_member.h), which must live as long */
    size_t config_len;   /* 0: none */
    struct guard_shrink shrink;
    struct progress_sink progress;
};

/* Back up all that SOURCE gives. *OUT is the published manifest (manifest_free()). ERR_REFUSED: the data set shrank,
 * and the guard says that such a backup is none. */
int backup_run(const struct backup_options *o, struct source *source, struct manifest **out,
               struct err *err) MUST_CHECK;

#endif
