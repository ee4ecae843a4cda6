/* SPDX-License-Identifier: Apache-2.0 */
/* server.h: the server of --redis-url, with its password from wherever it was given. */
#ifndef AGENT_SERVER_H
#define AGENT_SERVER_H

#include "agent/config.h"
#include "base/err.h"
#include "snapshot/redis/endpoint.h"

/* The password is the URL's own, else that of --redis-password-file, else REDISCLI_AUTH. Without --redis-url: the
 * server on this machine. endpoint_fini() after success. */
int server_endpoint(const struct config *config, struct endpoint *endpoint, struct err *err) MUST_CHECK;

#endif
