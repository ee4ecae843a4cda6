/* SPDX-License-Identifier: Apache-2.0 */
/* orders.c: see orders.h. */
#include "agent/sidecar/orders.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent/backup_method.h"
#include "agent/open_repo.h"
#include "agent/restore_policy.h"
#include "agent/sidecar/job_check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/units.h"
#include "snapshot/repo/layout.h"

#define ORDINAL       "ordinal="
#define ZONES         "/usr/share/zoneinfo"
#define SLOTS_LOOKED  10000 /* a week of minutes */
#define JITTER_MAX_MS ((int64_t)7 * 24 * 3600 * 1000)
#define SLOTS_SPAN    ((int64_t)400 * 24 * 3600 * 1000) /* a year and more */

/* ---- the time zone ----------------------------------------------------------------------------------------------- */

static int
set_zone(const char *name, struct err *err)
{
    const char *zones = getenv("TZDIR");
    char *path = mem_printf("%s/%s", zones != NULL && *zones != '\0' ? zones : ZONES, name);
    bool there = strcmp(name, "UTC") == 0 || (*name != '/' && strstr(name, "..") == NULL && access(path, R_OK) == 0);

    free(path);
    if (!there)
        return err_set(err, ERR_USAGE,
                       "--time-zone: there is no time zone \"%.60s\" here; write it as in Europe/Berlin, and install "
                       "the system's tzdata",
                       name);
    /* The C library takes UTC for any name that it cannot read; UTC itself needs no file this way. */
    if (setenv("TZ", strcmp(name, "UTC") == 0 ? "UTC0" : name, 1) < 0)
        return err_set(err, ERR_INTERNAL, "set the time zone");
    tzset();
    return 0;
}

/* ---- schedules --------------------------------------------------------------------------------------------------- */

/* The longest distance between two slots, as far as it is worth looking. */
static int64_t
longest_distance(const struct schedule *s)
{
    int64_t start_ms = clock_wall_ms(), last_ms, longest_ms = 0;

    if (s->every_ms != 0)
        return s->every_ms;
    last_ms = schedule_next(s, start_ms);
    for (int i = 0; i < SLOTS_LOOKED && (i == 0 || last_ms - start_ms < SLOTS_SPAN); i++) {
        int64_t next_ms = schedule_next(s, last_ms);

        longest_ms = next_ms - last_ms > longest_ms ? next_ms - last_ms : longest_ms;
        last_ms = next_ms;
    }
    return longest_ms;
}

static int
read_schedules(const struct config *c, struct orders *o, struct err *err)
{
    const char *const texts[WORK_KINDS] = {
        [WORK_BACKUP] = c->backup_schedule, [WORK_VERIFY] = c->verify_schedule, [WORK_PRUNE] = c->prune_schedule};

    for (int kind = 0; kind < WORK_KINDS; kind++) {
        o->works[kind].text = texts[kind];
        if (texts[kind] != NULL && schedule_parse(texts[kind], &o->works[kind].schedule, err) < 0)
            return err_wrap(err, "--%s-schedule", work_name((enum work)kind));
    }
    if (c->backup_jitter_ms > JITTER_MAX_MS)
        return err_set(err, ERR_USAGE, "--backup-jitter is more than a week");
    o->works[WORK_BACKUP].offset_ms = schedule_offset(c->instance, c->backup_jitter_ms);
    if (texts[WORK_BACKUP] != NULL)
        o->expect_every_ms = longest_distance(&o->works[WORK_BACKUP].schedule);
    else
        o->expect_every_ms = c->expect_every_ms;
    return 0;
}

/* ---- who works --------------------------------------------------------------------------------------------------- */

static int
read_run_on(const struct config *c, struct orders *o, struct err *err)
{
    uint64_t wanted, pod;

    if (strcmp(c->run_on, "any") == 0)
        return 0;
    if (strcmp(c->run_on, "master") == 0 || strcmp(c->run_on, "replica") == 0) {
        if (!o->has_server)
            return err_set(err, ERR_USAGE, "--run-on %s goes by the role of the server: give --redis-url", c->run_on);
        o->only_role = *c->run_on == 'm' ? "master" : "replica";
        return 0;
    }
    if (strncmp(c->run_on, ORDINAL, strlen(ORDINAL)) != 0)
        return err_set(err, ERR_USAGE, "--run-on \"%.60s\": it is any, replica, master, or ordinal= and a pod's number",
                       c->run_on);
    if (units_parse_u64(c->run_on + strlen(ORDINAL), &wanted, err) < 0 ||
        restore_policy_pod(c, c->run_on, &pod, err) < 0)
        return err_wrap(err, "--run-on");
    o->other_pod = pod != wanted;
    return 0;
}

/* ---- what the jobs will want ------------------------------------------------------------------------------------- */

static int
check_repository(const struct config *c, struct err *err)
{
    struct err why = ERR_INIT;
    struct store *store;

    if (c->instance == NULL)
        return err_set(err, ERR_USAGE, "--instance is missing: an agent works for one dataset");
    if (layout_check_instance(c->instance, err) < 0)
        return err_wrap(err, "--instance");
    store = open_repo_store(c, OPEN_REPO_READ, &why);
    store_free(store);
    if (store == NULL && why.code == ERR_USAGE) { /* all else may be better later */
        *err = why;
        return -1;
    }
    return 0;
}

/* Each job that there may be; a backup may always be asked for. */
static int
check_jobs(const struct config *c, struct orders *o, struct err *err)
{
    const bool there[WORK_KINDS] = {
        [WORK_BACKUP] = true, [WORK_VERIFY] = c->verify_schedule != NULL, [WORK_PRUNE] = c->prune_schedule != NULL};
    enum config_method method;

    for (int kind = 0; kind < WORK_KINDS; kind++) {
        if (!there[kind] || job_check(c, (enum work)kind, err) == 0)
            continue;
        return kind == WORK_BACKUP ? -1 : err_wrap(err, "--%s-schedule", work_name((enum work)kind));
    }
    if (backup_method_choose(c, &method, err) < 0)
        return -1;
    o->has_server = method != METHOD_FILE || c->redis_url != NULL;
    return 0;
}

/* Options that contradict each other, or do nothing, as soon as jobs are many. */
static int
check_together(const struct config *c, const struct orders *o, struct err *err)
{
    static const struct {
        const char *option;
        enum work kind;
    } idle[] = {
        {"backup-jitter", WORK_BACKUP}, {"load", WORK_VERIFY},        {"sample", WORK_VERIFY},
        {"keep-last", WORK_PRUNE},      {"keep-hourly", WORK_PRUNE},  {"keep-daily", WORK_PRUNE},
        {"keep-weekly", WORK_PRUNE},    {"keep-monthly", WORK_PRUNE}, {"keep-yearly", WORK_PRUNE},
        {"keep-within", WORK_PRUNE},    {"min-good", WORK_PRUNE},
    };

    if (o->only_role != NULL && strcmp(o->only_role, "master") == 0 && c->allow_master == CONFIG_NO)
        return err_set(err, ERR_USAGE, "--run-on master and --allow-master no leave no server to take a backup from");
    for (size_t i = 0; i < ARRAY_LEN(idle); i++)
        if (o->works[idle[i].kind].text == NULL && config_is_typed(c, idle[i].option))
            log_warn("an option does nothing without a schedule of the work it is about",
                     LOG_S("option", idle[i].option), LOG_S("work", work_name(idle[i].kind)));
    return 0;
}

int
orders_from(const struct config *config, struct orders *o, struct err *err)
{
    memset(o, 0, sizeof(*o));
    if (check_repository(config, err) < 0 || check_jobs(config, o, err) < 0)
        return -1;
    if (read_run_on(config, o, err) < 0 || set_zone(config->time_zone, err) < 0)
        return -1;
    return read_schedules(config, o, err) < 0 ? -1 : check_together(config, o, err);
}
