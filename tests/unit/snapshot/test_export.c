/* SPDX-License-Identifier: Apache-2.0 */
/* A backup as a tar: a whole repository, the same every time, and nothing of it when anything is wrong. */
#include "snapshot/export.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/tar_read.h"
#include "snapshot/repo/catalog.h"
#include "snapshot/repo/layout.h"
#include "storage/store_tar.h"
#include "tests/support/repo_case.h"
#include "tests/support/test_common.h"

#define SEGMENTS 9
#define CAP      ((size_t)16 << 20)

struct scene {
    struct repo_case c;
    struct rdb_build dump;
    struct manifest *m;
    char dir[256], path[300];
    struct progress last;
};

static int
setup(void **state)
{
    struct scene *s = mem_new(sizeof(*s));

    repo_case_open(&s->c);
    repo_case_dump(&s->dump, (SEGMENTS - 1) * (size_t)CASE_SEGMENT + 700, 1700000000);
    s->m = repo_case_backup(&s->c, &s->dump);
    test_make_dir(s->dir);
    (void)snprintf(s->path, sizeof(s->path), "%s/backup.tar", s->dir);
    *state = s;
    return 0;
}

static int
teardown(void **state)
{
    struct scene *s = *state;

    manifest_free(s->m);
    rdb_build_fini(&s->dump);
    repo_case_close(&s->c);
    test_remove_dir(s->dir);
    free(s);
    return 0;
}

static void
note_progress(const struct progress *p, void *cookie)
{
    struct scene *s = cookie;

    s->last = *p;
}

static int
export_to(struct scene *s, const char *path, unsigned jobs, struct err *err)
{
    const struct read_options options = {
        .jobs = jobs, .memory = (uint64_t)64 << 20, .progress = {.fn = note_progress, .cookie = s}};
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | (strncmp(path, "/dev", 4) == 0 ? 0 : O_TRUNC), 0600);
    uint64_t bytes = 0;
    struct stat st;
    int rc;

    assert_true(fd >= 0);
    rc = export_backup(&s->c.repo, CASE_INSTANCE, &s->m->id, fd, &options, &bytes, err);
    if (rc == 0) {
        assert_int_equal(fstat(fd, &st), 0);
        assert_int_equal(bytes, st.st_size);
    }
    (void)close(fd);
    return rc;
}

static void
export__a_backup__can_be_read_as_a_repository(void **state)
{
    struct scene *s = *state;
    struct err err = ERR_INIT;
    struct manifest *m = NULL;
    struct store *store;
    struct repo repo;

    assert_ok(export_to(s, s->path, 2, &err), &err);
    assert_int_equal(s->last.phase, PROGRESS_EXPORTING);
    assert_int_equal(s->last.done, s->m->rdb_member.stored_size);
    assert_int_equal(s->last.total, s->last.done);
    store = store_tar_open(s->path, &err);
    assert_non_null(store);
    assert_ok(repo_open(store, &repo, &err), &err);
    assert_string_equal(repo.id, s->c.repo.id);
    assert_ok(repo_check_instance(&repo, CASE_INSTANCE, &err), &err);
    assert_ok(catalog_find(&repo, CASE_INSTANCE, "latest", NULL, NULL, &m, &err), &err);
    assert_string_equal(m->uuid, s->m->uuid);
    assert_ok(
        member_read(&(struct member_read){.repo = &repo, .m = m, .member = &m->rdb_member, .options = &case_reading},
                    &err),
        &err);
    manifest_free(m);
    store_free(store);
}

/* The next entry is NAME, with the bytes that the repository has under that key, and the backup's time. */
static void
expect_entry(const struct scene *s, struct tar_reader *r, const char *name)
{
    struct err err = ERR_INIT;
    struct tar_entry entry;
    bool end = true;
    size_t len = 0, got = 0;
    char *wanted = repo_case_get(s->c.store, name, &len), *found = mem_new(len + 1);

    assert_ok(tar_reader_next(r, &entry, &end, &err), &err);
    assert_false(end);
    assert_string_equal(entry.name, name);
    assert_int_equal(entry.mtime_ms, s->m->snapshot_ms);
    assert_ok(tar_reader_data(r, found, len + 1, &got, &err), &err);
    assert_int_equal(got, len);
    assert_memory_equal(found, wanted, len);
    free(wanted);
    free(found);
}

static void
export__order__markers_manifest_index_segments(void **state)
{
    struct scene *s = *state;
    struct err err = ERR_INIT;
    struct layout_key key;
    struct tar_entry entry;
    struct tar_reader *r;
    bool end = false;
    int fd;

    assert_ok(export_to(s, s->path, 3, &err), &err);
    fd = open(s->path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    r = tar_reader_from_fd(fd, &err);
    expect_entry(s, r, LAYOUT_MARKER);
    layout_instance_marker(&key, CASE_INSTANCE);
    expect_entry(s, r, key.text);
    layout_manifest(&key, CASE_INSTANCE, &s->m->id);
    expect_entry(s, r, key.text);
    layout_index(&key, CASE_INSTANCE, &s->m->id, LAYOUT_MEMBER_RDB);
    expect_entry(s, r, key.text);
    for (uint64_t n = 0; n < SEGMENTS; n++) {
        layout_segment(&key, CASE_INSTANCE, &s->m->id, LAYOUT_MEMBER_RDB, n);
        expect_entry(s, r, key.text);
    }
    assert_ok(tar_reader_next(r, &entry, &end, &err), &err);
    assert_true(end);
    tar_reader_free(r);
    (void)close(fd);
}

static void
export__again_with_other_jobs__same_bytes(void **state)
{
    struct scene *s = *state;
    struct err err = ERR_INIT;
    char *first = NULL, *again = NULL;
    size_t first_len = 0, len = 0;

    assert_ok(export_to(s, s->path, 1, &err), &err);
    assert_ok(file_read_all(AT_FDCWD, s->path, CAP, &first, &first_len, &err), &err);
    for (unsigned jobs = 1; jobs <= 6; jobs++) {
        assert_ok(export_to(s, s->path, jobs, &err), &err);
        assert_ok(file_read_all(AT_FDCWD, s->path, CAP, &again, &len, &err), &err);
        assert_int_equal(len, first_len);
        assert_memory_equal(again, first, len);
        free(again);
    }
    free(first);
}

/* Each object of the backup, missing, longer, and with one other byte. */
static void
export__any_object_damaged__corrupt_and_no_whole_tar(void **state)
{
    struct scene *s = *state;
    struct layout_key keys[SEGMENTS + 2];

    layout_manifest(&keys[0], CASE_INSTANCE, &s->m->id);
    layout_index(&keys[1], CASE_INSTANCE, &s->m->id, LAYOUT_MEMBER_RDB);
    for (uint64_t n = 0; n < SEGMENTS; n++)
        layout_segment(&keys[n + 2], CASE_INSTANCE, &s->m->id, LAYOUT_MEMBER_RDB, n);
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        size_t len = 0;
        char *good = repo_case_get(s->c.store, keys[i].text, &len), *bad = mem_strndup(good, len);
        struct err err = ERR_INIT;

        bad[len / 2] ^= 1;
        repo_case_put(s->c.store, keys[i].text, bad, len);
        assert_fails(export_to(s, s->path, 2, &err), &err, ERR_CORRUPT);
        assert_null(store_tar_open(s->path, &err)); /* cut off */
        assert_int_equal(err.code, ERR_CORRUPT);
        err_clear(&err);
        repo_case_put(s->c.store, keys[i].text, good, len + 1); /* its NUL too */
        assert_fails(export_to(s, s->path, 2, &err), &err, ERR_CORRUPT);
        repo_case_remove(s->c.store, keys[i].text);
        assert_fails(export_to(s, s->path, 2, &err), &err, i == 0 ? ERR_NOT_FOUND : ERR_CORRUPT);
        repo_case_put(s->c.store, keys[i].text, good, len);
        assert_ok(export_to(s, s->path, 2, &err), &err);
        free(good);
        free(bad);
    }
}

static void
export__no_room__no_space(void **state)
{
    struct scene *s = *state;
    struct err err = ERR_INIT;

    for (unsigned jobs = 1; jobs <= 4; jobs++)
        assert_fails(export_to(s, "/dev/full", jobs, &err), &err, ERR_NO_SPACE);
}

static void
export__no_such_backup__not_found(void **state)
{
    struct scene *s = *state;
    struct err err = ERR_INIT;

    (void)snprintf(s->m->id.text, sizeof(s->m->id.text), "20010101T000000Z-000000");
    assert_fails(export_to(s, s->path, 2, &err), &err, ERR_NOT_FOUND);
}

int
main(void)
{
#define case_of(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        case_of(export__a_backup__can_be_read_as_a_repository),
        case_of(export__order__markers_manifest_index_segments),
        case_of(export__again_with_other_jobs__same_bytes),
        case_of(export__any_object_damaged__corrupt_and_no_whole_tar),
        case_of(export__no_room__no_space),
        case_of(export__no_such_backup__not_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
