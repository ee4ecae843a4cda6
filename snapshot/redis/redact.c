/* SPDX-License-Identifier: Apache-2.0 */
/* redact.c: see redact.h. Line by line; in doubt a word is a secret. */
#include "snapshot/redis/redact.h"

#include <string.h>
#include <strings.h>

#include "snapshot/redis/conf_words.h"

/* A word with a quote that nothing closes: no server of any version reads such a line. */
#define OPEN_QUOTE "\"" REDACT_MARK
/* No rule of an ACL, and no blank in it: in an ACL file quotes are nothing special. */
#define NO_RULE REDACT_MARK ":put->password-or-#sha256-here"

struct redactor {
    struct buf *out;
    size_t secrets;
    bool in_key;        /* between the first and the last line of a private key */
    bool value_follows; /* the line before was a command-line option that is a secret's */
};

/* A line in its parts. */
struct line {
    const char *text; /* all of it, with its end */
    size_t len;
    const char *lead; /* blanks, and the "#" of a comment */
    size_t lead_len;
    const char *body;
    size_t body_len;
    const char *end; /* "\n", "\r\n" or nothing */
    size_t end_len;
    bool is_comment;
};

#define BLANKS " \t\r\v\f"

static struct line
take_apart(const char *text, size_t len)
{
    struct line l = {.text = text, .len = len, .lead = text, .body = text, .body_len = len};

    while (l.body_len > 0 && strchr("\r\n", text[l.body_len - 1]) != NULL)
        l.body_len--;
    l.end = text + l.body_len;
    l.end_len = len - l.body_len;
    while (l.body_len > 0 && (strchr(BLANKS, *l.body) != NULL || *l.body == '#')) {
        l.is_comment |= *l.body == '#';
        l.body++;
        l.body_len--;
    }
    l.lead_len = (size_t)(l.body - text);
    return l;
}

static int
put(struct redactor *r, const char *text, struct err *err)
{
    return buf_append(r->out, text, strlen(text), err);
}

static int
put_whole(struct redactor *r, const struct line *l, struct err *err)
{
    return buf_append(r->out, l->text, l->len, err);
}

/* ---- what is a secret -------------------------------------------------------------------------------------------- */

/* `name=value`, `name: value`. */
#define SEPARATORS ":="

/* The value that is in the same word as its name; empty when there is none. */
static char *
value_within(char *word)
{
    char *at = word + strcspn(word, SEPARATORS);

    return *at != '\0' ? at + 1 : at;
}

/* Does the name in WORD end so? */
static bool
ends_with(const char *word, const char *end)
{
    size_t len = strcspn(word, SEPARATORS), end_len = strlen(end);

    return len >= end_len && strncasecmp(word + len - end_len, end, end_len) == 0;
}

static bool
names_secret(const char *directive)
{
    static const char *const ends[] = {"pass", "password", "passwd", "auth", "secret", "token", "key"};

    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        if (ends_with(directive, ends[i]))
            return true;
    }
    return false;
}

/* How many words of a directive may be told; 0: all of them. */
static size_t
words_to_keep(const struct conf_words *w)
{
    size_t keep = 0;

    if (strcasecmp(w->items[0], "sentinel") == 0 && w->count > 1 && names_secret(w->items[1]))
        keep = strcasecmp(w->items[1], "auth-pass") == 0 && w->count > 3 ? 3 : 2;
    else if (strcasecmp(w->items[0], "loadmodule") == 0)
        keep = 2;
    else if (names_secret(w->items[0]))
        keep = 1;
    if (keep == 1 && *value_within(w->items[0]) != '\0')
        return keep;
    for (size_t i = keep; keep > 0 && i < w->count; i++) {
        if (w->items[i][0] != '\0' || w->has_nul)
            return keep;
    }
    return 0;
}

/* Passwords, and their hashes, given to or taken from a user. With blanks in it a word may hold several rules. */
static bool
is_secret_rule(const char *word)
{
    for (size_t i = 0; word[i] != '\0'; i++) {
        if (strchr("><#!", word[i]) != NULL && (i == 0 || strchr(" \t\r\n\"'(", word[i - 1]) != NULL))
            return true;
    }
    return false;
}

static bool
is_option(const char *word)
{
    return word[0] == '-' && word[1] == '-' && word[2] != '\0';
}

/* ---- lines ------------------------------------------------------------------------------------------------------- */

static int
put_words(struct redactor *r, const struct conf_words *w, size_t count, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        if ((i > 0 && put(r, " ", err) < 0) || conf_words_append(r->out, w->items[i], strlen(w->items[i]), err) < 0)
            return -1;
    }
    return 0;
}

static int
begin_secret(struct redactor *r, const struct line *l, struct err *err)
{
    r->secrets++;
    return buf_append(r->out, l->lead, l->lead_len, err);
}

static int
end_line(struct redactor *r, const struct line *l, struct err *err)
{
    return buf_append(r->out, l->end, l->end_len, err);
}

/* A directive whose first KEEP words may be told. */
static int
put_directive(struct redactor *r, const struct line *l, const struct conf_words *w, size_t keep, struct err *err)
{
    if (!l->is_comment &&
        put(r,
            "# remora left a secret out of the next line: put the value in place of what begins with the quote. No "
            "server starts with the line as it is.\n",
            err) < 0)
        return -1;
    if (keep == 1)
        *value_within(w->items[0]) = '\0';
    if (begin_secret(r, l, err) < 0 || put_words(r, w, keep, err) < 0 || put(r, " " OPEN_QUOTE, err) < 0)
        return -1;
    return end_line(r, l, err);
}

/* `user NAME RULE...`: each rule that is a secret. */
static int
put_user(struct redactor *r, const struct line *l, const struct conf_words *w, struct err *err)
{
    if (begin_secret(r, l, err) < 0)
        return -1;
    for (size_t i = 0; i < w->count; i++) {
        bool secret = i > 1 && is_secret_rule(w->items[i]);

        if (i > 0 && put(r, " ", err) < 0)
            return -1;
        if ((secret ? put(r, NO_RULE, err) : conf_words_append(r->out, w->items[i], strlen(w->items[i]), err)) < 0)
            return -1;
    }
    return end_line(r, l, err);
}

static bool
is_secret_option(const char *word)
{
    return is_option(word) && names_secret(word);
}

static int
put_option_word(struct redactor *r, char *word, bool is_value, struct err *err)
{
    bool has_value = is_secret_option(word) && *value_within(word) != '\0';

    if (has_value)
        *value_within(word) = '\0';
    if ((has_value || !is_value) && conf_words_append(r->out, word, strlen(word), err) < 0)
        return -1;
    return has_value || is_value ? put(r, REDACT_MARK, err) : 0;
}

/* `--requirepass secret --port 6379`: an option's words up to the next one are its value. One that ends its line takes
 * its value from the next. */
static int
take_options(struct redactor *r, const struct line *l, const struct conf_words *w, struct err *err)
{
    bool is_value = false, any = false;

    for (size_t i = 0; i < w->count; i++) {
        is_value = is_option(w->items[i]) ? names_secret(w->items[i]) : is_value;
        any |= is_value && (!is_option(w->items[i]) || *value_within(w->items[i]) != '\0');
    }
    r->value_follows = is_value && is_option(w->items[0]) && is_option(w->items[w->count - 1]) &&
                       *value_within(w->items[w->count - 1]) == '\0';
    if (!any)
        return put_whole(r, l, err);
    if (begin_secret(r, l, err) < 0)
        return -1;
    for (size_t i = 0; i < w->count; i++) {
        bool option = is_option(w->items[i]);

        is_value = option ? names_secret(w->items[i]) : is_value;
        if ((i > 0 && put(r, " ", err) < 0) || put_option_word(r, w->items[i], is_value && !option, err) < 0)
            return -1;
    }
    return end_line(r, l, err);
}

/* Is a comment with this word at its beginning a directive that was put aside? */
static bool
begins_directive(const char *word)
{
    return strcasecmp(word, "user") == 0 || strcasecmp(word, "sentinel") == 0 || strcasecmp(word, "loadmodule") == 0 ||
           names_secret(word) || is_option(word);
}

/* The first word of a line whose quotes are not balanced; what follows cannot be judged. In an ACL file such a line may
 * be in use, since quotes are nothing special there: NO_RULE keeps a server from taking what comes out. Prose in
 * comments is let be. */
static int
take_unbalanced(struct redactor *r, const struct line *l, struct err *err)
{
    size_t len = 0;
    char first[64];

    while (len < l->body_len && strchr("\"'" SEPARATORS BLANKS, l->body[len]) == NULL)
        len++;
    (void)snprintf(first, sizeof(first), "%.*s", (int)(len < sizeof(first) ? len : sizeof(first) - 1), l->body);
    if (l->is_comment && !begins_directive(first))
        return put_whole(r, l, err);
    if (begin_secret(r, l, err) < 0 || put(r, first, err) < 0 || put(r, " " OPEN_QUOTE " " NO_RULE, err) < 0)
        return -1;
    return end_line(r, l, err);
}

/* Quotes are nothing special in an ACL file: `user 'a on >secret b'` has rules in what is one word for us, and what
 * follows a NUL in its word is not seen. */
static int
take_user(struct redactor *r, const struct line *l, const struct conf_words *w, struct err *err)
{
    if (w->has_nul || (w->count > 1 && strpbrk(w->items[1], BLANKS "\n") != NULL))
        return take_unbalanced(r, l, err);
    for (size_t i = 2; i < w->count; i++) {
        if (is_secret_rule(w->items[i]))
            return put_user(r, l, w, err);
    }
    return put_whole(r, l, err);
}

static int
take_words(struct redactor *r, const struct line *l, const struct conf_words *w, struct err *err)
{
    size_t keep;

    if (w->count == 0)
        return put_whole(r, l, err);
    if (is_option(w->items[0]))
        return take_options(r, l, w, err);
    if (strcasecmp(w->items[0], "user") == 0)
        return take_user(r, l, w, err);
    keep = words_to_keep(w);
    if (keep > 0)
        return put_directive(r, l, w, keep, err);
    for (size_t i = 1; i < w->count; i++) {
        if (is_secret_option(w->items[i]))
            return take_options(r, l, w, err);
    }
    return put_whole(r, l, err);
}

/* ---- private keys ------------------------------------------------------------------------------------------------ */

/* Where the last MARK in the line ends; NULL: there is none. */
static const char *
last_mark(const struct line *l, const char *mark)
{
    const char *at = l->body, *found = NULL;

    while ((at = memmem(at, (size_t)(l->body + l->body_len - at), mark, strlen(mark))) != NULL)
        found = at += strlen(mark);
    return found;
}

/* Nothing but "-----BEGIN WORDS-----", MARK being its beginning: its words are in capitals. */
static bool
is_mark_alone(const struct line *l, const char *mark)
{
    const char *at = l->body + strlen(mark), *end = l->body + l->body_len;

    while (end > l->body && strchr(BLANKS, end[-1]) != NULL)
        end--;
    if (last_mark(l, mark) != at)
        return false;
    while (at < end && (*at == ' ' || (*at >= 'A' && *at <= 'Z')))
        at++;
    return end - at == 5 && memcmp(at, "-----", 5) == 0;
}

static int
put_mark_line(struct redactor *r, const struct line *l, struct err *err)
{
    if (begin_secret(r, l, err) < 0 || put(r, OPEN_QUOTE, err) < 0)
        return -1;
    return end_line(r, l, err);
}

/* The lines of a private key: the first and the last stay where there is nothing else on them. *TAKEN: it was one. */
static int
take_key(struct redactor *r, const struct line *l, bool *taken, struct err *err)
{
    static const char begin[] = "-----BEGIN ", end[] = "-----END ";
    const char *begins = last_mark(l, begin), *ends = last_mark(l, end);
    const bool was_in_key = r->in_key;

    *taken = true;
    if (begins != NULL && memmem(l->body, l->body_len, "PRIVATE KEY", 11) != NULL) {
        r->in_key = ends == NULL || begins > ends;
        if (!is_mark_alone(l, begin))
            return put_mark_line(r, l, err);
        r->secrets++;
        return put_whole(r, l, err) < 0 ? -1 : put(r, REDACT_MARK "\n", err);
    }
    *taken = was_in_key;
    if (!was_in_key || ends == NULL || begins != NULL)
        return 0;
    r->in_key = false;
    return is_mark_alone(l, end) ? put_whole(r, l, err) : put_mark_line(r, l, err);
}

static int
take_line(struct redactor *r, const char *text, size_t len, struct err *err)
{
    struct line l = take_apart(text, len);
    const bool is_value = r->value_follows;
    bool taken;
    struct conf_words words;
    int rc;

    if (take_key(r, &l, &taken, err) < 0)
        return -1;
    if (taken)
        return 0;
    if (l.body_len == 0)
        return put_whole(r, &l, err);
    r->value_follows = false;
    if (conf_words_split(l.body, l.body_len, &words) < 0) {
        if (!is_value)
            return take_unbalanced(r, &l, err);
        words = (struct conf_words){0};
    }
    if (is_value && (words.count == 0 || !is_option(words.items[0])))
        rc = begin_secret(r, &l, err) < 0 || put(r, REDACT_MARK, err) < 0 || end_line(r, &l, err) < 0 ? -1 : 0;
    else
        rc = take_words(r, &l, &words, err);
    conf_words_fini(&words);
    return rc;
}

int
redact_text(const char *text, size_t len, struct buf *out, size_t *secrets, struct err *err)
{
    static const char mark[] = "\xef\xbb\xbf"; /* some editors' mark of UTF-8: no part of the first word for us */
    struct redactor r = {.out = out};
    const char *end = text + len;

    if (len >= 3 && memcmp(text, mark, 3) == 0) {
        if (buf_append(out, text, 3, err) < 0)
            return -1;
        text += 3;
    }
    while (text < end) {
        const char *newline = memchr(text, '\n', (size_t)(end - text)), *next = newline != NULL ? newline + 1 : end;

        if (take_line(&r, text, (size_t)(next - text), err) < 0)
            return -1;
        text = next;
    }
    *secrets = r.secrets;
    return 0;
}
