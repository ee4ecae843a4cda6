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
                       manifest; the configuration is a tar that could be extracted */
    VERIFY_LOAD,    /* and a real server loads it and holds what the manifest says: verify_load.h does this one */
};

/* "quick", "digests", "load". */
const char *verify_level_name(enum verify_level level);

/* LEVEL is one of the first two. 0: good. ERR_CORRUPT with the first thing that is wrong, or why it could not be
 * checked. */
int verify_backup(const struct repo *repo, const struct manifest *m, enum verify_level level,
                  const struct read_options *options, struct err *err) MUST_CHECK;

/* The part of VERIFY_DIGESTS that is about the configuration: 0 too where the backup has none. */
int verify_config(const struct repo *repo, const struct manifest *m, const struct read_options *options,
                  struct err *err) MUST_CHECK;

/* A good result, to be noted. */
struct verify_fact {
    enum verify_level level;
    const char *server; /* VERIFY_LOAD: which one loaded it, "redis 7.0.15"; else NULL */
    const char *tool_version;
};

/* Put the fact verified/<id>.json: M was found good now. When and by what server it was last loaded is kept from the
 * fact that is there. */
int verify_record(const struct repo *repo, const struct manifest *m, const struct verify_fact *found,
                  struct err *err) MUST_CHECK;

#endif
