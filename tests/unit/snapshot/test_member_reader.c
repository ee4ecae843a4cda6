/* SPDX-License-Identifier: Apache-2.0 */
/* test_member_reader.c: a stored dump read back, and every way in which its objects can be wrong: restore gives no
 * dump, verify says damaged. */
#include "snapshot/member_reader.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json_read.h"
#include "base/mem.h"
#include "snapshot/repo/catalog.h"
#include "snapshot/repo/layout.h"
#include "snapshot/restore.h"
#include "snapshot/verify.h"
#include "storage/store_fault.h"
#include "storage/store_readonly.h"
#include "tests/support/repo_case.h"
#include "tests/support/target_case.h"
#include "tests/support/test_common.h"

#define SEGMENTS 5

struct stored {
    struct repo_case c;
    struct rdb_build dump;
    struct manifest *m;
    char dir[256];
};

static int
setup(void **state)
{
    struct stored *s = mem_new(sizeof(*s));

    repo_case_open(&s->c);
    repo_case_dump(&s->dump, (SEGMENTS - 1) * (size_t)CASE_SEGMENT + 600, 1700000000);
    s->m = repo_case_backup(&s->c, &s->dump);
    assert_int_equal(s->m->rdb_member.segments, SEGMENTS);
    test_make_dir(s->dir);
    store_fault_reset_counts(s->c.store);
    *state = s;
    return 0;
}

static int
teardown(void **state)
{
    struct stored *s = *state;

    test_remove_dir(s->dir);
    manifest_free(s->m);
    rdb_build_fini(&s->dump);
    repo_case_close(&s->c);
    free(s);
    return 0;
}

static const char *
segment_key(struct stored *s, uint64_t n)
{
    static struct layout_key key;

    layout_segment(&key, s->m->instance, &s->m->id, LAYOUT_MEMBER_RDB, n);
    return key.text;
}

static const char *
index_key(struct stored *s)
{
    static struct layout_key key;

    layout_index(&key, s->m->instance, &s->m->id, LAYOUT_MEMBER_RDB);
    return key.text;
}

static int
restore(struct stored *s, struct err *err)
{
    struct target_plan plan = target_case_plan(TARGET_LAYOUT_RDB, s->m->rdb_member.raw_size);
    struct target *t = NULL;
    enum target_state state;
    int rc;

    assert_ok(target_case_open(s->dir, "dump.rdb", &t, err), err);
    assert_ok(target_lock(t, &state, err), err);
    assert_int_equal(state, TARGET_EMPTY);
    plan.id = s->m->id;
    rc = restore_stage(&s->c.repo, s->m, t, &plan, &case_reading, err);
    if (rc == 0)
        rc = target_seal(t, err);
    if (rc == 0)
        rc = target_enter(t, false, err);
    target_free(t);
    return rc;
}

static bool
is_in_target(struct stored *s, const char *name)
{
    char *path = mem_printf("%s/%s", s->dir, name);
    struct stat st;
    bool there = lstat(path, &st) == 0;

    free(path);
    return there;
}

/* Neither verify nor restore nor a stream takes it, all with CODE; nothing that a server would load is in the target,
 * and what was staged only where another run could go on from it. */
static void
assert_all_refuse(struct stored *s, enum err_code code)
{
    struct err err = ERR_INIT;
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

    assert_fails(verify_backup(&s->c.repo, s->m, VERIFY_DIGESTS, &case_reading, &err), &err, code);
    assert_fails(restore_stream(&s->c.repo, s->m, null, &case_reading, &err), &err, code);
    assert_int_equal(restore(s, &err), -1);
    assert_int_equal(err.code, code);
    assert_non_null(strstr(err.msg, s->m->id.text));
    assert_false(is_in_target(s, "dump.rdb"));
    assert_int_equal(is_in_target(s, ".remora-restore"),
                     code == ERR_STORAGE || code == ERR_STORE_DENIED || code == ERR_INTERRUPTED);
    assert_false(is_in_target(s, ".remora-restored.json"));
    (void)close(null);
}

static void
assert_quick(struct stored *s, enum err_code code)
{
    struct err err = ERR_INIT;

    if (code == ERR_NONE)
        assert_ok(verify_backup(&s->c.repo, s->m, VERIFY_QUICK, &case_reading, &err), &err);
    else
        assert_fails(verify_backup(&s->c.repo, s->m, VERIFY_QUICK, &case_reading, &err), &err, code);
}

static void
good__restored_and_verified__the_very_bytes(void **state)
{
    struct stored *s = *state;
    struct err err = ERR_INIT;
    char *path = mem_printf("%s/dump.rdb", s->dir), *pipe_path = mem_printf("%s.stream", s->dir), *data = NULL;
    size_t len = 0;
    int fd;

    assert_quick(s, ERR_NONE);
    assert_ok(verify_backup(&s->c.repo, s->m, VERIFY_DIGESTS, &case_reading, &err), &err);
    assert_ok(restore(s, &err), &err);
    assert_ok(file_read_all(AT_FDCWD, path, 1 << 20, &data, &len, &err), &err);
    assert_int_equal(len, s->dump.len);
    assert_memory_equal(data, s->dump.data, len);
    free(data);
    fd = open(pipe_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_ok(restore_stream(&s->c.repo, s->m, fd, &case_reading, &err), &err);
    assert_ok(file_read_all(AT_FDCWD, pipe_path, 1 << 20, &data, &len, &err), &err);
    assert_memory_equal(data, s->dump.data, s->dump.len);
    (void)close(fd);
    (void)unlink(pipe_path);
    free(data);
    free(path);
    free(pipe_path);
}

static void
good__quick__reads_no_segment(void **state)
{
    struct stored *s = *state;
    struct store_fault_counts n;

    assert_quick(s, ERR_NONE);
    n = store_fault_counts(s->c.store);
    assert_int_equal(n.calls[STORE_CALL_GET], 1); /* the index */
    assert_int_equal(n.calls[STORE_CALL_LIST], 1);
    assert_int_equal(n.calls[STORE_CALL_ANY], 2);
    assert_int_equal(n.bytes_got, s->m->rdb_member.index_size);
}

/* Change KEY through CHANGE at AT, look whether all refuse, put it back. */
static void
with_flip(struct stored *s, const char *key, size_t at, void (*check)(struct stored *))
{
    size_t len = 0;
    char *data = repo_case_get(s->c.mem, key, &len);

    assert_true(at < len);
    data[at] = (char)(data[at] ^ 1 << at % 8);
    repo_case_put(s->c.mem, key, data, len);
    check(s);
    data[at] = (char)(data[at] ^ 1 << at % 8);
    repo_case_put(s->c.mem, key, data, len);
    free(data);
}

static void
verify_refuses(struct stored *s)
{
    struct err err = ERR_INIT;

    assert_fails(verify_backup(&s->c.repo, s->m, VERIFY_DIGESTS, &case_reading, &err), &err, ERR_CORRUPT);
}

static void
all_refuse(struct stored *s)
{
    assert_all_refuse(s, ERR_CORRUPT);
}

static void
index__every_byte_flipped__corrupt_quick_too(void **state)
{
    struct stored *s = *state;

    for (size_t at = 0; at < s->m->rdb_member.index_size; at++) {
        size_t len = 0;
        char *key = mem_strdup(index_key(s)), *data = repo_case_get(s->c.mem, key, &len);

        data[at] = (char)(data[at] ^ 1 << at % 8);
        repo_case_put(s->c.mem, key, data, len);
        verify_refuses(s);
        assert_quick(s, ERR_CORRUPT);
        data[at] = (char)(data[at] ^ 1 << at % 8);
        repo_case_put(s->c.mem, key, data, len);
        free(data);
        free(key);
    }
    with_flip(s, index_key(s), 3, all_refuse);
}

static void
segments__bytes_flipped__corrupt(void **state)
{
    struct stored *s = *state;

    for (uint64_t n = 0; n < SEGMENTS; n++) {
        char *key = mem_strdup(segment_key(s, n));
        size_t len = 0, step;

        free(repo_case_get(s->c.mem, key, &len));
        step = n == SEGMENTS - 1 ? 1 : 97; /* the last one is small: every byte of it */
        for (size_t at = 0; at < len; at += step)
            with_flip(s, key, at, verify_refuses);
        with_flip(s, key, len - 1, all_refuse);
        free(key);
    }
    assert_quick(s, ERR_NONE);
}

/* KEY gets other contents for as long as CHECKs run. */
static void
with_content(struct stored *s, const char *key, const void *data, size_t len, enum err_code quick)
{
    char *kept_key = mem_strdup(key);
    size_t kept_len = 0;
    char *kept = repo_case_get(s->c.mem, kept_key, &kept_len);

    repo_case_put(s->c.mem, kept_key, data, len);
    assert_all_refuse(s, ERR_CORRUPT);
    assert_quick(s, quick);
    repo_case_put(s->c.mem, kept_key, kept, kept_len);
    free(kept);
    free(kept_key);
}

static void
objects__cut_or_longer__corrupt_quick_too(void **state)
{
    struct stored *s = *state;

    for (uint64_t n = 0; n <= SEGMENTS; n++) {
        const char *key = n < SEGMENTS ? segment_key(s, n) : index_key(s);
        size_t len = 0;
        char *data = repo_case_get(s->c.mem, key, &len), *longer = mem_printf("%*s", (int)len + 1, "x");

        memcpy(longer, data, len);
        with_content(s, key, data, 0, ERR_CORRUPT);
        with_content(s, key, data, 1, ERR_CORRUPT);
        with_content(s, key, data, len - 1, ERR_CORRUPT);
        with_content(s, key, longer, len + 1, ERR_CORRUPT);
        free(data);
        free(longer);
    }
}

static void
objects__missing__corrupt_quick_too(void **state)
{
    struct stored *s = *state;

    for (uint64_t n = 0; n <= SEGMENTS; n++) {
        char *key = mem_strdup(n < SEGMENTS ? segment_key(s, n) : index_key(s)), *data;
        size_t len = 0;

        data = repo_case_get(s->c.mem, key, &len);
        repo_case_remove(s->c.mem, key);
        assert_all_refuse(s, ERR_CORRUPT); /* never "not found": the backup exists */
        assert_quick(s, ERR_CORRUPT);
        repo_case_put(s->c.mem, key, data, len);
        free(data);
        free(key);
    }
    assert_quick(s, ERR_NONE);
}

static void
segments__listing_lags__quick_asks_before_it_complains(void **state)
{
    struct stored *s = *state;

    store_fault_add(s->c.store,
                    &(struct store_fault){.call = STORE_CALL_LIST, .what = STORE_FAULT_HIDE, .key = "00000002.zst"});
    assert_quick(s, ERR_NONE);
}

static void
segments__swapped_or_of_another_backup__corrupt(void **state)
{
    struct stored *s = *state;
    struct rdb_build other_dump;
    struct manifest *other;
    size_t len0 = 0, len1 = 0, len2 = 0;
    char *key0 = mem_strdup(segment_key(s, 0)), *key1 = mem_strdup(segment_key(s, 1));
    char *data0 = repo_case_get(s->c.mem, key0, &len0), *data1 = repo_case_get(s->c.mem, key1, &len1), *data2;
    struct layout_key key;

    repo_case_put(s->c.mem, key0, data1, len1);
    repo_case_put(s->c.mem, key1, data0, len0);
    assert_all_refuse(s, ERR_CORRUPT);
    repo_case_put(s->c.mem, key1, data1, len1);
    assert_all_refuse(s, ERR_CORRUPT); /* one of them twice */
    repo_case_put(s->c.mem, key0, data0, len0);

    repo_case_dump(&other_dump, s->dump.len, 1700000001); /* the same size, nearly the same bytes */
    other = repo_case_backup(&s->c, &other_dump);
    layout_segment(&key, CASE_INSTANCE, &other->id, LAYOUT_MEMBER_RDB, 0);
    data2 = repo_case_get(s->c.mem, key.text, &len2);
    with_content(s, key0, data2, len2, len2 == len0 ? ERR_NONE : ERR_CORRUPT);
    /* Another backup's index and all its segments: whole in themselves, but not what the manifest says. */
    layout_index(&key, CASE_INSTANCE, &other->id, LAYOUT_MEMBER_RDB);
    free(data2);
    data2 = repo_case_get(s->c.mem, key.text, &len2);
    with_content(s, index_key(s), data2, len2, ERR_CORRUPT);
    manifest_free(other);
    rdb_build_fini(&other_dump);
    free(key0);
    free(key1);
    free(data0);
    free(data1);
    free(data2);
}

/* ---- a manifest that lies, though its digest is good ---- */

#define LIE(change)                                                                                                    \
    do {                                                                                                               \
        struct manifest was = *s->m;                                                                                   \
        change;                                                                                                        \
        assert_all_refuse(s, ERR_CORRUPT);                                                                             \
        *s->m = was;                                                                                                   \
    } while (0)

static void
manifest__lies_about_anything_it_counts__corrupt(void **state)
{
    struct stored *s = *state;
    struct rdb_db db = s->m->rdb.dbs[0], dbs[2] = {db, db};

    LIE(s->m->rdb.keys++);
    LIE(s->m->rdb.keys = 0);
    LIE(s->m->rdb.expires++);
    LIE(s->m->rdb.functions++);
    LIE(s->m->rdb.types[RDB_STRING]--; s->m->rdb.types[RDB_HASH]++);
    LIE(s->m->rdb.version++);
    LIE(s->m->rdb.kind = RDB_VALKEY);
    LIE(s->m->rdb.crc_computed++);
    LIE(s->m->rdb.crc_stored++);
    LIE(s->m->rdb.crc_state = RDB_CRC_DISABLED);
    LIE(s->m->rdb.parsed = false);
    LIE(s->m->rdb_member.raw_size++);
    LIE(s->m->rdb_member.stored_size--);
    LIE(s->m->rdb_member.segments--);
    LIE(s->m->rdb_member.index_size++);
    LIE(s->m->rdb_member.index_sha256[31] ^= 1);
    dbs[0].number++;
    LIE(s->m->rdb.dbs = dbs);
    dbs[0] = db;
    dbs[0].keys++;
    LIE(s->m->rdb.dbs = dbs);
    dbs[0] = db;
    dbs[0].expires++;
    LIE(s->m->rdb.dbs = dbs);
    LIE(s->m->rdb.db_count = 0);
}

/* An index with a good digest whose figures would have us allocate without end. */
static void
index__says_a_segment_is_huge__corrupt_without_the_memory(void **state)
{
    struct stored *s = *state;
    static const uint64_t huge[] = {(64u << 20) + 1, (uint64_t)1 << 40, INT64_MAX};

    for (size_t i = 0; i < ARRAY_LEN(huge); i++) {
        for (int stored = 0; stored < 2; stored++) {
            struct index_segment entry = {.raw_size = stored ? 5 : huge[i], .stored_size = stored ? huge[i] : 5};
            struct err err = ERR_INIT;
            struct index x;
            size_t len = 0;
            char *text;

            index_init(&x);
            assert_ok(index_set(&x, 0, &entry, &err), &err);
            text = index_write(&x, &len);
            repo_case_put(s->c.mem, index_key(s), text, len);
            digest_sha256(text, len, s->m->rdb_member.index_sha256);
            s->m->rdb_member.index_size = len;
            s->m->rdb_member.segments = 1;
            s->m->rdb_member.raw_size = entry.raw_size;
            s->m->rdb_member.stored_size = entry.stored_size;
            verify_refuses(s); /* a restore would find first that the disk is too small */
            index_fini(&x);
            free(text);
        }
    }
}

/* ---- the store, the disk ---- */

static void
store__fails__that_code_and_not_damaged(void **state)
{
    static const enum err_code codes[] = {ERR_STORAGE, ERR_STORE_DENIED, ERR_INTERRUPTED};
    struct stored *s = *state;

    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        for (uint64_t nth = 1; nth <= SEGMENTS + 1; nth++) {
            store_fault_clear(s->c.store);
            store_fault_add(s->c.store, &(struct store_fault){.call = STORE_CALL_GET, .nth = nth, .code = codes[i]});
            assert_all_refuse(s, codes[i]);
        }
        store_fault_clear(s->c.store);
        store_fault_add(s->c.store, &(struct store_fault){.call = STORE_CALL_LIST, .code = codes[i]});
        assert_quick(s, codes[i]);
    }
}

static void
store__bytes_change_on_the_way__corrupt(void **state)
{
    struct stored *s = *state;

    store_fault_add(
        s->c.store,
        &(struct store_fault){.call = STORE_CALL_GET, .what = STORE_FAULT_FLIP, .key = "00000003.zst", .at = 100});
    assert_all_refuse(s, ERR_CORRUPT);
    store_fault_clear(s->c.store);
    store_fault_add(
        s->c.store,
        &(struct store_fault){.call = STORE_CALL_GET, .what = STORE_FAULT_SHORTEN, .key = "00000003.zst", .at = 100});
    assert_all_refuse(s, ERR_CORRUPT);
}

static void
restore_stream__reader_gone_or_disk_full__error(void **state)
{
    struct stored *s = *state;
    struct err err = ERR_INIT;
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

    assert_fails(restore_stream(&s->c.repo, s->m, full, &case_reading, &err), &err, ERR_NO_SPACE);
    (void)close(full);
}

static void
restore__read_only_store__is_enough(void **state)
{
    struct stored *s = *state;
    struct err err = ERR_INIT;
    struct repo repo = s->c.repo;
    struct store *readonly = store_readonly_new(s->c.store);

    repo.store = readonly;
    assert_ok(verify_backup(&repo, s->m, VERIFY_DIGESTS, &case_reading, &err), &err);
    assert_ok(verify_backup(&repo, s->m, VERIFY_QUICK, &case_reading, &err), &err);
    assert_fails(verify_record(&repo, s->m, &(struct verify_fact){VERIFY_QUICK, NULL, "1"}, &err), &err, ERR_REFUSED);
    readonly->inner = NULL; /* lent, not given */
    store_free(readonly);
}

/* ---- the fact ---- */

static void
verify_record__twice__the_later_one_is_found(void **state)
{
    static const struct verify_fact quick = {VERIFY_QUICK, NULL, "0.0.test"};
    static const struct verify_fact digests = {VERIFY_DIGESTS, NULL, "0.0.test"};
    struct stored *s = *state;
    struct err err = ERR_INIT;
    struct catalog *catalog = NULL;
    struct layout_key key;
    size_t len = 0;
    char *text;
    json_t *o;
    const char *value = NULL;
    int64_t ms = 0, now = repo_now_ms(&s->c.repo);

    assert_string_equal(verify_level_name(VERIFY_QUICK), "quick");
    assert_string_equal(verify_level_name(VERIFY_DIGESTS), "digests");
    assert_ok(verify_record(&s->c.repo, s->m, &quick, &err), &err);
    assert_ok(verify_record(&s->c.repo, s->m, &digests, &err), &err);
    layout_fact(&key, CASE_INSTANCE, LAYOUT_VERIFIED, &s->m->id);
    text = repo_case_get(s->c.mem, key.text, &len);
    o = json_read_object(text, len, &err);
    assert_non_null(o);
    assert_ok(json_read_str(o, "id", &value, &err), &err);
    assert_string_equal(value, s->m->id.text);
    assert_ok(json_read_str(o, "level", &value, &err), &err);
    assert_string_equal(value, "digests");
    assert_ok(json_read_str(o, "tool", &value, &err), &err);
    assert_string_equal(value, "0.0.test");
    assert_ok(json_read_time(o, "time", &ms, &err), &err);
    assert_in_range(ms, now - 1000, now + 60000);
    assert_ok(catalog_load(&s->c.repo, CASE_INSTANCE, CATALOG_VERIFIED, &catalog, &err), &err);
    assert_int_equal(catalog->count, 1);
    assert_int_equal(catalog->entries[0].verified_ms, ms);
    assert_string_equal(catalog->entries[0].verified_level, "digests");
    catalog_free(catalog);
    json_decref(o);
    free(text);
}

/* The entry of the only backup, as a catalogue that is read anew has it. The caller frees *CATALOG. */
static const struct catalog_entry *
only_entry(const struct stored *s, struct catalog **catalog)
{
    struct err err = ERR_INIT;

    assert_ok(catalog_load(&s->c.repo, CASE_INSTANCE, CATALOG_VERIFIED, catalog, &err), &err);
    assert_int_equal((*catalog)->count, 1);
    return &(*catalog)->entries[0];
}

static void
verify_record__digests_after_load__the_load_is_kept(void **state)
{
    static const struct verify_fact load = {VERIFY_LOAD, "redis 7.0.15", "0.0.test"};
    static const struct verify_fact digests = {VERIFY_DIGESTS, NULL, "0.0.test"};
    struct stored *s = *state;
    struct err err = ERR_INIT;
    struct catalog *catalog = NULL;
    const struct catalog_entry *e;
    struct layout_key key;
    int64_t loaded_ms;

    assert_string_equal(verify_level_name(VERIFY_LOAD), "load");
    assert_ok(verify_record(&s->c.repo, s->m, &load, &err), &err);
    e = only_entry(s, &catalog);
    assert_string_equal(e->verified_level, "load");
    assert_string_equal(e->loaded_by, "redis 7.0.15");
    assert_int_equal(e->loaded_ms, e->verified_ms);
    loaded_ms = e->loaded_ms;
    catalog_free(catalog);
    s->c.repo.skew_ms += 5000; /* later */
    assert_ok(verify_record(&s->c.repo, s->m, &digests, &err), &err);
    assert_ok(verify_record(&s->c.repo, s->m, &digests, &err), &err);
    e = only_entry(s, &catalog);
    assert_string_equal(e->verified_level, "digests");
    assert_true(e->verified_ms >= loaded_ms + 5000);
    assert_int_equal(e->loaded_ms, loaded_ms);
    assert_string_equal(e->loaded_by, "redis 7.0.15");
    catalog_free(catalog);
    /* A fact that nobody can read is replaced all the same. */
    layout_fact(&key, CASE_INSTANCE, LAYOUT_VERIFIED, &s->m->id);
    repo_case_put(s->c.mem, key.text, "{\"load\":", 8);
    assert_ok(verify_record(&s->c.repo, s->m, &digests, &err), &err);
    e = only_entry(s, &catalog);
    assert_string_equal(e->verified_level, "digests");
    assert_int_equal(e->loaded_ms, 0);
    catalog_free(catalog);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(good__restored_and_verified__the_very_bytes),
        TEST(good__quick__reads_no_segment),
        TEST(index__every_byte_flipped__corrupt_quick_too),
        TEST(segments__bytes_flipped__corrupt),
        TEST(objects__cut_or_longer__corrupt_quick_too),
        TEST(objects__missing__corrupt_quick_too),
        TEST(segments__listing_lags__quick_asks_before_it_complains),
        TEST(segments__swapped_or_of_another_backup__corrupt),
        TEST(manifest__lies_about_anything_it_counts__corrupt),
        TEST(index__says_a_segment_is_huge__corrupt_without_the_memory),
        TEST(store__fails__that_code_and_not_damaged),
        TEST(store__bytes_change_on_the_way__corrupt),
        TEST(restore_stream__reader_gone_or_disk_full__error),
        TEST(restore__read_only_store__is_enough),
        TEST(verify_record__twice__the_later_one_is_found),
        TEST(verify_record__digests_after_load__the_load_is_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
