/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_hold.c: `remora hold`: a backup stays until it is released. */
#include "agent/cmd.h"
#include "agent/open_repo.h"
#include "agent/pick.h"
#include "base/log.h"
#include "snapshot/repo/hold.h"

/* "latest" is what it is now: the hold is that backup's. An id need not be one that can be read. */
static int
find_id(const struct config *config, const struct opened *opened, struct backup_id *id, struct err *err)
{
    const char *which = config->args[0];
    struct manifest *m = NULL;

    if (!pick_is_latest(which))
        return pick_id(which, id, err);
    if (pick_backup(config, opened, which, &m, err) < 0)
        return -1;
    *id = m->id;
    manifest_free(m);
    return 0;
}

static int
report(const struct config *config, const struct backup_id *id, bool changed, struct output *out, struct err *err)
{
    json_t *object;

    log_info(changed ? "backup held" : "backup was held already", LOG_S("id", id->text),
             LOG_S("instance", config->instance));
    if (!out->json)
        return output_text(out, err, "%s is held%s\n", id->text, changed ? "" : " already");
    object = json_object();
    output_add_text(object, "command", "hold");
    output_add_text(object, "id", id->text);
    output_add_text(object, "instance", config->instance);
    output_add(object, "held", json_true());
    output_add(object, "changed", json_boolean(changed));
    return output_json_take(out, object, err);
}

int
cmd_hold(const struct config *config, struct output *out, struct err *err)
{
    struct opened opened = {0};
    struct backup_id id;
    bool changed = false;
    int rc = -1;

    if (pick_check(config->args[0], err) < 0)
        return -1;
    if (open_repo_instance(config, OPEN_REPO_WRITE, &opened, err) == 0 && find_id(config, &opened, &id, err) == 0 &&
        hold_put(&opened.repo, config->instance, &id, config->reason, REMORA_VERSION, &changed, err) == 0)
        rc = report(config, &id, changed, out, err);
    open_repo_close(&opened);
    return rc;
}
