/* SPDX-License-Identifier: Apache-2.0 */
/* export.c: see export.h. Segments are fetched ahead by workers (member_fetch.h) and written in order. */
#include "snapshot/export.h"

#include <stdlib.h>

#include "base/tar_write.h"
#include "snapshot/member_fetch.h"
#include "snapshot/repo/layout.h"
#include "snapshot/repo/manifest.h"
#include "snapshot/repo/stored.h"

struct exporting {
    const struct repo *repo;
    const struct manifest *m;
    const struct read_options *options;
    struct tar_writer *tar;
    uint64_t done, total; /* stored bytes of segments */
};

static int
add(const struct exporting *x, const struct layout_key *key, const void *data, size_t len, struct err *err)
{
    if (tar_writer_file(x->tar, key->text, len, x->m->snapshot_ms, err) < 0)
        return -1;
    return tar_writer_data(x->tar, data, len, err);
}

/* A marker as it is. */
static int
add_marker(const struct exporting *x, const struct layout_key *key, struct err *err)
{
    char *data = NULL;
    size_t len = 0;
    int rc = store_get_all(x->repo->store, key->text, REPO_SMALL_OBJECT, &data, &len, err);

    if (rc == 0)
        rc = add(x, key, data, len, err);
    free(data);
    return rc;
}

static int
add_segments(struct exporting *x, const struct manifest_member *member, const struct index *index, struct err *err)
{
    const struct member_read read = {
        .repo = x->repo, .m = x->m, .member = member, .options = x->options, .as_stored = true};
    struct member_fetch *fetch = member_fetch_start(&read, index, err);
    int rc = fetch != NULL ? 0 : -1;

    for (uint64_t n = 0; rc == 0 && n < index->count; n++) {
        struct layout_key key;
        struct member_piece piece;

        layout_segment(&key, x->m->instance, &x->m->id, member->name, n);
        rc = member_fetch_next(fetch, &piece, err);
        if (rc == 0)
            rc = add(x, &key, piece.raw, piece.len, err);
        x->done += rc == 0 ? piece.len : 0;
        progress_tell(&x->options->progress, PROGRESS_EXPORTING, x->done, x->total, 0);
    }
    member_fetch_end(fetch);
    return rc;
}

static int
add_member(struct exporting *x, const struct manifest_member *member, struct err *err)
{
    struct layout_key key;
    struct index index;
    char *data = NULL;
    size_t len = 0;
    int rc = -1;

    index_init(&index);
    layout_index(&key, x->m->instance, &x->m->id, member->name);
    if (stored_index(x->repo, x->m, member, &data, &len, err) == 0 &&
        stored_index_check(member, data, len, &index, err) == 0 && add(x, &key, data, len, err) == 0)
        rc = add_segments(x, member, &index, err);
    free(data);
    index_fini(&index);
    return rc < 0 ? err_wrap(err, "the member %s", member->name) : 0;
}

/* All entries, in the order that an import down a pipe relies on. MANIFEST are its bytes. */
static int
add_all(struct exporting *x, const char *manifest, size_t len, struct err *err)
{
    const struct manifest_member *members[MANIFEST_MEMBERS_MAX];
    struct layout_key repository = {LAYOUT_MARKER}, instance, key;
    size_t count = manifest_members(x->m, members);

    layout_instance_marker(&instance, x->m->instance);
    layout_manifest(&key, x->m->instance, &x->m->id);
    if (add_marker(x, &repository, err) < 0 || add_marker(x, &instance, err) < 0 ||
        add(x, &key, manifest, len, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        x->total += members[i]->stored_size;
    for (size_t i = 0; i < count; i++) {
        if (add_member(x, members[i], err) < 0)
            return -1;
    }
    return tar_writer_finish(x->tar, err);
}

int
export_backup(const struct repo *repo, const char *instance, const struct backup_id *id, int fd,
              const struct read_options *options, uint64_t *bytes, struct err *err)
{
    struct exporting x = {.repo = repo, .options = options};
    struct manifest *m = NULL;
    char *data = NULL;
    size_t len = 0;
    int rc = stored_manifest(repo, instance, id, &data, &len, &m, err);

    *bytes = 0;
    x.m = m;
    if (rc == 0 && m->has_other_members)
        rc = err_set(err, ERR_UNSUPPORTED,
                     "backup %s has members that this version does not know and would leave behind; use a newer remora",
                     id->text);
    if (rc == 0) {
        x.tar = tar_writer_to_fd(fd, err);
        rc = x.tar != NULL ? add_all(&x, data, len, err) : -1;
    }
    if (x.tar != NULL) {
        *bytes = tar_writer_bytes(x.tar);
    }
    tar_writer_free(x.tar);
    manifest_free(m);
    free(data);
    return rc < 0 ? err_wrap(err, "backup %s", id->text) : 0;
}
