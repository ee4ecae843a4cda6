/* SPDX-License-Identifier: Apache-2.0 */
/* restore.c: see restore.h. */
#include "snapshot/restore.h"

#include <unistd.h>

#include "base/file.h"
#include "base/sig.h"
#include "snapshot/staged_dump.h"

/* The store failed, or somebody stopped us: what has been written is as good as it was. */
static bool
can_be_resumed(const struct err *err)
{
    return err->code == ERR_STORAGE || err->code == ERR_STORE_DENIED || err->code == ERR_INTERRUPTED;
}

int
restore_stage(const struct repo *repo, const struct manifest *m, struct target *target, const struct target_plan *plan,
              const struct read_options *options, struct err *err)
{
    struct target_staged staged;
    int rc = target_stage(target, plan, &staged, err);

    if (rc == 0) {
        const struct staged_dump dump = {.fd = staged.fd, .journal = staged.journal, .resumed = staged.resumed};

        rc = staged_dump_write(repo, m, &dump, options, err);
        (void)close(staged.fd);
        (void)close(staged.journal);
    }
    if (rc < 0 && !can_be_resumed(err))
        target_abandon(target);
    return rc;
}

static int
write_out(const void *data, size_t len, void *cookie, struct err *err)
{
    const int *fd = cookie;

    return sig_check(err) < 0 ? -1 : file_write_all(*fd, data, len, err);
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
