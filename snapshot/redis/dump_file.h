/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dump_file.h: a dump on the server's volume: is there room for the next, is the one that is there now a new one, and
 * its bytes. It talks to no server.
 *
 * A server writes temp-<pid>.rdb and renames it over the dump: the inode always changes, and a descriptor keeps the old
 * complete file. So a dump is opened once and read from that descriptor only, never by its path in pieces.
 */
#ifndef SNAPSHOT_REDIS_DUMP_FILE_H
#define SNAPSHOT_REDIS_DUMP_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/err.h"

/* Which file stands at a path, and in which state. */
struct dump_stamp {
    bool exists;
    dev_t dev;
    ino_t ino;
    uint64_t size;
    struct timespec mtime;
};

/* An open dump. */
struct dump_file {
    int fd;                  /* -1: none */
    struct dump_stamp stamp; /* when it was opened */
    uint64_t bytes_read;
};

/* The stamp of PATH; a missing file is no error. ERR_USAGE where the folder is missing or cannot be entered. */
int dump_stamp_take(const char *path, struct dump_stamp *out, struct err *err) MUST_CHECK;

/* Are they the same file, unchanged? */
bool dump_stamp_equal(const struct dump_stamp *a, const struct dump_stamp *b);

/* Can a file be read at all by us? ERR_USAGE that names its owner, its mode and our uid, when it is not; fine when
 * there is none yet. */
int dump_check_readable(const char *path, struct err *err) MUST_CHECK;

/* Room for a save beside the dump at PATH: 1.2 times its size (LAST), or USED_MEMORY bytes when there is none yet.
 * ERR_NO_SPACE with the figures: a failed save can stop the server's writes, so that it must not even be tried. */
int dump_check_space(const char *path, const struct dump_stamp *last, uint64_t used_memory, struct err *err) MUST_CHECK;

/* Bytes that the next save needs, and those that are free for it. */
struct dump_room {
    uint64_t needed, free;
};

/* The figures behind that judgement. */
int dump_measure_room(const char *path, const struct dump_stamp *last, uint64_t used_memory, struct dump_room *out,
                      struct err *err) MUST_CHECK;

/* "1.00 MiB free and a save needs 1.20 MiB (1.2 times the last dump)". Returns OUT. */
const char *dump_room_text(const struct dump_room *room, const struct dump_stamp *last, char *out, size_t size);

/* Is the volume so full that a save of NEEDED bytes (as above) would fail? */
bool dump_is_space_short(const char *path, const struct dump_stamp *last, uint64_t used_memory);

/* What killed saves left behind beside the dump: names of temp-*.rdb, comma-separated, as many as fit; "" for none.
 * Returns their number. */
size_t dump_list_leftovers(const char *path, char *out, size_t size);

/* Open PATH (a link is followed): a regular file that starts like a dump. ERR_USAGE where it is missing, not readable
 * or no regular file, ERR_CORRUPT for an empty file or other bytes. */
int dump_open(const char *path, struct dump_file *out, struct err *err) MUST_CHECK;

/* Up to LEN bytes; *GOT 0 at the end. */
int dump_read(struct dump_file *f, void *buf, size_t len, size_t *got, struct err *err) MUST_CHECK;

/* Were all bytes read, and is the open file as it was? ERR_REFUSED where it changed meanwhile. */
int dump_check_unchanged(const struct dump_file *f, const char *path, struct err *err) MUST_CHECK;

/* Fine when nothing is open. */
void dump_close(struct dump_file *f);

#endif
