/* SPDX-License-Identifier: Apache-2.0 */
/* inspect_text.c: what an inspection found, for people; see inspect_report.h. Names stand last in their rows: they may
 * be long. */
#include "agent/inspect_report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "agent/key_name.h"
#include "agent/table.h"
#include "base/units.h"

#define NAME_COLUMNS 100

/* ---- cells ------------------------------------------------------------------------------------------------------- */

static void
count_cell(struct table *t, uint64_t n)
{
    char text[UNITS_TEXT_MAX];

    table_cell(t, units_format_count(n, text));
}

static void
size_cell(struct table *t, uint64_t bytes)
{
    char text[UNITS_TEXT_MAX];

    table_cell(t, units_format_size(bytes, text));
}

/* PART of ALL, "12.3%". */
static void
share_cell(struct table *t, uint64_t part, uint64_t all)
{
    char text[UNITS_TEXT_MAX];

    (void)snprintf(text, sizeof(text), "%.1f%%", all > 0 ? 100.0 * (double)part / (double)all : 0.0);
    table_cell(t, text);
}

static void
sum_cells(struct table *t, const struct inspect_sum *sum, const struct inspect_sum *all)
{
    count_cell(t, sum->keys);
    count_cell(t, sum->expires);
    size_cell(t, sum->bytes);
    share_cell(t, sum->bytes, all->bytes);
}

static void
name_cell(struct table *t, const uint8_t *name, size_t len, bool is_cut)
{
    char *text = key_name_text(name, len, is_cut, NAME_COLUMNS);

    table_cell(t, text);
    free(text);
}

/* ---- sections ---------------------------------------------------------------------------------------------------- */

/* A title and a table, which is freed. */
static int
section(struct buf *out, const char *title, struct table *t, struct err *err)
{
    int rc = buf_printf(out, err, "\n%s\n", title);

    if (rc == 0)
        rc = table_write(t, out, err);
    table_free(t);
    return rc;
}

static int
put_head(const struct inspect_report *r, struct buf *out, struct err *err)
{
    const struct inspect_sum *all = &r->found->all;
    char keys[UNITS_TEXT_MAX], expires[UNITS_TEXT_MAX], size[UNITS_TEXT_MAX], time[UNITS_TEXT_MAX];
    int rc;

    if (r->backup != NULL)
        rc = buf_printf(out, err, "%-8s %s of %s, snapshot time %s\n", "backup", r->backup->id.text,
                        r->backup->instance, units_format_time(r->backup->snapshot_ms, time));
    else
        rc = buf_printf(out, err, "%-8s %s\n", "file", r->path);
    if (rc < 0 ||
        buf_printf(out, err, "%-8s %s version %u, %s", "dump", r->rdb->kind == RDB_VALKEY ? "VALKEY" : "REDIS",
                   r->rdb->version, units_format_size(r->rdb->bytes, size)) < 0)
        return -1;
    if (r->rdb->server_version[0] != '\0' && buf_printf(out, err, ", written by %s", r->rdb->server_version) < 0)
        return -1;
    return buf_printf(out, err, "\n%-8s %s, %s of them with a time to live; %s in the dump\n", "keys",
                      units_format_count(all->keys, keys), units_format_count(all->expires, expires),
                      units_format_size(all->bytes, size));
}

static int
put_databases(const struct inspect *x, struct buf *out, struct err *err)
{
    static const struct table_column columns[] = {
        {"DATABASE", false}, {"KEYS", true}, {"EXPIRE", true}, {"SIZE", true}, {"SHARE", true}};
    struct table *t = table_new(columns, ARRAY_LEN(columns));
    char number[UNITS_TEXT_MAX];

    for (size_t i = 0; i < x->db_count; i++) {
        (void)snprintf(number, sizeof(number), "%" PRIu64, x->dbs[i].number);
        table_cell(t, number);
        sum_cells(t, &x->dbs[i].all, &x->all);
    }
    if (x->other_dbs.all.keys > 0) {
        table_cell(t, "(others)");
        sum_cells(t, &x->other_dbs.all, &x->all);
    }
    return section(out, "Databases", t, err);
}

static int
put_types(const struct inspect *x, struct buf *out, struct err *err)
{
    static const struct table_column columns[] = {{"TYPE", false},  {"ENCODING", false}, {"KEYS", true},
                                                  {"EXPIRE", true}, {"SIZE", true},      {"SHARE", true}};
    struct table *t = table_new(columns, ARRAY_LEN(columns));
    struct inspect_db all;

    inspect_sum_all(x, &all);
    for (int type = 0; type < RDB_TYPE_COUNT; type++) {
        for (int e = 0; e < RDB_ENCODING_COUNT; e++) {
            if (all.sums[type][e].keys == 0)
                continue;
            table_cell(t, rdb_type_name((enum rdb_type)type));
            table_cell(t, rdb_encoding_name((enum rdb_encoding)e));
            sum_cells(t, &all.sums[type][e], &x->all);
        }
    }
    return section(out, "Types and encodings", t, err);
}

static int
put_expiry(const struct inspect *x, struct buf *out, struct err *err)
{
    static const struct table_column columns[] = {{"EXPIRES", false}, {"KEYS", true}, {"SIZE", true}, {"SHARE", true}};
    static const char *const words[INSPECT_EXPIRY_COUNT] = {
        [INSPECT_NEVER] = "never",      [INSPECT_PAST] = "has run out",   [INSPECT_HOUR] = "within an hour",
        [INSPECT_DAY] = "within a day", [INSPECT_WEEK] = "within a week", [INSPECT_MONTH] = "within 30 days",
        [INSPECT_LATER] = "later",
    };
    struct table *t = table_new(columns, ARRAY_LEN(columns));
    char now[UNITS_TEXT_MAX], title[2 * UNITS_TEXT_MAX];

    for (int i = 0; i < INSPECT_EXPIRY_COUNT; i++) {
        table_cell(t, words[i]);
        count_cell(t, x->expiry[i].keys);
        size_cell(t, x->expiry[i].bytes);
        share_cell(t, x->expiry[i].bytes, x->all.bytes);
    }
    (void)snprintf(title, sizeof(title), "Expiry, as of %s", units_format_time(x->now_ms, now));
    return section(out, title, t, err);
}

/* From the first step that has keys to the last. */
static int
put_sizes(const struct inspect *x, struct buf *out, struct err *err)
{
    static const struct table_column columns[] = {
        {"SIZE OF A KEY", false}, {"KEYS", true}, {"SIZE", true}, {"SHARE", true}};
    struct table *t = table_new(columns, ARRAY_LEN(columns));
    char limit[UNITS_TEXT_MAX], text[2 * UNITS_TEXT_MAX];

    for (size_t i = 0; i < INSPECT_SIZES; i++) {
        bool is_last = i + 1 == INSPECT_SIZES;

        if (x->sizes[i].keys == 0)
            continue;
        (void)snprintf(text, sizeof(text), "%s %s", is_last ? "from" : "below",
                       units_format_size(inspect_size_limit(is_last ? i - 1 : i), limit));
        table_cell(t, text);
        count_cell(t, x->sizes[i].keys);
        size_cell(t, x->sizes[i].bytes);
        share_cell(t, x->sizes[i].bytes, x->all.bytes);
    }
    return section(out, "Sizes", t, err);
}

static void
add_prefixes(struct table *t, const struct inspect_report *r)
{
    struct prefixes *table = r->found->prefixes;
    size_t count = 0;
    const struct prefix *p = prefixes_sort(table, &count);
    struct inspect_sum rest = *prefixes_others(table);

    for (size_t i = 0; i < count; i++) {
        if (i >= r->options.top) {
            inspect_sum_add(&rest, &p[i].sum);
            continue;
        }
        sum_cells(t, &p[i].sum, &r->found->all);
        if (p[i].len > 0)
            name_cell(t, prefixes_name(table, &p[i]), p[i].len, false);
        else
            table_cell(t, "(none)");
    }
    if (rest.keys > 0) {
        sum_cells(t, &rest, &r->found->all);
        table_cell(t, "(others)");
    }
}

static int
put_prefixes(const struct inspect_report *r, struct buf *out, struct err *err)
{
    static const struct table_column columns[] = {
        {"KEYS", true}, {"EXPIRE", true}, {"SIZE", true}, {"SHARE", true}, {"PREFIX", false}};
    struct table *t = table_new(columns, ARRAY_LEN(columns));
    uint64_t missed = prefixes_bytes_missed(r->found->prefixes);
    char size[UNITS_TEXT_MAX];

    add_prefixes(t, r);
    if (section(out, "Prefixes with the most bytes", t, err) < 0)
        return -1;
    if (missed == 0)
        return 0;
    return buf_printf(out, err,
                      "There were more prefixes than could be told apart: figures are lower bounds, and no prefix has "
                      "over %s more.\n",
                      units_format_size(missed, size));
}

static int
put_largest(const struct inspect *x, const char *title, struct top_keys *keys, struct buf *out, struct err *err)
{
    static const struct table_column columns[] = {{"SIZE", true},  {"ELEMENTS", true},  {"DATABASE", true},
                                                  {"TYPE", false}, {"ENCODING", false}, {"EXPIRES", false},
                                                  {"NAME", false}};
    struct table *t = table_new(columns, ARRAY_LEN(columns));
    size_t count = 0;
    const struct top_key *top = top_keys_sort(keys, &count);
    char text[UNITS_TEXT_MAX];

    for (size_t i = 0; i < count; i++) {
        const struct rdb_key *key = &top[i].key;

        size_cell(t, key->bytes);
        table_cell(t, key->elements != RDB_ELEMENTS_UNKNOWN ? units_format_count((uint64_t)key->elements, text) : "");
        (void)snprintf(text, sizeof(text), "%" PRIu64, key->database);
        table_cell(t, text);
        table_cell(t, rdb_type_name(key->type));
        table_cell(t, rdb_encoding_name(key->encoding));
        if (!key->expires)
            table_cell(t, "never");
        else if (key->expires_ms <= x->now_ms)
            table_cell(t, "has run out");
        else
            table_cell(t, units_format_duration(key->expires_ms - x->now_ms, text));
        name_cell(t, key->name, key->name_len, key->name_len < key->name_full_len);
    }
    return section(out, title, t, err);
}

int
inspect_report_text(const struct inspect_report *r, struct buf *out, struct err *err)
{
    const struct inspect *x = r->found;

    if (put_head(r, out, err) < 0)
        return -1;
    if (x->all.keys == 0)
        return 0;
    if (put_databases(x, out, err) < 0 || put_types(x, out, err) < 0 || put_expiry(x, out, err) < 0 ||
        put_sizes(x, out, err) < 0 || put_prefixes(r, out, err) < 0)
        return -1;
    if (put_largest(x, "Largest keys", x->by_bytes, out, err) < 0)
        return -1;
    return put_largest(x, "Keys with the most elements", x->by_elements, out, err);
}
