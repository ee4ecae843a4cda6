/* SPDX-License-Identifier: Apache-2.0 */
/*
 * target.h: the folder that a server will start on: is there data in it, and how does a restored file come into it.
 *
 * Order of use: target_open() and target_judge(), both before any network call and without changing a byte; then
 * target_lock(), which judges again under the lock; then stage, seal, enter (restore.c). Everything of ours in the
 * folder is named .remora-*: the lock .remora-lock, the staging folder .remora-restore/, the record
 * .remora-restored.json; none of it ever counts as data.
 */
#ifndef SNAPSHOT_TARGET_H
#define SNAPSHOT_TARGET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "snapshot/repo/backup_id.h"

struct target;

enum target_state {
    TARGET_EMPTY,  /* nothing there but ignorable names */
    TARGET_DATA,   /* a server would load something: target_reason() names it */
    TARGET_UNSURE, /* something that is neither: target_reason() names it; never restored onto */
    TARGET_STAGED, /* no data, but a restore that was interrupted after it was ready: target_enter() finishes it */
};

/* Open the folder PATH, which must exist; DBFILENAME is the name the dump will get in it (a bare name). */
int target_open(const char *path, const char *dbfilename, struct target **out, struct err *err) MUST_CHECK;
/* Closes, and lets the lock go. NULL is fine. */
void target_free(struct target *t);

/* Look, touching nothing. */
int target_judge(struct target *t, enum target_state *state, struct err *err) MUST_CHECK;
/* The file or folder that decided the last judgement, in words. */
const char *target_reason(const struct target *t);
/* The backup that a TARGET_STAGED folder holds. */
const struct backup_id *target_staged_id(const struct target *t);

/* May we write there, and could the server use what we write? ERR_USAGE names the cure. Touches nothing. */
int target_check_access(const struct target *t, struct err *err) MUST_CHECK;
/* Does a dump of SIZE bytes fit, with the files around it? ERR_NO_SPACE with the figures. Touches nothing. */
int target_check_room(const struct target *t, uint64_t size, struct err *err) MUST_CHECK;

/* Take the lock (ERR_LOCKED: another run has it) and judge again. */
int target_lock(struct target *t, enum target_state *state, struct err *err) MUST_CHECK;

/* For a folder with data in it: remove, under the lock, what an interrupted restore left beside the data. Best effort.
 */
void target_tidy(struct target *t);

/* Under the lock: throw away an old staging folder, check that SIZE bytes fit (ERR_NO_SPACE) and open the staged file
 * for writing. The descriptor is the caller's. */
int target_stage(struct target *t, uint64_t size, int *fd, struct err *err) MUST_CHECK;
/* The staged file is whole and fsynced: write `ready`, which names the backup, and fsync. */
int target_seal(struct target *t, const struct backup_id *id, struct err *err) MUST_CHECK;
/* The one rename, the record, the end of staging. Needs `ready`: from target_seal() or found as TARGET_STAGED.
 * ERR_EXISTS when data came meanwhile. */
int target_enter(struct target *t, struct err *err) MUST_CHECK;
/* Throw away what was staged (after a failure); says nothing. */
void target_abandon(struct target *t);

#endif
