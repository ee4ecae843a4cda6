/* SPDX-License-Identifier: Apache-2.0 */
/* pool.c: see pool.h. */
#include "base/pool.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "base/mem.h"
#include "base/queue.h"

#define MAX_WORKERS 256

struct worker {
    struct pool *pool;
    unsigned number;
    pthread_t thread;
};

struct pool {
    const struct pool_ops *ops;
    void *cookie;
    struct queue *queue;
    atomic_bool failed;
    pthread_mutex_t mutex; /* guards `first` */
    struct err first;
    unsigned count;
    struct worker workers[];
};

void
pool_cancel(struct pool *p, const struct err *cause)
{
    REQUIRE(cause->code != ERR_NONE); /* or the failure would be lost */
    (void)pthread_mutex_lock(&p->mutex);
    if (p->first.code == ERR_NONE)
        p->first = *cause;
    (void)pthread_mutex_unlock(&p->mutex);
    atomic_store(&p->failed, true);
}

static void *
worker_main(void *arg)
{
    struct worker *w = arg;
    struct pool *p = w->pool;
    void *item;

    while ((item = queue_pop(p->queue)) != NULL) {
        struct err err = ERR_INIT;

        if (!atomic_load(&p->failed) && p->ops->work(item, w->number, p->cookie, &err) < 0)
            pool_cancel(p, &err);
        p->ops->done(item, p->cookie);
    }
    return NULL;
}

struct pool *
pool_start(unsigned workers, const struct pool_ops *ops, void *cookie, struct err *err)
{
    struct pool *p;
    sigset_t all, before;
    int rc = 0;

    REQUIRE(workers > 0 && workers <= MAX_WORKERS);
    p = mem_new(sizeof(*p) + workers * sizeof(p->workers[0]));
    p->ops = ops;
    p->cookie = cookie;
    p->queue = queue_new(workers);
    REQUIRE(pthread_mutex_init(&p->mutex, NULL) == 0);
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    while (rc == 0 && p->count < workers) {
        struct worker *w = &p->workers[p->count];

        w->pool = p;
        w->number = p->count;
        rc = pthread_create(&w->thread, NULL, worker_main, w);
        if (rc == 0)
            p->count++;
    }
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc != 0) {
        struct err ignored = ERR_INIT;

        (void)pool_finish(p, &ignored);
        (void)err_sys(err, ERR_NO_SPACE, rc, "start %u worker threads", workers);
        return NULL;
    }
    return p;
}

bool
pool_submit(struct pool *p, void *item)
{
    return !atomic_load(&p->failed) && queue_push(p->queue, item);
}

int
pool_finish(struct pool *p, struct err *err)
{
    int rc = 0;

    if (p == NULL)
        return 0;
    queue_close(p->queue);
    for (unsigned i = 0; i < p->count; i++)
        REQUIRE(pthread_join(p->workers[i].thread, NULL) == 0);
    if (p->first.code != ERR_NONE) {
        *err = p->first;
        rc = -1;
    }
    queue_free(p->queue);
    (void)pthread_mutex_destroy(&p->mutex);
    free(p);
    return rc;
}
