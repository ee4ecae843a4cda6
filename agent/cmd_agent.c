/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_agent.c: `remora agent`. */
#include "agent/cmd.h"

int
cmd_agent(const struct config *config, struct output *out, struct err *err)
{
    (void)config;
    (void)out;
    return err_set(err, ERR_UNSUPPORTED, "not made yet");
}
