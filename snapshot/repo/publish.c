/* SPDX-License-Identifier: Apache-2.0 */
/* publish.c: see publish.h. */
#include "snapshot/repo/publish.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "snapshot/repo/fact.h"
#include "snapshot/repo/layout.h"
#include "snapshot/repo/presence.h"

const struct publish_limits publish_limits = {
    .segment_age_ms = 12 * 3600 * 1000,
    .listing_age_ms = 3600 * 1000,
};

/* The segments were stored a moment ago: one that is missing or wrong is the store's failure. *NEWEST_MS is when the
 * newest of all members was put. */
static int
check_segments(const struct repo *repo, const struct publication *what, int64_t *newest_ms, struct err *err)
{
    *newest_ms = 0;
    for (size_t i = 0; i < what->member_count; i++) {
        const struct publish_member *part = &what->members[i];
        int64_t newest = 0;

        if (presence_check(repo, what->m, part->member, part->index, &newest, err) < 0) {
            if (err->code == ERR_CORRUPT)
                err->code = ERR_STORAGE;
            return -1;
        }
        if (newest > *newest_ms)
            *newest_ms = newest;
    }
    return 0;
}

static int
check_age(const struct repo *repo, int64_t newest_ms, const struct publish_limits *limits, struct err *err)
{
    int64_t now = 0;

    if (store_now(repo->store, &now, err) < 0)
        return -1;
    if (now - newest_ms >= limits->segment_age_ms)
        return err_set(err, ERR_STORAGE,
                       "the newest segment is %" PRId64 " s old by the store's clock: too old to publish",
                       (now - newest_ms) / 1000);
    return 0;
}

/* What a new member's index says of it. */
static void
complete_member(const struct publish_member *part, const char *data, size_t len)
{
    struct manifest_member *member = part->member;

    digest_sha256(data, len, member->index_sha256);
    member->index_size = len;
    member->segments = part->index->count;
    member->raw_size = index_raw_size(part->index);
    member->stored_size = index_stored_size(part->index);
}

static int
put_index(const struct repo *repo, const struct manifest *m, const struct publish_member *part, struct err *err)
{
    struct layout_key key;
    struct store_put put = {.key = key.text,
                            .data = part->index_bytes,
                            .len = part->index_len,
                            .flags = STORE_PUT_PERMANENT,
                            .sha256 = part->member->index_sha256};
    char *written = NULL;
    int rc;

    if (put.data == NULL) {
        written = index_write(part->index, &put.len);
        complete_member(part, written, put.len);
        put.data = written;
    }
    layout_index(&key, m->instance, &m->id, part->member->name);
    rc = store_put(repo->store, &put, err);
    free(written);
    return rc;
}

static int
put_indexes(const struct repo *repo, const struct publication *what, struct err *err)
{
    for (size_t i = 0; i < what->member_count; i++) {
        if (put_index(repo, what->m, &what->members[i], err) < 0)
            return -1;
    }
    return 0;
}

/* After the put of the manifest failed with CAUSE: is it there all the same (its answer was lost), surely not, or is
 * that unknown? */
enum outcome { IS_THERE, IS_NOT_THERE, UNKNOWN };

/* Did the store answer the put, with no? Then no request is on its way any more that could still make the manifest
 * appear. Any other failure (a lost answer, a signal) leaves that open. */
static bool
is_the_stores_no(enum err_code code)
{
    return code == ERR_EXISTS || code == ERR_STORE_DENIED || code == ERR_NO_SPACE || code == ERR_REFUSED ||
           code == ERR_UNSUPPORTED || code == ERR_USAGE;
}

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
    } else if (why.code == ERR_NOT_FOUND && is_the_stores_no(cause->code)) {
        outcome = IS_NOT_THERE;
    }
    free(found);
    return outcome;
}

/* What cannot be read back must not be published: a manifest is never changed, and restore reads nothing else. */
static int
check_manifest(const char *data, size_t len, struct err *err)
{
    struct manifest *m = NULL;

    if (len > REPO_SMALL_OBJECT)
        return err_set(err, ERR_UNSUPPORTED, "the manifest would have %zu bytes, more than the allowed %u", len,
                       REPO_SMALL_OBJECT);
    if (manifest_parse(data, len, &m, err) < 0) {
        err->code = ERR_UNSUPPORTED;
        return err_wrap(err, "what was found in the dump does not fit into a manifest");
    }
    manifest_free(m);
    return 0;
}

/* DATA as the manifest of M; a store that knows create-only refuses when there is one. */
static int
put_bytes(const struct repo *repo, const struct manifest *m, const char *data, size_t len, bool *maybe_published,
          struct err *err)
{
    struct layout_key key;
    struct store_put put = {.key = key.text, .data = data, .len = len, .flags = STORE_PUT_PERMANENT};
    enum outcome outcome;

    layout_manifest(&key, m->instance, &m->id);
    if ((store_features(repo->store) & STORE_CREATE_ONLY) != 0)
        put.flags |= STORE_PUT_CREATE;
    if (check_manifest(data, len, err) < 0)
        return -1;
    if (store_put(repo->store, &put, err) == 0)
        return 0;
    outcome = settle(repo, key.text, data, len, err);
    *maybe_published = outcome == UNKNOWN;
    if (outcome != IS_THERE)
        return -1;
    err_clear(err);
    return 0;
}

static int
put_manifest(const struct repo *repo, const struct publication *what, bool *maybe_published, struct err *err)
{
    char *written;
    size_t len = 0;
    int rc;

    if (what->manifest != NULL)
        return put_bytes(repo, what->m, what->manifest, what->manifest_len, maybe_published, err);
    what->m->finished_ms = repo_now_ms(repo);
    written = manifest_write(what->m, &len);
    rc = put_bytes(repo, what->m, written, len, maybe_published, err);
    free(written);
    return rc;
}

int
publish_check_no_removal(const struct repo *repo, const struct manifest *m, struct err *err)
{
    bool noted = true;

    if (fact_find(repo, m->instance, LAYOUT_EXPIRED, &m->id, &noted, NULL, err) < 0)
        return -1;
    if (!noted)
        return 0;
    return err_set(err, ERR_LOCKED,
                   "a backup of this id is being removed from %s; try again when `remora prune --apply` has finished "
                   "that, a day after the removal",
                   store_url(repo->store));
}

int
publish_backup(const struct repo *repo, const struct publication *what, const struct publish_limits *limits,
               bool *maybe_published, struct err *err)
{
    int64_t listed_at = clock_boot_ms(), newest_ms = 0;
    int rc = -1;

    *maybe_published = false;
    REQUIRE(what->member_count > 0 && what->members[0].index->count > 0);
    if (check_segments(repo, what, &newest_ms, err) < 0 || check_age(repo, newest_ms, limits, err) < 0)
        goto out;
    if (put_indexes(repo, what, err) < 0)
        goto out;
    if (what->manifest != NULL && publish_check_no_removal(repo, what->m, err) < 0)
        goto out;
    if (clock_boot_ms() - listed_at >= limits->listing_age_ms) {
        (void)err_set(err, ERR_STORAGE, "more than %" PRId64 " s passed since the segments were listed",
                      limits->listing_age_ms / 1000);
        goto out;
    }
    rc = put_manifest(repo, what, maybe_published, err);
out:
    return rc < 0 ? err_wrap(err, "publish backup %s", what->m->id.text) : 0;
}
