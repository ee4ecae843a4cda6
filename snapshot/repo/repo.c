/* SPDX-License-Identifier: Apache-2.0 */
/* repo.c: see repo.h. */
#include "snapshot/repo/repo.h"

#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json_read.h"
#include "base/mem.h"
#include "base/units.h"
#include "snapshot/repo/layout.h"

#define MAX_INSTANCES   10000
#define FORMAT_REPO     "remora"
#define FORMAT_INSTANCE "remora-instance"

/* ---- markers ----------------------------------------------------------------------------------------------------- */

int
repo_check_requires(const json_t *object, struct err *err)
{
    const json_t *list = json_object_get(object, "requires");
    const json_t *name;
    size_t i;

    if (!json_is_array(list))
        return err_set(err, ERR_CORRUPT, "\"requires\" is missing or not a list");
    /* This version knows none. "encryption-1", "zstd-prefix" and "set" are reserved for later ones. */
    json_array_foreach(list, i, name) return err_set(
        err, ERR_UNSUPPORTED, "it requires \"%.60s\", which this version of remora does not know: use a newer one",
        json_is_string(name) ? json_string_value(name) : "?");
    return 0;
}

/* A new marker's bytes: INSTANCE's, or with NULL the repository's. Caller frees. */
static char *
marker_write(const char *instance, int64_t now_ms)
{
    const char *format = instance != NULL ? FORMAT_INSTANCE : FORMAT_REPO;
    char created[UNITS_TEXT_MAX], id[DIGEST_UUID_TEXT], *line, *text;
    json_t *object;

    digest_uuid(id);
    (void)units_format_time(now_ms, created);
    object = json_pack("{ss si ss ss s[]}", "format", format, "version", REPO_FORMAT_VERSION, "id", id, "created",
                       created, "requires");
    REQUIRE(object != NULL);
    if (instance != NULL)
        REQUIRE(json_object_set_new(object, "name", json_string(instance)) == 0);
    line = json_write_line(object);
    text = mem_printf("%s\n", line);
    free(line);
    json_decref(object);
    return text;
}

/* Which instance's is it? A folder that was copied or renamed by hand carries the marker of another. */
static int
check_name(const json_t *object, const char *instance, struct err *err)
{
    const json_t *name = json_object_get(object, "name");

    if (name == NULL || (json_is_string(name) && strcmp(json_string_value(name), instance) == 0))
        return 0;
    return err_set(
        err, ERR_CORRUPT,
        "it is the one of instance \"%.128s\", so this folder was copied or renamed by hand: give the folder "
        "its name back, or, if \"%s\" is to be an instance of its own, write that name into the marker",
        json_is_string(name) ? json_string_value(name) : "?", instance);
}

int
repo_marker_check(const char *data, size_t len, const char *instance, char id[DIGEST_UUID_TEXT], struct err *err)
{
    const char *format = instance != NULL ? FORMAT_INSTANCE : FORMAT_REPO;
    json_t *object = json_read_object(data, len, err);
    const char *text = NULL;
    uint64_t version = 0;
    int rc = -1;

    if (object == NULL)
        return -1;
    if (json_read_str(object, "format", &text, err) < 0)
        goto out;
    if (strcmp(text, format) != 0) {
        (void)err_set(err, ERR_CORRUPT, "its format is \"%.40s\", not \"%s\"", text, format);
        goto out;
    }
    if (json_read_u64(object, "version", &version, err) < 0)
        goto out;
    if (version != REPO_FORMAT_VERSION) {
        (void)err_set(err, ERR_UNSUPPORTED, "its format version is %" PRIu64 ", this version of remora knows %d",
                      version, REPO_FORMAT_VERSION);
        goto out;
    }
    if (repo_check_requires(object, err) < 0 || json_read_str(object, "id", &text, err) < 0)
        goto out;
    if (strlen(text) != DIGEST_UUID_TEXT - 1) {
        (void)err_set(err, ERR_CORRUPT, "its id is not a UUID");
        goto out;
    }
    if (instance != NULL && check_name(object, instance, err) < 0)
        goto out;
    if (id != NULL)
        memcpy(id, text, DIGEST_UUID_TEXT);
    rc = 0;
out:
    json_decref(object);
    return rc;
}

/* Read and check the marker KEY, of INSTANCE or with NULL of the repository. ERR_NOT_FOUND when there is none. */
static int
marker_read(struct store *store, const char *key, const char *instance, char id[DIGEST_UUID_TEXT], struct err *err)
{
    char *data = NULL;
    size_t len = 0;
    int rc = store_get_all(store, key, REPO_SMALL_OBJECT, &data, &len, err);

    if (rc == 0) {
        rc = repo_marker_check(data, len, instance, id, err);
        if (rc < 0)
            (void)err_wrap(err, "%s: the marker %s is not usable", store_url(store), key);
    }
    free(data);
    return rc;
}

/* Put the marker KEY unless it is there; *MADE says which. */
static int
marker_make(struct store *store, const char *key, const char *instance, bool *made, struct err *err)
{
    char *text;
    struct store_put put = {.key = key};
    int64_t now = 0;
    int rc;

    *made = false;
    if (marker_read(store, key, instance, NULL, err) == 0)
        return 0;
    if (err->code != ERR_NOT_FOUND)
        return -1;
    err_clear(err);
    if (store_now(store, &now, err) < 0)
        return -1;
    text = marker_write(instance, now);
    put.data = text;
    put.len = strlen(text);
    put.flags = store_features(store) & STORE_CREATE_ONLY ? STORE_PUT_CREATE : 0;
    rc = store_put(store, &put, err);
    free(text);
    if (rc < 0 && err->code == ERR_EXISTS) { /* another init came first: its marker counts */
        err_clear(err);
        return marker_read(store, key, instance, NULL, err);
    }
    *made = rc == 0;
    return rc;
}

int
repo_init(struct store *store, const char *instance, struct repo_made *made, struct err *err)
{
    struct layout_key key;

    memset(made, 0, sizeof(*made));
    if (instance != NULL && layout_check_instance(instance, err) < 0)
        return -1;
    if (marker_make(store, LAYOUT_MARKER, NULL, &made->repository, err) < 0)
        return -1;
    if (instance == NULL)
        return 0;
    layout_instance_marker(&key, instance);
    return marker_make(store, key.text, instance, &made->instance, err);
}

int
repo_open(struct store *store, struct repo *repo, struct err *err)
{
    int64_t now = 0;

    memset(repo, 0, sizeof(*repo));
    repo->store = store;
    if (marker_read(store, LAYOUT_MARKER, NULL, repo->id, err) < 0) {
        if (err->code == ERR_NOT_FOUND)
            return err_set(err, ERR_NOT_FOUND,
                           "%s is not a repository (a wrong path or prefix? `remora init` makes one): %s",
                           store_url(store), err->msg);
        return -1;
    }
    if (store_now(store, &now, err) < 0)
        return -1;
    repo->skew_ms = now - clock_wall_ms();
    return 0;
}

int
repo_find(const struct repo *repo, const char *key, bool *there, int64_t *put_ms, struct err *err)
{
    struct store_object object;

    *there = store_stat(repo->store, key, &object, err) == 0;
    if (!*there && err->code != ERR_NOT_FOUND)
        return -1;
    if (!*there)
        err_clear(err);
    else if (put_ms != NULL)
        *put_ms = object.mtime_ms;
    return 0;
}

int
repo_check_there(const struct repo *repo, struct err *err)
{
    char id[DIGEST_UUID_TEXT];

    if (marker_read(repo->store, LAYOUT_MARKER, NULL, id, err) == 0)
        return 0;
    if (err->code == ERR_NOT_FOUND)
        return err_set(err, ERR_STORAGE, "%s was there and is gone: %s", store_url(repo->store), err->msg);
    return -1;
}

int64_t
repo_now_ms(const struct repo *repo)
{
    return clock_wall_ms() + repo->skew_ms;
}

/* ---- instances --------------------------------------------------------------------------------------------------- */

struct names {
    char **list;
    size_t count;
    bool too_many;
};

static bool
add_name(const struct store_object *object, void *cookie)
{
    struct names *names = cookie;
    const char *name = object->key + strlen(LAYOUT_INSTANCES);
    struct err unused = ERR_INIT;
    char *copy;

    if (!object->is_folder)
        return true;
    if (names->count == MAX_INSTANCES) {
        names->too_many = true;
        return false;
    }
    copy = mem_strndup(name, strlen(name) - 1); /* without the slash */
    if (layout_check_instance(copy, &unused) < 0) {
        free(copy); /* not ours */
        return true;
    }
    names->list = mem_grow(names->list, names->count + 1, sizeof(*names->list));
    names->list[names->count++] = copy;
    return true;
}

int
repo_instances(const struct repo *repo, char ***out, size_t *count, struct err *err)
{
    struct store_list what = {.prefix = LAYOUT_INSTANCES, .delimiter = '/'};
    struct names names = {0};
    int rc = store_list(repo->store, &what, add_name, &names, err);

    if (rc == 0 && names.too_many)
        rc = err_set(err, ERR_UNSUPPORTED, "%s has more than %d instances", store_url(repo->store), MAX_INSTANCES);
    if (rc < 0) {
        repo_instances_free(names.list, names.count);
        return -1;
    }
    *out = names.list;
    *count = names.count;
    return 0;
}

void
repo_instances_free(char **names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(names[i]);
    free(names);
}

/* "no instance X; there are: a, b, c". */
static int
no_such_instance(const struct repo *repo, const char *instance, struct err *err)
{
    char **names = NULL;
    size_t count = 0;
    struct buf list;
    struct err unused = ERR_INIT;

    if (repo_instances(repo, &names, &count, err) < 0)
        return -1;
    buf_init(&list, 400);
    for (size_t i = 0; i < count; i++) {
        if (buf_printf(&list, &unused, "%s%s", i > 0 ? ", " : "", names[i]) < 0)
            break;
    }
    (void)err_set(err, ERR_NOT_FOUND, "%s has no instance \"%s\" (%s%s); `remora init --instance %s` makes it",
                  store_url(repo->store), instance, count > 0 ? "it has: " : "it has none", count > 0 ? list.data : "",
                  instance);
    buf_fini(&list);
    repo_instances_free(names, count);
    return -1;
}

int
repo_check_instance(const struct repo *repo, const char *instance, struct err *err)
{
    struct layout_key key;

    if (layout_check_instance(instance, err) < 0)
        return -1;
    layout_instance_marker(&key, instance);
    if (marker_read(repo->store, key.text, instance, NULL, err) == 0)
        return 0;
    if (err->code != ERR_NOT_FOUND)
        return -1;
    err_clear(err);
    return no_such_instance(repo, instance, err);
}
