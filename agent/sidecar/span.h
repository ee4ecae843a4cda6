/* SPDX-License-Identifier: Apache-2.0 */
/* span.h: durations as people say them. units_format_duration() says them for logs and tables. */
#ifndef AGENT_SIDECAR_SPAN_H
#define AGENT_SIDECAR_SPAN_H

#include <stdint.h>

#include "base/units.h"

/* "under a second", "41 minutes", "3 h 20 min", "2 days 4 h": no finer than anybody needs. Returns OUT. */
const char *span_format(int64_t ms, char out[UNITS_TEXT_MAX]);

#endif
