/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_list.c: `remora list`: a row or an object a backup, from small objects only. */
#include <stdio.h>
#include <string.h>

#include "agent/cmd.h"
#include "agent/open_repo.h"
#include "agent/table.h"
#include "base/log.h"
#include "base/units.h"
#include "snapshot/repo/catalog.h"

static const struct table_column columns[] = {
    {"INSTANCE", false}, {"ID", false},    {"TIME", false},     {"METHOD", false}, {"KEYS", true},
    {"RAW", true},       {"STORED", true}, {"VERIFIED", false}, {"AGE", true},     {"MARKS", false},
};

/* The listing in the making: rows, or objects. */
struct listing {
    const struct config *config;
    const struct repo *repo;
    struct table *table; /* text */
    json_t *instances;   /* JSON */
    size_t backups;
};

static void
format_marks(const struct catalog_entry *e, char *out, size_t size)
{
    size_t len;

    (void)snprintf(out, size, "%s%s%s%s%s", e->state == CATALOG_DAMAGED ? "damaged " : "",
                   e->state == CATALOG_UNSUPPORTED ? "unsupported " : "", e->suspicious ? "suspicious " : "",
                   e->accepted ? "accepted " : "", e->held ? "held " : "");
    len = strlen(out);
    if (len > 0)
        out[len - 1] = '\0';
}

/* How long ago THEN was, by the store's clock; never finer than seconds. */
static const char *
format_age(const struct listing *l, int64_t then_ms, char out[UNITS_TEXT_MAX])
{
    int64_t age_ms = repo_now_ms(l->repo) - then_ms;

    if (age_ms >= 60000)
        return units_format_duration(age_ms, out);
    (void)snprintf(out, UNITS_TEXT_MAX, "%d s", age_ms > 0 ? (int)(age_ms / 1000) : 0);
    return out;
}

static void
format_verified(const struct listing *l, const struct catalog_entry *e, char *out, size_t size)
{
    char age[UNITS_TEXT_MAX], load_age[UNITS_TEXT_MAX];

    if (e->verified_ms == 0)
        (void)snprintf(out, size, "never");
    else if (e->loaded_ms == 0 || e->loaded_ms == e->verified_ms)
        (void)snprintf(out, size, "%s %s ago", e->verified_level, format_age(l, e->verified_ms, age));
    else
        (void)snprintf(out, size, "%s %s ago, load %s ago", e->verified_level, format_age(l, e->verified_ms, age),
                       format_age(l, e->loaded_ms, load_age));
}

static void
add_row(struct listing *l, const char *instance, const struct catalog_entry *e)
{
    char text[UNITS_TEXT_MAX], words[128];
    const bool whole = e->state == CATALOG_WHOLE;

    if (l->config->all_instances)
        table_cell(l->table, instance);
    table_cell(l->table, e->id.text);
    table_cell(l->table, units_format_time(whole ? e->snapshot_ms : e->taken_ms, text));
    table_cell(l->table, whole ? e->method : "-");
    table_cell(l->table, whole ? units_format_count(e->keys, text) : "-");
    table_cell(l->table, whole ? units_format_size(e->raw_size, text) : "-");
    table_cell(l->table, whole ? units_format_size(e->stored_size, text) : "-");
    format_verified(l, e, words, sizeof(words));
    table_cell(l->table, words);
    table_cell(l->table, format_age(l, e->taken_ms, text));
    format_marks(e, words, sizeof(words));
    table_cell(l->table, words);
    if (!whole)
        log_warn("this backup cannot be used", LOG_S("id", e->id.text), LOG_S("instance", instance),
                 LOG_S("problem", e->problem));
}

static int
add_instance(struct listing *l, const char *instance, struct err *err)
{
    struct catalog *catalog = NULL;
    json_t *object, *backups;

    if (catalog_load(l->repo, instance, CATALOG_VERIFIED, &catalog, err) < 0)
        return -1;
    l->backups += catalog->count;
    if (l->instances == NULL) {
        for (size_t i = 0; i < catalog->count; i++)
            add_row(l, instance, &catalog->entries[i]);
    } else {
        object = json_object();
        backups = json_array();
        for (size_t i = 0; i < catalog->count; i++)
            REQUIRE(json_array_append_new(backups, output_backup(&catalog->entries[i])) == 0);
        output_add_text(object, "instance", instance);
        output_add(object, "backups", backups);
        REQUIRE(json_array_append_new(l->instances, object) == 0);
    }
    catalog_free(catalog);
    return 0;
}

static int
add_all(struct listing *l, struct err *err)
{
    char **names = NULL;
    size_t count = 0;
    int rc = 0;

    if (!l->config->all_instances)
        return add_instance(l, l->config->instance, err);
    if (repo_instances(l->repo, &names, &count, err) < 0)
        return -1;
    for (size_t i = 0; i < count && rc == 0; i++)
        rc = add_instance(l, names[i], err);
    repo_instances_free(names, count);
    return rc;
}

static int
report(struct listing *l, struct output *out, struct err *err)
{
    json_t *object;
    struct buf text;
    int rc = -1;

    if (l->backups == 0)
        log_info("no backup yet", LOG_S("instance", l->config->all_instances ? "(all)" : l->config->instance),
                 LOG_S("repository", store_url(l->repo->store)));
    if (l->instances != NULL) {
        object = json_object();
        output_add_text(object, "command", "list");
        output_add(object, "instances", l->instances);
        l->instances = NULL;
        return output_json_take(out, object, err);
    }
    if (l->backups == 0)
        return 0;
    buf_init(&text, OUTPUT_MAX);
    if (table_write(l->table, &text, err) == 0)
        rc = output_buf(out, &text, err);
    buf_fini(&text);
    return rc;
}

int
cmd_list(const struct config *config, struct output *out, struct err *err)
{
    size_t skip = config->all_instances ? 0 : 1;
    struct opened opened = {0};
    struct listing l = {.config = config, .repo = &opened.repo};
    int rc = -1;

    if (config->all_instances && config->instance != NULL)
        return err_set(err, ERR_USAGE, "--instance and --all-instances exclude each other");
    if ((config->all_instances ? open_repo : open_repo_instance)(config, OPEN_REPO_READ, &opened, err) < 0)
        goto out;
    l.table = table_new(columns + skip, ARRAY_LEN(columns) - skip);
    l.instances = out->json ? json_array() : NULL;
    if (add_all(&l, err) == 0)
        rc = report(&l, out, err);
out:
    json_decref(l.instances);
    table_free(l.table);
    open_repo_close(&opened);
    return rc;
}
