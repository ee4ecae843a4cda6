/* SPDX-License-Identifier: Apache-2.0 */
/* queue.c: see queue.h. A ring under one mutex. */
#include "base/queue.h"

#include <pthread.h>

#include "base/compiler.h"
#include "base/mem.h"

struct queue {
    pthread_mutex_t mutex; /* guards all that follows */
    pthread_cond_t changed;
    size_t capacity, first, count;
    bool closed;
    void *items[];
};

struct queue *
queue_new(size_t capacity)
{
    struct queue *q;

    REQUIRE(capacity > 0 && capacity < 1u << 20);
    q = mem_new(sizeof(*q) + capacity * sizeof(q->items[0]));
    q->capacity = capacity;
    REQUIRE(pthread_mutex_init(&q->mutex, NULL) == 0);
    REQUIRE(pthread_cond_init(&q->changed, NULL) == 0);
    return q;
}

void
queue_free(struct queue *q)
{
    if (q == NULL)
        return;
    (void)pthread_cond_destroy(&q->changed);
    (void)pthread_mutex_destroy(&q->mutex);
    free(q);
}

bool
queue_push(struct queue *q, void *item)
{
    bool added = false;

    REQUIRE(item != NULL);
    (void)pthread_mutex_lock(&q->mutex);
    while (q->count == q->capacity && !q->closed)
        (void)pthread_cond_wait(&q->changed, &q->mutex);
    if (!q->closed) {
        q->items[(q->first + q->count++) % q->capacity] = item;
        added = true;
        (void)pthread_cond_broadcast(&q->changed);
    }
    (void)pthread_mutex_unlock(&q->mutex);
    return added;
}

void *
queue_pop(struct queue *q)
{
    void *item = NULL;

    (void)pthread_mutex_lock(&q->mutex);
    while (q->count == 0 && !q->closed)
        (void)pthread_cond_wait(&q->changed, &q->mutex);
    if (q->count > 0) {
        item = q->items[q->first];
        q->first = (q->first + 1) % q->capacity;
        q->count--;
        (void)pthread_cond_broadcast(&q->changed);
    }
    (void)pthread_mutex_unlock(&q->mutex);
    return item;
}

void
queue_close(struct queue *q)
{
    (void)pthread_mutex_lock(&q->mutex);
    q->closed = true;
    (void)pthread_cond_broadcast(&q->changed);
    (void)pthread_mutex_unlock(&q->mutex);
}
