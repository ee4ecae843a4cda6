/* SPDX-License-Identifier: Apache-2.0 */
/* store_readonly.c: see store_readonly.h. store_put() and store_remove() refuse by the feature bit; the functions here
 * refuse too, since a wrapper around this one comes past those. */
#include "storage/store_readonly.h"

#include "base/mem.h"

static int
refuse(struct err *err)
{
    return err_set(err, ERR_REFUSED, "the store was opened for reading only");
}

static int
readonly_put(struct store *s, const struct store_put *put, struct err *err)
{
    (void)s;
    (void)put;
    return refuse(err);
}

static int
readonly_remove(struct store *s, const char *key, struct err *err)
{
    (void)s;
    (void)key;
    return refuse(err);
}

static int
readonly_get(struct store *s, const char *key, uint64_t off, void *buf, size_t len, size_t *got, struct err *err)
{
    return s->inner->ops->get(s->inner, key, off, buf, len, got, err);
}

static int
readonly_stat(struct store *s, const char *key, struct store_object *object, struct err *err)
{
    return s->inner->ops->stat(s->inner, key, object, err);
}

static int
readonly_list(struct store *s, const struct store_list *what, store_list_fn *fn, void *cookie, struct err *err)
{
    return s->inner->ops->list(s->inner, what, fn, cookie, err);
}

static int
readonly_now(struct store *s, int64_t *now_ms, struct err *err)
{
    return s->inner->ops->now(s->inner, now_ms, err);
}

static void
readonly_free(struct store *s)
{
    free(s);
}

static const struct store_ops readonly_ops = {
    .name = "readonly",
    .put = readonly_put,
    .get = readonly_get,
    .stat = readonly_stat,
    .list = readonly_list,
    .remove = readonly_remove,
    .now = readonly_now,
    .free = readonly_free,
};

struct store *
store_readonly_new(struct store *inner)
{
    struct store *s = mem_new(sizeof(*s));

    s->ops = &readonly_ops;
    s->features = ~(unsigned)(STORE_WRITABLE | STORE_CREATE_ONLY);
    s->url = mem_strdup(inner->url);
    s->inner = inner;
    return s;
}
