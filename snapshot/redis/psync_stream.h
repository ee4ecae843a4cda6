/* SPDX-License-Identifier: Apache-2.0 */
/*
 * psync_stream.h: the connection after PSYNC was sent: reads it, and gives out the tokens of psync_bulk.h. One thread
 * at a time; psync_stream_stop() from any.
 */
#ifndef SNAPSHOT_REDIS_PSYNC_STREAM_H
#define SNAPSHOT_REDIS_PSYNC_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "snapshot/redis/client.h"
#include "snapshot/redis/psync_bulk.h"

struct psync_stream {
    struct client *client;
    struct psync_bulk bulk;
    int64_t stall_ms; /* so long without a byte: the server is lost */
    bool rdb_only;    /* the server closes after the dump */
    uint8_t *buffer;
    struct psync_span in; /* what was read and not yet taken */
};

/* Take over C (also after a failure), with a handshake done, and send PSYNC. STALL_MS: for how long the server may send
 * nothing, not even a keepalive. NULL with ERR_SERVER. */
struct psync_stream *psync_stream_open(struct client *c, bool rdb_only, int64_t stall_ms, struct err *err) MUST_CHECK;

/*
 * The next token, waiting for it; PSYNC_END is a whole dump in either framing, PSYNC_NEED_MORE means that the server
 * closed before that. -1 with ERR_SERVER: nothing came for STALL_MS, or until DEADLINE_MS (0: none); the connection
 * broke.
 *
 * A dump that ends with a mark is whole when the mark is followed by the end of the connection, or by a second of
 * silence: a server without rdb-only sends nothing more until it gets an ACK.
 */
int psync_stream_next(struct psync_stream *s, int64_t deadline_ms, enum psync_token *token, struct psync_span *data,
                      struct err *err) MUST_CHECK;

/* A server that would now send its stream is told that the dump has come: else it counts the transfer as failed. */
void psync_stream_acknowledge(struct psync_stream *s);

/* Whoever waits in psync_stream_next() returns. */
void psync_stream_stop(struct psync_stream *s);

/* NULL is fine. */
void psync_stream_free(struct psync_stream *s);

#endif
