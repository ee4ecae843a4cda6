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

enum catalog_state {
    CATALOG_WHOLE,       /* its manifest is whole */
    CATALOG_DAMAGED,     /* its manifest is there and cannot be used */
    CATALOG_UNSUPPORTED, /* its manifest needs a newer remora */
};

/* One backup, in brief: what a list or a plan needs, so that thousands of them fit into little memory. */
struct catalog_entry {
    struct backup_id id;
    int64_t taken_ms; /* the time in its id */
    enum catalog_state state;
    char *problem; /* why it is not CATALOG_WHOLE; else NULL */

    /* From the manifest, where it is whole. */
    int64_t snapshot_ms;
    char method[16];
    uint64_t keys, raw_size, stored_size; /* bytes of all members */
    bool suspicious;

    /* Facts. */
    int64_t verified_ms;     /* when a verify last found it good; 0: never */
    char verified_level[16]; /* "digests", "load"; "" with 0 */
    int64_t loaded_ms;       /* when a verify last had a server load it; 0: never */
    char loaded_by[64];      /* that server, "redis 7.0.15"; "" with 0 */
    bool accepted;           /* a `suspicious` mark was cleared */
    bool held;               /* kept from prune and delete */
    int64_t noted_ms; /* by the store's clock, when the note that it is to be removed was put; 0: none. Means nothing to
                         who reads backups */

    /* The objects behind it, as they were listed: what catalog_reload() knows them by. */
    struct catalog_object {
        int64_t put_ms; /* 0: there is none */
        uint64_t size;
    } manifest, verified;
};

struct catalog {
    struct catalog_entry *entries; /* ascending by id */
    size_t count;
};

/* What a catalogue shall hold beside manifests and marks. */
enum catalog_depth {
    CATALOG_MARKS, /* verified_ms is the time its fact was put, by the store's clock; level and server are not read */
    CATALOG_VERIFIED, /* all of the verified facts: one get more for each */
};

/* Every backup of INSTANCE with its facts. One listing of the manifests and one a kind of fact (each a request a
 * thousand objects), then one get a manifest, several at a time; memory is a few hundred bytes a backup. A listing that
 * is not complete, or a manifest that could not be asked for, is an error: what is missing here is not there. Tells
 * repo->progress: manifests of all. */
int catalog_load(const struct repo *repo, const char *instance, enum catalog_depth depth, struct catalog **out,
                 struct err *err) MUST_CHECK;

/* The same with CATALOG_VERIFIED for one who reads it again and again: KNOWN is what it read before (NULL: nothing),
 * and no object is read that was there then and is listed with the same time and size now. So it costs the listings,
 * and a get for each backup or verification that is new. KNOWN is only read. */
int catalog_reload(const struct repo *repo, const char *instance, const struct catalog *known, struct catalog **out,
                   struct err *err) MUST_CHECK;
void catalog_free(struct catalog *c); /* NULL is fine */

/* The same for the backup ID alone, with all of the verified fact: a handful of requests, whatever else there is.
 * ERR_NOT_FOUND: it has no manifest. catalog_entry_fini() after success. */
int catalog_entry_load(const struct repo *repo, const char *instance, const struct backup_id *id,
                       struct catalog_entry *out, struct err *err) MUST_CHECK;
void catalog_entry_fini(struct catalog_entry *entry);

/* Is the manifest of ID there, whole or not? Asks for the object itself: what removes, holds and deletes goes by this.
 */
int catalog_has(const struct repo *repo, const char *instance, const struct backup_id *id, bool *there,
                struct err *err) MUST_CHECK;

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
