/* SPDX-License-Identifier: Apache-2.0 */
/* inspect_dump.c: see inspect_dump.h. */
#include "snapshot/inspect_dump.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "snapshot/rdb/rdb_scan.h"
#include "snapshot/redis/dump_file.h"

#define PIECE ((size_t)1 << 20)

static int
scan_all(struct dump_file *file, struct rdb_scan *scan, const struct progress_sink *progress, struct err *err)
{
    char *piece = mem_new(PIECE);
    size_t got = 0;
    int rc = 0;

    do {
        rc = dump_read(file, piece, PIECE, &got, err);
        if (rc == 0)
            rc = rdb_scan_feed(scan, piece, got, err);
        progress_tell(progress, PROGRESS_VERIFYING, file->bytes_read, file->stamp.size, 0);
    } while (rc == 0 && got > 0);
    free(piece);
    return rc == 0 ? rdb_scan_finish(scan, err) : -1;
}

/* The scanner's sentence would name a way out that there is for backups only. */
static int
refuse_unparsed(const struct rdb_info *info, struct err *err)
{
    return err_set(err, ERR_UNSUPPORTED,
                   "not all of it is understood (%s), so that its keys cannot be told; use a newer remora",
                   info->unparsed_why);
}

int
inspect_dump(const char *path, const struct rdb_observer *observer, const struct progress_sink *progress,
             struct rdb_info *info, struct err *err)
{
    const struct rdb_scan_options options = {.observer = *observer};
    bool is_stdin = strcmp(path, "-") == 0;
    struct dump_file file = {.fd = STDIN_FILENO};
    struct rdb_scan *scan;
    int rc;

    rdb_info_init(info);
    if (!is_stdin && dump_open(path, &file, err) < 0)
        return -1;
    scan = rdb_scan_new(&options);
    rc = scan_all(&file, scan, progress, err);
    if (rc < 0 && err->code == ERR_UNSUPPORTED)
        rc = refuse_unparsed(rdb_scan_info(scan), err);
    if (rc < 0)
        (void)err_wrap(err, "inspect %s", is_stdin ? "stdin" : path);
    else if (!is_stdin)
        rc = dump_check_unchanged(&file, path, err);
    rdb_info_copy(info, rdb_scan_info(scan));
    rdb_scan_free(scan);
    if (!is_stdin)
        dump_close(&file);
    return rc;
}
