/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_prune.c: `remora prune`: the plan, or what came of it: a row or an object a backup and a leftover, each with its
 * reason. */
#include <stdio.h>

#include "agent/cmd.h"
#include "agent/open_repo.h"
#include "agent/open_store.h"
#include "agent/progress_bar.h"
#include "agent/prune_options.h"
#include "agent/table.h"
#include "base/log.h"
#include "base/units.h"
#include "snapshot/prune/prune.h"

static const struct table_column backup_columns[] = {
    {"ID", false}, {"TIME", false}, {"ACTION", false}, {"REASON", false}};
static const struct table_column leftover_columns[] = {
    {"LEFTOVER", false}, {"OF", false}, {"ACTION", false}, {"OBJECTS", true}, {"REASON", false}};

/* ---- text -------------------------------------------------------------------------------------------------------- */

static int
write_backups(const struct prune_plan *plan, struct buf *text, struct err *err)
{
    struct table *t = table_new(backup_columns, ARRAY_LEN(backup_columns));
    char when[UNITS_TEXT_MAX];
    int rc;

    for (size_t i = 0; i < plan->backup_count; i++) {
        const struct prune_backup *b = &plan->backups[i];

        table_cell(t, b->id.text);
        table_cell(t, units_format_time(b->taken_ms, when));
        table_cell(t, prune_action_name(b->action));
        table_cell(t, b->why);
    }
    rc = plan->backup_count > 0 ? table_write(t, text, err) : 0;
    table_free(t);
    return rc;
}

/* A backup's id, or where there is none the object's key. */
static const char *
leftover_subject(const struct prune_leftover *l)
{
    return l->what->key != NULL ? l->what->key : l->what->id.text;
}

static int
write_leftovers(const struct prune_plan *plan, struct buf *text, struct err *err)
{
    struct table *t = table_new(leftover_columns, ARRAY_LEN(leftover_columns));
    char count[UNITS_TEXT_MAX];
    int rc = 0;

    for (size_t i = 0; i < plan->leftover_count; i++) {
        const struct prune_leftover *l = &plan->leftovers[i];

        table_cell(t, leftover_name(l->what->kind));
        table_cell(t, leftover_subject(l));
        table_cell(t, prune_action_name(l->action));
        table_cell(t, l->objects > 0 ? units_format_count(l->objects, count) : "-");
        table_cell(t, l->why);
    }
    if (plan->leftover_count > 0)
        rc = plan->backup_count > 0 ? buf_append(text, "\n", 1, err) : 0;
    if (rc == 0 && plan->leftover_count > 0)
        rc = table_write(t, text, err);
    table_free(t);
    return rc;
}

/* ", 3 held"; nothing for 0. */
static int
write_count(struct buf *text, const char *separator, uint64_t n, const char *what, struct err *err)
{
    char count[UNITS_TEXT_MAX];

    return n == 0 ? 0 : buf_printf(text, err, "%s%s %s", separator, units_format_count(n, count), what);
}

static int
write_summary(const struct prune_plan *plan, bool applied, struct buf *text, struct err *err)
{
    const char *removed = applied ? "removed" : "to be removed";
    char kept[UNITS_TEXT_MAX], gone[UNITS_TEXT_MAX];
    struct prune_summary s;

    prune_plan_count(plan, &s);
    if (plan->backup_count + plan->leftover_count > 0 && buf_append(text, "\n", 1, err) < 0)
        return -1;
    if (plan->paused[0] != '\0' && buf_printf(text, err, "nothing is expired: %s\n", plan->paused) < 0)
        return -1;
    if (buf_printf(text, err, "%s kept, %s %s", units_format_count(s.backups[PRUNE_KEEP], kept),
                   units_format_count(s.backups[PRUNE_REMOVE], gone), removed) < 0 ||
        write_count(text, ", ", s.backups[PRUNE_HELD], "held", err) < 0 ||
        write_count(text, ", ", s.backups[PRUNE_NOT_YET], "not yet", err) < 0)
        return -1;
    if (plan->leftover_count > 0 && (buf_printf(text, err, "; leftovers: %s %s",
                                                units_format_count(s.leftovers[PRUNE_REMOVE], gone), removed) < 0 ||
                                     write_count(text, ", ", s.leftovers[PRUNE_KEEP], "waiting", err) < 0 ||
                                     write_count(text, ", ", s.leftovers[PRUNE_HELD], "held", err) < 0 ||
                                     write_count(text, ", ", s.leftovers[PRUNE_NOT_YET], "not yet", err) < 0))
        return -1;
    return buf_printf(text, err, "%s\n", applied ? "" : " (a plan: --apply does it)");
}

static int
report_text(const struct prune_plan *plan, bool applied, struct output *out, struct err *err)
{
    struct buf text;
    int rc = -1;

    buf_init(&text, OUTPUT_MAX);
    if (write_backups(plan, &text, err) == 0 && write_leftovers(plan, &text, err) == 0 &&
        write_summary(plan, applied, &text, err) == 0)
        rc = output_buf(out, &text, err);
    buf_fini(&text);
    return rc;
}

/* ---- JSON -------------------------------------------------------------------------------------------------------- */

/* Null for a rule that was not given. */
static void
add_rule(json_t *object, const char *key, uint64_t value)
{
    output_add(object, key, value > 0 ? json_integer((json_int_t)value) : json_null());
}

static json_t *
make_policy(const struct prune_options *o)
{
    const struct retention_policy *p = &o->policy;
    json_t *object = json_object();

    add_rule(object, "keep_last", p->last);
    add_rule(object, "keep_hourly", p->hourly);
    add_rule(object, "keep_daily", p->daily);
    add_rule(object, "keep_weekly", p->weekly);
    add_rule(object, "keep_monthly", p->monthly);
    add_rule(object, "keep_yearly", p->yearly);
    add_rule(object, "keep_within_ms", (uint64_t)p->within_ms);
    add_rule(object, "min_good", p->min_good);
    add_rule(object, "expect_every_ms", (uint64_t)p->expect_every_ms);
    add_rule(object, "orphan_age_ms", (uint64_t)o->orphan_age_ms);
    return object;
}

static json_t *
make_backups(const struct prune_plan *plan)
{
    json_t *array = json_array(), *object;

    for (size_t i = 0; i < plan->backup_count; i++) {
        const struct prune_backup *b = &plan->backups[i];

        object = json_object();
        output_add_text(object, "id", b->id.text);
        output_add_time(object, "time", b->taken_ms);
        output_add_text(object, "action", prune_action_name(b->action));
        output_add_text(object, "reason", b->why);
        REQUIRE(json_array_append_new(array, object) == 0);
    }
    return array;
}

/* Were its objects counted? Those of an orphan are when it is found, all others when they are removed. */
static bool
is_counted(const struct prune_leftover *l, bool applied)
{
    return l->objects > 0 || (applied && l->action == PRUNE_REMOVE);
}

static json_t *
make_leftovers(const struct prune_plan *plan, bool applied)
{
    json_t *array = json_array(), *object;

    for (size_t i = 0; i < plan->leftover_count; i++) {
        const struct prune_leftover *l = &plan->leftovers[i];

        object = json_object();
        output_add_text(object, "id", leftover_subject(l));
        output_add_text(object, "what", leftover_name(l->what->kind));
        output_add_text(object, "action", prune_action_name(l->action));
        output_add_text(object, "reason", l->why);
        output_add(object, "objects", is_counted(l, applied) ? json_integer((json_int_t)l->objects) : json_null());
        REQUIRE(json_array_append_new(array, object) == 0);
    }
    return array;
}

static json_t *
make_summary(const struct prune_plan *plan)
{
    json_t *object = json_object();
    struct prune_summary s;

    prune_plan_count(plan, &s);
    output_add_count(object, "kept", s.backups[PRUNE_KEEP]);
    output_add_count(object, "removed", s.backups[PRUNE_REMOVE]);
    output_add_count(object, "held", s.backups[PRUNE_HELD]);
    output_add_count(object, "not_yet", s.backups[PRUNE_NOT_YET]);
    output_add_count(object, "leftovers_removed", s.leftovers[PRUNE_REMOVE]);
    output_add_count(object, "leftovers_waiting", s.leftovers[PRUNE_KEEP] + s.leftovers[PRUNE_HELD]);
    output_add_count(object, "leftovers_not_yet", s.leftovers[PRUNE_NOT_YET]);
    output_add_count(object, "leftover_objects", s.objects);
    return object;
}

static int
report_json(const struct config *config, const struct prune_plan *plan, struct output *out, struct err *err)
{
    json_t *object = json_object();

    output_add_text(object, "command", "prune");
    output_add_text(object, "instance", config->instance);
    output_add(object, "applied", json_boolean(config->apply));
    output_add(object, "paused", plan->paused[0] != '\0' ? json_string(plan->paused) : json_null());
    output_add(object, "policy", make_policy(&plan->options));
    output_add(object, "backups", make_backups(plan));
    output_add(object, "leftovers", make_leftovers(plan, config->apply));
    output_add(object, "summary", make_summary(plan));
    return output_json_take(out, object, err);
}

/* ---- the command ------------------------------------------------------------------------------------------------- */

/* Temporary files that killed runs left in a folder. What cannot be swept now is so by a later run. */
static void
sweep(const struct config *config, struct store *store)
{
    struct err err = ERR_INIT;
    uint64_t removed = 0;

    if (open_store_sweep(store, config->orphan_age_ms, &removed, &err) < 0)
        log_warn("temporary files of killed runs could not be removed", LOG_S("error", err.msg));
    else if (removed > 0)
        log_info("temporary files of killed runs removed", LOG_U("files", removed));
}

int
cmd_prune(const struct config *config, struct output *out, struct err *err)
{
    struct err denied = ERR_INIT;
    struct prune_options options;
    struct prune_plan *plan = NULL;
    struct opened opened = {0};
    struct progress_bar *bar;
    int rc = -1;

    if (prune_options_from(config, &options, err) < 0)
        return -1;
    bar = progress_bar_new(config);
    options.progress = progress_bar_sink(bar);
    if (open_repo_instance(config, config->apply ? OPEN_REPO_WRITE : OPEN_REPO_READ, &opened, err) < 0 ||
        prune_plan_make(&opened.repo, config->instance, &options, &plan, err) < 0)
        goto out;
    if (plan->paused[0] != '\0')
        log_warn("nothing is expired", LOG_S("instance", config->instance), LOG_S("why", plan->paused));
    if (config->apply && prune_plan_apply(&opened.repo, config->instance, plan, &denied) < 0 && !plan->complete) {
        *err = denied;
        goto out;
    }
    if (config->apply)
        sweep(config, opened.store);
    progress_bar_free(bar);
    bar = NULL;
    rc = out->json ? report_json(config, plan, out, err) : report_text(plan, config->apply, out, err);
    if (rc == 0 && denied.code != ERR_NONE) {
        *err = denied;
        rc = -1;
    }
out:
    progress_bar_free(bar);
    prune_plan_free(plan);
    open_repo_close(&opened);
    return rc;
}
