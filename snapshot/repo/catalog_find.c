/* SPDX-License-Identifier: Apache-2.0 */
/* catalog_find.c: the side of catalog.h that looks for one backup, or for none. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "snapshot/repo/catalog.h"
#include "snapshot/repo/catalog_internal.h"
#include "snapshot/repo/fact.h"
#include "snapshot/repo/layout.h"
#include "snapshot/repo/stored.h"

int
catalog_manifest(const struct repo *repo, const char *instance, const struct backup_id *id, struct manifest **out,
                 struct err *err)
{
    char *bytes = NULL;
    size_t len = 0;

    if (stored_manifest(repo, instance, id, &bytes, &len, out, err) < 0)
        return -1;
    free(bytes);
    return 0;
}

int
catalog_has(const struct repo *repo, const char *instance, const struct backup_id *id, bool *there, struct err *err)
{
    struct layout_key key;

    layout_manifest(&key, instance, id);
    return repo_find(repo, key.text, there, NULL, err);
}

/* One candidate for "latest": *OUT stays NULL, and *WHY says why, when it is passed over. */
static int
try_latest(const struct repo *repo, const char *instance, const struct backup_id *id, struct manifest **out, char *why,
           size_t why_size, struct err *err)
{
    struct manifest *m = NULL;
    bool accepted = true;

    if (catalog_manifest(repo, instance, id, &m, err) < 0) {
        /* Damaged, or just removed: an older one may do. One that needs a newer remora is whole, and taking an older
         * one in its place would be a silent loss: that is refused like everything else that went wrong. */
        if (err->code != ERR_CORRUPT && err->code != ERR_NOT_FOUND)
            return err_wrap(err, "backup %s", id->text);
        (void)snprintf(why, why_size, "%s", err->msg);
        err_clear(err);
        return 0;
    }
    if (m->suspicious && fact_find(repo, instance, LAYOUT_ACCEPTED, id, &accepted, NULL, err) < 0) {
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
    struct layout_key folder;
    char why[sizeof(err->msg)];
    struct fact_list found;
    int rc = 0;

    layout_manifests(&folder, instance);
    if (fact_list_folder(repo, &folder, &found, err) < 0)
        return -1;
    for (size_t i = found.count; rc == 0 && *out == NULL && i > 0; i--) {
        rc = try_latest(repo, instance, &found.facts[i - 1].id, out, why, sizeof(why), err);
        if (rc == 0 && *out == NULL && skipped != NULL)
            skipped(&found.facts[i - 1].id, why, cookie);
    }
    if (rc == 0 && *out == NULL)
        rc = err_set(err, ERR_NOT_FOUND, "instance \"%s\" in %s has no %sbackup", instance, store_url(repo->store),
                     found.count > 0 ? "usable " : "");
    fact_list_free(&found);
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
    if (catalog_manifest(repo, instance, &id, out, err) < 0) {
        if (err->code == ERR_NOT_FOUND)
            return err_set(err, ERR_NOT_FOUND, CATALOG_NO_SUCH_BACKUP, instance, store_url(repo->store), id.text);
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
