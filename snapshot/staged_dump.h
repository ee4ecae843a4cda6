/* SPDX-License-Identifier: Apache-2.0 */
/*
 * staged_dump.h: a backup's dump, written into a file by the reader's workers, each segment at its place; and taken up
 * again where an earlier run was interrupted. Knows nothing of folders: where the file lies and how it comes to be the
 * server's is target/'s business.
 *
 * A segment counts as there when the journal notes it and the file's bytes have the CRC64 that it notes. The proof of
 * all is the same as without: the scanner and the CRC64 of the whole against the manifest, which has one for a dump
 * without a checksum of its own too. Where that proof fails on bytes of an earlier run, they are all thrown away and
 * the dump is fetched again, once.
 */
#ifndef SNAPSHOT_STAGED_DUMP_H
#define SNAPSHOT_STAGED_DUMP_H

#include <stdbool.h>

#include "base/err.h"
#include "snapshot/member_reader.h"
#include "snapshot/repo/manifest.h"
#include "snapshot/repo/repo.h"

/* The descriptors stay the caller's. */
struct staged_dump {
    int fd;       /* the dump: for writing, with a journal for reading too */
    int journal;  /* for reading and appending; -1: nothing is noted */
    bool resumed; /* FD and journal hold what an interrupted run of this very backup left; needs a journal */
};

/* Write the dump of M, and fsync it. After a failure the file holds part of it, and the journal says which. */
int staged_dump_write(const struct repo *repo, const struct manifest *m, const struct staged_dump *staged,
                      const struct read_options *options, struct err *err) MUST_CHECK;

#endif
