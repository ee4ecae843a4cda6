/* SPDX-License-Identifier: Apache-2.0 */
/* publish.c: see publish.h. */
#include "snapshot/repo/publish.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "snapshot/repo/layout.h"

const struct publish_limits publish_limits = {
    .segment_age_ms = 12 * 3600 * 1000,
    .listing_age_ms = 3600 * 1000,
};

/* What the listing of the segments showed. */
struct listing {
    const struct index *index;
    bool *seen; /* one a segment */
    int64_t newest_ms;
    uint64_t wrong_size; /* a segment whose size is not the index's; UINT64_MAX: none */
};

static void
saw_segment(struct listing *l, uint64_t number, const struct store_object *object)
{
    l->seen[number] = true;
    if (object->mtime_ms > l->newest_ms)
        l->newest_ms = object->mtime_ms;
    if (object->size != l->index->segments[number].stored_size)
        l->wrong_size = number;
}

static bool
see(const struct store_object *object, void *cookie)
{
    struct listing *l = cookie;
    uint64_t number = 0;

    if (layout_parse_segment(object->key, &number) && number < l->index->count)
        saw_segment(l, number, object);
    return true;
}

/* Every segment is in the store, in its size: listed, or where the listing lacks it (some stores' listings lag), by a
 * stat. */
static int
check_segments(const struct repo *repo, const struct manifest *m, struct listing *l, struct err *err)
{
    struct layout_key key;
    struct store_list what = {.prefix = key.text};

    layout_member(&key, m->instance, &m->id, m->rdb_member.name);
    if (store_list(repo->store, &what, see, l, err) < 0)
        return -1;
    for (uint64_t n = 0; n < l->index->count; n++) {
        struct store_object object;

        if (l->seen[n])
            continue;
        layout_segment(&key, m->instance, &m->id, m->rdb_member.name, n);
        if (store_stat(repo->store, key.text, &object, err) < 0) {
            if (err->code == ERR_NOT_FOUND)
                return err_set(err, ERR_STORAGE, "segment %" PRIu64 " was stored, but %s does not have it", n,
                               store_url(repo->store));
            return -1;
        }
        saw_segment(l, n, &object);
    }
    if (l->wrong_size != UINT64_MAX)
        return err_set(err, ERR_STORAGE, "segment %" PRIu64 " was stored, but in %s its size is another", l->wrong_size,
                       store_url(repo->store));
    return 0;
}

static int
check_age(const struct repo *repo, const struct listing *l, const struct publish_limits *limits, struct err *err)
{
    int64_t now = 0;

    if (store_now(repo->store, &now, err) < 0)
        return -1;
    if (l->index->count > 0 && now - l->newest_ms >= limits->segment_age_ms)
        return err_set(err, ERR_STORAGE,
                       "the newest segment is %" PRId64 " s old by the store's clock: too old to publish",
                       (now - l->newest_ms) / 1000);
    return 0;
}

static int
put_index(const struct repo *repo, const struct index *index, struct manifest *m, struct err *err)
{
    struct layout_key key;
    struct store_put put = {.key = key.text};
    size_t len = 0;
    char *data = index_write(index, &len);
    int rc;

    layout_index(&key, m->instance, &m->id, m->rdb_member.name);
    digest_sha256(data, len, m->rdb_member.index_sha256);
    m->rdb_member.index_size = len;
    m->rdb_member.segments = index->count;
    m->rdb_member.raw_size = index_raw_size(index);
    m->rdb_member.stored_size = index_stored_size(index);
    put.data = data;
    put.len = len;
    put.sha256 = m->rdb_member.index_sha256;
    rc = store_put(repo->store, &put, err);
    free(data);
    return rc;
}

/* After the put of the manifest failed with CAUSE: is it there all the same (its answer was lost), surely not, or is
 * that unknown? */
enum outcome { IS_THERE, IS_NOT_THERE, UNKNOWN };

static enum outcome
settle(const struct repo *repo, const char *key, const char *data, size_t len, const struct err *cause)
{
    struct err why = ERR_INIT;
    char *found = NULL;
    size_t found_len = 0;
    enum outcome outcome = UNKNOWN;

    if (store_get_all(repo->store, key, REPO_SMALL_OBJECT, &found, &found_len, &why) == 0) {
        if (found_len == len && memcmp(found, data, len) == 0)
            outcome = IS_THERE;
    } else if (why.code == ERR_NOT_FOUND && cause->code != ERR_STORAGE && cause->code != ERR_INTERNAL) {
        outcome = IS_NOT_THERE; /* the store itself said no; a request that is still on its way cannot exist */
    }
    free(found);
    return outcome;
}

static int
put_manifest(const struct repo *repo, const struct manifest *m, bool *maybe_published, struct err *err)
{
    struct layout_key key;
    struct store_put put = {.key = key.text};
    size_t len = 0;
    char *data = manifest_write(m, &len);
    int rc;

    layout_manifest(&key, m->instance, &m->id);
    put.data = data;
    put.len = len;
    put.flags = store_features(repo->store) & STORE_CREATE_ONLY ? STORE_PUT_CREATE : 0;
    rc = store_put(repo->store, &put, err);
    if (rc < 0) {
        enum outcome outcome = settle(repo, key.text, data, len, err);

        *maybe_published = outcome == UNKNOWN;
        if (outcome == IS_THERE) {
            err_clear(err);
            rc = 0;
        }
    }
    free(data);
    return rc;
}

int
publish_backup(const struct repo *repo, const struct index *index, struct manifest *m,
               const struct publish_limits *limits, bool *maybe_published, struct err *err)
{
    struct listing listing = {.index = index, .wrong_size = UINT64_MAX};
    int64_t listed_at = clock_boot_ms();
    int rc = -1;

    *maybe_published = false;
    listing.seen = mem_array(index->count, sizeof(*listing.seen));
    if (check_segments(repo, m, &listing, err) < 0 || check_age(repo, &listing, limits, err) < 0)
        goto out;
    if (put_index(repo, index, m, err) < 0)
        goto out;
    if (clock_boot_ms() - listed_at >= limits->listing_age_ms) {
        (void)err_set(err, ERR_STORAGE, "more than %" PRId64 " s passed since the segments were listed",
                      limits->listing_age_ms / 1000);
        goto out;
    }
    m->finished_ms = repo_now_ms(repo);
    rc = put_manifest(repo, m, maybe_published, err);
out:
    free(listing.seen);
    return rc < 0 ? err_wrap(err, "publish backup %s", m->id.text) : 0;
}
