/* SPDX-License-Identifier: Apache-2.0 */
/* staged_dump.c: see staged_dump.h. */
#include "snapshot/staged_dump.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "snapshot/rdb/crc64.h"
#include "snapshot/staged_journal.h"

struct writing {
    int fd;
    struct staged_journal *journal; /* NULL: none */
};

static int
place(uint64_t number, uint64_t offset, const void *data, size_t len, void *cookie, struct err *err)
{
    struct writing *w = cookie;

    if (file_write_at(w->fd, data, len, offset, err) < 0)
        return -1;
    /* Let the disk begin at once: the fsync at the end then has little left to wait for. It is a hint; errors show in
     * fsync. */
    (void)sync_file_range(w->fd, (off_t)offset, (off_t)len, SYNC_FILE_RANGE_WRITE);
    if (w->journal != NULL)
        staged_journal_add(w->journal, number, crc64(0, data, len));
    return 0;
}

static bool
is_there(uint64_t number, uint64_t offset, void *raw, size_t len, void *cookie)
{
    struct writing *w = cookie;
    struct err unused = ERR_INIT;
    uint64_t crc = 0;
    size_t got = 0;

    return staged_journal_find(w->journal, number, &crc) && file_read_at(w->fd, raw, len, offset, &got, &unused) == 0 &&
           got == len && crc64(0, raw, len) == crc;
}

static int
write_once(const struct member_read *plain, const struct staged_dump *staged, bool resumed, struct err *err)
{
    struct writing w = {.fd = staged->fd};
    struct member_read read = *plain;
    int rc;

    if (staged->journal >= 0)
        w.journal = staged_journal_open(staged->journal, plain->member->segments, resumed);
    read.place = place;
    read.have = resumed ? is_there : NULL;
    read.cookie = &w;
    rc = member_read(&read, err);
    staged_journal_free(w.journal);
    return rc;
}

int
staged_dump_write(const struct repo *repo, const struct manifest *m, const struct staged_dump *staged,
                  const struct read_options *options, struct err *err)
{
    struct member_outcome outcome = {0};
    const struct member_read read = {
        .repo = repo,
        .m = m,
        .member = &m->rdb_member,
        .options = options,
        .phase = PROGRESS_RESTORING,
        .outcome = &outcome,
    };
    int rc = write_once(&read, staged, staged->resumed, err);

    if (staged->resumed)
        log_info("an interrupted restore was taken up", LOG_S("id", m->id.text), LOG_U("segments_there", outcome.had),
                 LOG_U("segments", m->rdb_member.segments));
    if (rc < 0 && outcome.disproved && outcome.had > 0) {
        log_warn("what the interrupted restore had left does not make the dump: all of it is fetched again",
                 LOG_S("id", m->id.text), LOG_S("why", err->msg));
        err_clear(err);
        rc = write_once(&read, staged, false, err);
    }
    if (rc < 0)
        return -1;
    /* A file that is longer, for whatever reason, would not be what was proven. */
    if (ftruncate(staged->fd, (off_t)m->rdb_member.raw_size) < 0 || fsync(staged->fd) < 0)
        return err_sys(err, ERR_INTERNAL, errno, "fsync of the restored dump");
    return 0;
}
