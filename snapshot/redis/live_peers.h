/* SPDX-License-Identifier: Apache-2.0 */
/*
 * live_peers.h: before an empty volume is restored: does another server of this dataset still hold keys? A server that
 * starts here on a backup would make such a peer throw newer data away when it becomes the peer's master.
 *
 * Every address of the name is asked, one after the other. What cannot be asked is never taken for empty. The answer is
 * of this moment: peers that have not been started yet cannot be seen.
 */
#ifndef SNAPSHOT_REDIS_LIVE_PEERS_H
#define SNAPSHOT_REDIS_LIVE_PEERS_H

#include <stdint.h>

#include "base/err.h"
#include "snapshot/redis/endpoint.h"
#include "snapshot/redis/resolve.h"

/* Zeros are the defaults. */
struct live_peers_options {
    const struct endpoint *like; /* user, password and TLS are taken from it, not where it is; NULL: none */
    int64_t loading_wait_ms;     /* for all peers together, once each was asked; 60 s */
    int64_t connect_timeout_ms;  /* 5 s; one that hangs costs no more than the two time-outs together */
    int64_t reply_timeout_ms;    /* 10 s */
    int64_t poll_ms;             /* pause between two questions to peers that load; 500 ms */
    struct resolve_options names;
    int (*own)(struct addresses *out, struct err *err); /* which addresses are ours; resolve_own() */
};

/*
 * Ask the servers at HOST_PORT (see endpoint_parse_host()). 0: none of them holds a key: there is no such name, nobody
 * listens at its addresses, or those who do have nothing in any database. Addresses of this machine are left out; those
 * of loopback are asked like any other, since no Service has them and an answer is safer than a guess. With TLS the
 * certificates must carry HOST, unless LIKE says another name.
 *
 * -1, of several reasons the first in this list; only the last two are told without asking the others:
 *   ERR_REFUSED        a peer holds keys, master or replica, and even while it loads or syncs; names it and the rescue
 *   ERR_USAGE          a Sentinel answers there; a file for TLS cannot be used
 *   ERR_SERVER_DENIED  a peer wants another password, or INFO is not allowed
 *   ERR_REFUSED        a peer still loads its data, takes them from its master, or is busy with a script after the
 *                      wait; or was so, and went away
 *   ERR_SERVER         a peer does not answer in time, cannot be reached, or answers what is not understood
 *   ERR_USAGE, ERR_SERVER  HOST_PORT is no such thing; the name service fails
 *   ERR_INTERRUPTED    and what else is this process's own trouble
 */
int live_peers_check(const char *host_port, const struct live_peers_options *options, struct err *err) MUST_CHECK;

#endif
