/* SPDX-License-Identifier: Apache-2.0 */
/* Tars that were made to harm, cut off or are no tars: each is refused in a sentence that names what it is about. */
#include "tests/support/test_common.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/tar_names.h"
#include "base/tar_read.h"
#include "base/tar_write.h"
#include "tests/support/tar_build.h"

#define CAP ((size_t)64 << 20)

static int
setup(void **state)
{
    struct buf *b = mem_new(sizeof(*b));

    buf_init(b, CAP);
    *state = b;
    return 0;
}

static int
teardown(void **state)
{
    struct buf *b = *state;

    buf_fini(b);
    free(b);
    return 0;
}

/* Read all of it, in odd pieces. 0 or -1; *FILES are those that came whole. */
static int
read_all(struct tar_reader *r, unsigned *files, struct err *err)
{
    char piece[777];
    struct tar_entry entry;
    bool end = false;

    *files = 0;
    for (;;) {
        uint64_t total = 0;
        size_t got = 0;

        if (tar_reader_next(r, &entry, &end, err) < 0)
            return -1;
        if (end)
            return 0;
        do {
            if (tar_reader_data(r, piece, sizeof(piece), &got, err) < 0)
                return -1;
            total += got;
        } while (got == sizeof(piece));
        assert_int_equal(total, entry.size);
        (*files)++;
    }
}

static int
read_memory(const void *data, size_t len, unsigned *files, struct err *err)
{
    /* Of its own size, so that a read past its end is seen. */
    char *copy = mem_strndup(len > 0 ? data : "", len);
    struct tar_reader *r = tar_reader_from_memory(copy, len, err);
    int rc = r != NULL ? read_all(r, files, err) : -1;

    tar_reader_free(r);
    free(copy);
    return rc;
}

/* The archive is refused with CODE, behind GOOD files, in a sentence with WORDS. */
static void
assert_refused(const struct buf *b, enum err_code code, unsigned good, const char *words)
{
    struct err err = ERR_INIT;
    unsigned files = 0;

    assert_int_equal(read_memory(b->data, b->len, &files, &err), -1);
    if (err.code != code || strstr(err.msg, words) == NULL)
        fail_msg("%s (%s), and not: %s", err.msg, err_name(err.code), words);
    assert_int_equal(files, good);
    for (const char *p = err.msg; *p != '\0'; p++)
        assert_true((unsigned char)*p >= 0x20 && *p != 0x7f);
}

/* The entry of H, behind a good file and before another. */
static void
assert_entry_refused(struct buf *b, const struct tar_header *h, const char *words)
{
    buf_reset(b);
    tar_add_file(b, "good", "1");
    tar_add_header(b, h);
    tar_add_file(b, "never reached", "1");
    tar_add_end(b);
    assert_refused(b, ERR_CORRUPT, 1, words);
}

/* The file NAME, told by a pax header, which can say any bytes. */
static void
add_pax_named(struct buf *b, const char *name)
{
    char record[4096], size[32];
    int len = (int)strlen(name) + (int)strlen(" path=\n");
    int digits = len + 2 >= 1000 ? 4 : len + 2 >= 100 ? 3 : 2;

    (void)snprintf(record, sizeof(record), "%d path=%s\n", len + digits, name);
    assert_int_equal(strlen(record), len + digits);
    (void)snprintf(size, sizeof(size), "%o", (unsigned)strlen(record));
    tar_add_header(b, &(struct tar_header){.name = "PaxHeader", .size = size, .type = 'x'});
    tar_add_content(b, record, strlen(record));
    tar_add_header(b, &(struct tar_header){.name = "short"});
}

static void
tar_read__odd_names__refused(void **state)
{
    static const struct {
        const char *name, *words;
    } cases[] = {
        {"/etc/passwd", "\"/etc/passwd\" has an absolute name"},
        {"../up", "part \".\" or \"..\""},
        {"a/../b", "part \".\" or \"..\""},
        {"a/..", "part \".\" or \"..\""},
        {"./a", "part \".\" or \"..\""},
        {"a/./b", "part \".\" or \"..\""},
        {"a//b", "empty part"},
        {"new\nline", "\"new?line\" has a control character"},
        {"escape\033[2J", "control character"},
        {"delete\177", "control character"},
    };
    struct buf *b = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_entry_refused(b, &(struct tar_header){.name = cases[i].name}, cases[i].words);
        buf_reset(b);
        add_pax_named(b, cases[i].name);
        tar_add_end(b);
        assert_refused(b, ERR_CORRUPT, 0, cases[i].words);
    }
    assert_entry_refused(b, &(struct tar_header){.name = "b", .prefix = "/a"}, "absolute");
    assert_entry_refused(b, &(struct tar_header){.name = "b", .prefix = "a/.."}, "part \".\" or \"..\"");
    assert_entry_refused(b, &(struct tar_header){.name = "../b/", .type = '5'}, "part \".\" or \"..\"");
    assert_entry_refused(b, &(struct tar_header){.name = "/", .type = '5'}, "absolute");
    assert_entry_refused(b, &(struct tar_header){.name = "./", .type = '5'}, "part \".\" or \"..\"");
    assert_entry_refused(b, &(struct tar_header){.name = ""}, "");
}

static void
tar_read__name_lengths__the_limit_is_exact(void **state)
{
    struct buf *b = *state;
    char name[TAR_NAME_MAX + 2];
    struct err err = ERR_INIT;
    unsigned files = 0;

    memset(name, 'n', sizeof(name) - 1);
    name[TAR_NAME_MAX + 1] = '\0';
    add_pax_named(b, name);
    tar_add_end(b);
    assert_refused(b, ERR_CORRUPT, 0, "too long a name");
    name[TAR_NAME_MAX] = '\0';
    buf_reset(b);
    add_pax_named(b, name);
    tar_add_end(b);
    assert_ok(read_memory(b->data, b->len, &files, &err), &err);
    assert_int_equal(files, 1);
}

static void
tar_read__no_plain_files__refused(void **state)
{
    struct buf *b = *state;

    assert_entry_refused(b, &(struct tar_header){.name = "l", .type = '2', .link = "/etc"}, "symbolic link");
    assert_entry_refused(b, &(struct tar_header){.name = "h", .type = '1', .link = "good"}, "hard link");
    assert_entry_refused(b, &(struct tar_header){.name = "c", .type = '3'}, "device");
    assert_entry_refused(b, &(struct tar_header){.name = "b", .type = '4'}, "device");
    assert_entry_refused(b, &(struct tar_header){.name = "p", .type = '6'}, "a pipe");
}

static void
tar_read__sparse_files__refused(void **state)
{
    static const char zeros[512];
    struct buf *b = *state;
    char *at;

    /* GNU's old way: 512 bytes at 1024 of 2048. */
    tar_add_header(b, &(struct tar_header){.name = "sparse", .size = "1000", .type = 'S'});
    at = b->data;
    memset(at + 257, 0, 255);
    tar_set_field(at, 257, "ustar  ");
    tar_set_field(at, 386, "00000002000");
    tar_set_field(at, 398, "00000001000");
    tar_set_field(at, 483, "00000004000");
    tar_fix_checksum(at);
    tar_add_content(b, zeros, sizeof(zeros));
    tar_add_end(b);
    assert_refused(b, ERR_CORRUPT, 0, "sparse file");
}

static void
tar_read__a_file_through_a_link__refused_at_the_link(void **state)
{
    struct buf *b = *state;

    tar_add_header(b, &(struct tar_header){.name = "way", .type = '2', .link = "/etc"});
    tar_add_file(b, "way/passwd", "root::0:0::/:/bin/sh\n");
    tar_add_end(b);
    assert_refused(b, ERR_CORRUPT, 0, "\"way\" is a symbolic link");
}

static void
tar_read__sizes_that_cannot_be__refused(void **state)
{
    struct buf *b = *state;

    /* In base 256: -1, 2^62 + 1 and 2^63 - 1; and digits that end far behind the archive. */
    assert_entry_refused(
        b, &(struct tar_header){.name = "n", .size = "\377\377\377\377\377\377\377\377\377\377\377\377"}, "");
    assert_entry_refused(b, &(struct tar_header){.name = "n", .size = "77777777777"}, "");
    for (int i = 0; i < 2; i++) {
        unsigned char size[12] = {0x80, 0, 0, 0, i == 0 ? 0x40 : 0x7f, 0, 0, 0, 0, 0, 0, 1};
        char *at;

        buf_reset(b);
        tar_add_file(b, "good", "1");
        tar_add_header(b, &(struct tar_header){.name = "n"});
        at = b->data + b->len - TAR_BLOCK;
        memcpy(at + 124, size, sizeof(size));
        tar_fix_checksum(at);
        tar_add_end(b);
        assert_refused(b, ERR_CORRUPT, 1, "");
    }
}

static void
tar_read__names_twice__refused(void **state)
{
    struct buf *b = *state;

    tar_add_file(b, "a/b", "1");
    tar_add_file(b, "c", "2");
    tar_add_file(b, "a/b", "3");
    tar_add_end(b);
    assert_refused(b, ERR_CORRUPT, 2, "\"a/b\" occurs twice");
}

static void
tar_read__file_and_folder_of_one_name__refused(void **state)
{
    struct buf *b = *state;

    tar_add_file(b, "a", "1");
    tar_add_file(b, "a/b", "2");
    tar_add_end(b);
    assert_refused(b, ERR_CORRUPT, 1, "\"a/b\" is a file and a folder");
    buf_reset(b);
    tar_add_file(b, "a/b/c", "1");
    tar_add_file(b, "a/b", "2");
    tar_add_end(b);
    assert_refused(b, ERR_CORRUPT, 1, "\"a/b\" is a file and a folder");
}

static void
tar_read__folders__passed_over(void **state)
{
    struct buf *b = *state;
    struct err err = ERR_INIT;
    unsigned files = 0;

    tar_add_header(b, &(struct tar_header){.name = "a/", .type = '5'});
    tar_add_file(b, "a/b", "1");
    tar_add_header(b, &(struct tar_header){.name = "a/c/", .type = '5'});
    tar_add_end(b);
    assert_ok(read_memory(b->data, b->len, &files, &err), &err);
    assert_int_equal(files, 1);
}

static void
tar_read__cut_off_anywhere__corrupt(void **state)
{
    struct buf *b = *state;
    char large[5000];
    unsigned files = 0;

    memset(large, 0, sizeof(large) - 1); /* zeros: they look like the end */
    tar_add_file(b, "first", "some text");
    tar_add_header(b, &(struct tar_header){.name = "zeros", .size = "11610"});
    tar_add_content(b, large, 5000);
    add_pax_named(b, "a name that a pax header tells");
    tar_add_end(b);
    for (size_t len = 0; len < b->len; len += TAR_BLOCK) {
        for (int odd = 0; odd < 3; odd++) {
            struct err err = ERR_INIT;
            size_t cut = len + (size_t)odd * 255;

            if (read_memory(b->data, cut, &files, &err) == 0)
                fail_msg("cut off at %zu of %zu bytes: taken", cut, b->len);
            assert_int_equal(err.code, ERR_CORRUPT);
        }
    }
}

static void
tar_read__content_not_read__cut_off_is_seen_all_the_same(void **state)
{
    struct buf *b = *state;
    struct tar_reader *r;
    struct tar_entry entry;
    struct err err = ERR_INIT;
    FILE *file = tmpfile();
    char *content = mem_new(1000000);
    bool end = false;

    assert_non_null(file);
    tar_add_header(b, &(struct tar_header){.name = "large", .size = "3641100"});
    tar_add_content(b, content, 1000000);
    tar_add_end(b);
    for (size_t left = 400000; left > 0; left = left > 100000 ? left - 100000 : left / 2) {
        size_t cut = b->len - left;

        assert_int_equal(ftruncate(fileno(file), 0), 0);
        assert_ok(file_write_at(fileno(file), b->data, cut, 0, &err), &err);
        r = tar_reader_at(fileno(file), 0, &err);
        assert_non_null(r);
        assert_ok(tar_reader_next(r, &entry, &end, &err), &err);
        assert_fails(tar_reader_next(r, &entry, &end, &err), &err, ERR_CORRUPT);
        tar_reader_free(r);
    }
    free(content);
    (void)fclose(file);
}

static void
tar_read__compressed__says_how_to_decompress(void **state)
{
    static const struct {
        const char *magic, *words;
    } cases[] = {{"\x1f\x8b\x08\x01", "gzip -d"},
                 {"\x28\xb5\x2f\xfd", "zstd -d"},
                 {"\xfd"
                  "7zXZ",
                  "xz -d"},
                 {"BZh91AY", "bzip2 -d"},
                 {"\x04\x22\x4d\x18", "lz4 -d"}};
    struct buf *b = *state;
    struct err err = ERR_INIT;
    char rest[2048];

    memset(rest, 'c', sizeof(rest));
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        buf_reset(b);
        assert_ok(buf_append(b, cases[i].magic, strlen(cases[i].magic) + 1, &err), &err);
        assert_ok(buf_append(b, rest, sizeof(rest), &err), &err);
        assert_refused(b, ERR_CORRUPT, 0, cases[i].words);
    }
}

static void
tar_read__no_tar__refused(void **state)
{
    struct buf *b = *state;
    struct err err = ERR_INIT;

    assert_refused(b, ERR_CORRUPT, 0, "no tar");
    assert_ok(buf_append(b, "REDIS0011", 9, &err), &err);
    assert_refused(b, ERR_CORRUPT, 0, "no tar");
    for (int i = 0; i < 300; i++) {
        char noise[1500];

        for (size_t at = 0; at < sizeof(noise); at += 250)
            digest_random(noise + at, 250);
        buf_reset(b);
        assert_ok(buf_append(b, noise, (size_t)i * 5, &err), &err);
        assert_refused(b, ERR_CORRUPT, 0, "");
    }
}

static void
tar_read__noise_in_a_good_one__no_more_than_refused(void **state)
{
    struct buf *b = *state;
    unsigned refused = 0;

    tar_add_file(b, "one/file", "some text");
    add_pax_named(b, "a name that a pax header tells");
    tar_add_end(b);
    for (unsigned i = 0; i < 2000; i++) {
        char *copy = mem_strndup(b->data, b->len);
        struct err err = ERR_INIT;
        unsigned files = 0;

        copy[(i * 7919) % b->len] = (char)(i * 31 + 1);
        if (read_memory(copy, b->len, &files, &err) < 0) {
            refused++;
            assert_int_equal(err.code, ERR_CORRUPT);
        }
        free(copy);
    }
    assert_true(refused > 1000); /* headers have checksums */
}

static void
tar_read__more_than_the_bound__unsupported(void **state)
{
    struct tar_names *n = tar_names_new();
    char name[32];

    (void)state;
    for (unsigned i = 0; i < TAR_NAMES_MAX; i++) {
        (void)snprintf(name, sizeof(name), "%u", i);
        assert_int_equal(tar_names_add(n, name), TAR_NAMES_ADDED);
    }
    assert_int_equal(tar_names_add(n, "399999"), TAR_NAMES_TWICE);
    assert_int_equal(tar_names_add(n, "one more"), TAR_NAMES_FULL);
    tar_names_free(n);
}

static void
tar_read__more_entries_than_the_bound__unsupported(void **state)
{
    struct buf *b = *state;
    struct err err = ERR_INIT;
    struct buf all;

    tar_add_header(b, &(struct tar_header){.name = "again/", .type = '5'});
    buf_init(&all, (size_t)TAR_BLOCK * (TAR_ENTRIES_MAX + 2));
    for (unsigned i = 0; i <= TAR_ENTRIES_MAX; i++)
        assert_ok(buf_append(&all, b->data, b->len, &err), &err);
    assert_refused(&all, ERR_UNSUPPORTED, 0, "more than 200000 entries");
    buf_fini(&all);
}

static void
tar_read__at_a_position__that_entry_comes_first(void **state)
{
    /* The third name needs a pax header; so does every time with a fraction. */
    char names[40][300], text[70000];
    uint64_t positions[ARRAY_LEN(names)];
    struct err err = ERR_INIT;
    FILE *file = tmpfile();
    struct tar_writer *w;
    struct tar_reader *r;
    struct tar_entry entry;
    bool end = false;

    (void)state;
    assert_non_null(file);
    w = tar_writer_to_fd(fileno(file), &err);
    assert_non_null(w);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        (void)snprintf(names[i], sizeof(names[i]), "%0*zu", i % 3 == 2 ? 290 : 5, i);
        memset(text, (int)i, sizeof(text));
        assert_ok(tar_writer_file(w, names[i], i * 1700, 1000 + (int64_t)(i % 2), &err), &err);
        assert_ok(tar_writer_data(w, text, i * 1700, &err), &err);
    }
    assert_ok(tar_writer_finish(w, &err), &err);
    tar_writer_free(w);
    r = tar_reader_at(fileno(file), 0, &err);
    assert_non_null(r);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        assert_ok(tar_reader_next(r, &entry, &end, &err), &err);
        positions[i] = entry.position;
        assert_int_equal(entry.position % TAR_BLOCK, 0);
    }
    tar_reader_free(r);
    for (size_t i = ARRAY_LEN(names); i-- > 0;) {
        char back[sizeof(text)];
        size_t got = 0;

        r = tar_reader_at(fileno(file), positions[i], &err);
        assert_non_null(r);
        assert_ok(tar_reader_next(r, &entry, &end, &err), &err);
        assert_string_equal(entry.name, names[i]);
        assert_int_equal(entry.size, i * 1700);
        assert_int_equal(entry.mtime_ms, 1000 + i % 2);
        assert_int_equal(entry.position, positions[i]);
        assert_ok(tar_reader_data(r, back, sizeof(back), &got, &err), &err);
        assert_int_equal(got, i * 1700);
        memset(text, (int)i, sizeof(text));
        assert_memory_equal(back, text, got);
        if (i + 1 < ARRAY_LEN(names)) { /* and goes on from there */
            assert_ok(tar_reader_next(r, &entry, &end, &err), &err);
            assert_int_equal(entry.position, positions[i + 1]);
        }
        tar_reader_free(r);
    }
    (void)fclose(file);
}

static void
tar_read__behind_the_end__is_not_looked_at(void **state)
{
    struct buf *b = *state;
    struct err err = ERR_INIT;
    unsigned files = 0;

    tar_add_file(b, "one", "1");
    tar_add_end(b);
    tar_add_file(b, "/two", "2");
    assert_ok(read_memory(b->data, b->len, &files, &err), &err);
    assert_int_equal(files, 1);
}

static void
tar_read__closed_descriptor__internal(void **state)
{
    struct err err = ERR_INIT;
    struct tar_entry entry;
    struct tar_reader *r;
    bool end;

    (void)state;
    r = tar_reader_from_fd(1000000, &err);
    if (r != NULL)
        (void)!tar_reader_next(r, &entry, &end, &err);
    assert_int_equal(err.code, ERR_INTERNAL);
    tar_reader_free(r);
    err_clear(&err);
    assert_null(tar_reader_at(1000000, 0, &err));
    assert_int_equal(err.code, ERR_INTERNAL);
}

int
main(void)
{
#define case_of(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        case_of(tar_read__odd_names__refused),
        case_of(tar_read__name_lengths__the_limit_is_exact),
        case_of(tar_read__no_plain_files__refused),
        case_of(tar_read__sparse_files__refused),
        case_of(tar_read__a_file_through_a_link__refused_at_the_link),
        case_of(tar_read__sizes_that_cannot_be__refused),
        case_of(tar_read__names_twice__refused),
        case_of(tar_read__file_and_folder_of_one_name__refused),
        case_of(tar_read__folders__passed_over),
        case_of(tar_read__cut_off_anywhere__corrupt),
        case_of(tar_read__content_not_read__cut_off_is_seen_all_the_same),
        case_of(tar_read__compressed__says_how_to_decompress),
        case_of(tar_read__no_tar__refused),
        case_of(tar_read__noise_in_a_good_one__no_more_than_refused),
        case_of(tar_read__more_than_the_bound__unsupported),
        case_of(tar_read__more_entries_than_the_bound__unsupported),
        case_of(tar_read__at_a_position__that_entry_comes_first),
        case_of(tar_read__behind_the_end__is_not_looked_at),
        case_of(tar_read__closed_descriptor__internal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
