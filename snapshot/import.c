/* SPDX-License-Identifier: Apache-2.0 */
/* import.c: see import.h. One thread reads the tar; the workers' side is store_piece(). */
#include "snapshot/import.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/pool.h"
#include "base/queue.h"
#include "base/sig.h"
#include "snapshot/memory_plan.h"
#include "snapshot/repo/layout.h"
#include "snapshot/repo/stored.h"

/* A segment on its way to a worker. */
struct piece {
    uint8_t *data;
    uint64_t number;
};

struct importing {
    const struct import_options *o;
    struct tar_reader *tar;
    struct tar_entry entry;
    char instance[LAYOUT_INSTANCE_MAX + 1]; /* in the tar */
    char *manifest;                         /* its bytes, of which M was parsed */
    size_t manifest_len;
    struct manifest *m;
    const struct manifest_member *members[MANIFEST_MEMBERS_MAX];
    struct arrival_index indexes[MANIFEST_MEMBERS_MAX];
    size_t member_count;
    struct arrival *arrival; /* NULL: the backup is there */
    /* Of the member that is under way: */
    size_t current;
    struct memory_carry_plan plan;
    struct piece *pieces; /* plan.buffers; each is in `free`, with the reader or with a worker */
    struct queue *free;
    struct pool *pool;
    uint64_t read_bytes; /* of segments, over all members */
};

/* ---- the tar ----------------------------------------------------------------------------------------------------- */

#define ADVICE                                                                                                         \
    "import takes the file as `remora export` wrote it; one that was packed anew can be unpacked, and is a "           \
    "repository then, which `remora copy` takes backups from"

/* The next entry; there must be one. WANTED says what it ought to be. */
static int
next_entry(struct importing *i, const char *wanted, struct err *err)
{
    bool end = false;

    if (sig_check(err) < 0 || tar_reader_next(i->tar, &i->entry, &end, err) < 0)
        return -1;
    return end ? err_set(err, ERR_CORRUPT, "the tar ends where %s should come: it is not whole", wanted) : 0;
}

static int
misplaced(const struct importing *i, const char *wanted, struct err *err)
{
    return err_set(err, ERR_CORRUPT, "the tar's entry \"%.300s\" stands where %s should be: " ADVICE, i->entry.name,
                   wanted);
}

/* The same, and it must be called KEY. */
static int
expect(struct importing *i, const char *key, struct err *err)
{
    if (next_entry(i, key, err) < 0)
        return -1;
    return strcmp(i->entry.name, key) == 0 ? 0 : misplaced(i, key, err);
}

/* The entry's content into BUF, which has room for it. */
static int
read_into(struct importing *i, void *buf, struct err *err)
{
    size_t got = 0;

    if (tar_reader_data(i->tar, buf, (size_t)i->entry.size, &got, err) < 0)
        return err_wrap(err, "the tar's entry \"%.300s\"", i->entry.name);
    if (got != i->entry.size)
        return err_set(err, ERR_CORRUPT, "the tar's entry \"%.300s\" is cut off", i->entry.name);
    return 0;
}

/* A small one; *DATA is NUL-terminated, the caller frees. */
static int
read_entry(struct importing *i, size_t cap, char **data, size_t *len, struct err *err)
{
    if (i->entry.size > cap)
        return err_set(err, ERR_CORRUPT,
                       "the tar's entry \"%.300s\" has %" PRIu64 " bytes: none such has more than %zu", i->entry.name,
                       i->entry.size, cap);
    *len = (size_t)i->entry.size;
    *data = mem_new(*len + 1);
    return read_into(i, *data, err);
}

/* ---- what stands before the data --------------------------------------------------------------------------------- */

/* The marker of INSTANCE, or with NULL of the repository. */
static int
read_marker(struct importing *i, const char *instance, struct err *err)
{
    char *data = NULL;
    size_t len = 0;
    int rc = read_entry(i, REPO_SMALL_OBJECT, &data, &len, err);

    if (rc == 0 && repo_marker_check(data, len, instance, NULL, err) < 0)
        rc = err_wrap(err, "the tar's entry \"%.300s\"", i->entry.name);
    free(data);
    return rc;
}

/* The instance whose marker the entry is, by its name. */
static bool
parse_instance(struct importing *i)
{
    const char *name = i->entry.name + strlen(LAYOUT_INSTANCES);
    struct err unused = ERR_INIT;
    struct layout_key key;
    size_t len;

    if (strncmp(i->entry.name, LAYOUT_INSTANCES, strlen(LAYOUT_INSTANCES)) != 0)
        return false;
    len = strcspn(name, "/");
    if (len >= sizeof(i->instance))
        return false;
    memcpy(i->instance, name, len);
    i->instance[len] = '\0';
    if (layout_check_instance(i->instance, &unused) < 0)
        return false;
    layout_instance_marker(&key, i->instance);
    return strcmp(key.text, i->entry.name) == 0;
}

static int
read_markers(struct importing *i, struct err *err)
{
    static const char wanted[] = "the marker of the backup's instance";

    if (expect(i, LAYOUT_MARKER, err) < 0 || read_marker(i, NULL, err) < 0 || next_entry(i, wanted, err) < 0)
        return -1;
    return parse_instance(i) ? read_marker(i, i->instance, err) : misplaced(i, wanted, err);
}

static int
read_manifest(struct importing *i, struct backup_id *id, struct err *err)
{
    static const char wanted[] = "the backup's manifest";
    struct layout_key key;

    if (next_entry(i, wanted, err) < 0)
        return -1;
    if (!layout_parse_id(i->entry.name, id))
        return misplaced(i, wanted, err);
    layout_manifest(&key, i->instance, id);
    if (strcmp(key.text, i->entry.name) != 0)
        return misplaced(i, wanted, err);
    if (read_entry(i, REPO_SMALL_OBJECT, &i->manifest, &i->manifest_len, err) < 0)
        return -1;
    if (manifest_parse(i->manifest, i->manifest_len, &i->m, err) < 0)
        return err_wrap(err, "the tar's entry \"%.300s\"", i->entry.name);
    if (strcmp(i->m->id.text, id->text) != 0)
        return err_set(err, ERR_CORRUPT, "the tar's entry \"%.300s\" is the manifest of another backup, %s",
                       i->entry.name, i->m->id.text);
    i->member_count = manifest_members(i->m, i->members);
    return 0;
}

static int
read_index(struct importing *i, struct err *err)
{
    const struct manifest_member *member = i->members[i->current];
    struct arrival_index *x = &i->indexes[i->current];
    struct layout_key key;

    layout_index(&key, i->instance, &i->m->id, member->name);
    if (expect(i, key.text, err) < 0 || read_entry(i, INDEX_MAX_BYTES, &x->data, &x->len, err) < 0)
        return -1;
    if (stored_index_check(member, x->data, x->len, &x->parsed, err) < 0)
        return err_wrap(err, "the tar's entry \"%s\"", key.text);
    return 0;
}

/* ---- segments ---------------------------------------------------------------------------------------------------- */

static int
store_piece(void *item, unsigned worker, void *cookie, struct err *err)
{
    struct importing *i = cookie;
    const struct piece *piece = item;
    const struct manifest_member *member = i->members[i->current];
    const struct index_segment *s = &i->indexes[i->current].parsed.segments[piece->number];
    struct layout_key key;

    (void)worker;
    if (stored_segment_check(s, piece->data, (size_t)s->stored_size, err) < 0) {
        layout_segment(&key, i->instance, &i->m->id, member->name, piece->number);
        return err_wrap(err, "the tar's entry \"%s\"", key.text);
    }
    if (i->arrival == NULL || arrival_has(i->arrival, member, piece->number, s->stored_size))
        return 0;
    return arrival_put(i->arrival, member, piece->number, piece->data, (size_t)s->stored_size, s->sha256, err);
}

static void
piece_done(void *item, void *cookie)
{
    struct importing *i = cookie;

    REQUIRE(queue_push(i->free, item)); /* as large as there are pieces: never full, never closed */
}

static const struct pool_ops pool_ops = {.work = store_piece, .done = piece_done};

/* Segment N of the index into PIECE. */
static int
read_segment(struct importing *i, uint64_t n, struct piece *piece, struct err *err)
{
    const struct manifest_member *member = i->members[i->current];
    const struct index_segment *s = &i->indexes[i->current].parsed.segments[n];
    struct layout_key key;

    layout_segment(&key, i->instance, &i->m->id, member->name, n);
    if (expect(i, key.text, err) < 0)
        return -1;
    if (i->entry.size != s->stored_size)
        return err_set(err, ERR_CORRUPT, "the tar's entry \"%s\" has %" PRIu64 " bytes, but %" PRIu64 " by the index",
                       key.text, i->entry.size, s->stored_size);
    piece->number = n;
    return read_into(i, piece->data, err);
}

static void
tell(struct importing *i)
{
    uint64_t total = 0, put = i->arrival != NULL ? arrival_counts(i->arrival).put_bytes : 0;

    for (size_t k = 0; k < i->member_count; k++)
        total += i->members[k]->stored_size;
    progress_tell(&i->o->progress, PROGRESS_COPYING, i->read_bytes, total, put);
}

/* All segments of the member to the workers. */
static int
submit_all(struct importing *i, struct err *err)
{
    const struct index *index = &i->indexes[i->current].parsed;

    for (uint64_t n = 0; n < index->count; n++) {
        struct piece *piece = queue_pop(i->free);

        if (read_segment(i, n, piece, err) < 0) {
            piece_done(piece, i);
            return -1;
        }
        if (!pool_submit(i->pool, piece)) {
            piece_done(piece, i);
            return 0; /* pool_finish() knows why */
        }
        i->read_bytes += index->segments[n].stored_size;
        tell(i);
    }
    return 0;
}

static int
make_buffers(struct importing *i, struct err *err)
{
    size_t raw = 0, stored = 0, index_bytes = 0;

    for (size_t k = 0; k <= i->current; k++)
        index_bytes += i->indexes[k].len;
    if (stored_index_bounds(&i->indexes[i->current].parsed, &raw, &stored, err) < 0 ||
        memory_plan_carry(i->o->memory, i->o->jobs, true, stored, index_bytes, &i->plan, err) < 0)
        return -1;
    log_debug("memory plan of the import", LOG_U("jobs", i->plan.jobs), LOG_U("segment", i->plan.stored_bytes),
              LOG_U("buffers", i->plan.buffer_bytes));
    i->free = queue_new(i->plan.buffers);
    i->pieces = mem_array(i->plan.buffers, sizeof(*i->pieces));
    for (unsigned k = 0; k < i->plan.buffers; k++) {
        i->pieces[k].data = mem_pages(i->plan.stored_bytes, err);
        if (i->pieces[k].data == NULL)
            return -1;
        piece_done(&i->pieces[k], i);
    }
    return 0;
}

static void
free_buffers(struct importing *i)
{
    for (unsigned k = 0; i->pieces != NULL && k < i->plan.buffers; k++)
        mem_pages_free(i->pieces[k].data, i->plan.stored_bytes);
    free(i->pieces);
    queue_free(i->free);
    i->pieces = NULL;
    i->free = NULL;
}

static int
import_member(struct importing *i, struct err *err)
{
    struct err pool_err = ERR_INIT;
    int rc = -1;

    if (read_index(i, err) < 0 || make_buffers(i, err) < 0)
        goto out;
    i->pool = pool_start(i->plan.jobs, &pool_ops, i, err);
    if (i->pool == NULL)
        goto out;
    rc = submit_all(i, err);
    if (rc < 0)
        pool_cancel(i->pool, err);
    if (pool_finish(i->pool, &pool_err) < 0) {
        *err = pool_err;
        rc = -1;
    }
    i->pool = NULL;
out:
    free_buffers(i);
    return rc;
}

/* ---- the verb ---------------------------------------------------------------------------------------------------- */

static int
expect_end(struct importing *i, struct err *err)
{
    bool end = false;

    if (tar_reader_next(i->tar, &i->entry, &end, err) < 0)
        return -1;
    return end ? 0
               : err_set(err, ERR_CORRUPT,
                         "the tar's entry \"%.300s\" stands behind the backup's last segment: " ADVICE, i->entry.name);
}

static int
import_all(struct importing *i, struct import_result *result, struct err *err)
{
    if (read_markers(i, err) < 0 || read_manifest(i, &result->id, err) < 0)
        return -1;
    if (arrival_begin(i->o->to, i->o->instance, i->m, i->manifest, i->manifest_len, &result->there, &i->arrival, err) <
        0)
        return err_wrap(err, "backup %s", result->id.text);
    for (i->current = 0; i->current < i->member_count; i->current++) {
        result->segments += i->members[i->current]->segments;
        if (import_member(i, err) < 0)
            return -1;
    }
    if (expect_end(i, err) < 0)
        return -1;
    if (result->there)
        return 0;
    progress_tell(&i->o->progress, PROGRESS_PUBLISHING, 0, 0, 0);
    result->counts = arrival_counts(i->arrival);
    return arrival_publish(i->arrival, i->indexes, err);
}

int
import_backup(const struct import_options *o, struct tar_reader *tar, struct import_result *result, struct err *err)
{
    struct importing i = {.o = o, .tar = tar};
    int rc;

    memset(result, 0, sizeof(*result));
    rc = import_all(&i, result, err);
    for (size_t k = 0; k < MANIFEST_MEMBERS_MAX; k++) {
        index_fini(&i.indexes[k].parsed);
        free(i.indexes[k].data);
    }
    arrival_free(i.arrival);
    manifest_free(i.m);
    free(i.manifest);
    return rc;
}
