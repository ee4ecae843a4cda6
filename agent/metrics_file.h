/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metrics_file.h: --metrics-file: the figures of one run as a file for a Prometheus textfile collector.
 *
 * The file is replaced as a whole (a temporary name beside it, then a rename) and has mode 0644, so that a collector of
 * another user reads it. What outlasts a run (the last success, the counters, the latest backup) is taken from the file
 * that is there.
 */
#ifndef AGENT_METRICS_FILE_H
#define AGENT_METRICS_FILE_H

#include <stdint.h>

#include "agent/sidecar/figures.h"
#include "agent/sidecar/work.h"
#include "base/err.h"
#include "storage/store_meter.h"

/* One run that has ended. */
struct metrics_run {
    const char *instance;
    enum work kind;
    int64_t started_ms, ended_ms; /* since 1970 */
    int64_t duration_ms;
    int exit_status;
    struct figures_latest made; /* the backup that it made; snapshot_ms 0: none that `latest` would take */
    enum figures_newest newest; /* of the backup that it made; unknown: it made none */
    int64_t verified_ms;        /* when it found a backup good; 0: it did not */
    struct store_meter_counts storage;
};

/* Write RUN's figures to PATH. Anything but a regular file there (a link, a device) is ERR_REFUSED and is left as it
 * is. Otherwise file.h's errors. */
int metrics_file_write(const char *path, const struct metrics_run *run, struct err *err) MUST_CHECK;

#endif
