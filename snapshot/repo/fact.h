/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fact.h: facts about backups: small objects of their own beside the manifests, which never change. That an object is
 * there is the fact; what stands in it is for people (but for verified/, which verify.h writes and catalog.h reads).
 * None is ever locked, and none is any backup's only proof.
 */
#ifndef SNAPSHOT_REPO_FACT_H
#define SNAPSHOT_REPO_FACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "snapshot/repo/layout.h"
#include "snapshot/repo/repo.h"

#define FACT_REASON_MAX 500 /* bytes */

struct fact {
    struct backup_id id;
    int64_t put_ms; /* by the store's clock */
    uint64_t size;  /* bytes of the object */
};

struct fact_list {
    struct fact *facts; /* ascending by id; whether the backups exist is not asked */
    size_t count;
};

/* All facts of one kind, by one listing. fact_list_free() after success. */
int fact_list(const struct repo *repo, const char *instance, enum layout_fact kind, struct fact_list *out,
              struct err *err) MUST_CHECK;
void fact_list_free(struct fact_list *list);
/* That of ID; NULL where LIST has none. */
const struct fact *fact_list_get(const struct fact_list *list, const struct backup_id *id);

/* The same for whatever folder has objects called ID.json: the manifests lie in such a one too. */
int fact_list_folder(const struct repo *repo, const struct layout_key *folder, struct fact_list *out,
                     struct err *err) MUST_CHECK;

/* Is there one for ID? Asks for the object itself, since listings lag on some stores. *PUT_MS (may be NULL) is when it
 * was put. */
int fact_find(const struct repo *repo, const char *instance, enum layout_fact kind, const struct backup_id *id,
              bool *there, int64_t *put_ms, struct err *err) MUST_CHECK;

/* What stands in one, for people. */
struct fact_words {
    int64_t time_ms;                  /* when, as whoever put it says; 0: unknown */
    char reason[FACT_REASON_MAX + 1]; /* one line; "": none was given */
};

/* Read it. One that cannot be understood is there all the same, with nothing in it. */
int fact_read(const struct repo *repo, const char *instance, enum layout_fact kind, const struct backup_id *id,
              bool *there, struct fact_words *out, struct err *err) MUST_CHECK;

/* Put one, over one that is there: {"id","time","reason","tool"}. REASON may be NULL; ERR_USAGE when it is no UTF-8,
 * has control characters or is longer than FACT_REASON_MAX. */
int fact_put(const struct repo *repo, const char *instance, enum layout_fact kind, const struct backup_id *id,
             const char *reason, const char *tool_version, struct err *err) MUST_CHECK;

/* Remove it; 0 too when there is none. */
int fact_remove(const struct repo *repo, const char *instance, enum layout_fact kind, const struct backup_id *id,
                struct err *err) MUST_CHECK;

#endif
