/* SPDX-License-Identifier: Apache-2.0 */
/* config.c: see config.h. */
#include "agent/config.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

char *
config_keep(struct config *c, const char *text, size_t len)
{
    char *copy = mem_strndup(text, len);

    c->owned = mem_grow(c->owned, c->owned_count + 1, sizeof(*c->owned));
    c->owned[c->owned_count++] = copy;
    return copy;
}

bool
config_is_typed(const struct config *c, const char *option)
{
    for (size_t i = 0; i < c->typed.count; i++) {
        if (strcmp(c->typed.items[i], option) == 0)
            return true;
    }
    return false;
}

void
config_fini(struct config *c)
{
    for (size_t i = 0; i < c->owned_count; i++) {
        mem_wipe(c->owned[i], strlen(c->owned[i]));
        free(c->owned[i]);
    }
    free(c->owned);
    free(c->given);
    free(c->tags.items);
    free(c->ignore.items);
    free(c->with_config.items);
    free(c->typed.items);
    memset(c, 0, sizeof(*c));
}
