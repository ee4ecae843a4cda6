/* SPDX-License-Identifier: Apache-2.0 */
/* restore_backup.h: the backup that a restore is about, found by the policies for a repository that is missing, empty
 * or out of reach. */
#ifndef AGENT_RESTORE_BACKUP_H
#define AGENT_RESTORE_BACKUP_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/config.h"
#include "agent/open_repo.h"
#include "agent/restore_policy.h"
#include "base/err.h"
#include "snapshot/repo/manifest.h"

enum restore_found { RESTORE_FOUND, RESTORE_FOUND_NOTHING };

struct restore_backup {
    struct opened opened;
    struct manifest *m;
    char why[640]; /* of RESTORE_FOUND_NOTHING: why the server may start empty */
};

/* Find it. RESTORE_FOUND_NOTHING: the policies say that the server may start empty. Denied access is always an error,
 * and so is whatever keeps a backup from being found that was named by its id, or in the file of --from.
 * restore_backup_fini() in any case. */
int restore_backup_find(const struct config *config, const struct restore_policy *policy, struct restore_backup *b,
                        enum restore_found *found, struct err *err) MUST_CHECK;

/* The same without any policy: it is found or that is an error. Of --from, or of --repo. */
int restore_backup_open(const struct config *config, struct restore_backup *b, struct err *err) MUST_CHECK;

void restore_backup_fini(struct restore_backup *b); /* fine on a zeroed struct */

/* After the failure ERR: may it be tried again, by `--if-unreachable wait:`? Waits a while first. *SINCE_MS, 0 at the
 * beginning, remembers when the waiting began. */
bool restore_backup_wait(const struct restore_policy *policy, int64_t *since_ms, const struct err *err);

#endif
