/* SPDX-License-Identifier: Apache-2.0 */
/* sample.c: see sample.h. */
#include "snapshot/sample.h"

#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"

/* The one nearest to WANT_MS of those that are not picked yet; of two as near the newer. */
static size_t
nearest(const int64_t *times_ms, size_t count, const bool *picked, double want_ms)
{
    size_t best = count;
    double best_ms = 0;

    for (size_t i = count; i-- > 0;) {
        double away_ms = want_ms - (double)times_ms[i];

        if (away_ms < 0)
            away_ms = -away_ms;
        if (!picked[i] && (best == count || away_ms < best_ms)) {
            best = i;
            best_ms = away_ms;
        }
    }
    REQUIRE(best < count);
    return best;
}

void
sample_pick(const int64_t *times_ms, size_t count, size_t n, bool *picked)
{
    REQUIRE(n > 0);
    for (size_t i = 0; i < count; i++)
        picked[i] = count <= n;
    if (count <= n)
        return;
    picked[count - 1] = true;
    if (n == 1)
        return;
    picked[0] = true;
    for (size_t k = 1; k + 1 < n; k++) {
        double share = (double)k / (double)(n - 1);

        picked[nearest(times_ms, count, picked,
                       (double)times_ms[0] + share * (double)(times_ms[count - 1] - times_ms[0]))] = true;
    }
}
