/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rdb_parse.c: see rdb_parse.h. Every step function gets the bytes from P to END (at least one) and returns where it
 * stopped, or NULL: the atom at P is not whole yet, or the verdict is no longer RDB_FINE.
 */
#include "snapshot/rdb/rdb_parse.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/compiler.h"
#include "snapshot/rdb/rdb_length.h"
#include "snapshot/rdb/rdb_tally.h"

#define HEADER_LEN    9
#define OLDEST_VALKEY 80
#define FIRST_OPCODE  64 /* below it are types of values */
#define LZF_STRIDE    64 /* bytes of a proven stream that are followed before asking whether its beginning is there */

static const struct rdb_step header_steps[] = {{RDB_OP_HEADER, 0}};
static const struct rdb_step record_steps[] = {{RDB_OP_RECORD, 0}};

/* ---- verdicts ---------------------------------------------------------------------------------------------------- */

/* The counts of the current database, which are kept aside while its keys come. */
static bool
settle_db(struct rdb_parse *m)
{
    bool has_room = rdb_tally_db(m->info, m->db, m->db_keys, m->db_expires);

    m->db_keys = 0;
    m->db_expires = 0;
    return has_room;
}

static void
conclude(struct rdb_parse *m, enum rdb_verdict verdict, uint64_t at)
{
    m->verdict = verdict;
    m->at = at;
    (void)settle_db(m);
}

static uint64_t
offset_of(const struct rdb_parse *m, const uint8_t *p)
{
    return m->slice_at + (uint64_t)(p - m->slice);
}

/* NULL, for a step to return. */
PRINTF_LIKE(3, 4)
static const uint8_t *
unknown(struct rdb_parse *m, const uint8_t *p, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(m->why, sizeof(m->why), fmt, args);
    va_end(args);
    conclude(m, RDB_UNKNOWN, offset_of(m, p));
    return NULL;
}

/* In a version that is newer than this program, what looks like damage may be news. */
static const uint8_t *
damaged_at(struct rdb_parse *m, uint64_t at, const char *why)
{
    (void)snprintf(m->why, sizeof(m->why), "%s", why);
    conclude(m, m->is_newer ? RDB_UNKNOWN : RDB_DAMAGED, at);
    return NULL;
}

static const uint8_t *
damaged(struct rdb_parse *m, const uint8_t *p, const char *why)
{
    return damaged_at(m, offset_of(m, p), why);
}

/* ---- lengths ----------------------------------------------------------------------------------------------------- */

/* The length at P, for a step: what is behind it, or NULL. */
static inline const uint8_t *
need_length(struct rdb_parse *m, const uint8_t *p, const uint8_t *end, uint64_t *n)
{
    int size = rdb_take_length(p, end, n);

    if (size > 0)
        return p + size;
    return size == 0 ? NULL : damaged(m, p, "this is no length");
}

/* ---- payload ----------------------------------------------------------------------------------------------------- */

/* Go on with payload that an earlier slice did not hold all of. */
static const uint8_t *
resume_skip(struct rdb_parse *m, const uint8_t *p, const uint8_t *end)
{
    size_t room = (size_t)(end - p);
    size_t n = m->skip < room ? (size_t)m->skip : room;

    size_t kept = m->keep < n ? m->keep : n;

    if (kept > 0) {
        memcpy(m->keep_at, p, kept);
        m->keep_at += kept;
        m->keep -= kept;
    }
    m->skip -= n;
    return p + n;
}

static inline const uint8_t *
skip_payload(struct rdb_parse *m, const uint8_t *p, const uint8_t *end, uint64_t n)
{
    uint64_t room = (uint64_t)(end - p);

    if (n <= room)
        return p + n;
    m->skip = n - room;
    return end;
}

static const uint8_t *
resume_lzf(struct rdb_parse *m, const uint8_t *p, const uint8_t *end)
{
    const uint8_t *next = p;
    const uint8_t *stop = m->lzf_proven && end - p > LZF_STRIDE ? p + LZF_STRIDE : end;
    enum lzf_status status = lzf_run(&m->lzf, &next, stop);

    if (status == LZF_BAD)
        return damaged(m, next, "a compressed string does not unpack to its size");
    if (status == LZF_MORE && m->lzf_proven && m->lzf.out_done >= m->lzf.room) {
        m->in_lzf = false;
        return skip_payload(m, next, end, m->lzf.in_left);
    }
    m->in_lzf = status == LZF_MORE;
    return m->in_lzf && next == p ? NULL : next; /* NULL: an instruction that is not whole yet */
}

/* ---- strings ----------------------------------------------------------------------------------------------------- */

/* A text of N bytes begins. */
static void
begin_text(struct rdb_text *text, uint64_t n)
{
    text->full = n;
    text->len = n < text->room ? (size_t)n : text->room;
}

/* A number that stands for its decimal text. */
static const uint8_t *
take_number_string(struct rdb_parse *m, const uint8_t *p, const uint8_t *end, struct rdb_text *text)
{
    size_t size = (size_t)1 << (*p & 3);
    uint32_t v = 0;
    int64_t number = 0;

    if ((size_t)(end - p) < 1 + size)
        return NULL;
    for (size_t i = size; i > 0; i--)
        v = v << 8 | p[i];
    number = size == 1 ? (int8_t)v : size == 2 ? (int16_t)v : (int32_t)v;
    if (text != NULL)
        begin_text(text, (uint64_t)snprintf((char *)text->bytes, sizeof(text->bytes), "%" PRId64, number));
    m->step++;
    return p + 1 + size;
}

static const uint8_t *
take_lzf_string(struct rdb_parse *m, const uint8_t *p, const uint8_t *end, struct rdb_text *text)
{
    uint64_t packed = 0;
    uint64_t len = 0;
    const uint8_t *q = need_length(m, p + 1, end, &packed);

    if (q == NULL || (q = need_length(m, q, end, &len)) == NULL)
        return NULL;
    if (packed == 0 || len == 0)
        return damaged(m, p, "a compressed string is empty");
    m->step++;
    if (m->lzf_proven && text == NULL)
        return skip_payload(m, q, end, packed);
    if (text != NULL)
        begin_text(text, len);
    lzf_start(&m->lzf, packed, len, text != NULL ? text->bytes : NULL, text != NULL ? text->len : 0);
    m->in_lzf = true;
    return q;
}

/* Not a plain length. TEXT may be NULL. */
static const uint8_t *
take_encoded_string(struct rdb_parse *m, const uint8_t *p, const uint8_t *end, struct rdb_text *text)
{
    switch (*p) {
    case 0xc0:
    case 0xc1:
    case 0xc2:
        return take_number_string(m, p, end, text);
    case 0xc3:
        return take_lzf_string(m, p, end, text);
    default:
        return damaged(m, p, "this is no string");
    }
}

static inline const uint8_t *
step_string(struct rdb_parse *m, const uint8_t *p, const uint8_t *end)
{
    uint64_t n = 0;
    int size = rdb_take_length(p, end, &n);

    if (size < 0)
        return take_encoded_string(m, p, end, NULL);
    if (size == 0)
        return NULL;
    m->step++;
    return skip_payload(m, p + size, end, n);
}

/* A string whose beginning is kept. */
static const uint8_t *
take_text(struct rdb_parse *m, const uint8_t *p, const uint8_t *end, struct rdb_text *text)
{
    uint64_t n = 0;
    int size = rdb_take_length(p, end, &n);

    if (size < 0)
        return take_encoded_string(m, p, end, text);
    if (size == 0)
        return NULL;
    begin_text(text, n);
    m->keep = text->len;
    m->keep_at = text->bytes;
    m->skip = n;
    m->step++;
    return resume_skip(m, p + size, end);
}

static inline const uint8_t *
step_name(struct rdb_parse *m, const uint8_t *p, const uint8_t *end)
{
    if (m->watch.observer.fn == NULL)
        return step_string(m, p, end);
    rdb_watch_name(&m->watch);
    return take_text(m, p, end, &m->watch.name);
}

static inline const uint8_t *
step_value(struct rdb_parse *m, const uint8_t *p, const uint8_t *end)
{
    enum rdb_packing packing = (enum rdb_packing)m->step->arg;
    const uint8_t *next = NULL;

    if (m->watch.observer.fn == NULL)
        return step_string(m, p, end);
    packing = rdb_watch_value(&m->watch, packing);
    next = packing > RDB_PACKING_ELEMENT ? take_text(m, p, end, &m->watch.head) : step_string(m, p, end);
    if (next != NULL)
        rdb_watch_value_begun(&m->watch, packing, *p);
    return next;
}

/* ---- bytes ------------------------------------------------------------------------------------------------------- */

static const uint8_t *
step_double(struct rdb_parse *m, const uint8_t *p, const uint8_t *end)
{
    m->step++;
    return *p < 253 ? skip_payload(m, p + 1, end, *p) : p + 1;
}

static const uint8_t *
step_raw(struct rdb_parse *m, const uint8_t *p, const uint8_t *end)
{
    unsigned n = m->step->arg;

    m->step++;
    return skip_payload(m, p, end, n);
}

static const uint8_t *
step_expiry(struct rdb_parse *m, const uint8_t *p, const uint8_t *end)
{
    unsigned size = m->step->arg;
    uint64_t v = 0;

    if ((size_t)(end - p) < size)
        return NULL;
    for (size_t i = size; i > 0; i--)
        v = v << 8 | p[i - 1];
    m->watch.key.expires_ms = size == 4 ? (int64_t)(int32_t)v * 1000 : (int64_t)v;
    m->step++;
    return p + size;
}

/* ---- lengths with a meaning, and loops --------------------------------------------------------------------------- */

/* Behind the loop that STEP begins. */
static const struct rdb_step *
behind_loop(const struct rdb_step *step)
{
    unsigned depth = 0;

    do {
        if (step->op == RDB_OP_COUNT || step->op == RDB_OP_COUNT_01)
            depth++;
        else if (step->op == RDB_OP_AGAIN)
            depth--;
        step++;
    } while (depth > 0);
    return step;
}

static void
begin_loop(struct rdb_parse *m, uint64_t n)
{
    if (n == 0) {
        m->step = behind_loop(m->step);
        return;
    }
    REQUIRE(m->loop_count < RDB_LOOPS_MAX);
    m->step++;
    m->loops[m->loop_count++] = (struct rdb_loop){.first = m->step, .left = n};
}

static inline void
step_again(struct rdb_parse *m)
{
    struct rdb_loop *loop = &m->loops[m->loop_count - 1];

    if (--loop->left > 0) {
        m->step = loop->first;
    } else {
        m->loop_count--;
        m->step++;
    }
}

/* An item of a module's value; RDB_OP_ITEM_END leads back to this step. */
static bool
begin_item(struct rdb_parse *m, uint64_t number)
{
    const struct rdb_step *item = rdb_grammar_module_item(number);

    m->items = m->step;
    m->step = item;
    return item != NULL;
}

/* The length N stood from P to NEXT: what this step makes of it. */
static inline const uint8_t *
use_length(struct rdb_parse *m, const uint8_t *p, const uint8_t *next, uint64_t n)
{
    switch (m->step->op) {
    case RDB_OP_COUNT_01:
        if (n > 1)
            return damaged(m, p, "a flag is neither 0 nor 1");
        begin_loop(m, n);
        return next;
    case RDB_OP_COUNT:
        if (m->step->arg == 1)
            rdb_watch_elements(&m->watch, n);
        begin_loop(m, n);
        return next;
    case RDB_OP_MODULE_ITEMS:
        if (n != 0)
            return begin_item(m, n) ? next : unknown(m, p, "module item %" PRIu64, n);
        break;
    case RDB_OP_MODULE_ID:
        rdb_tally_module(m->info, n, m->step->arg == 1);
        break;
    case RDB_OP_MODULE_UINT:
        if (n != 2)
            return damaged(m, p, "a module's record does not say when it was written");
        break;
    case RDB_OP_QUICK_NODE:
        if (n != 1 && n != 2)
            return damaged(m, p, "a list node is neither plain nor packed");
        m->watch.node_is_plain = n == 1;
        break;
    case RDB_OP_DATABASE:
        if (!settle_db(m))
            return unknown(m, p, "more than %d databases", RDB_DATABASES_MAX);
        m->db = n;
        break;
    default:
        REQUIRE(m->step->op == RDB_OP_LENGTH);
        if (m->step->arg == 1)
            rdb_watch_elements(&m->watch, n);
    }
    m->step++;
    return next;
}

static const uint8_t *
step_length(struct rdb_parse *m, const uint8_t *p, const uint8_t *end)
{
    uint64_t n = 0;
    const uint8_t *next = need_length(m, p, end, &n);

    return next == NULL ? NULL : use_length(m, p, next, n);
}

/* ---- the frame --------------------------------------------------------------------------------------------------- */

/* COUNT decimal digits, or false. */
static bool
take_digits(const uint8_t *p, size_t count, unsigned *n)
{
    *n = 0;
    for (size_t i = 0; i < count; i++) {
        if (p[i] < '0' || p[i] > '9')
            return false;
        *n = *n * 10 + (unsigned)(p[i] - '0');
    }
    return true;
}

static const uint8_t *
step_header(struct rdb_parse *m, const uint8_t *p, const uint8_t *end)
{
    bool is_valkey = *p == 'V';
    size_t magic = is_valkey ? 6 : 5;
    unsigned version = 0;

    if (end - p < HEADER_LEN)
        return NULL;
    if (memcmp(p, is_valkey ? "VALKEY" : "REDIS", magic) != 0)
        return damaged(m, p, "it does not start with REDIS or VALKEY");
    if (!take_digits(p + magic, HEADER_LEN - magic, &version) || version < (is_valkey ? OLDEST_VALKEY : 1))
        return damaged(m, p + magic, "no version has this number");
    m->info->kind = is_valkey ? RDB_VALKEY : RDB_REDIS;
    m->info->version = version;
    m->records = rdb_grammar_records(m->info->kind);
    m->is_newer = version > (is_valkey ? RDB_NEWEST_VALKEY : RDB_NEWEST_REDIS);
    m->step = record_steps;
    return p + HEADER_LEN;
}

static inline const uint8_t *
step_record(struct rdb_parse *m, const uint8_t *p)
{
    const struct rdb_record *record = &m->records[*p];

    if (record->steps == NULL || m->info->version < record->since)
        return unknown(m, p, "%s %u", *p < FIRST_OPCODE ? "value type" : "opcode", *p);
    if (m->about_key && record->place == RDB_PLACE_RECORD)
        return damaged(m, p, "a key was announced and does not follow");
    if (m->watch.observer.fn != NULL)
        rdb_watch_record(&m->watch, *p, offset_of(m, p), !m->about_key);
    m->step = record->steps;
    return p + 1;
}

static uint64_t
trailer_len(const struct rdb_parse *m)
{
    return m->info->version >= RDB_FIRST_WITH_CRC ? RDB_TRAILER_LEN : 0;
}

/* Behind the end mark: as many bytes as the CRC has, and no more. */
static const uint8_t *
step_checksum(struct rdb_parse *m, const uint8_t *p, const uint8_t *end)
{
    uint64_t room = trailer_len(m) - m->trailer;

    if ((uint64_t)(end - p) > room)
        return damaged(m, p + room, "there are bytes behind its end");
    m->trailer += (uint64_t)(end - p);
    return end;
}

/* ---- the ends of records ----------------------------------------------------------------------------------------- */

static inline void
end_key(struct rdb_parse *m, const uint8_t *p)
{
    enum rdb_type type = (enum rdb_type)m->step->arg;

    if (m->watch.observer.fn != NULL)
        rdb_watch_tell(&m->watch, m->db, type, m->expires, offset_of(m, p));
    m->info->types[type]++;
    m->info->keys++;
    m->db_keys++;
    if (m->about_key) {
        m->info->expires += m->expires ? 1 : 0;
        m->db_expires += m->expires ? 1 : 0;
        m->about_key = false;
        m->expires = false;
    }
    m->step = record_steps;
}

/* The text, or nothing where not all of it was kept. */
static void
tally_aux(struct rdb_parse *m)
{
    const struct rdb_text *name = &m->texts[0], *value = &m->texts[1];

    rdb_tally_aux(m->info, (const char *)name->bytes, name->len == name->full ? name->len : 0,
                  (const char *)value->bytes, value->len == value->full ? value->len : 0);
}

/* A step that reads nothing; P is where it stands. */
static inline void
run_silent(struct rdb_parse *m, const uint8_t *p)
{
    switch (m->step->op) {
    case RDB_OP_AGAIN:
        step_again(m);
        return;
    case RDB_OP_KEY_END:
        end_key(m, p);
        return;
    case RDB_OP_ITEM_END:
        m->step = m->items;
        return;
    case RDB_OP_EXPIRY_END:
        m->expires = true;
        m->about_key = true;
        break;
    case RDB_OP_TRAIT_END:
        m->about_key = true;
        break;
    case RDB_OP_AUX_END:
        tally_aux(m);
        break;
    case RDB_OP_FUNCTION_END:
        m->info->functions++;
        break;
    default:
        REQUIRE(m->step->op == RDB_OP_END);
    }
    m->step = record_steps;
}

/* ---- the machine ------------------------------------------------------------------------------------------------- */

/* One step; P < END. */
static inline const uint8_t *
run_step(struct rdb_parse *m, const uint8_t *p, const uint8_t *end)
{
    switch (m->step->op) {
    case RDB_OP_STRING:
        return step_string(m, p, end);
    case RDB_OP_NAME:
        return step_name(m, p, end);
    case RDB_OP_VALUE:
        return step_value(m, p, end);
    case RDB_OP_RECORD:
        return step_record(m, p);
    case RDB_OP_RAW:
        return step_raw(m, p, end);
    case RDB_OP_EXPIRY:
        return step_expiry(m, p, end);
    case RDB_OP_LENGTH:
    case RDB_OP_COUNT:
    case RDB_OP_COUNT_01:
    case RDB_OP_DATABASE:
    case RDB_OP_QUICK_NODE:
    case RDB_OP_MODULE_ID:
    case RDB_OP_MODULE_UINT:
    case RDB_OP_MODULE_ITEMS:
        return step_length(m, p, end);
    case RDB_OP_TEXT:
        return take_text(m, p, end, &m->texts[m->step->arg]);
    case RDB_OP_DOUBLE:
        return step_double(m, p, end);
    case RDB_OP_HEADER:
        return step_header(m, p, end);
    case RDB_OP_CHECKSUM:
        return step_checksum(m, p, end);
    default:
        run_silent(m, p);
        return p;
    }
}

/* Run over a slice that starts AT bytes into the dump; returns how much of it was taken. */
static size_t
run(struct rdb_parse *m, const uint8_t *data, size_t len, uint64_t at)
{
    const uint8_t *p = data;
    const uint8_t *end = data + len;

    m->slice = data;
    m->slice_at = at;
    if (m->skip > 0)
        p = resume_skip(m, p, end);
    while (p < end) {
        const uint8_t *next = m->in_lzf ? resume_lzf(m, p, end) : run_step(m, p, end);

        if (next == NULL)
            break;
        p = next;
    }
    return (size_t)(p - data);
}

/* Read the atom that was carried over, with what follows it; returns how many of the new bytes that took. */
static size_t
run_carry(struct rdb_parse *m, const uint8_t *data, size_t len)
{
    size_t more = len < RDB_ATOM_MAX ? len : RDB_ATOM_MAX;
    size_t carried = m->carried;
    size_t taken = 0;

    memcpy(m->carry + carried, data, more);
    taken = run(m, m->carry, carried + more, m->fed - carried);
    if (taken == 0) {
        m->carried += more; /* the atom is longer still, or it was the end */
        REQUIRE(m->verdict != RDB_FINE || m->carried < RDB_ATOM_MAX);
        return more;
    }
    m->carried = 0;
    return taken - carried;
}

void
rdb_parse_init(struct rdb_parse *m, struct rdb_info *info)
{
    *m = (struct rdb_parse){.info = info, .verdict = RDB_FINE, .step = header_steps};
    m->texts[0].room = m->texts[1].room = sizeof(m->texts[0].bytes);
    rdb_watch_init(&m->watch);
}

void
rdb_parse_feed(struct rdb_parse *m, const uint8_t *data, size_t len)
{
    size_t taken = 0;

    if (m->verdict != RDB_FINE || len == 0)
        return;
    if (m->carried > 0)
        taken = run_carry(m, data, len);
    if (m->verdict == RDB_FINE && m->carried == 0) {
        taken += run(m, data + taken, len - taken, m->fed + taken);
        m->carried = m->verdict == RDB_FINE ? len - taken : 0;
        REQUIRE(m->carried < RDB_ATOM_MAX);
        memcpy(m->carry, data + taken, m->carried);
    }
    m->fed += len;
}

void
rdb_parse_finish(struct rdb_parse *m)
{
    if (m->verdict != RDB_FINE)
        return;
    if (m->step->op != RDB_OP_CHECKSUM || m->trailer != trailer_len(m)) {
        (void)damaged_at(m, m->fed, m->fed == 0 ? "it is empty" : "it ends here, before its end mark and checksum");
    } else if (!settle_db(m)) {
        (void)snprintf(m->why, sizeof(m->why), "more than %d databases", RDB_DATABASES_MAX);
        conclude(m, RDB_UNKNOWN, m->fed - m->trailer - 1);
    }
}
