/* SPDX-License-Identifier: Apache-2.0 */
/* server.h: the server of --redis-url, with its password from wherever it was given, and its peers. */
#ifndef AGENT_SERVER_H
#define AGENT_SERVER_H

#include "agent/config.h"
#include "base/err.h"
#include "snapshot/redis/endpoint.h"

/* The password is the URL's own, else that of --redis-password-file, else REDISCLI_AUTH. Without --redis-url: the
 * server on this machine. endpoint_fini() after success. */
int server_endpoint(const struct config *config, struct endpoint *endpoint, struct err *err) MUST_CHECK;

/* live_peers_check() with --live-peers, as the user, with the password and the TLS of server_endpoint(): without
 * --redis-url that is the default user with the password of --redis-password-file or REDISCLI_AUTH, and no TLS. 0 at
 * once without --live-peers. */
int server_check_peers(const struct config *config, struct err *err) MUST_CHECK;

#endif
