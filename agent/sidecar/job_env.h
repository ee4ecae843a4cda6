/* SPDX-License-Identifier: Apache-2.0 */
/*
 * job_env.h: the words and the environment of the command that does a job, from what the agent was given. Pure.
 *
 * What the agent has in its own environment, a child inherits. What stood on the agent's command line goes into the
 * child's environment as far as the child's command has such an option: there it wins over what is inherited, and no
 * other user reads it. A repeatable option with a comma in a value, which the environment cannot say, goes by words.
 */
#ifndef AGENT_SIDECAR_JOB_ENV_H
#define AGENT_SIDECAR_JOB_ENV_H

#include "agent/config.h"
#include "agent/sidecar/work.h"

/* Both end with NULL, as child_start() wants them. */
struct job_env {
    char **words;
    char **env;
    size_t word_count, env_count;
};

/* "backup"; "verify latest" and with --sample "verify"; "prune --apply". job_env_fini() wipes and frees. */
void job_env_init(struct job_env *e, const struct config *config, enum work kind);
void job_env_fini(struct job_env *e);

#endif
