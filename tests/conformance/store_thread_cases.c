/* SPDX-License-Identifier: Apache-2.0 */
/* store_thread_cases.c: one store, several threads. Threads note what went wrong; only the case itself asserts, since
 * cmocka can leave from its own thread only. */
#include "tests/conformance/store_cases.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define MAX_THREADS 8

struct worker {
    const struct fixture *f;
    unsigned number;
    pthread_barrier_t *barrier;
    atomic_bool *stop;
    char wrong[1200]; /* "" while all is well */
    int (*result)[2]; /* of the race, by round and thread */
};

static void
note(struct worker *w, const char *what, const struct err *err)
{
    if (w->wrong[0] == '\0')
        (void)snprintf(w->wrong, sizeof(w->wrong), "%s: %s", what, err != NULL ? err->msg : "");
}

/* Run COUNT threads; MAIN of each gets a worker, which FIRST is copied to. Fails the case when one noted something. */
static void
run_threads(unsigned count, void *(*const *mains)(void *), const struct worker *first)
{
    struct worker *workers = mem_array(count, sizeof(*workers));
    pthread_t threads[MAX_THREADS];
    char wrong[sizeof(first->wrong)] = "";

    for (unsigned i = 0; i < count; i++) {
        workers[i] = *first;
        workers[i].number = i;
        assert_int_equal(pthread_create(&threads[i], NULL, mains[i], &workers[i]), 0);
    }
    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        if (wrong[0] == '\0')
            memcpy(wrong, workers[i].wrong, sizeof(wrong));
    }
    free(workers);
    if (wrong[0] != '\0')
        fail_msg("%s", wrong);
}

/* ---- create-only: one winner ---- */

static void *
race_to_create(void *arg)
{
    struct worker *w = arg;
    char key[64], mine[2] = {(char)('A' + w->number), '\0'};

    for (unsigned i = 0; i < w->f->suite.rounds; i++) {
        struct err err = ERR_INIT;

        (void)snprintf(key, sizeof(key), "race/%u/key", i);
        (void)pthread_barrier_wait(w->barrier);
        w->result[i][w->number] = put_bytes(w->f->w, key, mine, 1, STORE_PUT_CREATE, &err);
        if (w->result[i][w->number] < 0 && err.code != ERR_EXISTS)
            note(w, "the loser's error", &err);
    }
    return NULL;
}

static void
put__two_threads_create_one_key__exactly_one_wins(void **state)
{
    void *(*const mains[])(void *) = {race_to_create, race_to_create};
    const struct fixture *f = *state;
    pthread_barrier_t barrier;
    struct worker first = {.f = f, .barrier = &barrier};
    char key[64];

    if (f->suite.no_create_only)
        return; /* put__create_only__... checks that it is refused */
    first.result = mem_array(f->suite.rounds, sizeof(*first.result));
    assert_int_equal(pthread_barrier_init(&barrier, NULL, 2), 0);
    run_threads(2, mains, &first);
    for (unsigned i = 0; i < f->suite.rounds; i++) {
        (void)snprintf(key, sizeof(key), "race/%u/key", i);
        assert_int_equal(first.result[i][0] + first.result[i][1], -1);
        assert_text(f, key, first.result[i][0] == 0 ? "A" : "B");
    }
    (void)pthread_barrier_destroy(&barrier);
    free(first.result);
}

/* ---- readers see whole objects ---- */

#define CHANGING_MAX 150000

/* Content number I: one letter, as often as the letter says. */
static size_t
changing_len(char letter)
{
    return 20000u + 5000u * (unsigned)(letter - 'a');
}

static void *
write_changing(void *arg)
{
    struct worker *w = arg;
    char *data = mem_new(CHANGING_MAX);
    struct err err = ERR_INIT;

    for (unsigned i = 0; i < w->f->suite.rounds; i++) {
        char letter = (char)('a' + (i * 7 + w->number * 3) % 26);

        memset(data, letter, changing_len(letter));
        if (put_bytes(w->f->w, "changing/object", data, changing_len(letter), 0, &err) < 0)
            note(w, "put", &err);
    }
    atomic_store(w->stop, true);
    free(data);
    return NULL;
}

static void *
read_changing(void *arg)
{
    struct worker *w = arg;
    char *data = mem_new(CHANGING_MAX + 1);
    struct err err = ERR_INIT;
    size_t got = 0;

    do {
        if (store_get(w->f->r, "changing/object", 0, data, CHANGING_MAX, &got, &err) < 0) {
            note(w, "get", &err);
        } else if (got == 0 || got != changing_len(data[0]) || memcmp(data, data + 1, got - 1) != 0) {
            note(w, "two contents are mixed in one", NULL);
        }
    } while (!atomic_load(w->stop) && w->wrong[0] == '\0');
    free(data);
    return NULL;
}

static void
put__while_others_read__they_see_whole_objects(void **state)
{
    void *(*const mains[])(void *) = {write_changing, write_changing, read_changing, read_changing};
    const struct fixture *f = *state;
    atomic_bool stop = false;
    struct worker first = {.f = f, .stop = &stop};
    char *data = mem_new(CHANGING_MAX);
    struct err err = ERR_INIT;

    memset(data, 'a', changing_len('a'));
    assert_ok(put_bytes(f->w, "changing/object", data, changing_len('a'), 0, &err), &err);
    free(data);
    run_threads(4, mains, &first);
}

/* ---- everything at once ---- */

static bool
count_one(const struct store_object *object, void *cookie)
{
    (void)object;
    (*(unsigned *)cookie)++;
    return true;
}

/* Put, see, list and remove keys of its own in folders that all share: they come and go under the others' feet. */
static void *
use_all_calls(void *arg)
{
    struct worker *w = arg;
    char key[64];

    for (unsigned i = 0; i < w->f->suite.rounds && w->wrong[0] == '\0'; i++) {
        const struct store_list mine = {.prefix = key};
        struct store_object object;
        struct err err = ERR_INIT;
        unsigned found = 0;
        char c = 0;
        size_t got = 0;

        (void)snprintf(key, sizeof(key), "shared/%u/deeper/%u", i % 2, w->number);
        if (put_bytes(w->f->w, key, "xy", 2, 0, &err) < 0)
            note(w, "put", &err);
        else if (store_get(w->f->r, key, 1, &c, 1, &got, &err) < 0 || got != 1 || c != 'y')
            note(w, "get after put", &err);
        else if (store_list(w->f->r, &mine, count_one, &found, &err) < 0 || found != 1)
            note(w, "list after put", &err);
        else if (store_remove(w->f->w, key, &err) < 0)
            note(w, "remove", &err);
        else if (store_stat(w->f->r, key, &object, &err) == 0 || err.code != ERR_NOT_FOUND)
            note(w, "stat after remove", &err);
    }
    return NULL;
}

static void
all_calls__from_four_threads_in_shared_folders__work(void **state)
{
    void *(*const mains[])(void *) = {use_all_calls, use_all_calls, use_all_calls, use_all_calls};
    const struct fixture *f = *state;
    const struct worker first = {.f = f};
    struct err err = ERR_INIT;
    struct told told = {0};

    run_threads(4, mains, &first);
    assert_ok(store_list(f->r, &(struct store_list){0}, told_add, &told, &err), &err);
    assert_int_equal(told.count, 0);
    told_free(&told);
}

/* ---- a listing while keys come and go ---- */

#define STABLE_KEYS 40

static void *
churn(void *arg)
{
    struct worker *w = arg;
    struct err err = ERR_INIT;
    char key[64];

    for (unsigned i = 0; !atomic_load(w->stop); i++) {
        (void)snprintf(key, sizeof(key), "list/%u/%s%u", i % 5, i % 2 == 0 ? "" : "folder/", i % 17);
        if (put_bytes(w->f->w, key, "c", 1, 0, &err) < 0)
            note(w, "put", &err);
        if (i % 3 != 0 && store_remove(w->f->w, key, &err) < 0)
            note(w, "remove", &err);
    }
    return NULL;
}

static void *
list_stable(void *arg)
{
    struct worker *w = arg;

    for (unsigned round = 0; round < w->f->suite.rounds && w->wrong[0] == '\0'; round++) {
        struct err err = ERR_INIT;
        struct told told = {0};
        unsigned stable = 0;

        if (store_list(w->f->r, &(struct store_list){.prefix = "list/"}, told_add, &told, &err) < 0)
            note(w, "list", &err);
        for (size_t i = 0; i < told.count; i++) {
            stable += strstr(told.objects[i].key, "stable-") != NULL;
            if (i > 0 && strcmp(told.objects[i - 1].key, told.objects[i].key) >= 0)
                note(w, "out of order, or told twice", NULL);
        }
        if (stable != STABLE_KEYS)
            note(w, "a key that was there all the time was not told", NULL);
        told_free(&told);
    }
    atomic_store(w->stop, true);
    return NULL;
}

static void
list__while_others_put_and_remove__tells_what_stays_once(void **state)
{
    void *(*const mains[])(void *) = {list_stable, churn};
    const struct fixture *f = *state;
    atomic_bool stop = false;
    const struct worker first = {.f = f, .stop = &stop};
    char key[64];

    for (unsigned i = 0; i < STABLE_KEYS; i++) {
        (void)snprintf(key, sizeof(key), "list/%u/stable-%02u", i % 4, i);
        put_text(f, key, "s");
    }
    run_threads(2, mains, &first);
}

const struct CMUnitTest store_thread_cases[] = {
    cmocka_unit_test(put__two_threads_create_one_key__exactly_one_wins),
    cmocka_unit_test(put__while_others_read__they_see_whole_objects),
    cmocka_unit_test(all_calls__from_four_threads_in_shared_folders__work),
    cmocka_unit_test(list__while_others_put_and_remove__tells_what_stays_once),
    {NULL, NULL, NULL, NULL, NULL},
};
