/* SPDX-License-Identifier: Apache-2.0 */
/* redis_conf.c: see redis_conf.h. */
#include "snapshot/redis/redis_conf.h"

#include <ctype.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/units.h"
#include "snapshot/redis/conf_words.h"

#define PENDING_MAX 64 /* longer than any keyword that is taken */

/* One text on its way into the struct. */
struct parse {
    struct redis_conf *conf;
    const struct redis_conf_source *source;
    size_t line;
    char pending[PENDING_MAX]; /* an option whose value the next line has; "": none */
};

/* A directive's words; items[0] is its keyword. */
struct directive {
    char **items;
    size_t count;
    bool has_nul;
};

static int
bad_line(const struct parse *p, struct err *err, const char *what)
{
    return err_set(err, ERR_USAGE, "%s, line %zu: %s; a server would not start with it", p->source->name, p->line,
                   what);
}

/* ---- values ------------------------------------------------------------------------------------------------------ */

/* Room for a value in its form for CONFIG GET. */
struct value {
    char *out;
    size_t size;
};

/* How a value is read: NULL, or what is wrong with it. */
typedef const char *value_fn(const char *text, struct value to);

static const char *
store(const char *text, struct value to)
{
    return snprintf(to.out, to.size, "%s", text) < (int)to.size ? NULL : "a value that long cannot be";
}

static const char *
take_text(const char *text, struct value to)
{
    return store(text, to);
}

static const char *
take_word(const char *text, struct value to)
{
    const char *wrong = store(text, to);

    for (char *c = to.out; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    return wrong;
}

static const char *
take_yes_no(const char *text, struct value to)
{
    if (strcasecmp(text, "yes") != 0 && strcasecmp(text, "no") != 0)
        return "the value must be yes or no";
    return take_word(text, to);
}

static const char *
take_count(const char *text, struct value to)
{
    struct err ignored = ERR_INIT;
    uint64_t n = 0;

    if (text[0] == '0' || units_parse_u64(text, &n, &ignored) < 0 || n > INT_MAX)
        return "the value must be a number from 1 on";
    return store(text, to);
}

/* As servers count: k is 1000, kb 1024. */
static const char *
take_memory(const char *text, struct value to)
{
    static const struct {
        const char *name;
        uint64_t factor;
    } units[] = {
        {"", 1},        {"b", 1},        {"k", 1000},       {"kb", 1 << 10},
        {"m", 1000000}, {"mb", 1 << 20}, {"g", 1000000000}, {"gb", 1 << 30},
    };
    struct err ignored = ERR_INIT;
    char digits[24], bytes[24];
    size_t len = strspn(text, "0123456789");
    uint64_t n = 0;

    (void)snprintf(digits, sizeof(digits), "%.*s", (int)(len < INT_MAX ? len : INT_MAX), text);
    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        if (strcasecmp(text + len, units[i].name) != 0)
            continue;
        if (len >= sizeof(digits) || units_parse_u64(digits, &n, &ignored) < 0 || n > UINT64_MAX / units[i].factor)
            break;
        (void)snprintf(bytes, sizeof(bytes), "%ju", (uintmax_t)(n * units[i].factor));
        return store(bytes, to);
    }
    return "the value must be an amount of memory, such as 100mb";
}

/* The server goes there at once: what follows is relative to it. */
static const char *
take_dir(const char *text, struct value to)
{
    char *joined;
    const char *wrong;

    if (text[0] == '\0')
        return "the folder has no name";
    if (text[0] == '/' || to.out[0] == '\0')
        return store(text, to);
    if (strcmp(text, ".") == 0 || strcmp(text, "./") == 0)
        return NULL;
    joined = mem_printf("%s/%s", to.out, text);
    wrong = store(joined, to);
    free(joined);
    return wrong;
}

/* ---- directives -------------------------------------------------------------------------------------------------- */

#define SETTING(keyword, member, how)                                                                                  \
    {                                                                                                                  \
        keyword, offsetof(struct redis_conf, member), sizeof(((struct redis_conf *)NULL)->member), how                 \
    }

static const struct setting {
    const char *keyword;
    size_t offset, size;
    value_fn *take;
} settings[] = {
    SETTING("dir", config.dir, take_dir),
    SETTING("dbfilename", config.dbfilename, take_text),
    SETTING("appendonly", config.appendonly, take_yes_no),
    SETTING("appenddirname", config.appenddirname, take_text),
    SETTING("appendfilename", config.appendfilename, take_text),
    SETTING("databases", config.databases, take_count),
    SETTING("maxmemory", config.maxmemory, take_memory),
    SETTING("cluster-enabled", config.cluster_enabled, take_yes_no),
    SETTING("cluster-databases", cluster_databases, take_count),
    SETTING("aof-use-rdb-preamble", aof_use_rdb_preamble, take_yes_no),
    SETTING("rdb-version-check", rdb_version_check, take_word),
    SETTING("preload-file", preload_file, take_text),
};

static int
take_setting(struct parse *p, const struct setting *s, const char *text, struct err *err)
{
    struct redis_conf *c = p->conf;
    const char *wrong = s->take(text, (struct value){(char *)c + s->offset, s->size});

    if (wrong != NULL) {
        char *what = mem_printf("%s: %s", s->keyword, wrong);

        (void)bad_line(p, err, what);
        free(what);
        return -1;
    }
    if (s->offset == offsetof(struct redis_conf, config.appendonly))
        (void)snprintf(c->appendonly_at, sizeof(c->appendonly_at), "%s line %zu", p->source->name, p->line);
    return 0;
}

/* "/opt/modules/rejson.so" is rejson. Names for which there is no room are left out: what is listed is there, what is
 * not listed may be. */
static void
take_module(struct redis_conf *c, const char *path)
{
    const char *name = strrchr(path, '/') != NULL ? strrchr(path, '/') + 1 : path;
    size_t at = strlen(c->modules), len = strlen(name), room = sizeof(c->modules) - at;

    if (len > 3 && strcmp(name + len - 3, ".so") == 0)
        len -= 3;
    if (len > 0 && len + 2 <= room)
        (void)snprintf(c->modules + at, room, "%s%.*s", at > 0 ? "," : "", (int)len, name);
}

/* The keywords with a meaning here, and all others. */
static int
take_directive(struct parse *p, const struct directive *d, struct err *err)
{
    const char *keyword = d->items[0];
    bool is_include = strcasecmp(keyword, "include") == 0, is_module = strcasecmp(keyword, "loadmodule") == 0;
    const struct setting *s = NULL;

    for (size_t i = 0; i < ARRAY_LEN(settings) && s == NULL; i++)
        s = strcasecmp(keyword, settings[i].keyword) == 0 ? &settings[i] : NULL;
    if (s == NULL && !is_include && !is_module)
        return 0;
    if (is_module ? d->count < 2 : d->count != 2)
        return bad_line(p, err, "wrong number of words (a comment needs a line of its own)");
    if (d->has_nul)
        return bad_line(p, err, "there is a NUL byte in it");
    if (s != NULL)
        return take_setting(p, s, d->items[1], err);
    if (is_include)
        return p->source->include(d->items[1], p->source->cookie, err);
    take_module(p->conf, d->items[1]);
    return 0;
}

/* ---- command-line arguments -------------------------------------------------------------------------------------- */

static bool
is_option(const char *word)
{
    return word[0] == '-' && word[1] == '-' && word[2] != '\0';
}

/* An option waits for its value: the words of this line are it, or there is none. */
static int
take_pending(struct parse *p, const struct conf_words *values, struct err *err)
{
    char keyword[PENDING_MAX];
    char **items = mem_array(values->count + 1, sizeof(*items));
    int rc;

    memcpy(keyword, p->pending, sizeof(keyword));
    p->pending[0] = '\0';
    items[0] = keyword;
    for (size_t i = 0; i < values->count; i++)
        items[i + 1] = values->items[i];
    rc = take_directive(p, &(struct directive){items, values->count + 1, values->has_nul}, err);
    free(items);
    return rc;
}

static int
take_options(struct parse *p, const struct conf_words *words, struct err *err)
{
    for (size_t i = 0, next; i < words->count; i = next) {
        char **items = &words->items[i];

        items[0] += 2;
        if (strpbrk(items[0], " \t") != NULL)
            return bad_line(p, err, "a quote stands around an option with its value: leave it out");
        for (next = i + 1; next < words->count && !is_option(words->items[next]);)
            next++;
        if (next == words->count && next == i + 1) {
            (void)snprintf(p->pending, sizeof(p->pending), "%s", items[0]);
            return 0;
        }
        if (take_directive(p, &(struct directive){items, next - i, words->has_nul}, err) < 0)
            return -1;
    }
    return 0;
}

/* ---- lines ------------------------------------------------------------------------------------------------------- */

static int
take_words(struct parse *p, const struct conf_words *words, struct err *err)
{
    const struct conf_words none = {0};
    bool are_options = is_option(words->items[0]);

    if (p->pending[0] != '\0') {
        if (!are_options)
            return take_pending(p, words, err);
        if (take_pending(p, &none, err) < 0)
            return -1;
    }
    return are_options ? take_options(p, words, err)
                       : take_directive(p, &(struct directive){words->items, words->count, words->has_nul}, err);
}

static int
take_line(struct parse *p, const char *line, size_t len, struct err *err)
{
    struct conf_words words;
    int rc = 0;

    while (len > 0 && strchr(" \t\r", line[0]) != NULL) {
        line++;
        len--;
    }
    while (len > 0 && strchr(" \t\r", line[len - 1]) != NULL)
        len--;
    if (len == 0 || line[0] == '#')
        return 0;
    if (conf_words_split(line, len, &words) < 0)
        return bad_line(p, err, "the quotes are not balanced");
    if (words.count > 0)
        rc = take_words(p, &words, err);
    conf_words_fini(&words);
    return rc;
}

int
redis_conf_parse(struct redis_conf *conf, const struct redis_conf_source *source, const char *text, size_t len,
                 struct err *err)
{
    static const char mark[] = "\xef\xbb\xbf"; /* some editors' mark of UTF-8: to a server a part of the first word */
    const struct conf_words none = {0};
    struct parse p = {.conf = conf, .source = source};
    const char *end = text + len;

    if (len > 0 && memchr(text, '\0', len) != NULL)
        return err_set(err, ERR_USAGE, "%s is no configuration of a server: there are NUL bytes in it", source->name);
    if (len >= 3 && memcmp(text, mark, 3) == 0) {
        p.line = 1;
        return bad_line(&p, err, "it begins with a byte order mark");
    }
    while (text < end) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        const char *line_end = newline != NULL ? newline : end;

        p.line++;
        if (take_line(&p, text, (size_t)(line_end - text), err) < 0)
            return -1;
        text = newline != NULL ? newline + 1 : end;
    }
    return p.pending[0] != '\0' ? take_pending(&p, &none, err) : 0;
}
