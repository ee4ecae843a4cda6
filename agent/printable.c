/* SPDX-License-Identifier: Apache-2.0 */
/* printable.c: see printable.h. */
#include "agent/printable.h"

#include <stddef.h>
#include <string.h>

/* The bytes of the control character at C, 0: none is there. */
static size_t
control_len(const char *c)
{
    const unsigned char first = (unsigned char)c[0], second = (unsigned char)c[1];

    if (first < 0x20 || first == 0x7f)
        return 1;
    return first == 0xc2 && second >= 0x80 && second <= 0x9f ? 2 : 0;
}

bool
printable_check(const char *text)
{
    while (*text != '\0' && control_len(text) == 0)
        text++;
    return *text == '\0';
}

void
printable_make(char *text)
{
    for (char *c = text; *c != '\0'; c++)
        memset(c, '?', control_len(c));
}
