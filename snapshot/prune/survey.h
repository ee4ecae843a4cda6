/* SPDX-License-Identifier: Apache-2.0 */
/* survey.h: what lies in the store for one id: asked for itself, never taken from an earlier listing. */
#ifndef SNAPSHOT_PRUNE_SURVEY_H
#define SNAPSHOT_PRUNE_SURVEY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "snapshot/repo/backup_id.h"
#include "snapshot/repo/repo.h"

struct survey {
    uint64_t objects, bytes;
    int64_t newest_ms; /* by the store's clock; 0 where there is none */
};

/* All of data/ID/, by one listing. */
int survey_data(const struct repo *repo, const char *instance, const struct backup_id *id, struct survey *out,
                struct err *err) MUST_CHECK;

#endif
