/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session.h: a conversation with one server process, over as many connections as it takes. It knows the process by its
 * run_id: a server that was restarted, or another one behind the same address, is never mistaken for it.
 *
 * One thread per session.
 */
#ifndef SNAPSHOT_REDIS_SESSION_H
#define SNAPSHOT_REDIS_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "snapshot/redis/client.h"
#include "snapshot/redis/info.h"
#include "snapshot/redis/server_facts.h"

struct session {
    const struct endpoint *endpoint;
    struct client_options options;
    int64_t reconnect_ms;
    struct client *client; /* NULL between two connections */
    char run_id[48];
};

/* What came of asking for the status. */
enum session_answer {
    SESSION_FAILED = -1, /* ERR is set */
    SESSION_TOLD,
    SESSION_NO_ANSWER, /* the server is up, but a script or function keeps it busy: nothing was told */
};

/* Connect, and remember which server this is. RECONNECT_MS: for how long a lost connection is tried again. E must
 * outlive the session. ERR_USAGE when it is a Sentinel. FACTS (known, address, host...) is filled in as far as the
 * server lets us: a denied ROLE or CONFIG is no error. Needs no session_fini() after a failure. */
int session_open(struct session *s, const struct endpoint *e, const struct client_options *options,
                 int64_t reconnect_ms, struct server_facts *facts, struct err *err) MUST_CHECK;

/* What the server at E tells of itself over the connection C, and no more: facts that are denied stay "". With a denied
 * INFO, kind, version and MEMORY (may be NULL) are not known, and the role only where ROLE is allowed. ERR_USAGE when
 * it is a Sentinel. */
int session_learn_facts(const struct endpoint *e, struct client *c, struct server_facts *facts,
                        struct server_memory *memory, struct err *err) MUST_CHECK;

/* INFO, over a new connection when the old one is lost. ERR_SERVER when the server cannot be reached for RECONNECT_MS,
 * or is another process than at the start. */
enum session_answer session_status(struct session *s, struct server_status *out, struct err *err) MUST_CHECK;

/* One command over the connection there is; *LOST says whether an ERR_SERVER failure means that the connection broke
 * and nothing is known of what the server did. */
int session_call(struct session *s, const char *const *argv, struct reply **out, bool *lost,
                 struct err *err) MUST_CHECK;

/* Close; fine on a zeroed struct. */
void session_fini(struct session *s);

#endif
