/* SPDX-License-Identifier: Apache-2.0 */
/* queue.h: a bounded queue of pointers between threads. A full queue makes the producer wait: that is the
 * back-pressure. */
#ifndef BASE_QUEUE_H
#define BASE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>

struct queue;

/* An empty queue for up to CAPACITY (> 0) items. The items stay the caller's. Never NULL. */
struct queue *queue_new(size_t capacity);

/* Nobody may be waiting in it any more. NULL is fine. */
void queue_free(struct queue *q);

/* Wait for room and add ITEM (not NULL). False, and not added, once the queue is closed. */
bool queue_push(struct queue *q, void *item);

/* Wait for an item. NULL once the queue is closed and empty. */
void *queue_pop(struct queue *q);

/* No more pushes; those who wait wake up; what is inside can still be popped. May be called more than once. */
void queue_close(struct queue *q);

#endif
