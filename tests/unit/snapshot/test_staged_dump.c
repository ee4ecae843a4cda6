/* SPDX-License-Identifier: Apache-2.0 */
/* test_staged_dump.c: a dump written into a file, interrupted, and taken up again: only what is missing or bad is
 * fetched, and nothing but the whole dump ever counts as done. */
#include "snapshot/staged_dump.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "snapshot/rdb/crc64.h"
#include "storage/store_fault.h"
#include "tests/support/repo_case.h"
#include "tests/support/test_common.h"

#define SEGMENTS 12

struct staged_case {
    struct repo_case c;
    struct rdb_build dump;
    struct manifest *m;
    struct staged_dump staged;
    struct read_options options;
};

/* A file without a name in a folder that is gone. */
static int
new_file(int flags)
{
    char dir[256], path[300];
    int fd;

    test_make_dir(dir);
    (void)snprintf(path, sizeof(path), "%s/file", dir);
    fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | flags, 0600);
    assert_true(fd >= 0);
    test_remove_dir(dir);
    return fd;
}

static void
begin_with(struct staged_case *s, const struct rdb_build *dump)
{
    memset(s, 0, sizeof(*s));
    s->dump = *dump;
    repo_case_open(&s->c);
    s->m = repo_case_backup(&s->c, &s->dump);
    assert_int_equal(s->m->rdb_member.segments, SEGMENTS);
    store_fault_reset_counts(s->c.store);
    s->staged = (struct staged_dump){.fd = new_file(0), .journal = new_file(O_APPEND)};
    s->options = case_reading;
}

static void
begin(struct staged_case *s)
{
    struct rdb_build dump;

    repo_case_dump(&dump, (SEGMENTS - 1) * (size_t)CASE_SEGMENT + 333, 1700000000);
    begin_with(s, &dump);
}

static void
end(struct staged_case *s)
{
    (void)close(s->staged.fd);
    (void)close(s->staged.journal);
    manifest_free(s->m);
    rdb_build_fini(&s->dump);
    repo_case_close(&s->c);
}

static int
write_dump(struct staged_case *s, struct err *err)
{
    store_fault_reset_counts(s->c.store);
    return staged_dump_write(&s->c.repo, s->m, &s->staged, &s->options, err);
}

static uint64_t
segments_fetched(struct staged_case *s)
{
    return store_fault_counts(s->c.store).calls[STORE_CALL_GET] - 1; /* the index */
}

static void
assert_whole(struct staged_case *s)
{
    char *data = mem_new(s->dump.len + 1);
    struct err err = ERR_INIT;
    size_t got = 0;

    assert_ok(file_read_at(s->staged.fd, data, s->dump.len + 1, 0, &got, &err), &err);
    assert_int_equal(got, s->dump.len);
    assert_memory_equal(data, s->dump.data, got);
    free(data);
}

/* The store fails from the NTH get of a segment on; the run ends with that. Leaves a healthy store. */
static void
interrupt(struct staged_case *s, uint64_t nth)
{
    struct err err = ERR_INIT;

    store_fault_add(s->c.store, &(struct store_fault){.call = STORE_CALL_GET, .nth = nth + 1});
    assert_fails(write_dump(s, &err), &err, ERR_STORAGE);
    store_fault_clear(s->c.store);
    s->staged.resumed = true;
}

static void
scribble(int fd, uint64_t offset, const void *data, size_t len)
{
    struct err err = ERR_INIT;

    assert_ok(file_write_at(fd, data, len, offset, &err), &err);
}

/* A line for segment N whose bytes would have CRC. */
static void
note(struct staged_case *s, uint64_t n, uint64_t crc)
{
    assert_true(dprintf(s->staged.journal, "%" PRIu64 " %016" PRIx64 "\n", n, crc) > 0);
}

static void
write__nothing_there__the_very_bytes(void **state)
{
    (void)state;
    for (unsigned jobs = 1; jobs <= 4; jobs++) {
        struct err err = ERR_INIT;
        struct staged_case s;

        begin(&s);
        s.options.jobs = jobs;
        assert_ok(write_dump(&s, &err), &err);
        assert_whole(&s);
        assert_int_equal(segments_fetched(&s), SEGMENTS);
        assert_ok(write_dump(&s, &err), &err); /* not resumed: all again */
        assert_int_equal(segments_fetched(&s), SEGMENTS);
        assert_whole(&s);
        end(&s);
    }
}

static void
write__without_a_journal__works(void **state)
{
    struct err err = ERR_INIT;
    struct staged_case s;

    (void)state;
    begin(&s);
    (void)close(s.staged.journal);
    s.staged.journal = -1;
    scribble(s.staged.fd, s.dump.len, "longer", 6); /* what a file should not have behind its end */
    assert_ok(write_dump(&s, &err), &err);
    assert_whole(&s);
    end(&s);
}

/* Interrupted at every segment: what was written is not fetched again. */
static void
resume__after_each_segment__only_the_rest_is_fetched(void **state)
{
    (void)state;
    for (uint64_t nth = 1; nth <= SEGMENTS; nth++) {
        struct err err = ERR_INIT;
        struct staged_case s;

        begin(&s);
        s.options.jobs = 1; /* so that it is known how far it came */
        interrupt(&s, nth);
        s.options.jobs = 3;
        assert_ok(write_dump(&s, &err), &err);
        assert_whole(&s);
        assert_int_equal(segments_fetched(&s), SEGMENTS - (nth - 1));
        assert_ok(write_dump(&s, &err), &err); /* and now nothing is missing */
        assert_int_equal(segments_fetched(&s), 0);
        assert_whole(&s);
        end(&s);
    }
}

/* Whatever a crash has left of the file and the journal. */
static void
resume__bytes_lost_or_changed__those_segments_are_fetched_again(void **state)
{
    struct err err = ERR_INIT;
    struct staged_case s;
    char zeros[CASE_SEGMENT] = {0};

    (void)state;
    begin(&s);
    interrupt(&s, SEGMENTS);                                       /* the last one, or one near it, is missing */
    scribble(s.staged.fd, 2 * (uint64_t)CASE_SEGMENT + 17, "", 1); /* one byte */
    scribble(s.staged.fd, 5 * (uint64_t)CASE_SEGMENT, zeros, sizeof(zeros));
    assert_int_equal(ftruncate(s.staged.fd, 8 * CASE_SEGMENT - 1), 0); /* from segment 7 on */
    assert_ok(write_dump(&s, &err), &err);
    assert_whole(&s);
    assert_int_equal(segments_fetched(&s), 2 + SEGMENTS - 7);
    assert_int_equal(ftruncate(s.staged.journal, 30), 0); /* one line and a torn one: the first two of some order */
    assert_ok(write_dump(&s, &err), &err);
    assert_int_equal(segments_fetched(&s), SEGMENTS - 1);
    assert_int_equal(ftruncate(s.staged.fd, 0), 0);
    assert_ok(write_dump(&s, &err), &err);
    assert_int_equal(segments_fetched(&s), SEGMENTS);
    assert_whole(&s);
    end(&s);
}

/* Lines that agree with the file's bytes, which are not the dump's: only the proof of the whole can tell. */
static void
resume__plausible_but_wrong__all_is_fetched_again_once(void **state)
{
    (void)state;
    for (uint64_t n = 0; n < SEGMENTS; n += SEGMENTS - 1) {
        struct err err = ERR_INIT;
        struct staged_case s;
        size_t len = n == SEGMENTS - 1 ? 333 : CASE_SEGMENT;
        uint8_t other[CASE_SEGMENT];

        begin(&s);
        assert_ok(write_dump(&s, &err), &err);
        s.staged.resumed = true;
        memcpy(other, s.dump.data + n * CASE_SEGMENT, len);
        other[len / 2] ^= 4;
        scribble(s.staged.fd, n * CASE_SEGMENT, other, len);
        note(&s, n, crc64(0, other, len));
        assert_ok(write_dump(&s, &err), &err);
        assert_whole(&s);
        assert_int_equal(segments_fetched(&s) - 1, SEGMENTS); /* and the index twice */
        assert_ok(write_dump(&s, &err), &err);                /* the journal is a true one again */
        assert_int_equal(segments_fetched(&s), 0);
        end(&s);
    }
}

/* `rdbchecksum no`: the manifest has the CRC all the same, and it is what finds the foreign bytes. */
static void
resume__a_dump_without_a_checksum__is_proven_as_well(void **state)
{
    struct err err = ERR_INIT;
    struct rdb_build dump;
    struct staged_case s;
    uint8_t other[CASE_SEGMENT];

    (void)state;
    repo_case_dump(&dump, (SEGMENTS - 1) * (size_t)CASE_SEGMENT + 333, 1700000000);
    memset(dump.data + dump.len - 8, 0, 8);
    begin_with(&s, &dump);
    assert_int_equal(s.m->rdb.crc_state, RDB_CRC_DISABLED);
    s.options.jobs = 1;
    interrupt(&s, 6);
    memcpy(other, s.dump.data + 3 * (size_t)CASE_SEGMENT, sizeof(other));
    other[1000] ^= 4; /* in a value: the structure is as good as before */
    scribble(s.staged.fd, 3 * (uint64_t)CASE_SEGMENT, other, sizeof(other));
    note(&s, 3, crc64(0, other, sizeof(other)));
    assert_ok(write_dump(&s, &err), &err);
    assert_whole(&s);
    assert_true(segments_fetched(&s) > SEGMENTS);
    end(&s);
}

/* Damage in the store is no reason to fetch everything twice, and no resumed bytes hide it. */
static void
resume__damage_in_the_store__corrupt_at_once(void **state)
{
    struct err err = ERR_INIT;
    struct staged_case s;

    (void)state;
    begin(&s);
    s.options.jobs = 1;
    interrupt(&s, 6);
    store_fault_add(s.c.store, &(struct store_fault){
                                   .call = STORE_CALL_GET, .what = STORE_FAULT_FLIP, .key = "00000008.zst", .at = 50});
    assert_int_equal(write_dump(&s, &err), -1);
    assert_int_equal(err.code, ERR_CORRUPT);
    assert_non_null(strstr(err.msg, "segment 8"));
    assert_true(segments_fetched(&s) <= SEGMENTS - 5);
    end(&s);
}

static void
write__the_manifest_lies__corrupt_twice_and_no_further(void **state)
{
    struct err err = ERR_INIT;
    struct staged_case s;

    (void)state;
    begin(&s);
    interrupt(&s, 6);
    s.m->rdb.keys++;
    assert_fails(write_dump(&s, &err), &err, ERR_CORRUPT);
    assert_true(segments_fetched(&s) <= 2 * SEGMENTS);
    s.m->rdb.keys--;
    s.m->rdb_member.segments = UINT64_MAX;
    assert_fails(write_dump(&s, &err), &err, ERR_CORRUPT);
    end(&s);
}

static void
write__file_cannot_be_written__that_error(void **state)
{
    struct err err = ERR_INIT;
    struct staged_case s;
    int full = open("/dev/full", O_RDWR | O_CLOEXEC), good;

    (void)state;
    begin(&s);
    good = s.staged.fd;
    s.staged.fd = full;
    assert_fails(write_dump(&s, &err), &err, ERR_NO_SPACE);
    s.staged.fd = good;
    end(&s);
    (void)close(full);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(write__nothing_there__the_very_bytes),
        cmocka_unit_test(write__without_a_journal__works),
        cmocka_unit_test(resume__after_each_segment__only_the_rest_is_fetched),
        cmocka_unit_test(resume__bytes_lost_or_changed__those_segments_are_fetched_again),
        cmocka_unit_test(resume__plausible_but_wrong__all_is_fetched_again_once),
        cmocka_unit_test(resume__a_dump_without_a_checksum__is_proven_as_well),
        cmocka_unit_test(resume__damage_in_the_store__corrupt_at_once),
        cmocka_unit_test(write__the_manifest_lies__corrupt_twice_and_no_further),
        cmocka_unit_test(write__file_cannot_be_written__that_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
