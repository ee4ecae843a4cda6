/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_release.c: `remora release`: the end of a hold. */
#include "agent/cmd.h"
#include "agent/open_repo.h"
#include "agent/pick.h"
#include "base/log.h"
#include "snapshot/repo/hold.h"

static int
report(const struct config *config, const struct backup_id *id, bool changed, struct output *out, struct err *err)
{
    json_t *object;

    log_info(changed ? "hold ended" : "backup was not held", LOG_S("id", id->text),
             LOG_S("instance", config->instance));
    if (!out->json)
        return output_text(out, err, "%s is not held%s\n", id->text, changed ? " any more" : ", and was not");
    object = json_object();
    output_add_text(object, "command", "release");
    output_add_text(object, "id", id->text);
    output_add_text(object, "instance", config->instance);
    output_add(object, "held", json_false());
    output_add(object, "changed", json_boolean(changed));
    return output_json_take(out, object, err);
}

int
cmd_release(const struct config *config, struct output *out, struct err *err)
{
    struct opened opened = {0};
    struct backup_id id;
    bool changed = false;
    int rc = -1;

    if (pick_id(config->args[0], &id, err) < 0)
        return -1;
    if (open_repo_instance(config, OPEN_REPO_WRITE, &opened, err) == 0 &&
        hold_release(&opened.repo, config->instance, &id, &changed, err) == 0)
        rc = report(config, &id, changed, out, err);
    open_repo_close(&opened);
    return rc;
}
