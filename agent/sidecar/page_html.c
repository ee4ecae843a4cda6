/* SPDX-License-Identifier: Apache-2.0 */
/* page_html.c: see page_html.h. */
#include "agent/sidecar/page_html.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define REPLACEMENT "\xef\xbf\xbd"

void
html_raw(struct html *h, const char *markup, size_t len)
{
    struct err err = ERR_INIT;

    if (!h->full && buf_append(h->out, markup, len, &err) < 0)
        h->full = true;
}

static void
put_literal(struct html *h, const char *text)
{
    html_raw(h, text, strlen(text));
}

/* The length of the character at S as UTF-8: 0 where there is none, or one that XML and HTML do not allow. */
static size_t
character_len(const unsigned char *s)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t len = s[0] < 0x80             ? 1
                 : (s[0] & 0xe0) == 0xc0 ? 2
                 : (s[0] & 0xf0) == 0xe0 ? 3
                 : (s[0] & 0xf8) == 0xf0 ? 4
                                         : 0;
    uint32_t value;

    if (len == 0)
        return 0;
    if (len == 1)
        return s[0] >= 0x20 && s[0] != 0x7f ? 1 : 0;
    value = s[0] & (0x7fU >> len);
    for (size_t i = 1; i < len; i++) {
        if ((s[i] & 0xc0) != 0x80) /* also the NUL at the end */
            return 0;
        value = value << 6 | (s[i] & 0x3fU);
    }
    if (value < least[len] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff) || value < 0xa0 ||
        (value & 0xfffe) == 0xfffe)
        return 0;
    return len;
}

/* What stands for one of these in text and in attributes; NULL: itself. */
static const char *
entity(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    case '\t':
    case '\n':
    case '\r':
        return " ";
    default:
        return NULL;
    }
}

static void
put_text(struct html *h, const char *text)
{
    while (*text != '\0') {
        const char *instead = entity(*text);
        size_t len = instead != NULL ? 1 : character_len((const unsigned char *)text);

        if (len == 0) {
            instead = REPLACEMENT;
            len = 1;
        }
        html_raw(h, instead != NULL ? instead : text, instead != NULL ? strlen(instead) : len);
        text += len;
    }
}

void
html_put(struct html *h, const char *format, ...)
{
    char number[64];
    va_list ap;

    va_start(ap, format);
    while (*format != '\0') {
        size_t len = strcspn(format, "%");

        html_raw(h, format, len);
        format += len;
        if (*format == '\0')
            break;
        format++;
        if (*format == 's') {
            put_text(h, va_arg(ap, const char *));
            format += 1;
        } else if (*format == 'd') {
            (void)snprintf(number, sizeof(number), "%d", va_arg(ap, int));
            put_literal(h, number);
            format += 1;
        } else if (strncmp(format, "zu", 2) == 0) {
            (void)snprintf(number, sizeof(number), "%zu", va_arg(ap, size_t));
            put_literal(h, number);
            format += 2;
        } else if (strncmp(format, ".1f", 3) == 0) {
            (void)snprintf(number, sizeof(number), "%.1f", va_arg(ap, double));
            put_literal(h, number);
            format += 3;
        } else {
            REQUIRE(*format == '%');
            put_literal(h, "%");
            format += 1;
        }
    }
    va_end(ap);
}
