/* SPDX-License-Identifier: Apache-2.0 */
/* work.c: see work.h. */
#include "agent/sidecar/work.h"

const char *
work_name(enum work kind)
{
    static const char *const names[WORK_KINDS] = {
        [WORK_BACKUP] = "backup", [WORK_VERIFY] = "verify", [WORK_PRUNE] = "prune"};

    return names[kind];
}
