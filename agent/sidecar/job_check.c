/* SPDX-License-Identifier: Apache-2.0 */
/* job_check.c: see job_check.h. The checks are those of the commands themselves. */
#include "agent/sidecar/job_check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/backup_method.h"
#include "agent/backup_tags.h"
#include "agent/limits.h"
#include "agent/options.h"
#include "agent/prune_options.h"
#include "agent/server.h"
#include "agent/verify_options.h"
#include "base/log.h"
#include "base/mem.h"
#include "snapshot/config_bundle.h"
#include "snapshot/memory_plan.h"

/* ---- the options as the child reads them ------------------------------------------------------------------------- */

static const enum command_id commands[WORK_KINDS] = {
    [WORK_BACKUP] = COMMAND_BACKUP, [WORK_VERIFY] = COMMAND_VERIFY, [WORK_PRUNE] = COMMAND_PRUNE};

/* *JOB: config_fini() in any case. */
static int
read_options(const struct config *config, enum work kind, struct config *job, struct err *err)
{
    char **argv = mem_array(config->given_count + 3, sizeof(*argv));
    int argc = 0, rc;

    argv[argc++] = mem_strdup("remora");
    argv[argc++] = mem_strdup(work_name(kind));
    for (size_t i = 0; i < config->given_count; i++) {
        const struct config_given *given = &config->given[i];

        if ((given->option->commands & (1u << commands[kind])) != 0)
            argv[argc++] = mem_printf("--%s=%s", given->option->name, given->value);
    }
    rc = options_parse(argc, argv, job, err);
    while (argc > 0) {
        mem_wipe(argv[argc - 1], strlen(argv[argc - 1]));
        free(argv[--argc]);
    }
    free(argv);
    return rc;
}

/* ---- each command ------------------------------------------------------------------------------------------------ */

static int
check_files(const struct config *c, struct err *err)
{
    struct config_bundle *b = config_bundle_new(c->config_secrets == SECRETS_REDACT);
    int rc = 0;

    for (size_t i = 0; i < c->with_config.count && rc == 0; i++) {
        if (access(c->with_config.items[i], F_OK) != 0 && errno == ENOENT)
            log_warn("a configuration file is not there yet; backups fail until it is",
                     LOG_S("with_config", c->with_config.items[i]));
        else if (config_bundle_add_file(b, c->with_config.items[i], err) < 0)
            rc = err_wrap(err, "--with-config");
    }
    config_bundle_free(b);
    return rc;
}

static int
check_backup(const struct config *c, struct err *err)
{
    struct manifest_tag tags[MANIFEST_TAGS_MAX];
    struct memory_plan plan;
    struct endpoint endpoint;
    enum config_method method;
    size_t count = 0;
    int rc;

    if (backup_method_choose(c, &method, err) < 0)
        return -1;
    if (method != METHOD_FILE || c->redis_url != NULL) {
        if (server_endpoint(c, &endpoint, err) < 0)
            return -1;
        endpoint_fini(&endpoint);
    }
    rc = backup_tags_read(c, tags, &count, err);
    backup_tags_free(tags, count);
    if (rc < 0 || check_files(c, err) < 0)
        return -1;
    return memory_plan_make(c->memory, limits_jobs(c), (int)c->level, &plan, err);
}

int
job_check(const struct config *config, enum work kind, struct err *err)
{
    struct prune_options prune;
    struct config job;
    int rc = read_options(config, kind, &job, err);

    if (rc == 0 && kind == WORK_BACKUP)
        rc = check_backup(&job, err);
    if (rc == 0 && kind == WORK_VERIFY)
        rc = verify_options_check(&job, job.sample > 0 ? NULL : "latest", err);
    if (rc == 0 && kind == WORK_PRUNE)
        rc = prune_options_from(&job, &prune, err);
    if (rc == 0 && kind == WORK_PRUNE && !retention_has_rule(&prune.policy))
        rc = err_set(err, ERR_USAGE,
                     "no rule says which backups stay, so prune would remove none: give --keep-last, --keep-daily or "
                     "another --keep option, or leave --prune-schedule out");
    config_fini(&job);
    return rc;
}
