/* SPDX-License-Identifier: Apache-2.0 */
/* target_internal.h: what the files of this folder share; for these only. target.c has the handle and the lock,
 * target_judge.c emptiness, target_owner.c owners and modes, target_notes.c the two notes in staging, target_stage.c
 * staging, target_enter.c the way in. */
#ifndef SNAPSHOT_TARGET_TARGET_INTERNAL_H
#define SNAPSHOT_TARGET_TARGET_INTERNAL_H

#include <jansson.h>
#include <limits.h>

#include "snapshot/target/target.h"

#define TARGET_OURS     ".remora-" /* what begins like this is never data */
#define TARGET_LOCK     TARGET_OURS "lock"
#define TARGET_STAGING  TARGET_OURS "restore"
#define TARGET_REPLACED TARGET_OURS "replaced"
#define TARGET_RECORD   TARGET_OURS "restored.json"
/* In staging; their own names, so that no name of the server's can collide with them. */
#define TARGET_PLAN    "plan"
#define TARGET_ENTRY   "entry"
#define TARGET_JOURNAL "journal"
#define TARGET_READY   "ready"

#define TARGET_STAMP_LEN 17 /* 20261122T103000Z, and NUL */

struct target {
    struct target_options options;
    char *path;
    int dirfd;
    int lockfd; /* -1: not locked */
    char reason[512];
    struct target_plan plan;      /* of a `ready` that was found or written, or of what is being staged */
    bool ready;                   /* there is such a `ready` */
    bool fits;                    /* and it is in the layout and under the names of the options */
    char stamp[TARGET_STAMP_LEN]; /* with plan.replace: the folder in TARGET_REPLACED */
    char replaced[sizeof(TARGET_REPLACED) + TARGET_STAMP_LEN + 8];
};

/* ---- target_judge.c ---- */

/* The entries of a folder. */
struct target_list {
    char **names;
    size_t count;
};

/* All entries of the folder NAME in DIRFD; -1 with errno set, and nothing to free. */
int target_list_read(int dirfd, const char *name, struct target_list *list) MUST_CHECK;
void target_list_free(struct target_list *list);

/* What lies in the folder, leaving staging aside: TARGET_EMPTY, TARGET_DATA or TARGET_UNSURE, the reason in t->reason.
 */
int target_look(struct target *t, enum target_state *state, struct err *err) MUST_CHECK;

/* Is NAME neither ours nor ignorable, so that a forced restore has to move it away? */
bool target_is_in_the_way(const struct target *t, const char *name);

/* ---- target_owner.c ---- */

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
/* A new folder NAME in DIRFD with them; its descriptor, or -1. */
int target_make_folder(const struct target *t, int dirfd, const char *name, struct err *err) MUST_CHECK;
/* A new file NAME in DIRFD with them, open with FLAGS (O_RDWR and its like); its descriptor, or -1. */
int target_make_file(const struct target *t, int dirfd, const char *name, int flags, struct err *err) MUST_CHECK;

/* ---- target_notes.c ---- */

/* Write NAME in DIRFD, O (which this frees) as one line: whole or not at all, and the server's like all else. */
int target_write_note(const struct target *t, int dirfd, const char *name, json_t *o, struct err *err) MUST_CHECK;

/* The notes about PLAN in the staging folder. */
int target_write_plan(const struct target *t, int staging, const struct target_plan *plan, struct err *err) MUST_CHECK;
int target_write_ready(const struct target *t, int staging, struct err *err) MUST_CHECK;
/* Does the staging folder's `plan` say the same as PLAN? */
bool target_plan_matches(int staging, const struct target_plan *plan);
/* Read the `ready` of the folder, if there is one that can be finished, into t->plan, t->ready, t->stamp. ERR_REFUSED:
 * there may be one that has moved part of the old data, but it cannot be read. */
int target_find_ready(struct target *t, struct err *err) MUST_CHECK;

/* ---- target_stage.c ---- */

/* The staging folder; its descriptor, or -1 with errno set. */
int target_staging_open(const struct target *t);
/* Where the dump lies in the staging folder. Returns OUT. */
#define TARGET_DUMP_PATH (sizeof(TARGET_ENTRY) + NAME_MAX + 32)
const char *target_dump_path(const struct target_plan *plan, char out[TARGET_DUMP_PATH]);
/* The size of the regular file at PATH; false when it is none. */
bool target_file_size(int dirfd, const char *path, uint64_t *size);

#endif
