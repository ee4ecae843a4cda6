/* SPDX-License-Identifier: Apache-2.0 */
/* member_reader.c: see member_reader.h. */
#include "snapshot/member_reader.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "snapshot/member_fetch.h"
#include "snapshot/rdb/rdb_scan.h"
#include "snapshot/repo/layout.h"
#include "snapshot/repo/stored.h"

struct reader {
    const struct member_read *r;
    struct index index;
    struct member_fetch *fetch;
    struct rdb_scan *scan; /* NULL for a member that is no dump */
    uint64_t done, stored;
    struct member_outcome outcome;
};

int
member_read_index(const struct repo *repo, const struct manifest *m, const struct manifest_member *member,
                  struct index *index, struct err *err)
{
    char *data = NULL;
    size_t len = 0;
    int rc;

    index_init(index);
    if (stored_index(repo, m, member, &data, &len, err) < 0)
        return -1;
    rc = stored_index_check(member, data, len, index, err);
    free(data);
    return rc;
}

/* ---- all of it together ------------------------------------------------------------------------------------------ */

static bool
same_dbs(const struct rdb_info *a, const struct rdb_info *b)
{
    if (a->db_count != b->db_count)
        return false;
    for (size_t i = 0; i < a->db_count; i++) {
        if (a->dbs[i].number != b->dbs[i].number || a->dbs[i].keys != b->dbs[i].keys ||
            a->dbs[i].expires != b->dbs[i].expires)
            return false;
    }
    return true;
}

/* The scanner's findings against the manifest's: a wrong count would mean that one of the two dumps is not the other.
 */
static int
compare(const struct rdb_info *found, const struct rdb_info *said, uint64_t size, struct err *err)
{
    if (found->kind != said->kind || found->version != said->version || found->crc_computed != said->crc_computed ||
        found->crc_stored != said->crc_stored || found->bytes != size)
        return err_set(err, ERR_CORRUPT, "the dump is not the one that the manifest describes");
    if (found->keys != said->keys)
        return err_set(err, ERR_CORRUPT, "the dump holds %" PRIu64 " keys, the manifest says %" PRIu64, found->keys,
                       said->keys);
    if (found->parsed != said->parsed || found->crc_state != said->crc_state || found->expires != said->expires ||
        found->functions != said->functions || memcmp(found->types, said->types, sizeof(found->types)) != 0 ||
        !same_dbs(found, said))
        return err_set(err, ERR_CORRUPT, "the dump's counts are not those of the manifest");
    return 0;
}

/* ---- segment by segment ------------------------------------------------------------------------------------------ */

static int
take_segment(struct reader *d, uint64_t n, struct err *err)
{
    const struct member_read *r = d->r;
    struct member_piece piece;

    if (member_fetch_next(d->fetch, &piece, err) < 0)
        return -1;
    d->outcome.had += piece.had;
    if (d->scan != NULL && rdb_scan_feed(d->scan, piece.raw, piece.len, err) < 0) {
        d->outcome.disproved = true;
        return -1;
    }
    if (r->sink != NULL && r->sink(piece.raw, piece.len, r->cookie, err) < 0)
        return -1;
    d->done += piece.len;
    d->stored += piece.had ? 0 : d->index.segments[n].stored_size;
    progress_tell(&r->options->progress, r->phase, d->done, r->member->raw_size, d->stored);
    return 0;
}

static int
take_all(struct reader *d, struct err *err)
{
    for (uint64_t n = 0; n < d->index.count; n++) {
        if (take_segment(d, n, err) < 0)
            return -1;
    }
    if (d->scan == NULL)
        return 0;
    if (rdb_scan_finish(d->scan, err) == 0 &&
        compare(rdb_scan_info(d->scan), &d->r->m->rdb, d->r->member->raw_size, err) == 0)
        return 0;
    d->outcome.disproved = true;
    return -1;
}

int
member_read(const struct member_read *r, struct err *err)
{
    /* compare() holds the CRC64 against the manifest's: of a dump that was parsed, these are the very bytes. */
    const struct rdb_scan_options options = {
        .allow_unparsed = !r->m->rdb.parsed,
        .lzf_proven = r->m->rdb.parsed,
        .observer = r->observer,
    };
    struct reader d = {.r = r};
    int rc = -1;

    index_init(&d.index);
    if (member_read_index(r->repo, r->m, r->member, &d.index, err) < 0)
        goto out;
    if (strcmp(r->member->name, LAYOUT_MEMBER_RDB) == 0)
        d.scan = rdb_scan_new(&options);
    d.fetch = member_fetch_start(r, &d.index, err);
    if (d.fetch != NULL)
        rc = take_all(&d, err);
out:
    member_fetch_end(d.fetch);
    rdb_scan_free(d.scan);
    index_fini(&d.index);
    if (r->outcome != NULL)
        *r->outcome = d.outcome;
    return rc < 0 ? err_wrap(err, "backup %s", r->m->id.text) : 0;
}
