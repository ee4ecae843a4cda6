/* SPDX-License-Identifier: Apache-2.0 */
/* figures_families.c: the table of what is measured, and the labels; docs/METRICS.md has the same table for people. */
#include "agent/sidecar/figures_families.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const struct exposition_family figures_families[] = {
    [FAMILY_BUILD_INFO] = {"remora_build_info", EXPOSITION_GAUGE, "The version of remora; always 1."},
    [FAMILY_START_TIME] = {"remora_start_time_seconds", EXPOSITION_GAUGE, "When the agent started, since 1970."},
    [FAMILY_HEALTH] = {"remora_health", EXPOSITION_GAUGE,
                       "1 for the state that the instance is in, as this agent sees it."},
    [FAMILY_LAST_ATTEMPT] = {"remora_job_last_attempt_timestamp_seconds", EXPOSITION_GAUGE,
                             "When a job of this kind last began, since 1970."},
    [FAMILY_LAST_SUCCESS] = {"remora_job_last_success_timestamp_seconds", EXPOSITION_GAUGE,
                             "When a job of this kind last ended well, since 1970."},
    [FAMILY_LAST_DURATION] = {"remora_job_last_duration_seconds", EXPOSITION_GAUGE,
                              "How long the last ended job of this kind took."},
    [FAMILY_SUCCESSES] = {"remora_job_successes_total", EXPOSITION_COUNTER, "Jobs of this kind that ended well."},
    [FAMILY_FAILURES] = {"remora_job_failures_total", EXPOSITION_COUNTER,
                         "Jobs of this kind that failed, by the class of their exit status."},
    [FAMILY_RETRIES] = {"remora_job_retries_total", EXPOSITION_COUNTER,
                        "Jobs of this kind that were started again after a failure."},
    [FAMILY_RUNNING] = {"remora_jobs_running", EXPOSITION_GAUGE, "Jobs of this kind that run now."},
    [FAMILY_QUEUED] = {"remora_jobs_queued", EXPOSITION_GAUGE, "Jobs of this kind that wait for their turn."},
    [FAMILY_NEXT] = {"remora_job_next_timestamp_seconds", EXPOSITION_GAUGE,
                     "When the next job of this kind is due by its schedule, since 1970."},
    [FAMILY_EXPECTED_INTERVAL] = {"remora_backup_expected_interval_seconds", EXPOSITION_GAUGE,
                                  "The longest time between two backups by the schedule."},
    [FAMILY_BACKUPS] = {"remora_backups", EXPOSITION_GAUGE, "Backups of the instance in the repository, by state."},
    [FAMILY_LATEST_SNAPSHOT] = {"remora_latest_backup_snapshot_timestamp_seconds", EXPOSITION_GAUGE,
                                "The moment whose data the latest good backup holds, since 1970."},
    [FAMILY_LATEST_RAW] = {"remora_latest_backup_raw_bytes", EXPOSITION_GAUGE,
                           "Size of the latest good backup before compression."},
    [FAMILY_LATEST_STORED] = {"remora_latest_backup_stored_bytes", EXPOSITION_GAUGE,
                              "Size of the latest good backup as it is stored."},
    [FAMILY_LATEST_KEYS] = {"remora_latest_backup_keys", EXPOSITION_GAUGE, "Keys in the latest good backup."},
    [FAMILY_NEWEST_SUSPICIOUS] = {"remora_newest_backup_suspicious", EXPOSITION_GAUGE,
                                  "Has the newest backup lost too many keys, and nobody accepted that?"},
    [FAMILY_RECOVERY_POINT_AGE] = {"remora_recovery_point_age_seconds", EXPOSITION_GAUGE,
                                   "Age of the data that the latest good backup would bring back."},
    [FAMILY_LAST_VERIFIED] = {"remora_last_verified_timestamp_seconds", EXPOSITION_GAUGE,
                              "When a backup of the instance was last read and found good, since 1970."},
    [FAMILY_STORAGE_UP] = {"remora_storage_up", EXPOSITION_GAUGE, "Did the repository answer when last asked?"},
    [FAMILY_STORAGE_DURATION] = {"remora_storage_request_duration_seconds", EXPOSITION_HISTOGRAM,
                                 "How long requests to the repository took, failed ones too."},
    [FAMILY_STORAGE_FAILURES] = {"remora_storage_failures_total", EXPOSITION_COUNTER,
                                 "Requests to the repository that failed or were denied."},
    [FAMILY_STORAGE_RETRIES] = {"remora_storage_retries_total", EXPOSITION_COUNTER,
                                "Requests to the repository that were made again after a failure."},
    [FAMILY_STORAGE_SENT] = {"remora_storage_sent_bytes_total", EXPOSITION_COUNTER,
                             "Bytes of objects that were put into the repository."},
    [FAMILY_STORAGE_RECEIVED] = {"remora_storage_received_bytes_total", EXPOSITION_COUNTER,
                                 "Bytes of objects that were read from the repository."},
    [FAMILY_SERVER_UP] = {"remora_server_up", EXPOSITION_GAUGE, "Did the server answer when last asked?"},
    [FAMILY_SERVER_INFO] = {"remora_server_info", EXPOSITION_GAUGE, "The server's product and version; always 1."},
    [FAMILY_SERVER_ROLE] = {"remora_server_role", EXPOSITION_GAUGE, "1 for the role that the server has."},
    [FAMILY_SERVER_KEYS] = {"remora_server_keys", EXPOSITION_GAUGE, "Keys that the server holds now."},
    [FAMILY_SERVER_MEMORY] = {"remora_server_memory_bytes", EXPOSITION_GAUGE, "Memory that the server's data take."},
    [FAMILY_SERVER_COW] = {"remora_server_last_cow_bytes", EXPOSITION_GAUGE,
                           "Memory that the server's last save copied on write."},
    [FAMILY_SERVER_FORK] = {"remora_server_last_fork_seconds", EXPOSITION_GAUGE,
                            "How long the server's last fork held it up."},
    [FAMILY_COUNT] = {NULL, EXPOSITION_GAUGE, NULL},
};

void
figures_exposition(const struct figures *f, struct exposition *e, struct buf *out)
{
    const struct exposition_label common[] = {
        {"remora_instance", f->instance}, {f->of_run ? "kind" : NULL, work_name(f->run)}, {NULL, NULL}};

    exposition_init(e, out, common);
}

struct figures_labels
figures_kind_labels(const struct figures *f, enum work kind, const char *name, const char *value)
{
    struct figures_labels l = {{{NULL, NULL}}};
    size_t n = 0;

    if (!f->of_run)
        l.labels[n++] = (struct exposition_label){"kind", work_name(kind)};
    l.labels[n] = (struct exposition_label){name, value};
    return l;
}

const char *
figures_exit_name(int exit_status)
{
    for (int code = ERR_NONE + 1; code < ERR_CODE_COUNT; code++)
        if (err_exit_status((enum err_code)code) == exit_status)
            return err_name((enum err_code)code);
    return err_name(ERR_INTERNAL);
}

const char *
figures_bound_name(int bucket, char *out)
{
    int64_t ms = bucket < METER_BUCKETS ? store_meter_bounds_ms[bucket] : 0;
    int len;

    if (bucket == METER_BUCKETS)
        return "+Inf";
    len = snprintf(out, 32, "%" PRId64 ".%03" PRId64, ms / 1000, ms % 1000);
    while (out[len - 1] == '0')
        out[--len] = '\0';
    if (out[len - 1] == '.')
        out[len - 1] = '\0';
    return out;
}
