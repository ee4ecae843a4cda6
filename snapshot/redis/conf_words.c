/* SPDX-License-Identifier: Apache-2.0 */
/* conf_words.c: see conf_words.h. */
#include "snapshot/redis/conf_words.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/units.h"

/* What is still to be read, and where the words go: never more bytes than were read, plus a NUL a word. */
struct splitter {
    const char *at, *end;
    char *to;
};

/* isspace() of the C locale, which is what servers run in. */
static bool
is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* What ends a word that is not quoted: less than what may stand before one. */
static bool
ends_word(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* What stands for itself in double quotes behind a backslash, but for these. */
static char
unescape(char c)
{
    static const char from[] = "nrtba", to[] = "\n\r\t\b\a";
    const char *p = memchr(from, c, sizeof(from) - 1);

    return p != NULL ? to[p - from] : c;
}

/* One character behind a backslash in double quotes. */
static void
take_escaped(struct splitter *s)
{
    if (s->end - s->at >= 4 && s->at[1] == 'x' && units_unhex(s->at + 2, 1, s->to) == 0) {
        s->at += 4;
    } else {
        *s->to = unescape(s->at[1]);
        s->at += 2;
    }
    s->to++;
}

/* The rest of a word, from its opening quote on. */
static int
take_quoted(struct splitter *s)
{
    const char quote = *s->at++;

    while (s->at < s->end && *s->at != quote) {
        bool has_next = s->end - s->at >= 2;

        if (quote == '"' && *s->at == '\\' && has_next) {
            take_escaped(s);
        } else {
            if (quote == '\'' && *s->at == '\\' && has_next && s->at[1] == '\'')
                s->at++;
            *s->to++ = *s->at++;
        }
    }
    if (s->at == s->end)
        return -1;
    s->at++;
    return s->at == s->end || is_space(*s->at) ? 0 : -1;
}

static int
take_word(struct splitter *s)
{
    while (s->at < s->end && !ends_word(*s->at)) {
        if (*s->at == '"' || *s->at == '\'')
            return take_quoted(s);
        *s->to++ = *s->at++;
    }
    return 0;
}

int
conf_words_split(const char *line, size_t len, struct conf_words *out)
{
    struct splitter s = {.at = line, .end = line + len};
    size_t allocated = 0;

    memset(out, 0, sizeof(*out));
    s.to = out->room = mem_new(len + 1);
    for (;;) {
        char *word = s.to;

        while (s.at < s.end && is_space(*s.at))
            s.at++;
        if (s.at == s.end)
            return 0;
        if (take_word(&s) < 0) {
            conf_words_fini(out);
            return -1;
        }
        out->has_nul |= memchr(word, '\0', (size_t)(s.to - word)) != NULL;
        *s.to++ = '\0';
        if (out->count == allocated) {
            allocated = allocated > 0 ? 2 * allocated : 8;
            out->items = mem_grow(out->items, allocated, sizeof(*out->items));
        }
        out->items[out->count++] = word;
    }
}

/* Stands for itself in a word without quotes. */
static bool
is_plain(unsigned char c)
{
    return c > ' ' && c != 127 && c != '"' && c != '\'';
}

static int
append_quoted(struct buf *out, unsigned char c, struct err *err)
{
    if (c == '"' || c == '\\')
        return buf_printf(out, err, "\\%c", c);
    if (c < ' ' || c == 127)
        return buf_printf(out, err, "\\x%02x", (unsigned)c);
    return buf_append(out, &c, 1, err);
}

int
conf_words_append(struct buf *out, const char *word, size_t len, struct err *err)
{
    size_t plain = 0;

    while (plain < len && is_plain((unsigned char)word[plain]))
        plain++;
    if (len > 0 && plain == len)
        return buf_append(out, word, len, err);
    if (buf_append(out, "\"", 1, err) < 0)
        return -1;
    for (size_t i = 0; i < len; i++) {
        if (append_quoted(out, (unsigned char)word[i], err) < 0)
            return -1;
    }
    return buf_append(out, "\"", 1, err);
}

void
conf_words_fini(struct conf_words *w)
{
    free(w->items);
    free(w->room);
    memset(w, 0, sizeof(*w));
}
