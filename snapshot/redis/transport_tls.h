/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transport_tls.h: TLS over a connected socket, as a transport. The server's certificate is always verified, chain and
 * name; there is no way to turn that off. Nothing older than TLS 1.2.
 *
 * A connection that ends without TLS's own farewell counts as closed, since servers do not always say it: what was
 * being transferred has a framing of its own that tells whether it was whole.
 */
#ifndef SNAPSHOT_REDIS_TRANSPORT_TLS_H
#define SNAPSHOT_REDIS_TRANSPORT_TLS_H

#include <stdint.h>

#include "base/err.h"
#include "snapshot/redis/endpoint.h"
#include "snapshot/redis/transport.h"

/* Speak TLS on FD, which is taken over in any case. The process must ignore SIGPIPE (base/sig.h sees to it).
 *
 * NULL with ERR_USAGE (a file of E cannot be used), ERR_SERVER (its certificate is not signed by a CA that is trusted
 * here, is for another name, or is expired; the port does not speak TLS), ERR_SERVER_DENIED (it wants a certificate of
 * us, or does not take ours; with TLS 1.3 that is told by the first read or write instead). */
struct transport *transport_tls_open(const struct endpoint *e, int fd, int64_t deadline_ms, struct err *err) MUST_CHECK;

#endif
