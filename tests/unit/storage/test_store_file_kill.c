/* SPDX-License-Identifier: Apache-2.0 */
/* A writer that is killed at any moment leaves whole objects, and nothing that is listed besides. */
#include "tests/support/test_common.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/mem.h"
#include "storage/store_file.h"
#include "tests/support/test_child.h"

#define KILLS   30
#define MAX_LEN 400000u

/* Whole contents: one letter, as often as the letter says. */
static size_t
len_of(char letter)
{
    return 1000u + (MAX_LEN - 1000u) / 26 * (unsigned)(letter - 'a');
}

struct writer {
    char path[256];
    int progress[2]; /* a pipe: a byte for each object put */
};

/* Put, overwrite, create and remove until killed. */
static int
write_for_ever(void *arg)
{
    const struct writer *w = arg;
    char *data = mem_new(MAX_LEN), key[64];
    struct err err = ERR_INIT;
    struct store *s = store_file_open(w->path, 0, &err);

    CHILD_CHECK(s != NULL);
    for (unsigned i = 0;; i++) {
        char letter = (char)('a' + i * 11 % 26);
        struct store_put put = {.key = key, .data = data, .len = len_of(letter)};

        memset(data, letter, put.len);
        (void)snprintf(key, sizeof(key), "kill/%u/%u", i % 2, i % 7);
        if (i % 5 == 0)
            put.flags = STORE_PUT_CREATE;
        CHILD_CHECK(store_put(s, &put, &err) == 0 || err.code == ERR_EXISTS);
        CHILD_CHECK(write(w->progress[1], ".", 1) == 1);
        if (i % 3 == 0)
            CHILD_CHECK(store_remove(s, key, &err) == 0);
    }
}

struct seen {
    char keys[32][64];
    size_t count;
};

static bool
remember(const struct store_object *object, void *cookie)
{
    struct seen *seen = cookie;

    assert_true(seen->count < ARRAY_LEN(seen->keys));
    (void)snprintf(seen->keys[seen->count++], sizeof(seen->keys[0]), "%s", object->key);
    return true;
}

static size_t
assert_all_whole(struct store *s)
{
    char *data = mem_new(MAX_LEN + 1);
    struct err err = ERR_INIT;
    struct seen seen = {0};

    assert_ok(store_list(s, &(struct store_list){0}, remember, &seen, &err), &err);
    for (size_t i = 0; i < seen.count; i++) {
        size_t got = 0;

        assert_ok(store_get(s, seen.keys[i], 0, data, MAX_LEN + 1, &got, &err), &err);
        assert_in_range(data[0], 'a', 'z');
        assert_int_equal(got, len_of(data[0]));
        assert_memory_equal(data, data + 1, got - 1);
    }
    free(data);
    return seen.count;
}

/* Start a writer, kill it somewhere in one of its next few puts. */
static void
kill_a_writer(struct writer *w)
{
    uint8_t random[2];
    char byte;
    pid_t pid;

    assert_int_equal(pipe(w->progress), 0);
    pid = test_child_start(write_for_ever, w);
    digest_random(random, sizeof(random));
    for (int puts = random[0] % 12; puts > 0; puts--)
        assert_int_equal(read(w->progress[0], &byte, 1), 1);
    clock_sleep_ms(random[1] % 8);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(test_child_wait(pid), 128 + SIGKILL);
    (void)close(w->progress[0]);
    (void)close(w->progress[1]);
}

static void
put__killed_at_30_moments__leaves_whole_objects_only(void **state)
{
    struct writer w;
    char command[512];
    struct err err = ERR_INIT;
    uint64_t removed = 0;
    size_t most = 0;
    struct store *s;

    (void)state;
    test_make_dir(w.path);
    s = store_file_open(w.path, 0, &err);
    assert_non_null(s);
    for (int i = 0; i < KILLS; i++) {
        size_t whole;

        kill_a_writer(&w);
        whole = assert_all_whole(s);
        most = whole > most ? whole : most;
    }
    assert_true(most > 0); /* the writers did write */
    clock_sleep_ms(20);
    assert_ok(store_file_sweep(s, "kill", 1, &removed, &err), &err);
    (void)snprintf(command, sizeof(command), "find '%s' -name '.tmp-*' | grep -q .", w.path);
    assert_true(system(command) != 0); /* NOLINT(cert-env33-c): a test, on its own path */
    (void)assert_all_whole(s);
    store_free(s);
    test_remove_dir(w.path);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(put__killed_at_30_moments__leaves_whole_objects_only)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
