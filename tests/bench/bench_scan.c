/* SPDX-License-Identifier: Apache-2.0 */
/* bench_scan.c FILE: MB per CPU second of structure check and CRC together, on one core, over an RDB that is held in
 * memory and fed a MiB at a time. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/file.h"
#include "snapshot/rdb/rdb_scan.h"

#define FILE_MAX ((size_t)4 << 30)
#define PIECE    ((size_t)1 << 20)
#define TIME_MS  2000

/* Time of this program alone, not of others on the machine. */
static int64_t
cpu_ms(void)
{
    return (int64_t)clock() * 1000 / CLOCKS_PER_SEC;
}

static int
scan(const char *data, size_t len, uint64_t *keys, struct err *err)
{
    struct rdb_scan *s = rdb_scan_new(NULL);
    int rc = 0;

    for (size_t at = 0; rc == 0 && at < len; at += PIECE)
        rc = rdb_scan_feed(s, data + at, len - at < PIECE ? len - at : PIECE, err);
    if (rc == 0)
        rc = rdb_scan_finish(s, err);
    *keys = rdb_scan_info(s)->keys;
    rdb_scan_free(s);
    return rc;
}

int
main(int argc, char **argv)
{
    struct err err = ERR_INIT;
    char *data = NULL;
    size_t len = 0;
    uint64_t keys = 0;
    double bytes = 0;
    int64_t start = 0;
    int64_t spent = 0;
    int rc = -1;

    if (argc != 2) {
        fputs("usage: bench_scan FILE.rdb\n", stderr);
        return 2;
    }
    if (file_read_all(AT_FDCWD, argv[1], FILE_MAX, &data, &len, &err) < 0)
        goto out;
    start = cpu_ms();
    do {
        if (scan(data, len, &keys, &err) < 0)
            goto out;
        bytes += (double)len;
        spent = cpu_ms() - start;
    } while (spent < TIME_MS);
    printf("%s: %zu bytes, %" PRIu64 " keys: %.0f MB/s\n", argv[1], len, keys, bytes / 1e3 / (double)spent);
    rc = 0;
out:
    if (rc < 0)
        fprintf(stderr, "bench_scan: %s\n", err.msg);
    free(data);
    return rc < 0 ? 1 : 0;
}
