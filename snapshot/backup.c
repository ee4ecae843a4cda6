/* SPDX-License-Identifier: Apache-2.0 */
/* backup.c: see backup.h. The reader's side is fill_and_submit(), the workers' side store_segment(). */
#include "snapshot/backup.h"

#include <inttypes.h>
#include <pthread.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/pool.h"
#include "base/queue.h"
#include "base/sig.h"
#include "snapshot/member_writer.h"
#include "snapshot/rdb/rdb_scan.h"
#include "snapshot/repo/index.h"
#include "snapshot/repo/layout.h"
#include "snapshot/repo/publish.h"

/* Read and scanned in pieces of this size, so that the scanner finds them in the CPU's cache. */
#define READ_BYTES    (256u << 10)
#define TELL_EVERY_MS 100

/* A slice of the dump on its way to a worker. */
struct slice {
    uint8_t *raw;
    size_t len;
    uint64_t number, offset;
};

struct pipeline {
    const struct backup_options *o;
    struct source *source;
    struct rdb_scan *scan;
    struct manifest *m;
    struct slice *slices; /* plan.jobs + 1 of them; each is in `free`, with the reader or with a worker */
    struct queue *free;
    struct member_encoder *encoders; /* plan.jobs */
    struct pool *pool;
    uint64_t read_bytes;
    uint64_t submitted; /* segments handed to the workers */
    int64_t told_at;
    pthread_mutex_t mutex; /* guards what follows */
    struct index index;
    uint64_t stored_bytes;
    /* Of the member that lies in memory; only the reader's thread. */
    struct index config_index;
    uint64_t config_submitted; /* segments that were begun to be put */
};

/* ---- workers ----------------------------------------------------------------------------------------------------- */

static struct member_place
place_of(const struct pipeline *p, const char *member)
{
    return (struct member_place){.repo = p->o->repo, .m = p->m, .member = member};
}

static int
store_segment(void *item, unsigned worker, void *cookie, struct err *err)
{
    struct pipeline *p = cookie;
    const struct slice *slice = item;
    const struct member_slice bytes = {slice->raw, slice->len, slice->number, slice->offset};
    const struct member_place place = place_of(p, LAYOUT_MEMBER_RDB);
    struct index_segment entry;
    int rc;

    if (member_put_slice(&place, &p->encoders[worker], &bytes, &entry, err) < 0)
        return -1;
    (void)pthread_mutex_lock(&p->mutex);
    rc = index_set(&p->index, slice->number, &entry, err);
    p->stored_bytes += entry.stored_size;
    (void)pthread_mutex_unlock(&p->mutex);
    return rc;
}

static void
slice_done(void *item, void *cookie)
{
    struct pipeline *p = cookie;

    REQUIRE(queue_push(p->free, item)); /* as large as there are slices: never full, never closed */
}

static const struct pool_ops pool_ops = {.work = store_segment, .done = slice_done};

/* ---- the reader -------------------------------------------------------------------------------------------------- */

static void
tell(struct pipeline *p, bool now)
{
    int64_t ms = clock_mono_ms();
    uint64_t stored;

    if (!now && ms - p->told_at < TELL_EVERY_MS)
        return;
    p->told_at = ms;
    (void)pthread_mutex_lock(&p->mutex);
    stored = p->stored_bytes;
    (void)pthread_mutex_unlock(&p->mutex);
    progress_tell(&p->o->progress, PROGRESS_STORING, p->read_bytes, p->source->size, stored);
}

/* Read and scan until SLICE is full or the source ends; slice->len 0: there was nothing more. */
static int
fill(struct pipeline *p, struct slice *slice, struct err *err)
{
    size_t size = p->o->plan.segment_bytes;

    slice->len = 0;
    slice->offset = p->read_bytes;
    while (slice->len < size) {
        size_t want = size - slice->len < READ_BYTES ? size - slice->len : READ_BYTES, got = 0;

        if (sig_check(err) < 0 || source_read(p->source, slice->raw + slice->len, want, &got, err) < 0)
            return -1;
        if (got == 0)
            break;
        if (rdb_scan_feed(p->scan, slice->raw + slice->len, got, err) < 0)
            return -1;
        slice->len += got;
        p->read_bytes += got;
        tell(p, false);
    }
    return 0;
}

/* The id carries the snapshot time, and every key carries the id; a bare file tells its time in its head, which has
 * been scanned by now. */
static int64_t
snapshot_time(const struct pipeline *p)
{
    int64_t now = repo_now_ms(p->o->repo), ctime_s = rdb_scan_info(p->scan)->ctime_s;
    int64_t ms = p->source->snapshot_fallback_ms;

    if (p->source->snapshot_ms > 0) /* measured on this machine's clock: corrected to the store's */
        ms = p->source->snapshot_ms + p->o->repo->skew_ms;
    else if (ctime_s > 0)
        ms = ctime_s < now / 1000 ? ctime_s * 1000 : now;
    /* Nothing was saved in the future, whatever a clock or a file says: such an id would be the latest for ever. */
    return ms > 0 && ms < now ? ms : now;
}

static void
name_backup(struct pipeline *p)
{
    p->m->snapshot_ms = snapshot_time(p);
    backup_id_make(p->m->snapshot_ms, &p->m->id);
    log_info("backup started", LOG_S("id", p->m->id.text), LOG_S("instance", p->m->instance),
             LOG_S("method", p->m->method), LOG_U("bytes", p->source->size));
}

/* All of the source, slice by slice, to the workers. False in *WHOLE: a worker failed, and pool_finish() knows why. */
static int
fill_and_submit(struct pipeline *p, bool *whole, struct err *err)
{
    *whole = false;
    for (;;) {
        struct slice *slice = queue_pop(p->free);

        if (fill(p, slice, err) < 0) {
            slice_done(slice, p);
            return -1;
        }
        if (slice->len == 0) {
            slice_done(slice, p);
            *whole = true;
            return 0;
        }
        if (p->submitted == 0)
            name_backup(p);
        slice->number = p->submitted;
        if (!pool_submit(p->pool, slice)) {
            slice_done(slice, p);
            return 0;
        }
        p->submitted++;
    }
}

static int
read_all(struct pipeline *p, struct err *err)
{
    struct err pool_err = ERR_INIT;
    bool whole = false;
    int rc = fill_and_submit(p, &whole, err);

    /* The end of the dump is judged while the last segments are still under way. */
    if (rc == 0 && whole)
        rc = rdb_scan_finish(p->scan, err);
    if (rc == 0 && whole)
        rc = source_confirm(p->source, rdb_scan_info(p->scan), err);
    if (rc < 0)
        pool_cancel(p->pool, err);
    if (pool_finish(p->pool, &pool_err) < 0 && rc == 0) {
        *err = pool_err;
        rc = -1;
    }
    p->pool = NULL;
    tell(p, true);
    return rc;
}

/* ---- building and clearing --------------------------------------------------------------------------------------- */

static int
build(struct pipeline *p, struct err *err)
{
    const struct memory_plan *plan = &p->o->plan;

    p->free = queue_new(plan->jobs + 1);
    p->slices = mem_array(plan->jobs + 1, sizeof(*p->slices));
    p->encoders = mem_array(plan->jobs, sizeof(*p->encoders));
    for (unsigned i = 0; i <= plan->jobs; i++) {
        p->slices[i].raw = mem_pages(plan->segment_bytes, err);
        if (p->slices[i].raw == NULL)
            return -1;
        slice_done(&p->slices[i], p);
    }
    for (unsigned i = 0; i < plan->jobs; i++) {
        if (member_encoder_init(&p->encoders[i], plan->level, plan->segment_bytes, err) < 0)
            return -1;
    }
    p->pool = pool_start(plan->jobs, &pool_ops, p, err);
    return p->pool != NULL ? 0 : -1;
}

/* The workers have ended: their memory goes before the index is turned into text, which is large for a huge dump. */
static void
release_buffers(struct pipeline *p)
{
    const struct memory_plan *plan = &p->o->plan;

    for (unsigned i = 0; p->slices != NULL && i <= plan->jobs; i++)
        mem_pages_free(p->slices[i].raw, plan->segment_bytes);
    for (unsigned i = 0; p->encoders != NULL && i < plan->jobs; i++)
        member_encoder_fini(&p->encoders[i]);
    free(p->slices);
    free(p->encoders);
    queue_free(p->free);
    p->slices = NULL;
    p->encoders = NULL;
    p->free = NULL;
}

static void
clear(struct pipeline *p)
{
    release_buffers(p);
    rdb_scan_free(p->scan);
    index_fini(&p->index);
    index_fini(&p->config_index);
    (void)pthread_mutex_destroy(&p->mutex);
    manifest_free(p->m);
}

/* False: the store denies this, or fails although it was asked again and again; it will not take the rest. */
static bool
remove_member(const struct pipeline *p, const char *member, uint64_t segments)
{
    const struct member_place place = place_of(p, member);
    struct err err = ERR_INIT;
    uint64_t left = 0;

    if (segments == 0 || member_remove(&place, segments, &left, &err) == 0)
        return true;
    log_warn("objects of the failed backup are left in the store for prune", LOG_S("id", p->m->id.text),
             LOG_S("member", member), LOG_U("at_most", left), LOG_S("error", err.msg));
    return false;
}

/* After a failure: take back what was put. What cannot be removed is data without a manifest, which prune finds. */
static void
remove_members(const struct pipeline *p)
{
    if (remove_member(p, LAYOUT_MEMBER_CONFIG, p->config_submitted))
        (void)remove_member(p, LAYOUT_MEMBER_RDB, p->submitted);
}

/* ---- the verb ---------------------------------------------------------------------------------------------------- */

static int
describe(struct pipeline *p, struct err *err)
{
    const struct backup_options *o = p->o;
    struct manifest *m = p->m;

    digest_uuid(m->uuid);
    (void)snprintf(m->instance, sizeof(m->instance), "%s", o->instance);
    (void)snprintf(m->method, sizeof(m->method), "%s", p->source->ops->name);
    (void)snprintf(m->tool_version, sizeof(m->tool_version), "%s", o->tool_version);
    (void)snprintf(m->rdb_member.name, sizeof(m->rdb_member.name), "%s", LAYOUT_MEMBER_RDB);
    m->started_ms = o->started_ms > 0 ? o->started_ms : repo_now_ms(o->repo);
    m->level = o->plan.level;
    m->source = p->source->facts;
    for (size_t i = 0; i < p->source->findings.count; i++)
        manifest_add_finding(m, p->source->findings.list[i].guard, p->source->findings.list[i].text);
    for (size_t i = 0; i < o->tag_count; i++) {
        if (manifest_add_tag(m, o->tags[i].key, o->tags[i].value, err) < 0)
            return -1;
    }
    return 0;
}

/* The member that lies in memory, once the dump is stored and its buffers are free. */
static int
store_config(struct pipeline *p, struct err *err)
{
    const struct backup_options *o = p->o;
    const struct member_place place = place_of(p, LAYOUT_MEMBER_CONFIG);
    struct manifest_member *member = &p->m->config_member;

    if (o->config_len == 0)
        return 0;
    (void)snprintf(member->name, sizeof(member->name), "%s", LAYOUT_MEMBER_CONFIG);
    p->config_submitted = member_segments(o->config_len, o->plan.segment_bytes);
    return member_put(&place, o->config, o->config_len, o->plan.segment_bytes, o->plan.level, &p->config_index, err);
}

/* Has the dump far fewer keys than the last good backup? It is stored all the same, and marked, or given up. */
static int
judge_shrink(struct pipeline *p, struct err *err)
{
    const struct guard_shrink *g = &p->o->shrink;
    const struct rdb_info *found = rdb_scan_info(p->scan);
    char text[sizeof(p->m->findings[0].text)];

    if (!guard_has_shrunk(g, found))
        return 0;
    (void)guard_shrink_text(g, found, text, sizeof(text));
    if (g->policy == GUARD_REFUSE)
        return err_set(err, ERR_REFUSED,
                       "the data set shrank and the backup was not kept (--on-shrink refuse): %s; look at the server, "
                       "or, if that is as it should be, back up with --on-shrink mark and `remora accept` it",
                       text);
    p->m->suspicious = true;
    manifest_add_finding(p->m, "shrink", text);
    return 0;
}

static int
publish(struct pipeline *p, bool *maybe_published, struct err *err)
{
    struct publication what = {.m = p->m, .members = {{.member = &p->m->rdb_member, .index = &p->index}}};

    if (sig_check(err) < 0)
        return -1;
    progress_tell(&p->o->progress, PROGRESS_PUBLISHING, p->read_bytes, p->read_bytes, p->stored_bytes);
    rdb_info_copy(&p->m->rdb, rdb_scan_info(p->scan));
    what.member_count = 1;
    if (p->o->config_len > 0)
        what.members[what.member_count++] =
            (struct publish_member){.member = &p->m->config_member, .index = &p->config_index};
    return publish_backup(p->o->repo, &what, &publish_limits, maybe_published, err);
}

int
backup_run(const struct backup_options *o, struct source *source, struct manifest **out, struct err *err)
{
    struct rdb_scan_options scan_options = {.allow_unparsed = o->allow_unparsed};
    struct pipeline p = {.o = o, .source = source};
    bool maybe_published = false;
    int rc = -1;

    REQUIRE(pthread_mutex_init(&p.mutex, NULL) == 0);
    index_init(&p.index);
    index_init(&p.config_index);
    p.m = manifest_new();
    p.scan = rdb_scan_new(&scan_options);
    if (describe(&p, err) < 0 || build(&p, err) < 0)
        goto out;
    rc = read_all(&p, err);
    release_buffers(&p);
    if (rc == 0)
        rc = judge_shrink(&p, err);
    if (rc == 0)
        rc = store_config(&p, err);
    if (rc == 0)
        rc = publish(&p, &maybe_published, err);
    if (rc < 0 && !maybe_published)
        remove_members(&p);
    if (rc == 0) {
        *out = p.m;
        p.m = NULL;
    }
out:
    clear(&p);
    return rc;
}
