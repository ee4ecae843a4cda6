/* SPDX-License-Identifier: Apache-2.0 */
/* pick.c: see pick.h. */
#include "agent/pick.h"

#include <string.h>

#include "base/log.h"
#include "snapshot/repo/catalog.h"

bool
pick_is_latest(const char *which)
{
    return strcmp(which, "latest") == 0;
}

int
pick_check(const char *which, struct err *err)
{
    struct backup_id id;

    if (pick_is_latest(which) || backup_id_parse(which, &id, NULL))
        return 0;
    return err_set(err, ERR_USAGE,
                   "\"%.60s\" is neither \"latest\" nor a backup's id, such as 20261122T103000Z-1a2b3c; `remora list` "
                   "shows them",
                   which);
}

int
pick_id(const char *which, struct backup_id *id, struct err *err)
{
    if (backup_id_parse(which, id, NULL))
        return 0;
    return err_set(err, ERR_USAGE,
                   "\"%.60s\" is not a backup's id, such as 20261122T103000Z-1a2b3c; `remora list` shows them", which);
}

static void
log_skipped(const struct backup_id *id, const char *why, void *cookie)
{
    (void)cookie;
    log_warn("backup passed over: not the latest good one", LOG_S("id", id->text), LOG_S("why", why));
}

int
pick_backup(const struct config *config, const struct opened *s, const char *which, struct manifest **out,
            struct err *err)
{
    return catalog_find(&s->repo, config->instance, which, log_skipped, NULL, out, err);
}
