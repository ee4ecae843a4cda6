/* SPDX-License-Identifier: Apache-2.0 */
/* guard.c: see guard.h. All sums stop at the greatest number: servers may say anything. */
#include "snapshot/guard.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"

static uint64_t
add(uint64_t a, uint64_t b)
{
    return a <= UINT64_MAX - b ? a + b : UINT64_MAX;
}

static uint64_t
greater(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* ---- a data set that shrank -------------------------------------------------------------------------------------- */

/* NOW < PERCENT % of BEFORE, exactly and without a product that overflows. */
static bool
is_below_share(uint64_t now, uint64_t before, unsigned percent)
{
    uint64_t rest = before % 100 * percent, share = before / 100 * percent + rest / 100;

    return now < share || (now == share && rest % 100 > 0);
}

bool
guard_has_shrunk(const struct guard_shrink *g, const struct rdb_info *found)
{
    return g->percent > 0 && g->keys > 0 && found->parsed && is_below_share(found->keys, g->keys, g->percent);
}

const char *
guard_shrink_text(const struct guard_shrink *g, const struct rdb_info *found, char *out, size_t size)
{
    (void)snprintf(out, size,
                   "its number of keys is %" PRIu64 ", that of the last good backup %s is %" PRIu64
                   ": less than %u %% are left",
                   found->keys, g->id.text, g->keys, g->percent);
    return out;
}

/* ---- memory for the copies that a save makes --------------------------------------------------------------------- */

struct guard_limit
guard_memory_limit(const struct guard_memory_options *o, const struct server_memory *told)
{
    uint64_t container;

    if (o != NULL && o->server_memory > 0)
        return (struct guard_limit){.bytes = o->server_memory, .of = "--server-memory"};
    container = o != NULL && o->container_limit != NULL ? o->container_limit(told, o->cookie) : 0;
    if (container > 0)
        return (struct guard_limit){.bytes = container, .of = "the container that remora shares with it"};
    return (struct guard_limit){.bytes = told->machine, .of = "its machine", .is_machine = true};
}

struct guard_memory
guard_memory_judge(const struct server_memory *m, bool full_sync, const struct guard_limit *limit)
{
    struct guard_memory g = {.state = GUARD_MEMORY_UNKNOWN, .limit = *limit};

    if (m->used == 0 || limit->bytes == 0)
        return g;
    g.expected = greater(add(m->copied, m->copied / 2), m->used / 10);
    if (full_sync)
        g.expected = add(g.expected, m->backlog_room);
    if (add(m->resident, g.expected) > limit->bytes)
        g.state = GUARD_MEMORY_SHORT;
    else if (add(m->resident, m->used) > limit->bytes)
        g.state = GUARD_MEMORY_TIGHT;
    else
        g.state = GUARD_MEMORY_FITS;
    return g;
}

struct server_memory
guard_memory_grown(const struct server_memory *m)
{
    struct server_memory grown = *m;

    grown.used = greater(m->used, m->max);
    grown.resident = greater(m->resident, m->max);
    return grown;
}

const char *
guard_memory_text(const struct server_memory *m, const struct guard_memory *g, char *out, size_t size)
{
    char resident[UNITS_TEXT_MAX], expected[UNITS_TEXT_MAX], limit[UNITS_TEXT_MAX], copied[UNITS_TEXT_MAX];

    (void)snprintf(out, size,
                   "the server has %s resident, a save may take %s more (the last one copied %s), and the limit of %s "
                   "is %s",
                   units_format_size(m->resident, resident), units_format_size(g->expected, expected),
                   units_format_size(m->copied, copied), g->limit.of, units_format_size(g->limit.bytes, limit));
    return out;
}

/* ---- what was found ---------------------------------------------------------------------------------------------- */

/* The place of what GUARD found; f->count where it found nothing. */
static size_t
place_of(const struct guard_findings *f, const char *guard)
{
    size_t i = 0;

    while (i < f->count && strcmp(f->list[i].guard, guard) != 0)
        i++;
    return i;
}

bool
guard_has_noted(const struct guard_findings *f, const char *guard)
{
    return place_of(f, guard) < f->count;
}

void
guard_forget(struct guard_findings *f, const char *guard)
{
    size_t i = place_of(f, guard);

    if (i == f->count)
        return;
    memmove(&f->list[i], &f->list[i + 1], (f->count - i - 1) * sizeof(*f->list));
    f->count--;
}

void
guard_note(struct guard_findings *f, const char *guard, const char *text)
{
    struct manifest_finding *finding;

    guard_forget(f, guard);
    REQUIRE(f->count < MANIFEST_FINDINGS_MAX);
    finding = &f->list[f->count++];
    (void)snprintf(finding->guard, sizeof(finding->guard), "%s", guard);
    (void)snprintf(finding->text, sizeof(finding->text), "%s", text);
}
