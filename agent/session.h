/* SPDX-License-Identifier: Apache-2.0 */
/* session.h: a command's repository: the store behind --repo, opened, its marker read, and the instance checked. */
#ifndef AGENT_SESSION_H
#define AGENT_SESSION_H

#include <stdbool.h>

#include "agent/config.h"
#include "base/err.h"
#include "snapshot/repo/repo.h"
#include "storage/store.h"

enum session_mode {
    SESSION_READ,   /* nothing can be changed through it */
    SESSION_WRITE,  /* may be changed; what is missing is not made */
    SESSION_CREATE, /* the repository and the instance are made where they are missing */
};

struct session {
    struct store *store;
    struct repo repo;
};

/* Just the store of --repo. ERR_USAGE when there is no --repo. */
struct store *session_store(const struct config *config, enum session_mode mode, struct err *err) MUST_CHECK;

/* The repository without an instance. session_close() in any case. */
int session_open(const struct config *config, enum session_mode mode, struct session *s, struct err *err) MUST_CHECK;

/* The repository and the instance of --instance; without one: ERR_USAGE with the names that exist. session_close() in
 * any case. */
int session_open_instance(const struct config *config, enum session_mode mode, struct session *s,
                          struct err *err) MUST_CHECK;

/* Fine on a zeroed struct. */
void session_close(struct session *s);

#endif
