/* SPDX-License-Identifier: Apache-2.0 */
/*
 * restore_config.h: `restore --config-to DIR`: the configuration files of a backup into a folder of their own. They are
 * read and proven before anything is restored, and written when all else is done. A live configuration is never
 * touched: the folder is empty, or is made.
 */
#ifndef AGENT_RESTORE_CONFIG_H
#define AGENT_RESTORE_CONFIG_H

#include <stdint.h>

#include "agent/config.h"
#include "agent/open_repo.h"
#include "agent/restore_report.h"
#include "base/buf.h"
#include "base/err.h"
#include "snapshot/repo/manifest.h"

/* All zeros: nothing yet. */
struct restore_config {
    struct backup_id id; /* whose files these are */
    struct buf tar;
    uint64_t files;
};

/* Can DIR take them? ERR_REFUSED: there is something in it, or it is no folder, a link to one, or the target's own. */
int restore_config_check(const struct config *config, struct err *err) MUST_CHECK;

/* Read the files of the backup M, and prove them. ERR_NOT_FOUND: it has none. restore_config_fini() in any case. */
int restore_config_load(const struct config *config, const struct opened *opened, const struct manifest *m,
                        struct restore_config *rc, struct err *err) MUST_CHECK;

/* The same where only the backup's id is known, as when an earlier restore was finished without the repository. */
int restore_config_load_id(const struct config *config, const struct backup_id *id, struct restore_config *rc,
                           struct err *err) MUST_CHECK;

/* Write them, and note that in RESULT. */
int restore_config_write(const struct config *config, const struct restore_config *rc, struct restore_result *result,
                         struct err *err) MUST_CHECK;

void restore_config_fini(struct restore_config *rc);

/* All of it, without a target. */
int restore_config_alone(const struct config *config, struct restore_result *result, struct err *err) MUST_CHECK;

#endif
