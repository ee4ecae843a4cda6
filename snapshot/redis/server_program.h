/* SPDX-License-Identifier: Apache-2.0 */
/* server_program.h: where the program of a server is on this machine. Starts nothing. */
#ifndef SNAPSHOT_REDIS_SERVER_PROGRAM_H
#define SNAPSHOT_REDIS_SERVER_PROGRAM_H

#include "base/err.h"

/* The absolute path of GIVEN, or, where GIVEN is NULL, of valkey-server or redis-server in the folders of PATH: the one
 * of KIND ("redis", "valkey") before the other, valkey-server first where KIND is anything else. The caller frees it.
 * NULL with ERR_USAGE when there is no such program, or it may not be run. */
char *server_program_find(const char *given, const char *kind, struct err *err) MUST_CHECK;

#endif
