/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sig.h: SIGTERM and SIGINT set a flag; long work asks for it and leaves by its ordinary error path.
 *
 * A process that runs for years (the agent) watches signals instead: it is told of them by a descriptor, and decides
 * itself when its work has to stop.
 */
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

/* From now on signals are only told: SIGTERM and SIGINT by sig_stops(), SIGHUP by sig_take_hangup(); sig_pending()
 * stays false until sig_stop(). Returns a descriptor for poll() that is readable after a signal; read 8 bytes from it.
 * It lives as long as the process. The third SIGTERM or SIGINT ends the process at once, with exit status 12. After
 * sig_install(), before threads. -1: ERR_INTERNAL. */
int sig_watch(struct err *err) MUST_CHECK;

/* How many SIGTERM and SIGINT have come since; those within a second of the last that counted are none. */
unsigned sig_stops(void);

/* Has a SIGHUP come since the last time this was asked? */
bool sig_take_hangup(void);

/* Let sig_pending() be true, as after a SIGTERM. Thread-safe. */
void sig_stop(void);

#endif
