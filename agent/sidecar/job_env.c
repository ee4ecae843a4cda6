/* SPDX-License-Identifier: Apache-2.0 */
/* job_env.c: see job_env.h. */
#include "agent/sidecar/job_env.h"

#include <stdlib.h>
#include <string.h>

#include "agent/options.h"
#include "base/mem.h"

static void
add(char ***list, size_t *count, char *text)
{
    *list = mem_grow(*list, *count + 2, sizeof(**list));
    (*list)[(*count)++] = text;
    (*list)[*count] = NULL;
}

static void
add_word(struct job_env *e, const char *word)
{
    add(&e->words, &e->word_count, mem_strdup(word));
}

static void
add_variable(struct job_env *e, const struct option *o, const char *value)
{
    char name[OPTION_ENV_MAX];

    add(&e->env, &e->env_count, mem_printf("%s=%s", option_env(o, name), value));
}

/* All that was given of the repeatable option O. */
static void
add_list(struct job_env *e, const struct config *c, const struct option *o)
{
    char *joined = NULL, *longer, *word;
    bool comma = false;

    for (size_t i = 0; i < c->given_count; i++)
        comma = comma || (c->given[i].option == o && strchr(c->given[i].value, ',') != NULL);
    for (size_t i = 0; i < c->given_count; i++) {
        if (c->given[i].option != o)
            continue;
        if (comma) {
            word = mem_printf("--%s=%s", o->name, c->given[i].value);
            add(&e->words, &e->word_count, word);
        } else {
            longer = mem_printf("%s%s%s", joined != NULL ? joined : "", joined != NULL ? "," : "", c->given[i].value);
            free(joined);
            joined = longer;
        }
    }
    if (joined != NULL)
        add_variable(e, o, joined);
    free(joined);
}

/* What was given of O; the last one counts where it cannot be repeated. */
static void
add_option(struct job_env *e, const struct config *c, const struct option *o)
{
    size_t i = c->given_count;

    if (o->kind == OPTION_LIST) {
        add_list(e, c, o);
        return;
    }
    while (i-- > 0) {
        if (c->given[i].option == o) {
            add_variable(e, o, c->given[i].value);
            return;
        }
    }
}

void
job_env_init(struct job_env *e, const struct config *config, enum work kind)
{
    static const enum command_id commands[WORK_KINDS] = {
        [WORK_BACKUP] = COMMAND_BACKUP, [WORK_VERIFY] = COMMAND_VERIFY, [WORK_PRUNE] = COMMAND_PRUNE};
    size_t count;
    const struct option *table = options_table(&count);

    memset(e, 0, sizeof(*e));
    add_word(e, work_name(kind));
    if (kind == WORK_VERIFY && config->sample == 0)
        add_word(e, "latest");
    if (kind == WORK_PRUNE)
        add_word(e, "--apply");
    add(&e->env, &e->env_count, mem_strdup("REMORA_JSON=yes")); /* so that the list is never empty */
    for (size_t i = 0; i < count; i++)
        if ((table[i].commands & (1u << commands[kind])) != 0)
            add_option(e, config, &table[i]);
}

static void
free_list(char **list)
{
    for (size_t i = 0; list != NULL && list[i] != NULL; i++) {
        mem_wipe(list[i], strlen(list[i]));
        free(list[i]);
    }
    free(list);
}

void
job_env_fini(struct job_env *e)
{
    free_list(e->words);
    free_list(e->env);
    memset(e, 0, sizeof(*e));
}
