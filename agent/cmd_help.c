/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_help.c: `remora help`, and what every --help does. */
#include "agent/cmd.h"
#include "agent/help.h"

int
cmd_help(const struct config *config, struct output *out, struct err *err)
{
    struct buf text;
    int rc = -1;

    buf_init(&text, OUTPUT_MAX);
    if (help_write(config->topic, &text, err) == 0)
        rc = output_buf(out, &text, err);
    buf_fini(&text);
    return rc;
}
