/* SPDX-License-Identifier: Apache-2.0 */
/* board.c: see board.h. What is written and read under the mutex, and nothing that waits. */
#include "agent/sidecar/board.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/compiler.h"

void
board_init(struct board *b, int wake_fd)
{
    memset(b, 0, sizeof(*b));
    REQUIRE(pthread_mutex_init(&b->mutex, NULL) == 0);
    jobs_init(&b->jobs);
    b->wake_fd = wake_fd;
}

void
board_fini(struct board *b)
{
    jobs_fini(&b->jobs);
    catalog_free(b->catalog);
    b->catalog = NULL;
    (void)pthread_mutex_destroy(&b->mutex);
}

void
board_lock(struct board *b)
{
    REQUIRE(pthread_mutex_lock(&b->mutex) == 0);
}

void
board_unlock(struct board *b)
{
    REQUIRE(pthread_mutex_unlock(&b->mutex) == 0);
}

void
board_wake(struct board *b)
{
    const uint64_t one = 1;

    (void)!write(b->wake_fd, &one, sizeof(one)); /* full: it is awake already */
}

void
board_error_add(struct board *b, const char *what, int exit_status, const char *text, int64_t now_ms)
{
    struct board_error *e;

    if (b->error_count == BOARD_ERRORS)
        memmove(&b->errors[0], &b->errors[1], --b->error_count * sizeof(*b->errors));
    e = &b->errors[b->error_count++];
    *e = (struct board_error){.at_ms = now_ms, .exit_status = exit_status};
    (void)snprintf(e->what, sizeof(e->what), "%s", what);
    (void)snprintf(e->text, sizeof(e->text), "%s", text);
}

void
board_storage_add(struct board *b, const struct store_meter_counts *more)
{
    store_meter_add(&b->storage, more);
}

const struct catalog_entry *
board_latest(const struct board *b)
{
    size_t i = b->catalog != NULL ? b->catalog->count : 0;

    while (i-- > 0) {
        const struct catalog_entry *e = &b->catalog->entries[i];

        if (e->state == CATALOG_WHOLE && (!e->suspicious || e->accepted))
            return e;
    }
    return NULL;
}
