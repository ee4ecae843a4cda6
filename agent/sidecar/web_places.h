/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web_places.h: the places for connections. Clients that hold theirs without asking anything, or ask for it a byte at a
 * time, must not keep others out: when all places are taken, the connection that was served longest ago, or never,
 * gives way. So a scraper or a probe always gets in. One thread.
 */
#ifndef AGENT_SIDECAR_WEB_PLACES_H
#define AGENT_SIDECAR_WEB_PLACES_H

#include <stddef.h>

/* One connection's. In a ring; out of it once it had to give way. */
struct web_place {
    struct web_place *before, *after;
    int fd; /* not owned */
};

struct web_places {
    struct web_place ring; /* its `after` is the one that gives way next */
    size_t count, max;
};

void web_places_init(struct web_places *p, size_t max);

/* A place for the connection FD; where there is none left, another one's socket is shut down, which ends it. Never
 * NULL; it must be left before FD is closed. */
struct web_place *web_places_take(struct web_places *p, int fd);

/* It was served: others go first. */
void web_places_served(struct web_places *p, struct web_place *place);

/* The connection ended; frees PLACE. */
void web_places_leave(struct web_places *p, struct web_place *place);

#endif
