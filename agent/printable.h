/* SPDX-License-Identifier: Apache-2.0 */
/* printable.h: texts of others (tags, what servers say, what a foreign tar has in its manifest) on their way to a
 * terminal. In JSON and in the log they are escaped instead. */
#ifndef AGENT_PRINTABLE_H
#define AGENT_PRINTABLE_H

#include <stdbool.h>

/* Is TEXT free of control characters: bytes under 0x20, DEL, and U+0080 to U+009F in UTF-8? */
bool printable_check(const char *text);

/* Make each of them a '?', in place: no escape sequence works, and no line can be faked. */
void printable_make(char *text);

#endif
