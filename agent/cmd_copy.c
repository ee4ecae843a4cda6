/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_copy.c: `remora copy`: one backup or all of them into another repository, a line or an object each. With --all
 * what is wrong with one backup does not keep the others from being copied; damage decides the exit status. */
#include <string.h>

#include "agent/cmd.h"
#include "agent/limits.h"
#include "agent/open_repo.h"
#include "agent/pick.h"
#include "agent/printable.h"
#include "agent/progress_bar.h"
#include "base/log.h"
#include "base/units.h"
#include "snapshot/copy.h"
#include "snapshot/repo/layout.h"

struct copying {
    struct copy_options options;
    const struct config *config;
    struct output *out;
    json_t *backups; /* JSON: all of them; else NULL */
    size_t done, bad;
    struct err worst;
};

/* ---- what is told ------------------------------------------------------------------------------------------------ */

static int
tell(const struct copying *c, const struct backup_id *id, const struct copy_result *r, struct err *err)
{
    char bytes[UNITS_TEXT_MAX];
    json_t *object;

    if (c->backups == NULL && r->there)
        return output_text(c->out, err, "%s there\n", id->text);
    if (c->backups == NULL)
        return output_text(c->out, err, "%s copied %s\n", id->text, units_format_size(r->counts.put_bytes, bytes));
    object = json_object();
    output_add_text(object, "id", id->text);
    output_add_text(object, "action", r->there ? "there" : "copied");
    output_add_count(object, "segments", r->counts.put);
    output_add_count(object, "bytes", r->counts.put_bytes);
    output_add_count(object, "skipped", r->counts.had);
    REQUIRE(json_array_append_new(c->backups, object) == 0);
    return 0;
}

/* One that was not copied, among --all. */
static int
tell_failure(struct copying *c, const struct backup_id *id, const struct err *failure, struct err *err)
{
    const bool damaged = failure->code == ERR_CORRUPT;
    struct err told = *failure;
    json_t *object;

    c->bad++;
    if (c->worst.code == ERR_NONE || (damaged && c->worst.code != ERR_CORRUPT))
        c->worst = *failure;
    if (c->backups == NULL) {
        printable_make(told.msg);
        return output_text(c->out, err, "%s %s: %.900s\n", id->text, damaged ? "DAMAGED" : "NOT COPIED", told.msg);
    }
    object = json_object();
    output_add_text(object, "id", id->text);
    output_add_text(object, "action", damaged ? "damaged" : "refused");
    output_add_count(object, "segments", 0);
    output_add_count(object, "bytes", 0);
    output_add_count(object, "skipped", 0);
    output_add_text(object, "error", failure->msg);
    output_add_text(object, "code", err_name(failure->code));
    REQUIRE(json_array_append_new(c->backups, object) == 0);
    return 0;
}

static void
add_place(json_t *object, const char *key, const struct repo *repo, const char *instance)
{
    json_t *place = json_object();

    output_add_text(place, "repository", store_url(repo->store));
    output_add_text(place, "instance", instance);
    output_add(object, key, place);
}

/* The object with all results; then the worst failure, if any, as the command's own. */
static int
finish(struct copying *c, struct err *err)
{
    json_t *object;

    if (c->backups != NULL) {
        object = json_object();
        output_add_text(object, "command", "copy");
        output_add_text(object, "instance", c->options.from_instance);
        add_place(object, "to", c->options.to, c->options.to_instance);
        output_add(object, "backups", c->backups);
        c->backups = NULL;
        if (output_json_take(c->out, object, err) < 0)
            return -1;
    }
    if (c->bad == 0)
        return 0;
    return err_set(err, c->worst.code, "%zu of %zu backups were not copied, such as: %s", c->bad, c->done,
                   c->worst.msg);
}

/* ---- what is done ------------------------------------------------------------------------------------------------ */

static int
copy_one(struct copying *c, const struct backup_id *id, struct copy_result *result, struct err *err)
{
    struct progress_bar *bar = progress_bar_new(c->config);
    int rc;

    c->options.progress = progress_bar_sink(bar);
    rc = copy_backup(&c->options, id, result, err);
    progress_bar_free(bar);
    c->done++;
    return rc;
}

/* Is it that backup which stands in the way, rather than a store, a signal or want of memory? */
static bool
is_its_own(enum err_code code)
{
    return code == ERR_CORRUPT || code == ERR_UNSUPPORTED || code == ERR_REFUSED || code == ERR_EXISTS ||
           code == ERR_LOCKED;
}

static int
copy_item(struct copying *c, const struct copy_item *item, struct err *err)
{
    struct copy_result result = {.there = item->there};
    struct err failure = ERR_INIT;

    if (item->there) {
        c->done++;
        return tell(c, &item->id, &result, err);
    }
    if (copy_one(c, &item->id, &result, &failure) == 0)
        return tell(c, &item->id, &result, err);
    if (failure.code == ERR_NOT_FOUND) {
        if (repo_check_there(c->options.from, err) < 0 || repo_check_there(c->options.to, err) < 0)
            return -1;
        log_info("backup was removed meanwhile", LOG_S("id", item->id.text));
        return 0;
    }
    if (is_its_own(failure.code))
        return tell_failure(c, &item->id, &failure, err);
    *err = failure;
    return -1;
}

static int
copy_all(struct copying *c, struct err *err)
{
    struct copy_list list;
    int rc = 0;

    if (copy_list(&c->options, &list, err) < 0)
        return -1;
    if (list.count == 0)
        log_info("no backup yet", LOG_S("instance", c->options.from_instance));
    for (size_t i = 0; rc == 0 && i < list.count; i++)
        rc = copy_item(c, &list.items[i], err);
    copy_list_free(&list);
    return rc;
}

static int
copy_named(struct copying *c, const struct opened *from, const char *which, struct err *err)
{
    struct copy_result result;
    struct manifest *m = NULL;
    struct backup_id id;

    if (!backup_id_parse(which, &id, NULL)) {
        if (pick_backup(c->config, from, which, &m, err) < 0)
            return -1;
        id = m->id;
        manifest_free(m);
    }
    if (copy_one(c, &id, &result, err) == 0)
        return tell(c, &id, &result, err);
    if (err->code == ERR_NOT_FOUND)
        (void)err_set(err, ERR_NOT_FOUND, "instance \"%s\" in %s has no backup %s (`remora list` shows what it has)",
                      c->options.from_instance, store_url(from->store), id.text);
    return -1;
}

/* ---- where from and where to ------------------------------------------------------------------------------------- */

/* The same command line with the target in the place of the repository. */
static struct config
target_of(const struct config *c)
{
    struct config to = *c;

    to.repo = c->to_repo;
    if (c->to_instance != NULL)
        to.instance = c->to_instance;
    if (c->to_s3_endpoint != NULL)
        to.s3_endpoint = c->to_s3_endpoint;
    if (c->to_s3_region != NULL)
        to.s3_region = c->to_s3_region;
    if (c->to_s3_addressing != ADDRESSING_AUTO)
        to.s3_addressing = c->to_s3_addressing;
    if (c->to_s3_access_key_file != NULL)
        to.s3_access_key_file = c->to_s3_access_key_file;
    if (c->to_s3_ca != NULL)
        to.s3_ca = c->to_s3_ca;
    return to;
}

static int
check_options(const struct config *c, const char *which, struct err *err)
{
    if (c->all && c->arg_count > 0)
        return err_set(err, ERR_USAGE, "--all and the argument \"%.60s\" exclude each other", which);
    if (pick_check(which, err) < 0)
        return -1;
    if (c->to_repo == NULL)
        return err_set(err, ERR_USAGE,
                       "--to-repo is missing: give the repository to copy into, as in --to-repo file:///backups");
    if (c->to_instance != NULL && layout_check_instance(c->to_instance, err) < 0)
        return err_wrap(err, "--to-instance");
    return 0;
}

static int
open_both(const struct config *config, const struct config *target, struct opened *from, struct opened *to,
          struct err *err)
{
    if (open_repo_instance(config, OPEN_REPO_READ, from, err) < 0)
        return -1;
    if (open_repo_instance(target, config->create ? OPEN_REPO_CREATE : OPEN_REPO_WRITE, to, err) < 0)
        return err_wrap(err, "the target (--to-repo)");
    if (strcmp(from->repo.id, to->repo.id) == 0 && strcmp(store_url(from->store), store_url(to->store)) == 0 &&
        strcmp(config->instance, target->instance) == 0)
        return err_set(err, ERR_USAGE,
                       "source and target are the same: instance \"%s\" of the repository %s; give another --to-repo "
                       "or --to-instance",
                       config->instance, from->repo.id);
    return 0;
}

int
cmd_copy(const struct config *config, struct output *out, struct err *err)
{
    const char *which = config->arg_count > 0 ? config->args[0] : "latest";
    const struct config target = target_of(config);
    struct copying c = {.config = config, .out = out, .worst = ERR_INIT};
    struct opened from = {0}, to = {0};
    int rc = -1;

    if (check_options(config, which, err) < 0 || open_both(config, &target, &from, &to, err) < 0)
        goto out;
    c.options = (struct copy_options){.from = &from.repo,
                                      .from_instance = config->instance,
                                      .to = &to.repo,
                                      .to_instance = target.instance,
                                      .jobs = limits_jobs(config),
                                      .memory = config->memory};
    c.backups = out->json ? json_array() : NULL;
    rc = config->all ? copy_all(&c, err) : copy_named(&c, &from, which, err);
    if (rc == 0)
        rc = finish(&c, err);
out:
    json_decref(c.backups);
    open_repo_close(&to);
    open_repo_close(&from);
    return rc;
}
