/* SPDX-License-Identifier: Apache-2.0 */
/* test_backup.c: the pipeline: what it stores, when it refuses, and that nothing is left behind when it fails. */
#include "snapshot/backup.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zstd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/sig.h"
#include "snapshot/repo/catalog.h"
#include "snapshot/repo/layout.h"
#include "snapshot/verify.h"
#include "storage/store_fault.h"
#include "storage/store_mem.h"
#include "tests/support/repo_case.h"
#include "tests/support/source_mem.h"
#include "tests/support/test_common.h"

#define FOLDER "instances/" CASE_INSTANCE "/"

struct backup_case {
    struct repo_case c;
    struct rdb_build dump;
    struct source_mem source;
    struct backup_options o;
};

static void
begin(struct backup_case *b, size_t bytes, int64_t ctime_s, unsigned jobs)
{
    repo_case_open(&b->c);
    repo_case_dump(&b->dump, bytes, ctime_s);
    source_mem_init(&b->source, b->dump.data, b->dump.len);
    b->o = repo_case_options(&b->c, jobs);
}

static void
end(struct backup_case *b)
{
    rdb_build_fini(&b->dump);
    repo_case_close(&b->c);
}

/* ---- what is stored ---- */

struct bytes {
    char *data;
    size_t len;
};

/* The segments one behind the other, as `cat *.zst` gives them, through zstd's streaming interface. */
static struct bytes
decompress_all(const struct repo_case *c, const struct manifest *m)
{
    ZSTD_DStream *d = ZSTD_createDStream();
    struct bytes out = {mem_new(m->rdb_member.raw_size + 1), 0};
    ZSTD_outBuffer to = {out.data, m->rdb_member.raw_size + 1, 0};
    size_t left = 0;

    for (uint64_t n = 0; n < m->rdb_member.segments; n++) {
        ZSTD_inBuffer from = {0};
        struct layout_key key;
        char *frame;

        layout_segment(&key, m->instance, &m->id, LAYOUT_MEMBER_RDB, n);
        frame = repo_case_get(c->mem, key.text, &from.size);
        for (from.src = frame; from.pos < from.size;) {
            left = ZSTD_decompressStream(d, &to, &from);
            assert_false(ZSTD_isError(left));
        }
        free(frame);
    }
    assert_int_equal(left, 0);
    ZSTD_freeDStream(d);
    out.len = to.pos;
    return out;
}

static int
collect(const void *data, size_t len, void *cookie, struct err *err)
{
    struct buf *b = cookie;

    return buf_append(b, data, len, err);
}

static void
backup_of(size_t bytes, unsigned jobs, size_t slice)
{
    struct err err = ERR_INIT;
    struct backup_case b;
    struct manifest *m = NULL;
    struct bytes back;
    size_t segments = (bytes + CASE_SEGMENT - 1) / CASE_SEGMENT;

    begin(&b, bytes, 1700000000, jobs);
    b.source.slice = slice;
    assert_ok(backup_run(&b.o, &b.source.source, &m, &err), &err);
    assert_int_equal(b.source.confirmed, 1);
    assert_int_equal(b.source.found_keys, m->rdb.keys);
    assert_int_equal(m->rdb_member.segments, segments);
    assert_int_equal(m->rdb_member.raw_size, bytes);
    assert_int_equal(m->rdb.bytes, bytes);
    assert_int_equal(m->rdb.crc_state, RDB_CRC_GOOD);
    /* Segments, index, manifest and two markers: nothing else. */
    assert_int_equal(repo_case_count(b.c.mem, ""), segments + 2 + 2);
    back = decompress_all(&b.c, m);
    assert_int_equal(back.len, bytes);
    assert_memory_equal(back.data, b.dump.data, bytes);
    assert_ok(verify_backup(&b.c.repo, m, VERIFY_DIGESTS, &case_reading, &err), &err);
    free(back.data);
    manifest_free(m);
    end(&b);
}

static void
backup__sizes_jobs_and_slicings__concatenated_frames_are_the_dump(void **state)
{
    static const size_t sizes[] = {200,
                                   CASE_SEGMENT - 1,
                                   CASE_SEGMENT,
                                   CASE_SEGMENT + 1,
                                   2 * (size_t)CASE_SEGMENT,
                                   25 * (size_t)CASE_SEGMENT + 17};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        for (unsigned jobs = 1; jobs <= 4; jobs *= 2)
            backup_of(sizes[i], jobs, 0);
    }
    backup_of(3 * (size_t)CASE_SEGMENT + 5, 2, 1);
    backup_of(9 * (size_t)CASE_SEGMENT + 5, 4, 1000);
}

/* A member that lies in memory goes beside the dump, in segments of the same size. */
static void
backup__configuration_of_sizes__a_member_of_its_own(void **state)
{
    static const size_t sizes[] = {1, CASE_SEGMENT - 1, CASE_SEGMENT, CASE_SEGMENT + 1, 5 * (size_t)CASE_SEGMENT + 7};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        struct err err = ERR_INIT;
        struct backup_case b;
        struct manifest *m = NULL;
        struct buf back;
        struct member_read read = {.options = &case_reading, .sink = collect, .cookie = &back};
        char *config = mem_new(sizes[i]);

        begin(&b, 3 * (size_t)CASE_SEGMENT, 1700000000, 2);
        for (size_t at = 0; at < sizes[i]; at++)
            config[at] = (char)(at * at >> 3);
        b.o.config = config;
        b.o.config_len = sizes[i];
        assert_ok(backup_run(&b.o, &b.source.source, &m, &err), &err);
        assert_string_equal(m->config_member.name, "config");
        assert_int_equal(m->config_member.raw_size, sizes[i]);
        assert_int_equal(m->config_member.segments, (sizes[i] - 1) / CASE_SEGMENT + 1);
        assert_int_equal(repo_case_count(b.c.mem, ""), 3 + m->config_member.segments + 3 + 2);
        buf_init(&back, 1 << 20);
        read.repo = &b.c.repo;
        read.m = m;
        read.member = &m->config_member;
        assert_ok(member_read(&read, &err), &err);
        assert_int_equal(back.len, sizes[i]);
        assert_memory_equal(back.data, config, sizes[i]);
        assert_ok(verify_backup(&b.c.repo, m, VERIFY_QUICK, &case_reading, &err), &err);
        assert_fails(verify_backup(&b.c.repo, m, VERIFY_DIGESTS, &case_reading, &err), &err, ERR_CORRUPT); /* no tar */
        buf_fini(&back);
        free(config);
        manifest_free(m);
        end(&b);
    }
}

static void
backup__everything_given__in_the_manifest(void **state)
{
    static char team[] = "team", cache[] = "cache";
    const struct manifest_tag tags[] = {{team, cache}};
    struct err err = ERR_INIT;
    struct backup_case b;
    struct manifest *m = NULL, *stored = NULL;
    struct layout_key key;
    size_t len = 0;
    char *text;

    (void)state;
    begin(&b, 9000, 1700000000, 2);
    b.o.tags = tags;
    b.o.tag_count = 1;
    b.o.started_ms = 1600000000000;
    b.source.source.facts.known = true;
    (void)snprintf(b.source.source.facts.role, sizeof(b.source.source.facts.role), "replica");
    assert_ok(backup_run(&b.o, &b.source.source, &m, &err), &err);
    layout_manifest(&key, CASE_INSTANCE, &m->id);
    text = repo_case_get(b.c.mem, key.text, &len);
    assert_ok(manifest_parse(text, len, &stored, &err), &err);
    assert_string_equal(stored->uuid, m->uuid);
    assert_string_equal(stored->instance, CASE_INSTANCE);
    assert_string_equal(stored->method, "memory");
    assert_string_equal(stored->tool_version, "0.0.test");
    assert_string_equal(stored->source.role, "replica");
    assert_string_equal(stored->tags[0].value, "cache");
    assert_int_equal(stored->started_ms, 1600000000000);
    assert_true(stored->finished_ms >= stored->started_ms);
    assert_int_equal(stored->level, 1);
    assert_int_equal(stored->rdb.ctime_s, 1700000000);
    assert_int_equal(stored->rdb.db_count, 1);
    assert_int_equal(stored->rdb.dbs[0].number, 3);
    assert_false(stored->suspicious);
    manifest_free(stored);
    manifest_free(m);
    free(text);
    end(&b);
}

/* ---- the id's time ---- */

static int64_t
id_time(int64_t snapshot_ms, int64_t ctime_s, int64_t fallback_ms, int64_t skew_ms)
{
    struct err err = ERR_INIT;
    struct backup_case b;
    struct manifest *m = NULL;
    struct backup_id id;
    int64_t ms = 0;

    begin(&b, 5000, ctime_s, 1);
    b.c.repo.skew_ms = skew_ms;
    b.source.source.snapshot_ms = snapshot_ms;
    b.source.source.snapshot_fallback_ms = fallback_ms;
    assert_ok(backup_run(&b.o, &b.source.source, &m, &err), &err);
    assert_true(backup_id_parse(m->id.text, &id, &ms));
    assert_int_equal(ms / 1000, m->snapshot_ms / 1000);
    manifest_free(m);
    end(&b);
    return ms;
}

static void
backup__id_time__snapshot_then_ctime_then_mtime_never_the_future(void **state)
{
    int64_t now = clock_wall_ms() / 1000 * 1000;

    (void)state;
    assert_int_equal(id_time(1650000000000, 1700000000, 1600000000000, 0), 1650000000000);
    assert_int_equal(id_time(1650000000000, 1700000000, 1600000000000, -5000), 1649999995000); /* the store's clock */
    assert_int_equal(id_time(1650000000000, 0, 0, 7000), 1650000007000);
    assert_int_equal(id_time(0, 1700000000, 1600000000000, 3600000), 1700000000000); /* the server's, as it stands */
    assert_int_equal(id_time(0, 0, 1600000000000, 3600000), 1600000000000);
    assert_in_range(id_time(0, 0, 0, 0), now, now + 60000);
    assert_in_range(id_time(0, 4102444800, 0, 0), now, now + 60000);       /* a server that lives in 2100 */
    assert_in_range(id_time(0, 9223372036854775, 0, 0), now, now + 60000); /* or at the end of time */
    assert_in_range(id_time(0, INT64_MAX, 0, 0), now, now + 60000);
    assert_in_range(id_time(0, 0, 4102444800000, 0), now, now + 60000); /* a file from the future */
}

/* ---- what an object lock covers ---- */

static const struct store_ops *spied;
static char locked[16][160], unlocked[16][160];
static size_t locked_count, unlocked_count;

static int
spy_put(struct store *s, const struct store_put *put, struct err *err)
{
    bool permanent = (put->flags & STORE_PUT_PERMANENT) != 0;

    (void)snprintf(permanent ? locked[locked_count++] : unlocked[unlocked_count++], sizeof(locked[0]), "%s", put->key);
    return spied->put(s, put, err);
}

static bool
ends_with(const char *text, const char *end)
{
    return strlen(text) >= strlen(end) && strcmp(text + strlen(text) - strlen(end), end) == 0;
}

static void
backup__its_segments_index_and_manifest__are_permanent_and_nothing_else(void **state)
{
    struct store_ops ops;
    struct err err = ERR_INIT;
    struct manifest *m = NULL;
    struct repo_made made;
    struct backup_case b;

    (void)state;
    begin(&b, 3 * (size_t)CASE_SEGMENT, 0, 1);
    spied = b.c.mem->ops;
    ops = *spied;
    ops.put = spy_put;
    b.c.mem->ops = &ops;
    locked_count = unlocked_count = 0;
    assert_ok(repo_init(b.c.store, "another", &made, &err), &err);
    assert_ok(backup_run(&b.o, &b.source.source, &m, &err), &err);
    assert_ok(verify_record(&b.c.repo, m, &(struct verify_fact){VERIFY_DIGESTS, NULL, "0"}, &err), &err);
    assert_int_equal(locked_count, 5);
    for (size_t i = 0; i < 3; i++)
        assert_true(ends_with(locked[i], ".zst"));
    assert_true(ends_with(locked[3], "/rdb/index"));
    assert_non_null(strstr(locked[4], "/backups/"));
    assert_int_equal(unlocked_count, 2);
    assert_string_equal(unlocked[0], "instances/another/instance.json");
    assert_non_null(strstr(unlocked[1], "/verified/"));
    manifest_free(m);
    b.c.mem->ops = spied;
    end(&b);
}

/* ---- failures: never a manifest, nothing left ---- */

static void
assert_nothing_left(const struct repo_case *c)
{
    assert_int_equal(repo_case_count(c->mem, FOLDER "backups/"), 0);
    assert_int_equal(repo_case_count(c->mem, FOLDER "data/"), 0);
}

static void
assert_backup_fails(struct backup_case *b, enum err_code code)
{
    struct err err = ERR_INIT;
    struct manifest *m = NULL;

    assert_fails(backup_run(&b->o, &b->source.source, &m, &err), &err, code);
    assert_null(m);
    assert_nothing_left(&b->c);
}

static void
backup__empty_source__corrupt(void **state)
{
    struct backup_case b;

    (void)state;
    begin(&b, 200, 0, 2);
    b.source.len = 0;
    assert_backup_fails(&b, ERR_CORRUPT);
    assert_int_equal(b.source.confirmed, 0);
    end(&b);
}

static void
backup__source_fails__nothing_left(void **state)
{
    static const size_t at[] = {0, 1, CASE_SEGMENT, 5 * CASE_SEGMENT + 1, 12 * CASE_SEGMENT - 1};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(at); i++) {
        for (unsigned jobs = 1; jobs <= 4; jobs *= 2) {
            struct backup_case b;

            begin(&b, 12 * (size_t)CASE_SEGMENT, 0, jobs);
            b.source.fail_at = at[i];
            b.source.slice = 512;
            assert_backup_fails(&b, ERR_SERVER);
            assert_int_equal(b.source.confirmed, 0);
            end(&b);
        }
    }
}

/* A pod that may put and not remove: prune takes what is left, and the failure is told as it was. */
static void
backup__fails_and_may_not_remove__keeps_its_error(void **state)
{
    const struct store_fault denied = {.call = STORE_CALL_REMOVE, .what = STORE_FAULT_FAIL, .code = ERR_STORE_DENIED};
    struct err err = ERR_INIT;
    struct manifest *m = NULL;
    struct backup_case b;

    (void)state;
    begin(&b, 12 * (size_t)CASE_SEGMENT, 0, 2);
    b.source.confirm_code = ERR_SERVER;
    store_fault_add(b.c.store, &denied);
    assert_fails(backup_run(&b.o, &b.source.source, &m, &err), &err, ERR_SERVER);
    assert_int_equal(repo_case_count(b.c.mem, FOLDER "backups/"), 0);
    assert_true(repo_case_count(b.c.mem, FOLDER "data/") > 0);
    assert_int_equal(store_fault_counts(b.c.store).calls[STORE_CALL_REMOVE], 1); /* and does not ask for each */
    end(&b);
}

static void
backup__more_segments_than_one_removal_takes__nothing_left(void **state)
{
    const size_t segments = 2 * STORE_REMOVE_MAX + 20; /* the last few are dropped before they are put */
    struct backup_case b;

    (void)state;
    begin(&b, segments * 512, 0, 2);
    b.o.plan.segment_bytes = 512;
    b.source.confirm_code = ERR_SERVER;
    assert_backup_fails(&b, ERR_SERVER);
    assert_true(store_fault_counts(b.c.store).calls[STORE_CALL_PUT] > 2 * STORE_REMOVE_MAX);
    end(&b);
}

static void
backup__source_does_not_confirm__nothing_left(void **state)
{
    struct backup_case b;

    (void)state;
    begin(&b, 12 * (size_t)CASE_SEGMENT, 0, 2);
    b.source.confirm_code = ERR_SERVER;
    assert_backup_fails(&b, ERR_SERVER);
    assert_int_equal(b.source.confirmed, 1);
    end(&b);
}

static void
backup__damaged_dump__nothing_left(void **state)
{
    static const size_t at[] = {0, 20, 3000, 5 * CASE_SEGMENT, 6 * CASE_SEGMENT - 1, 6 * CASE_SEGMENT - 9};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(at); i++) {
        struct backup_case b;

        begin(&b, 6 * (size_t)CASE_SEGMENT, 0, 2);
        b.dump.data[at[i]] ^= 0x80;
        assert_backup_fails(&b, ERR_CORRUPT);
        end(&b);
    }
    for (size_t cut = 1; cut < 30; cut++) {
        struct backup_case b;

        begin(&b, 6 * (size_t)CASE_SEGMENT, 0, 2);
        b.source.len -= cut;
        assert_backup_fails(&b, ERR_CORRUPT);
        end(&b);
    }
}

/* A dump with a type that nobody knows yet. */
static void
backup__unknown_type__unsupported_unless_allowed(void **state)
{
    struct err err = ERR_INIT;
    struct manifest *m = NULL;
    struct backup_case b;

    (void)state;
    begin(&b, 200, 0, 2);
    rdb_build_fini(&b.dump);
    rdb_build_init(&b.dump, "REDIS0011");
    rdb_build_set(&b.dump, "known", "value");
    rdb_build_byte(&b.dump, 200);
    rdb_build_str(&b.dump, "unknown");
    for (int i = 0; i < 2000; i++)
        rdb_build_str(&b.dump, "whatever");
    rdb_build_end(&b.dump);
    source_mem_init(&b.source, b.dump.data, b.dump.len);
    assert_backup_fails(&b, ERR_UNSUPPORTED);
    b.o.allow_unparsed = true;
    source_mem_init(&b.source, b.dump.data, b.dump.len);
    assert_ok(backup_run(&b.o, &b.source.source, &m, &err), &err);
    assert_false(m->rdb.parsed);
    assert_string_not_equal(m->rdb.unparsed_why, "");
    assert_ok(verify_backup(&b.c.repo, m, VERIFY_DIGESTS, &case_reading, &err), &err);
    manifest_free(m);
    b.dump.data[b.dump.len / 2] ^= 1; /* the CRC still stands */
    source_mem_init(&b.source, b.dump.data, b.dump.len);
    assert_fails(backup_run(&b.o, &b.source.source, &m, &err), &err, ERR_CORRUPT);
    end(&b);
}

static void
backup__bad_tags__nothing_stored(void **state)
{
    static char bad[] = "caf\xe9", good[] = "k";
    const struct manifest_tag tags[] = {{good, bad}};
    struct backup_case b;

    (void)state;
    begin(&b, 9000, 0, 2);
    b.o.tags = tags;
    b.o.tag_count = 1;
    assert_backup_fails(&b, ERR_USAGE);
    assert_int_equal(store_fault_counts(b.c.store).calls[STORE_CALL_ANY], 0);
    end(&b);
}

/* ---- the store fails at its Nth call ---- */

static void
note_last_put(enum store_call call, const char *key, void *cookie)
{
    if (call == STORE_CALL_PUT && strstr(key, "/backups/") != NULL)
        *(bool *)cookie = true;
}

/* One try; true when the backup worked. */
static bool
try_with_fault(const struct store_fault *fault, unsigned jobs, bool with_config)
{
    static const char config[CASE_SEGMENT + 5]; /* two segments and an index */
    const size_t objects = 8 + 1 + (with_config ? 2 + 1 : 0);
    struct err err = ERR_INIT;
    struct manifest *m = NULL;
    struct backup_case b;
    bool manifest_was_put = false;
    int rc;

    begin(&b, 7 * (size_t)CASE_SEGMENT + 3, 0, jobs);
    store_fault_set_hook(b.c.store, note_last_put, &manifest_was_put);
    store_fault_add(b.c.store, fault);
    b.o.config = config;
    b.o.config_len = with_config ? sizeof(config) : 0;
    rc = backup_run(&b.o, &b.source.source, &m, &err);
    if (rc == 0) {
        assert_int_equal(repo_case_count(b.c.mem, FOLDER "backups/"), 1);
        assert_int_equal(repo_case_count(b.c.mem, FOLDER "data/"), objects);
    } else {
        assert_int_equal(err.code, fault->code);
        assert_int_equal(repo_case_count(b.c.mem, FOLDER "backups/"), 0);
        /* A manifest whose put failed may still come: then all of its data stays. Otherwise none does. */
        if (manifest_was_put && fault->code == ERR_STORAGE)
            assert_int_equal(repo_case_count(b.c.mem, FOLDER "data/"), objects);
        else
            assert_int_equal(repo_case_count(b.c.mem, FOLDER "data/"), 0);
    }
    manifest_free(m);
    end(&b);
    return rc == 0;
}

static void
backup__store_fails_at_nth_call__clean_for_every_n(void **state)
{
    static const enum err_code codes[] = {ERR_STORAGE, ERR_STORE_DENIED, ERR_NO_SPACE};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        for (unsigned jobs = 1; jobs <= 4; jobs *= 2) {
            for (enum store_fault_kind how = STORE_FAULT_FAIL; how <= STORE_FAULT_LOSE; how++) {
                unsigned worked = 0, failed = 0;

                for (uint64_t nth = 1; nth <= 14; nth++) {
                    struct store_fault fault = {.what = how, .nth = nth, .times = 1, .code = codes[i]};

                    if (try_with_fault(&fault, jobs, false))
                        worked++;
                    else
                        failed++;
                }
                /* 8 segments, list, now, index, manifest; the manifest's lost answer is settled */
                assert_int_equal(failed, how == STORE_FAULT_LOSE ? 11 : 12);
                assert_int_equal(worked, how == STORE_FAULT_LOSE ? 3 : 2);
            }
        }
    }
}

static void
backup__store_fails_at_nth_call_with_configuration__clean_for_every_n(void **state)
{
    static const enum err_code codes[] = {ERR_STORAGE, ERR_STORE_DENIED};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        for (enum store_fault_kind how = STORE_FAULT_FAIL; how <= STORE_FAULT_LOSE; how++) {
            unsigned failed = 0;

            for (uint64_t nth = 1; nth <= 18; nth++) {
                struct store_fault fault = {.what = how, .nth = nth, .times = 1, .code = codes[i]};

                failed += !try_with_fault(&fault, 2, true);
            }
            /* 8 and 2 segments, two lists, now, two indexes, manifest; the manifest's lost answer is settled */
            assert_int_equal(failed, how == STORE_FAULT_LOSE ? 15 : 16);
        }
    }
}

static void
backup__store_dies_for_good__right_code_and_no_manifest(void **state)
{
    (void)state;
    for (uint64_t nth = 1; nth <= 12; nth++) {
        struct err err = ERR_INIT;
        struct manifest *m = NULL;
        struct backup_case b;

        begin(&b, 7 * (size_t)CASE_SEGMENT + 3, 0, 2);
        store_fault_add(b.c.store, &(struct store_fault){.nth = nth, .code = ERR_STORE_DENIED});
        assert_fails(backup_run(&b.o, &b.source.source, &m, &err), &err, ERR_STORE_DENIED);
        assert_int_equal(repo_case_count(b.c.mem, FOLDER "backups/"), 0);
        end(&b);
    }
}

/* A pod that may not delete keeps its exit status. */
static void
backup__removal_denied__the_first_error_counts(void **state)
{
    struct err err = ERR_INIT;
    struct manifest *m = NULL;
    struct backup_case b;

    (void)state;
    begin(&b, 7 * (size_t)CASE_SEGMENT + 3, 0, 2);
    b.source.confirm_code = ERR_SERVER;
    store_fault_add(b.c.store, &(struct store_fault){.call = STORE_CALL_REMOVE, .code = ERR_STORE_DENIED});
    assert_fails(backup_run(&b.o, &b.source.source, &m, &err), &err, ERR_SERVER);
    assert_int_equal(repo_case_count(b.c.mem, FOLDER "backups/"), 0);
    end(&b);
}

/* Each removal would be tried again for minutes. */
static void
backup__store_unreachable__one_removal_is_tried(void **state)
{
    struct err err = ERR_INIT;
    struct manifest *m = NULL;
    struct backup_case b;

    (void)state;
    begin(&b, 7 * (size_t)CASE_SEGMENT + 3, 0, 2);
    b.source.confirm_code = ERR_SERVER;
    store_fault_add(b.c.store, &(struct store_fault){.call = STORE_CALL_REMOVE, .code = ERR_STORAGE});
    assert_fails(backup_run(&b.o, &b.source.source, &m, &err), &err, ERR_SERVER);
    assert_int_equal(store_fault_counts(b.c.store).calls[STORE_CALL_REMOVE], 1);
    end(&b);
}

/* ---- a signal ---- */

static void
signal_in_the_middle(struct source_mem *s)
{
    if (s->at > 5 * CASE_SEGMENT)
        (void)raise(SIGTERM);
}

static void
backup__sigterm_in_the_middle__interrupted_and_nothing_left(void **state)
{
    pid_t pid = fork();
    int status = 0;

    (void)state;
    assert_true(pid >= 0);
    if (pid == 0) { /* the flag lasts as long as the process */
        struct err err = ERR_INIT;
        struct manifest *m = NULL;
        struct backup_case b;
        int rc;

        (void)setenv("CMOCKA_TEST_ABORT", "1", 1);
        sig_install();
        begin(&b, 12 * (size_t)CASE_SEGMENT, 0, 2);
        b.source.before_read = signal_in_the_middle;
        b.source.slice = 100;
        rc = backup_run(&b.o, &b.source.source, &m, &err);
        if (rc == 0 || repo_case_count(b.c.mem, FOLDER "data/") + repo_case_count(b.c.mem, FOLDER "backups/") != 0)
            _exit(99);
        _exit(err_exit_status(err.code));
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 12);
}

/* ---- progress ---- */

static void
note_progress(const struct progress *p, void *cookie)
{
    struct progress *last = cookie;

    assert_true(p->phase > last->phase || p->done >= last->done);
    *last = *p;
}

static void
backup__progress__ends_with_everything(void **state)
{
    struct err err = ERR_INIT;
    struct progress last = {.phase = PROGRESS_STORING};
    struct manifest *m = NULL;
    struct backup_case b;

    (void)state;
    begin(&b, 12 * (size_t)CASE_SEGMENT, 0, 2);
    b.o.progress = (struct progress_sink){note_progress, &last};
    assert_ok(backup_run(&b.o, &b.source.source, &m, &err), &err);
    assert_int_equal(last.phase, PROGRESS_PUBLISHING);
    assert_int_equal(last.done, b.dump.len);
    assert_int_equal(last.stored, m->rdb_member.stored_size);
    manifest_free(m);
    end(&b);
}

/* ---- the guards ---- */

/* A dump of few keys, where the last good backup had KEYS. */
static void
begin_shrunk(struct backup_case *b, uint64_t keys, enum guard_policy policy)
{
    begin(b, 3 * CASE_SEGMENT, 1700000000, 2);
    b->o.shrink = (struct guard_shrink){.percent = 50, .policy = policy, .keys = keys};
    assert_true(backup_id_parse("20221114T221320Z-000000", &b->o.shrink.id, NULL));
}

static void
backup__data_set_shrank__is_marked_and_says_why(void **state)
{
    struct manifest *m = NULL, *latest = NULL, *back = NULL;
    struct err err = ERR_INIT;
    struct backup_case b;

    (void)state;
    begin_shrunk(&b, 1000000, GUARD_WARN);
    guard_note(&b.source.source.findings, "memory", "not much");
    assert_ok(backup_run(&b.o, &b.source.source, &m, &err), &err);
    assert_ok(catalog_find(&b.c.repo, CASE_INSTANCE, m->id.text, NULL, NULL, &back, &err), &err);
    assert_true(back->suspicious);
    assert_int_equal(back->finding_count, 2);
    assert_string_equal(back->findings[0].text, "not much");
    assert_string_equal(back->findings[1].guard, "shrink");
    assert_non_null(strstr(back->findings[1].text, "20221114T221320Z-000000 is 1000000"));
    assert_fails(catalog_find(&b.c.repo, CASE_INSTANCE, "latest", NULL, NULL, &latest, &err), &err, ERR_NOT_FOUND);
    manifest_free(back);
    manifest_free(m);
    end(&b);
}

static void
backup__data_set_shrank_and_policy_refuses__leaves_nothing(void **state)
{
    struct err err = ERR_INIT;
    struct backup_case b;
    struct manifest *m = NULL;

    (void)state;
    begin_shrunk(&b, 1000000, GUARD_REFUSE);
    assert_fails(backup_run(&b.o, &b.source.source, &m, &err), &err, ERR_REFUSED);
    assert_null(m);
    assert_int_equal(b.source.confirmed, 1);
    assert_int_equal(repo_case_count(b.c.mem, ""), 2); /* the markers */
    end(&b);
}

static void
backup__enough_keys_left__is_not_marked(void **state)
{
    (void)state;
    for (uint64_t keys = 0; keys <= 1; keys++) {
        struct err err = ERR_INIT;
        struct backup_case b;
        struct manifest *m = NULL;

        begin_shrunk(&b, keys, GUARD_REFUSE);
        assert_ok(backup_run(&b.o, &b.source.source, &m, &err), &err);
        assert_false(m->suspicious || m->finding_count > 0);
        manifest_free(m);
        end(&b);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(backup__sizes_jobs_and_slicings__concatenated_frames_are_the_dump),
        cmocka_unit_test(backup__configuration_of_sizes__a_member_of_its_own),
        cmocka_unit_test(backup__everything_given__in_the_manifest),
        cmocka_unit_test(backup__id_time__snapshot_then_ctime_then_mtime_never_the_future),
        cmocka_unit_test(backup__empty_source__corrupt),
        cmocka_unit_test(backup__its_segments_index_and_manifest__are_permanent_and_nothing_else),
        cmocka_unit_test(backup__source_fails__nothing_left),
        cmocka_unit_test(backup__fails_and_may_not_remove__keeps_its_error),
        cmocka_unit_test(backup__more_segments_than_one_removal_takes__nothing_left),
        cmocka_unit_test(backup__source_does_not_confirm__nothing_left),
        cmocka_unit_test(backup__damaged_dump__nothing_left),
        cmocka_unit_test(backup__unknown_type__unsupported_unless_allowed),
        cmocka_unit_test(backup__bad_tags__nothing_stored),
        cmocka_unit_test(backup__store_fails_at_nth_call__clean_for_every_n),
        cmocka_unit_test(backup__store_fails_at_nth_call_with_configuration__clean_for_every_n),
        cmocka_unit_test(backup__store_dies_for_good__right_code_and_no_manifest),
        cmocka_unit_test(backup__removal_denied__the_first_error_counts),
        cmocka_unit_test(backup__store_unreachable__one_removal_is_tried),
        cmocka_unit_test(backup__sigterm_in_the_middle__interrupted_and_nothing_left),
        cmocka_unit_test(backup__progress__ends_with_everything),
        cmocka_unit_test(backup__data_set_shrank__is_marked_and_says_why),
        cmocka_unit_test(backup__data_set_shrank_and_policy_refuses__leaves_nothing),
        cmocka_unit_test(backup__enough_keys_left__is_not_marked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
