/* SPDX-License-Identifier: Apache-2.0 */
/* siphash.c: see siphash.h. By the paper of Aumasson and Bernstein (2012), whose test vector the unit test has. */
#include "base/siphash.h"

#include <string.h>
#include <sys/random.h>

#include "base/compiler.h"

struct state {
    uint64_t v0, v1, v2, v3;
};

static uint64_t
rotate(uint64_t x, unsigned bits)
{
    return x << bits | x >> (64 - bits);
}

static void
mix(struct state *s)
{
    s->v0 += s->v1;
    s->v1 = rotate(s->v1, 13) ^ s->v0;
    s->v0 = rotate(s->v0, 32);
    s->v2 += s->v3;
    s->v3 = rotate(s->v3, 16) ^ s->v2;
    s->v0 += s->v3;
    s->v3 = rotate(s->v3, 21) ^ s->v0;
    s->v2 += s->v1;
    s->v1 = rotate(s->v1, 17) ^ s->v2;
    s->v2 = rotate(s->v2, 32);
}

static void
take(struct state *s, uint64_t word)
{
    s->v3 ^= word;
    mix(s);
    mix(s);
    s->v0 ^= word;
}

/* Up to eight bytes, the first one lowest. */
static uint64_t
read_word(const uint8_t *p, size_t len)
{
    uint64_t word = 0;

    for (size_t i = len; i > 0; i--)
        word = word << 8 | p[i - 1];
    return word;
}

void
siphash_key_make(struct siphash_key *key)
{
    REQUIRE(getrandom(key, sizeof(*key), 0) == (ssize_t)sizeof(*key));
}

uint64_t
siphash(const struct siphash_key *key, const void *data, size_t len)
{
    struct state s = {key->k0 ^ UINT64_C(0x736f6d6570736575), key->k1 ^ UINT64_C(0x646f72616e646f6d),
                      key->k0 ^ UINT64_C(0x6c7967656e657261), key->k1 ^ UINT64_C(0x7465646279746573)};
    const uint8_t *p = data;
    size_t left = len;

    for (; left >= 8; left -= 8, p += 8)
        take(&s, read_word(p, 8));
    take(&s, (uint64_t)len << 56 | read_word(p, left));
    s.v2 ^= 0xff;
    for (int i = 0; i < 4; i++)
        mix(&s);
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
