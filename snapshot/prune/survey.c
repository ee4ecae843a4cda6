/* SPDX-License-Identifier: Apache-2.0 */
/* survey.c: see survey.h. */
#include "snapshot/prune/survey.h"

#include <string.h>

#include "snapshot/repo/layout.h"

static bool
add(const struct store_object *object, void *cookie)
{
    struct survey *s = cookie;

    s->objects++;
    s->bytes += object->size;
    if (object->mtime_ms > s->newest_ms)
        s->newest_ms = object->mtime_ms;
    return true;
}

int
survey_data(const struct repo *repo, const char *instance, const struct backup_id *id, struct survey *out,
            struct err *err)
{
    struct layout_key prefix;

    memset(out, 0, sizeof(*out));
    layout_data(&prefix, instance, id);
    return store_list(repo->store, &(struct store_list){.prefix = prefix.text}, add, out, err);
}
