/* SPDX-License-Identifier: Apache-2.0 */
/* restore.c: see restore.h. */
#include "snapshot/restore.h"

#include <unistd.h>

#include "base/file.h"
#include "snapshot/staged_dump.h"

/* The store failed, or somebody stopped us: what has been written is as good as it was. */
static bool
can_be_resumed(const struct err *err)
{
    return err->code == ERR_STORAGE || err->code == ERR_STORE_DENIED || err->code == ERR_INTERRUPTED;
}

int
restore_run(const struct repo *repo, const struct manifest *m, struct target *target,
            const struct read_options *options, struct err *err)
{
    struct staged_dump staged = {.fd = -1, .journal = -1};
    int rc = -1;

    if (target_stage(target, m->rdb_member.raw_size, &staged.fd, err) < 0)
        goto out;
    if (staged_dump_write(repo, m, &staged, options, err) < 0)
        goto out;
    if (target_seal(target, &m->id, err) < 0 || target_enter(target, err) < 0)
        goto out;
    rc = 0;
out:
    if (staged.fd >= 0)
        (void)close(staged.fd);
    if (rc < 0 && !can_be_resumed(err))
        target_abandon(target);
    return rc;
}

static int
write_out(const void *data, size_t len, void *cookie, struct err *err)
{
    const int *fd = cookie;

    return file_write_all(*fd, data, len, err);
}

int
restore_stream(const struct repo *repo, const struct manifest *m, int fd, const struct read_options *options,
               struct err *err)
{
    const struct member_read read = {
        .repo = repo,
        .m = m,
        .member = &m->rdb_member,
        .options = options,
        .phase = PROGRESS_RESTORING,
        .sink = write_out,
        .cookie = &fd,
    };

    return member_read(&read, err);
}
