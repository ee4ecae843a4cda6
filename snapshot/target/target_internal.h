/* SPDX-License-Identifier: Apache-2.0 */
/* target_internal.h: what target.c (staging), target_judge.c (emptiness) and target_owner.c share. For these only. */
#ifndef SNAPSHOT_TARGET_INTERNAL_H
#define SNAPSHOT_TARGET_INTERNAL_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#include "snapshot/target/target.h"

#define TARGET_OURS    ".remora-" /* what begins like this is never data */
#define TARGET_LOCK    TARGET_OURS "lock"
#define TARGET_STAGING TARGET_OURS "restore"
#define TARGET_READY   "ready" /* in the staging folder */
#define TARGET_ENTRY   "entry" /* there too: what will get the dump's name; its own one cannot collide with `ready` */
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

/* Owner, group ((uid_t)-1: leave it) and modes of what we make. */
struct target_owner {
    uid_t uid;
    gid_t gid;
    mode_t file, folder;
};

/* By the folder's own. ERR_USAGE, naming the cure, where we may not write or the server could not use what we write. */
int target_owner_decide(const struct target *t, struct target_owner *o, struct err *err) MUST_CHECK;
/* Give them to the open file or folder FD. */
int target_owner_apply(const struct target_owner *o, int fd, mode_t mode, struct err *err) MUST_CHECK;

#endif
