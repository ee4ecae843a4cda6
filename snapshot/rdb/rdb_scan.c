/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rdb_scan.c: see rdb_scan.h. The parser judges the structure, this file takes the CRC and says the last word.
 *
 * Where the last eight bytes begin is known only at the end. So the last eight seen are always held back from the CRC:
 * it needs no help from the parser, and covers a dump that cannot be parsed in the same way.
 */
#include "snapshot/rdb/rdb_scan.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "snapshot/rdb/crc64.h"
#include "snapshot/rdb/rdb_parse.h"

/* What the CRC has just brought into the cache is parsed while it is still there. */
#define BLOCK ((size_t)64 * 1024)

#define CRC_FIELD RDB_TRAILER_LEN

struct rdb_scan {
    struct rdb_scan_options options;
    struct rdb_info info;
    struct rdb_parse parse;
    uint64_t crc; /* of all bytes but those held back */
    uint8_t held[CRC_FIELD];
    size_t held_len;
    bool finished;
    struct err failure; /* ERR_NONE while there is none */
};

struct rdb_scan *
rdb_scan_new(const struct rdb_scan_options *options)
{
    struct rdb_scan *s = mem_new(sizeof(*s));

    if (options != NULL)
        s->options = *options;
    rdb_info_init(&s->info);
    rdb_parse_init(&s->parse, &s->info);
    s->parse.lzf_proven = s->options.lzf_proven;
    s->parse.watch.observer = s->options.observer;
    return s;
}

/* ---- the CRC ----------------------------------------------------------------------------------------------------- */

static void
take_crc(struct rdb_scan *s, const uint8_t *data, size_t len)
{
    size_t total = s->held_len + len;
    size_t released = total > CRC_FIELD ? total - CRC_FIELD : 0;
    size_t from_held = released < s->held_len ? released : s->held_len;
    size_t from_data = released - from_held;

    s->crc = crc64(s->crc, s->held, from_held);
    s->crc = crc64(s->crc, data, from_data);
    s->held_len -= from_held;
    memmove(s->held, s->held + from_held, s->held_len);
    memcpy(s->held + s->held_len, data + from_data, len - from_data);
    s->held_len += len - from_data;
}

/* There are no more bytes: what was held back is the CRC, where the version has one. */
static void
conclude_crc(struct rdb_scan *s)
{
    struct rdb_info *info = &s->info;

    if (info->version < RDB_FIRST_WITH_CRC) {
        info->crc_computed = crc64(s->crc, s->held, s->held_len);
        info->crc_state = RDB_CRC_NONE;
        return;
    }
    for (size_t i = s->held_len; i > 0; i--)
        info->crc_stored = info->crc_stored << 8 | s->held[i - 1];
    info->crc_computed = s->crc;
    info->crc_state = info->crc_stored == 0 ? RDB_CRC_DISABLED : RDB_CRC_GOOD;
}

/* ---- verdicts ---------------------------------------------------------------------------------------------------- */

static int
check_crc(const struct rdb_scan *s, struct err *err)
{
    const struct rdb_info *info = &s->info;

    if (info->crc_state != RDB_CRC_GOOD || info->crc_stored == info->crc_computed)
        return 0;
    return err_set(err, ERR_CORRUPT,
                   "RDB damaged: its last 8 bytes (from byte %" PRIu64 ") give the CRC %016" PRIx64
                   ", its content has %016" PRIx64,
                   info->bytes - CRC_FIELD, info->crc_stored, info->crc_computed);
}

/* The parser met what it does not know. */
static int
judge_unparsed(struct rdb_scan *s, struct err *err)
{
    struct rdb_info *info = &s->info;
    const char *dialect = info->kind == RDB_VALKEY ? "Valkey" : "Redis";

    info->parsed = false;
    (void)snprintf(info->unparsed_why, sizeof(info->unparsed_why), "%s at byte %" PRIu64, s->parse.why, s->parse.at);
    if (info->version >= RDB_FIRST_WITH_CRC && info->bytes < s->parse.at + 1 + CRC_FIELD)
        return err_set(err, ERR_CORRUPT, "RDB damaged at byte %" PRIu64 ": it ends here, before its checksum",
                       info->bytes);
    if (check_crc(s, err) < 0)
        return -1;
    if (info->crc_state != RDB_CRC_GOOD)
        return err_set(
            err, ERR_UNSUPPORTED,
            "RDB version %u of %s is not understood (%s) and has no CRC that could stand for it; use a newer "
            "remora, or set rdbchecksum yes and have the server save again",
            info->version, dialect, info->unparsed_why);
    if (!s->options.allow_unparsed)
        return err_set(
            err, ERR_UNSUPPORTED,
            "RDB version %u of %s is not understood (%s), though its CRC is good; use a newer remora, or take "
            "it on its CRC alone with --allow-unparsed",
            info->version, dialect, info->unparsed_why);
    return 0;
}

static int
judge_damage(const struct rdb_scan *s, struct err *err)
{
    return err_set(err, ERR_CORRUPT, "RDB damaged at byte %" PRIu64 ": %s", s->parse.at, s->parse.why);
}

int
rdb_scan_feed(struct rdb_scan *s, const void *data, size_t len, struct err *err)
{
    const uint8_t *p = data;

    while (len > 0 && s->failure.code == ERR_NONE) {
        size_t n = len < BLOCK ? len : BLOCK;

        take_crc(s, p, n);
        rdb_parse_feed(&s->parse, p, n);
        s->info.bytes += n;
        p += n;
        len -= n;
        if (s->parse.verdict == RDB_DAMAGED)
            (void)judge_damage(s, &s->failure);
    }
    if (s->failure.code == ERR_NONE)
        return 0;
    *err = s->failure;
    return -1;
}

int
rdb_scan_finish(struct rdb_scan *s, struct err *err)
{
    if (s->failure.code == ERR_NONE && !s->finished) {
        s->finished = true;
        rdb_parse_finish(&s->parse);
        if (s->parse.verdict == RDB_DAMAGED) {
            (void)judge_damage(s, &s->failure);
        } else {
            conclude_crc(s);
            (void)(s->parse.verdict == RDB_UNKNOWN ? judge_unparsed(s, &s->failure) : check_crc(s, &s->failure));
        }
    }
    if (s->failure.code == ERR_NONE)
        return 0;
    *err = s->failure;
    return -1;
}

const struct rdb_info *
rdb_scan_info(const struct rdb_scan *s)
{
    return &s->info;
}

void
rdb_scan_free(struct rdb_scan *s)
{
    if (s == NULL)
        return;
    rdb_info_fini(&s->info);
    free(s);
}
