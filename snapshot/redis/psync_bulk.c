/* SPDX-License-Identifier: Apache-2.0 */
/* psync_bulk.c: see psync_bulk.h. */
#include "snapshot/redis/psync_bulk.h"

#include <string.h>

enum { STATE_ANSWER, STATE_HEADER, STATE_SIZED, STATE_MARKED, STATE_GARBAGE };

void
psync_bulk_init(struct psync_bulk *p)
{
    memset(p, 0, sizeof(*p));
    p->state = STATE_ANSWER;
}

bool
psync_bulk_has_begun(const struct psync_bulk *p)
{
    return p->state == STATE_SIZED || p->state == STATE_MARKED;
}

bool
psync_bulk_is_whole(const struct psync_bulk *p)
{
    if (p->state == STATE_SIZED)
        return p->given == p->size;
    return p->state == STATE_MARKED && p->held_len == PSYNC_MARK_LEN && memcmp(p->held, p->mark, PSYNC_MARK_LEN) == 0;
}

/* ---- lines ------------------------------------------------------------------------------------------------------ */

/* Decimal digits and nothing else, up to 2^62. */
static bool
parse_number(const char *text, uint64_t *out)
{
    uint64_t n = 0;

    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9' || n > (UINT64_C(1) << 62) / 10 - 1)
            return false;
        n = n * 10 + (uint64_t)(*text - '0');
    }
    *out = n;
    return true;
}

static bool
is_hex(const char *text, size_t len)
{
    return strspn(text, "0123456789abcdefABCDEF") >= len;
}

/* "+FULLRESYNC <40 hex digits> <offset>" */
static enum psync_token
take_answer(struct psync_bulk *p)
{
    static const char full[] = "+FULLRESYNC ";
    const char *id = p->line + sizeof(full) - 1;

    if (strncmp(p->line, full, sizeof(full) - 1) == 0 && is_hex(id, PSYNC_ID_LEN) && id[PSYNC_ID_LEN] == ' ' &&
        parse_number(id + PSYNC_ID_LEN + 1, &p->repl_offset)) {
        memcpy(p->repl_id, id, PSYNC_ID_LEN);
        p->state = STATE_HEADER;
        return PSYNC_FULL;
    }
    return strncmp(p->line, "+CONTINUE", 9) == 0 ? PSYNC_CONTINUED : PSYNC_GARBAGE;
}

/* "$<length>" or "$EOF:<mark>" */
static enum psync_token
take_header(struct psync_bulk *p)
{
    static const char eof[] = "$EOF:";

    if (strncmp(p->line, eof, sizeof(eof) - 1) == 0 && p->line_len == sizeof(eof) - 1 + PSYNC_MARK_LEN) {
        memcpy(p->mark, p->line + sizeof(eof) - 1, PSYNC_MARK_LEN);
        p->has_mark = true;
        p->state = STATE_MARKED;
        return PSYNC_BEGUN;
    }
    if (p->line[0] != '$' || !parse_number(p->line + 1, &p->size))
        return PSYNC_GARBAGE;
    p->state = STATE_SIZED;
    return PSYNC_BEGUN;
}

static enum psync_token
take_line(struct psync_bulk *p)
{
    enum psync_token token;

    if (p->line_len > 0 && p->line[p->line_len - 1] == '\r')
        p->line_len--;
    p->line[p->line_len] = '\0';
    if (p->line_len == 0)
        return PSYNC_KEEPALIVE;
    if (p->line[0] == '-') {
        memmove(p->line, p->line + 1, p->line_len);
        token = PSYNC_REFUSED;
    } else {
        token = p->state == STATE_ANSWER ? take_answer(p) : take_header(p);
    }
    p->line_len = 0;
    return token;
}

static enum psync_token
next_in_line(struct psync_bulk *p, struct psync_span *in)
{
    const uint8_t *newline = memchr(in->data, '\n', in->len);
    size_t len = newline != NULL ? (size_t)(newline - in->data) : in->len;
    enum psync_token token;

    if (len > PSYNC_LINE_MAX - p->line_len)
        len = PSYNC_LINE_MAX - p->line_len;
    memcpy(p->line + p->line_len, in->data, len);
    p->line_len += len;
    in->data += len;
    in->len -= len;
    p->line[p->line_len] = '\0';
    if (in->len == 0 && p->line_len < PSYNC_LINE_MAX)
        return PSYNC_NEED_MORE;
    if (p->line_len == PSYNC_LINE_MAX) {
        p->state = STATE_GARBAGE;
        return PSYNC_GARBAGE;
    }
    in->data++; /* the newline */
    in->len--;
    token = take_line(p);
    if (token == PSYNC_GARBAGE || token == PSYNC_CONTINUED)
        p->state = STATE_GARBAGE;
    return token;
}

/* ---- the dump --------------------------------------------------------------------------------------------------- */

static enum psync_token
give(struct psync_bulk *p, struct psync_span *out, const uint8_t *data, size_t len)
{
    *out = (struct psync_span){data, len};
    p->given += len;
    return PSYNC_DATA;
}

static enum psync_token
next_sized(struct psync_bulk *p, struct psync_span *in, struct psync_span *out)
{
    uint64_t left = p->size - p->given;
    size_t len = in->len < left ? in->len : (size_t)left;
    const uint8_t *data = in->data;

    if (left == 0)
        return PSYNC_END;
    if (len == 0)
        return PSYNC_NEED_MORE;
    in->data += len;
    in->len -= len;
    return give(p, out, data, len);
}

/* All but the last 40 bytes of what is held and IN together can be given out: the held ones first. */
static enum psync_token
next_marked(struct psync_bulk *p, struct psync_span *in, struct psync_span *out)
{
    size_t total = p->held_len + in->len, release = total > PSYNC_MARK_LEN ? total - PSYNC_MARK_LEN : 0;
    const uint8_t *data = in->data;

    if (release > 0 && p->held_len > 0) {
        size_t len = release < p->held_len ? release : p->held_len;

        memcpy(p->released, p->held, len);
        p->held_len -= len;
        memmove(p->held, p->held + len, p->held_len);
        return give(p, out, p->released, len);
    }
    if (release > 0) {
        in->data += release;
        in->len -= release;
        return give(p, out, data, release);
    }
    if (in->len > 0)
        memcpy(p->held + p->held_len, data, in->len);
    p->held_len = total;
    in->data += in->len;
    in->len = 0;
    return PSYNC_NEED_MORE;
}

enum psync_token
psync_bulk_next(struct psync_bulk *p, struct psync_span *in, struct psync_span *out)
{
    switch (p->state) {
    case STATE_SIZED:
        return next_sized(p, in, out);
    case STATE_MARKED:
        return next_marked(p, in, out);
    case STATE_GARBAGE:
        return PSYNC_GARBAGE;
    default:
        return in->len == 0 ? PSYNC_NEED_MORE : next_in_line(p, in);
    }
}
