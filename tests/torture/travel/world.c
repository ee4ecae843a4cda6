/* SPDX-License-Identifier: Apache-2.0 */
/* world.c: see world.h: chance, the store behind the faults, and what the model knows. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/units.h"
#include "snapshot/repo/fact.h"
#include "storage/store_mem.h"
#include "tests/torture/travel/world.h"

/* ---- chance ------------------------------------------------------------------------------------------------------ */

static uint64_t
next_random(struct world *w)
{
    uint64_t v = w->random += UINT64_C(0x9e3779b97f4a7c15);

    v = (v ^ v >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    v = (v ^ v >> 27) * UINT64_C(0x94d049bb133111eb);
    return v ^ v >> 31;
}

uint64_t
below(struct world *w, uint64_t n)
{
    return n == 0 ? 0 : next_random(w) % n;
}

bool
chance(struct world *w, unsigned in_ten_thousand)
{
    return below(w, 10000) < in_ten_thousand;
}

/* FROM to TO, short times as likely as long ones. */
int64_t
span(struct world *w, int64_t from, int64_t to)
{
    int64_t t = from;

    while (t * 2 < to && below(w, 3) != 0)
        t *= 2;
    return t + (int64_t)below(w, (uint64_t)(t < to - t ? t : to - t) + 1);
}

void
broken(struct world *w, const struct item *item, const char *fmt, ...)
{
    char when[UNITS_TEXT_MAX], text[512];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    if (!w->broken)
        printf("time-travel: seed %" PRIu64 ", %s, %s: %s\n", w->seed, units_format_time(w->now, when),
               item != NULL ? item->id.text : "the instance", text);
    w->broken = true;
}

/* ---- the store --------------------------------------------------------------------------------------------------- */

void
go_to(struct world *w, int64_t ms)
{
    w->now = ms;
    store_mem_set_clock(w->mem, ms - clock_wall_ms());
}

/* What the model itself does to the store never fails. */
void
sure(struct world *w, int rc, const struct err *err)
{
    if (rc < 0)
        broken(w, NULL, "the test's own call failed: %s", err->msg);
}

void
put(struct world *w, const char *key, const void *data, size_t len)
{
    struct store_put what = {.key = key, .data = data, .len = len};
    struct err err = ERR_INIT;

    sure(w, store_put(w->mem, &what, &err), &err);
}

struct repo
past_the_faults(const struct world *w)
{
    struct repo repo = w->repo;

    repo.store = w->mem;
    return repo;
}

void
put_fact(struct world *w, enum layout_fact kind, const struct item *item)
{
    const struct repo repo = past_the_faults(w);
    struct err err = ERR_INIT;

    sure(w, fact_put(&repo, INSTANCE, kind, &item->id, NULL, TOOL, &err), &err);
}

/* ---- the model --------------------------------------------------------------------------------------------------- */

static size_t
place_of(const struct world *w, const char *id)
{
    size_t low = 0, high = w->count;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (strcmp(w->items[mid].id.text, id) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

struct item *
find(struct world *w, const struct backup_id *id)
{
    size_t at = place_of(w, id->text);

    return at < w->count && strcmp(w->items[at].id.text, id->text) == 0 ? &w->items[at] : NULL;
}

/* Valid until the next one is added or dropped. */
struct item *
add(struct world *w, const struct item *item)
{
    size_t at = place_of(w, item->id.text);

    if (w->count == w->allocated) {
        w->allocated = w->allocated > 0 ? 2 * w->allocated : 256;
        w->items = mem_grow(w->items, w->allocated, sizeof(*w->items));
    }
    memmove(&w->items[at + 1], &w->items[at], (w->count - at) * sizeof(*w->items));
    w->count++;
    w->items[at] = *item;
    return &w->items[at];
}

/* One that has a manifest; NULL where chance finds none in a few tries. */
struct item *
pick(struct world *w)
{
    for (int i = 0; i < 4 && w->count > 0; i++) {
        struct item *item = &w->items[below(w, w->count)];

        if (item->published && item->removed_ms == 0)
            return item;
    }
    return NULL;
}

bool
is_there(const struct item *item)
{
    return item->published && item->removed_ms == 0;
}

/* By what the manifest and the facts say, as anyone can read them. */
bool
looks_good(const struct world *w, const struct item *item)
{
    return is_there(item) && !item->damaged && (!item->suspicious || item->accepted) && item->taken_ms <= w->now + HOUR;
}

/* The order of the items is that of their times. */
struct item *
newest_good(struct world *w)
{
    for (size_t i = w->count; i > 0; i--) {
        if (looks_good(w, &w->items[i - 1]))
            return &w->items[i - 1];
    }
    return NULL;
}

bool
must_pause(struct world *w, const struct retention_policy *p)
{
    const struct item *newest = newest_good(w);

    if (p->last + p->hourly + p->daily + p->weekly + p->monthly + p->yearly == 0 && p->within_ms == 0)
        return true;
    if (newest == NULL || (p->expect_every_ms > 0 && w->now - newest->taken_ms > p->expect_every_ms + MINUTE))
        return true;
    for (size_t i = w->count; i > 0; i--) {
        const struct item *item = &w->items[i - 1];

        if (is_there(item) && !item->damaged && item->taken_ms <= w->now + HOUR)
            return item->suspicious && !item->accepted;
    }
    return true;
}
