/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probe.h: the small object by which is found out whether an instance may be written to, before anything is done that
 * costs. No reader ever looks at one; FORMAT.md says when anyone may remove one that is left. Never locked.
 */
#ifndef SNAPSHOT_REPO_PROBE_H
#define SNAPSHOT_REPO_PROBE_H

#include "base/err.h"
#include "snapshot/repo/layout.h"
#include "snapshot/repo/repo.h"
#include "storage/store.h"

/* A new probe: under a name that no other has, so that stores where nothing may be overwritten take it. */
struct probe {
    struct layout_key key;
    struct store_put put; /* of it; points to the above */
    char *text;
};

void probe_init(struct probe *p, const char *instance);
void probe_fini(struct probe *p);

/* Put one and remove it. Fails only where the put fails: who may not remove can back up all the same, and prune, or
 * anyone, removes what stays (which is logged). */
int probe_run(const struct repo *repo, const char *instance, struct err *err) MUST_CHECK;

#endif
