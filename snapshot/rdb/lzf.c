/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lzf.c: see lzf.h. An instruction is a byte below 32, followed by that many bytes and one as they are; or one that
 * copies: the upper three bits are the length less two (7: the next byte is added), the lower five and the last byte
 * the distance less one, back from the end of the output.
 */
#include "snapshot/rdb/lzf.h"

#include <string.h>

#define LITERAL_MAX 33 /* bytes of the longest instruction: 32 as they are, and the one that says so */

void
lzf_start(struct lzf *z, uint64_t in, uint64_t out_len, uint8_t *out, uint64_t room)
{
    *z = (struct lzf){.in_left = in, .out_left = out_len, .out = out, .room = room};
}

/* How many of the next N bytes of output there is room for. */
static uint64_t
fitting(const struct lzf *z, uint64_t n)
{
    uint64_t left = z->room > z->out_done ? z->room - z->out_done : 0;

    return n < left ? n : left;
}

static const uint8_t *
take_literals(struct lzf *z, const uint8_t *p, const uint8_t *end)
{
    uint64_t n = (uint64_t)(end - p) < z->literals ? (uint64_t)(end - p) : z->literals;

    if (fitting(z, n) > 0)
        memcpy(z->out + z->out_done, p, fitting(z, n));
    z->literals -= n;
    z->in_left -= n;
    z->out_left -= n;
    z->out_done += n;
    return p + n;
}

/* A copy may overlap its own output: byte by byte, from the front. */
static void
copy_back(struct lzf *z, uint64_t distance, uint64_t n)
{
    for (uint64_t i = z->out_done, end = i + fitting(z, n); i < end; i++)
        z->out[i] = z->out[i - distance];
    z->out_left -= n;
    z->out_done += n;
}

/*
 * Only counting, and with no instruction near the end of anything. Which kind an instruction is can hardly be
 * predicted, so it is not asked: both answers are worked out and one is picked, which is twice as fast. An instruction
 * that is bad is left to lzf_run().
 */
static const uint8_t *
count_ahead(struct lzf *z, const uint8_t *p, const uint8_t *end)
{
    uint64_t room = (uint64_t)(end - p) < z->in_left ? (uint64_t)(end - p) : z->in_left;
    const uint8_t *start = p;
    const uint8_t *stop = room > LITERAL_MAX ? p + (room - LITERAL_MAX) : p;
    uint64_t done = z->out_done;
    uint64_t total = z->out_done + z->out_left;

    while (p < stop) {
        unsigned control = p[0];
        unsigned is_long = control >= 224;
        unsigned copied = (control >> 5) + 2 + (is_long ? p[1] : 0);
        unsigned distance = ((control & 31) << 8 | p[1 + is_long]) + 1;
        unsigned n = control < 32 ? control + 1 : copied;

        distance = control < 32 ? 0 : distance;
        if (distance > done || n > total - done)
            break;
        done += n;
        p += control < 32 ? control + 2 : 2 + is_long;
    }
    z->in_left -= (uint64_t)(p - start);
    z->out_left = total - done;
    z->out_done = done;
    return p;
}

enum lzf_status
lzf_run(struct lzf *z, const uint8_t **at, const uint8_t *end)
{
    const uint8_t *p = take_literals(z, *at, end);

    if (z->out_done >= z->room && z->literals == 0)
        p = count_ahead(z, p, end);
    while (z->in_left > 0 && p < end) {
        unsigned control = *p;

        *at = p;
        if (control < 32) {
            z->literals = control + 1;
            if (z->literals > z->in_left - 1 || z->literals > z->out_left)
                return LZF_BAD;
            z->in_left--;
            p = take_literals(z, p + 1, end);
        } else {
            unsigned size = control < 224 ? 2 : 3;
            if (size > z->in_left)
                return LZF_BAD;
            if (size > (size_t)(end - p))
                return LZF_MORE;
            unsigned n = (control >> 5) + 2 + (size == 3 ? p[1] : 0);
            unsigned distance = ((control & 31) << 8 | p[size - 1]) + 1;
            if (distance > z->out_done || n > z->out_left)
                return LZF_BAD;
            copy_back(z, distance, n);
            z->in_left -= size;
            p += size;
        }
    }
    *at = p;
    if (z->in_left > 0)
        return LZF_MORE;
    return z->out_left == 0 && z->out_done > 0 ? LZF_DONE : LZF_BAD;
}
