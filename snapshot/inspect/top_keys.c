/* SPDX-License-Identifier: Apache-2.0 */
/* top_keys.c: see top_keys.h. A heap whose root is the least of the keys that are kept: most keys are turned away after
 * one comparison with it. */
#include "snapshot/inspect/top_keys.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct top_keys {
    struct top_key *heap;
    size_t count, room;
};

struct top_keys *
top_keys_new(size_t n)
{
    struct top_keys *t = mem_new(sizeof(*t));

    t->heap = mem_array(n, sizeof(*t->heap));
    t->room = n;
    return t;
}

void
top_keys_free(struct top_keys *t)
{
    if (t == NULL)
        return;
    for (size_t i = 0; i < t->count; i++)
        free((void *)(uintptr_t)t->heap[i].key.name);
    free(t->heap);
    free(t);
}

static int
compare_names(const struct rdb_key *a, const struct rdb_key *b)
{
    size_t len = a->name_len < b->name_len ? a->name_len : b->name_len;
    int order = len > 0 ? memcmp(a->name, b->name, len) : 0;

    if (order != 0)
        return order;
    if (a->name_full_len != b->name_full_len)
        return a->name_full_len < b->name_full_len ? -1 : 1;
    return a->database < b->database ? -1 : a->database > b->database;
}

/* Below 0 where A comes before B in the result: it is larger. */
static int
compare(const void *left, const void *right)
{
    const struct top_key *a = left, *b = right;

    if (a->measure != b->measure)
        return a->measure > b->measure ? -1 : 1;
    return compare_names(&a->key, &b->key);
}

static void
swap(struct top_key *a, struct top_key *b)
{
    const struct top_key c = *a;

    *a = *b;
    *b = c;
}

static void
sift_up(struct top_key *heap, size_t at)
{
    for (; at > 0 && compare(&heap[at], &heap[(at - 1) / 2]) > 0; at = (at - 1) / 2)
        swap(&heap[at], &heap[(at - 1) / 2]);
}

static void
sift_down(struct top_key *heap, size_t count)
{
    for (size_t at = 0, child = 1; child < count; at = child, child = 2 * at + 1) {
        if (child + 1 < count && compare(&heap[child + 1], &heap[child]) > 0)
            child++;
        if (compare(&heap[child], &heap[at]) <= 0)
            return;
        swap(&heap[child], &heap[at]);
    }
}

void
top_keys_add(struct top_keys *t, const struct rdb_key *key, uint64_t measure)
{
    struct top_key entry = {.measure = measure, .key = *key};
    bool is_full = t->count == t->room;

    if (t->room == 0 || (is_full && compare(&entry, &t->heap[0]) >= 0))
        return;
    entry.key.name = (const uint8_t *)mem_strndup((const char *)key->name, key->name_len);
    if (is_full) {
        free((void *)(uintptr_t)t->heap[0].key.name);
        t->heap[0] = entry;
        sift_down(t->heap, t->count);
    } else {
        t->heap[t->count] = entry;
        sift_up(t->heap, t->count++);
    }
}

const struct top_key *
top_keys_sort(struct top_keys *t, size_t *count)
{
    *count = t->count;
    if (t->count > 0)
        qsort(t->heap, t->count, sizeof(*t->heap), compare);
    return t->heap;
}
