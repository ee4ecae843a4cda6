/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test_common.h"

#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "snapshot/redis/spool.h"

#define MIB ((size_t)1 << 20)

/* Byte number N of the stream that all tests send. */
static uint8_t
byte_at(uint64_t n)
{
    return (uint8_t)(n * 31 + (n >> 8) * 7 + (n >> 16));
}

struct writer {
    struct spool *spool;
    uint64_t bytes;
    size_t slice;
    struct err cause; /* ERR_NONE: a good end */
    struct err err;   /* how spool_write() failed */
    pthread_t thread;
};

static void *
write_all(void *arg)
{
    struct writer *w = arg;
    uint8_t *slice = malloc(w->slice);

    assert_non_null(slice);
    for (uint64_t at = 0; at < w->bytes;) {
        size_t len = w->bytes - at < w->slice ? (size_t)(w->bytes - at) : w->slice;

        for (size_t i = 0; i < len; i++)
            slice[i] = byte_at(at + i);
        if (spool_write(w->spool, slice, len, &w->err) < 0)
            break;
        at += len;
    }
    if (w->err.code == ERR_NONE)
        spool_end(w->spool, w->cause.code != ERR_NONE ? &w->cause : NULL);
    free(slice);
    return NULL;
}

static void
start(struct writer *w)
{
    assert_int_equal(pthread_create(&w->thread, NULL, write_all, w), 0);
}

/* Read BYTES in slices of SLICE and look at each. */
static void
expect_bytes(struct spool *s, uint64_t from, uint64_t bytes, size_t slice)
{
    uint8_t *buf = malloc(slice);
    struct err err = ERR_INIT;

    assert_non_null(buf);
    for (uint64_t at = from; at < from + bytes;) {
        size_t got = 0, want = from + bytes - at < slice ? (size_t)(from + bytes - at) : slice;

        assert_ok(spool_read(s, buf, want, &got, &err), &err);
        assert_true(got > 0 && got <= want);
        for (size_t i = 0; i < got; i++) {
            if (buf[i] != byte_at(at + i))
                fail_msg("byte %llu is wrong", (unsigned long long)(at + i));
        }
        at += got;
    }
    free(buf);
}

static void
expect_end(struct spool *s)
{
    struct err err = ERR_INIT;
    uint8_t byte;
    size_t got = 1;

    assert_ok(spool_read(s, &byte, 1, &got, &err), &err);
    assert_int_equal(got, 0);
}

static struct spool *
make(const char *dir, uint64_t bytes)
{
    struct err err = ERR_INIT;
    struct spool *s = spool_new(dir, bytes, &err);

    if (s == NULL)
        fail_msg("%s", err.msg);
    return s;
}

static void
spool_write__more_than_it_holds__all_bytes_in_order(void **state)
{
    static const struct {
        size_t file, write, read;
    } cases[] = {{0, 4096, 100000},
                 {0, 300000, 777},
                 {3 * MIB + 5, 70001, 50021},
                 {2 * MIB, 5 * MIB, 3 * MIB},
                 {MIB, 1000, 1000}};
    char dir[256];

    (void)state;
    test_make_dir(dir);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct writer w = {.spool = make(cases[i].file > 0 ? dir : NULL, cases[i].file),
                           .bytes = 12 * MIB + 12345,
                           .slice = cases[i].write};
        struct spool_stats stats;

        start(&w);
        expect_bytes(w.spool, 0, w.bytes, cases[i].read);
        expect_end(w.spool);
        (void)pthread_join(w.thread, NULL);
        spool_stats(w.spool, &stats);
        assert_true(stats.file_peak <= cases[i].file);
        spool_free(w.spool);
    }
    test_remove_dir(dir);
}

static void
spool_write__reader_stands_still__writer_ends_within_the_file(void **state)
{
    struct writer w = {.bytes = 6 * MIB, .slice = 100000};
    struct spool_stats stats;
    struct dirent *entry;
    char dir[256];
    DIR *d;

    (void)state;
    test_make_dir(dir);
    w.spool = make(dir, 8 * MIB);
    start(&w);
    (void)pthread_join(w.thread, NULL); /* without anyone reading */
    assert_int_equal(w.err.code, ERR_NONE);
    spool_stats(w.spool, &stats);
    assert_int_equal(stats.file_peak, 6 * MIB - SPOOL_MEMORY_BYTES);
    d = opendir(dir);
    assert_non_null(d);
    while ((entry = readdir(d)) != NULL)
        assert_int_equal(entry->d_name[0], '.'); /* it has no name */
    (void)closedir(d);
    expect_bytes(w.spool, 0, w.bytes, 99999);
    expect_end(w.spool);
    spool_free(w.spool);
    test_remove_dir(dir);
}

static void
spool_write__disk_full__waits_for_the_reader(void **state)
{
    const struct rlimit none = {RLIM_INFINITY, RLIM_INFINITY};
    struct rlimit few = {2 * MIB + 1000, RLIM_INFINITY};
    struct writer w = {.bytes = 20 * MIB, .slice = 100000};
    struct spool_stats stats;
    char dir[256];

    (void)state;
    test_make_dir(dir);
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &few), 0); /* EFBIG stands for ENOSPC */
    w.spool = make(dir, 64 * MIB);
    start(&w);
    clock_sleep_ms(300);
    expect_bytes(w.spool, 0, w.bytes, 65536);
    expect_end(w.spool);
    (void)pthread_join(w.thread, NULL);
    spool_stats(w.spool, &stats);
    assert_int_equal(stats.file_peak, 2 * MIB + 1000);
    assert_true(stats.waited_ms >= 100);
    spool_free(w.spool);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    test_remove_dir(dir);
}

static void
spool_end__failure__comes_after_the_last_byte(void **state)
{
    struct writer w = {.spool = make(NULL, 0), .bytes = 5000, .slice = 5000};
    struct err err = ERR_INIT;
    uint8_t byte;
    size_t got;

    (void)state;
    (void)err_set(&w.cause, ERR_SERVER, "the server went away");
    start(&w);
    (void)pthread_join(w.thread, NULL);
    expect_bytes(w.spool, 0, 5000, 1000);
    assert_int_equal(spool_read(w.spool, &byte, 1, &got, &err), -1);
    assert_int_equal(err.code, ERR_SERVER);
    assert_string_equal(err.msg, "the server went away");
    spool_free(w.spool);
}

static void
spool_cancel__waiting_writer__fails(void **state)
{
    struct writer w = {.spool = make(NULL, 0), .bytes = 3 * MIB, .slice = MIB};

    (void)state;
    start(&w);
    clock_sleep_ms(100);
    spool_cancel(w.spool);
    (void)pthread_join(w.thread, NULL);
    assert_int_equal(w.err.code, ERR_INTERRUPTED);
    spool_free(w.spool);
}

static void
spool_new__folder_that_is_none__says_so(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    assert_null(spool_new("/nonexistent/folder", MIB, &err));
    assert_int_equal(err.code, ERR_USAGE);
    assert_non_null(strstr(err.msg, "/nonexistent/folder"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spool_write__more_than_it_holds__all_bytes_in_order),
        cmocka_unit_test(spool_write__reader_stands_still__writer_ends_within_the_file),
        cmocka_unit_test(spool_write__disk_full__waits_for_the_reader),
        cmocka_unit_test(spool_end__failure__comes_after_the_last_byte),
        cmocka_unit_test(spool_cancel__waiting_writer__fails),
        cmocka_unit_test(spool_new__folder_that_is_none__says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
