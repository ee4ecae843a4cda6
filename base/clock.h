/* SPDX-License-Identifier: Apache-2.0 */
/* clock.h: the three clocks, each for its own question. All in milliseconds; all thread-safe. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

/* What time is it? Since 1970, UTC; may jump. For what people read and what other machines compare. */
int64_t clock_wall_ms(void);

/* How long did it take? Never jumps; stands still while the machine is suspended. For time-outs and rates. */
int64_t clock_mono_ms(void);

/* How long has it really been? Never jumps and counts suspension too (CLOCK_BOOTTIME). For promises to others, such as
 * the hour between listing the segments and putting the manifest. */
int64_t clock_boot_ms(void);

/* Sleep; returns early when a signal arrives. */
void clock_sleep_ms(int64_t ms);

#endif
