/* SPDX-License-Identifier: Apache-2.0 */
/* web_places.c: see web_places.h. */
#include "agent/sidecar/web_places.h"

#include <stdlib.h>
#include <sys/socket.h>

#include "base/compiler.h"
#include "base/mem.h"

void
web_places_init(struct web_places *p, size_t max, int64_t max_ms)
{
    REQUIRE(max > 0);
    p->ring.before = p->ring.after = &p->ring;
    p->count = 0;
    p->max = max;
    p->max_ms = max_ms;
}

static void
ring_remove(struct web_places *p, struct web_place *place)
{
    REQUIRE(place->before != NULL && place->after != NULL); /* it is in the ring */
    place->before->after = place->after;
    place->after->before = place->before;
    place->before = place->after = NULL;
    p->count--;
}

static void
ring_append(struct web_places *p, struct web_place *place)
{
    place->before = p->ring.before;
    place->after = &p->ring;
    place->before->after = place;
    p->ring.before = place;
    p->count++;
}

/* With a reset, so that the kernel keeps nothing of an answer that was not read. */
static void
send_away(struct web_places *p, struct web_place *place)
{
    const struct linger reset = {.l_onoff = 1};

    (void)setsockopt(place->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    (void)shutdown(place->fd, SHUT_RDWR);
    ring_remove(p, place);
}

struct web_place *
web_places_take(struct web_places *p, int fd, int64_t now_ms)
{
    struct web_place *place = mem_new(sizeof(*place));

    while (p->count == p->max || (p->count > 0 && now_ms - p->ring.after->since_ms > p->max_ms))
        send_away(p, p->ring.after);
    place->fd = fd;
    place->since_ms = now_ms;
    ring_append(p, place);
    return place;
}

void
web_places_leave(struct web_places *p, struct web_place *place)
{
    if (place->after != NULL)
        ring_remove(p, place);
    free(place);
}
