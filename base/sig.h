/* SPDX-License-Identifier: Apache-2.0 */
/* sig.h: SIGTERM and SIGINT set a flag; long work asks for it and leaves by its ordinary error path. */
#ifndef BASE_SIG_H
#define BASE_SIG_H

#include <stdbool.h>

#include "base/err.h"

/* Catch SIGTERM, SIGINT and SIGHUP (no restart of system calls) and ignore SIGPIPE. Call once, before threads. A second
 * signal more than a second after the first ends the process at once, with exit status 12: clean-up can hang too. */
void sig_install(void);

/* Has a signal asked us to stop? Thread-safe. */
bool sig_pending(void);

/* The same as an error: 0, or -1 with ERR_INTERRUPTED. */
int sig_check(struct err *err) MUST_CHECK;

#endif
