/* SPDX-License-Identifier: Apache-2.0 */
/* member_writer.c: see member_writer.h. */
#include "snapshot/member_writer.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/sig.h"
#include "snapshot/repo/layout.h"

int
member_encoder_init(struct member_encoder *e, int level, size_t raw, struct err *err)
{
    e->zstd = NULL;
    e->cap = segment_bound(raw);
    e->out = mem_pages(e->cap, err);
    if (e->out != NULL)
        e->zstd = segment_encoder_new(level, err);
    return e->zstd != NULL ? 0 : -1;
}

void
member_encoder_fini(struct member_encoder *e)
{
    mem_pages_free(e->out, e->cap);
    segment_encoder_free(e->zstd);
    *e = (struct member_encoder){0};
}

int
member_put_slice(const struct member_place *place, const struct member_encoder *e, const struct member_slice *slice,
                 struct index_segment *entry, struct err *err)
{
    struct layout_key key;
    struct store_put put = {.key = key.text, .data = e->out, .flags = STORE_PUT_PERMANENT, .sha256 = entry->sha256};

    *entry = (struct index_segment){.raw_offset = slice->offset, .raw_size = slice->len};
    if (segment_encode(e->zstd, slice->raw, slice->len, e->out, e->cap, &put.len, err) < 0)
        return -1;
    digest_sha256(e->out, put.len, entry->sha256);
    entry->stored_size = put.len;
    layout_segment(&key, place->m->instance, &place->m->id, place->member, slice->number);
    return store_put(place->repo->store, &put, err);
}

uint64_t
member_segments(size_t len, size_t segment_bytes)
{
    return (len - 1) / segment_bytes + 1;
}

int
member_put(const struct member_place *place, const void *data, size_t len, size_t segment_bytes, int level,
           struct index *index, struct err *err)
{
    struct member_encoder encoder = {0};
    struct member_slice slice = {.raw = data};
    int rc = member_encoder_init(&encoder, level, len < segment_bytes ? len : segment_bytes, err);

    while (rc == 0 && slice.offset < len) {
        struct index_segment entry;

        slice.len = len - slice.offset < segment_bytes ? len - slice.offset : segment_bytes;
        if (sig_check(err) < 0 || member_put_slice(place, &encoder, &slice, &entry, err) < 0)
            rc = -1;
        else
            rc = index_set(index, slice.number, &entry, err);
        slice.raw += slice.len;
        slice.offset += slice.len;
        slice.number++;
    }
    member_encoder_fini(&encoder);
    return rc < 0 ? err_wrap(err, "member %s", place->member) : 0;
}

/* Remove COUNT objects from number FIRST on; the one behind the last of SEGMENTS is the index. */
static int
remove_some(const struct member_place *place, uint64_t segments, uint64_t first, size_t count, struct err *err)
{
    struct layout_key *keys = mem_array(count, sizeof(*keys));
    const char **names = mem_array(count, sizeof(*names));
    int rc;

    for (size_t i = 0; i < count; i++) {
        if (first + i < segments)
            layout_segment(&keys[i], place->m->instance, &place->m->id, place->member, first + i);
        else
            layout_index(&keys[i], place->m->instance, &place->m->id, place->member);
        names[i] = keys[i].text;
    }
    rc = store_remove_many(place->repo->store, names, count, err);
    free(names);
    free(keys);
    return rc;
}

int
member_remove(const struct member_place *place, uint64_t segments, uint64_t *left, struct err *err)
{
    for (*left = segments + 1; *left > 0;) {
        size_t count = *left < STORE_REMOVE_MAX ? (size_t)*left : STORE_REMOVE_MAX;

        if (remove_some(place, segments, segments + 1 - *left, count, err) < 0)
            return -1;
        *left -= count;
    }
    return 0;
}
