/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_check.c: `remora check`: what was given is looked at (repository, server, target), and told as a table. */
#include <string.h>

#include "agent/cmd.h"
#include "agent/memory_guard.h"
#include "agent/open_repo.h"
#include "agent/open_target.h"
#include "agent/server.h"
#include "agent/table.h"
#include "base/sig.h"
#include "snapshot/check/check.h"
#include "snapshot/check/check_repo.h"
#include "snapshot/check/check_server.h"
#include "snapshot/check/check_target.h"

static const struct table_column columns[] = {
    {"AREA", false}, {"CHECK", false}, {"VERDICT", false}, {"FINDING", false}};

/* ---- looking ----------------------------------------------------------------------------------------------------- */

static void
look_at_repository(const struct config *config, struct check *check, uint64_t *latest_bytes)
{
    struct err err = ERR_INIT;
    struct store *store = open_repo_store(config, OPEN_REPO_WRITE, &err);

    check->area = "repository";
    if (store == NULL)
        check_failed(check, "reachable", &err, "correct --repo, and look whether it is mounted or its store runs");
    else
        check_repository(check, store, config->instance, latest_bytes);
    store_free(store);
}

static void
look_at_server(const struct config *config, struct check *check)
{
    struct guard_memory_options memory;
    struct endpoint endpoint;
    struct err err = ERR_INIT;

    check->area = "server";
    if (server_endpoint(config, &endpoint, &err) < 0) {
        check_failed(check, "address", &err, "correct the options that name the server");
        return;
    }
    memory_guard_options(config, &endpoint, &memory);
    check_server(check, &endpoint, config->data_dir, &memory);
    endpoint_fini(&endpoint);
}

static void
look_at_target(const struct config *config, struct check *check, uint64_t bytes)
{
    struct target_server server;
    struct target_options options;
    struct err err = ERR_INIT;

    check->area = "target";
    if (target_server_from_flags(config, &server, &err) < 0 || open_target_options(config, &server, &options, &err) < 0)
        check_failed(check, "names", &err, "correct the options that name what is in the target");
    else
        check_target(check, &options, bytes);
}

static int
look(const struct config *config, struct check *check, struct err *err)
{
    uint64_t latest_bytes = 0;

    if (config->repo != NULL)
        look_at_repository(config, check, &latest_bytes);
    if (sig_check(err) < 0)
        return -1;
    if (config->redis_url != NULL || config->data_dir != NULL)
        look_at_server(config, check);
    if (sig_check(err) < 0)
        return -1;
    if (config->target != NULL)
        look_at_target(config, check, latest_bytes);
    return 0;
}

/* ---- telling ----------------------------------------------------------------------------------------------------- */

static int
tell_json(const struct check *check, struct output *out, struct err *err)
{
    json_t *object = json_object(), *rows = json_array();

    for (size_t i = 0; i < check->count; i++) {
        const struct check_row *row = &check->rows[i];
        json_t *one = json_object();

        output_add_text(one, "area", row->area);
        output_add_text(one, "check", row->name);
        output_add_text(one, "verdict", check_verdict_name(row->verdict));
        output_add_text(one, "finding", row->finding);
        output_add_text(one, "remedy", row->remedy);
        REQUIRE(json_array_append_new(rows, one) == 0);
    }
    output_add_text(object, "command", "check");
    output_add(object, "rows", rows);
    return output_json_take(out, object, err);
}

static void
add_line(struct table *table, const char *area, const char *name, const char *verdict, const char *arrow,
         const char *text)
{
    char line[2048];

    (void)snprintf(line, sizeof(line), "%s%s", arrow, text);
    table_cell(table, area);
    table_cell(table, name);
    table_cell(table, verdict);
    table_cell(table, line);
}

/* The remedy stands on a line of its own, under the finding. */
static int
tell_table(const struct check *check, struct output *out, struct err *err)
{
    struct table *table = table_new(columns, ARRAY_LEN(columns));
    struct buf text;
    int rc = -1;

    for (size_t i = 0; i < check->count; i++) {
        const struct check_row *row = &check->rows[i];

        add_line(table, row->area, row->name, check_verdict_name(row->verdict), "", row->finding);
        if (row->remedy[0] != '\0')
            add_line(table, "", "", "", "-> ", row->remedy);
    }
    buf_init(&text, OUTPUT_MAX);
    if (table_write(table, &text, err) == 0)
        rc = output_buf(out, &text, err);
    buf_fini(&text);
    table_free(table);
    return rc;
}

/* The gravest failure decides the exit status. */
static int
conclude(const struct check *check, struct err *err)
{
    const struct check_row *gravest = check_gravest(check);
    size_t failures = 0;

    if (gravest == NULL)
        return 0;
    for (size_t i = 0; i < check->count; i++)
        failures += check->rows[i].verdict == CHECK_FAIL;
    return err_set(err, gravest->code, "%zu of %zu rows failed, the gravest %s/%s: %s", failures, check->count,
                   gravest->area, gravest->name, gravest->finding);
}

int
cmd_check(const struct config *config, struct output *out, struct err *err)
{
    struct check check = {0};
    int rc;

    if (config->repo == NULL && config->redis_url == NULL && config->data_dir == NULL && config->target == NULL)
        return err_set(err, ERR_USAGE,
                       "what is to be checked? Give --repo, --redis-url, --data-dir, --target, or several of them");
    rc = look(config, &check, err);
    if (rc == 0)
        rc = out->json ? tell_json(&check, out, err) : tell_table(&check, out, err);
    if (rc == 0)
        rc = conclude(&check, err);
    check_fini(&check);
    return rc;
}
