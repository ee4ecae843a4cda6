/* SPDX-License-Identifier: Apache-2.0 */
/* store_list_cases.c: listings: order, prefix, start_after, delimiter, stopping, many keys. */
#include "tests/conformance/store_cases.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Names that sort differently as strings, as folders, and in other locales. */
static const char *const tricky[] = {
    "X/1",     "a\"b", "a!b", "a%b", "a+b", "a-b", "a.b/c",    "a/b", "a/c-d", "a/c.d/e",   "a/c/d",
    "a/c/e/f", "a/c0", "a0",  "a=b", "aA",  "a_b", "ab/c/d/e", "abc", "a~b",   "a\xc3\xa9", "b",
};

static int
compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The tricky keys, put last to first; SORTED gets them in order. */
static void
put_tricky(const struct fixture *f, const char *sorted[ARRAY_LEN(tricky)])
{
    memcpy(sorted, tricky, sizeof(tricky));
    qsort(sorted, ARRAY_LEN(tricky), sizeof(*sorted), compare);
    for (size_t i = ARRAY_LEN(tricky); i-- > 0;)
        put_text(f, sorted[i], sorted[i]);
}

/* What store.h says of a listing, in the simplest code: fills TOLD from the sorted keys. */
static void
model(const char *const *sorted, size_t count, const struct store_list *what, struct told *told)
{
    const char *prefix = what->prefix != NULL ? what->prefix : "";
    const char *after = what->start_after != NULL ? what->start_after : "";

    for (size_t i = 0; i < count; i++) {
        struct store_object object = {.size = strlen(sorted[i])};
        const char *slash;
        char key[STORE_KEY_MAX + 1];

        if (strncmp(sorted[i], prefix, strlen(prefix)) != 0)
            continue;
        (void)snprintf(key, sizeof(key), "%s", sorted[i]);
        slash = what->delimiter != '\0' ? strchr(key + strlen(prefix), what->delimiter) : NULL;
        if (slash != NULL) {
            key[slash - key + 1] = '\0';
            object.is_folder = true;
            object.size = 0;
        }
        if (strcmp(key, after) <= 0 || (told->count > 0 && strcmp(key, told->objects[told->count - 1].key) == 0))
            continue;
        object.key = key;
        (void)told_add(&object, told);
    }
}

static void
assert_like_model(const struct fixture *f, const char *const *sorted, size_t count, const struct store_list *what)
{
    struct told told = {0}, expected = {0};
    struct err err = ERR_INIT;

    model(sorted, count, what, &expected);
    assert_ok(store_list(f->r, what, told_add, &told, &err), &err);
    if (told.count != expected.count)
        fail_msg("prefix \"%s\", start_after \"%s\", delimiter %d: %zu told, not %zu",
                 what->prefix != NULL ? what->prefix : "", what->start_after != NULL ? what->start_after : "",
                 what->delimiter, told.count, expected.count);
    for (size_t i = 0; i < told.count && i < expected.count; i++) {
        assert_string_equal(told.objects[i].key, expected.objects[i].key);
        assert_int_equal(told.objects[i].size, expected.objects[i].size);
        assert_int_equal(told.objects[i].is_folder, expected.objects[i].is_folder);
        assert_int_equal(told.objects[i].mtime_ms == 0, told.objects[i].is_folder);
    }
    told_free(&told);
    told_free(&expected);
}

static void
list__empty_store__tells_nothing(void **state)
{
    const struct fixture *f = *state;

    assert_like_model(f, NULL, 0, &(struct store_list){0});
    assert_like_model(f, NULL, 0, &(struct store_list){.prefix = "no/such/"});
    assert_like_model(f, NULL, 0, &(struct store_list){.delimiter = '/'});
}

/* Does it end with the first byte of a longer UTF-8 character, or one that is in none? */
static bool
ends_in_a_character(const char *text)
{
    return text != NULL && *text != '\0' && (unsigned char)text[strlen(text) - 1] >= 0xc0;
}

static void
list__every_prefix_start_and_delimiter__is_like_the_model(void **state)
{
    static const char *const prefixes[] = {NULL,       "",    "a",    "a/",   "a/c",  "a/c/", "a/c/e/f",
                                           "a/c/e/f/", "a-",  "a.b/", "ab/c", "b",    "zz",   "/",
                                           "a//",      "../", ".",    "X",    "a/zz", "b/x",  "a\xc3"};
    static const char *const starts[] = {NULL,  "",    "a",  "a/",     "a/c",  "a/c/",   "a/c/e/f", "a/c/zz",
                                         "a-b", "a.b", "a0", "a/c-d0", "ab/c", "ab/c/d", "\xff",    "X/1"};
    const struct fixture *f = *state;
    const char *sorted[ARRAY_LEN(tricky)];
    const size_t total = ARRAY_LEN(prefixes) * ARRAY_LEN(starts) * 2;

    put_tricky(f, sorted);
    for (size_t i = 0; i < total; i += f->suite.sparse) {
        const struct store_list what = {.prefix = prefixes[i / 2 / ARRAY_LEN(starts)],
                                        .start_after = starts[i / 2 % ARRAY_LEN(starts)],
                                        .delimiter = i % 2 == 0 ? '\0' : '/'};

        if (f->suite.whole_characters && (ends_in_a_character(what.prefix) || ends_in_a_character(what.start_after)))
            continue;
        if (f->suite.plain_keys && (ends_in_a_character(what.prefix) || ends_in_a_character(what.start_after))) {
            struct err err = ERR_INIT;

            assert_fails(store_list(f->r, &what, told_add, NULL, &err), &err, ERR_UNSUPPORTED);
            continue;
        }
        assert_like_model(f, sorted, ARRAY_LEN(sorted), &what);
    }
}

static void
list__page_by_page_from_the_last_told__is_the_whole(void **state)
{
    static const char delimiters[] = {'\0', '/'};
    const struct fixture *f = *state;
    const char *sorted[ARRAY_LEN(tricky)];

    put_tricky(f, sorted);
    for (size_t d = 0; d < ARRAY_LEN(delimiters); d++) {
        struct store_list what = {.delimiter = delimiters[d]};
        struct told whole = {0};
        struct err err = ERR_INIT;
        char last[STORE_KEY_MAX + 1] = "";

        assert_ok(store_list(f->r, &what, told_add, &whole, &err), &err);
        what.start_after = last;
        for (size_t i = 0; i <= whole.count; i++) {
            struct told page = {.stop_at = 1};

            assert_ok(store_list(f->r, &what, told_add, &page, &err), &err);
            assert_int_equal(page.count, i < whole.count ? 1 : 0);
            if (page.count > 0) {
                assert_string_equal(page.objects[0].key, whole.objects[i].key);
                (void)snprintf(last, sizeof(last), "%s", page.objects[0].key);
            }
            told_free(&page);
        }
        told_free(&whole);
    }
}

static void
list__callback_stops__succeeds_and_tells_no_more(void **state)
{
    const struct fixture *f = *state;
    const char *sorted[ARRAY_LEN(tricky)];
    struct err err = ERR_INIT;

    put_tricky(f, sorted);
    for (size_t stop = 1; stop <= ARRAY_LEN(tricky); stop++) {
        struct told told = {.stop_at = stop};

        assert_ok(store_list(f->r, &(struct store_list){0}, told_add, &told, &err), &err);
        assert_int_equal(told.count, stop);
        told_free(&told);
    }
}

static void
list__told_times__are_those_of_stat(void **state)
{
    const struct fixture *f = *state;
    struct store_object object;
    struct err err = ERR_INIT;
    struct told told = {0};

    put_text(f, "t/one", "1");
    put_text(f, "t/two", "two");
    assert_ok(store_list(f->r, &(struct store_list){.prefix = "t/"}, told_add, &told, &err), &err);
    assert_int_equal(told.count, 2);
    for (size_t i = 0; i < told.count; i++) {
        assert_ok(store_stat(f->r, told.objects[i].key, &object, &err), &err);
        assert_int_equal(told.objects[i].size, object.size);
        assert_true(llabs(told.objects[i].mtime_ms - object.mtime_ms) < 1000);
    }
    told_free(&told);
}

static void
list__folder_without_objects__is_not_told(void **state)
{
    const struct fixture *f = *state;
    struct err err = ERR_INIT;

    put_text(f, "gone/deep/er/x", "x");
    put_text(f, "kept/x", "x");
    assert_ok(store_remove(f->w, "gone/deep/er/x", &err), &err);
    assert_like_model(f, (const char *const[]){"kept/x"}, 1, &(struct store_list){.delimiter = '/'});
    assert_like_model(f, (const char *const[]){"kept/x"}, 1, &(struct store_list){.prefix = "gone/", .delimiter = '/'});
}

#define FILLERS 4

/* One of the threads that put many keys: each its share, since a remote store answers one put at a time slowly. */
struct filler {
    const struct fixture *f;
    unsigned first;
    struct err err;
};

static void
many_key(char key[64], unsigned i)
{
    (void)snprintf(key, 64, "many/%u/%08u", i % 3, i);
}

static void *
fill(void *arg)
{
    struct filler *filler = arg;
    char key[64];

    for (unsigned i = filler->first; i < filler->f->suite.many_keys && filler->err.code == ERR_NONE; i += FILLERS) {
        many_key(key, i);
        (void)!put_bytes(filler->f->w, key, "x", 1, 0, &filler->err);
    }
    return NULL;
}

static void
put_many(const struct fixture *f)
{
    struct filler fillers[FILLERS];
    pthread_t threads[FILLERS];

    for (unsigned i = 0; i < FILLERS; i++) {
        fillers[i] = (struct filler){.f = f, .first = i, .err = ERR_INIT};
        assert_int_equal(pthread_create(&threads[i], NULL, fill, &fillers[i]), 0);
    }
    for (unsigned i = 0; i < FILLERS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    for (unsigned i = 0; i < FILLERS; i++)
        assert_ok(fillers[i].err.code == ERR_NONE ? 0 : -1, &fillers[i].err);
}

static void
list__many_keys__tells_each_once_from_anywhere(void **state)
{
    const struct fixture *f = *state;
    unsigned n = f->suite.many_keys;
    struct err err = ERR_INIT;
    struct told told = {0};
    char key[64];

    put_many(f);
    assert_ok(store_list(f->r, &(struct store_list){.prefix = "many/"}, told_add, &told, &err), &err);
    assert_int_equal(told.count, n);
    for (size_t i = 1; i < told.count; i++)
        assert_true(strcmp(told.objects[i - 1].key, told.objects[i].key) < 0);
    told_free(&told);
    (void)snprintf(key, sizeof(key), "many/1/%08u", n / 2); /* need not exist */
    assert_ok(store_list(f->r, &(struct store_list){.prefix = "many/", .start_after = key}, told_add, &told, &err),
              &err);
    for (unsigned i = 0; i < n; i++) {
        char each[64];

        many_key(each, i);
        assert_int_equal(told.count > 0 && bsearch(&(const struct store_object){.key = each}, told.objects, told.count,
                                                   sizeof(*told.objects), compare) != NULL,
                         strcmp(each, key) > 0);
    }
    told_free(&told);
    assert_ok(store_list(f->r, &(struct store_list){.prefix = "many/", .delimiter = '/'}, told_add, &told, &err), &err);
    assert_int_equal(told.count, n < 3 ? n : 3);
    told_free(&told);
}

const struct CMUnitTest store_list_cases[] = {
    cmocka_unit_test(list__empty_store__tells_nothing),
    cmocka_unit_test(list__every_prefix_start_and_delimiter__is_like_the_model),
    cmocka_unit_test(list__page_by_page_from_the_last_told__is_the_whole),
    cmocka_unit_test(list__callback_stops__succeeds_and_tells_no_more),
    cmocka_unit_test(list__told_times__are_those_of_stat),
    cmocka_unit_test(list__folder_without_objects__is_not_told),
    cmocka_unit_test(list__many_keys__tells_each_once_from_anywhere),
    {NULL, NULL, NULL, NULL, NULL},
};
