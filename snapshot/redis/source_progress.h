/* SPDX-License-Identifier: Apache-2.0 */
/* source_progress.h: how a source tells what it waits for before its first byte. */
#ifndef SNAPSHOT_REDIS_SOURCE_PROGRESS_H
#define SNAPSHOT_REDIS_SOURCE_PROGRESS_H

#include <stdint.h>

enum source_phase {
    SOURCE_WAITING, /* for something else that the server does */
    SOURCE_SAVING,
};

struct source_progress {
    enum source_phase phase;
    const char *waiting_for; /* SOURCE_WAITING: words that follow "waiting for"; else NULL */
    int64_t elapsed_ms;      /* since the start of the phase */
    uint64_t keys_done;      /* by the saving child; Redis 6.2 and later, once a second; else 0 */
    uint64_t keys_total;
    uint64_t cow_bytes; /* memory the server needed for writes since the fork */
};

#endif
