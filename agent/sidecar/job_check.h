/* SPDX-License-Identifier: Apache-2.0 */
/* job_check.h: would the command of a job take its options? Asked when the agent starts, so that no mistake waits for
 * the first job to be found. */
#ifndef AGENT_SIDECAR_JOB_CHECK_H
#define AGENT_SIDECAR_JOB_CHECK_H

#include "agent/config.h"
#include "agent/sidecar/work.h"
#include "base/err.h"

/* Read the options as the child that does KIND will (what the agent CONFIG was given, and the environment, which may
 * hold more than the agent knows), and check all of them that need neither server nor store. ERR_USAGE. A --with-config
 * file that is not there is a warning: the server may make it only when it starts, and that may be after the agent. */
int job_check(const struct config *config, enum work kind, struct err *err) MUST_CHECK;

#endif
