/* SPDX-License-Identifier: Apache-2.0 */
/*
 * time_travel.c [--seeds N] [--seed S]: two years of hourly backups in a store whose clock is ours, once for each of N
 * seeds from S on: backups that fail, run for days, have wrong clocks, are suspicious, damaged, held, verified,
 * deleted, or come back; gaps; stores that deny removals; prunes that are cut off at any call, and that meet a hold, a
 * backup or another prune in the middle of one. A model of what is true is kept apart from the code under test, and
 * after every prune the whole store is listed and compared with it. Exit status 1 when a law is broken; the seed
 * repeats it.
 *
 * The laws stand in travel/laws.c and in check_end().
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/units.h"
#include "storage/store_fault.h"
#include "storage/store_mem.h"
#include "tests/torture/travel/world.h"

#define YEARS (2 * 365 * DAY)

/* ---- one life ---------------------------------------------------------------------------------------------------- */

static uint64_t
maybe(struct world *w, uint64_t most)
{
    return below(w, 2) == 0 ? 0 : 1 + below(w, most);
}

static void
begin(struct world *w, uint64_t seed)
{
    struct repo_made made;
    struct err err = ERR_INIT;

    memset(w, 0, sizeof(*w));
    w->seed = w->random = seed;
    (void)pthread_mutex_init(&w->mutex, NULL);
    w->mem = store_mem_new();
    w->store = store_fault_new(w->mem);
    go_to(w, INT64_C(1767225600000) + (int64_t)below(w, (uint64_t)(365 * DAY))); /* in 2026 */
    w->end = w->now + YEARS;
    sure(w, repo_init(w->mem, INSTANCE, &made, &err), &err);
    sure(w, repo_open(w->mem, &w->repo, &err), &err);
    w->policy = (struct retention_policy){.last = maybe(w, 12),
                                          .hourly = maybe(w, 48),
                                          .daily = maybe(w, 14),
                                          .weekly = maybe(w, 8),
                                          .monthly = maybe(w, 12),
                                          .yearly = maybe(w, 2),
                                          .within_ms = below(w, 4) == 0 ? span(w, HOUR, 4 * DAY) : 0,
                                          .min_good = below(w, 3) == 0 ? below(w, 20) : RETENTION_MIN_GOOD,
                                          .expect_every_ms = below(w, 2) == 0 ? span(w, HOUR, 8 * DAY) : 0};
    if (below(w, 3) == 0) /* one where min-good keeps more than the rules */
        w->policy = (struct retention_policy){.min_good = 2 + below(w, 20), .within_ms = (int64_t)maybe(w, 3) * HOUR};
    if (!retention_has_rule(&w->policy))
        w->policy.last = 1 + below(w, 2);
    w->orphan_age_ms = below(w, 2) == 0 ? DAY : span(w, HOUR, 10 * DAY);
    w->odds = (struct odds){.fail = (unsigned)below(w, 3000),
                            .slow = 20,
                            .skew = (unsigned)(maybe(w, 500)),
                            .suspicious = (unsigned)maybe(w, 30),
                            .hold = (unsigned)maybe(w, 100),
                            .release = 50,
                            .accept = 100,
                            .verify = (unsigned)maybe(w, 2000),
                            .delete = (unsigned)maybe(w, 100),
                            .damage = (unsigned)maybe(w, 40),
                            .lose = (unsigned)maybe(w, 10),
                            .gap = 10,
                            .late = 20,
                            .back = 20,
                            .deny = (unsigned)maybe(w, 10)};
    w->next_prune = w->now + DAY;
}

/* All faults stop; the clocks that were wrong are overtaken; a prune; two days; two prunes: nothing is left over. */
static void
check_end(struct world *w)
{
    struct leftovers left;
    struct err err = ERR_INIT;
    bool nothing = false;
    const int64_t waits[] = {15 * DAY, 2 * DAY, 0};

    for (size_t i = 0; i < w->count; i++)
        w->items[i].slow_left = 0; /* nothing runs any more */

    for (size_t i = 0; i < ARRAY_LEN(waits) && !w->broken; i++) {
        go_to(w, w->now + waits[i] + (w->orphan_age_ms > DAY ? w->orphan_age_ms : 0) * (i < 2));
        sure(w, repo_open(w->mem, &w->repo, &err), &err);
        {
            const struct before before = look_before(w, &w->policy);

            w->hook_published = false;
            sure(w, prune(w, &w->repo, &w->policy, &nothing, &err), &err);
            check_prune(w, &w->policy, &before);
        }
        if (i > 0 && !nothing)
            broken(w, NULL, "a second prune found something to expire");
    }
    for (size_t i = 0; i < w->count; i++)
        if (!w->items[i].is.manifest || w->items[i].is.note)
            broken(w, &w->items[i], "something is left over in the end");
    sure(w, leftovers_find(&w->repo, INSTANCE, 0, &left, &err), &err);
    if (left.count > 0)
        broken(w, NULL, "a leftover is left: %s", left.items[0].why);
    leftovers_fini(&left);
}

static void
live(struct world *w)
{
    while (w->now < w->end && !w->broken) {
        go_to(w, w->now + HOUR - 5 * MINUTE + (int64_t)below(w, 10 * MINUTE));
        if (chance(w, w->odds.gap))
            go_to(w, w->now + span(w, 2 * HOUR, 30 * DAY));
        live_an_hour(w);
        if (w->now >= w->next_prune) {
            prune_and_check(w);
            /* Some come soon after another: what must wait a day is met too early. */
            w->next_prune = w->now + (below(w, 4) == 0 ? span(w, HOUR, DAY) : span(w, DAY, 21 * DAY));
        }
    }
    if (!w->broken)
        check_end(w);
}

/* ---- main -------------------------------------------------------------------------------------------------------- */

static uint64_t
number(const char *text)
{
    struct err err = ERR_INIT;
    uint64_t n = 0;

    if (text == NULL || units_parse_u64(text, &n, &err) < 0) {
        fprintf(stderr, "usage: time_travel [--seeds N] [--seed S]\n");
        exit(2);
    }
    return n;
}

int
main(int argc, char **argv)
{
    uint64_t seeds = 10, first = 1, failed = 0;
    struct world sum = {0};
    int64_t began = clock_mono_ms();

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--seeds") == 0)
            seeds = number(argv[++i]);
        else if (strcmp(argv[i], "--seed") == 0)
            first = number(argv[++i]);
        else
            (void)number(NULL);
    }
    log_setup(2, LOG_TEXT, LOG_ERROR);
    for (uint64_t seed = first; seed < first + seeds; seed++) {
        struct world *w = mem_new(sizeof(*w));

        begin(w, seed);
        live(w);
        failed += w->broken;
        sum.backups += w->backups;
        sum.prunes += w->prunes;
        sum.cut_off += w->cut_off;
        sum.removed += w->removed;
        sum.leftovers += w->leftovers;
        sum.paused += w->paused;
        sum.denied += w->denied;
        sum.in_the_middle += w->in_the_middle;
        store_free(w->store);
        (void)pthread_mutex_destroy(&w->mutex);
        free(w->items);
        free(w);
    }
    printf("time-travel: %" PRIu64 " backups, %" PRIu64 " removed, %" PRIu64 " leftovers; %" PRIu64
           " prunes, of which cut off %" PRIu64 ", paused %" PRIu64 ", denied %" PRIu64 ", met by others %" PRIu64
           "; seed %" PRIu64 ", %.1f s\n",
           sum.backups, sum.removed, sum.leftovers, sum.prunes, sum.cut_off, sum.paused, sum.denied, sum.in_the_middle,
           first, (double)(clock_mono_ms() - began) / 1000);
    printf("time-travel: %" PRIu64 " passed, %" PRIu64 " failed\n", seeds - failed, failed);
    return failed > 0 ? 1 : 0;
}
