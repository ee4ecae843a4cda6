/* SPDX-License-Identifier: Apache-2.0 */
/* ask_server.h: how the server of --redis-url is, in two commands over one connection. */
#ifndef AGENT_SIDECAR_ASK_SERVER_H
#define AGENT_SIDECAR_ASK_SERVER_H

#include "agent/sidecar/asker.h"

/* Fill in OUT's part of the server. ERR_SERVER also where it is loading its data: it has none to give yet. Takes at
 * most 5 s. */
int ask_server(const struct config *config, struct answer *out, struct err *err) MUST_CHECK;

#endif
