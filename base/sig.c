/* SPDX-License-Identifier: Apache-2.0 */
/* sig.c: see sig.h. The handler only touches lock-free atomics and calls async-signal-safe functions. */
#include "base/sig.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

static atomic_int caught;        /* the first signal's number, 0: none */
static atomic_llong first_at_ms; /* when it came, monotonic; 0: none */

#define AGAIN_MS  1000
#define STOPS_MAX 3 /* watched: whoever asks so often means it */
static atomic_int watch_fd = -1;
static atomic_uint stops;
static atomic_bool hangup;

static long long
now_ms(void)
{
    struct timespec ts = {0};

    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (long long)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* One that is watched. Those that come within a second are one: some senders signal a process and its group. */
static void
note(int signum)
{
    const uint64_t one = 1;
    long long now = now_ms(), first = atomic_load(&first_at_ms); /* the last one that counted */
    int saved = errno;

    if (signum == SIGHUP) {
        atomic_store(&hangup, true);
    } else if (first == 0 || now - first > AGAIN_MS) {
        atomic_store(&first_at_ms, now);
        if (atomic_fetch_add(&stops, 1) + 1 >= STOPS_MAX)
            _exit(err_exit_status(ERR_INTERRUPTED));
    }
    (void)!write(atomic_load(&watch_fd), &one, sizeof(one));
    errno = saved;
}

static void
on_signal(int signum)
{
    long long first = 0, now = now_ms();

    if (atomic_load(&watch_fd) >= 0) {
        note(signum);
        return;
    }

    /* The time decides who is first: another signal may come in the middle of this. */
    if (atomic_compare_exchange_strong(&first_at_ms, &first, now))
        atomic_store(&caught, signum);
    else if (now - first > AGAIN_MS)
        _exit(err_exit_status(ERR_INTERRUPTED));
}

void
sig_install(void)
{
    static const int stop[] = {SIGTERM, SIGINT, SIGHUP};
    struct sigaction sa;

    memset(&sa, 0, sizeof(sa));
    sa.sa_handler = on_signal;
    (void)sigemptyset(&sa.sa_mask);
    for (size_t i = 0; i < ARRAY_LEN(stop); i++)
        REQUIRE(sigaction(stop[i], &sa, NULL) == 0);
    sa.sa_handler = SIG_IGN;
    REQUIRE(sigaction(SIGPIPE, &sa, NULL) == 0);
}

bool
sig_pending(void)
{
    return atomic_load(&caught) != 0;
}

int
sig_check(struct err *err)
{
    int signum = atomic_load(&caught);

    if (signum == 0)
        return 0;
    return err_set(err, ERR_INTERRUPTED, "interrupted by %s",
                   signum == SIGTERM  ? "SIGTERM"
                   : signum == SIGINT ? "SIGINT"
                                      : "SIGHUP");
}

int
sig_watch(struct err *err)
{
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

    if (fd < 0)
        return err_sys(err, ERR_INTERNAL, errno, "make a descriptor for signals");
    atomic_store(&watch_fd, fd);
    return fd;
}

unsigned
sig_stops(void)
{
    return atomic_load(&stops);
}

bool
sig_take_hangup(void)
{
    return atomic_exchange(&hangup, false);
}

void
sig_stop(void)
{
    int none = 0;

    (void)atomic_compare_exchange_strong(&caught, &none, SIGTERM);
}
