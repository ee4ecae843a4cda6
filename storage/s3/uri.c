/* SPDX-License-Identifier: Apache-2.0 */
/* uri.c: see uri.h. */
#include "storage/s3/uri.h"

#include <string.h>

#include "base/units.h"

#define PAIRS_MAX 16

static bool
is_unreserved(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.' || c == '~';
}

int
uri_encode(struct buf *out, const char *text, bool keep_slash, struct err *err)
{
    for (; *text != '\0'; text++) {
        char escape[] = {'%', "0123456789ABCDEF"[(unsigned char)*text >> 4], "0123456789ABCDEF"[*text & 0x0f]};
        bool plain = is_unreserved(*text) || (keep_slash && *text == '/');

        if (buf_append(out, plain ? text : escape, plain ? 1 : sizeof(escape), err) < 0)
            return -1;
    }
    return 0;
}

int
uri_decode(char *text)
{
    char *to = text;

    for (const char *from = text; *from != '\0'; from++, to++) {
        if (*from == '%') {
            if (from[1] == '\0' || from[2] == '\0' || units_unhex(from + 1, 1, to) < 0 || *to == '\0')
                return -1;
            from += 2;
        } else {
            *to = *from == '+' ? ' ' : *from;
        }
    }
    *to = '\0';
    return 0;
}

int
uri_query(struct buf *out, const struct uri_pair *pairs, size_t count, struct err *err)
{
    const struct uri_pair *sorted[PAIRS_MAX];

    REQUIRE(count <= PAIRS_MAX);
    for (size_t i = 0; i < count; i++) {
        size_t at = i;

        for (; at > 0 && strcmp(pairs[i].name, sorted[at - 1]->name) < 0; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = &pairs[i];
    }
    for (size_t i = 0; i < count; i++) {
        if ((i > 0 && buf_append(out, "&", 1, err) < 0) || uri_encode(out, sorted[i]->name, false, err) < 0 ||
            buf_append(out, "=", 1, err) < 0 || uri_encode(out, sorted[i]->value, false, err) < 0)
            return -1;
    }
    return 0;
}
