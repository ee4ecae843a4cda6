/* SPDX-License-Identifier: Apache-2.0 */
/* child_told.c: see child_told.h. */
#include "agent/sidecar/child_told.h"

void
child_told_feed(struct child_told *t, const char *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (data[i] == '\n') {
            if (!t->skipping)
                (void)tell_parse(t->line, t->len, &t->told);
            t->len = 0;
            t->skipping = false;
        } else if (t->len < sizeof(t->line)) {
            t->line[t->len++] = data[i];
        } else {
            t->skipping = true;
        }
    }
}
