/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crc64.c: two ways to the same CRC.
 *
 * The CRC is reflected: the lowest bit of the first byte is the highest power of x. A 64-bit word v stands for the
 * polynomial whose coefficient of x^(63 - i) is bit i of v, so multiplying by x is a shift to the right, and where
 * x^63 falls out at bit 0 it comes back as x^64 mod P: the polynomial without its top term, reflected.
 */
#include "snapshot/rdb/crc64.h"

#include <endian.h>
#include <pthread.h>
#include <string.h>

#include "base/compiler.h"
#include "snapshot/rdb/crc64_internal.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* 0xad93d23594c935a9 with its bits in reverse. */
#define POLY UINT64_C(0x95ac9329ac4bc9b5)

/* table[k][b]: the CRC of byte b followed by k zero bytes. */
static uint64_t table[8][256];
static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool has_clmul;

/* v times x, modulo P. */
static uint64_t
times_x(uint64_t v)
{
    return (v >> 1) ^ ((v & 1) != 0 ? POLY : 0);
}

/* ---- by tables --------------------------------------------------------------------------------------------------- */

static void
set_up_tables(void)
{
    for (unsigned b = 0; b < 256; b++) {
        uint64_t v = b;

        for (int bit = 0; bit < 8; bit++)
            v = times_x(v);
        table[0][b] = v;
    }
    for (unsigned k = 1; k < 8; k++) {
        for (unsigned b = 0; b < 256; b++)
            table[k][b] = (table[k - 1][b] >> 8) ^ table[0][table[k - 1][b] & 0xff];
    }
}

static uint64_t
load_le64(const uint8_t *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof(v));
    return le64toh(v);
}

static uint64_t
by_tables(uint64_t crc, const uint8_t *p, size_t len)
{
    for (; len >= 8; p += 8, len -= 8) {
        uint64_t v = crc ^ load_le64(p);

        crc = table[7][v & 0xff] ^ table[6][(v >> 8) & 0xff] ^ table[5][(v >> 16) & 0xff] ^ table[4][(v >> 24) & 0xff] ^
              table[3][(v >> 32) & 0xff] ^ table[2][(v >> 40) & 0xff] ^ table[1][(v >> 48) & 0xff] ^ table[0][v >> 56];
    }
    for (; len > 0; p++, len--)
        crc = (crc >> 8) ^ table[0][(crc ^ *p) & 0xff];
    return crc;
}

/* ---- by carry-less multiplication -------------------------------------------------------------------------------- */

#if defined(__x86_64__)

/*
 * Folding: a block of 16 bytes, D bits in front of another, may be replaced by anything that is congruent to it times
 * x^D modulo P, added (xored) to the other. A block is lo * x^64 + hi, where lo is its first eight bytes. So two
 * products do it: lo times (x^(D + 64) mod P), and hi times (x^D mod P).
 *
 * The product of two reflected words comes out one bit too far to the right in the 128 bits, that is, times x. The
 * constants have one power less to make up for it.
 */
struct fold {
    uint64_t lo; /* x^(D + 63) mod P */
    uint64_t hi; /* x^(D - 1) mod P */
};
static struct fold fold_512; /* to the block four further on */
static struct fold fold_128; /* to the next block */

static uint64_t
power_of_x(unsigned n)
{
    uint64_t v = UINT64_C(1) << 63; /* x^0 */

    while (n-- > 0)
        v = times_x(v);
    return v;
}

static void
set_up_clmul(void)
{
    fold_512 = (struct fold){.lo = power_of_x(512 + 63), .hi = power_of_x(512 - 1)};
    fold_128 = (struct fold){.lo = power_of_x(128 + 63), .hi = power_of_x(128 - 1)};
    has_clmul = __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse4.1");
}

#define CLMUL __attribute__((target("pclmul,sse4.1")))

CLMUL static inline __m128i
load_block(const uint8_t *p)
{
    return _mm_loadu_si128((const __m128i *)(const void *)p);
}

/* NEXT plus BLOCK moved by the distance that K stands for. */
CLMUL static inline __m128i
fold_into(__m128i block, __m128i k, __m128i next)
{
    __m128i lo = _mm_clmulepi64_si128(block, k, 0x00);
    __m128i hi = _mm_clmulepi64_si128(block, k, 0x11);

    return _mm_xor_si128(_mm_xor_si128(lo, hi), next);
}

CLMUL static inline __m128i
load_fold(const struct fold *f)
{
    return _mm_set_epi64x((long long)f->hi, (long long)f->lo);
}

CLMUL static uint64_t
by_clmul(uint64_t crc, const uint8_t *p, size_t len)
{
    const __m128i k512 = load_fold(&fold_512);
    const __m128i k128 = load_fold(&fold_128);
    __m128i block[4];
    uint8_t rest[16];

    if (len < 64)
        return by_tables(crc, p, len);
    for (size_t i = 0; i < 4; i++)
        block[i] = load_block(p + 16 * i);
    block[0] = _mm_xor_si128(block[0], _mm_set_epi64x(0, (long long)crc));
    for (p += 64, len -= 64; len >= 64; p += 64, len -= 64) {
        /* Four chains, since each product takes longer than the next needs to start. */
        block[0] = fold_into(block[0], k512, load_block(p));
        block[1] = fold_into(block[1], k512, load_block(p + 16));
        block[2] = fold_into(block[2], k512, load_block(p + 32));
        block[3] = fold_into(block[3], k512, load_block(p + 48));
    }
    for (int i = 1; i < 4; i++)
        block[i] = fold_into(block[i - 1], k128, block[i]);
    for (; len >= 16; p += 16, len -= 16)
        block[3] = fold_into(block[3], k128, load_block(p));
    /* What is left has the CRC of everything so far. */
    _mm_storeu_si128((__m128i *)(void *)rest, block[3]);
    return by_tables(by_tables(0, rest, sizeof(rest)), p, len);
}

#else

static void
set_up_clmul(void)
{
    has_clmul = false;
}

static uint64_t
by_clmul(uint64_t crc, const uint8_t *p, size_t len)
{
    return by_tables(crc, p, len);
}

#endif

/* ---- the choice -------------------------------------------------------------------------------------------------- */

static void
set_up(void)
{
    set_up_tables();
    set_up_clmul();
}

static void
ready(void)
{
    REQUIRE(pthread_once(&once, set_up) == 0);
}

bool
crc64_has_clmul(void)
{
    ready();
    return has_clmul;
}

uint64_t
crc64_tables(uint64_t crc, const void *data, size_t len)
{
    ready();
    return by_tables(crc, data, len);
}

uint64_t
crc64_clmul(uint64_t crc, const void *data, size_t len)
{
    ready();
    REQUIRE(has_clmul);
    return by_clmul(crc, data, len);
}

uint64_t
crc64(uint64_t crc, const void *data, size_t len)
{
    ready();
    return has_clmul ? by_clmul(crc, data, len) : by_tables(crc, data, len);
}
