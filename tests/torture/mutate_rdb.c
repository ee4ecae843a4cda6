/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mutate_rdb.c FILE... [--count N] [--seed S]: changes good dumps at random, a million ways if asked, and has the
 * scanner look at each in random slices. A changed dump must never be accepted as one with a good CRC; one without a
 * CRC only if that field is zero, or its version has none. An observer is told of the keys that are counted, no others.
 * Exit status 1 when that does not hold; the seed repeats it.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "base/mem.h"
#include "snapshot/rdb/rdb_scan.h"

#define FILES_MAX 64
#define GROWTH    1024 /* bytes that a mutation may add */

struct dump {
    uint8_t *data;
    size_t len;
};

struct tally {
    uint64_t corrupt, unsupported, ok;
};

/* A fixed, well-known mixing of a counter: the same numbers on every machine. */
static uint64_t
next_random(uint64_t *state)
{
    uint64_t v = *state += UINT64_C(0x9e3779b97f4a7c15);

    v = (v ^ v >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    v = (v ^ v >> 27) * UINT64_C(0x94d049bb133111eb);
    return v ^ v >> 31;
}

static size_t
below(uint64_t *state, size_t n)
{
    return n == 0 ? 0 : (size_t)(next_random(state) % n);
}

/* ---- mutations: D has room for GROWTH bytes more ----------------------------------------------------------------- */

static void
insert(struct dump *d, size_t at, const uint8_t *bytes, size_t n)
{
    memmove(d->data + at + n, d->data + at, d->len - at);
    memcpy(d->data + at, bytes, n);
    d->len += n;
}

static void
insert_random(struct dump *d, size_t at, size_t n, uint64_t *state)
{
    uint8_t bytes[64] = {0};

    for (size_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)next_random(state);
    insert(d, at, bytes, n);
}

static void
duplicate(struct dump *d, size_t at, size_t n, uint64_t *state)
{
    uint8_t bytes[256];

    n = n < d->len - at ? n : d->len - at;
    memcpy(bytes, d->data + at, n);
    insert(d, below(state, d->len + 1), bytes, n);
}

static void
mutate(struct dump *d, uint64_t *state)
{
    size_t at = below(state, d->len);
    size_t other = below(state, d->len);
    size_t n = 1 + below(state, 16);
    uint8_t byte = 0;

    if (d->len == 0)
        return;
    switch (next_random(state) % 8) {
    case 0:
    case 1:
        d->data[at] ^= (uint8_t)(1U << (next_random(state) & 7));
        break;
    case 2:
        d->data[at] = (uint8_t)next_random(state);
        break;
    case 3:
        byte = d->data[at];
        d->data[at] = d->data[other];
        d->data[other] = byte;
        break;
    case 4:
        n = n < d->len - at ? n : d->len - at;
        memmove(d->data + at, d->data + at + n, d->len - at - n);
        d->len -= n;
        break;
    case 5:
        insert_random(d, at, n, state);
        break;
    case 6:
        d->len = at;
        break;
    default:
        duplicate(d, at, 1 + below(state, 256), state);
    }
}

/* What the observer was told. */
struct told {
    uint64_t keys, bytes, expires;
};

static void
take_key(const struct rdb_key *key, void *cookie)
{
    struct told *told = cookie;

    told->keys++;
    told->bytes += key->bytes;
    told->expires += key->expires;
}

/* ---- one trial --------------------------------------------------------------------------------------------------- */

static int
scan_randomly(struct rdb_scan *scan, const struct dump *d, uint64_t *state, struct err *err)
{
    size_t largest = (size_t)1 << (1 + below(state, 14));

    for (size_t at = 0; at < d->len;) {
        size_t n = 1 + below(state, largest);

        n = n < d->len - at ? n : d->len - at;
        if (rdb_scan_feed(scan, d->data + at, n, err) < 0)
            return -1;
        at += n;
    }
    return rdb_scan_finish(scan, err);
}

static bool
has_zero_field(const struct dump *d)
{
    static const uint8_t zero[8];

    return d->len >= sizeof(zero) && memcmp(d->data + d->len - sizeof(zero), zero, sizeof(zero)) == 0;
}

/* NULL, or what was wrong. */
static const char *
judge(const struct rdb_info *info, const struct dump *d, bool is_changed)
{
    if (!info->parsed)
        return "accepted without being parsed";
    if (!is_changed)
        return NULL;
    if (info->crc_state == RDB_CRC_GOOD)
        return "a changed dump was accepted as good";
    if (info->crc_state == RDB_CRC_DISABLED && !has_zero_field(d))
        return "a CRC that is not zero was taken for none";
    if (info->crc_state == RDB_CRC_NONE && info->version >= 5)
        return "a version with a CRC was taken for one without";
    return NULL;
}

static const char *
try_one(const struct dump *original, uint64_t *state, struct tally *tally)
{
    struct err err = ERR_INIT;
    struct told told = {0};
    struct rdb_scan *scan = rdb_scan_new(&(struct rdb_scan_options){.observer = {take_key, &told}});
    const struct rdb_info *info = rdb_scan_info(scan);
    struct dump d = {.data = mem_new(original->len + GROWTH), .len = original->len};
    const char *wrong = NULL;

    memcpy(d.data, original->data, d.len);
    for (size_t n = 1 + below(state, 3); n > 0; n--)
        mutate(&d, state);
    if (scan_randomly(scan, &d, state, &err) == 0) {
        tally->ok++;
        wrong = judge(info, &d, d.len != original->len || memcmp(d.data, original->data, d.len) != 0);
    } else if (err.code == ERR_CORRUPT) {
        tally->corrupt++;
    } else if (err.code == ERR_UNSUPPORTED) {
        tally->unsupported++;
    } else {
        wrong = "neither corrupt nor unsupported";
    }
    if (told.keys != info->keys || told.expires != info->expires || told.bytes > d.len)
        wrong = "the observer was told of other keys than were counted";
    rdb_scan_free(scan);
    free(d.data);
    return wrong;
}

/* ---- the program ------------------------------------------------------------------------------------------------- */

static int
run(const struct dump *dumps, size_t count, uint64_t trials, uint64_t seed)
{
    struct tally tally = {0};

    for (uint64_t i = 0; i < trials; i++) {
        uint64_t state = seed ^ i * UINT64_C(0xd1342543de82ef95);
        const char *wrong = try_one(&dumps[i % count], &state, &tally);

        if (wrong != NULL) {
            printf("mutations: %s (file %" PRIu64 ", iteration %" PRIu64 ", seed %" PRIu64 ")\n", wrong, i % count + 1,
                   i, seed);
            return 1;
        }
    }
    printf("mutations: %" PRIu64 " done, %" PRIu64 " corrupt, %" PRIu64 " unsupported, %" PRIu64
           " ok (CRC field zeroed or unchanged), seed %" PRIu64 "\n",
           trials, tally.corrupt, tally.unsupported, tally.ok, seed);
    return 0;
}

int
main(int argc, char **argv)
{
    struct err err = ERR_INIT;
    struct dump dumps[FILES_MAX];
    size_t count = 0;
    uint64_t trials = 10000;
    uint64_t seed = (uint64_t)time(NULL);
    int rc = 1;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--count") == 0 && i + 1 < argc) {
            trials = strtoull(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc) {
            seed = strtoull(argv[++i], NULL, 10);
        } else {
            char *data = NULL;

            if (count == FILES_MAX || file_read_all(AT_FDCWD, argv[i], 1 << 24, &data, &dumps[count].len, &err) < 0) {
                fprintf(stderr, "mutate_rdb: %s: %s\n", argv[i], count == FILES_MAX ? "too many files" : err.msg);
                goto out;
            }
            dumps[count++].data = (uint8_t *)data;
        }
    }
    if (count == 0)
        fputs("usage: mutate_rdb FILE... [--count N] [--seed S]\n", stderr);
    else
        rc = run(dumps, count, trials, seed);
out:
    while (count > 0)
        free(dumps[--count].data);
    return rc;
}
