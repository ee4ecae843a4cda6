/* SPDX-License-Identifier: Apache-2.0 */
/* restore_report.h: what became of a restore, as stdout tells it. */
#ifndef AGENT_RESTORE_REPORT_H
#define AGENT_RESTORE_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/config.h"
#include "agent/output.h"
#include "base/err.h"
#include "snapshot/repo/backup_id.h"
#include "snapshot/target/target.h"

/* All of them are success. */
enum restore_outcome {
    RESTORE_DONE,     /* the data is in place */
    RESTORE_FINISHED, /* the same: an earlier run had it ready */
    RESTORE_KEPT,     /* there was data already, and it stays (--if-empty) */
    RESTORE_NOT_HERE, /* another pod's business (--only-ordinal) */
    RESTORE_EMPTY,    /* nothing to restore, and the server may start empty */
    RESTORE_CONFIG,   /* only the configuration files were wanted (--config-to without --target) */
    RESTORE_PLANNED,  /* --dry-run */
};

struct restore_result {
    enum restore_outcome outcome;
    char why[640]; /* of KEPT, NOT_HERE and EMPTY: the reason; of PLANNED: what would be done */
    /* Of DONE, FINISHED, CONFIG, and PLANNED where something would be restored; "" else. */
    struct backup_id id;
    enum target_layout layout;
    char entry[300];      /* the file or folder that appears in the target */
    char layout_why[200]; /* how the layout was learnt */
    uint64_t bytes;       /* of the dump */
    char replaced[128];   /* where in the target the old data was moved; "": nothing was, or it was discarded */
    char owner[TARGET_OWNER_TEXT];
    uint64_t config_files;     /* that were, or would be, written for --config-to; 0: none */
    char source_appendonly[8]; /* as the manifest says it; "": not known */
    int64_t started_ms;        /* by clock_mono_ms() */
};

int restore_report(const struct config *config, const struct restore_result *result, struct output *out,
                   struct err *err) MUST_CHECK;

#endif
