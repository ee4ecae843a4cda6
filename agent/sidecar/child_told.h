/* SPDX-License-Identifier: Apache-2.0 */
/* child_told.h: what a child told, line by line, as tell.h describes it. Pure: fed bytes. Nothing in it is trusted:
 * what is not understood is skipped. */
#ifndef AGENT_SIDECAR_CHILD_TOLD_H
#define AGENT_SIDECAR_CHILD_TOLD_H

#include <stdbool.h>
#include <stddef.h>

#include "agent/tell.h"

struct child_told {
    struct told told;
    /* Its own: a line in the making. */
    char line[TELL_LINE_MAX];
    size_t len;
    bool skipping; /* of a line that is too long */
};

/* Take LEN more bytes. */
void child_told_feed(struct child_told *t, const char *data, size_t len);

#endif
