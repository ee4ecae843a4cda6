/* SPDX-License-Identifier: Apache-2.0 */
/* inspect_sum.h: what all figures of an inspection are made of. */
#ifndef SNAPSHOT_INSPECT_INSPECT_SUM_H
#define SNAPSHOT_INSPECT_INSPECT_SUM_H

#include <stdint.h>

#include "snapshot/rdb/rdb_key.h"

struct inspect_sum {
    uint64_t keys;
    uint64_t bytes;   /* that they take in the dump */
    uint64_t expires; /* keys with a time to live */
};

static inline void
inspect_sum_add(struct inspect_sum *to, const struct inspect_sum *more)
{
    to->keys += more->keys;
    to->bytes += more->bytes;
    to->expires += more->expires;
}

static inline struct inspect_sum
inspect_sum_of(const struct rdb_key *key)
{
    return (struct inspect_sum){.keys = 1, .bytes = key->bytes, .expires = key->expires};
}

#endif
