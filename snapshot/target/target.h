/* SPDX-License-Identifier: Apache-2.0 */
/*
 * target.h: the folder that a server will start on: is there data in it, and how does restored data come into it.
 *
 * Order of use: target_open() and target_judge(), both before any network call and without changing a byte; then
 * target_lock(), which judges again under the lock; then target_stage(), target_seal(), target_enter() (restore.c).
 *
 * Everything of ours in the folder is named .remora-* and never counts as data: the lock .remora-lock, the staging
 * folder .remora-restore/, the record .remora-restored.json, and .remora-replaced/ with what a forced restore moved
 * away. In staging lie, in the order of their coming: `plan` (what is being restored), `entry` (the data, a file or a
 * folder), `journal` (which segments of it have been written), and last `ready`: from then on one rename is all that is
 * missing, and any later run does it without a repository.
 */
#ifndef SNAPSHOT_TARGET_TARGET_H
#define SNAPSHOT_TARGET_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "snapshot/repo/backup_id.h"
#include "snapshot/target/target_layout.h"

struct target;

/* The strings must outlive the target. */
struct target_options {
    const char *path;
    struct target_names names; /* of the server's configuration */
    enum target_layout layout; /* UNKNOWN where it has not been learnt: a `ready` of any layout is finished then */
    const char *const *ignore; /* globs of names that are no data */
    size_t ignore_count;
    bool owner_given; /* else the owner is the folder's */
    uid_t uid;
    gid_t gid;
};

enum target_state {
    TARGET_EMPTY,     /* nothing there but ignorable names */
    TARGET_DATA,      /* a server would load something: target_reason() names it */
    TARGET_UNSURE,    /* something that is neither: target_reason() names it */
    TARGET_STAGED,    /* no data, but a restore that was interrupted after it was ready: target_enter() finishes it */
    TARGET_REPLACING, /* a forced restore that was interrupted after it was ready; part of the old data may have been
                         moved already: target_enter() finishes it, and nothing else may be done before */
};

/* What a restore brings in. */
struct target_plan {
    struct backup_id id;
    enum target_layout layout;
    struct target_names names;
    uint64_t size; /* of the dump, bytes */
    bool replace;  /* what is in place is moved away first */
};

/* A staged dump, open. The descriptors are the caller's. */
struct target_staged {
    int fd;       /* the dump, for reading and writing; its room is reserved where the file system can */
    int journal;  /* for staged_journal.h, for reading and appending */
    bool resumed; /* an interrupted run was at this very plan: what the journal names may be used again */
};

/* Open the folder, which must exist. ERR_USAGE: it cannot be opened, or a name is not a bare one. */
int target_open(const struct target_options *options, struct target **out, struct err *err) MUST_CHECK;
/* Closes, and lets the lock go. NULL is fine. */
void target_free(struct target *t);

/* Look, touching nothing. ERR_REFUSED: staging, which cannot be read, may be that of a replacement half-way. */
int target_judge(struct target *t, enum target_state *state, struct err *err) MUST_CHECK;
/* The file or folder that decided the last judgement, in words. */
const char *target_reason(const struct target *t);
/* What a TARGET_STAGED or TARGET_REPLACING folder holds. */
const struct target_plan *target_ready_plan(const struct target *t);

/* Is that what the options say the server reads? True where they do not say. */
bool target_ready_fits(const struct target *t);

/* May we write there, and could the server use what we write? With REPLACE also: could what is in place be moved?
 * ERR_USAGE names the cure. Touches nothing. */
int target_check_access(const struct target *t, bool replace, struct err *err) MUST_CHECK;
/* Does a dump of SIZE bytes fit, with the files around it? What an earlier run staged counts as free. ERR_NO_SPACE with
 * the figures. Touches nothing. */
int target_check_room(const struct target *t, uint64_t size, struct err *err) MUST_CHECK;

/* Whose the restored files will be, as "999:999 mode 0660", for people. Returns OUT. */
#define TARGET_OWNER_TEXT 64
const char *target_owner_text(const struct target *t, char out[TARGET_OWNER_TEXT]);

/* Take the lock (ERR_LOCKED: another run has it) and judge again. */
int target_lock(struct target *t, enum target_state *state, struct err *err) MUST_CHECK;

/* For a folder with data in it: remove, under the lock, what an interrupted restore left beside the data. Best effort.
 */
void target_tidy(struct target *t);

/* Under the lock: open the staged dump of PLAN for writing: one that an interrupted run of the same plan left, else a
 * new one, any other being thrown away. Room is checked first (ERR_NO_SPACE). */
int target_stage(struct target *t, const struct target_plan *plan, struct target_staged *out,
                 struct err *err) MUST_CHECK;
/* The staged dump is whole and fsynced: complete the entry around it, write `ready`, fsync. */
int target_seal(struct target *t, struct err *err) MUST_CHECK;
/*
 * Bring the entry in: for a `ready` that says so, first move what is in place, name by name, to
 * .remora-replaced/<time>/; then the one rename, the record, the end of staging. Needs `ready`: from target_seal(), or
 * found as TARGET_STAGED or TARGET_REPLACING. ERR_EXISTS when data came meanwhile. With DISCARD, what was moved away is
 * deleted last; a failure of that is only logged.
 */
int target_enter(struct target *t, bool discard, struct err *err) MUST_CHECK;
/* Where target_enter() moved the old data, relative to the folder; "" when it did not, or it was discarded. */
const char *target_replaced(const struct target *t);
/* Throw away what was staged, unless it is ready (after a failure that another run could not go on from); says nothing.
 */
void target_abandon(struct target *t);

#endif
