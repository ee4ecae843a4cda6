/* SPDX-License-Identifier: Apache-2.0 */
/* test_staged_journal.c: what is noted is found again, and whatever else is in the file does no harm. */
#include "snapshot/staged_journal.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "snapshot/repo/index.h"
#include "tests/support/test_common.h"

#define SEGMENTS 1000

static int
new_file(void)
{
    char dir[256], path[300];
    int fd;

    test_make_dir(dir);
    (void)snprintf(path, sizeof(path), "%s/journal", dir);
    fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    test_remove_dir(dir);
    return fd;
}

static void
put(int fd, const char *text)
{
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

/* Exactly the segments of WANT (ended by -1) are found, each with the CRC `number + 1`. */
static void
assert_found(int fd, uint64_t segments, const int *want)
{
    struct staged_journal *j = staged_journal_open(fd, segments, true);
    uint64_t crc = 0;

    for (uint64_t n = 0; n < SEGMENTS + 2; n++) {
        bool wanted = false;

        for (const int *w = want; *w >= 0; w++)
            wanted |= (uint64_t)*w == n;
        if (staged_journal_find(j, n, &crc) != wanted)
            fail_msg("segment %u", (unsigned)n);
        if (wanted)
            assert_int_equal(crc, n + 1);
    }
    assert_false(staged_journal_find(j, UINT64_MAX, &crc));
    staged_journal_free(j);
}

struct writer {
    struct staged_journal *j;
    uint64_t first;
};

static void *
add_many(void *arg)
{
    const struct writer *w = arg;

    for (uint64_t n = w->first; n < SEGMENTS; n += 4)
        staged_journal_add(w->j, n, n + 1);
    return NULL;
}

static void
add__by_several_threads__all_found(void **state)
{
    int fd = new_file(), all[SEGMENTS + 1];
    struct staged_journal *j = staged_journal_open(fd, SEGMENTS, false);
    struct writer writers[4];
    pthread_t threads[4];

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        writers[i] = (struct writer){j, i};
        assert_int_equal(pthread_create(&threads[i], NULL, add_many, &writers[i]), 0);
    }
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    staged_journal_free(j);
    for (int n = 0; n < SEGMENTS; n++)
        all[n] = n;
    all[SEGMENTS] = -1;
    assert_found(fd, SEGMENTS, all);
    j = staged_journal_open(fd, SEGMENTS, false); /* another backup's, say */
    staged_journal_free(j);
    assert_found(fd, SEGMENTS, (int[]){-1});
    (void)close(fd);
}

/* Cut at every byte: what was whole in front of the cut is found, and a line added then is one of its own. */
static void
load__torn_anywhere__the_rest_counts(void **state)
{
    static const char two[] = "7 0000000000000008\n8 0000000000000009\n";

    (void)state;
    for (size_t cut = 0; cut < sizeof(two); cut++) {
        int fd = new_file(), want[4] = {-1, -1, -1, -1}, wants = 0;
        struct staged_journal *j;

        assert_int_equal(write(fd, two, cut), (ssize_t)cut);
        if (cut >= 19)
            want[wants++] = 7;
        if (cut >= 38)
            want[wants++] = 8;
        assert_found(fd, SEGMENTS, want);
        j = staged_journal_open(fd, SEGMENTS, true);
        staged_journal_add(j, 9, 10);
        staged_journal_add(j, 11, 12);
        staged_journal_free(j);
        if (cut == 18 || cut == 37) /* only the line's end was missing: now it is there */
            want[wants++] = cut == 18 ? 7 : 8;
        want[wants++] = 9;
        want[wants] = 11;
        assert_found(fd, SEGMENTS, (int[]){want[0], want[1], want[2], want[3], wants == 3 ? 11 : -1, -1});
        (void)close(fd);
    }
}

static void
load__lines_of_other_kinds__ignored(void **state)
{
    static const char with_nul[] = "2 0000\00000000000003\n";
    int fd = new_file();

    (void)state;
    put(fd, "\n\n \n0\n0 \n0 1\n 0 0000000000000001\n0  0000000000000001\n0 0000000000000001 \n0 000000000000000\n");
    put(fd, "0 00000000000000011\n0 000000000000000G\n0 000000000000000A\n-1 0000000000000001\n+1 0000000000000002\n");
    put(fd, "1000 00000000000003e9\n99999999999999999999999999 0000000000000001\n18446744073709551616 1\n");
    put(fd, "0x1 0000000000000002\n1\t0000000000000002\n\x80\xff\n5 0000000000000006\r\n");
    assert_int_equal(write(fd, with_nul, sizeof(with_nul) - 1), 19);
    assert_found(fd, SEGMENTS, (int[]){-1});
    put(fd, "3 0000000000000004\n4 ffffffffffffffff\n4 0000000000000005\n3 0000000000000004\n"); /* the later one */
    assert_found(fd, SEGMENTS, (int[]){3, 4, -1});
    assert_found(fd, 4, (int[]){3, -1});
    assert_found(fd, 0, (int[]){-1});
    assert_found(fd, UINT64_MAX, (int[]){3, 4, 1000, -1}); /* a manifest may say anything */
    (void)close(fd);
}

static void
open__unreadable_or_huge__without_lines(void **state)
{
    int fd = new_file(), dir = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct staged_journal *j;

    (void)state;
    put(fd, "3 0000000000000004\n");
    assert_int_equal(ftruncate(fd, (off_t)1 << 40), 0); /* sparse */
    assert_found(fd, SEGMENTS, (int[]){-1});
    assert_found(dir, SEGMENTS, (int[]){-1});
    assert_found(-1, SEGMENTS, (int[]){-1});
    j = staged_journal_open(dir, SEGMENTS, false);
    staged_journal_add(j, 1, 2); /* cannot be noted: no failure */
    staged_journal_free(j);
    staged_journal_free(NULL);
    (void)close(dir);
    (void)close(fd);
}

static void
open__that_cannot_be_emptied__is_not_added_to(void **state)
{
    int fd = new_file(), readonly;
    char path[64];
    struct staged_journal *j;
    struct stat st;

    (void)state;
    put(fd, "3 0000000000000004\n");
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    readonly = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(readonly >= 0);
    j = staged_journal_open(readonly, SEGMENTS, false);
    staged_journal_add(j, 5, 6);
    staged_journal_free(j);
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_size, 19);
    (void)close(readonly);
    (void)close(fd);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(add__by_several_threads__all_found),
        cmocka_unit_test(load__torn_anywhere__the_rest_counts),
        cmocka_unit_test(load__lines_of_other_kinds__ignored),
        cmocka_unit_test(open__unreadable_or_huge__without_lines),
        cmocka_unit_test(open__that_cannot_be_emptied__is_not_added_to),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
