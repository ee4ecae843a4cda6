/* SPDX-License-Identifier: Apache-2.0 */
/* store_suite.c: see store_suite.h. Runs the cases of store_object_cases.c, store_list_cases.c and
 * store_thread_cases.c, each on a fresh place. */
#include "tests/conformance/store_cases.h"

#include <string.h>

#include "base/mem.h"

#define MAX_CASES 64

static const struct store_suite *running;

static int
setup(void **state)
{
    struct fixture *f = mem_new(sizeof(*f));

    f->suite = *running;
    f->suite.big_bytes = running->big_bytes > 0 ? running->big_bytes : 8u << 20;
    f->suite.many_keys = running->many_keys > 0 ? running->many_keys : 1500;
    f->suite.rounds = running->rounds > 0 ? running->rounds : 100;
    f->suite.sparse = running->sparse > 0 ? running->sparse : 1;
    f->suite.clock_slack_ms = running->clock_slack_ms > 0 ? running->clock_slack_ms : 2000;
    f->place = running->place_new();
    f->w = running->writer(f->place);
    f->r = running->reader != NULL ? running->reader(f->place) : f->w;
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;

    if (f->r != f->w)
        store_free(f->r);
    store_free(f->w);
    f->suite.place_free(f->place);
    free(f);
    return 0;
}

static size_t
add_cases(struct CMUnitTest *all, size_t count, const struct CMUnitTest *cases)
{
    for (; cases->name != NULL; cases++) {
        REQUIRE(count < MAX_CASES);
        all[count] = *cases;
        all[count].setup_func = setup;
        all[count].teardown_func = teardown;
        count++;
    }
    return count;
}

int
store_suite_run(const struct store_suite *suite)
{
    struct CMUnitTest all[MAX_CASES];
    size_t count = 0;

    running = suite;
    memset(all, 0, sizeof(all));
    count = add_cases(all, count, store_object_cases);
    count = add_cases(all, count, store_list_cases);
    count = add_cases(all, count, store_thread_cases);
    return _cmocka_run_group_tests(suite->name, all, count, NULL, NULL);
}

/* ---- helpers of the cases ---- */

int
put_bytes(struct store *s, const char *key, const void *data, size_t len, unsigned flags, struct err *err)
{
    const struct store_put put = {.key = key, .data = data, .len = len, .flags = flags};

    return store_put(s, &put, err);
}

void
put_text(const struct fixture *f, const char *key, const char *text)
{
    struct err err = ERR_INIT;

    assert_ok(put_bytes(f->w, key, text, strlen(text), 0, &err), &err);
}

void
assert_text(const struct fixture *f, const char *key, const char *text)
{
    struct err err = ERR_INIT;
    char *data = NULL;
    size_t len = 0;

    assert_ok(store_get_all(f->r, key, 4096, &data, &len, &err), &err);
    assert_string_equal(data, text);
    assert_int_equal(len, strlen(text));
    free(data);
}

bool
told_add(const struct store_object *object, void *cookie)
{
    struct told *t = cookie;

    t->objects = mem_grow(t->objects, t->count + 1, sizeof(*t->objects));
    t->objects[t->count] = *object;
    t->objects[t->count++].key = mem_strdup(object->key);
    return t->count != t->stop_at;
}

void
told_free(struct told *t)
{
    for (size_t i = 0; i < t->count; i++)
        free((void *)(uintptr_t)t->objects[i].key);
    free(t->objects);
    memset(t, 0, sizeof(*t));
}
