/* SPDX-License-Identifier: Apache-2.0 */
/* restore_report.c: see restore_report.h. */
#include "agent/restore_report.h"

#include "base/clock.h"
#include "base/units.h"

static const char *const outcome_names[] = {
    [RESTORE_DONE] = "restored",     [RESTORE_FINISHED] = "finished", [RESTORE_KEPT] = "kept",
    [RESTORE_NOT_HERE] = "not-here", [RESTORE_EMPTY] = "start-empty", [RESTORE_CONFIG] = "config",
    [RESTORE_PLANNED] = "planned",
};

static int
report_json(const struct config *c, const struct restore_result *r, struct output *out, struct err *err)
{
    json_t *object = json_object();
    const bool any = r->id.text[0] != '\0', data = any && r->entry[0] != '\0', config = r->config_files > 0;

    output_add_text(object, "command", "restore");
    output_add_text(object, "outcome", outcome_names[r->outcome]);
    output_add(object, "target", c->target != NULL ? json_string(c->target) : json_null());
    output_add(object, "reason", r->why[0] != '\0' ? json_string(r->why) : json_null());
    output_add(object, "id", any ? json_string(r->id.text) : json_null());
    output_add(object, "layout", data ? json_string(target_layout_name(r->layout)) : json_null());
    output_add(object, "entry", data ? json_string(r->entry) : json_null());
    output_add(object, "bytes", data ? json_integer((json_int_t)r->bytes) : json_null());
    output_add(object, "replaced", r->replaced[0] != '\0' ? json_string(r->replaced) : json_null());
    output_add(object, "config_to", config ? json_string(c->config_to) : json_null());
    output_add(object, "config_files", config ? json_integer((json_int_t)r->config_files) : json_null());
    output_add_count(object, "duration_ms", (uint64_t)(clock_mono_ms() - r->started_ms));
    return output_json_take(out, object, err);
}

static int
report_config(const struct config *c, const struct restore_result *r, struct output *out, struct err *err)
{
    return output_text(out, err, "wrote %ju configuration files of %s to %s\n", (uintmax_t)r->config_files, r->id.text,
                       c->config_to);
}

static int
report_restored(const struct config *c, const struct restore_result *r, struct output *out, struct err *err)
{
    char size[UNITS_TEXT_MAX], took[UNITS_TEXT_MAX];

    if (output_text(out, err, "restored %s to %s/%s (%s, %s%s)\n", r->id.text, c->target, r->entry,
                    units_format_size(r->bytes, size), units_format_duration(clock_mono_ms() - r->started_ms, took),
                    r->outcome == RESTORE_FINISHED ? ", finished what an earlier run had ready" : "") < 0)
        return -1;
    if (r->replaced[0] != '\0' &&
        output_text(out, err, "the data that was there is in %s/%s\n", c->target, r->replaced) < 0)
        return -1;
    return r->config_files > 0 ? report_config(c, r, out, err) : 0;
}

static int
report_plan(const struct config *c, const struct restore_result *r, struct output *out, struct err *err)
{
    char size[UNITS_TEXT_MAX];

    if (output_text(out, err, "plan: %s\n", r->why) < 0)
        return -1;
    if (r->config_files > 0 && output_text(out, err, "configuration: %ju files of %s to %s\n",
                                           (uintmax_t)r->config_files, r->id.text, c->config_to) < 0)
        return -1;
    if (r->entry[0] == '\0')
        return 0;
    return output_text(out, err, "backup: %s (%s)\nentry: %s/%s\nlayout: %s (%s)\nowner: %s\n", r->id.text,
                       units_format_size(r->bytes, size), c->target, r->entry, target_layout_name(r->layout),
                       r->layout_why, r->owner);
}

int
restore_report(const struct config *c, const struct restore_result *r, struct output *out, struct err *err)
{
    if (out->json)
        return report_json(c, r, out, err);
    switch (r->outcome) {
    case RESTORE_DONE:
    case RESTORE_FINISHED:
        return report_restored(c, r, out, err);
    case RESTORE_KEPT:
        return output_text(out, err, "kept what is in %s: %s\n", c->target, r->why);
    case RESTORE_NOT_HERE:
        return output_text(out, err, "nothing to do here: %s\n", r->why);
    case RESTORE_EMPTY:
        return output_text(out, err, "nothing restored into %s, the server starts empty: %s\n", c->target, r->why);
    case RESTORE_CONFIG:
        return report_config(c, r, out, err);
    case RESTORE_PLANNED:
        break;
    }
    return report_plan(c, r, out, err);
}
