/* SPDX-License-Identifier: Apache-2.0 */
/* backup_tags.h: --tag KEY=VALUE, read and checked. What backup and agent share. Pure. */
#ifndef AGENT_BACKUP_TAGS_H
#define AGENT_BACKUP_TAGS_H

#include <stddef.h>

#include "agent/config.h"
#include "base/err.h"
#include "snapshot/repo/manifest.h"

/* Into TAGS, of which there are MANIFEST_TAGS_MAX, and *COUNT, which are to be freed in any case. ERR_USAGE. */
int backup_tags_read(const struct config *config, struct manifest_tag *tags, size_t *count, struct err *err) MUST_CHECK;
void backup_tags_free(struct manifest_tag *tags, size_t count);

#endif
