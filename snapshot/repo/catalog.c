/* SPDX-License-Identifier: Apache-2.0 */
/* catalog.c: see catalog.h. */
#include "snapshot/repo/catalog.h"

#include <stdlib.h>
#include <string.h>

#include "base/json_read.h"
#include "base/mem.h"
#include "snapshot/repo/layout.h"

/* Ids found by a listing, in ascending order (the store lists in byte order, and text order is time order). */
struct ids {
    struct backup_id *list;
    size_t count, allocated;
};

static bool
add_id(const struct store_object *object, void *cookie)
{
    struct ids *ids = cookie;
    struct backup_id id;

    if (layout_parse_id(object->key, &id)) { /* other names are not ours and are left alone */
        if (ids->count == ids->allocated) {
            ids->allocated = ids->allocated > 0 ? 2 * ids->allocated : 64;
            ids->list = mem_grow(ids->list, ids->allocated, sizeof(*ids->list));
        }
        ids->list[ids->count++] = id;
    }
    return true;
}

static int
list_ids(const struct repo *repo, const struct layout_key *prefix, struct ids *ids, struct err *err)
{
    struct store_list what = {.prefix = prefix->text};

    memset(ids, 0, sizeof(*ids));
    if (store_list(repo->store, &what, add_id, ids, err) < 0) {
        free(ids->list);
        return -1;
    }
    return 0;
}

/* Get and parse one manifest. ERR_NOT_FOUND when there is none. */
static int
read_manifest(const struct repo *repo, const char *instance, const struct backup_id *id, struct manifest **out,
              struct err *err)
{
    struct layout_key key;
    char *data = NULL;
    size_t len = 0;
    struct manifest *m = NULL;
    int rc;

    layout_manifest(&key, instance, id);
    if (store_get_all(repo->store, key.text, REPO_SMALL_OBJECT, &data, &len, err) < 0)
        return -1;
    rc = manifest_parse(data, len, &m, err);
    free(data);
    if (rc < 0)
        return -1;
    if (strcmp(m->id.text, id->text) != 0) {
        (void)err_set(err, ERR_CORRUPT, "the manifest is that of another backup, %s", m->id.text);
        manifest_free(m);
        return -1;
    }
    /* The folder it lies in decides: an instance may have been renamed by moving its folder. */
    (void)snprintf(m->instance, sizeof(m->instance), "%s", instance);
    *out = m;
    return 0;
}

/* ---- the whole catalogue ----------------------------------------------------------------------------------------- */

static int
compare_entry(const void *key, const void *entry)
{
    return strcmp(key, ((const struct catalog_entry *)entry)->id.text);
}

static struct catalog_entry *
find_entry(struct catalog *c, const struct backup_id *id)
{
    return c->count == 0 ? NULL : bsearch(id->text, c->entries, c->count, sizeof(*c->entries), compare_entry);
}

/* What the fact O says of a server that loaded the backup. */
static void
note_load(const json_t *o, struct catalog_entry *entry)
{
    struct err unused = ERR_INIT;
    const json_t *load = json_object_get(o, "load");

    if (json_is_object(load) && json_read_time(load, "time", &entry->loaded_ms, &unused) == 0)
        (void)snprintf(entry->loaded_by, sizeof(entry->loaded_by), "%s", json_opt_str(load, "server", ""));
}

/* verified/<id>.json tells when and how; one that cannot be understood counts as "never". */
static int
read_verified(const struct repo *repo, const char *instance, struct catalog_entry *entry, struct err *err)
{
    struct layout_key key;
    struct err unused = ERR_INIT;
    char *data = NULL;
    size_t len = 0;
    json_t *o;

    layout_fact(&key, instance, LAYOUT_VERIFIED, &entry->id);
    if (store_get_all(repo->store, key.text, REPO_SMALL_OBJECT, &data, &len, err) < 0) {
        if (err->code != ERR_NOT_FOUND)
            return -1;
        err_clear(err); /* removed since the listing */
        return 0;
    }
    o = json_read_object(data, len, &unused);
    if (o != NULL && json_read_time(o, "time", &entry->verified_ms, &unused) == 0) {
        (void)snprintf(entry->verified_level, sizeof(entry->verified_level), "%s", json_opt_str(o, "level", ""));
        note_load(o, entry);
    }
    json_decref(o);
    free(data);
    return 0;
}

static int
load_facts(const struct repo *repo, const char *instance, enum layout_fact fact, struct catalog *c, struct err *err)
{
    struct layout_key prefix;
    struct ids ids;
    int rc = 0;

    layout_facts(&prefix, instance, fact);
    if (list_ids(repo, &prefix, &ids, err) < 0)
        return -1;
    for (size_t i = 0; rc == 0 && i < ids.count; i++) {
        struct catalog_entry *entry = find_entry(c, &ids.list[i]);

        if (entry == NULL)
            continue; /* the backup is gone, its fact not yet */
        if (fact == LAYOUT_VERIFIED)
            rc = read_verified(repo, instance, entry, err);
        else if (fact == LAYOUT_ACCEPTED)
            entry->accepted = true;
        else if (fact == LAYOUT_HOLD)
            entry->held = true;
    }
    free(ids.list);
    return rc;
}

static int
load_manifests(const struct repo *repo, const char *instance, const struct ids *ids, struct catalog *c, struct err *err)
{
    c->entries = mem_array(ids->count, sizeof(*c->entries));
    for (size_t i = 0; i < ids->count; i++) {
        struct catalog_entry *entry = &c->entries[c->count];

        memset(entry, 0, sizeof(*entry));
        entry->id = ids->list[i];
        if (read_manifest(repo, instance, &entry->id, &entry->manifest, &entry->problem) < 0) {
            if (entry->problem.code == ERR_NOT_FOUND)
                continue; /* removed since the listing */
            if (entry->problem.code != ERR_CORRUPT && entry->problem.code != ERR_UNSUPPORTED) {
                *err = entry->problem; /* could not be read: that says nothing about the backup */
                return -1;
            }
        }
        c->count++;
    }
    return 0;
}

int
catalog_load(const struct repo *repo, const char *instance, struct catalog **out, struct err *err)
{
    struct catalog *c = mem_new(sizeof(*c));
    struct layout_key prefix;
    struct ids ids = {0};
    int rc;

    layout_manifests(&prefix, instance);
    rc = list_ids(repo, &prefix, &ids, err);
    if (rc == 0) {
        rc = load_manifests(repo, instance, &ids, c, err);
        free(ids.list);
    }
    if (rc < 0 || load_facts(repo, instance, LAYOUT_VERIFIED, c, err) < 0 ||
        load_facts(repo, instance, LAYOUT_ACCEPTED, c, err) < 0 ||
        load_facts(repo, instance, LAYOUT_HOLD, c, err) < 0) {
        catalog_free(c);
        return -1;
    }
    *out = c;
    return 0;
}

void
catalog_free(struct catalog *c)
{
    if (c == NULL)
        return;
    for (size_t i = 0; i < c->count; i++)
        manifest_free(c->entries[i].manifest);
    free(c->entries);
    free(c);
}

/* ---- one backup -------------------------------------------------------------------------------------------------- */

static int
is_accepted(const struct repo *repo, const char *instance, const struct backup_id *id, bool *accepted, struct err *err)
{
    struct store_object object;
    struct layout_key key;

    layout_fact(&key, instance, LAYOUT_ACCEPTED, id);
    *accepted = store_stat(repo->store, key.text, &object, err) == 0;
    if (!*accepted && err->code != ERR_NOT_FOUND)
        return -1;
    if (!*accepted)
        err_clear(err);
    return 0;
}

/* One candidate for "latest": *OUT stays NULL, and *WHY says why, when it is passed over. */
static int
try_latest(const struct repo *repo, const char *instance, const struct backup_id *id, struct manifest **out, char *why,
           size_t why_size, struct err *err)
{
    struct manifest *m = NULL;
    bool accepted = true;

    if (read_manifest(repo, instance, id, &m, err) < 0) {
        /* Damaged, or just removed: an older one may do. One that needs a newer remora is whole, and taking an older
         * one in its place would be a silent loss: that is refused like everything else that went wrong. */
        if (err->code != ERR_CORRUPT && err->code != ERR_NOT_FOUND)
            return err_wrap(err, "backup %s", id->text);
        (void)snprintf(why, why_size, "%s", err->msg);
        err_clear(err);
        return 0;
    }
    if (m->suspicious && is_accepted(repo, instance, id, &accepted, err) < 0) {
        manifest_free(m);
        return -1;
    }
    if (!accepted) {
        (void)snprintf(why, why_size, "it is marked suspicious and was not accepted");
        manifest_free(m);
        return 0;
    }
    *out = m;
    return 0;
}

static int
find_latest(const struct repo *repo, const char *instance, catalog_skipped_fn *skipped, void *cookie,
            struct manifest **out, struct err *err)
{
    struct layout_key prefix;
    char why[sizeof(err->msg)];
    struct ids ids;
    int rc = 0;

    layout_manifests(&prefix, instance);
    if (list_ids(repo, &prefix, &ids, err) < 0)
        return -1;
    for (size_t i = ids.count; rc == 0 && *out == NULL && i > 0; i--) {
        rc = try_latest(repo, instance, &ids.list[i - 1], out, why, sizeof(why), err);
        if (rc == 0 && *out == NULL && skipped != NULL)
            skipped(&ids.list[i - 1], why, cookie);
    }
    if (rc == 0 && *out == NULL)
        rc = err_set(err, ERR_NOT_FOUND, "instance \"%s\" in %s has no %sbackup", instance, store_url(repo->store),
                     ids.count > 0 ? "usable " : "");
    free(ids.list);
    return rc;
}

int
catalog_find(const struct repo *repo, const char *instance, const char *which, catalog_skipped_fn *skipped,
             void *cookie, struct manifest **out, struct err *err)
{
    struct backup_id id;

    *out = NULL;
    if (strcmp(which, "latest") == 0)
        return find_latest(repo, instance, skipped, cookie, out, err);
    if (!backup_id_parse(which, &id, NULL))
        return err_set(err, ERR_USAGE,
                       "\"%.60s\" is neither a backup's id (such as 20261122T103000Z-1a2b3c) nor \"latest\"", which);
    if (read_manifest(repo, instance, &id, out, err) < 0) {
        if (err->code == ERR_NOT_FOUND)
            return err_set(err, ERR_NOT_FOUND,
                           "instance \"%s\" in %s has no backup %s (`remora list` shows what it has)", instance,
                           store_url(repo->store), id.text);
        return err_wrap(err, "backup %s", id.text);
    }
    return 0;
}

static bool
stop_at_any(const struct store_object *object, void *cookie)
{
    (void)object;
    *(bool *)cookie = false;
    return false;
}

int
catalog_is_bare(const struct repo *repo, const char *instance, bool *bare, struct err *err)
{
    static const char *const folders[] = {"backups", "data", "log"};

    *bare = true;
    for (size_t i = 0; i < ARRAY_LEN(folders) && *bare; i++) {
        struct layout_key prefix;

        layout_folder(&prefix, instance, folders[i]);
        if (store_list(repo->store, &(struct store_list){.prefix = prefix.text}, stop_at_any, bare, err) < 0)
            return err_wrap(err, "look for anything of instance \"%s\"", instance);
    }
    return 0;
}
