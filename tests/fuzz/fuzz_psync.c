/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_psync.c: any bytes at all into the parser of what follows PSYNC. What has to hold: whole and in slices the
 * tokens, the dump's bytes and the verdict are the same; all of the dump is given out and nothing else; a dump is
 * called whole exactly when its size, or its mark at the very end, says so.
 */
#include "tests/fuzz/fuzz.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "snapshot/redis/psync_bulk.h"

#define TOKENS_MAX 4096

struct outcome {
    struct psync_bulk parser;
    uint8_t tokens[TOKENS_MAX]; /* all but those of data, as far as there is room */
    size_t token_count;
    uint8_t *dump; /* its bytes, one behind the other */
    size_t dump_len;
    size_t used; /* of the input */
};

static bool
is_last(enum psync_token token)
{
    return token == PSYNC_END || token == PSYNC_GARBAGE || token == PSYNC_CONTINUED;
}

/* One slice. False: the parser wants no more. */
static bool
feed(struct outcome *o, const uint8_t *data, size_t len)
{
    uint8_t *slice = mem_new(len);
    struct psync_span in = {slice, len}, out = {0};
    enum psync_token token;

    memcpy(slice, data, len);
    while ((token = psync_bulk_next(&o->parser, &in, &out)) != PSYNC_NEED_MORE) {
        if (token == PSYNC_DATA) {
            REQUIRE(out.len > 0);
            memcpy(o->dump + o->dump_len, out.data, out.len);
            o->dump_len += out.len;
        } else if (o->token_count < TOKENS_MAX) {
            o->tokens[o->token_count++] = (uint8_t)token;
        }
        if (is_last(token))
            break;
    }
    REQUIRE(token != PSYNC_NEED_MORE || in.len == 0);
    o->used += len - in.len;
    free(slice);
    return !is_last(token);
}

static void
parse(struct outcome *o, const uint8_t *data, size_t size, uint64_t seed)
{
    bool more = true;

    o->dump = mem_new(size);
    psync_bulk_init(&o->parser);
    for (size_t at = 0; at < size && more;) {
        size_t n = size - at;

        if (seed != 0) {
            seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            n = 1 + (seed >> 40) % ((seed >> 33 & 3) == 0 ? 100 : 10);
            n = n < size - at ? n : size - at;
        }
        more = feed(o, data + at, n);
        at += n;
    }
    if (more)
        (void)feed(o, data, 0); /* an empty or complete dump says so without further input */
}

static void
require_sound(const struct outcome *o, const uint8_t *data, size_t size)
{
    const struct psync_bulk *p = &o->parser;
    const uint8_t *body = data + o->used - o->dump_len - p->held_len;

    REQUIRE(p->given == o->dump_len && o->used <= size);
    if (!psync_bulk_has_begun(p)) {
        REQUIRE(o->dump_len == 0 && !psync_bulk_is_whole(p));
        return;
    }
    REQUIRE(strlen(p->repl_id) == PSYNC_ID_LEN);
    if (o->dump_len > 0)
        REQUIRE(memcmp(body, o->dump, o->dump_len) == 0);
    if (!p->has_mark) {
        REQUIRE(psync_bulk_is_whole(p) == (o->dump_len == p->size));
        return;
    }
    REQUIRE(o->used == size && p->held_len <= PSYNC_MARK_LEN);
    REQUIRE(psync_bulk_is_whole(p) ==
            (p->held_len == PSYNC_MARK_LEN && memcmp(data + size - PSYNC_MARK_LEN, p->mark, PSYNC_MARK_LEN) == 0));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct outcome *whole = mem_new(sizeof(*whole)), *sliced = mem_new(sizeof(*sliced));
    uint64_t seed = 1;

    for (size_t i = 0; i < size; i++)
        seed = (seed ^ data[i]) * UINT64_C(1099511628211);
    parse(whole, data, size, 0);
    parse(sliced, data, size, seed | 1);
    require_sound(whole, data, size);
    require_sound(sliced, data, size);
    REQUIRE(whole->token_count == sliced->token_count);
    REQUIRE(memcmp(whole->tokens, sliced->tokens, whole->token_count) == 0);
    REQUIRE(whole->dump_len == sliced->dump_len && memcmp(whole->dump, sliced->dump, whole->dump_len) == 0);
    REQUIRE(psync_bulk_is_whole(&whole->parser) == psync_bulk_is_whole(&sliced->parser));
    free(whole->dump);
    free(sliced->dump);
    free(whole);
    free(sliced);
    return 0;
}
