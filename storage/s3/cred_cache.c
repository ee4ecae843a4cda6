/* SPDX-License-Identifier: Apache-2.0 */
/* cred_cache.c: see cred_cache.h. */
#include "storage/s3/cred_cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/units.h"

#define RETRY_MS     30000
#define RETRY_MIN_MS 1000

struct cred_cache {
    cred_fetch_fn *fetch;
    void *cookie;
    int64_t (*now_ms)(void);
    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t fetched;
    struct grant held;              /* keys.id NULL: none yet */
    int64_t refresh_ms, expires_ms; /* by now_ms(); GRANT_FOREVER */
    bool fetching;                  /* by one thread, which does not hold the mutex then */
    bool warned;
    bool failed; /* the last fetch, with this: */
    struct err failure;
};

struct cred_cache *
cred_cache_new(cred_fetch_fn *fetch, void *cookie, int64_t (*now_ms)(void))
{
    struct cred_cache *c = mem_new(sizeof(*c));

    c->fetch = fetch;
    c->cookie = cookie;
    c->now_ms = now_ms;
    REQUIRE(pthread_mutex_init(&c->mutex, NULL) == 0);
    REQUIRE(pthread_cond_init(&c->fetched, NULL) == 0);
    return c;
}

void
cred_cache_free(struct cred_cache *c)
{
    if (c == NULL)
        return;
    grant_fini(&c->held);
    (void)pthread_cond_destroy(&c->fetched);
    (void)pthread_mutex_destroy(&c->mutex);
    free(c);
}

static bool
is_usable(const struct cred_cache *c)
{
    return c->held.keys.id != NULL && c->now_ms() < c->expires_ms;
}

static void
keep(struct cred_cache *c, const struct grant *g)
{
    int64_t now = c->now_ms(), lives = g->lives_ms > 0 ? g->lives_ms : CRED_CACHE_GRACE_MS;
    int64_t ahead = lives / 2 < CRED_CACHE_AHEAD_MS ? lives / 2 : CRED_CACHE_AHEAD_MS;

    grant_fini(&c->held);
    c->held = *g;
    c->expires_ms = lives < GRANT_FOREVER - now ? now + lives : GRANT_FOREVER;
    c->refresh_ms = c->expires_ms == GRANT_FOREVER ? GRANT_FOREVER : c->expires_ms - ahead;
    c->warned = false;
}

/* What is held still serves. */
static void
put_off(struct cred_cache *c)
{
    int64_t now = c->now_ms(), left = c->expires_ms - now;
    int64_t pause = left / 4 < RETRY_MS ? left / 4 : RETRY_MS;
    char text[UNITS_TEXT_MAX];

    c->refresh_ms = now + (pause > RETRY_MIN_MS ? pause : RETRY_MIN_MS);
    if (!c->warned)
        log_warn("the access key cannot be renewed; the present one is used as long as it lives",
                 LOG_S("credentials", c->held.source), LOG_S("left", units_format_duration(left, text)),
                 LOG_S("error", c->failure.msg));
    c->warned = true;
}

/* With the mutex held, which is let go meanwhile. */
static int
fetch(struct cred_cache *c, struct err *err)
{
    struct grant g = {0};
    struct err cause = ERR_INIT;
    int rc;

    c->fetching = true;
    REQUIRE(pthread_mutex_unlock(&c->mutex) == 0);
    rc = c->fetch(c->cookie, &g, &cause);
    REQUIRE(pthread_mutex_lock(&c->mutex) == 0);
    c->fetching = false;
    c->failed = rc < 0;
    if (rc == 0) {
        keep(c, &g);
    } else {
        grant_fini(&g);
        c->failure = cause;
        *err = cause;
    }
    REQUIRE(pthread_cond_broadcast(&c->fetched) == 0);
    return rc;
}

static int
get_locked(struct cred_cache *c, struct sigv4_keys *keys, struct err *err)
{
    struct err cause = ERR_INIT;

    while (!is_usable(c) || (c->now_ms() >= c->refresh_ms && !c->fetching)) {
        if (!c->fetching) {
            if (fetch(c, &cause) == 0)
                break;
            if (is_usable(c)) {
                put_off(c);
                break;
            }
            *err = cause;
            return -1;
        }
        while (c->fetching)
            REQUIRE(pthread_cond_wait(&c->fetched, &c->mutex) == 0);
        if (c->failed && !is_usable(c)) {
            *err = c->failure;
            return -1;
        }
    }
    grant_keys_copy(keys, &c->held.keys);
    return 0;
}

int
cred_cache_get(struct cred_cache *c, struct sigv4_keys *keys, struct err *err)
{
    int rc;

    memset(keys, 0, sizeof(*keys));
    REQUIRE(pthread_mutex_lock(&c->mutex) == 0);
    rc = get_locked(c, keys, err);
    REQUIRE(pthread_mutex_unlock(&c->mutex) == 0);
    return rc;
}

int
cred_cache_renew(struct cred_cache *c, const struct sigv4_keys *used, struct err *err)
{
    struct sigv4_keys keys = {0};
    int rc;

    REQUIRE(pthread_mutex_lock(&c->mutex) == 0);
    if (c->held.keys.id != NULL && grant_keys_equal(&c->held.keys, used))
        c->expires_ms = INT64_MIN;
    rc = get_locked(c, &keys, err);
    REQUIRE(pthread_mutex_unlock(&c->mutex) == 0);
    if (rc == 0)
        rc = grant_keys_equal(&keys, used) ? 0 : 1;
    grant_keys_fini(&keys);
    return rc;
}

const char *
cred_cache_source(struct cred_cache *c, int64_t *lives_ms)
{
    const char *source;

    REQUIRE(pthread_mutex_lock(&c->mutex) == 0);
    source = c->held.source;
    *lives_ms = c->expires_ms == GRANT_FOREVER ? GRANT_FOREVER : c->expires_ms - c->now_ms();
    REQUIRE(pthread_mutex_unlock(&c->mutex) == 0);
    return source;
}
