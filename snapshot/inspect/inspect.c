/* SPDX-License-Identifier: Apache-2.0 */
/* inspect.c: see inspect.h. */
#include "snapshot/inspect/inspect.h"

#include <stdlib.h>

#include "base/compiler.h"
#include "base/mem.h"

#define HOUR_MS     ((int64_t)60 * 60 * 1000)
#define FIRST_LIMIT UINT64_C(16) /* of the sizes; each step is four times as large as the one before it */

const char *
inspect_expiry_name(enum inspect_expiry expiry)
{
    static const char *const names[INSPECT_EXPIRY_COUNT] = {
        [INSPECT_NEVER] = "never", [INSPECT_PAST] = "past",   [INSPECT_HOUR] = "hour",   [INSPECT_DAY] = "day",
        [INSPECT_WEEK] = "week",   [INSPECT_MONTH] = "month", [INSPECT_LATER] = "later",
    };

    return names[expiry];
}

struct inspect *
inspect_new(const struct inspect_options *options)
{
    struct inspect *x = mem_new(sizeof(*x));

    REQUIRE(options->top <= INSPECT_TOP_MAX);
    x->now_ms = options->now_ms;
    x->dbs = mem_array(INSPECT_DATABASES_MAX, sizeof(*x->dbs));
    x->by_bytes = top_keys_new(options->top);
    x->by_elements = top_keys_new(options->top);
    x->prefixes = prefixes_new(&options->prefixes);
    return x;
}

void
inspect_free(struct inspect *x)
{
    if (x == NULL)
        return;
    free(x->dbs);
    top_keys_free(x->by_bytes);
    top_keys_free(x->by_elements);
    prefixes_free(x->prefixes);
    free(x);
}

/* ---- one key ----------------------------------------------------------------------------------------------------- */

/* From the last on: servers write one database after the other. */
static struct inspect_db *
find_db(struct inspect *x, uint64_t number)
{
    for (size_t i = x->db_count; i > 0; i--) {
        if (x->dbs[i - 1].number == number)
            return &x->dbs[i - 1];
    }
    if (x->db_count == INSPECT_DATABASES_MAX)
        return &x->other_dbs;
    x->dbs[x->db_count].number = number;
    return &x->dbs[x->db_count++];
}

static enum inspect_expiry
expiry_of(const struct rdb_key *key, int64_t now_ms)
{
    static const struct {
        enum inspect_expiry expiry;
        int64_t within_ms;
    } steps[] = {
        {INSPECT_HOUR, HOUR_MS},
        {INSPECT_DAY, 24 * HOUR_MS},
        {INSPECT_WEEK, 7 * 24 * HOUR_MS},
        {INSPECT_MONTH, 30 * 24 * HOUR_MS},
    };

    if (!key->expires)
        return INSPECT_NEVER;
    if (key->expires_ms <= now_ms)
        return INSPECT_PAST;
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        if (key->expires_ms <= now_ms + steps[i].within_ms)
            return steps[i].expiry;
    }
    return INSPECT_LATER;
}

uint64_t
inspect_size_limit(size_t i)
{
    return i + 1 < INSPECT_SIZES ? FIRST_LIMIT << 2 * i : UINT64_MAX;
}

static size_t
size_of(uint64_t bytes)
{
    size_t i = 0;

    while (i + 1 < INSPECT_SIZES && bytes >= inspect_size_limit(i))
        i++;
    return i;
}

static void
take_key(const struct rdb_key *key, void *cookie)
{
    struct inspect *x = cookie;
    const struct inspect_sum one = inspect_sum_of(key);
    struct inspect_db *db = find_db(x, key->database);

    inspect_sum_add(&x->all, &one);
    inspect_sum_add(&db->all, &one);
    inspect_sum_add(&db->sums[key->type][key->encoding], &one);
    inspect_sum_add(&x->expiry[expiry_of(key, x->now_ms)], &one);
    inspect_sum_add(&x->sizes[size_of(key->bytes)], &one);
    top_keys_add(x->by_bytes, key, key->bytes);
    if (key->elements != RDB_ELEMENTS_UNKNOWN)
        top_keys_add(x->by_elements, key, (uint64_t)key->elements);
    prefixes_add(x->prefixes, key);
}

struct rdb_observer
inspect_observer(struct inspect *x)
{
    return (struct rdb_observer){.fn = take_key, .cookie = x};
}

/* ---- the result -------------------------------------------------------------------------------------------------- */

static int
compare_dbs(const void *left, const void *right)
{
    const struct inspect_db *a = left, *b = right;

    return a->number < b->number ? -1 : a->number > b->number;
}

void
inspect_finish(struct inspect *x)
{
    qsort(x->dbs, x->db_count, sizeof(*x->dbs), compare_dbs);
}

static void
add_db(struct inspect_db *to, const struct inspect_db *more)
{
    inspect_sum_add(&to->all, &more->all);
    for (int t = 0; t < RDB_TYPE_COUNT; t++)
        for (int e = 0; e < RDB_ENCODING_COUNT; e++)
            inspect_sum_add(&to->sums[t][e], &more->sums[t][e]);
}

void
inspect_sum_all(const struct inspect *x, struct inspect_db *all)
{
    *all = x->other_dbs;
    for (size_t i = 0; i < x->db_count; i++)
        add_db(all, &x->dbs[i]);
}
