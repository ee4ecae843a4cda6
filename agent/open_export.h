/* SPDX-License-Identifier: Apache-2.0 */
/* open_export.h: the backup in a file of `remora export`, for `restore --from`: no repository, no network. */
#ifndef AGENT_OPEN_EXPORT_H
#define AGENT_OPEN_EXPORT_H

#include "agent/config.h"
#include "agent/open_repo.h"
#include "base/err.h"
#include "snapshot/repo/manifest.h"

/* Does --from contradict the rest of the command line? ERR_USAGE. Says what of the environment does not count. */
int open_export_check(const struct config *config, struct err *err) MUST_CHECK;

/* Open the tar config->from and read the manifest of config->backup in it; "latest" is the only one there is, even when
 * it is suspicious, which is logged. --instance is needed only where there are several, and has to match.
 * ERR_NOT_FOUND, and ERR_CORRUPT for what is no tar of ours. open_repo_close() in any case; manifest_free(). */
int open_export(const struct config *config, struct opened *o, struct manifest **out, struct err *err) MUST_CHECK;

#endif
