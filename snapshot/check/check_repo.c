/* SPDX-License-Identifier: Apache-2.0 */
/* check_repo.c: see check_repo.h. */
#include "snapshot/check/check_repo.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/units.h"
#include "snapshot/repo/catalog.h"
#include "snapshot/repo/probe.h"
#include "snapshot/repo/repo.h"

#define NAMES_MAX     400                   /* bytes of instance names that are told */
#define SKEW_WARN_MS  ((int64_t)60 * 1000)  /* times in manifests begin to mislead */
#define SKEW_FAIL_MS  ((int64_t)900 * 1000) /* S3 refuses what was signed 15 minutes beside its own clock */
#define REMEDY_DENIED "give these credentials, or this uid, the right to read, put and remove objects there"

static const char *
remedy_for(const struct err *failure)
{
    switch (failure->code) {
    case ERR_STORE_DENIED:
    case ERR_REFUSED:
        return REMEDY_DENIED;
    case ERR_NO_SPACE:
        return "enlarge the store's volume or its quota, or remove old backups";
    case ERR_UNSUPPORTED:
        return "use a newer remora";
    case ERR_CORRUPT:
        return "look at the store: something else writes there, or its disks are damaged";
    default:
        return "look at the address, the network and the store's own state, then run this again";
    }
}

/* ---- the repository ---------------------------------------------------------------------------------------------- */

void
check_judge_skew(struct check *c, int64_t skew_ms)
{
    int64_t distance = skew_ms < 0 ? -skew_ms : skew_ms;
    const char *side = skew_ms < 0 ? "behind" : "ahead of";
    const char *remedy = "set the clocks (NTP) of this machine and of the store";
    char text[UNITS_TEXT_MAX];

    (void)units_format_duration(distance, text);
    if (distance > SKEW_FAIL_MS)
        check_fail(c, "clock", ERR_STORAGE, remedy,
                   "the store's clock is %s %s ours: requests that are signed by ours are refused from 15 minutes on",
                   text, side);
    else if (distance > SKEW_WARN_MS)
        check_warn(c, "clock", remedy, "the store's clock is %s %s ours", text, side);
    else
        check_ok(c, "clock", "the store's clock and ours are less than a minute apart");
}

/* Where the access key came from: also where the store then refused it. */
static void
tell_credentials(struct check *c, struct store *store)
{
    char who[200];

    store_describe_credentials(store, who, sizeof(who));
    if (who[0] != '\0')
        check_ok(c, "credentials", "the access key comes from %s", who);
}

/* 0: the repository can be used. The time is asked first: it tells a bucket or folder that is missing from one that
 * merely is no repository. */
static int
probe_marker(struct check *c, struct store *store, struct repo *repo)
{
    struct err err = ERR_INIT;
    int64_t now_ms = 0;
    bool answered;
    int rc;

    rc = store_now(store, &now_ms, &err);
    tell_credentials(c, store);
    if (rc < 0) {
        check_failed(c, "reachable", &err,
                     err.code == ERR_NOT_FOUND ? "correct --repo, or make the bucket or folder" : remedy_for(&err));
        return -1;
    }
    rc = repo_open(store, repo, &err);
    answered = rc == 0 || err.code == ERR_NOT_FOUND || err.code == ERR_CORRUPT || err.code == ERR_UNSUPPORTED;
    if (!answered) {
        check_failed(c, "reachable", &err, remedy_for(&err));
        return -1;
    }
    check_ok(c, "reachable", "%s answers", store_url(store));
    if (rc == 0)
        check_ok(c, "marker", "repository %s, format %d", repo->id, REPO_FORMAT_VERSION);
    else
        check_failed(c, "marker", &err,
                     err.code == ERR_NOT_FOUND ? "correct --repo, or make a repository there with `remora init`"
                                               : remedy_for(&err));
    return rc;
}

static void
tell_instances(struct check *c, const struct repo *repo)
{
    struct err err = ERR_INIT;
    struct buf list;
    char **names = NULL;
    size_t count = 0;

    if (repo_instances(repo, &names, &count, &err) < 0) {
        check_failed(c, "instance", &err, remedy_for(&err));
        return;
    }
    buf_init(&list, NAMES_MAX);
    for (size_t i = 0; i < count; i++) {
        if (buf_printf(&list, &err, "%s%s", i > 0 ? ", " : "", names[i]) < 0)
            break;
    }
    check_warn(c, "instance", "give --instance, to have its rights and backups looked at too",
               "no instance was given; there %s%s", count > 0 ? "are: " : "are none yet", count > 0 ? list.data : "");
    buf_fini(&list);
    repo_instances_free(names, count);
}

/* ---- the instance ------------------------------------------------------------------------------------------------ */

static int
probe_instance(struct check *c, const struct repo *repo, const char *instance)
{
    struct err err = ERR_INIT;

    if (repo_check_instance(repo, instance, &err) == 0) {
        check_ok(c, "instance", "%s exists", instance);
        return 0;
    }
    check_failed(c, "instance", &err,
                 err.code == ERR_NOT_FOUND || err.code == ERR_USAGE
                     ? "correct --instance, or make it with `remora init --instance NAME`"
                     : remedy_for(&err));
    return -1;
}

/* Is what was put there, byte for byte? */
static int
read_back(struct store *store, const struct store_put *put, struct err *err)
{
    char *data = NULL;
    size_t len = 0;
    int rc = store_get_all(store, put->key, REPO_SMALL_OBJECT, &data, &len, err);

    if (rc == 0 && (len != put->len || memcmp(data, put->data, len) != 0))
        rc =
            err_set(err, ERR_CORRUPT, "%s: %s does not hold the bytes that were put there", store_url(store), put->key);
    free(data);
    return rc;
}

static void
probe_create_only(struct check *c, struct store *store, const struct store_put *put)
{
    static const char remedy[] = "none is needed for backups by one writer; do not run several agents of one instance "
                                 "against this store";
    struct store_put again = *put;
    struct err err = ERR_INIT;

    if ((store_features(store) & STORE_CREATE_ONLY) == 0) {
        check_warn(c, "create-only", remedy, "this store has no put that refuses to overwrite");
        return;
    }
    again.flags = STORE_PUT_CREATE;
    if (store_put(store, &again, &err) == 0)
        check_warn(c, "create-only", remedy, "a put that must not overwrite was taken all the same");
    else if (err.code == ERR_EXISTS)
        check_ok(c, "create-only", "a put that would overwrite was refused, as it must be");
    else if (err.code == ERR_UNSUPPORTED)
        check_warn(c, "create-only", remedy, "%s", err.msg);
    else
        check_failed(c, "create-only", &err, remedy_for(&err));
}

static void
probe_remove(struct check *c, struct store *store, const char *key)
{
    struct store_object object;
    struct err err = ERR_INIT;

    if (store_remove(store, key, &err) < 0) {
        check_warn(c, "removable",
                   "fine for a pod that only backs up: what it gives up is removed by prune, elsewhere; give prune its "
                   "own credentials, and remove this object",
                   "%s stays there: %s", key, err.msg);
        return;
    }
    if (store_stat(store, key, &object, &err) == 0 || err.code != ERR_NOT_FOUND)
        check_warn(c, "removable", "look at the store: versions, locks or a cache in front of it",
                   "%s was removed, but is still told", key);
    else
        check_ok(c, "removable", "the probe object was removed again");
}

static void
probe_writable(struct check *c, struct store *store, const char *instance)
{
    struct err err = ERR_INIT, unused = ERR_INIT;
    struct probe p;

    probe_init(&p, instance);
    if (store_put(store, &p.put, &err) < 0 || read_back(store, &p.put, &err) < 0) {
        check_failed(c, "writable", &err, remedy_for(&err));
        (void)!store_remove(store, p.key.text, &unused); /* it may have been stored all the same */
    } else {
        check_ok(c, "writable", "an object was put and read back");
        probe_create_only(c, store, &p.put);
        probe_remove(c, store, p.key.text);
    }
    probe_fini(&p);
}

/* ---- the backups ------------------------------------------------------------------------------------------------- */

struct skipped {
    size_t count;
    char first[BACKUP_ID_LEN + 1];
    char why[256];
};

static void
note_skipped(const struct backup_id *id, const char *why, void *cookie)
{
    struct skipped *s = cookie;

    if (s->count++ == 0) {
        memcpy(s->first, id->text, sizeof(s->first));
        (void)snprintf(s->why, sizeof(s->why), "%s", why);
    }
}

static void
probe_latest(struct check *c, const struct repo *repo, const char *instance, uint64_t *bytes)
{
    char age[UNITS_TEXT_MAX], size[UNITS_TEXT_MAX];
    struct skipped skipped = {0};
    struct manifest *m = NULL;
    struct err err = ERR_INIT;

    if (catalog_find(repo, instance, "latest", note_skipped, &skipped, &m, &err) < 0) {
        if (err.code == ERR_NOT_FOUND)
            check_warn(c, "latest", "take one with `remora backup`", "%s", err.msg);
        else
            check_failed(c, "latest", &err, remedy_for(&err));
        return;
    }
    *bytes = m->rdb_member.raw_size;
    (void)units_format_duration(repo_now_ms(repo) - m->snapshot_ms, age);
    (void)units_format_size(*bytes, size);
    if (skipped.count > 0)
        check_warn(c, "latest", "look at what was passed over with `remora list` and `remora verify --all`",
                   "%s, %s, %s old; %zu newer passed over, the newest %s: %s", m->id.text, size, age, skipped.count,
                   skipped.first, skipped.why);
    else
        check_ok(c, "latest", "%s, %s, %s old", m->id.text, size, age);
    manifest_free(m);
}

void
check_repository(struct check *c, struct store *store, const char *instance, uint64_t *latest_bytes)
{
    struct repo repo;

    c->area = "repository";
    *latest_bytes = 0;
    if (probe_marker(c, store, &repo) < 0)
        return;
    check_judge_skew(c, repo.skew_ms);
    if (instance == NULL) {
        tell_instances(c, &repo);
    } else if (probe_instance(c, &repo, instance) < 0) {
        check_warn(c, "writable", "put the row above right, and run this again",
                   "not tried: the probe is put under the instance");
    } else {
        probe_writable(c, store, instance);
        probe_latest(c, &repo, instance, latest_bytes);
    }
}
