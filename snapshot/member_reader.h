/* SPDX-License-Identifier: Apache-2.0 */
/*
 * member_reader.h: a stored member, read back and proven on the way: each segment against its size and SHA-256 in the
 * index, its decompression against its raw size, the index against the manifest, and all of a dump (the member "rdb")
 * against the scanner's judgement and the manifest's counts and CRC. What restore, --stdout and verify share.
 *
 * Workers fetch, check and decompress (member_fetch.h); the calling thread scans in order. What comes out, and what is
 * reported when several things are wrong, is the same whatever the number of workers.
 */
#ifndef SNAPSHOT_MEMBER_READER_H
#define SNAPSHOT_MEMBER_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "snapshot/progress.h"
#include "snapshot/rdb/rdb_key.h"
#include "snapshot/repo/index.h"
#include "snapshot/repo/manifest.h"
#include "snapshot/repo/repo.h"

/* Gets the raw bytes in order, in the calling thread. -1 stops the reading with that error. */
typedef int member_sink_fn(const void *data, size_t len, void *cookie, struct err *err);

/* Gets the raw bytes of segment NUMBER, which belong at OFFSET of the member, as soon as they are proven: in a worker's
 * thread, in any order, several at once. -1 as above. */
typedef int member_place_fn(uint64_t number, uint64_t offset, const void *data, size_t len, void *cookie,
                            struct err *err);

/* Asked by a worker before it fetches: true when it has filled RAW with the LEN bytes of the segment and knows them to
 * be good. They are then neither fetched nor placed; the scanner sees them like all others. */
typedef bool member_have_fn(uint64_t number, uint64_t offset, void *raw, size_t len, void *cookie);

/* What a reading may use, and whom it tells. */
struct read_options {
    unsigned jobs;   /* workers, 1 to 64; fewer where memory or the number of segments says so */
    uint64_t memory; /* of the process, bytes: see memory_plan_read() */
    struct progress_sink progress;
};

/* What became of a reading, successful or not. */
struct member_outcome {
    uint64_t had;   /* segments that `have` gave */
    bool disproved; /* every segment was good by itself, but all of them together are not the dump of the manifest */
};

struct member_read {
    const struct repo *repo;
    const struct manifest *m;
    const struct manifest_member *member; /* one of m's */
    const struct read_options *options;
    enum progress_phase phase;
    /* For member_fetch.h alone: segments are proven by their SHA-256 and handed out as they are stored; `place` and
     * `have` are NULL then. */
    bool as_stored;
    member_sink_fn *sink; /* these three may be NULL; without all of them only the proof is wanted */
    member_place_fn *place;
    member_have_fn *have;
    void *cookie;                   /* of all three */
    struct rdb_observer observer;   /* told of the keys of a dump as they come; {0}: nobody */
    struct member_outcome *outcome; /* filled in unless NULL */
};

/* Read all of the member. The bytes reach sink and place before its end is proven: only 0 means that all of them were
 * good. Missing or wrong objects are ERR_CORRUPT; of several failures, that of the lowest segment is told. No worker is
 * left when it returns, and no callback runs any more. */
int member_read(const struct member_read *r, struct err *err) MUST_CHECK;

/* The index of a member of M, checked against the manifest. Caller does index_fini(). */
int member_read_index(const struct repo *repo, const struct manifest *m, const struct manifest_member *member,
                      struct index *index, struct err *err) MUST_CHECK;

#endif
