/* SPDX-License-Identifier: Apache-2.0 */
/*
 * psync_bulk.h: what a server sends after PSYNC, as plain data: keepalives, the one line that answers, and the dump in
 * either framing. Fed with bytes, does no I/O, allocates nothing.
 *
 *   "$<length>\r\n" and so many bytes: a dump that the server had on its disk.
 *   "$EOF:<40 characters>\r\n", bytes, the same 40 characters: straight from the saving child, length not known.
 *
 * In the second form the last 40 bytes so far are always held back. That they are the mark only means the end when
 * nothing follows them: the parser says so (psync_bulk_is_whole()), its user knows that the server has closed, or is
 * silent. What follows after all was data. So the result does not depend on how the bytes are sliced.
 */
#ifndef SNAPSHOT_REDIS_PSYNC_BULK_H
#define SNAPSHOT_REDIS_PSYNC_BULK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PSYNC_MARK_LEN 40
#define PSYNC_ID_LEN   40
#define PSYNC_LINE_MAX 512

enum psync_token {
    PSYNC_NEED_MORE, /* all input is used up */
    PSYNC_KEEPALIVE, /* a bare newline: the server is alive and not ready yet */
    PSYNC_FULL,      /* +FULLRESYNC: repl_id and repl_offset are set */
    PSYNC_CONTINUED, /* +CONTINUE: nobody asked for that; the line is in `line`. Final */
    PSYNC_REFUSED,   /* an error reply; the line, without its "-", is in `line` */
    PSYNC_BEGUN,     /* the dump's header: size is set, or has_mark */
    PSYNC_DATA,      /* bytes of the dump */
    PSYNC_END,       /* all bytes of a dump of known size were taken; what follows is not looked at */
    PSYNC_GARBAGE,   /* not this protocol; the line as far as it came is in `line`. Final */
};

struct psync_bulk {
    char repl_id[PSYNC_ID_LEN + 1];
    uint64_t repl_offset;
    bool has_mark;
    uint64_t size;  /* bytes of the dump; 0 with a mark */
    uint64_t given; /* bytes of the dump that were given out */
    char line[PSYNC_LINE_MAX + 1];

    /* Private. */
    int state;
    size_t line_len;
    uint8_t mark[PSYNC_MARK_LEN];
    uint8_t held[PSYNC_MARK_LEN]; /* the last bytes of the dump so far, when it ends with a mark */
    size_t held_len;
    uint8_t released[PSYNC_MARK_LEN]; /* what PSYNC_DATA pointed to, when that were held bytes */
};

/* Bytes that belong to someone else. */
struct psync_span {
    const uint8_t *data;
    size_t len;
};

void psync_bulk_init(struct psync_bulk *p);

/* The next token out of IN, whose consumed bytes are taken off. With PSYNC_DATA the bytes are *OUT, valid until the
 * next call, and are part of IN's or of P. Call until PSYNC_NEED_MORE, PSYNC_END,
 * or one that is final. */
enum psync_token psync_bulk_next(struct psync_bulk *p, struct psync_span *in, struct psync_span *out);

/* Would the dump be whole if nothing more came? */
bool psync_bulk_is_whole(const struct psync_bulk *p);

/* Has the dump's header come? */
bool psync_bulk_has_begun(const struct psync_bulk *p);

#endif
