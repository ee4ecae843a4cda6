/* SPDX-License-Identifier: Apache-2.0 */
/* server_binary.h: asks a server's program which version it is. */
#ifndef AGENT_SERVER_BINARY_H
#define AGENT_SERVER_BINARY_H

#include <stdint.h>

#include "base/err.h"
#include "snapshot/redis/server_fit.h"

#define SERVER_BINARY_TIMEOUT_MS 10000 /* enough for a cold volume */

/* Run PROGRAM --version (no shell; a name without a slash is looked up in PATH) and read the first line it prints. It
 * may take TIMEOUT_MS, then it is killed with its children. ERR_USAGE: it cannot be run, fails, or says nothing that is
 * a version. ERR_INTERRUPTED. */
int server_binary_version(const char *program, int64_t timeout_ms, struct server_version *out,
                          struct err *err) MUST_CHECK;

#endif
