/* SPDX-License-Identifier: Apache-2.0 */
/* open_target.h: the folder of --target, with the names, globs and owner that the command line gives it. */
#ifndef AGENT_OPEN_TARGET_H
#define AGENT_OPEN_TARGET_H

#include "agent/config.h"
#include "agent/target_server.h"
#include "base/err.h"
#include "snapshot/target/target.h"

/* OPTIONS borrows from CONFIG. ERR_USAGE: --owner is none. */
int open_target_options(const struct config *config, const struct target_server *server, struct target_options *options,
                        struct err *err) MUST_CHECK;

/* The folder itself; target_free() it. */
int open_target(const struct config *config, const struct target_server *server, struct target **out,
                struct err *err) MUST_CHECK;

#endif
