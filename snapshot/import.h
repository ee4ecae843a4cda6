/* SPDX-License-Identifier: Apache-2.0 */
/*
 * import.h: the verb `import`: a backup out of a tar as `export` writes it, read once from its beginning to its end:
 *
 *     remora.json, instances/NAME/instance.json, instances/NAME/backups/ID.json,
 *     and for each member of the backup its index, then its segments in order
 *
 * The tar came from anywhere: another entry, another order, a size or digest that is not the manifest's or the
 * index's, something missing or something behind the last segment is ERR_CORRUPT, and nothing is published. Workers
 * prove and put; what an interrupted import left is gone on with (arrival.h).
 */
#ifndef SNAPSHOT_IMPORT_H
#define SNAPSHOT_IMPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/tar_read.h"
#include "snapshot/progress.h"
#include "snapshot/repo/arrival.h"
#include "snapshot/repo/backup_id.h"
#include "snapshot/repo/repo.h"

struct import_options {
    const struct repo *to;
    const char *instance; /* the backup's there, whatever it is in the tar */
    unsigned jobs;        /* workers, 1 to 64; fewer where memory says so */
    uint64_t memory;      /* of the process, bytes: see memory_plan_carry() */
    struct progress_sink progress;
};

struct import_result {
    struct backup_id id;
    bool there; /* it was there already: the tar was proven all the same, and nothing was put */
    uint64_t segments;
    struct arrival_counts counts;
};

/* Import the backup in TAR, which is at its beginning. Errors of arrival.h and tar_read.h besides. */
int import_backup(const struct import_options *o, struct tar_reader *tar, struct import_result *result,
                  struct err *err) MUST_CHECK;

#endif
