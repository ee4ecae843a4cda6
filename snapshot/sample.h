/* SPDX-License-Identifier: Apache-2.0 */
/* sample.h: a few of many, spread over all ages. Pure; the same ones for the same input. */
#ifndef SNAPSHOT_SAMPLE_H
#define SNAPSHOT_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Set PICKED[i] for N (at least 1) of the COUNT moments TIMES_MS, which ascend, and clear it for the others: the
 * newest, then the oldest, then those nearest to N-2 points of time that lie evenly between. All, where there are no
 * more than N. */
void sample_pick(const int64_t *times_ms, size_t count, size_t n, bool *picked);

#endif
