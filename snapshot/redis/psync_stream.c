/* SPDX-License-Identifier: Apache-2.0 */
/* psync_stream.c: see psync_stream.h. */
#include "snapshot/redis/psync_stream.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/units.h"
#include "snapshot/redis/transport.h"

#define BUFFER_BYTES ((size_t)256 << 10)
#define SILENCE_MS   1000

struct psync_stream *
psync_stream_open(struct client *c, bool rdb_only, int64_t stall_ms, struct err *err)
{
    struct psync_stream *s = mem_new(sizeof(*s));

    s->client = c;
    s->rdb_only = rdb_only;
    s->stall_ms = stall_ms;
    psync_bulk_init(&s->bulk);
    s->buffer = mem_pages(BUFFER_BYTES, err);
    if (s->buffer == NULL || client_send(c, CLIENT_ARGS("PSYNC", "?", "-1"), err) < 0) {
        psync_stream_free(s);
        return NULL;
    }
    return s;
}

/* More bytes. 0 with s->in empty: there are none, since the server has closed, or the dump is whole and it is silent.
 */
static int
read_more(struct psync_stream *s, int64_t deadline_ms, struct err *err)
{
    const bool whole = psync_bulk_is_whole(&s->bulk);
    int64_t until = clock_mono_ms() + (whole ? SILENCE_MS : s->stall_ms);
    const bool for_all = deadline_ms > 0 && deadline_ms < until;
    struct err why = ERR_INIT;
    char waited[UNITS_TEXT_MAX];
    size_t got = 0;

    if (transport_read(client_transport(s->client), s->buffer, BUFFER_BYTES, for_all ? deadline_ms : until, &got,
                       &why) == 0) {
        s->in = (struct psync_span){s->buffer, got};
        return 0;
    }
    if (why.code == ERR_SERVER && whole) /* silent, or a connection that was reset instead of closed */
        return 0;
    if (why.sys != ETIMEDOUT || for_all) {
        *err = why;
        return -1;
    }
    (void)err_set(err, ERR_SERVER, "the server sent nothing for %s, not even a sign of life",
                  units_format_duration(s->stall_ms, waited));
    err->sys = ETIMEDOUT;
    return -1;
}

int
psync_stream_next(struct psync_stream *s, int64_t deadline_ms, enum psync_token *token, struct psync_span *data,
                  struct err *err)
{
    for (;;) {
        *token = psync_bulk_next(&s->bulk, &s->in, data);
        if (*token != PSYNC_NEED_MORE)
            return 0;
        if (read_more(s, deadline_ms, err) < 0)
            return -1;
        if (s->in.len == 0) {
            *token = psync_bulk_is_whole(&s->bulk) ? PSYNC_END : PSYNC_NEED_MORE;
            return 0;
        }
    }
}

void
psync_stream_acknowledge(struct psync_stream *s)
{
    struct err ignored = ERR_INIT;
    char offset[24];

    if (s->rdb_only)
        return;
    (void)snprintf(offset, sizeof(offset), "%" PRIu64, s->bulk.repl_offset);
    client_set_reply_timeout(s->client, SILENCE_MS);
    (void)!client_send(s->client, CLIENT_ARGS("REPLCONF", "ACK", offset), &ignored);
}

void
psync_stream_stop(struct psync_stream *s)
{
    transport_shutdown(client_transport(s->client));
}

void
psync_stream_free(struct psync_stream *s)
{
    if (s == NULL)
        return;
    client_free(s->client);
    mem_pages_free(s->buffer, BUFFER_BYTES);
    free(s);
}
