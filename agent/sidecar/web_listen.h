/* SPDX-License-Identifier: Apache-2.0 */
/* web_listen.h: the socket that the agent's HTTP side listens on. */
#ifndef AGENT_SIDECAR_WEB_LISTEN_H
#define AGENT_SIDECAR_WEB_LISTEN_H

#include "base/err.h"

/* Listen on "host:port", "[::1]:port" or ":port", which is all addresses of either family. Port 0 takes a free one;
 * *PORT is the one in use. Returns a non-blocking descriptor, or -1 with ERR_USAGE, which names the address: not
 * understood, not ours, or in use. */
int web_listen(const char *address, unsigned *port, struct err *err) MUST_CHECK;

#endif
