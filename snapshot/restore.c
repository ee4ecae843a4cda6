/* SPDX-License-Identifier: Apache-2.0 */
/* restore.c: see restore.h. */
#include "snapshot/restore.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/file.h"
#include "snapshot/member_reader.h"

struct output {
    int fd;
    uint64_t written;
    bool to_disk;
};

static int
write_out(const void *data, size_t len, void *cookie, struct err *err)
{
    struct output *out = cookie;

    if (file_write_all(out->fd, data, len, err) < 0)
        return -1;
    /* Let the disk begin at once: the fsync at the end then has little left to wait for. It is a hint; errors show in
     * fsync. */
    if (out->to_disk)
        (void)sync_file_range(out->fd, (off_t)out->written, (off_t)len, SYNC_FILE_RANGE_WRITE);
    out->written += len;
    return 0;
}

static int
read_into(const struct repo *repo, const struct manifest *m, struct output *out, const struct progress_sink *progress,
          struct err *err)
{
    struct member_read read = {
        .repo = repo,
        .m = m,
        .sink = write_out,
        .cookie = out,
        .progress = progress,
        .phase = PROGRESS_RESTORING,
    };

    return member_read_rdb(&read, err);
}

int
restore_stage(const struct repo *repo, const struct manifest *m, struct target *target, const struct target_plan *plan,
            const struct progress_sink *progress, struct err *err)
{
    struct output out = {.fd = -1, .to_disk = true};
    struct target_staged staged;
    int rc = -1;

    if (target_stage(target, plan, &staged, err) < 0)
        goto out;
    (void)close(staged.journal);
    out.fd = staged.fd;
    if (ftruncate(out.fd, 0) < 0) {
        (void)err_sys(err, ERR_INTERNAL, errno, "empty the staged dump");
        goto out;
    }
    if (read_into(repo, m, &out, progress, err) < 0)
        goto out;
    if (fsync(out.fd) < 0) {
        (void)err_sys(err, ERR_INTERNAL, errno, "fsync of the restored dump");
        goto out;
    }
    rc = 0;
out:
    if (out.fd >= 0)
        (void)close(out.fd);
    if (rc < 0)
        target_abandon(target);
    return rc;
}

int
restore_stream(const struct repo *repo, const struct manifest *m, int fd, const struct progress_sink *progress,
               struct err *err)
{
    struct output out = {.fd = fd};

    return read_into(repo, m, &out, progress, err);
}
