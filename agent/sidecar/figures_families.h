/* SPDX-License-Identifier: Apache-2.0 */
/* figures_families.h: the families by name, for figures.c and figures_read.c. The order is that of the text. */
#ifndef AGENT_SIDECAR_FIGURES_FAMILIES_H
#define AGENT_SIDECAR_FIGURES_FAMILIES_H

#include "agent/sidecar/figures.h"

enum figures_family {
    FAMILY_BUILD_INFO,
    FAMILY_START_TIME,
    FAMILY_HEALTH,
    FAMILY_LAST_ATTEMPT,
    FAMILY_LAST_SUCCESS,
    FAMILY_LAST_DURATION,
    FAMILY_SUCCESSES,
    FAMILY_FAILURES,
    FAMILY_RETRIES,
    FAMILY_RUNNING,
    FAMILY_QUEUED,
    FAMILY_NEXT,
    FAMILY_EXPECTED_INTERVAL,
    FAMILY_BACKUPS,
    FAMILY_LATEST_SNAPSHOT,
    FAMILY_LATEST_RAW,
    FAMILY_LATEST_STORED,
    FAMILY_LATEST_KEYS,
    FAMILY_NEWEST_SUSPICIOUS,
    FAMILY_RECOVERY_POINT_AGE,
    FAMILY_LAST_VERIFIED,
    FAMILY_STORAGE_UP,
    FAMILY_STORAGE_DURATION,
    FAMILY_STORAGE_FAILURES,
    FAMILY_STORAGE_RETRIES,
    FAMILY_STORAGE_SENT,
    FAMILY_STORAGE_RECEIVED,
    FAMILY_SERVER_UP,
    FAMILY_SERVER_INFO,
    FAMILY_SERVER_ROLE,
    FAMILY_SERVER_KEYS,
    FAMILY_SERVER_MEMORY,
    FAMILY_SERVER_COW,
    FAMILY_SERVER_FORK,
    FAMILY_COUNT
};

/* A writer or finder of F's samples. E's common labels point into F. */
void figures_exposition(const struct figures *f, struct exposition *e, struct buf *out);

/* The labels of F's samples of KIND: none in a run's, where all have that label. */
struct figures_labels {
    struct exposition_label labels[3];
};
struct figures_labels figures_kind_labels(const struct figures *f, enum work kind, const char *name, const char *value);

/* The label of an exit status: the word for its error. */
const char *figures_exit_name(int exit_status);

/* The label of a bucket's bound, in seconds; BUCKET METER_BUCKETS: "+Inf". OUT has 32 bytes. */
const char *figures_bound_name(int bucket, char *out);

#endif
