/* SPDX-License-Identifier: Apache-2.0 */
/* index.c: see index.h. */
#include "snapshot/repo/index.h"

#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/json_read.h"
#include "base/mem.h"
#include "base/units.h"

void
index_init(struct index *x)
{
    memset(x, 0, sizeof(*x));
}

void
index_fini(struct index *x)
{
    free(x->segments);
    index_init(x);
}

int
index_set(struct index *x, uint64_t number, const struct index_segment *segment, struct err *err)
{
    if (number >= INDEX_MAX_SEGMENTS)
        return err_set(err, ERR_UNSUPPORTED, "more than %u segments: the dump is too large for this version",
                       INDEX_MAX_SEGMENTS);
    if (number >= x->count) {
        size_t count = (size_t)number + 1;

        if (count > x->allocated) {
            x->allocated = count > 2 * x->allocated ? count : 2 * x->allocated;
            x->segments = mem_grow(x->segments, x->allocated, sizeof(*x->segments));
        }
        memset(x->segments + x->count, 0, (count - x->count) * sizeof(*x->segments));
        x->count = count;
    }
    x->segments[number] = *segment;
    return 0;
}

uint64_t
index_raw_size(const struct index *x)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < x->count; i++)
        sum += x->segments[i].raw_size;
    return sum;
}

uint64_t
index_stored_size(const struct index *x)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < x->count; i++)
        sum += x->segments[i].stored_size;
    return sum;
}

char *
index_write(const struct index *x, size_t *len)
{
    char hex[DIGEST_SHA256_HEX];
    struct err unused = ERR_INIT;
    struct buf out;

    buf_init(&out, INDEX_MAX_BYTES);
    for (size_t i = 0; i < x->count; i++) {
        const struct index_segment *s = &x->segments[i];

        REQUIRE(s->stored_size > 0); /* a hole would mean that a segment was never stored */
        units_hex(s->sha256, sizeof(s->sha256), hex);
        REQUIRE(buf_printf(&out, &unused,
                           "{\"n\":%zu,\"off\":%" PRIu64 ",\"raw\":%" PRIu64 ",\"stored\":%" PRIu64
                           ",\"sha256\":\"%s\"}\n",
                           i, s->raw_offset, s->raw_size, s->stored_size, hex) == 0);
    }
    *len = out.len;
    return buf_steal(&out);
}

/* One line into the table as segment NUMBER, which must begin where the table ends so far (at OFFSET). */
static int
parse_line(const char *line, size_t len, uint64_t number, uint64_t offset, struct index *out, struct err *err)
{
    json_t *object = json_read_object(line, len, err);
    struct index_segment s = {0};
    uint64_t n = 0;
    int rc = -1;

    if (object == NULL)
        return -1;
    if (json_read_u64(object, "n", &n, err) < 0 || json_read_u64(object, "off", &s.raw_offset, err) < 0 ||
        json_read_u64(object, "raw", &s.raw_size, err) < 0 ||
        json_read_u64(object, "stored", &s.stored_size, err) < 0 ||
        json_read_hex(object, "sha256", sizeof(s.sha256), s.sha256, err) < 0)
        goto out;
    if (n != number || s.raw_offset != offset || s.raw_size == 0 || s.stored_size == 0 ||
        s.raw_size > INT64_MAX - offset) {
        (void)err_set(err, ERR_CORRUPT, "segment %" PRIu64 " does not follow the one before", n);
        goto out;
    }
    rc = index_set(out, number, &s, err);
out:
    json_decref(object);
    return rc;
}

int
index_parse(const char *data, size_t len, struct index *out, struct err *err)
{
    const char *p = data, *end = data + len;
    uint64_t number = 0, offset = 0;

    index_init(out);
    while (p < end) {
        const char *newline = memchr(p, '\n', (size_t)(end - p));

        if (newline == NULL) {
            (void)err_set(err, ERR_CORRUPT, "the last line is cut");
            goto fail;
        }
        if (parse_line(p, (size_t)(newline - p), number, offset, out, err) < 0)
            goto fail;
        offset += out->segments[number].raw_size;
        number++;
        p = newline + 1;
    }
    return 0;
fail:
    index_fini(out);
    return err_wrap(err, "line %" PRIu64, number + 1);
}
