/* SPDX-License-Identifier: Apache-2.0 */
/* psync_reader.c: see psync_reader.h. */
#include "snapshot/redis/psync_reader.h"

#include <signal.h>
#include <string.h>

#include "base/units.h"

/* The writer of the spool waited so long that the server may have lost patience with us. */
#define LONG_WAIT_MS 5000

/* The connection ended before the dump did. */
static int
explain_close(const struct psync_reader *r, struct err *err)
{
    struct spool_stats stats;
    char got[UNITS_TEXT_MAX], waited[UNITS_TEXT_MAX];

    spool_stats(r->spool, &stats);
    (void)units_format_size(r->stream->bulk.given, got);
    if (stats.waited_ms >= LONG_WAIT_MS)
        return err_set(err, ERR_SERVER,
                       "the server closed the connection in mid-transfer, after %s; it had to wait for the store here "
                       "for %s, and has limits for that (repl-timeout, client-output-buffer-limit replica): give a "
                       "folder with room for the dump with --spool-dir, or a larger --spool-size",
                       got, units_format_duration(stats.waited_ms, waited));
    return err_set(err, ERR_SERVER,
                   "the server closed the connection in mid-transfer, after %s: it went away, or its saving child "
                   "failed; its log says why",
                   got);
}

static int
transfer(const struct psync_reader *r, struct err *err)
{
    for (;;) {
        enum psync_token token;
        struct psync_span data = {0};

        if (psync_stream_next(r->stream, 0, &token, &data, err) < 0)
            return -1;
        switch (token) {
        case PSYNC_DATA:
            if (spool_write(r->spool, data.data, data.len, err) < 0)
                return -1;
            break;
        case PSYNC_END:
            psync_stream_acknowledge(r->stream);
            return 0;
        case PSYNC_NEED_MORE:
            return explain_close(r, err);
        default:
            return err_set(err, ERR_INTERNAL, "a token in the midst of the dump");
        }
    }
}

static void *
run(void *arg)
{
    struct psync_reader *r = arg;
    struct err err = ERR_INIT;

    spool_end(r->spool, transfer(r, &err) < 0 ? &err : NULL);
    return NULL;
}

int
psync_reader_start(struct psync_reader *r, struct psync_stream *stream, struct spool *spool, struct err *err)
{
    sigset_t all, before;
    int failed;

    r->stream = stream;
    r->spool = spool;
    /* Signals are for the main thread. */
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    failed = pthread_create(&r->thread, NULL, run, r);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed != 0)
        return err_sys(err, ERR_NO_SPACE, failed, "start a thread");
    r->running = true;
    return 0;
}

void
psync_reader_stop(struct psync_reader *r)
{
    if (!r->running)
        return;
    spool_cancel(r->spool);
    psync_stream_stop(r->stream);
    (void)pthread_join(r->thread, NULL);
    r->running = false;
}
