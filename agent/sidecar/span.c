/* SPDX-License-Identifier: Apache-2.0 */
/* span.c: see span.h. */
#include "agent/sidecar/span.h"

#include <inttypes.h>
#include <stdio.h>

/* "1 minute", "41 minutes". */
static const char *
format_units(int64_t n, const char *unit, char out[UNITS_TEXT_MAX])
{
    (void)snprintf(out, UNITS_TEXT_MAX, "%" PRId64 " %s%s", n, unit, n == 1 ? "" : "s");
    return out;
}

const char *
span_format(int64_t ms, char out[UNITS_TEXT_MAX])
{
    int64_t s = ms > 0 ? ms / 1000 : 0, minutes = s / 60 % 60, hours = s / 3600, days = hours / 24;

    if (s >= 1 && s < 60)
        return format_units(s, "second", out);
    if (s >= 60 && hours == 0)
        return format_units(minutes, "minute", out);
    if (hours > 0 && days < 2 && (minutes == 0 || days == 1))
        return format_units(hours, "hour", out);
    if (days >= 7 || (days >= 2 && hours % 24 == 0))
        return format_units(days, "day", out);
    if (days >= 2)
        (void)snprintf(out, UNITS_TEXT_MAX, "%d days %d h", (int)days, (int)(hours % 24));
    else if (hours > 0)
        (void)snprintf(out, UNITS_TEXT_MAX, "%d h %d min", (int)hours, (int)minutes);
    else
        (void)snprintf(out, UNITS_TEXT_MAX, "under a second");
    return out;
}
