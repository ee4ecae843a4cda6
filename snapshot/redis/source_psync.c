/* SPDX-License-Identifier: Apache-2.0 */
/* source_psync.c: see source_psync.h. The parts: psync_attempt.c comes to the dump's header, psync_reader.c brings the
 * dump into the spool. Here are the tries, and the source. */
#include "snapshot/redis/source_psync.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/sig.h"
#include "base/units.h"
#include "snapshot/redis/psync_attempt.h"
#include "snapshot/redis/psync_reader.h"
#include "snapshot/redis/spool.h"

#define DEFAULT_STALL_MS 60000
#define DEFAULT_PAUSE_MS 1000
#define LONGEST_PAUSE_MS 10000
#define PAUSE_SLICE_MS   200
/* Less than that is told to nobody. */
#define LARGE_SPOOL_BYTES (UINT64_C(16) << 20)
#define LONG_WAIT_MS      1000
#define FORKS_MAX         3

struct source_psync {
    struct source base;
    const struct endpoint *endpoint;
    struct psync_stream *stream;
    struct spool *spool;
    struct psync_reader reader;
};

/* ---- the source ------------------------------------------------------------------------------------------------- */

static int
psync_read(struct source *src, void *buf, size_t len, size_t *got, struct err *err)
{
    struct source_psync *s = (struct source_psync *)src;

    return spool_read(s->spool, buf, len, got, err) < 0
               ? err_wrap(err, "the dump from %s", endpoint_describe(s->endpoint))
               : 0;
}

static void
log_spool(struct spool *spool)
{
    struct spool_stats stats;
    char peak[UNITS_TEXT_MAX], waited[UNITS_TEXT_MAX];

    spool_stats(spool, &stats);
    if (stats.file_peak > LARGE_SPOOL_BYTES || stats.waited_ms > LONG_WAIT_MS)
        log_info("the store was slower than the server", LOG_S("spooled", units_format_size(stats.file_peak, peak)),
                 LOG_S("server_waited", units_format_duration(stats.waited_ms, waited)));
}

static int
psync_confirm(struct source *src, const struct rdb_info *found, struct err *err)
{
    struct source_psync *s = (struct source_psync *)src;
    const struct server_facts *f = &s->base.facts;

    log_spool(s->spool);
    /* Dumps of servers before 4.0 name no point of the stream. */
    if ((found->repl_id[0] != '\0' && strcmp(found->repl_id, f->repl_id) != 0) ||
        (found->repl_offset >= 0 && found->repl_offset != f->repl_offset))
        return err_set(err, ERR_SERVER,
                       "the dump from %s says that it stands for offset %" PRId64 " of %s, but the server announced "
                       "offset %" PRId64 " of %s: it is not the dump that was asked for; back up again",
                       endpoint_describe(s->endpoint), found->repl_offset, found->repl_id, f->repl_offset, f->repl_id);
    return 0;
}

static void
psync_free(struct source *src)
{
    struct source_psync *s = (struct source_psync *)src;

    psync_reader_stop(&s->reader);
    psync_stream_free(s->stream);
    spool_free(s->spool);
    free(s);
}

static const struct source_ops psync_ops = {
    .name = "psync", .read = psync_read, .confirm = psync_confirm, .free = psync_free};

/* ---- the tries -------------------------------------------------------------------------------------------------- */

/* Wait until UNTIL_MS, telling so. */
static int
pause_until(const struct psync_attempt *a, int64_t until_ms, struct err *err)
{
    struct source_progress p = {.phase = SOURCE_WAITING, .waiting_for = a->waiting_for};
    int64_t since = clock_mono_ms(), left;

    while ((left = until_ms - clock_mono_ms()) > 0) {
        p.elapsed_ms = clock_mono_ms() - since;
        if (a->options->progress != NULL)
            a->options->progress(&p, a->options->cookie);
        clock_sleep_ms(left < PAUSE_SLICE_MS ? left : PAUSE_SLICE_MS);
        if (sig_check(err) < 0)
            return -1;
    }
    return 0;
}

/* A refusal for now, or a failed save: may it be tried again? Logs what came. -1 with ERR_SERVER when not. */
static int
check_again(const struct psync_attempt *a, enum psync_outcome outcome, unsigned forks, int64_t pause_ms,
            const struct err *why, struct err *err)
{
    const char *server = endpoint_describe(a->options->endpoint);

    if (outcome == PSYNC_ABANDONED && forks == FORKS_MAX) {
        *err = *why;
        return err_wrap(err, "%u tries failed", forks);
    }
    if (clock_mono_ms() + pause_ms >= a->deadline_ms) {
        if (outcome == PSYNC_ABANDONED) {
            *err = *why;
            return -1;
        }
        return err_set(err, ERR_SERVER, "PSYNC to %s: --timeout is over; it was spent on waiting for %s", server,
                       a->waiting_for);
    }
    if (outcome == PSYNC_ABANDONED)
        log_warn("the server gave up its save for us; trying again", LOG_S("why", why->msg));
    else
        log_info("the server cannot send its data now; trying again", LOG_S("server", server),
                 LOG_S("waiting_for", a->waiting_for));
    return 0;
}

/* Try until there is a stream. */
static int
begin(struct psync_attempt *a, struct err *err)
{
    int64_t pause_ms = a->options->pause_ms > 0 ? a->options->pause_ms : DEFAULT_PAUSE_MS;
    unsigned forks = 0;

    for (;;) {
        struct err why = ERR_INIT;
        enum psync_outcome outcome = psync_attempt_run(a, &why);

        if (outcome == PSYNC_READY)
            return 0;
        if (outcome == PSYNC_FAILED) {
            *err = why;
            return -1;
        }
        if (outcome == PSYNC_ABANDONED) {
            forks++;
            a->waiting_for = "another try";
        }
        if (check_again(a, outcome, forks, pause_ms, &why, err) < 0 ||
            pause_until(a, clock_mono_ms() + pause_ms, err) < 0)
            return -1;
        pause_ms = pause_ms * 2 < LONGEST_PAUSE_MS ? pause_ms * 2 : LONGEST_PAUSE_MS;
    }
}

int
source_psync_open(const struct source_psync_options *o, struct source **out, struct err *err)
{
    struct source_psync *s = mem_new(sizeof(*s));
    struct psync_attempt a = {.options = o,
                              .deadline_ms = clock_mono_ms() + o->timeout_ms,
                              .stall_ms = o->stall_ms > 0 ? o->stall_ms : DEFAULT_STALL_MS,
                              .facts = &s->base.facts,
                              .findings = &s->base.findings};

    s->base.ops = &psync_ops;
    s->endpoint = o->endpoint;
    /* The spool first: what is wrong with its folder must not cost the server a fork. */
    s->spool = spool_new(o->spool_dir, o->spool_bytes, err);
    if (s->spool == NULL || begin(&a, err) < 0)
        goto fail;
    s->stream = a.stream;
    s->base.size = a.stream->bulk.size;
    s->base.snapshot_ms = a.full_ms;
    memcpy(s->base.facts.repl_id, a.stream->bulk.repl_id, sizeof(a.stream->bulk.repl_id));
    s->base.facts.repl_offset = (int64_t)a.stream->bulk.repl_offset;
    if (psync_reader_start(&s->reader, s->stream, s->spool, err) < 0)
        goto fail;
    *out = &s->base;
    return 0;
fail:
    psync_free(&s->base);
    return -1;
}
