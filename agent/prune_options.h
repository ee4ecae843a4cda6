/* SPDX-License-Identifier: Apache-2.0 */
/* prune_options.h: what prune is to do, by what was given. What prune and agent share. Pure. */
#ifndef AGENT_PRUNE_OPTIONS_H
#define AGENT_PRUNE_OPTIONS_H

#include "agent/config.h"
#include "base/err.h"
#include "snapshot/prune/prune.h"

/* ERR_USAGE. */
int prune_options_from(const struct config *config, struct prune_options *o, struct err *err) MUST_CHECK;

#endif
