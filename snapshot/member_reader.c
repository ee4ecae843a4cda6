/* SPDX-License-Identifier: Apache-2.0 */
/* member_reader.c: see member_reader.h. */
#include "snapshot/member_reader.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/sig.h"
#include "snapshot/rdb/rdb_scan.h"
#include "snapshot/repo/layout.h"
#include "snapshot/repo/segment.h"

/* No segment is larger, whatever an index says: that is what bounds our memory. */
#define SEGMENT_RAW_MAX ((size_t)64 << 20)

struct reader {
    const struct member_read *r;
    struct index index;
    struct segment_decoder *decoder;
    struct rdb_scan *scan;
    uint8_t *stored, *raw;
    size_t stored_cap, raw_cap;
    uint64_t done, got;
};

/* An object that the manifest needs and the store has not: the backup is damaged, however well the store is. */
static int
missing_is_damage(const char *what, struct err *err)
{
    if (err->code == ERR_NOT_FOUND)
        return err_set(err, ERR_CORRUPT, "%s is missing", what);
    return -1;
}

int
member_read_index(const struct repo *repo, const struct manifest *m, struct index *index, struct err *err)
{
    const struct manifest_member *member = &m->rdb_member;
    uint8_t sha256[DIGEST_SHA256_LEN];
    struct layout_key key;
    char *data = NULL;
    size_t len = 0;
    int rc = -1;

    index_init(index);
    layout_index(&key, m->instance, &m->id, member->name);
    if (store_get_all(repo->store, key.text, INDEX_MAX_BYTES, &data, &len, err) < 0)
        return missing_is_damage("the index", err);
    digest_sha256(data, len, sha256);
    if (len != member->index_size || memcmp(sha256, member->index_sha256, sizeof(sha256)) != 0)
        (void)err_set(err, ERR_CORRUPT, "the index does not match the manifest's digest");
    else if (index_parse(data, len, index, err) < 0)
        (void)err_wrap(err, "the index");
    else if (index->count != member->segments || index_raw_size(index) != member->raw_size ||
             index_stored_size(index) != member->stored_size)
        (void)err_set(err, ERR_CORRUPT, "the index and the manifest disagree on the sizes");
    else
        rc = 0;
    free(data);
    if (rc < 0)
        index_fini(index);
    return rc;
}

static int
prepare(struct reader *d, struct err *err)
{
    const struct rdb_scan_options options = {.allow_unparsed = !d->r->m->rdb.parsed};

    for (size_t i = 0; i < d->index.count; i++) {
        const struct index_segment *s = &d->index.segments[i];

        if (s->raw_size > SEGMENT_RAW_MAX || s->stored_size > segment_bound(SEGMENT_RAW_MAX))
            return err_set(err, ERR_CORRUPT, "segment %zu is said to have %" PRIu64 " bytes: no segment is that large",
                           i, s->raw_size);
        if (s->raw_size > d->raw_cap)
            d->raw_cap = (size_t)s->raw_size;
        if (s->stored_size > d->stored_cap)
            d->stored_cap = (size_t)s->stored_size;
    }
    d->raw_cap += d->raw_cap == 0;
    d->stored_cap++; /* one more than should come shows an object that is too long */
    d->raw = mem_pages(d->raw_cap, err);
    d->stored = d->raw != NULL ? mem_pages(d->stored_cap, err) : NULL;
    d->decoder = d->stored != NULL ? segment_decoder_new(err) : NULL;
    d->scan = rdb_scan_new(&options);
    return d->decoder != NULL ? 0 : -1;
}

/* Fetch segment N, prove it, decompress it into d->raw. */
static int
load_segment(struct reader *d, uint64_t n, struct err *err)
{
    const struct manifest *m = d->r->m;
    const struct index_segment *s = &d->index.segments[n];
    uint8_t sha256[DIGEST_SHA256_LEN];
    struct layout_key key;
    size_t got = 0;

    layout_segment(&key, m->instance, &m->id, m->rdb_member.name, n);
    if (store_get(d->r->repo->store, key.text, 0, d->stored, (size_t)s->stored_size + 1, &got, err) < 0)
        return missing_is_damage("it", err);
    if (got != s->stored_size)
        return err_set(err, ERR_CORRUPT, "it has %s bytes than the %" PRIu64 " that were stored",
                       got < s->stored_size ? "fewer" : "more", s->stored_size);
    digest_sha256(d->stored, got, sha256);
    if (memcmp(sha256, s->sha256, sizeof(sha256)) != 0)
        return err_set(err, ERR_CORRUPT, "its bytes do not match their SHA-256");
    return segment_decode(d->decoder, d->stored, got, d->raw, (size_t)s->raw_size, err);
}

static int
take_segment(struct reader *d, uint64_t n, struct err *err)
{
    const struct member_read *r = d->r;
    size_t len = (size_t)d->index.segments[n].raw_size;

    if (sig_check(err) < 0)
        return -1;
    if (load_segment(d, n, err) < 0)
        return err_wrap(err, "segment %" PRIu64, n);
    if (rdb_scan_feed(d->scan, d->raw, len, err) < 0)
        return -1;
    if (r->sink != NULL && r->sink(d->raw, len, r->cookie, err) < 0)
        return -1;
    d->done += len;
    d->got += d->index.segments[n].stored_size;
    progress_tell(r->progress, r->phase, d->done, r->m->rdb_member.raw_size, d->got);
    return 0;
}

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
compare(const struct rdb_info *found, const struct manifest *m, struct err *err)
{
    const struct rdb_info *said = &m->rdb;

    if (found->kind != said->kind || found->version != said->version || found->crc_computed != said->crc_computed ||
        found->crc_stored != said->crc_stored || found->bytes != m->rdb_member.raw_size)
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

int
member_read_rdb(const struct member_read *r, struct err *err)
{
    struct reader d = {.r = r};
    int rc = -1;

    if (member_read_index(r->repo, r->m, &d.index, err) < 0 || prepare(&d, err) < 0)
        goto out;
    for (uint64_t n = 0; n < d.index.count; n++) {
        if (take_segment(&d, n, err) < 0)
            goto out;
    }
    if (rdb_scan_finish(d.scan, err) < 0 || compare(rdb_scan_info(d.scan), r->m, err) < 0)
        goto out;
    rc = 0;
out:
    rdb_scan_free(d.scan);
    segment_decoder_free(d.decoder);
    mem_pages_free(d.stored, d.stored_cap);
    mem_pages_free(d.raw, d.raw_cap);
    index_fini(&d.index);
    return rc < 0 ? err_wrap(err, "backup %s", r->m->id.text) : 0;
}
