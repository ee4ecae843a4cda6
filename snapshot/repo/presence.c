/* SPDX-License-Identifier: Apache-2.0 */
/* presence.c: see presence.h. */
#include "snapshot/repo/presence.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/mem.h"
#include "snapshot/repo/layout.h"

struct presence {
    const struct index *index;
    bool *seen; /* one a segment */
    int64_t newest_ms;
    uint64_t wrong_size; /* a segment whose size is not the index's; UINT64_MAX: none */
};

static void
saw(struct presence *p, uint64_t number, const struct store_object *object)
{
    p->seen[number] = true;
    if (object->mtime_ms > p->newest_ms)
        p->newest_ms = object->mtime_ms;
    if (number < p->wrong_size && object->size != p->index->segments[number].stored_size)
        p->wrong_size = number;
}

static bool
see(const struct store_object *object, void *cookie)
{
    struct presence *p = cookie;
    uint64_t number = 0;

    if (layout_parse_segment(object->key, &number) && number < p->index->count)
        saw(p, number, object);
    return true;
}

/* What the listing did not have. */
static int
ask_for_unseen(const struct repo *repo, const struct manifest *m, const struct manifest_member *member,
               struct presence *p, struct err *err)
{
    struct store_object object;
    struct layout_key key;

    for (uint64_t n = 0; n < p->index->count; n++) {
        if (p->seen[n])
            continue;
        layout_segment(&key, m->instance, &m->id, member->name, n);
        if (store_stat(repo->store, key.text, &object, err) < 0)
            return err->code != ERR_NOT_FOUND
                       ? -1
                       : err_set(err, ERR_CORRUPT, "segment %" PRIu64 " is missing in %s", n, store_url(repo->store));
        saw(p, n, &object);
    }
    return 0;
}

int
presence_check(const struct repo *repo, const struct manifest *m, const struct manifest_member *member,
               const struct index *index, int64_t *newest_ms, struct err *err)
{
    struct presence p = {.index = index, .wrong_size = UINT64_MAX};
    struct layout_key key;
    struct store_list what = {.prefix = key.text};
    int rc;

    layout_member(&key, m->instance, &m->id, member->name);
    p.seen = mem_array(index->count, sizeof(*p.seen));
    rc = store_list(repo->store, &what, see, &p, err);
    if (rc == 0)
        rc = ask_for_unseen(repo, m, member, &p, err);
    free(p.seen);
    if (rc == 0 && p.wrong_size != UINT64_MAX)
        rc = err_set(err, ERR_CORRUPT, "segment %" PRIu64 " in %s has not the size that was stored", p.wrong_size,
                     store_url(repo->store));
    if (rc == 0 && newest_ms != NULL)
        *newest_ms = p.newest_ms;
    return rc;
}
