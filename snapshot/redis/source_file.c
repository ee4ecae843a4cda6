/* SPDX-License-Identifier: Apache-2.0 */
/* source_file.c: see source_file.h. */
#include "snapshot/redis/source_file.h"

#include <stdlib.h>

#include "base/mem.h"
#include "snapshot/redis/dump_file.h"

struct source_file {
    struct source base;
    struct dump_file file;
    char *path;
};

static int
file_read(struct source *src, void *buf, size_t len, size_t *got, struct err *err)
{
    struct source_file *s = (struct source_file *)src;

    return dump_read(&s->file, buf, len, got, err) < 0 ? err_wrap(err, "%s", s->path) : 0;
}

static int
file_confirm(struct source *src, const struct rdb_info *found, struct err *err)
{
    struct source_file *s = (struct source_file *)src;

    (void)found;
    return dump_check_unchanged(&s->file, s->path, err);
}

static void
file_free(struct source *src)
{
    struct source_file *s = (struct source_file *)src;

    dump_close(&s->file);
    free(s->path);
    free(s);
}

static const struct source_ops file_ops = {
    .name = "file", .read = file_read, .confirm = file_confirm, .free = file_free};

int
source_file_open(const char *path, struct source **out, struct err *err)
{
    struct source_file *s;
    struct dump_file file = {.fd = -1};

    if (dump_open(path, &file, err) < 0)
        return -1;
    s = mem_new(sizeof(*s));
    s->base.ops = &file_ops;
    s->base.size = file.stamp.size;
    s->base.snapshot_fallback_ms = (int64_t)file.stamp.mtime.tv_sec * 1000 + file.stamp.mtime.tv_nsec / 1000000;
    s->file = file;
    s->path = mem_strdup(path);
    *out = &s->base;
    return 0;
}
