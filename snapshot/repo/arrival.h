/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arrival.h: a backup that comes into a repository from elsewhere, byte for byte: what of it is there already, and its
 * publication. What copy and import share.
 *
 * An arrival that was interrupted is gone on with: segments that are there in their size are not put again. Data
 * without a manifest may be removed by anyone once their newest object is a day old, so old remains are not built upon:
 * up to ARRIVAL_FRESH_MS one segment (of several workers one each) is put again first, which makes all of them young;
 * beyond that it is ERR_LOCKED until prune has removed them. An arrival that fails leaves what it put, for the next one
 * to go on with.
 */
#ifndef SNAPSHOT_REPO_ARRIVAL_H
#define SNAPSHOT_REPO_ARRIVAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "snapshot/repo/index.h"
#include "snapshot/repo/manifest.h"
#include "snapshot/repo/repo.h"

#define ARRIVAL_FRESH_MS ((int64_t)23 * 3600 * 1000)

struct arrival;

/* Begin: DATA is the manifest's bytes, of which M was parsed; all three outlive the arrival. *THERE: that very backup
 * is there already, and *OUT is NULL. ERR_REFUSED: another backup is there under its id. ERR_LOCKED: a backup of this
 * id is being removed, or old remains of one are in the way. */
int arrival_begin(const struct repo *repo, const char *instance, const struct manifest *m, const char *data, size_t len,
                  bool *there, struct arrival **out, struct err *err) MUST_CHECK;
void arrival_free(struct arrival *a); /* NULL is fine */

/* Is segment NUMBER of MEMBER there, with SIZE bytes, so that it need not be put? To be asked once for each.
 * Thread-safe. */
bool arrival_has(struct arrival *a, const struct manifest_member *member, uint64_t number, uint64_t size);

/* Put it, whose bytes were proven against SHA256. Thread-safe. */
int arrival_put(struct arrival *a, const struct manifest_member *member, uint64_t number, const void *data, size_t len,
                const uint8_t *sha256, struct err *err) MUST_CHECK;

/* How far it is. Thread-safe. */
struct arrival_counts {
    uint64_t put, put_bytes; /* segments that were put, and that arrival_has() knew of */
    uint64_t had, had_bytes;
};
struct arrival_counts arrival_counts(struct arrival *a);

/* All segments are there: publish, with the indexes' very bytes, in the order of manifest_members(). */
struct arrival_index {
    struct index parsed;
    char *data;
    size_t len;
};
int arrival_publish(struct arrival *a, const struct arrival_index *indexes, struct err *err) MUST_CHECK;

#endif
