/* SPDX-License-Identifier: Apache-2.0 */
/* open_export.c: see open_export.h. */
#include "agent/open_export.h"

#include <string.h>

#include "agent/open_store.h"
#include "agent/pick.h"
#include "base/log.h"
#include "snapshot/repo/catalog.h"
#include "snapshot/repo/layout.h"

int
open_export_check(const struct config *c, struct err *err)
{
    if (c->from == NULL || c->repo == NULL)
        return 0;
    if (config_is_typed(c, "repo"))
        return err_set(err, ERR_USAGE, "--from and --repo exclude each other: the file is a repository of its own");
    log_info("--from: the repository of REMORA_REPO is not asked", LOG_S("from", c->from));
    return 0;
}

static bool
has(char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

/* Which of the COUNT instances is looked into: the one that was typed; else the only one, whatever the environment
 * says, which speaks of another repository; else the environment's. NULL: none of them. */
static const char *
choose(const struct config *c, char *const *names, size_t count, struct err *err)
{
    const bool typed = config_is_typed(c, "instance");

    if (c->instance != NULL && (typed || count > 1) && has(names, count, c->instance))
        return c->instance;
    if (count == 0)
        (void)err_set(err, ERR_NOT_FOUND, "there is no instance in it");
    else if (count > 1)
        (void)err_set(err, c->instance != NULL ? ERR_NOT_FOUND : ERR_USAGE,
                      "it holds %zu instances, among them \"%s\" and \"%s\"%s%s: choose with --instance", count,
                      names[0], names[1], c->instance != NULL ? ", but no " : "",
                      c->instance != NULL ? c->instance : "");
    else if (typed)
        (void)err_set(err, ERR_NOT_FOUND,
                      "there is no instance \"%s\" in it, it holds \"%s\": give --instance %s, or leave it out",
                      c->instance, names[0], names[0]);
    if (count != 1 || typed)
        return NULL;
    if (c->instance != NULL && strcmp(c->instance, names[0]) != 0)
        log_info("--from: the instance of REMORA_INSTANCE is not asked for", LOG_S("instance", names[0]));
    return names[0];
}

static int
choose_instance(const struct config *c, const struct opened *o, char name[LAYOUT_INSTANCE_MAX + 1], struct err *err)
{
    char **names = NULL;
    const char *chosen;
    size_t count = 0;

    if (repo_instances(&o->repo, &names, &count, err) < 0)
        return -1;
    chosen = choose(c, names, count, err);
    if (chosen != NULL)
        (void)snprintf(name, LAYOUT_INSTANCE_MAX + 1, "%s", chosen);
    repo_instances_free(names, count);
    return chosen != NULL ? 0 : -1;
}

static void
log_skipped(const struct backup_id *id, const char *why, void *cookie)
{
    (void)cookie;
    log_warn("backup passed over: not the latest good one", LOG_S("id", id->text), LOG_S("why", why));
}

/* What "latest" is: the only backup, whatever its marks; of several the latest good one. */
static int
choose_latest(const struct opened *o, const char *instance, struct backup_id *id, struct err *err)
{
    struct catalog *catalog = NULL;
    const struct catalog_entry *only;

    if (catalog_load(&o->repo, instance, CATALOG_MARKS, &catalog, err) < 0)
        return -1;
    only = catalog->count == 1 ? &catalog->entries[0] : NULL;
    (void)snprintf(id->text, sizeof(id->text), "%s", only != NULL ? only->id.text : "latest");
    catalog_free(catalog);
    return 0;
}

static int
find(const struct config *c, struct opened *o, struct manifest **out, struct err *err)
{
    char instance[LAYOUT_INSTANCE_MAX + 1] = "";
    struct backup_id latest = {.text = ""};
    const char *which = c->backup;

    if (repo_open(o->store, &o->repo, err) < 0 || choose_instance(c, o, instance, err) < 0 ||
        repo_check_instance(&o->repo, instance, err) < 0)
        return -1;
    if (pick_is_latest(which)) {
        if (choose_latest(o, instance, &latest, err) < 0)
            return -1;
        which = latest.text;
    }
    if (catalog_find(&o->repo, instance, which, log_skipped, NULL, out, err) < 0)
        return -1;
    if ((*out)->suspicious)
        log_warn("this backup is marked suspicious: it has far fewer keys than the one before it had",
                 LOG_S("id", (*out)->id.text));
    return 0;
}

int
open_export(const struct config *c, struct opened *o, struct manifest **out, struct err *err)
{
    memset(o, 0, sizeof(*o));
    if (config_is_typed(c, "instance") && layout_check_instance(c->instance, err) < 0)
        return err_wrap(err, "--instance");
    o->store = open_store_tar(c->from, err);
    if (o->store == NULL || find(c, o, out, err) < 0)
        return err_wrap(err, "--from");
    return 0;
}
