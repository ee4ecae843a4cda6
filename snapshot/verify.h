/* SPDX-License-Identifier: Apache-2.0 */
/* verify.h: the verb `verify`: is this backup still what its manifest says? */
#ifndef SNAPSHOT_VERIFY_H
#define SNAPSHOT_VERIFY_H

#include <stdbool.h>

#include "base/err.h"
#include "snapshot/member_reader.h"
#include "snapshot/repo/manifest.h"
#include "snapshot/repo/repo.h"

enum verify_level {
    VERIFY_QUICK,   /* manifest and index are whole, every segment exists and has its size */
    VERIFY_DIGESTS, /* and every segment's digest, decompression, the dump's structure and CRC, and the counts of the
                       manifest */
};

/* "quick", "digests". */
const char *verify_level_name(enum verify_level level);

/* 0: good. ERR_CORRUPT with the first thing that is wrong, or why it could not be checked. */
int verify_backup(const struct repo *repo, const struct manifest *m, enum verify_level level,
                  const struct read_options *options, struct err *err) MUST_CHECK;

/* Put the fact verified/<id>.json: found good at LEVEL now. */
int verify_record(const struct repo *repo, const struct manifest *m, enum verify_level level, const char *tool_version,
                  struct err *err) MUST_CHECK;

#endif
