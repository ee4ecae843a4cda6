/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hold.h: what people say about a backup: that it is to stay (hold, release), and that it is meant to be as small as it
 * is (accept). Each is a fact beside the manifest; saying it again changes nothing, and the first reason stays.
 *
 * A hold and a removal may begin at the same moment. A removal puts its note first and then looks for holds; a hold is
 * put first and then looks for the manifest and the note. So at least one of the two sees the other: a hold that found
 * neither a missing manifest nor a note is seen by every removal.
 */
#ifndef SNAPSHOT_REPO_HOLD_H
#define SNAPSHOT_REPO_HOLD_H

#include <stdbool.h>

#include "base/err.h"
#include "snapshot/repo/backup_id.h"
#include "snapshot/repo/repo.h"

/* Hold the backup ID. *CHANGED: it was not held before. REASON may be NULL. ERR_NOT_FOUND: there is no such backup, and
 * no hold is left that this call put. ERR_LOCKED: a removal has begun; the hold stays, and keeps the backup if that
 * removal gives up before the manifest is gone. */
int hold_put(const struct repo *repo, const char *instance, const struct backup_id *id, const char *reason,
             const char *tool_version, bool *changed, struct err *err) MUST_CHECK;

/* End the hold. 0 too when there is none (*CHANGED is false then), whether the backup exists or not. */
int hold_release(const struct repo *repo, const char *instance, const struct backup_id *id, bool *changed,
                 struct err *err) MUST_CHECK;

enum hold_acceptance {
    HOLD_ACCEPTED,         /* now */
    HOLD_WAS_ACCEPTED,     /* before */
    HOLD_NOTHING_TO_ACCEPT /* the backup is not suspicious: nothing was put */
};

/* Clear the `suspicious` mark of ID. ERR_NOT_FOUND; ERR_CORRUPT and ERR_UNSUPPORTED where its manifest is. */
int hold_accept(const struct repo *repo, const char *instance, const struct backup_id *id, const char *reason,
                const char *tool_version, enum hold_acceptance *outcome, struct err *err) MUST_CHECK;

#endif
