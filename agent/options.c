/* SPDX-License-Identifier: Apache-2.0 */
/* options.c: see options.h. All arguments are looked at even after a mistake, so that --json and the log options hold
 * for the message too; the first mistake is the one that is told. */
#include "agent/options.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/secret.h"
#include "agent/suggest.h"
#include "base/mem.h"
#include "base/units.h"

#define DURATION_MAX_MS ((int64_t)36525 * 24 * 3600 * 1000) /* sums of a few of them never overflow */

struct parse {
    struct config *config;
    int argc;
    char **shown;              /* argv, passwords masked: for messages */
    const char **text;         /* the same with the passwords */
    const char *word;          /* the command as it was typed; NULL: none */
    struct config_given *uses; /* options of the command line, in order; at most argc */
    size_t use_count;
    struct err *err;
    struct err dropped; /* mistakes after the first */
    bool failed;
};

/* Where to write a mistake: the caller's err for the first, else nowhere. */
static struct err *
mistake(struct parse *p)
{
    bool first = !p->failed;

    p->failed = true;
    return first ? p->err : &p->dropped;
}

static const struct option *
find_option(const char *name, size_t len)
{
    size_t count;
    const struct option *table = options_table(&count);

    for (size_t i = 0; i < count; i++)
        if (strlen(table[i].name) == len && memcmp(table[i].name, name, len) == 0)
            return &table[i];
    return NULL;
}

const char *
option_env(const struct option *option, char out[OPTION_ENV_MAX])
{
    (void)snprintf(out, OPTION_ENV_MAX, "REMORA_%s", option->name);
    for (char *c = out; *c != '\0'; c++)
        *c = (char)(*c == '-' ? '_' : toupper((unsigned char)*c));
    return out;
}

/* ---- values ------------------------------------------------------------------------------------------------------ */

static void *
field(struct config *c, const struct option *o)
{
    return (char *)c + o->field;
}

static int
parse_flag(const char *value, bool *out, struct err *err)
{
    static const char *const yes[] = {"yes", "true", "1", "on"}, *const no[] = {"no", "false", "0", "off"};

    for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
        if (strcmp(value, yes[i]) == 0 || strcmp(value, no[i]) == 0) {
            *out = strcmp(value, yes[i]) == 0;
            return 0;
        }
    }
    return err_set(err, ERR_USAGE, "\"%s\" is neither yes nor no", value);
}

static int
parse_choice(const char *words, const char *value, int *out, struct err *err)
{
    size_t len = strlen(value);
    int place = 0;

    for (const char *w = words;; w = strchr(w, '|') + 1, place++) {
        if (strcspn(w, "|") == len && memcmp(w, value, len) == 0) {
            *out = place;
            return 0;
        }
        if (strchr(w, '|') == NULL)
            return err_set(err, ERR_USAGE, "\"%s\" is none of %s", value, words);
    }
}

static int
parse_bounded(const struct option *o, const char *value, uint64_t *out, struct err *err)
{
    uint64_t v = 0;

    if ((o->kind == OPTION_SIZE ? units_parse_size : units_parse_u64)(value, &v, err) < 0)
        return -1;
    if (v < o->min || v > o->max)
        return err_set(err, ERR_USAGE, "\"%s\" is not between %llu and %llu", value, (unsigned long long)o->min,
                       (unsigned long long)o->max);
    *out = v;
    return 0;
}

static int
parse_duration(const struct option *o, const char *value, int64_t *out, struct err *err)
{
    int64_t ms = 0;

    if (o->needs_unit && value[0] != '\0' && value[strspn(value, "0123456789")] == '\0')
        return err_set(err, ERR_USAGE, "\"%s\" has no unit: %sd is days, %sh hours", value, value, value);
    if (units_parse_duration(value, &ms, err) < 0)
        return -1;
    if (ms < 1000)
        return err_set(err, ERR_USAGE, "\"%s\" is too short: at least 1s is needed", value);
    if (ms > DURATION_MAX_MS)
        return err_set(err, ERR_USAGE, "\"%s\" is too long: a hundred years are the most", value);
    *out = ms;
    return 0;
}

static void
add_item(struct config *c, struct config_list *list, const char *text, size_t len)
{
    list->items = mem_grow(list->items, list->count + 1, sizeof(*list->items));
    list->items[list->count++] = config_keep(c, text, len);
}

static int
set_value(struct config *c, const struct option *o, const char *value, struct err *err)
{
    if (*value == '\0')
        return err_set(err, ERR_USAGE, "the value is empty; write --%s %s", o->name,
                       o->value != NULL ? o->value : "or leave it out");
    switch (o->kind) {
    case OPTION_FLAG:
        return parse_flag(value, field(c, o), err);
    case OPTION_STRING:
    case OPTION_SECRET:
        *(const char **)field(c, o) = config_keep(c, value, strlen(value));
        return 0;
    case OPTION_SIZE:
    case OPTION_NUMBER:
        return parse_bounded(o, value, field(c, o), err);
    case OPTION_DURATION:
        return parse_duration(o, value, field(c, o), err);
    case OPTION_CHOICE:
        return parse_choice(o->value, value, field(c, o), err);
    case OPTION_LIST:
        add_item(c, field(c, o), value, strlen(value));
        return 0;
    }
    REQUIRE(false);
    return -1;
}

/* A list out of one environment variable: its items are separated by commas. */
static void
set_list(struct config *c, const struct option *o, const char *value)
{
    while (*value != '\0') {
        size_t len = strcspn(value, ",");

        if (len > 0)
            add_item(c, field(c, o), value, len);
        value += len + (value[len] == ',');
    }
}

/* ---- the command line -------------------------------------------------------------------------------------------- */

/* Copies the arguments, then masks the passwords in the originals. */
static void
take_arguments(struct parse *p)
{
    p->text = mem_array((size_t)p->argc + 1, sizeof(*p->text));
    p->uses = mem_array((size_t)p->argc + 1, sizeof(*p->uses));
    for (int i = 0; i < p->argc; i++) {
        p->text[i] = config_keep(p->config, p->shown[i], strlen(p->shown[i]));
        secret_mask_url(p->shown[i]);
    }
}

static void
unknown_option(struct parse *p, const char *shown)
{
    size_t count, len = strcspn(shown, "=");
    const struct option *table = options_table(&count);
    char *word = mem_strndup(shown, len);
    struct suggest s = {word + strspn(word, "-"), NULL, 0};

    for (size_t i = 0; i < count; i++)
        suggest_try(&s, table[i].name);
    if (s.best != NULL)
        (void)err_set(mistake(p), ERR_USAGE, "there is no option %s; did you mean --%s?", word, s.best);
    else
        (void)err_set(mistake(p), ERR_USAGE, "there is no option %s; `remora help%s%s` lists them", word,
                      p->word != NULL ? " " : "", p->word != NULL ? p->word : "");
    free(word);
}

/* The option at argument AT; returns how many arguments it took. */
static int
scan_option(struct parse *p, int at)
{
    const char *text = p->text[at], *name = text + 2;
    size_t len = strcspn(name, "=");
    const struct option *o = strcmp(text, "-h") == 0       ? find_option("help", 4)
                             : strncmp(text, "--", 2) == 0 ? find_option(name, len)
                                                           : NULL;
    struct config_given *use = &p->uses[p->use_count];
    bool next = at + 1 < p->argc && strncmp(p->text[at + 1], "--", 2) != 0;

    if (o == NULL) {
        unknown_option(p, p->shown[at]);
        return 1;
    }
    use->option = o;
    if (text[1] == '-' && name[len] == '=') {
        use->value = name + len + 1;
    } else if (o->kind == OPTION_FLAG) {
        use->value = "yes";
    } else if (next) {
        use->value = p->text[at + 1];
    } else {
        (void)err_set(mistake(p), ERR_USAGE, "--%s needs a value: --%s %s", o->name, o->name, o->value);
        return 1;
    }
    p->use_count++;
    return use->value == p->text[at + 1] ? 2 : 1;
}

static void
scan_word(struct parse *p, int at)
{
    struct config *c = p->config;

    if (p->word == NULL)
        p->word = p->shown[at];
    else if (c->arg_count < CONFIG_ARGS_MAX)
        c->args[c->arg_count++] = p->shown[at];
    else
        (void)err_set(mistake(p), ERR_USAGE, "too many arguments, from \"%s\" on", p->shown[at]);
}

static void
scan(struct parse *p)
{
    bool options = true;

    for (int i = 1; i < p->argc;) {
        const char *text = p->text[i];

        if (options && strcmp(text, "--") == 0) {
            options = false;
            i++;
        } else if (options && text[0] == '-' && text[1] != '\0') {
            i += scan_option(p, i);
        } else {
            scan_word(p, i);
            i++;
        }
    }
}

static enum command_id
named_command(struct parse *p, const char *word)
{
    enum command_id id = command_find(word);
    struct suggest s = {word, NULL, 0};

    if (id != COMMAND_NONE)
        return id;
    for (int i = COMMAND_NONE + 1; i < COMMAND_COUNT; i++)
        suggest_try(&s, command_get((enum command_id)i)->name);
    (void)err_set(mistake(p), ERR_USAGE, "there is no command \"%s\"; %s%s%s", word,
                  s.best != NULL ? "did you mean `remora " : "`remora help", s.best != NULL ? s.best : "",
                  s.best != NULL ? "`?" : "` lists them");
    return COMMAND_NONE;
}

/* ---- from uses to values ----------------------------------------------------------------------------------------- */

static bool
belongs(const struct option *o, enum command_id command)
{
    return (o->commands & (1u << command)) != 0;
}

/* Names the commands that O is for. */
static void
foreign_option(struct parse *p, const struct option *o)
{
    const char *owner = "another command", *here = command_get(p->config->command)->name;

    if (o->global) {
        (void)err_set(mistake(p), ERR_USAGE, "--%s means nothing to `remora %s`; leave it out", o->name, here);
        return;
    }
    for (int i = COMMAND_COUNT - 1; i > COMMAND_NONE; i--)
        if (belongs(o, (enum command_id)i))
            owner = command_get((enum command_id)i)->name;
    (void)err_set(mistake(p), ERR_USAGE, "--%s is an option of `remora %s`, not of `remora %s`", o->name, owner, here);
}

/* Set O from SOURCE, which WHERE names in a message. */
static void
apply_value(struct parse *p, const struct option *o, const char *value, const char *where)
{
    struct err err = ERR_INIT;

    if (set_value(p->config, o, value, &err) == 0)
        return;
    (void)err_wrap(&err, "%s", where);
    *mistake(p) = err;
}

static void
apply_option(struct parse *p, const struct option *o)
{
    char env[OPTION_ENV_MAX], where[OPTION_ENV_MAX + 2];
    const char *value = getenv(option_env(o, env));
    bool used = false;

    if (o->preset != NULL)
        apply_value(p, o, o->preset, o->name);
    (void)snprintf(where, sizeof(where), "--%s", o->name);
    for (size_t i = 0; i < p->use_count; i++) {
        if (p->uses[i].option == o) {
            apply_value(p, o, p->uses[i].value, where);
            used = true;
        }
    }
    if (used || value == NULL || *value == '\0')
        return;
    if (o->kind == OPTION_LIST)
        set_list(p->config, o, value);
    else
        apply_value(p, o, value, env);
}

static void
apply_all(struct parse *p)
{
    size_t count;
    const struct option *table = options_table(&count);
    const char *auth = getenv("REDISCLI_AUTH");

    for (size_t i = 0; i < p->use_count; i++)
        if (p->config->command != COMMAND_NONE && !belongs(p->uses[i].option, p->config->command))
            foreign_option(p, p->uses[i].option);
    for (size_t i = 0; i < p->use_count; i++)
        add_item(p->config, &p->config->typed, p->uses[i].option->name, strlen(p->uses[i].option->name));
    for (size_t i = 0; i < count; i++)
        if (belongs(&table[i], p->config->command))
            apply_option(p, &table[i]);
    if (auth != NULL && *auth != '\0')
        p->config->redis_auth = config_keep(p->config, auth, strlen(auth));
}

static void
check_arguments(struct parse *p)
{
    struct config *c = p->config;
    const struct command *command = command_get(c->command);

    if (c->command == COMMAND_NONE) {
        if (p->word == NULL && p->argc > 1)
            (void)err_set(mistake(p), ERR_USAGE, "no command was given; `remora help` lists them");
    } else if (c->arg_count > command->args_max) {
        (void)err_set(mistake(p), ERR_USAGE, "`remora %s` takes no argument \"%s\"; usage: remora %s%s%s [OPTIONS]",
                      command->name, c->args[command->args_max], command->name, *command->arguments ? " " : "",
                      command->arguments);
    } else if (c->arg_count < command->args_min) {
        (void)err_set(mistake(p), ERR_USAGE, "`remora %s` needs an argument: remora %s %s", command->name,
                      command->name, command->arguments);
    }
}

int
options_parse(int argc, char **argv, struct config *config, struct err *err)
{
    struct parse p = {.config = config, .argc = argc, .shown = argv, .err = err, .dropped = ERR_INIT};

    memset(config, 0, sizeof(*config));
    config->log_level = 1;
    take_arguments(&p);
    scan(&p);
    if (p.word != NULL)
        config->command = named_command(&p, p.word);
    apply_all(&p);
    if (config->help && !p.failed) {
        config->topic = config->command;
        config->command = COMMAND_HELP;
    } else {
        check_arguments(&p);
        if (config->command == COMMAND_HELP && config->arg_count == 1 && !p.failed)
            config->topic = named_command(&p, config->args[0]);
    }
    config->given = p.uses;
    config->given_count = p.use_count;
    free(p.text);
    return p.failed ? -1 : 0;
}
