/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agent.h: the long-running agent: a loop that starts what is due, one child at a time, and never waits for store or
 * server itself.
 *
 *   loop (this thread)   schedules, jobs, children, signals; writes the board
 *   asker (one thread)   the questions that may take long: claims, the server's role, whether the store is there
 *   reader (one thread)  the catalogue: a claim must not wait for thousands of manifests
 *   web (one thread)     reads the board, queues triggers
 *
 * The log archiver will be a fourth part beside the jobs: a child that runs all the time (archive), restarted when it
 * ends.
 */
#ifndef AGENT_SIDECAR_AGENT_H
#define AGENT_SIDECAR_AGENT_H

#include "agent/config.h"
#include "base/err.h"

/* Run until SIGTERM or SIGINT. 0: ended as asked. */
int agent_run(const struct config *config, struct err *err) MUST_CHECK;

#endif
