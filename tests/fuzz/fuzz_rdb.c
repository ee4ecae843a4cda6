/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_rdb.c: any bytes at all into the RDB scanner. What has to hold: whole and in slices the verdict, its sentence
 * and the counts are the same; what is called good with a good CRC has one by the definition, too; nothing is called
 * good on its CRC alone unless that was allowed. Each input is tried as it is and with its last eight bytes corrected,
 * since hardly any mutation would get past the CRC.
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

struct outcome {
    struct rdb_scan *scan;
    struct err err;
    int rc;
};

/* SEED 0: all at once. Else in slices of sizes that follow from it, each in memory of its own size. */
static struct outcome
scan(const uint8_t *data, size_t size, bool allow, uint64_t seed)
{
    const struct rdb_scan_options options = {.allow_unparsed = allow};
    struct outcome o = {.scan = rdb_scan_new(&options), .err = ERR_INIT};

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
    return o;
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

static void
try_input(const uint8_t *data, size_t size, uint64_t seed)
{
    for (int allow = 0; allow < 2; allow++) {
        struct outcome whole = scan(data, size, allow == 1, 0);
        struct outcome sliced = scan(data, size, allow == 1, seed);

        require_sound(&whole, data, size, allow == 1);
        require_same(&whole, &sliced);
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
