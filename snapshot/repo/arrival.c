/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arrival.c: see arrival.h.
 *
 * Why nobody removes what an arrival relies upon: a remover takes data without a manifest only when it has found all of
 * them a day old, and notes first (layout's LAYOUT_EXPIRED) what it takes of a backup that was one. What lies there is
 * relied upon only after a put of our own, made while all of it was younger than RELIED_MS: from then on no remover
 * finds it old, for as long as a put of ours is not half a day past. A note is looked for before the publication begins
 * as well as at its last moment: without the first look a removal could take the data and its note between publish's
 * listing and its own look.
 */
#include "snapshot/repo/arrival.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/units.h"
#include "snapshot/repo/layout.h"
#include "snapshot/repo/publish.h"

/* Old remains are relied upon only when this much younger than a day after our put. */
#define RELIED_MS ((int64_t)23 * 3600 * 1000 + 1800 * 1000)
/* One put keeps all young for so long; then a segment that is there is put again. */
#define REFRESH_MS ((int64_t)6 * 3600 * 1000)

struct arrival {
    const struct repo *repo;
    struct manifest m; /* the caller's, with the instance's name in its new place; what it points to is the caller's */
    const char *data;
    size_t len;
    bool found;      /* an earlier arrival left something */
    int64_t age_ms;  /* its newest object's, when it was listed */
    int64_t listed;  /* when that was, by CLOCK_BOOTTIME */
    uint64_t *sizes; /* of the segments that are there, by number; 0: it is not. All members, one after the other */
    size_t count;
    pthread_mutex_t mutex; /* guards `sizes` and what follows */
    bool has_put;
    int64_t put_at; /* the last one, by CLOCK_BOOTTIME */
    struct arrival_counts counts;
};

/* ---- what is there ----------------------------------------------------------------------------------------------- */

/* Where segment NUMBER of the member NAME stands in a->sizes; NULL where there is no such segment. */
static uint64_t *
size_of(const struct arrival *a, const char *name, uint64_t number)
{
    const struct manifest_member *members[MANIFEST_MEMBERS_MAX];
    const size_t count = manifest_members(&a->m, members);
    uint64_t *at = a->sizes;

    for (size_t i = 0; i < count; i++) {
        if (strcmp(members[i]->name, name) == 0)
            return number < members[i]->segments ? at + number : NULL;
        at += members[i]->segments;
    }
    return NULL;
}

struct remains {
    struct arrival *a;
    struct layout_key prefix; /* of the backup's data */
    int64_t newest_ms;
};

static bool
note_object(const struct store_object *object, void *cookie)
{
    struct remains *r = cookie;
    const char *member = object->key + strlen(r->prefix.text);
    size_t len = strcspn(member, "/");
    uint64_t number = 0, *size;
    char name[sizeof(r->a->m.rdb_member.name)];

    r->a->found = true;
    if (object->mtime_ms > r->newest_ms)
        r->newest_ms = object->mtime_ms;
    if (len >= sizeof(name) || !layout_parse_segment(object->key, &number))
        return true;
    memcpy(name, member, len);
    name[len] = '\0';
    size = size_of(r->a, name, number);
    if (size != NULL)
        *size = object->size;
    return true;
}

/* Of an earlier arrival, or one that is under way. */
static int
look_for_remains(struct arrival *a, struct err *err)
{
    struct remains r = {.a = a};
    char age[UNITS_TEXT_MAX];
    int64_t now_ms = 0;

    layout_data(&r.prefix, a->m.instance, &a->m.id);
    a->listed = clock_boot_ms();
    if (store_list(a->repo->store, &(struct store_list){.prefix = r.prefix.text}, note_object, &r, err) < 0)
        return -1;
    if (!a->found)
        return 0;
    if (store_now(a->repo->store, &now_ms, err) < 0)
        return -1;
    a->age_ms = now_ms - r.newest_ms;
    if (a->age_ms < ARRIVAL_FRESH_MS)
        return 0;
    return err_set(err, ERR_LOCKED,
                   "what an interrupted run has left of this backup in %s is %s old, which is too old to go on with: "
                   "`remora prune --apply` there removes it once it is 24h old, and another a day later frees the id; "
                   "or take another --instance now",
                   store_url(a->repo->store), units_format_duration(a->age_ms, age));
}

/* Is the backup there already? ERR_REFUSED for another one under its id. */
static int
look_for_manifest(const struct arrival *a, bool *there, struct err *err)
{
    struct layout_key key;
    char *found = NULL;
    size_t len = 0;
    int rc = 0;

    *there = false;
    layout_manifest(&key, a->m.instance, &a->m.id);
    if (store_get_all(a->repo->store, key.text, REPO_SMALL_OBJECT, &found, &len, err) < 0) {
        if (err->code != ERR_NOT_FOUND)
            return -1;
        err_clear(err);
        return 0;
    }
    *there = len == a->len && memcmp(found, a->data, len) == 0;
    if (!*there)
        rc = err_set(err, ERR_REFUSED,
                     "another backup, or a damaged manifest, is there under this id in %s: take another instance, or "
                     "look at it with `remora show %s` and `remora delete` it",
                     store_url(a->repo->store), a->m.id.text);
    free(found);
    return rc;
}

static int
look_around(struct arrival *a, bool *there, struct err *err)
{
    if (look_for_manifest(a, there, err) < 0)
        return -1;
    if (*there)
        return 0;
    if (publish_check_no_removal(a->repo, &a->m, err) < 0)
        return -1;
    return look_for_remains(a, err);
}

/* The segments that a manifest speaks of: what it says is not to be believed. */
static int
count_segments(struct arrival *a, struct err *err)
{
    const struct manifest_member *members[MANIFEST_MEMBERS_MAX];
    const size_t count = manifest_members(&a->m, members);

    for (size_t i = 0; i < count; i++) {
        if (members[i]->segments == 0)
            return err_set(err, ERR_CORRUPT, "its manifest tells of a dump without a segment");
        if (members[i]->segments > INDEX_MAX_SEGMENTS)
            return err_set(err, ERR_UNSUPPORTED,
                           "its manifest tells of %" PRIu64 " segments; this version knows at most %u",
                           members[i]->segments, INDEX_MAX_SEGMENTS);
        a->count += (size_t)members[i]->segments;
    }
    return 0;
}

int
arrival_begin(const struct repo *repo, const char *instance, const struct manifest *m, const char *data, size_t len,
              bool *there, struct arrival **out, struct err *err)
{
    struct arrival *a = mem_new(sizeof(*a));
    int rc;

    *there = false;
    *out = NULL;
    REQUIRE(pthread_mutex_init(&a->mutex, NULL) == 0);
    a->repo = repo;
    a->m = *m;
    a->data = data;
    a->len = len;
    (void)snprintf(a->m.instance, sizeof(a->m.instance), "%s", instance);
    rc = m->has_other_members ? err_set(err, ERR_UNSUPPORTED,
                                        "it has members that this version does not know and would leave behind; use a "
                                        "newer remora")
                              : count_segments(a, err);
    if (rc == 0) {
        a->sizes = mem_array(a->count, sizeof(*a->sizes));
        rc = look_around(a, there, err);
    }
    if (rc < 0 || *there) {
        arrival_free(a);
        return rc;
    }
    *out = a;
    return 0;
}

void
arrival_free(struct arrival *a)
{
    if (a == NULL)
        return;
    (void)pthread_mutex_destroy(&a->mutex);
    free(a->sizes);
    free(a);
}

/* ---- its segments ------------------------------------------------------------------------------------------------ */

bool
arrival_has(struct arrival *a, const struct manifest_member *member, uint64_t number, uint64_t size)
{
    const uint64_t *at;
    bool has;

    (void)pthread_mutex_lock(&a->mutex);
    at = size_of(a, member->name, number);
    has = at != NULL && size > 0 && *at == size && a->has_put && clock_boot_ms() - a->put_at < REFRESH_MS;
    if (has) {
        a->counts.had++;
        a->counts.had_bytes += size;
    }
    (void)pthread_mutex_unlock(&a->mutex);
    return has;
}

struct arrival_counts
arrival_counts(struct arrival *a)
{
    struct arrival_counts counts;

    (void)pthread_mutex_lock(&a->mutex);
    counts = a->counts;
    (void)pthread_mutex_unlock(&a->mutex);
    return counts;
}

/* The first put makes what was found young, unless it came too late: a remover may have found it old. */
static int
check_in_time(const struct arrival *a, struct err *err)
{
    const int64_t now = clock_boot_ms();

    if (!a->found || a->has_put || a->age_ms + (now - a->listed) < RELIED_MS)
        return 0;
    return err_set(err, ERR_STORAGE,
                   "what an interrupted run has left of this backup became a day old before it could be gone on with: "
                   "try again");
}

int
arrival_put(struct arrival *a, const struct manifest_member *member, uint64_t number, const void *data, size_t len,
            const uint8_t *sha256, struct err *err)
{
    struct layout_key key;
    struct store_put put = {.key = key.text, .data = data, .len = len, .flags = STORE_PUT_PERMANENT, .sha256 = sha256};
    uint64_t *at;
    int rc;

    layout_segment(&key, a->m.instance, &a->m.id, member->name, number);
    if (store_put(a->repo->store, &put, err) < 0)
        return -1;
    (void)pthread_mutex_lock(&a->mutex);
    rc = check_in_time(a, err);
    at = size_of(a, member->name, number);
    REQUIRE(at != NULL);
    *at = len;
    a->has_put = a->has_put || rc == 0;
    a->put_at = clock_boot_ms();
    a->counts.put++;
    a->counts.put_bytes += len;
    (void)pthread_mutex_unlock(&a->mutex);
    return rc;
}

/* ---- its publication --------------------------------------------------------------------------------------------- */

static int
publish(struct arrival *a, const struct arrival_index *indexes, struct err *err)
{
    struct manifest_member *const own[MANIFEST_MEMBERS_MAX] = {&a->m.rdb_member, &a->m.config_member};
    const struct manifest_member *members[MANIFEST_MEMBERS_MAX];
    struct publication what = {.m = &a->m, .manifest = a->data, .manifest_len = a->len};
    bool unused;

    what.member_count = manifest_members(&a->m, members);
    REQUIRE(what.member_count <= MANIFEST_MEMBERS_MAX);
    for (size_t i = 0; i < what.member_count; i++) {
        REQUIRE(own[i] == members[i]);
        what.members[i] = (struct publish_member){
            .member = own[i], .index = &indexes[i].parsed, .index_bytes = indexes[i].data, .index_len = indexes[i].len};
    }
    return publish_backup(a->repo, &what, &publish_limits, &unused, err);
}

int
arrival_publish(struct arrival *a, const struct arrival_index *indexes, struct err *err)
{
    bool there = false;

    /* A store that cannot refuse would have another backup's manifest overwritten. */
    if ((store_features(a->repo->store) & STORE_CREATE_ONLY) == 0 && look_for_manifest(a, &there, err) < 0)
        return err_wrap(err, "publish backup %s", a->m.id.text);
    if (there) /* another arrival of the same backup was faster */
        return 0;
    if (publish_check_no_removal(a->repo, &a->m, err) < 0)
        return err_wrap(err, "publish backup %s", a->m.id.text);
    return publish(a, indexes, err);
}
