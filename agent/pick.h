/* SPDX-License-Identifier: Apache-2.0 */
/* pick.h: the backup that a command line names. */
#ifndef AGENT_PICK_H
#define AGENT_PICK_H

#include <stdbool.h>

#include "agent/open_repo.h"
#include "base/err.h"
#include "snapshot/repo/manifest.h"

/* Is WHICH "latest", or an id in form? ERR_USAGE when not. Touches nothing. */
int pick_check(const char *which, struct err *err) MUST_CHECK;

/* WHICH as an id, and nothing but an id: ERR_USAGE. For what is too grave for "latest", or means nothing with it. */
int pick_id(const char *which, struct backup_id *id, struct err *err) MUST_CHECK;

/* Is it "latest"? */
bool pick_is_latest(const char *which);

/* The manifest of WHICH, in the instance of CONFIG; backups that "latest" passes over are logged. Caller frees with
 * manifest_free(). */
int pick_backup(const struct config *config, const struct opened *s, const char *which, struct manifest **out,
                struct err *err) MUST_CHECK;

#endif
