/* SPDX-License-Identifier: Apache-2.0 */
/* backup_tags.c: see backup_tags.h. */
#include "agent/backup_tags.h"

#include <stdlib.h>
#include <string.h>

#include "agent/printable.h"
#include "base/mem.h"

int
backup_tags_read(const struct config *config, struct manifest_tag *tags, size_t *count, struct err *err)
{
    const struct config_list *list = &config->tags;

    *count = 0;
    if (list->count > MANIFEST_TAGS_MAX)
        return err_set(err, ERR_USAGE, "--tag: %zu tags were given, at most %d are kept", list->count,
                       MANIFEST_TAGS_MAX);
    for (size_t i = 0; i < list->count; i++) {
        const char *equals = strchr(list->items[i], '=');

        if (equals == NULL || equals == list->items[i])
            return err_set(err, ERR_USAGE, "--tag \"%.60s\" is not KEY=VALUE", list->items[i]);
        if (!printable_check(list->items[i]))
            return err_set(err, ERR_USAGE, "--tag number %zu has control characters, such as a newline", i + 1);
        tags[i].key = mem_strndup(list->items[i], (size_t)(equals - list->items[i]));
        tags[i].value = mem_strdup(equals + 1);
        (*count)++;
        for (size_t k = 0; k < i; k++)
            if (strcmp(tags[k].key, tags[i].key) == 0)
                return err_set(err, ERR_USAGE, "--tag: \"%.60s\" is given twice", tags[i].key);
    }
    return 0;
}

void
backup_tags_free(struct manifest_tag *tags, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(tags[i].key);
        free(tags[i].value);
    }
}
