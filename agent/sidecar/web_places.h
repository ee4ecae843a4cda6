/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web_places.h: the places for connections. Clients that hold theirs without asking anything, or ask or read a byte at
 * a time, must not keep others out: when all places are taken, the connection that came first gives way, and whoever
 * comes sends away those that have been there for too long. So a scraper or a probe always gets in. One thread.
 */
#ifndef AGENT_SIDECAR_WEB_PLACES_H
#define AGENT_SIDECAR_WEB_PLACES_H

#include <stddef.h>
#include <stdint.h>

/* One connection's. In a ring; out of it once it had to give way. */
struct web_place {
    struct web_place *before, *after;
    int64_t since_ms;
    int fd; /* not owned */
};

struct web_places {
    struct web_place ring; /* its `after` is the one that gives way next */
    size_t count, max;
    int64_t max_ms;
};

/* MAX places, each for MAX_MS at most once another one is asked for. */
void web_places_init(struct web_places *p, size_t max, int64_t max_ms);

/* A place for the connection FD, at NOW_MS (clock_mono_ms()). The socket of whoever gives way is shut down, which ends
 * its connection. Never NULL; it must be left before FD is closed. */
struct web_place *web_places_take(struct web_places *p, int fd, int64_t now_ms);

/* The connection ended; frees PLACE. */
void web_places_leave(struct web_places *p, struct web_place *place);

#endif
