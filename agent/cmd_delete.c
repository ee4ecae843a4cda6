/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_delete.c: `remora delete`: one backup ceases to exist. Its data are left to a prune a day later. */
#include <string.h>

#include "agent/cmd.h"
#include "agent/open_repo.h"
#include "agent/pick.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/units.h"
#include "snapshot/prune/removal.h"
#include "snapshot/prune/survey.h"
#include "snapshot/repo/catalog.h"
#include "snapshot/repo/fact.h"

/* ERR_NOT_FOUND where there is no such backup, any more or at all. */
static int
check_there(const struct config *config, const struct repo *repo, const struct backup_id *id, struct err *err)
{
    bool there = false, noted = false;

    if (catalog_has(repo, config->instance, id, &there, err) < 0)
        return -1;
    if (there)
        return 0;
    if (fact_find(repo, config->instance, LAYOUT_EXPIRED, id, &noted, NULL, err) < 0)
        return -1;
    if (noted)
        return err_set(err, ERR_NOT_FOUND,
                       "backup %s of instance \"%s\" was removed already; `remora prune --apply` removes its data when "
                       "a day has passed",
                       id->text, config->instance);
    return err_set(err, ERR_NOT_FOUND, "instance \"%s\" in %s has no backup %s (`remora list` shows what it has)",
                   config->instance, store_url(repo->store), id->text);
}

static int
refuse_held(const struct backup_id *id, struct err *err)
{
    return err_set(err, ERR_REFUSED, "backup %s is held; `remora release %s` ends that", id->text, id->text);
}

static bool
is_good(const struct catalog_entry *e)
{
    return e->state == CATALOG_WHOLE && (!e->suspicious || e->accepted);
}

/* ERR_REFUSED where ID is held, or is the last good one and --force was not given. RESERVE is then what has to be left,
 * also when others delete at the same time; its ids lie in *OTHERS, which the caller frees. */
static int
check_dispensable(const struct config *config, const struct repo *repo, const struct backup_id *id,
                  struct removal_reserve *reserve, struct backup_id **others, struct err *err)
{
    struct catalog *catalog = NULL;
    bool held = false, good = false;

    if (fact_find(repo, config->instance, LAYOUT_HOLD, id, &held, NULL, err) < 0)
        return -1;
    if (held)
        return refuse_held(id, err);
    if (config->force)
        return 0;
    if (catalog_load(repo, config->instance, CATALOG_MARKS, &catalog, err) < 0)
        return -1;
    *others = mem_array(catalog->count, sizeof(**others));
    reserve->ids = *others;
    for (size_t i = catalog->count; i > 0; i--) {
        const struct catalog_entry *e = &catalog->entries[i - 1];

        if (!is_good(e))
            continue;
        if (strcmp(e->id.text, id->text) == 0)
            good = true;
        else
            (*others)[reserve->count++] = e->id;
    }
    catalog_free(catalog);
    reserve->needed = good ? 1 : 0;
    if (reserve->count >= reserve->needed)
        return 0;
    return err_set(err, ERR_REFUSED,
                   "backup %s is the last good one of instance \"%s\"; --force removes it all the same", id->text,
                   config->instance);
}

static int
report(const struct config *config, const struct repo *repo, const struct backup_id *id, struct output *out,
       struct err *err)
{
    int64_t data_until_ms = repo_now_ms(repo) + REMOVAL_NOTE_AGE_MS;
    char when[UNITS_TEXT_MAX];
    json_t *object;

    log_info("backup removed", LOG_S("id", id->text), LOG_S("instance", config->instance));
    if (!out->json)
        return output_text(out, err, "%s is removed; its data go with the first `remora prune --apply` after %s\n",
                           id->text, units_format_time(data_until_ms, when));
    object = json_object();
    output_add_text(object, "command", "delete");
    output_add_text(object, "id", id->text);
    output_add_text(object, "instance", config->instance);
    output_add(object, "removed", json_true());
    output_add_time(object, "data_until", data_until_ms);
    return output_json_take(out, object, err);
}

static int
delete_backup(const struct config *config, const struct repo *repo, const struct backup_id *id, struct output *out,
              struct err *err)
{
    const char *reason = config->reason != NULL ? config->reason : "delete";
    enum removal_outcome outcome = REMOVAL_KEPT;
    struct removal_reserve reserve = {0};
    struct backup_id *others = NULL;
    struct err cause = ERR_INIT;
    int rc;

    if (check_there(config, repo, id, err) < 0)
        return -1;
    rc = check_dispensable(config, repo, id, &reserve, &others, err);
    if (rc == 0)
        rc = removal_of_manifest_reserving(&reserve, repo, config->instance, id, reason, REMORA_VERSION, &outcome,
                                           &cause);
    free(others);
    if (rc < 0) {
        if (cause.code != ERR_NONE)
            *err = cause;
        return -1;
    }
    if (outcome == REMOVAL_HELD) /* since we looked */
        return refuse_held(id, err);
    if (outcome != REMOVAL_DONE) {
        *err = cause;
        return err_wrap(err, "backup %s is not removed", id->text);
    }
    return report(config, repo, id, out, err);
}

int
cmd_delete(const struct config *config, struct output *out, struct err *err)
{
    struct opened opened = {0};
    struct backup_id id;
    int rc = -1;

    if (pick_id(config->args[0], &id, err) < 0)
        return -1;
    if (open_repo_instance(config, OPEN_REPO_WRITE, &opened, err) == 0)
        rc = delete_backup(config, &opened.repo, &id, out, err);
    open_repo_close(&opened);
    return rc;
}
