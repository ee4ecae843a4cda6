/* SPDX-License-Identifier: Apache-2.0 */
/* figures_read.c: what outlasts a run, from the file of the run before. See figures.h. */
#include "agent/sidecar/figures.h"
#include "agent/sidecar/figures_families.h"

#define AHEAD_MS (24 * INT64_C(3600000)) /* how far clocks may differ, or have been put back */

struct reading {
    struct figures *f;
    struct exposition e;
    const char *text;
};

static uint64_t
count_of(const struct reading *r, enum figures_family family, const char *suffix, const struct exposition_label *labels)
{
    uint64_t n = 0;

    return exposition_find(&r->e, r->text, &figures_families[family], suffix, labels, 0, &n) ? n : 0;
}

/* Milliseconds; 0 when it is not there. */
static uint64_t
ms_of(const struct reading *r, enum figures_family family, const char *suffix, const struct exposition_label *labels)
{
    uint64_t n = 0;

    return exposition_find(&r->e, r->text, &figures_families[family], suffix, labels, 3, &n) ? n : 0;
}

/* The same for a moment, which has to be one that was: others would hide for years that nothing succeeds. */
static int64_t
moment_of(const struct reading *r, enum figures_family family)
{
    uint64_t ms = ms_of(r, family, "", NULL);

    return ms <= (uint64_t)(r->f->now_ms + AHEAD_MS) ? (int64_t)ms : 0;
}

static enum figures_newest
newest_of(const struct reading *r)
{
    uint64_t n = 0;

    if (!exposition_find(&r->e, r->text, &figures_families[FAMILY_NEWEST_SUSPICIOUS], "", NULL, 0, &n) || n > 1)
        return NEWEST_UNKNOWN;
    return n == 1 ? NEWEST_SUSPICIOUS : NEWEST_FINE;
}

static void
read_kind(const struct reading *r, struct figures_kind *k)
{
    k->last_success_ms = moment_of(r, FAMILY_LAST_SUCCESS);
    k->successes = count_of(r, FAMILY_SUCCESSES, "", NULL);
    for (int status = 1; status < BOARD_EXITS; status++) {
        const struct exposition_label labels[] = {{"exit", figures_exit_name(status)}, {NULL, NULL}};

        k->failures[status] = count_of(r, FAMILY_FAILURES, "", labels);
    }
}

/* Buckets are written as sums: a histogram whose sums fall is not ours, and counts for nothing. */
static void
read_call(const struct reading *r, enum store_meter_call call)
{
    const char *name = store_meter_name(call);
    const struct exposition_label labels[] = {{"operation", name}, {NULL, NULL}};
    struct store_meter_counts *c = &r->f->storage;
    uint64_t buckets[METER_BUCKETS + 1], before = 0;

    c->calls[call].failures = count_of(r, FAMILY_STORAGE_FAILURES, "", labels);
    for (int i = 0; i <= METER_BUCKETS; i++) {
        char text[32];
        const struct exposition_label bucket[] = {
            {"operation", name}, {"le", figures_bound_name(i, text)}, {NULL, NULL}};
        uint64_t sum = count_of(r, FAMILY_STORAGE_DURATION, "_bucket", bucket);

        if (sum < before)
            return;
        buckets[i] = sum - before;
        before = sum;
    }
    for (int i = 0; i <= METER_BUCKETS; i++)
        c->calls[call].buckets[i] = buckets[i];
    c->calls[call].calls = before;
    c->calls[call].total_ms = ms_of(r, FAMILY_STORAGE_DURATION, "_sum", labels);
}

void
figures_read(struct figures *f, const char *text)
{
    struct reading r = {.f = f, .text = text};

    REQUIRE(f->of_run);
    figures_exposition(f, &r.e, NULL);
    read_kind(&r, &f->kinds[f->run]);
    f->latest.snapshot_ms = moment_of(&r, FAMILY_LATEST_SNAPSHOT);
    f->latest.raw_size = count_of(&r, FAMILY_LATEST_RAW, "", NULL);
    f->latest.stored_size = count_of(&r, FAMILY_LATEST_STORED, "", NULL);
    f->latest.keys = count_of(&r, FAMILY_LATEST_KEYS, "", NULL);
    f->newest = newest_of(&r);
    f->verified_ms = moment_of(&r, FAMILY_LAST_VERIFIED);
    for (int i = 0; i < METER_CALLS; i++)
        read_call(&r, (enum store_meter_call)i);
    f->storage.retries = count_of(&r, FAMILY_STORAGE_RETRIES, "", NULL);
    f->storage.bytes_put = count_of(&r, FAMILY_STORAGE_SENT, "", NULL);
    f->storage.bytes_got = count_of(&r, FAMILY_STORAGE_RECEIVED, "", NULL);
}
