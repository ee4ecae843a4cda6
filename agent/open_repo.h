/* SPDX-License-Identifier: Apache-2.0 */
/* open_repo.h: a command's repository: the store behind --repo, opened, its marker read, and the instance checked. */
#ifndef AGENT_OPEN_REPO_H
#define AGENT_OPEN_REPO_H

#include <stdbool.h>

#include "agent/config.h"
#include "base/err.h"
#include "snapshot/repo/repo.h"
#include "storage/store.h"

enum open_repo_mode {
    OPEN_REPO_READ,   /* nothing can be changed through it */
    OPEN_REPO_WRITE,  /* may be changed; what is missing is not made */
    OPEN_REPO_CREATE, /* the repository and the instance are made where they are missing */
};

struct opened {
    struct store *store;
    struct repo repo;
};

/* Just the store of --repo. ERR_USAGE when there is no --repo. */
struct store *open_repo_store(const struct config *config, enum open_repo_mode mode, struct err *err) MUST_CHECK;

/* The repository without an instance. open_repo_close() in any case. */
int open_repo(const struct config *config, enum open_repo_mode mode, struct opened *o, struct err *err) MUST_CHECK;

/* The repository and the instance of --instance; without one: ERR_USAGE with the names that exist. open_repo_close() in
 * any case. */
int open_repo_instance(const struct config *config, enum open_repo_mode mode, struct opened *o,
                       struct err *err) MUST_CHECK;

/* Fine on a zeroed struct. */
void open_repo_close(struct opened *o);

#endif
