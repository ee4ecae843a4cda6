/* SPDX-License-Identifier: Apache-2.0 */
/* stored.c: see stored.h. */
#include "snapshot/repo/stored.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "snapshot/repo/layout.h"
#include "snapshot/repo/segment.h"

int
stored_manifest(const struct repo *repo, const char *instance, const struct backup_id *id, char **data, size_t *len,
                struct manifest **out, struct err *err)
{
    struct manifest *m = NULL;
    struct layout_key key;
    char *bytes = NULL;
    int rc = -1;

    layout_manifest(&key, instance, id);
    if (store_get_all(repo->store, key.text, REPO_SMALL_OBJECT, &bytes, len, err) < 0)
        return -1;
    if (manifest_parse(bytes, *len, &m, err) < 0)
        goto out;
    if (strcmp(m->id.text, id->text) != 0) {
        (void)err_set(err, ERR_CORRUPT, "the manifest is that of another backup, %s", m->id.text);
        goto out;
    }
    (void)snprintf(m->instance, sizeof(m->instance), "%s",
                   instance); /* the folder it lies in decides: an instance may be renamed by moving it */
    *data = bytes;
    *out = m;
    bytes = NULL;
    m = NULL;
    rc = 0;
out:
    manifest_free(m);
    free(bytes);
    return rc;
}

int
stored_index(const struct repo *repo, const struct manifest *m, const struct manifest_member *member, char **data,
             size_t *len, struct err *err)
{
    struct layout_key key;

    layout_index(&key, m->instance, &m->id, member->name);
    if (store_get_all(repo->store, key.text, INDEX_MAX_BYTES, data, len, err) == 0)
        return 0;
    return err->code == ERR_NOT_FOUND ? err_set(err, ERR_CORRUPT, "the index is missing") : -1;
}

int
stored_index_check(const struct manifest_member *member, const char *data, size_t len, struct index *index,
                   struct err *err)
{
    uint8_t sha256[DIGEST_SHA256_LEN];

    index_init(index);
    digest_sha256(data, len, sha256);
    if (len != member->index_size || memcmp(sha256, member->index_sha256, sizeof(sha256)) != 0)
        return err_set(err, ERR_CORRUPT, "the index does not match the manifest's digest");
    if (index_parse(data, len, index, err) < 0)
        return err_wrap(err, "the index");
    if (index->count == member->segments && index_raw_size(index) == member->raw_size &&
        index_stored_size(index) == member->stored_size)
        return 0;
    index_fini(index);
    return err_set(err, ERR_CORRUPT, "the index and the manifest disagree on the sizes");
}

int
stored_index_bounds(const struct index *index, size_t *raw, size_t *stored, struct err *err)
{
    *raw = 0;
    *stored = 0;
    for (size_t i = 0; i < index->count; i++) {
        const struct index_segment *s = &index->segments[i];

        if (s->raw_size > STORED_SEGMENT_RAW_MAX || s->stored_size > segment_bound((size_t)s->raw_size))
            return err_set(err, ERR_CORRUPT,
                           "segment %zu is said to have %" PRIu64 " bytes, stored in %" PRIu64
                           ": no segment is that large",
                           i, s->raw_size, s->stored_size);
        if (s->raw_size > *raw)
            *raw = (size_t)s->raw_size;
        if (s->stored_size > *stored)
            *stored = (size_t)s->stored_size;
    }
    return 0;
}

int
stored_segment_check(const struct index_segment *s, const void *data, size_t len, struct err *err)
{
    uint8_t sha256[DIGEST_SHA256_LEN];

    if (len != s->stored_size)
        return err_set(err, ERR_CORRUPT, "it has %s bytes than the %" PRIu64 " that were stored",
                       len < s->stored_size ? "fewer" : "more", s->stored_size);
    digest_sha256(data, len, sha256);
    if (memcmp(sha256, s->sha256, sizeof(sha256)) != 0)
        return err_set(err, ERR_CORRUPT, "its bytes do not match their SHA-256");
    return 0;
}

int
stored_segment(const struct repo *repo, const struct manifest *m, const struct manifest_member *member, uint64_t number,
               const struct index_segment *s, void *buf, struct err *err)
{
    struct layout_key key;
    size_t got = 0;

    layout_segment(&key, m->instance, &m->id, member->name, number);
    /* One byte more than should come shows an object that is too long. */
    if (store_get(repo->store, key.text, 0, buf, (size_t)s->stored_size + 1, &got, err) < 0)
        return err->code == ERR_NOT_FOUND ? err_set(err, ERR_CORRUPT, "it is missing") : -1;
    return stored_segment_check(s, buf, got, err);
}
