/* SPDX-License-Identifier: Apache-2.0 */
/* xml.c: see xml.h. A machine with one state for each place between two bytes; each byte is looked at once. */
#include "storage/s3/xml.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum state {
    IN_TEXT,       /* between tags, outside the root too */
    IN_ENTITY,     /* behind & */
    AFTER_LESS,    /* behind < */
    IN_OPEN_NAME,  /* <name */
    IN_ATTRIBUTES, /* behind the name, outside quotes */
    IN_QUOTES,     /* of an attribute */
    AFTER_SLASH,   /* <name/ */
    IN_CLOSE_NAME, /* </name */
    IN_PI,         /* <? until ?> */
    AFTER_BANG,    /* <! : a comment or CDATA, by what follows */
    IN_COMMENT,    /* until --> */
    IN_CDATA,      /* until ]]> */
};

struct xml {
    xml_fn *fn;
    void *cookie;
    enum state state;
    unsigned depth;
    size_t starts[XML_DEPTH_MAX]; /* where the name of each open element begins in path */
    char path[XML_DEPTH_MAX * (XML_NAME_MAX + 1) + 1];
    size_t path_len;
    char text[XML_TEXT_MAX + 1]; /* of the innermost element, since its last child */
    size_t text_len;
    char word[XML_NAME_MAX + 1]; /* a name, an entity, or what follows <! */
    size_t word_len;
    char quote;
    unsigned matched; /* of the end mark that is looked for */
    bool seen_root;
};

struct xml *
xml_new(xml_fn *fn, void *cookie)
{
    struct xml *x = mem_new(sizeof(*x));

    x->fn = fn;
    x->cookie = cookie;
    return x;
}

void
xml_free(struct xml *x)
{
    if (x != NULL)
        mem_wipe(x, sizeof(*x)); /* the text may have been a secret */
    free(x);
}

static int
bad(struct err *err, const char *what)
{
    return err_set(err, ERR_CORRUPT, "the store's answer is no proper XML: %s", what);
}

static bool
is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static int
add_text(struct xml *x, char c, struct err *err)
{
    if (x->depth == 0)
        return is_space(c) || (unsigned char)c >= 0x80 ? 0 : bad(err, "text outside the root element");
    if (c == '\0')
        return bad(err, "a NUL");
    if (x->text_len == XML_TEXT_MAX)
        return bad(err, "too long a text in one element");
    x->text[x->text_len++] = c;
    return 0;
}

static int
add_word(struct xml *x, char c, struct err *err)
{
    if (c == '\0' || x->word_len == XML_NAME_MAX)
        return bad(err, "a name, or an entity, that is too long");
    x->word[x->word_len++] = c;
    x->word[x->word_len] = '\0';
    return 0;
}

static void
begin_word(struct xml *x, enum state state)
{
    x->word_len = 0;
    x->word[0] = '\0';
    x->matched = 0;
    x->state = state;
}

/* ---- elements ---- */

/* The name without its prefix. */
static const char *
local_name(const struct xml *x)
{
    const char *colon = strrchr(x->word, ':');

    return colon != NULL ? colon + 1 : x->word;
}

static int
open_element(struct xml *x, struct err *err)
{
    const char *name = local_name(x);
    size_t len = strlen(name);

    if (len == 0)
        return bad(err, "an element without a name");
    if (x->depth == XML_DEPTH_MAX)
        return bad(err, "elements nested too deep");
    if (x->depth == 0 && x->seen_root)
        return bad(err, "a second root element");
    x->seen_root = true;
    if (x->depth > 0)
        x->path[x->path_len++] = '/';
    x->starts[x->depth++] = x->path_len;
    memcpy(x->path + x->path_len, name, len + 1);
    x->path_len += len;
    x->text_len = 0;
    x->state = IN_ATTRIBUTES;
    return 0;
}

static int
close_element(struct xml *x, struct err *err)
{
    size_t start;

    x->text[x->text_len] = '\0';
    if (x->fn(x->path, x->text, x->cookie, err) < 0)
        return -1;
    start = x->starts[--x->depth];
    x->path_len = start > 0 ? start - 1 : 0;
    x->path[x->path_len] = '\0';
    x->text_len = 0;
    x->state = IN_TEXT;
    return 0;
}

static int
close_by_name(struct xml *x, struct err *err)
{
    while (x->word_len > 0 && is_space(x->word[x->word_len - 1]))
        x->word[--x->word_len] = '\0';
    if (x->depth == 0 || strcmp(x->path + x->starts[x->depth - 1], local_name(x)) != 0)
        return bad(err, "an end tag without its start tag");
    return close_element(x, err);
}

/* ---- entities ---- */

static int
add_code_point(struct xml *x, unsigned long code, struct err *err)
{
    char utf8[4];
    size_t len = 0;

    if (code == 0 || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
        return bad(err, "a character that does not exist");
    if (code < 0x80) {
        utf8[len++] = (char)code;
    } else if (code < 0x800) {
        utf8[len++] = (char)(0xc0 | code >> 6);
        utf8[len++] = (char)(0x80 | (code & 0x3f));
    } else if (code < 0x10000) {
        utf8[len++] = (char)(0xe0 | code >> 12);
        utf8[len++] = (char)(0x80 | (code >> 6 & 0x3f));
        utf8[len++] = (char)(0x80 | (code & 0x3f));
    } else {
        utf8[len++] = (char)(0xf0 | code >> 18);
        utf8[len++] = (char)(0x80 | (code >> 12 & 0x3f));
        utf8[len++] = (char)(0x80 | (code >> 6 & 0x3f));
        utf8[len++] = (char)(0x80 | (code & 0x3f));
    }
    for (size_t i = 0; i < len; i++) {
        if (add_text(x, utf8[i], err) < 0)
            return -1;
    }
    return 0;
}

static int
end_entity(struct xml *x, struct err *err)
{
    static const struct {
        const char *name;
        char c;
    } known[] = {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}};
    bool hex = x->word[0] == '#' && x->word[1] == 'x';
    const char *digits = x->word + (hex ? 2 : 1);

    x->state = IN_TEXT;
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (strcmp(x->word, known[i].name) == 0)
            return add_text(x, known[i].c, err);
    }
    if (x->word[0] != '#' || *digits == '\0' || strlen(digits) > 8 ||
        strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789") != strlen(digits))
        return bad(err, "an entity that is not known");
    return add_code_point(x, strtoul(digits, NULL, hex ? 16 : 10), err);
}

/* ---- one byte in each state ---- */

static int
step_after_less(struct xml *x, char c, struct err *err)
{
    if (c == '/' || c == '?' || c == '!') {
        begin_word(x, c == '/' ? IN_CLOSE_NAME : c == '?' ? IN_PI : AFTER_BANG);
        return 0;
    }
    begin_word(x, IN_OPEN_NAME);
    return is_space(c) || c == '>' ? bad(err, "a tag without a name") : add_word(x, c, err);
}

static int
step_open_name(struct xml *x, char c, struct err *err)
{
    if (c != '>' && c != '/' && !is_space(c))
        return add_word(x, c, err);
    if (open_element(x, err) < 0)
        return -1;
    if (c == '>')
        x->state = IN_TEXT;
    else if (c == '/')
        x->state = AFTER_SLASH;
    return 0;
}

static int
step_attributes(struct xml *x, char c, struct err *err)
{
    if (c == '<')
        return bad(err, "a tag inside a tag");
    if (c == '"' || c == '\'') {
        x->quote = c;
        x->state = IN_QUOTES;
    } else if (c == '>') {
        x->state = IN_TEXT;
    } else if (c == '/') {
        x->state = AFTER_SLASH;
    }
    return 0;
}

static int
step_after_bang(struct xml *x, char c, struct err *err)
{
    if (add_word(x, c, err) < 0)
        return -1;
    if (strcmp(x->word, "--") == 0)
        begin_word(x, IN_COMMENT);
    else if (strcmp(x->word, "[CDATA[") == 0)
        begin_word(x, IN_CDATA);
    else if (strncmp("--", x->word, x->word_len) != 0 && strncmp("[CDATA[", x->word, x->word_len) != 0)
        return bad(err, "a document type, which is not read");
    return 0;
}

/* Look for MARK ("-->", "?>", "]]>"): true at its end. What was taken for its beginning and was not goes to the text,
 * where WITH_TEXT. */
static int
step_until(struct xml *x, char c, const char *mark, bool with_text, struct err *err)
{
    size_t len = strlen(mark);

    if (c == mark[x->matched]) {
        if (++x->matched == len)
            x->state = IN_TEXT;
        return 0;
    }
    /* In all three marks the bytes before the last are alike: one more of them moves the mark on by one. */
    if (x->matched == len - 1 && c == mark[0])
        return with_text ? add_text(x, c, err) : 0;
    for (; with_text && x->matched > 0; x->matched--) {
        if (add_text(x, mark[0], err) < 0)
            return -1;
    }
    x->matched = c == mark[0] ? 1 : 0;
    return with_text && x->matched == 0 ? add_text(x, c, err) : 0;
}

static int
step(struct xml *x, char c, struct err *err)
{
    switch (x->state) {
    case IN_TEXT:
        if (c == '<')
            x->state = AFTER_LESS;
        else if (c == '&')
            begin_word(x, IN_ENTITY);
        else
            return add_text(x, c, err);
        return 0;
    case IN_ENTITY:
        return c == ';' ? end_entity(x, err) : add_word(x, c, err);
    case AFTER_LESS:
        return step_after_less(x, c, err);
    case IN_OPEN_NAME:
        return step_open_name(x, c, err);
    case IN_ATTRIBUTES:
        return step_attributes(x, c, err);
    case IN_QUOTES:
        x->state = c == x->quote ? IN_ATTRIBUTES : IN_QUOTES;
        return 0;
    case AFTER_SLASH:
        return c == '>' ? close_element(x, err) : bad(err, "a slash inside a tag");
    case IN_CLOSE_NAME:
        return c == '>' ? close_by_name(x, err) : add_word(x, c, err);
    case IN_PI:
        return step_until(x, c, "?>", false, err);
    case AFTER_BANG:
        return step_after_bang(x, c, err);
    case IN_COMMENT:
        return step_until(x, c, "-->", false, err);
    case IN_CDATA:
        return step_until(x, c, "]]>", true, err);
    }
    REQUIRE(false);
    return -1;
}

int
xml_feed(struct xml *x, const void *data, size_t len, struct err *err)
{
    const char *p = data;

    for (size_t i = 0; i < len; i++) {
        if (step(x, p[i], err) < 0)
            return -1;
    }
    return 0;
}

int
xml_finish(const struct xml *x, struct err *err)
{
    if (!x->seen_root || x->depth > 0 || x->state != IN_TEXT)
        return bad(err, x->seen_root ? "it ends too early" : "it has no root element");
    return 0;
}
