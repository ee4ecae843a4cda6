/* SPDX-License-Identifier: Apache-2.0 */
/* target_internal.h: what target.c (staging) and target_judge.c (emptiness) share. For these two only. */
#ifndef SNAPSHOT_TARGET_INTERNAL_H
#define SNAPSHOT_TARGET_INTERNAL_H

#include <limits.h>
#include <stdbool.h>

#include "snapshot/target.h"

#define TARGET_OURS    ".remora-" /* what begins like this is never data */
#define TARGET_LOCK    TARGET_OURS "lock"
#define TARGET_STAGING TARGET_OURS "restore"
#define TARGET_READY   "ready" /* in the staging folder */
#define TARGET_RECORD  TARGET_OURS "restored.json"

struct target {
    char *path;
    int dirfd;
    int lockfd; /* -1: not locked */
    char dbfilename[NAME_MAX + 1];
    char reason[512];
    struct backup_id staged; /* of a `ready` that was found or written; "" otherwise */
};

/* What lies in the folder, leaving staging aside: TARGET_EMPTY, TARGET_DATA or TARGET_UNSURE, the reason in t->reason.
 */
int target_look(struct target *t, enum target_state *state, struct err *err) MUST_CHECK;

#endif
