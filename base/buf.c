/* SPDX-License-Identifier: Apache-2.0 */
/* buf.c: see buf.h. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"

void
buf_init(struct buf *b, size_t cap)
{
    REQUIRE(cap <= SIZE_MAX / 4);
    memset(b, 0, sizeof(*b));
    b->cap = cap;
}

void
buf_fini(struct buf *b)
{
    free(b->data);
    buf_init(b, b->cap);
}

void
buf_reset(struct buf *b)
{
    b->len = 0;
}

/* Room for LEN more bytes and the NUL. */
static int
make_room(struct buf *b, size_t len, struct err *err)
{
    size_t need;

    if (len > b->cap - b->len)
        return err_set(err, ERR_NO_SPACE, "more than the allowed %zu bytes", b->cap);
    need = b->len + len + 1;
    if (need > b->allocated) {
        size_t grown = b->allocated > 0 ? b->allocated : 256;

        while (grown < need)
            grown *= 2;
        if (grown > b->cap + 1)
            grown = b->cap + 1; /* the ceiling holds for the memory too */
        b->data = mem_grow(b->data, grown, 1);
        b->allocated = grown;
    }
    return 0;
}

int
buf_append(struct buf *b, const void *data, size_t len, struct err *err)
{
    if (make_room(b, len, err) < 0)
        return -1;
    if (len > 0)
        memcpy(b->data + b->len, data, len);
    b->len += len;
    b->data[b->len] = '\0';
    return 0;
}

int
buf_printf(struct buf *b, struct err *err, const char *fmt, ...)
{
    va_list ap;
    char *s = NULL;
    int len, rc;

    va_start(ap, fmt);
    len = vasprintf(&s, fmt, ap);
    va_end(ap);
    if (len < 0)
        return err_set(err, ERR_NO_SPACE, "out of memory");
    rc = buf_append(b, s, (size_t)len, err);
    free(s);
    return rc;
}

void
buf_consume(struct buf *b, size_t len)
{
    REQUIRE(len <= b->len);
    if (len == 0)
        return;
    memmove(b->data, b->data + len, b->len - len);
    b->len -= len;
    b->data[b->len] = '\0';
}

char *
buf_steal(struct buf *b)
{
    char *s = b->data != NULL ? b->data : mem_new(1);

    buf_init(b, b->cap);
    return s;
}
