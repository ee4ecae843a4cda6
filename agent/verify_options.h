/* SPDX-License-Identifier: Apache-2.0 */
/* verify_options.h: do the options of verify fit together? What verify and agent share. */
#ifndef AGENT_VERIFY_OPTIONS_H
#define AGENT_VERIFY_OPTIONS_H

#include "agent/config.h"
#include "base/err.h"

/* WHICH is the backup named as an argument; NULL: none is. With --load a server's program must be found here.
 * ERR_USAGE. */
int verify_options_check(const struct config *config, const char *which, struct err *err) MUST_CHECK;

#endif
