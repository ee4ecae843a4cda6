/* SPDX-License-Identifier: Apache-2.0 */
/* key_name.h: names of keys, which are any bytes, made fit to be shown. \xNN stands for a byte, \\ for a backslash, so
 * that nothing is ambiguous. They are the customer's data: for results that were asked for, never for the log. */
#ifndef AGENT_KEY_NAME_H
#define AGENT_KEY_NAME_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

/* For people: printable ASCII, at most COLUMNS (at least 3) of them; "..." at its end says that there is more, or that
 * the name had been cut already (IS_CUT). Caller frees. */
char *key_name_text(const uint8_t *name, size_t len, bool is_cut, size_t columns) MUST_CHECK;

/* For programs: a string; what is valid UTF-8 stays as it is. Never NULL. */
json_t *key_name_json(const uint8_t *name, size_t len) MUST_CHECK;

#endif
