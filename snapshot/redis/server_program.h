/* SPDX-License-Identifier: Apache-2.0 */
/* server_program.h: the program of a server on this machine: where it is, and which version. */
#ifndef SNAPSHOT_REDIS_SERVER_PROGRAM_H
#define SNAPSHOT_REDIS_SERVER_PROGRAM_H

#include <stdint.h>

#include "base/err.h"
#include "snapshot/redis/server_fit.h"

#define SERVER_PROGRAM_TIMEOUT_MS 10000 /* for its version: enough for a cold volume */

/* The absolute path of GIVEN, or, where GIVEN is NULL, of valkey-server or redis-server in the folders of PATH: the one
 * of KIND ("redis", "valkey") before the other, valkey-server first where KIND is anything else. The caller frees it.
 * NULL with ERR_USAGE when there is no such program, or it may not be run. Starts nothing. */
char *server_program_find(const char *given, const char *kind, struct err *err) MUST_CHECK;

/* Run PROGRAM --version (no shell; a name without a slash is looked up in PATH) and read the first line it prints. It
 * may take TIMEOUT_MS, then it is killed with its children. ERR_USAGE: it cannot be run, fails, or says nothing that is
 * a version. ERR_INTERRUPTED. */
int server_program_version(const char *program, int64_t timeout_ms, struct server_version *out,
                           struct err *err) MUST_CHECK;

#endif
