/* SPDX-License-Identifier: Apache-2.0 */
/* figures.c: the figures as text. See figures.h. */
#include "agent/sidecar/figures.h"

#include <string.h>

#include "agent/sidecar/figures_families.h"

struct figures_latest
figures_latest_of(const struct manifest *m)
{
    return (struct figures_latest){.snapshot_ms = m->snapshot_ms,
                                   .raw_size = m->rdb_member.raw_size + m->config_member.raw_size,
                                   .stored_size = m->rdb_member.stored_size + m->config_member.stored_size,
                                   .keys = m->rdb.keys};
}

/* The writer and what it writes. */
struct render {
    const struct figures *f;
    struct exposition e;
};

static void
put(struct render *r, enum figures_family family, const struct exposition_label *labels, uint64_t value,
    unsigned decimals)
{
    exposition_sample(&r->e, &figures_families[family], "", labels, value, decimals);
}

static void
put_count(struct render *r, enum figures_family family, uint64_t value)
{
    put(r, family, NULL, value, 0);
}

/* Seconds, of milliseconds; nothing for 0 (never) and less. */
static void
put_seconds(struct render *r, enum figures_family family, const struct exposition_label *labels, int64_t ms)
{
    if (ms > 0)
        put(r, family, labels, (uint64_t)ms, 3);
}

static void
put_labelled(struct render *r, enum figures_family family, const char *name, const char *value, uint64_t n)
{
    const struct exposition_label labels[] = {{name, value}, {NULL, NULL}};

    put(r, family, labels, n, 0);
}

static void
render_process(struct render *r)
{
    put_labelled(r, FAMILY_BUILD_INFO, "version", r->f->version, 1);
    if (!r->f->of_run)
        put_seconds(r, FAMILY_START_TIME, NULL, r->f->started_ms);
}

static void
render_failures(struct render *r)
{
    for (int kind = 0; kind < WORK_KINDS; kind++)
        for (int status = 1; status < BOARD_EXITS && r->f->kinds[kind].shown; status++) {
            const struct figures_labels l =
                figures_kind_labels(r->f, (enum work)kind, "exit", figures_exit_name(status));

            put(r, FAMILY_FAILURES, l.labels, r->f->kinds[kind].failures[status], 0);
        }
}

/* Has a job of the kind ended yet? Else the duration is that of none. */
static bool
has_ended(const struct figures_kind *k)
{
    uint64_t ended = k->successes;

    for (int status = 0; status < BOARD_EXITS; status++)
        ended += k->failures[status];
    return ended > 0;
}

/* One family of all kinds: its samples stand together. */
static void
render_of_kinds(struct render *r, enum figures_family family)
{
    for (int i = 0; i < WORK_KINDS; i++) {
        const struct figures_kind *k = &r->f->kinds[i];
        const struct figures_labels l = figures_kind_labels(r->f, (enum work)i, NULL, NULL);

        if (!k->shown)
            continue;
        switch (family) {
        case FAMILY_LAST_ATTEMPT:
            put_seconds(r, family, l.labels, k->last_attempt_ms);
            break;
        case FAMILY_LAST_SUCCESS:
            put_seconds(r, family, l.labels, k->last_success_ms);
            break;
        case FAMILY_LAST_DURATION:
            if (has_ended(k))
                put(r, family, l.labels, (uint64_t)k->last_duration_ms, 3);
            break;
        case FAMILY_SUCCESSES:
            put(r, family, l.labels, k->successes, 0);
            break;
        case FAMILY_RETRIES:
            put(r, family, l.labels, k->retries, 0);
            break;
        case FAMILY_RUNNING:
            put(r, family, l.labels, k->running, 0);
            break;
        case FAMILY_QUEUED:
            put(r, family, l.labels, k->queued, 0);
            break;
        default:
            put_seconds(r, FAMILY_NEXT, l.labels, k->next_ms);
            break;
        }
    }
}

static void
render_jobs(struct render *r)
{
    static const enum figures_family of_agent[] = {FAMILY_RETRIES, FAMILY_RUNNING, FAMILY_QUEUED, FAMILY_NEXT};

    render_of_kinds(r, FAMILY_LAST_ATTEMPT);
    render_of_kinds(r, FAMILY_LAST_SUCCESS);
    render_of_kinds(r, FAMILY_LAST_DURATION);
    render_of_kinds(r, FAMILY_SUCCESSES);
    render_failures(r);
    for (size_t i = 0; i < ARRAY_LEN(of_agent) && !r->f->of_run; i++)
        render_of_kinds(r, of_agent[i]);
}

static void
render_backups(struct render *r)
{
    const struct figures *f = r->f;
    const struct figures_latest *latest = &f->latest;

    put_seconds(r, FAMILY_EXPECTED_INTERVAL, NULL, f->expect_every_ms);
    if (f->catalog_known) {
        put_labelled(r, FAMILY_BACKUPS, "state", "good", f->backups_good);
        put_labelled(r, FAMILY_BACKUPS, "state", "suspicious", f->backups_suspicious);
        put_labelled(r, FAMILY_BACKUPS, "state", "damaged", f->backups_damaged);
    }
    if (latest->snapshot_ms > 0) {
        put_seconds(r, FAMILY_LATEST_SNAPSHOT, NULL, latest->snapshot_ms);
        put_count(r, FAMILY_LATEST_RAW, latest->raw_size);
        put_count(r, FAMILY_LATEST_STORED, latest->stored_size);
        put_count(r, FAMILY_LATEST_KEYS, latest->keys);
        if (!f->of_run) /* in a file it would stand still */
            put(r, FAMILY_RECOVERY_POINT_AGE, NULL,
                f->now_ms > latest->snapshot_ms ? (uint64_t)(f->now_ms - latest->snapshot_ms) : 0, 3);
    }
    put_seconds(r, FAMILY_LAST_VERIFIED, NULL, f->verified_ms);
}

static void
render_durations(struct render *r, enum store_meter_call call)
{
    const struct exposition_family *family = &figures_families[FAMILY_STORAGE_DURATION];
    const char *name = store_meter_name(call);
    const struct exposition_label labels[] = {{"operation", name}, {NULL, NULL}};
    uint64_t sum = 0;

    for (int i = 0; i <= METER_BUCKETS; i++) {
        char text[32];
        const struct exposition_label bucket[] = {
            {"operation", name}, {"le", figures_bound_name(i, text)}, {NULL, NULL}};

        sum += r->f->storage.calls[call].buckets[i];
        exposition_sample(&r->e, family, "_bucket", bucket, sum, 0);
    }
    exposition_sample(&r->e, family, "_sum", labels, r->f->storage.calls[call].total_ms, 3);
    exposition_sample(&r->e, family, "_count", labels, sum, 0);
}

static void
render_storage(struct render *r)
{
    const struct store_meter_counts *c = &r->f->storage;

    if (r->f->store != REACH_UNKNOWN)
        put_count(r, FAMILY_STORAGE_UP, r->f->store == REACH_UP);
    for (int i = 0; i < METER_CALLS; i++)
        render_durations(r, (enum store_meter_call)i);
    for (int i = 0; i < METER_CALLS; i++)
        put_labelled(r, FAMILY_STORAGE_FAILURES, "operation", store_meter_name((enum store_meter_call)i),
                     c->calls[i].failures);
    put_count(r, FAMILY_STORAGE_RETRIES, c->retries);
    put_count(r, FAMILY_STORAGE_SENT, c->bytes_put);
    put_count(r, FAMILY_STORAGE_RECEIVED, c->bytes_got);
}

static void
render_server(struct render *r)
{
    const struct figures_server *s = &r->f->server;
    const struct exposition_label info[] = {{"product", s->kind}, {"version", s->version}, {NULL, NULL}};
    bool master = strcmp(s->role, "master") == 0;

    if (s->reach == REACH_UNKNOWN)
        return;
    put_count(r, FAMILY_SERVER_UP, s->reach == REACH_UP);
    if (s->reach != REACH_UP) /* what it said last does not hold any more */
        return;
    if (s->kind[0] != '\0')
        put(r, FAMILY_SERVER_INFO, info, 1, 0);
    if (s->role[0] != '\0') {
        put_labelled(r, FAMILY_SERVER_ROLE, "role", "master", master);
        put_labelled(r, FAMILY_SERVER_ROLE, "role", "replica", !master);
    }
    if (s->kind[0] == '\0') /* it lets us ask for its role alone, not for INFO */
        return;
    put_count(r, FAMILY_SERVER_KEYS, s->keys);
    put_count(r, FAMILY_SERVER_MEMORY, s->memory);
    put_count(r, FAMILY_SERVER_COW, s->cow);
    put(r, FAMILY_SERVER_FORK, NULL, s->fork_us, 6);
}

int
figures_render(const struct figures *f, struct buf *out, struct err *err)
{
    struct render r = {.f = f};

    figures_exposition(f, &r.e, out);
    render_process(&r);
    render_jobs(&r);
    render_backups(&r);
    render_storage(&r);
    render_server(&r);
    return exposition_finish(&r.e, err);
}
