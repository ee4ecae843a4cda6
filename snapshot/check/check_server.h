/* SPDX-License-Identifier: Apache-2.0 */
/* check_server.h: the rows about a server, and about its data folder where that is mounted here. Nothing is changed:
 * BGSAVE and PSYNC are never sent, whether they are allowed is asked (ACL DRYRUN, else COMMAND INFO). */
#ifndef SNAPSHOT_CHECK_CHECK_SERVER_H
#define SNAPSHOT_CHECK_CHECK_SERVER_H

#include "snapshot/check/check.h"
#include "snapshot/guard.h"
#include "snapshot/redis/endpoint.h"

/* DATA_DIR: the server's folder as it is mounted here, for backups by bgsave; NULL: they come by psync, and what that
 * does not need is not missed. MEMORY: how the server's limit is known; NULL: its machine's memory is the limit. */
void check_server(struct check *c, const struct endpoint *endpoint, const char *data_dir,
                  const struct guard_memory_options *memory);

#endif
