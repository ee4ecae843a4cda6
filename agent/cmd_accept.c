/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_accept.c: `remora accept`: a suspicious backup is meant to be as it is. */
#include "agent/cmd.h"
#include "agent/open_repo.h"
#include "agent/pick.h"
#include "base/log.h"
#include "snapshot/repo/hold.h"

static int
report(const struct config *config, const struct backup_id *id, enum hold_acceptance outcome, struct output *out,
       struct err *err)
{
    static const char *const words[] = {
        [HOLD_ACCEPTED] = "is accepted",
        [HOLD_WAS_ACCEPTED] = "is accepted already",
        [HOLD_NOTHING_TO_ACCEPT] = "is not suspicious: there is nothing to accept",
    };
    json_t *object;

    log_info(outcome == HOLD_ACCEPTED ? "backup accepted" : "nothing was to be accepted", LOG_S("id", id->text),
             LOG_S("instance", config->instance));
    if (!out->json)
        return output_text(out, err, "%s %s\n", id->text, words[outcome]);
    object = json_object();
    output_add_text(object, "command", "accept");
    output_add_text(object, "id", id->text);
    output_add_text(object, "instance", config->instance);
    output_add(object, "suspicious", json_boolean(outcome != HOLD_NOTHING_TO_ACCEPT));
    output_add(object, "accepted", json_boolean(outcome != HOLD_NOTHING_TO_ACCEPT));
    output_add(object, "changed", json_boolean(outcome == HOLD_ACCEPTED));
    return output_json_take(out, object, err);
}

int
cmd_accept(const struct config *config, struct output *out, struct err *err)
{
    enum hold_acceptance outcome = HOLD_NOTHING_TO_ACCEPT;
    struct opened opened = {0};
    struct backup_id id;
    int rc = -1;

    if (pick_id(config->args[0], &id, err) < 0)
        return -1;
    if (open_repo_instance(config, OPEN_REPO_WRITE, &opened, err) == 0 &&
        hold_accept(&opened.repo, config->instance, &id, config->reason, REMORA_VERSION, &outcome, err) == 0)
        rc = report(config, &id, outcome, out, err);
    open_repo_close(&opened);
    return rc;
}
