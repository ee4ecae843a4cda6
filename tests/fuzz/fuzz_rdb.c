/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_rdb.c: any bytes at all into the RDB scanner. What has to hold: whole and in slices the verdict, its sentence
 * and the counts are the same; what is called good with a good CRC has one by the definition, too; nothing is called
 * good on its CRC alone unless that was allowed. The sliced passes have an observer: it is told of as many keys as are
 * counted, which together take no more than the dump has, whatever the slices, and whether compressed strings are
 * followed or not. Each input is tried as it is and with its last eight bytes corrected, since hardly any mutation
 * would get past the CRC.
 */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "snapshot/rdb/rdb_scan.h"

static uint64_t
bitwise_crc(const uint8_t *data, size_t len)
{
    uint64_t crc = 0;

    for (size_t i = 0; i < len; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ ((crc & 1) != 0 ? UINT64_C(0x95ac9329ac4bc9b5) : 0);
    }
    return crc;
}

/* What the observer was told, in sums; MIX is one of everything, in its order. */
struct told {
    uint64_t keys, bytes, expires, mix;
    uint64_t types[RDB_TYPE_COUNT];
};

struct outcome {
    struct rdb_scan *scan;
    struct err err;
    int rc;
    struct told told;
};

static void
mix_in(struct told *t, const void *data, size_t len)
{
    const uint8_t *p = data;

    for (size_t i = 0; i < len; i++)
        t->mix = (t->mix ^ p[i]) * UINT64_C(0x100000001b3);
}

static void
take_key(const struct rdb_key *key, void *cookie)
{
    struct told *t = cookie;

    REQUIRE(key->name_len <= RDB_KEY_NAME_MAX && key->name_len <= key->name_full_len);
    REQUIRE(key->name_len == RDB_KEY_NAME_MAX || key->name_len == key->name_full_len);
    REQUIRE(key->bytes >= 2 && key->elements >= RDB_ELEMENTS_UNKNOWN);
    REQUIRE(key->expires || key->expires_ms == -1);
    REQUIRE(rdb_encoding_name(key->encoding) != NULL);
    t->keys++;
    t->bytes += key->bytes;
    t->expires += key->expires;
    t->types[key->type]++;
    mix_in(t, key->name, key->name_len);
    mix_in(t, &key->name_full_len, sizeof(key->name_full_len));
    mix_in(t, &key->database, sizeof(key->database));
    mix_in(t, &key->bytes, sizeof(key->bytes));
    mix_in(t, &key->elements, sizeof(key->elements));
    mix_in(t, &key->expires_ms, sizeof(key->expires_ms));
    mix_in(t, &key->encoding, sizeof(key->encoding));
}

/* SEED 0: all at once. Else in slices of sizes that follow from it, each in memory of its own size. OPTIONS' observer,
 * if any, is told to O's own struct told. */
static void
scan(struct outcome *out, const uint8_t *data, size_t size, const struct rdb_scan_options *options, uint64_t seed)
{
    struct rdb_scan_options own = *options;
    struct outcome o = {.err = ERR_INIT};

    own.observer.cookie = &out->told;
    memset(&out->told, 0, sizeof(out->told));
    o.scan = rdb_scan_new(&own);
    for (size_t at = 0; at < size && o.rc == 0;) {
        size_t n = size;
        uint8_t *slice = NULL;

        if (seed != 0) {
            seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            n = 1 + (seed >> 40) % ((seed >> 33 & 7) == 0 ? 300 : 24);
        }
        n = n < size - at ? n : size - at;
        slice = mem_new(n);
        memcpy(slice, data + at, n);
        o.rc = rdb_scan_feed(o.scan, slice, n, &o.err);
        free(slice);
        at += n;
    }
    if (o.rc == 0)
        o.rc = rdb_scan_finish(o.scan, &o.err);
    REQUIRE(o.rc == 0 || o.err.code == ERR_CORRUPT || o.err.code == ERR_UNSUPPORTED);
    o.told = out->told;
    *out = o;
}

/* What was told is what was counted, good or not. */
static void
require_told(const struct outcome *o, size_t size)
{
    const struct rdb_info *info = rdb_scan_info(o->scan);

    REQUIRE(o->told.keys == info->keys && o->told.expires == info->expires && o->told.bytes <= size);
    REQUIRE(memcmp(o->told.types, info->types, sizeof(info->types)) == 0);
}

static void
require_same(const struct outcome *a, const struct outcome *b)
{
    const struct rdb_info *x = rdb_scan_info(a->scan);
    const struct rdb_info *y = rdb_scan_info(b->scan);

    REQUIRE(a->rc == b->rc && a->err.code == b->err.code && strcmp(a->err.msg, b->err.msg) == 0);
    REQUIRE(x->keys == y->keys && x->expires == y->expires && x->functions == y->functions);
    REQUIRE(memcmp(x->types, y->types, sizeof(x->types)) == 0);
    REQUIRE(x->db_count == y->db_count && x->module_count == y->module_count);
    for (size_t i = 0; i < x->db_count; i++)
        REQUIRE(x->dbs[i].number == y->dbs[i].number && x->dbs[i].keys == y->dbs[i].keys);
    for (size_t i = 0; i < x->module_count; i++)
        REQUIRE(strcmp(x->modules[i].name, y->modules[i].name) == 0 && x->modules[i].keys == y->modules[i].keys);
    REQUIRE(strcmp(x->server_version, y->server_version) == 0 && strcmp(x->repl_id, y->repl_id) == 0);
    REQUIRE(x->ctime_s == y->ctime_s && x->repl_offset == y->repl_offset && x->crc_state == y->crc_state);
}

static void
require_sound(const struct outcome *o, const uint8_t *data, size_t size, bool allow)
{
    const struct rdb_info *info = rdb_scan_info(o->scan);
    uint64_t keys = 0;

    if (o->rc < 0)
        return;
    REQUIRE(info->bytes == size);
    REQUIRE(info->parsed || (allow && info->crc_state == RDB_CRC_GOOD));
    if (info->crc_state == RDB_CRC_GOOD) {
        uint64_t crc = bitwise_crc(data, size - 8);

        REQUIRE(crc == info->crc_computed && crc == info->crc_stored);
        for (int i = 0; i < 8; i++)
            REQUIRE(data[size - 8 + (size_t)i] == (uint8_t)(crc >> (8 * i)));
    }
    for (size_t i = 0; i < info->db_count; i++) {
        REQUIRE(info->dbs[i].keys > 0 && info->dbs[i].expires <= info->dbs[i].keys);
        REQUIRE(i == 0 || info->dbs[i - 1].number < info->dbs[i].number);
        keys += info->dbs[i].keys;
    }
    REQUIRE(keys == info->keys);
}

/* An input that was parsed and found good again, whole and in other slices, with its compressed strings passed over. */
static void
try_proven(const uint8_t *data, size_t size, const struct rdb_scan_options *options, uint64_t seed,
           const struct outcome *expected)
{
    struct rdb_scan_options proven = *options;
    struct outcome again;

    proven.lzf_proven = true;
    for (int i = 0; i < 2; i++) {
        scan(&again, data, size, &proven, i == 0 ? 0 : seed + 2);
        require_same(expected, &again);
        REQUIRE(memcmp(&again.told, &expected->told, sizeof(again.told)) == 0);
        rdb_scan_free(again.scan);
    }
}

static void
try_input(const uint8_t *data, size_t size, uint64_t seed)
{
    for (int allow = 0; allow < 2; allow++) {
        struct rdb_scan_options options = {.allow_unparsed = allow == 1};
        struct outcome whole, sliced;

        scan(&whole, data, size, &options, 0);
        options.observer.fn = take_key;
        scan(&sliced, data, size, &options, seed);
        require_sound(&whole, data, size, allow == 1);
        require_same(&whole, &sliced);
        require_told(&sliced, size);
        if (whole.rc == 0 && rdb_scan_info(whole.scan)->parsed)
            try_proven(data, size, &options, seed, &sliced);
        rdb_scan_free(whole.scan);
        rdb_scan_free(sliced.scan);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t seed = bitwise_crc(data, size < 4096 ? size : 4096) | 1;
    uint8_t *corrected = NULL;

    try_input(data, size, seed);
    if (size < 17)
        return 0;
    corrected = mem_new(size);
    memcpy(corrected, data, size - 8);
    seed = bitwise_crc(data, size - 8);
    for (int i = 0; i < 8; i++)
        corrected[size - 8 + (size_t)i] = (uint8_t)(seed >> (8 * i));
    try_input(corrected, size, seed | 1);
    free(corrected);
    return 0;
}
