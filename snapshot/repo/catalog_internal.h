/* SPDX-License-Identifier: Apache-2.0 */
/* catalog_internal.h: what the files of catalog.h share. */
#ifndef SNAPSHOT_REPO_CATALOG_INTERNAL_H
#define SNAPSHOT_REPO_CATALOG_INTERNAL_H

#include "base/err.h"
#include "snapshot/repo/manifest.h"
#include "snapshot/repo/repo.h"

/* For err_set(): the instance, the url, the id. */
#define CATALOG_NO_SUCH_BACKUP "instance \"%s\" in %s has no backup %s (`remora list` shows what it has)"

/* Get and parse the manifest of ID. ERR_NOT_FOUND when there is none; ERR_CORRUPT and ERR_UNSUPPORTED. Caller frees
 * *OUT with manifest_free(). */
int catalog_manifest(const struct repo *repo, const char *instance, const struct backup_id *id, struct manifest **out,
                     struct err *err) MUST_CHECK;

#endif
