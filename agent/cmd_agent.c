/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_agent.c: `remora agent`. */
#include "agent/cmd.h"
#include "agent/sidecar/agent.h"

int
cmd_agent(const struct config *config, struct output *out, struct err *err)
{
    (void)out; /* what it has to say, it says by HTTP */
    return agent_run(config, err);
}
