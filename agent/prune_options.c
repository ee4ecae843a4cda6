/* SPDX-License-Identifier: Apache-2.0 */
/* prune_options.c: see prune_options.h. */
#include "agent/prune_options.h"

#include "snapshot/prune/removal.h"

#define ORPHAN_AGE_MAX_MS ((int64_t)10 * 366 * 24 * 3600 * 1000)

int
prune_options_from(const struct config *c, struct prune_options *o, struct err *err)
{
    if (c->orphan_age_ms < REMOVAL_NOTE_AGE_MS)
        return err_set(err, ERR_USAGE, "--orphan-age is less than 24h, by when every backup that runs has ended");
    if (c->orphan_age_ms > ORPHAN_AGE_MAX_MS)
        return err_set(err, ERR_USAGE, "--orphan-age is more than ten years");
    *o = (struct prune_options){
        .policy =
            {
                .last = c->keep_last,
                .hourly = c->keep_hourly,
                .daily = c->keep_daily,
                .weekly = c->keep_weekly,
                .monthly = c->keep_monthly,
                .yearly = c->keep_yearly,
                .within_ms = c->keep_within_ms,
                .min_good = c->min_good,
                .expect_every_ms = c->expect_every_ms,
            },
        .orphan_age_ms = c->orphan_age_ms,
        .tool_version = REMORA_VERSION,
    };
    return 0;
}
