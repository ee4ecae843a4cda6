/* SPDX-License-Identifier: Apache-2.0 */
/*
 * buf.h: a growing byte buffer with a ceiling. What would pass the ceiling is not stored and is reported, so a peer
 * cannot make us allocate. The bytes are always followed by a NUL that does not count.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stddef.h>

#include "base/err.h"

struct buf {
    char *data; /* NULL until the first append */
    size_t len;
    size_t allocated;
    size_t cap; /* ceiling for len */
};

/* An empty buffer that never grows over CAP bytes. Allocates nothing. */
void buf_init(struct buf *b, size_t cap);

/* Free the bytes; the buffer is empty again and can be used on. */
void buf_fini(struct buf *b);

/* Forget the bytes, keep the allocation. */
void buf_reset(struct buf *b);

/* Append; -1 with ERR_NO_SPACE, and nothing stored, when the ceiling would be passed. */
int buf_append(struct buf *b, const void *data, size_t len, struct err *err) MUST_CHECK;
int buf_printf(struct buf *b, struct err *err, const char *fmt, ...) PRINTF_LIKE(3, 4) MUST_CHECK;

/* Drop the first LEN bytes (LEN <= b->len). */
void buf_consume(struct buf *b, size_t len);

/* The bytes, as a string that the caller frees; the buffer is empty afterwards. Never NULL. */
char *buf_steal(struct buf *b);

#endif
