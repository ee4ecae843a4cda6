/* SPDX-License-Identifier: Apache-2.0 */
/* key_name.c: see key_name.h. */
#include "agent/key_name.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define ESCAPED_MAX 4 /* characters that a byte may become */

/* One byte as text, behind OUT; how many characters that took. */
static size_t
escape(uint8_t byte, bool is_shown, char *out)
{
    if (is_shown && byte != '\\') {
        *out = (char)byte;
        return 1;
    }
    if (byte == '\\')
        return (size_t)snprintf(out, ESCAPED_MAX + 1, "\\\\");
    return (size_t)snprintf(out, ESCAPED_MAX + 1, "\\x%02x", byte);
}

char *
key_name_text(const uint8_t *name, size_t len, bool is_cut, size_t columns)
{
    char *text = mem_new(columns + ESCAPED_MAX + 1);
    size_t used = 0, fits = 0; /* FITS: as much of it as leaves room for the dots */
    size_t i = 0;

    for (; i < len && used <= columns; i++) {
        used += escape(name[i], name[i] >= ' ' && name[i] <= '~', text + used);
        if (used + 3 <= columns)
            fits = used;
    }
    if (used > columns || is_cut)
        used = fits + (size_t)snprintf(text + fits, 4, "...");
    text[used] = '\0';
    return text;
}

/* How many bytes the UTF-8 character at P has; 0: it is none (RFC 3629: no surrogates, nothing longer than needed). */
static size_t
utf8_len(const uint8_t *p, size_t room)
{
    static const struct {
        uint8_t first, last, second_min, second_max, len;
    } forms[] = {
        {0x00, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    size_t form = 0;

    while (form < ARRAY_LEN(forms) && (p[0] < forms[form].first || p[0] > forms[form].last))
        form++;
    if (form == ARRAY_LEN(forms) || forms[form].len > room)
        return 0;
    if (forms[form].len > 1 && (p[1] < forms[form].second_min || p[1] > forms[form].second_max))
        return 0;
    for (size_t i = 2; i < forms[form].len; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    return forms[form].len;
}

json_t *
key_name_json(const uint8_t *name, size_t len)
{
    char *text = mem_new(ESCAPED_MAX * len + 1);
    size_t used = 0;
    json_t *value;

    for (size_t at = 0; at < len;) {
        size_t n = utf8_len(name + at, len - at);

        if (n > 1) {
            memcpy(text + used, name + at, n);
            used += n;
            at += n;
        } else {
            used += escape(name[at++], n == 1, text + used);
        }
    }
    value = json_stringn(text, used);
    REQUIRE(value != NULL);
    free(text);
    return value;
}
