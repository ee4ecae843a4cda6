/* SPDX-License-Identifier: Apache-2.0 */
/*
 * figures.h: all that /metrics and --metrics-file can show, as one plain struct, and its text. One renderer for both,
 * so that a CronJob's figures have the names, labels and meanings of an agent's.
 *
 * What is not known (a job that never ran, a server that does not answer) is left out, not shown as 0. Every sample
 * has the label remora_instance: the data set; Prometheus' own `instance` is the address it scraped, and a label of
 * that name would be renamed or lost. A run's samples all have `kind` too, so that the files of several CronJobs can
 * lie in one collector's folder. docs/METRICS.md lists the families.
 */
#ifndef AGENT_SIDECAR_FIGURES_H
#define AGENT_SIDECAR_FIGURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/sidecar/board.h"
#include "agent/sidecar/exposition.h"
#include "agent/sidecar/work.h"
#include "storage/store_meter.h"

#define FIGURES_TEXT_MAX ((size_t)256 << 10)

struct figures_kind {
    bool shown;
    int64_t last_attempt_ms, last_success_ms; /* since 1970; 0: none */
    int64_t last_duration_ms;                 /* of the last that ended */
    uint64_t successes, failures[BOARD_EXITS];
    uint64_t retries, running, queued; /* an agent's */
    int64_t next_ms;                   /* an agent's; 0: never */
};

/* Is the newest backup one that lost too many keys, and that nobody accepted? */
enum figures_newest { NEWEST_UNKNOWN, NEWEST_FINE, NEWEST_SUSPICIOUS };

/* The backup that `latest` would take. */
struct figures_latest {
    int64_t snapshot_ms; /* 0: none, or not known */
    uint64_t raw_size, stored_size, keys;
};

struct figures_server {
    enum board_reach reach;
    char kind[8], version[32], role[8];
    uint64_t keys, memory, cow, fork_us;
};

struct figures {
    char version[32], instance[129];
    bool of_run;    /* of one run of one kind; else an agent's */
    enum work run;  /* of_run */
    int64_t now_ms; /* an agent's, as what follows */
    int64_t started_ms;
    int64_t expect_every_ms; /* 0: not known */
    bool catalog_known;
    uint64_t backups_good, backups_suspicious, backups_damaged;
    enum board_health health;
    enum board_reach store;
    struct figures_server server;

    struct figures_kind kinds[WORK_KINDS];
    struct figures_latest latest;
    enum figures_newest newest;
    int64_t verified_ms; /* when a backup was last found good; 0: never */
    struct store_meter_counts storage;
};

/* The whole text. ERR_NO_SPACE: OUT is too small; FIGURES_TEXT_MAX suffices. */
int figures_render(const struct figures *f, struct buf *out, struct err *err) MUST_CHECK;

/* Take from TEXT, the last file of a run of F's instance and kind, what outlasts a run: the last success, the counters,
 * the latest backup, the last verification. F has of_run, run, instance and now_ms set. Lines that are not exactly as
 * figures_render() would write them are passed over, and so are times more than a day ahead. */
void figures_read(struct figures *f, const char *text);

/* What there is to show of a backup. */
struct figures_latest figures_latest_of(const struct manifest *m);

/* All families, for the documentation and its test; ends with a NULL name. */
extern const struct exposition_family figures_families[];

#endif
