/* SPDX-License-Identifier: Apache-2.0 */
/* resolve.c: see resolve.h. */
#include "snapshot/redis/resolve.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/sig.h"

#define DEFAULT_RETRY_MS 5000
#define DEFAULT_HANG_MS  30000
#define RETRY_PAUSE_MS   500
#define WAIT_SLICE_MS    100

/* ---- lists ------------------------------------------------------------------------------------------------------ */

bool
addresses_have(const struct addresses *a, const char *text)
{
    for (size_t i = 0; i < a->count; i++) {
        if (strcmp(a->items[i], text) == 0)
            return true;
    }
    return false;
}

void
addresses_add(struct addresses *a, const char *text)
{
    if (addresses_have(a, text))
        return;
    a->items = mem_grow(a->items, a->count + 1, sizeof(*a->items));
    (void)snprintf(a->items[a->count++], sizeof(*a->items), "%s", text);
}

void
addresses_fini(struct addresses *a)
{
    free(a->items);
    memset(a, 0, sizeof(*a));
}

/* 0 or an EAI_ code. */
static int
add_socket_address(struct addresses *a, const struct sockaddr *address, socklen_t len)
{
    char text[ADDRESS_TEXT_MAX];
    int failed = getnameinfo(address, len, text, sizeof(text), NULL, 0, NI_NUMERICHOST);

    if (failed == 0)
        addresses_add(a, text);
    return failed;
}

/* ---- one look-up ------------------------------------------------------------------------------------------------ */

static int
system_look_up(const char *host, int family, struct addresses *out)
{
    struct addrinfo hints = {.ai_family = family, .ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    int failed = getaddrinfo(host, NULL, &hints, &list);

    if (failed != 0)
        return failed;
    for (const struct addrinfo *a = list; a != NULL && failed == 0; a = a->ai_next)
        failed = add_socket_address(out, a->ai_addr, a->ai_addrlen);
    freeaddrinfo(list);
    return failed;
}

/* Shared by the one who asks and the thread that looks; whoever leaves last frees it. */
struct look_up {
    resolve_fn *fn;
    char *host;
    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t ended_cond;
    int holders;
    bool ended;
    int failed;
    struct addresses found;
};

static struct look_up *
look_up_new(const char *host, resolve_fn *fn)
{
    struct look_up *l = mem_new(sizeof(*l));
    pthread_condattr_t attr;

    l->fn = fn;
    l->host = mem_strdup(host);
    l->holders = 2;
    REQUIRE(pthread_mutex_init(&l->mutex, NULL) == 0);
    REQUIRE(pthread_condattr_init(&attr) == 0);
    REQUIRE(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0);
    REQUIRE(pthread_cond_init(&l->ended_cond, &attr) == 0);
    (void)pthread_condattr_destroy(&attr);
    return l;
}

/* Called with the mutex held, which is gone afterwards or no longer ours. */
static void
leave(struct look_up *l)
{
    bool last = --l->holders == 0;

    (void)pthread_mutex_unlock(&l->mutex);
    if (!last)
        return;
    (void)pthread_mutex_destroy(&l->mutex);
    (void)pthread_cond_destroy(&l->ended_cond);
    addresses_fini(&l->found);
    free(l->host);
    free(l);
}

/* "There is none of that family" is an answer; all else is none. */
static bool
is_nobody(int failed)
{
    return failed == EAI_NONAME || failed == EAI_NODATA || failed == EAI_ADDRFAMILY;
}

static void *
run(void *arg)
{
    static const int families[] = {AF_INET, AF_INET6};
    struct look_up *l = arg;
    struct addresses found = {0};
    int failed = 0;

    for (size_t i = 0; i < ARRAY_LEN(families) && failed == 0; i++) {
        failed = l->fn(l->host, families[i], &found);
        if (is_nobody(failed))
            failed = 0;
    }
    (void)pthread_mutex_lock(&l->mutex);
    l->found = found;
    l->failed = failed;
    l->ended = true;
    (void)pthread_cond_signal(&l->ended_cond);
    leave(l);
    return NULL;
}

/* Wait, with the mutex held, for its end. */
static int
wait_for_end(struct look_up *l, int64_t deadline_ms, struct err *err)
{
    while (!l->ended) {
        int64_t until_ms = clock_mono_ms() + WAIT_SLICE_MS;
        struct timespec until = {.tv_sec = until_ms / 1000, .tv_nsec = until_ms % 1000 * 1000000};

        if (sig_check(err) < 0)
            return -1;
        if (until_ms - WAIT_SLICE_MS >= deadline_ms) {
            (void)err_set(err, ERR_SERVER, "the name service does not answer: can it be reached from here?");
            err->sys = ETIMEDOUT;
            return -1;
        }
        (void)pthread_cond_timedwait(&l->ended_cond, &l->mutex, &until);
    }
    return 0;
}

/* One look-up of both families; *FAILED is 0 or an EAI_ code. */
static int
look_up_once(const char *host, resolve_fn *fn, int64_t deadline_ms, struct addresses *out, int *failed, struct err *err)
{
    struct look_up *l = look_up_new(host, fn);
    pthread_t thread;
    int errnum = pthread_create(&thread, NULL, run, l), rc;

    (void)pthread_mutex_lock(&l->mutex);
    if (errnum != 0) {
        l->holders--; /* there is no thread */
        leave(l);
        return err_sys(err, ERR_INTERNAL, errnum, "start a thread");
    }
    rc = wait_for_end(l, deadline_ms, err);
    if (rc == 0) {
        *failed = l->failed;
        *out = l->found;
        memset(&l->found, 0, sizeof(l->found));
    }
    leave(l);
    (void)(rc == 0 ? pthread_join(thread, NULL) : pthread_detach(thread));
    return rc;
}

/* ---- the calls -------------------------------------------------------------------------------------------------- */

int
resolve_host(const char *host, const struct resolve_options *options, struct addresses *out, struct err *err)
{
    resolve_fn *fn = options->look_up != NULL ? options->look_up : system_look_up;
    int64_t now = clock_mono_ms();
    int64_t retry_until = now + (options->retry_ms > 0 ? options->retry_ms : DEFAULT_RETRY_MS);
    int64_t hang_until = now + (options->hang_ms > 0 ? options->hang_ms : DEFAULT_HANG_MS);

    memset(out, 0, sizeof(*out));
    for (;;) {
        int failed = 0;

        if (look_up_once(host, fn, hang_until, out, &failed, err) < 0)
            return err_wrap(err, "look up %s", host);
        if (failed == 0)
            return 0;
        addresses_fini(out);
        if (clock_mono_ms() >= retry_until)
            return err_set(err, ERR_SERVER, "look up %s: %s: can the name service be reached from here?", host,
                           gai_strerror(failed));
        clock_sleep_ms(RETRY_PAUSE_MS < retry_until - now ? RETRY_PAUSE_MS : retry_until - now);
        if (sig_check(err) < 0)
            return -1;
    }
}

int
resolve_own(struct addresses *out, struct err *err)
{
    struct ifaddrs *list = NULL;
    int failed = 0;

    if (getifaddrs(&list) < 0)
        return err_sys(err, ERR_INTERNAL, errno, "list the addresses of this machine");
    for (const struct ifaddrs *i = list; i != NULL && failed == 0; i = i->ifa_next) {
        int family = i->ifa_addr != NULL ? i->ifa_addr->sa_family : AF_UNSPEC;

        /* Where kube-proxy works by IPVS, a node's kube-ipvs0, which is always down, carries the address of every
         * Service of the cluster. */
        if ((i->ifa_flags & IFF_LOOPBACK) != 0 || (i->ifa_flags & IFF_UP) == 0)
            continue;
        if (family == AF_INET)
            failed = add_socket_address(out, i->ifa_addr, sizeof(struct sockaddr_in));
        else if (family == AF_INET6)
            failed = add_socket_address(out, i->ifa_addr, sizeof(struct sockaddr_in6));
    }
    freeifaddrs(list);
    return failed == 0 ? 0 : err_set(err, ERR_INTERNAL, "list the addresses of this machine: %s", gai_strerror(failed));
}
