/* SPDX-License-Identifier: Apache-2.0 */
/* open_repo.c: see open_repo.h. */
#include "agent/open_repo.h"

#include <string.h>

#include "agent/open_store.h"
#include "base/buf.h"
#include "base/log.h"
#include "snapshot/repo/layout.h"

#define NAMES_TOLD 20

struct store *
open_repo_store(const struct config *config, enum open_repo_mode mode, struct err *err)
{
    static const unsigned flags[] = {
        [OPEN_REPO_READ] = OPEN_STORE_READ_ONLY, [OPEN_REPO_WRITE] = 0, [OPEN_REPO_CREATE] = OPEN_STORE_MAKE};

    struct err cause = ERR_INIT;
    struct store *store;

    if (config->repo == NULL) {
        (void)err_set(err, ERR_USAGE,
                      "--repo is missing: give the repository, as in --repo file:///backups, or set "
                      "REMORA_REPO");
        return NULL;
    }
    store = open_store(config, flags[mode], &cause);
    if (store == NULL) {
        *err = cause;
        if (cause.code == ERR_NOT_FOUND)
            (void)err_set(err, ERR_NOT_FOUND, "%s; check --repo, or make a repository there with `remora init`",
                          cause.msg);
    }
    return store;
}

/* Always -1. Names the instances that the repository holds. */
static int
missing_instance(const struct opened *o, struct err *err)
{
    struct err unused = ERR_INIT;
    struct buf list;
    char **names = NULL;
    size_t count = 0;

    if (repo_instances(&o->repo, &names, &count, err) < 0)
        return err_wrap(err, "--instance is missing, and the names that exist could not be read");
    buf_init(&list, 800);
    for (size_t i = 0; i < count; i++) {
        if (i == NAMES_TOLD || buf_printf(&list, &unused, "%s%s", i > 0 ? ", " : "", names[i]) < 0) {
            (void)!buf_append(&list, "...", 3, &unused); /* the ceiling was reached: what stands there will do */
            break;
        }
    }
    if (count > 0)
        (void)err_set(err, ERR_USAGE, "--instance is missing; %s holds: %s", store_url(o->store), list.data);
    else
        (void)err_set(err, ERR_USAGE,
                      "--instance is missing, and %s holds none yet; choose a name and make it with `remora init "
                      "--instance NAME`",
                      store_url(o->store));
    buf_fini(&list);
    repo_instances_free(names, count);
    return -1;
}

static int
create(const struct config *config, struct opened *o, struct err *err)
{
    struct repo_made made = {0};

    if (repo_init(o->store, config->instance, &made, err) < 0)
        return -1;
    if (made.repository)
        log_info("repository made", LOG_S("repository", store_url(o->store)));
    if (made.instance)
        log_info("instance made", LOG_S("instance", config->instance));
    return 0;
}

int
open_repo(const struct config *config, enum open_repo_mode mode, struct opened *o, struct err *err)
{
    memset(o, 0, sizeof(*o));
    o->store = open_repo_store(config, mode, err);
    if (o->store == NULL)
        return -1;
    if (mode == OPEN_REPO_CREATE && create(config, o, err) < 0)
        return -1;
    return repo_open(o->store, &o->repo, err);
}

int
open_repo_instance(const struct config *config, enum open_repo_mode mode, struct opened *o, struct err *err)
{
    memset(o, 0, sizeof(*o));
    if (config->instance != NULL && layout_check_instance(config->instance, err) < 0)
        return err_wrap(err, "--instance");
    if (config->instance == NULL && mode == OPEN_REPO_CREATE)
        mode = OPEN_REPO_WRITE; /* nothing is made for a command line that is not whole */
    if (open_repo(config, mode, o, err) < 0)
        return -1;
    if (config->instance == NULL)
        return missing_instance(o, err);
    return repo_check_instance(&o->repo, config->instance, err);
}

void
open_repo_close(struct opened *o)
{
    store_free(o->store);
    o->store = NULL;
}
