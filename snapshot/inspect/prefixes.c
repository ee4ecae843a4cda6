/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prefixes.c: see prefixes.h. Entries stand in the order in which they came, and so do their names; an index of twice
 * the size, with linear probing, leads to them. Making room keeps that order, so that the names are moved together in
 * one pass.
 */
#include "snapshot/inspect/prefixes.h"

#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "base/mem.h"
#include "base/siphash.h"

struct prefixes {
    struct prefix_options options;
    struct prefix *entries;
    size_t count;
    uint8_t *names;
    size_t names_len;
    uint32_t *index; /* number of an entry and one; 0: free */
    size_t index_mask;
    uint64_t *credits;         /* of all entries, while room is made */
    struct siphash_key secret; /* names are chosen by whoever may set keys */
    struct inspect_sum others;
    uint64_t bytes_missed;
};

struct prefixes *
prefixes_new(const struct prefix_options *options)
{
    struct prefixes *t = mem_new(sizeof(*t));
    size_t slots = 2;

    t->options = *options;
    if (t->options.prefixes_max == 0)
        t->options.prefixes_max = PREFIXES_MAX;
    if (t->options.names_max == 0)
        t->options.names_max = PREFIXES_NAMES_MAX;
    REQUIRE(t->options.names_max >= RDB_KEY_NAME_MAX && t->options.names_max <= UINT32_MAX);
    while (slots < 2 * t->options.prefixes_max)
        slots *= 2;
    t->entries = mem_array(t->options.prefixes_max, sizeof(*t->entries));
    t->credits = mem_array(t->options.prefixes_max, sizeof(*t->credits));
    t->names = mem_new(t->options.names_max);
    t->index = mem_array(slots, sizeof(*t->index));
    t->index_mask = slots - 1;
    siphash_key_make(&t->secret);
    return t;
}

void
prefixes_free(struct prefixes *t)
{
    if (t == NULL)
        return;
    free(t->entries);
    free(t->credits);
    free(t->names);
    free(t->index);
    free(t);
}

size_t
prefixes_cut(const struct prefix_options *options, const uint8_t *name, size_t len)
{
    size_t cut = 0;

    for (unsigned part = 0; part < options->depth && cut < len; part++) {
        const uint8_t *found = memchr(name + cut, (unsigned char)options->separator, len - cut);

        if (found == NULL)
            break;
        cut = (size_t)(found - name) + 1;
    }
    return cut;
}

/* ---- the index --------------------------------------------------------------------------------------------------- */

/* The place of NAME in the index, or the free one where it belongs. */
static size_t
find(const struct prefixes *t, const uint8_t *name, size_t len)
{
    size_t at = (size_t)siphash(&t->secret, name, len) & t->index_mask;

    for (; t->index[at] != 0; at = (at + 1) & t->index_mask) {
        const struct prefix *p = &t->entries[t->index[at] - 1];

        if (p->len == len && memcmp(t->names + p->name, name, len) == 0)
            break;
    }
    return at;
}

/* ---- making room ------------------------------------------------------------------------------------------------- */

static int
compare_numbers(const void *left, const void *right)
{
    const uint64_t *a = left, *b = right;

    return *a < *b ? -1 : *a > *b;
}

static uint64_t
median_credit(struct prefixes *t)
{
    for (size_t i = 0; i < t->count; i++)
        t->credits[i] = t->entries[i].credit;
    qsort(t->credits, t->count, sizeof(*t->credits), compare_numbers);
    return t->credits[t->count / 2];
}

/* Move entry P to the end of what is kept. */
static void
keep(struct prefixes *t, const struct prefix *p)
{
    struct prefix *to = &t->entries[t->count];

    memmove(t->names + t->names_len, t->names + p->name, p->len);
    *to = *p;
    to->name = (uint32_t)t->names_len;
    t->names_len += to->len;
    t->count++;
    t->index[find(t, t->names + to->name, to->len)] = (uint32_t)t->count;
}

static void
make_room(struct prefixes *t)
{
    uint64_t taken = median_credit(t);
    size_t count = t->count;

    t->count = 0;
    t->names_len = 0;
    memset(t->index, 0, (t->index_mask + 1) * sizeof(*t->index));
    for (size_t i = 0; i < count; i++) {
        struct prefix p = t->entries[i];

        if (p.credit > taken) {
            p.credit -= taken;
            keep(t, &p);
        } else {
            inspect_sum_add(&t->others, &p.sum);
        }
    }
    t->bytes_missed += taken;
}

/* ---- counting ---------------------------------------------------------------------------------------------------- */

static struct prefix *
enter(struct prefixes *t, const uint8_t *name, size_t len)
{
    struct prefix *p = NULL;

    while (t->count == t->options.prefixes_max || t->names_len + len > t->options.names_max)
        make_room(t);
    p = &t->entries[t->count++];
    *p = (struct prefix){.name = (uint32_t)t->names_len, .len = (uint32_t)len};
    if (len > 0)
        memcpy(t->names + t->names_len, name, len);
    t->names_len += len;
    t->index[find(t, name, len)] = (uint32_t)t->count;
    return p;
}

void
prefixes_add(struct prefixes *t, const struct rdb_key *key)
{
    const struct inspect_sum one = inspect_sum_of(key);
    size_t len = prefixes_cut(&t->options, key->name, key->name_len);
    uint32_t found = t->index[find(t, key->name, len)];
    struct prefix *p = found != 0 ? &t->entries[found - 1] : enter(t, key->name, len);

    inspect_sum_add(&p->sum, &one);
    p->credit += key->bytes;
}

/* ---- the result -------------------------------------------------------------------------------------------------- */

static int
compare(const void *left, const void *right, void *table)
{
    const struct prefix *a = left, *b = right;
    const struct prefixes *t = table;
    uint32_t len = a->len < b->len ? a->len : b->len;
    int order = 0;

    if (a->sum.bytes != b->sum.bytes)
        return a->sum.bytes > b->sum.bytes ? -1 : 1;
    order = memcmp(t->names + a->name, t->names + b->name, len);
    return order != 0 ? order : a->len < b->len ? -1 : a->len > b->len;
}

const struct prefix *
prefixes_sort(struct prefixes *t, size_t *count)
{
    *count = t->count;
    qsort_r(t->entries, t->count, sizeof(*t->entries), compare, t);
    return t->entries;
}

const uint8_t *
prefixes_name(const struct prefixes *t, const struct prefix *p)
{
    return t->names + p->name;
}

const struct inspect_sum *
prefixes_others(const struct prefixes *t)
{
    return &t->others;
}

uint64_t
prefixes_bytes_missed(const struct prefixes *t)
{
    return t->bytes_missed;
}
