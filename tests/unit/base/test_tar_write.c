/* SPDX-License-Identifier: Apache-2.0 */
/* What is written comes back as it was, in any pieces, and only whole. */
#include "tests/support/test_common.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/tar_read.h"
#include "base/tar_write.h"

#define CAP ((size_t)4 << 20)

static void
write_file(struct tar_writer *w, const char *name, const void *data, size_t len, int64_t mtime_ms)
{
    struct err err = ERR_INIT;

    assert_ok(tar_writer_file(w, name, len, mtime_ms, &err), &err);
    assert_ok(tar_writer_data(w, data, len, &err), &err);
}

static void
expect_file(struct tar_reader *r, const char *name, const void *data, size_t len, int64_t mtime_ms)
{
    struct tar_entry entry;
    struct err err = ERR_INIT;
    char *back = mem_new(len + 1);
    bool end = true;
    size_t got = 0;

    assert_ok(tar_reader_next(r, &entry, &end, &err), &err);
    assert_false(end);
    assert_string_equal(entry.name, name);
    assert_int_equal(entry.size, len);
    assert_int_equal(entry.mtime_ms, mtime_ms);
    assert_ok(tar_reader_data(r, back, len + 1, &got, &err), &err);
    assert_int_equal(got, len);
    assert_memory_equal(back, data, len);
    free(back);
}

static void
expect_end(struct tar_reader *r)
{
    struct tar_entry entry;
    struct err err = ERR_INIT;
    bool end = false;

    assert_ok(tar_reader_next(r, &entry, &end, &err), &err);
    assert_true(end);
}

static void
tar_write__files_of_many_sizes__read_back(void **state)
{
    static const size_t sizes[] = {0, 1, 511, 512, 513, 65535, 65536, 65537, 1000000};
    char *data = mem_new(1000000 + ARRAY_LEN(sizes));
    struct err err = ERR_INIT;
    struct tar_writer *w;
    struct tar_reader *r;
    struct buf b;

    (void)state;
    for (size_t i = 0; i < 1000000 + ARRAY_LEN(sizes); i++)
        data[i] = (char)(i * 7 + i / 251);
    buf_init(&b, CAP);
    w = tar_writer_to_buf(&b, &err);
    assert_non_null(w);
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        char name[32];

        (void)snprintf(name, sizeof(name), "folder/of %zu", sizes[i]);
        write_file(w, name, data + i, sizes[i], 1700000000123 + (int64_t)i);
    }
    assert_ok(tar_writer_finish(w, &err), &err);
    tar_writer_free(w);
    r = tar_reader_from_memory(b.data, b.len, &err);
    assert_non_null(r);
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        char name[32];

        (void)snprintf(name, sizeof(name), "folder/of %zu", sizes[i]);
        expect_file(r, name, data + i, sizes[i], 1700000000123 + (int64_t)i);
    }
    expect_end(r);
    tar_reader_free(r);
    buf_fini(&b);
    free(data);
}

static void
tar_write__odd_names__read_back(void **state)
{
    /* Longer than ustar's fields, with no place to split; and bytes that are no ASCII, of UTF-8 and not. */
    char longest[TAR_NAME_MAX + 1], part[201];
    const char *names[] = {"a", part, longest, "se\xc3\xb1or/redis.conf", "\xff\xfe", "with space = and, comma"};
    struct err err = ERR_INIT;
    struct tar_writer *w;
    struct tar_reader *r;
    struct buf b;

    (void)state;
    memset(part, 'p', sizeof(part) - 1);
    part[sizeof(part) - 1] = '\0';
    for (size_t i = 0; i < TAR_NAME_MAX; i++)
        longest[i] = i % 150 == 149 && i < TAR_NAME_MAX - 1 ? '/' : 'x';
    longest[TAR_NAME_MAX] = '\0';
    buf_init(&b, CAP);
    w = tar_writer_to_buf(&b, &err);
    assert_non_null(w);
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        write_file(w, names[i], names[i], strlen(names[i]), 1000 * (int64_t)i);
    assert_ok(tar_writer_finish(w, &err), &err);
    tar_writer_free(w);
    r = tar_reader_from_memory(b.data, b.len, &err);
    assert_non_null(r);
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        expect_file(r, names[i], names[i], strlen(names[i]), 1000 * (int64_t)i);
    expect_end(r);
    tar_reader_free(r);
    buf_fini(&b);
}

static void
tar_write__twice__same_bytes(void **state)
{
    struct err err = ERR_INIT;
    struct buf b[2];

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct tar_writer *w;

        buf_init(&b[i], CAP);
        w = tar_writer_to_buf(&b[i], &err);
        assert_non_null(w);
        assert_ok(tar_writer_file(w, "one", 6, 5, &err), &err);
        /* In one piece, and in two. */
        assert_ok(tar_writer_data(w, "abcdef", i == 0 ? 6 : 2, &err), &err);
        if (i == 1)
            assert_ok(tar_writer_data(w, "cdef", 4, &err), &err);
        assert_ok(tar_writer_finish(w, &err), &err);
        tar_writer_free(w);
    }
    assert_int_equal(b[0].len, b[1].len);
    assert_memory_equal(b[0].data, b[1].data, b[0].len);
    buf_fini(&b[0]);
    buf_fini(&b[1]);
}

static void
tar_write__not_finished__is_cut_off(void **state)
{
    struct err err = ERR_INIT;
    struct tar_writer *w;
    struct tar_reader *r;
    struct tar_entry entry;
    struct buf b;
    bool end;

    (void)state;
    buf_init(&b, CAP);
    w = tar_writer_to_buf(&b, &err);
    assert_non_null(w);
    for (int i = 0; i < 3; i++) { /* more than what libarchive keeps for the next write */
        char *data = mem_new(100000);

        write_file(w, i == 0 ? "0" : i == 1 ? "1" : "2", data, 100000, 0);
        free(data);
    }
    tar_writer_free(w);
    assert_true(b.len > 0);
    r = tar_reader_from_memory(b.data, b.len, &err);
    assert_non_null(r);
    while (tar_reader_next(r, &entry, &end, &err) == 0)
        assert_false(end);
    assert_int_equal(err.code, ERR_CORRUPT);
    tar_reader_free(r);
    buf_fini(&b);
}

static void
tar_write__wrong_amount_of_bytes__refused(void **state)
{
    struct err err = ERR_INIT;
    struct tar_writer *w;
    struct buf b;

    (void)state;
    buf_init(&b, CAP);
    w = tar_writer_to_buf(&b, &err);
    assert_non_null(w);
    assert_ok(tar_writer_file(w, "one", 3, 0, &err), &err);
    assert_fails(tar_writer_data(w, "four", 4, &err), &err, ERR_INTERNAL);
    assert_ok(tar_writer_data(w, "tw", 2, &err), &err);
    assert_fails(tar_writer_file(w, "two", 0, 0, &err), &err, ERR_INTERNAL);
    assert_fails(tar_writer_finish(w, &err), &err, ERR_INTERNAL);
    tar_writer_free(w);
    buf_fini(&b);
}

static void
tar_write__buffer_at_its_ceiling__no_space(void **state)
{
    char *data = mem_new(300000);
    struct err err = ERR_INIT;
    struct tar_writer *w;
    struct buf b;

    (void)state;
    buf_init(&b, 100000);
    w = tar_writer_to_buf(&b, &err);
    assert_non_null(w);
    assert_ok(tar_writer_file(w, "large", 300000, 0, &err), &err);
    assert_fails(tar_writer_data(w, data, 300000, &err), &err, ERR_NO_SPACE);
    assert_fails(tar_writer_data(w, data, 1, &err), &err, ERR_NO_SPACE);
    tar_writer_free(w);
    buf_fini(&b);
    free(data);
}

static void
tar_write__full_device__no_space(void **state)
{
    int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
    struct err err = ERR_INIT;
    struct tar_writer *w;

    (void)state;
    assert_true(fd >= 0);
    w = tar_writer_to_fd(fd, &err);
    assert_non_null(w);
    assert_ok(tar_writer_file(w, "one", 1, 0, &err), &err);
    assert_ok(tar_writer_data(w, "1", 1, &err), &err);
    assert_fails(tar_writer_finish(w, &err), &err, ERR_NO_SPACE);
    tar_writer_free(w);
    (void)close(fd);
}

static void
tar_write__pipe__reads_as_a_stream(void **state)
{
    struct err err = ERR_INIT;
    struct tar_writer *w;
    struct tar_reader *r;
    int ends[2];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    w = tar_writer_to_fd(ends[1], &err);
    assert_non_null(w);
    write_file(w, "one", "first", 5, 1000);
    write_file(w, "two", "second", 6, 2000);
    assert_ok(tar_writer_finish(w, &err), &err);
    tar_writer_free(w);
    (void)close(ends[1]);
    r = tar_reader_from_fd(ends[0], &err);
    assert_non_null(r);
    expect_file(r, "one", "first", 5, 1000);
    expect_file(r, "two", "second", 6, 2000);
    expect_end(r);
    tar_reader_free(r);
    (void)close(ends[0]);
}

static void
tar_write__nothing__an_empty_archive(void **state)
{
    struct err err = ERR_INIT;
    struct tar_writer *w;
    struct tar_reader *r;
    struct buf b;

    (void)state;
    buf_init(&b, CAP);
    w = tar_writer_to_buf(&b, &err);
    assert_non_null(w);
    assert_ok(tar_writer_finish(w, &err), &err);
    tar_writer_free(w);
    r = tar_reader_from_memory(b.data, b.len, &err);
    assert_non_null(r);
    expect_end(r);
    tar_reader_free(r);
    buf_fini(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tar_write__files_of_many_sizes__read_back),
        cmocka_unit_test(tar_write__odd_names__read_back),
        cmocka_unit_test(tar_write__twice__same_bytes),
        cmocka_unit_test(tar_write__not_finished__is_cut_off),
        cmocka_unit_test(tar_write__wrong_amount_of_bytes__refused),
        cmocka_unit_test(tar_write__buffer_at_its_ceiling__no_space),
        cmocka_unit_test(tar_write__full_device__no_space),
        cmocka_unit_test(tar_write__pipe__reads_as_a_stream),
        cmocka_unit_test(tar_write__nothing__an_empty_archive),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
