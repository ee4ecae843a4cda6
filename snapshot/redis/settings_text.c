/* SPDX-License-Identifier: Apache-2.0 */
/* settings_text.c: see settings_text.h. */
#include "snapshot/redis/settings_text.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "snapshot/redis/conf_words.h"

struct setting {
    const char *name;
    const struct reply *value;
};

/* Settings of several words, which CONFIG GET joins by blanks. Servers before 7.0 take them only as words. */
static const struct several {
    const char *name;
    unsigned a_line;   /* so many words a line, where a line stands for one of a list; 0: all */
    bool empty_is_off; /* an empty value cannot be written, and is what a server begins with */
} several[] = {
    {"bind", 0, false},
    {"save", 2, false},
    {"client-output-buffer-limit", 4, false},
    {"oom-score-adj-values", 0, false},
    {"latency-tracking-info-percentiles", 0, false},
    {"replicaof", 0, true},
    {"slaveof", 0, true},
    {"primaryof", 0, true},
};

static int
by_name(const void *a, const void *b)
{
    return strcmp(((const struct setting *)a)->name, ((const struct setting *)b)->name);
}

static bool
is_name(const struct reply *r)
{
    return r->type == REPLY_STRING && r->len > 0 &&
           strspn(r->text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") == r->len;
}

static int
put_words(const struct several *s, const struct setting *setting, struct buf *out, struct err *err)
{
    const char *word = setting->value->text;
    unsigned n = 0;
    size_t len;

    for (; *(word += strspn(word, " ")) != '\0'; word += len, n++) {
        bool begins = n == 0 || (s->a_line > 0 && n % s->a_line == 0);

        len = strcspn(word, " ");
        if ((begins && buf_printf(out, err, "%s%s", n > 0 ? "\n" : "", setting->name) < 0) ||
            buf_append(out, " ", 1, err) < 0 || conf_words_append(out, word, len, err) < 0)
            return -1;
    }
    if (n == 0)
        return s->empty_is_off ? 0 : buf_printf(out, err, "%s \"\"\n", setting->name);
    return buf_append(out, "\n", 1, err);
}

static int
put_setting(const struct setting *setting, struct buf *out, struct err *err)
{
    if (strcmp(setting->name, "watchdog-period") ==
        0) /* a debugging aid that servers before 7.0 tell and do not read */
        return 0;
    for (size_t i = 0; i < ARRAY_LEN(several); i++) {
        if (strcmp(setting->name, several[i].name) == 0)
            return put_words(&several[i], setting, out, err);
    }
    if (buf_printf(out, err, "%s ", setting->name) < 0 ||
        conf_words_append(out, setting->value->text, setting->value->len, err) < 0)
        return -1;
    return buf_append(out, "\n", 1, err);
}

/* A server that names an ACL file takes no users from its configuration. */
static bool
has_acl_file(const struct setting *settings, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(settings[i].name, "aclfile") == 0)
            return settings[i].value->len > 0;
    }
    return false;
}

static bool
is_acl_list(const struct reply *acl)
{
    if (acl->type != REPLY_ARRAY)
        return false;
    for (size_t i = 0; i < acl->count; i++) {
        const struct reply *user = acl->elements[i];

        if (user->type != REPLY_STRING || strncmp(user->text, "user ", 5) != 0 || strlen(user->text) != user->len ||
            strchr(user->text, '\n') != NULL)
            return false;
    }
    return true;
}

/* One line of ACL LIST, in which blanks alone part words, as a line of a configuration. */
static int
put_user(const char *text, struct buf *out, struct err *err)
{
    while (*text != '\0') {
        size_t len = strcspn(text, " ");

        if (len > 0 && conf_words_append(out, text, len, err) < 0)
            return -1;
        text += len;
        if (buf_append(out, *text == ' ' ? " " : "\n", 1, err) < 0)
            return -1;
        text += *text == ' ';
    }
    return 0;
}

static int
put_users(const struct reply *acl, struct buf *out, struct err *err)
{
    if (acl == NULL)
        return buf_printf(out, err,
                          "\n# The users could not be asked for: put their lines here in place of the next one, with "
                          "which no server starts.\nuser default NOT-KNOWN\n");
    if (buf_printf(out, err, "\n# The users, as ACL LIST told them.\n") < 0)
        return -1;
    for (size_t i = 0; i < acl->count; i++) {
        if (put_user(acl->elements[i]->text, out, err) < 0)
            return -1;
    }
    return 0;
}

/* Sorted; NULL where CONFIG is not what it should be. The caller frees. */
static struct setting *
sort_settings(const struct reply *config, size_t *count)
{
    struct setting *settings;

    if (config->type != REPLY_ARRAY || config->count % 2 != 0)
        return NULL;
    *count = 0;
    settings = mem_array(config->count / 2 + 1, sizeof(*settings));
    for (size_t i = 0; i < config->count; i += 2) {
        const struct reply *name = config->elements[i], *value = config->elements[i + 1];

        if (!is_name(name) || value->type != REPLY_STRING) {
            free(settings);
            return NULL;
        }
        settings[(*count)++] = (struct setting){name->text, value};
    }
    qsort(settings, *count, sizeof(*settings), by_name);
    return settings;
}

int
settings_text_config(const struct reply *config, const struct reply *acl, struct buf *out, struct err *err)
{
    size_t count = 0;
    struct setting *settings = sort_settings(config, &count);
    int rc;

    if (settings == NULL || (acl != NULL && !is_acl_list(acl))) {
        free(settings);
        return err_set(err, ERR_SERVER, "the answer is none that a server gives");
    }
    rc = buf_printf(out, err,
                    "# What CONFIG GET * told. Not among it: include, loadmodule, rename-command, and the comments of "
                    "the file\n# that the server was started with.\n\n");
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = put_setting(&settings[i], out, err);
    if (rc == 0 && !has_acl_file(settings, count))
        rc = put_users(acl, out, err);
    free(settings);
    return rc;
}

int
settings_text_acl(const struct reply *acl, struct buf *out, struct err *err)
{
    if (!is_acl_list(acl))
        return err_set(err, ERR_SERVER, "the answer is none that a server gives");
    for (size_t i = 0; i < acl->count; i++) {
        if (buf_printf(out, err, "%s\n", acl->elements[i]->text) < 0)
            return -1;
    }
    return 0;
}
