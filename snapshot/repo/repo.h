/* SPDX-License-Identifier: Apache-2.0 */
/*
 * repo.h: a repository: its marker, its instances. A repository is opened by reading its marker, so that a mistyped
 * bucket or prefix is "no repository here" and never "no backup yet".
 */
#ifndef SNAPSHOT_REPO_REPO_H
#define SNAPSHOT_REPO_REPO_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/digest.h"
#include "base/err.h"
#include "snapshot/progress.h"
#include "storage/store.h"

#define REPO_FORMAT_VERSION 1
/* Ceiling for a marker, a manifest or a fact, in bytes: a manifest with every database that the scanner counts (65,536)
 * fits. */
#define REPO_SMALL_OBJECT (8u << 20)

struct repo {
    struct store *store;       /* borrowed */
    char id[DIGEST_UUID_TEXT]; /* from the marker */
    int64_t skew_ms;           /* the store's clock less ours, when it was opened */
    /* Told by what takes many requests (catalog_load(), what prune does) in its thread; nobody after repo_open(). A
     * copy of this struct with another sink will do for a while. */
    struct progress_sink progress;
};

/* What repo_init() did. */
struct repo_made {
    bool repository; /* false: it was there already */
    bool instance;
};

/* Make the repository's marker and, where INSTANCE is not NULL, the instance's. What is there already is checked and
 * left. */
int repo_init(struct store *store, const char *instance, struct repo_made *made, struct err *err) MUST_CHECK;

/* Read the marker and the store's clock. ERR_NOT_FOUND: no repository here; ERR_UNSUPPORTED: it `requires` something
 * unknown or is of a newer version; ERR_CORRUPT: not a marker. REPO borrows STORE and needs no clean-up. */
int repo_open(struct store *store, struct repo *repo, struct err *err) MUST_CHECK;

/* Is there an object at KEY? By stat, since listings lag on some stores. *PUT_MS (may be NULL) is when it was put, by
 * the store's clock. */
int repo_find(const struct repo *repo, const char *key, bool *there, int64_t *put_ms, struct err *err) MUST_CHECK;

/* Is REPO still where it was? For who was told that something in it is not there: ERR_STORAGE when nothing is, as when
 * a volume was taken away. */
int repo_check_there(const struct repo *repo, struct err *err) MUST_CHECK;

/* Are these the bytes of a marker: of INSTANCE, or with NULL of a repository? ID (may be NULL) gets its UUID.
 * ERR_CORRUPT, ERR_UNSUPPORTED. */
int repo_marker_check(const char *data, size_t len, const char *instance, char id[DIGEST_UUID_TEXT],
                      struct err *err) MUST_CHECK;

/* Read the instance's marker. ERR_NOT_FOUND names the instances that exist; ERR_CORRUPT where it is not a marker, or
 * another instance's. */
int repo_check_instance(const struct repo *repo, const char *instance, struct err *err) MUST_CHECK;

/* The names of all instances, ascending: *NAMES is an array of *COUNT strings; free each and the array. At most 10,000.
 */
int repo_instances(const struct repo *repo, char ***names, size_t *count, struct err *err) MUST_CHECK;
void repo_instances_free(char **names, size_t count);

/* The time now by the store's clock as it was when the repository was opened: what goes into ids and manifests. */
int64_t repo_now_ms(const struct repo *repo);

/* Refuse (ERR_UNSUPPORTED) an object whose `requires` holds a name that this build does not know. */
int repo_check_requires(const json_t *object, struct err *err) MUST_CHECK;

#endif
