/* SPDX-License-Identifier: Apache-2.0 */
/* catalog.h: which backups an instance has, and which of them is the latest. Reads small objects only: manifests and
 * facts. */
#ifndef SNAPSHOT_REPO_CATALOG_H
#define SNAPSHOT_REPO_CATALOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "snapshot/repo/manifest.h"
#include "snapshot/repo/repo.h"

struct catalog_entry {
    struct backup_id id;
    struct manifest *manifest; /* NULL: damaged or unsupported, see `problem` */
    struct err problem;
    int64_t verified_ms;     /* when a verify last found it good; 0: never */
    char verified_level[16]; /* "digests", "load"; "" with 0 */
    int64_t loaded_ms;       /* when a verify last had a server load it; 0: never */
    char loaded_by[64];      /* that server, "redis 7.0.15"; "" with 0 */
    bool accepted;           /* a `suspicious` mark was cleared */
    bool held;               /* kept from prune */
};

struct catalog {
    struct catalog_entry *entries; /* ascending by id */
    size_t count;
};

/* Every backup of INSTANCE with its facts. One listing of the manifests and one per kind of fact, then one get a
 * manifest and a verified fact. */
int catalog_load(const struct repo *repo, const char *instance, struct catalog **out, struct err *err) MUST_CHECK;
void catalog_free(struct catalog *c); /* NULL is fine */

/* Has INSTANCE nothing at all: no manifest, whole or damaged, no data, no log? Only then may a server start empty for
 * want of a backup. A listing that is not complete is an error. */
int catalog_is_bare(const struct repo *repo, const char *instance, bool *bare, struct err *err) MUST_CHECK;

/* Told about each backup that catalog_find("latest") passed over, newest first, with the reason in a few words. */
typedef void catalog_skipped_fn(const struct backup_id *id, const char *why, void *cookie);

/* The manifest of the backup named WHICH: an id, or "latest": the greatest id whose manifest is whole and not
 * `suspicious` (unless accepted). ERR_NOT_FOUND; ERR_CORRUPT and ERR_UNSUPPORTED for an id whose manifest is. SKIPPED
 * may be NULL. Caller frees *OUT with manifest_free(). */
int catalog_find(const struct repo *repo, const char *instance, const char *which, catalog_skipped_fn *skipped,
                 void *cookie, struct manifest **out, struct err *err) MUST_CHECK;

#endif
