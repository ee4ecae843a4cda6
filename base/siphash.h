/* SPDX-License-Identifier: Apache-2.0 */
/* siphash.h: SipHash-2-4: a hash for tables whose keys come from outside. Who does not know the secret cannot make keys
 * that fall on one place. */
#ifndef BASE_SIPHASH_H
#define BASE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

struct siphash_key {
    uint64_t k0, k1;
};

/* A random key. */
void siphash_key_make(struct siphash_key *key);

uint64_t siphash(const struct siphash_key *key, const void *data, size_t len);

#endif
