/* SPDX-License-Identifier: Apache-2.0 */
/* verify_load.h: the deepest `verify`: a backup is restored into a temporary folder, a real server is started on it,
 * and what it holds is compared with the manifest. Server and folder are gone in the end, whatever happens. */
#ifndef SNAPSHOT_VERIFY_LOAD_H
#define SNAPSHOT_VERIFY_LOAD_H

#include <stdint.h>

#include "base/err.h"
#include "snapshot/member_reader.h"
#include "snapshot/repo/manifest.h"
#include "snapshot/repo/repo.h"

#define VERIFY_LOAD_PREFIX "remora-load-" /* of the temporary folder's name */

struct verify_load_options {
    const char *server_binary; /* NULL: by server_program_find(), the kind that wrote the dump first */
    const char *temp_dir;      /* where there is room for the dump */
    uint64_t memory_limit;     /* bytes that all processes here may have; 0: not known */
    struct read_options reading;
};

struct verify_loaded {
    char server[64];  /* "redis 7.0.15" */
    uint64_t expired; /* keys that have run out since the backup */
    uint64_t skipped; /* empty keys, which servers do not take */
};

/*
 * 0: good, and all that VERIFY_DIGESTS proves is proven too. ERR_CORRUPT: damaged, a server does not load it, or holds
 * something else than the manifest says. ERR_UNSUPPORTED: this server is too old or the wrong kind for it, or the dump
 * needs modules. ERR_NO_SPACE: too little room or memory. All else: it could not be checked. To be called by a thread
 * that goes on living, best the main one.
 */
int verify_load(const struct repo *repo, const struct manifest *m, const struct verify_load_options *options,
                struct verify_loaded *loaded, struct err *err) MUST_CHECK;

#endif
