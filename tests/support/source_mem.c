/* SPDX-License-Identifier: Apache-2.0 */
/* source_mem.c: see source_mem.h. */
#include "tests/support/source_mem.h"

#include <string.h>

static int
read_mem(struct source *source, void *buf, size_t len, size_t *got, struct err *err)
{
    struct source_mem *s = (struct source_mem *)source;
    size_t left = s->len - s->at;

    if (s->before_read != NULL)
        s->before_read(s);
    if (s->slice > 0 && len > s->slice)
        len = s->slice;
    if (len > left)
        len = left;
    if (s->at + len > s->fail_at)
        return err_set(err, s->fail_code, "planned failure of the source at byte %zu", s->fail_at);
    if (len > 0)
        memcpy(buf, s->data + s->at, len);
    s->at += len;
    *got = len;
    return 0;
}

static int
confirm_mem(struct source *source, const struct rdb_info *found, struct err *err)
{
    struct source_mem *s = (struct source_mem *)source;

    s->confirmed++;
    s->found_keys = found->keys;
    if (s->confirm_code != ERR_NONE)
        return err_set(err, s->confirm_code, "planned: this is not what was asked for");
    return 0;
}

static void
free_mem(struct source *source)
{
    (void)source;
}

void
source_mem_init(struct source_mem *s, const void *data, size_t len)
{
    static const struct source_ops ops = {.name = "memory", .read = read_mem, .confirm = confirm_mem, .free = free_mem};

    *s = (struct source_mem){.data = data, .len = len, .fail_at = SIZE_MAX, .fail_code = ERR_SERVER};
    s->source.ops = &ops;
    s->source.size = len;
}
