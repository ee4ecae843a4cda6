/* SPDX-License-Identifier: Apache-2.0 */
/* copy.c: see copy.h. The workers' side is copy_segment(). */
#include "snapshot/copy.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/pool.h"
#include "base/sig.h"
#include "snapshot/memory_plan.h"
#include "snapshot/repo/fact.h"
#include "snapshot/repo/layout.h"
#include "snapshot/repo/stored.h"

struct copying {
    const struct copy_options *o;
    char *manifest; /* its bytes, of which M was parsed */
    size_t manifest_len;
    struct manifest *m;
    const struct manifest_member *members[MANIFEST_MEMBERS_MAX];
    struct arrival_index indexes[MANIFEST_MEMBERS_MAX];
    size_t member_count;
    struct arrival *arrival;
    struct memory_carry_plan plan;
    uint8_t **buffers; /* plan.jobs, a worker's each */
    size_t current;    /* the member that is under way */
};

/* ---- segments ---------------------------------------------------------------------------------------------------- */

/* ITEM is the segment's line in the index. */
static int
copy_segment(void *item, unsigned worker, void *cookie, struct err *err)
{
    struct copying *c = cookie;
    const struct index_segment *s = item;
    const struct manifest_member *member = c->members[c->current];
    const uint64_t n = (uint64_t)(s - c->indexes[c->current].parsed.segments);
    uint8_t *buffer = c->buffers[worker];

    if (sig_check(err) < 0)
        return -1;
    if (arrival_has(c->arrival, member, n, s->stored_size))
        return 0;
    if (stored_segment(c->o->from, c->m, member, n, s, buffer, err) < 0)
        return err_wrap(err, "segment %" PRIu64, n);
    return arrival_put(c->arrival, member, n, buffer, (size_t)s->stored_size, s->sha256, err);
}

static void
segment_done(void *item, void *cookie)
{
    (void)item;
    (void)cookie;
}

static const struct pool_ops pool_ops = {.work = copy_segment, .done = segment_done};

static void
tell(const struct copying *c)
{
    const struct arrival_counts counts = arrival_counts(c->arrival);
    uint64_t total = 0;

    for (size_t i = 0; i < c->member_count; i++)
        total += c->members[i]->stored_size;
    progress_tell(&c->o->progress, PROGRESS_COPYING, counts.put_bytes + counts.had_bytes, total, counts.put_bytes);
}

/* All segments of the member c->current. */
static int
copy_member(struct copying *c, struct err *err)
{
    const struct index *index = &c->indexes[c->current].parsed;
    struct pool *pool = pool_start(c->plan.jobs, &pool_ops, c, err);
    struct err stopped = ERR_INIT;

    if (pool == NULL)
        return -1;
    for (size_t n = 0; n < index->count; n++) {
        if (sig_check(&stopped) < 0) {
            pool_cancel(pool, &stopped);
            break;
        }
        if (!pool_submit(pool, &index->segments[n]))
            break; /* pool_finish() knows why */
        tell(c);
    }
    if (pool_finish(pool, err) < 0)
        return -1;
    tell(c);
    return 0;
}

/* ---- one backup -------------------------------------------------------------------------------------------------- */

static int
read_indexes(struct copying *c, struct err *err)
{
    for (size_t i = 0; i < c->member_count; i++) {
        struct arrival_index *x = &c->indexes[i];

        if (stored_index(c->o->from, c->m, c->members[i], &x->data, &x->len, err) < 0 ||
            stored_index_check(c->members[i], x->data, x->len, &x->parsed, err) < 0)
            return -1;
    }
    return 0;
}

static int
make_buffers(struct copying *c, struct err *err)
{
    size_t largest = 0, index_bytes = 0, raw = 0, stored = 0;

    for (size_t i = 0; i < c->member_count; i++) {
        if (stored_index_bounds(&c->indexes[i].parsed, &raw, &stored, err) < 0)
            return -1;
        largest = stored > largest ? stored : largest;
        index_bytes += c->indexes[i].len;
    }
    /* One byte more shows an object that is too long. */
    if (memory_plan_carry(c->o->memory, c->o->jobs, false, largest + 1, index_bytes, &c->plan, err) < 0)
        return -1;
    log_debug("memory plan of the copy", LOG_U("jobs", c->plan.jobs), LOG_U("segment", c->plan.stored_bytes),
              LOG_U("buffers", c->plan.buffer_bytes));
    c->buffers = mem_array(c->plan.buffers, sizeof(*c->buffers));
    for (unsigned i = 0; i < c->plan.buffers; i++) {
        c->buffers[i] = mem_pages(c->plan.stored_bytes, err);
        if (c->buffers[i] == NULL)
            return -1;
    }
    return 0;
}

static int
carry(struct copying *c, struct err *err)
{
    if (read_indexes(c, err) < 0 || make_buffers(c, err) < 0)
        return -1;
    for (c->current = 0; c->current < c->member_count; c->current++) {
        if (copy_member(c, err) < 0)
            return -1;
    }
    return 0;
}

/* The fact that the backup's `suspicious` mark was cleared, as it stands, unless the target knows of that. */
static int
copy_accepted(const struct copying *c, struct err *err)
{
    const struct copy_options *o = c->o;
    struct layout_key from, to;
    struct store_put put = {.key = to.text};
    char *data = NULL;
    bool there = false;
    int rc;

    if (!c->m->suspicious)
        return 0;
    layout_fact(&from, o->from_instance, LAYOUT_ACCEPTED, &c->m->id);
    layout_fact(&to, o->to_instance, LAYOUT_ACCEPTED, &c->m->id);
    if (store_get_all(o->from->store, from.text, REPO_SMALL_OBJECT, &data, &put.len, err) < 0) {
        if (err->code != ERR_NOT_FOUND)
            return -1;
        err_clear(err);
        return 0;
    }
    rc = fact_find(o->to, o->to_instance, LAYOUT_ACCEPTED, &c->m->id, &there, NULL, err);
    put.data = data;
    if (rc == 0 && !there)
        rc = store_put(o->to->store, &put, err);
    free(data);
    return rc;
}

static void
clear(struct copying *c)
{
    for (unsigned i = 0; c->buffers != NULL && i < c->plan.buffers; i++)
        mem_pages_free(c->buffers[i], c->plan.stored_bytes);
    free(c->buffers);
    for (size_t i = 0; i < MANIFEST_MEMBERS_MAX; i++) {
        index_fini(&c->indexes[i].parsed);
        free(c->indexes[i].data);
    }
    arrival_free(c->arrival);
    manifest_free(c->m);
    free(c->manifest);
}

/* The manifest, and what the target has of the backup. */
static int
begin(struct copying *c, const struct backup_id *id, struct copy_result *result, struct err *err)
{
    const struct copy_options *o = c->o;

    if (stored_manifest(o->from, o->from_instance, id, &c->manifest, &c->manifest_len, &c->m, err) < 0)
        return -1;
    c->member_count = manifest_members(c->m, c->members);
    for (size_t i = 0; i < c->member_count; i++)
        result->segments += c->members[i]->segments;
    return arrival_begin(o->to, o->to_instance, c->m, c->manifest, c->manifest_len, &result->there, &c->arrival, err);
}

int
copy_backup(const struct copy_options *o, const struct backup_id *id, struct copy_result *result, struct err *err)
{
    struct copying c = {.o = o};
    int rc;

    memset(result, 0, sizeof(*result));
    rc = begin(&c, id, result, err);
    if (rc == 0 && !result->there)
        rc = carry(&c, err);
    if (rc < 0)
        (void)err_wrap(err, "backup %s", id->text);
    if (rc == 0 && !result->there) {
        progress_tell(&o->progress, PROGRESS_PUBLISHING, 0, 0, 0);
        result->counts = arrival_counts(c.arrival);
        rc = arrival_publish(c.arrival, c.indexes, err);
    }
    if (rc == 0)
        rc = copy_accepted(&c, err);
    clear(&c);
    return rc;
}

/* ---- all of them ------------------------------------------------------------------------------------------------- */

/* Is all of MANIFEST's backup there? That also wants the mark that was cleared in the source. */
static bool
is_there(const struct fact *manifest, const struct fact_list *there, const struct fact_list *accepted,
         const struct fact_list *accepted_there)
{
    const struct fact *same = fact_list_get(there, &manifest->id);

    return same != NULL && same->size == manifest->size &&
           (fact_list_get(accepted, &manifest->id) == NULL || fact_list_get(accepted_there, &manifest->id) != NULL);
}

int
copy_list(const struct copy_options *o, struct copy_list *list, struct err *err)
{
    struct fact_list from = {0}, to = {0}, accepted = {0}, accepted_there = {0};
    struct layout_key from_folder, to_folder;
    int rc;

    memset(list, 0, sizeof(*list));
    layout_manifests(&from_folder, o->from_instance);
    layout_manifests(&to_folder, o->to_instance);
    rc = fact_list_folder(o->from, &from_folder, &from, err);
    if (rc == 0)
        rc = fact_list_folder(o->to, &to_folder, &to, err);
    if (rc == 0)
        rc = fact_list(o->from, o->from_instance, LAYOUT_ACCEPTED, &accepted, err);
    if (rc == 0 && accepted.count > 0)
        rc = fact_list(o->to, o->to_instance, LAYOUT_ACCEPTED, &accepted_there, err);
    if (rc == 0) {
        list->items = mem_array(from.count, sizeof(*list->items));
        for (size_t i = 0; i < from.count; i++)
            list->items[list->count++] = (struct copy_item){
                .id = from.facts[i].id, .there = is_there(&from.facts[i], &to, &accepted, &accepted_there)};
    }
    fact_list_free(&from);
    fact_list_free(&to);
    fact_list_free(&accepted);
    fact_list_free(&accepted_there);
    return rc;
}

void
copy_list_free(struct copy_list *list)
{
    free(list->items);
    memset(list, 0, sizeof(*list));
}
