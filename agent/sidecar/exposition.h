/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exposition.h: writes Prometheus' text format (version 0.0.4) into a buffer, and finds samples in such a text again.
 * Pure: it knows nothing of what the figures mean.
 *
 * Figures are whole numbers of a decimal unit: 12345 with 3 decimals is 12.345; so they come back as they were. HELP
 * and TYPE of a family are written before its first sample; all samples of a family follow one another.
 */
#ifndef AGENT_SIDECAR_EXPOSITION_H
#define AGENT_SIDECAR_EXPOSITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum exposition_type { EXPOSITION_GAUGE, EXPOSITION_COUNTER, EXPOSITION_HISTOGRAM };

struct exposition_family {
    const char *name;
    enum exposition_type type;
    const char *help; /* one line */
};

struct exposition_label {
    const char *name; /* NULL ends a list */
    const char *value;
};

#define EXPOSITION_COMMON_MAX 4

struct exposition {
    struct buf *out;
    struct exposition_label common[EXPOSITION_COMMON_MAX]; /* stand first in every sample; ends with a NULL name */
    const struct exposition_family *family;                /* whose header was written last */
    struct err err;                                        /* the first that failed; then nothing more is written */
};

/* COMMON (fewer than EXPOSITION_COMMON_MAX, NULL name at the end) is copied, its strings stay the caller's. */
void exposition_init(struct exposition *e, struct buf *out, const struct exposition_label *common);

/* One sample of FAMILY; SUFFIX is "" but for a histogram; LABELS end with a NULL name (NULL: none). What is no
 * printable ASCII in a label's value becomes "?". */
void exposition_sample(struct exposition *e, const struct exposition_family *family, const char *suffix,
                       const struct exposition_label *labels, uint64_t value, unsigned decimals);

/* 0 when all of it was written; else why not. */
int exposition_finish(const struct exposition *e, struct err *err) MUST_CHECK;

/* The reverse: the value of that sample in TEXT, which came from outside: false when it is not there just as
 * exposition_sample() writes it, with at most 15 digits. */
bool exposition_find(const struct exposition *e, const char *text, const struct exposition_family *family,
                     const char *suffix, const struct exposition_label *labels, unsigned decimals, uint64_t *value);

/* "gauge", "counter", "histogram". */
const char *exposition_type_name(enum exposition_type type);

#endif
