/* SPDX-License-Identifier: Apache-2.0 */
/* config_member.c: see config_member.h. */
#include "snapshot/config_member.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/tar_read.h"
#include "snapshot/config_bundle.h"

static int
append(const void *data, size_t len, void *cookie, struct err *err)
{
    struct buf *tar = cookie;

    return buf_append(tar, data, len, err);
}

static int
read_member(const struct repo *repo, const struct manifest *m, const struct read_options *options, struct buf *tar,
            struct err *err)
{
    /* One worker: the tar stands in memory beside the buffers. */
    const struct read_options quiet = {.jobs = 1, .memory = options->memory};
    const struct member_read read = {
        .repo = repo,
        .m = m,
        .member = &m->config_member,
        .options = &quiet,
        .phase = PROGRESS_VERIFYING,
        .sink = append,
        .cookie = tar,
    };

    if (m->config_member.raw_size > CONFIG_TAR_MAX)
        return err_set(err, ERR_CORRUPT, "backup %s: no writer makes it larger than %u MiB", m->id.text,
                       CONFIG_TAR_MAX >> 20);
    return member_read(&read, err);
}

int
config_member_read(const struct repo *repo, const struct manifest *m, const struct read_options *options,
                   struct buf *tar, uint64_t *files, struct err *err)
{
    buf_init(tar, CONFIG_TAR_MAX);
    if (m->config_member.segments == 0)
        return err_set(err, ERR_NOT_FOUND, "backup %s holds no configuration files: it was made without --with-config",
                       m->id.text);
    if (read_member(repo, m, options, tar, err) < 0)
        return err_wrap(err, "the configuration files");
    if (tar_read_through(tar->data, tar->len, files, err) < 0)
        return err_wrap(err, "the configuration files: backup %s", m->id.text);
    return 0;
}
