/* SPDX-License-Identifier: Apache-2.0 */
/*
 * publish.h: the moment in which a backup comes into being: segments are there -> index -> manifest.
 *
 * The times keep publication and the removal of orphans apart without a lock: whatever removes data without a manifest
 * waits at least 24 h since the newest object (by the store's clock), and a publisher whose newest segment is 12 h old,
 * or whose own steps took an hour, gives up.
 */
#ifndef SNAPSHOT_REPO_PUBLISH_H
#define SNAPSHOT_REPO_PUBLISH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "snapshot/repo/index.h"
#include "snapshot/repo/manifest.h"
#include "snapshot/repo/repo.h"

struct publish_limits {
    int64_t segment_age_ms; /* the newest segment must be younger, by the store's clock */
    int64_t listing_age_ms; /* index and manifest must be put within this of the listing, by CLOCK_BOOTTIME */
};

/* 12 h and 1 h, as the format demands; other values are for tests. */
extern const struct publish_limits publish_limits;

struct publish_member {
    struct manifest_member *member; /* one of the manifest's */
    const struct index *index;
    const char *index_bytes; /* as they are to be stored; NULL: INDEX is written, and the member completed by it */
    size_t index_len;
};

struct publication {
    struct manifest *m;
    struct publish_member members[MANIFEST_MEMBERS_MAX]; /* all that M has */
    size_t member_count;
    /* A backup that comes from another repository or a file keeps its manifest byte for byte. NULL: M is completed and
     * written. With bytes a note that this id is being removed is looked for at the last moment: ERR_LOCKED. */
    const char *manifest;
    size_t manifest_len;
};

/* A backup that had the id of M may be on its way out: its data would be removed under the new manifest. ERR_LOCKED
 * when a removal's note is there. */
int publish_check_no_removal(const struct repo *repo, const struct manifest *m, struct err *err) MUST_CHECK;

/* Check that the store has every segment of every member, put the indexes, then the manifest. On failure
 * *MAYBE_PUBLISHED says that the manifest's put was tried and its outcome is not known: then nothing of the backup may
 * be removed. ERR_STORAGE when a segment is missing or a limit has passed. */
int publish_backup(const struct repo *repo, const struct publication *what, const struct publish_limits *limits,
                   bool *maybe_published, struct err *err) MUST_CHECK;

#endif
