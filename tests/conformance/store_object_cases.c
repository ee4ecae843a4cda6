/* SPDX-License-Identifier: Apache-2.0 */
/* store_object_cases.c: single objects: put, get, stat, remove, keys, times. */
#include "tests/conformance/store_cases.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/mem.h"

/* LEN bytes that depend on SEED at every place. */
static uint8_t *
pattern(size_t len, uint32_t seed)
{
    uint8_t *p = mem_new(len);
    uint32_t x = seed * 2654435761u + 1;

    for (size_t i = 0; i < len; i++) {
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        p[i] = (uint8_t)x;
    }
    return p;
}

static void
put_get_stat(const struct fixture *f, const char *key, size_t len)
{
    uint8_t *data = pattern(len, (uint32_t)len), *back = mem_new(len + 10);
    struct store_object object;
    struct err err = ERR_INIT;
    size_t got = 99;

    assert_ok(put_bytes(f->w, key, data, len, 0, &err), &err);
    assert_ok(store_get(f->r, key, 0, back, len + 10, &got, &err), &err);
    assert_int_equal(got, len);
    assert_memory_equal(data, back, len);
    assert_ok(store_stat(f->r, key, &object, &err), &err);
    assert_int_equal(object.size, len);
    assert_false(object.is_folder);
    assert_ptr_equal(object.key, key);
    free(data);
    free(back);
}

static void
put__sizes_from_empty_to_big__come_back_whole(void **state)
{
    const struct fixture *f = *state;

    put_get_stat(f, "size/0", 0);
    put_get_stat(f, "size/1", 1);
    put_get_stat(f, "size/65536", 65536);
    put_get_stat(f, "size/big", f->suite.big_bytes);
}

static void
put__null_data_of_length_0__is_an_empty_object(void **state)
{
    const struct fixture *f = *state;
    struct err err = ERR_INIT;

    assert_ok(put_bytes(f->w, "empty", NULL, 0, 0, &err), &err);
    assert_text(f, "empty", "");
}

static void
put__with_its_digest__is_stored_the_same(void **state)
{
    const struct fixture *f = *state;
    uint8_t sha256[DIGEST_SHA256_LEN];
    struct store_put put = {.key = "digest", .data = "data", .len = 4, .sha256 = sha256};
    struct err err = ERR_INIT;

    digest_sha256("data", 4, sha256);
    assert_ok(store_put(f->w, &put, &err), &err);
    assert_text(f, "digest", "data");
}

static void
put__permanent__is_stored_the_same(void **state)
{
    const struct fixture *f = *state;
    struct err err = ERR_INIT;

    assert_ok(put_bytes(f->w, "permanent", "data", 4, STORE_PUT_PERMANENT, &err), &err);
    assert_text(f, "permanent", "data");
    if (f->suite.no_create_only)
        return;
    assert_fails(put_bytes(f->w, "permanent", "other", 5, STORE_PUT_PERMANENT | STORE_PUT_CREATE, &err), &err,
                 ERR_EXISTS);
    assert_text(f, "permanent", "data");
}

static void
put__existing_key__is_overwritten(void **state)
{
    const struct fixture *f = *state;

    put_text(f, "over/it", "a long first content");
    put_text(f, "over/it", "short");
    assert_text(f, "over/it", "short");
    put_text(f, "over/it", "");
    assert_text(f, "over/it", "");
}

static void
put__create_only__keeps_what_was_there(void **state)
{
    const struct fixture *f = *state;
    struct err err = ERR_INIT;

    assert_int_equal((store_features(f->w) & STORE_CREATE_ONLY) == 0, f->suite.no_create_only);
    if (f->suite.no_create_only) {
        assert_fails(put_bytes(f->w, "once", "x", 1, STORE_PUT_CREATE, &err), &err, ERR_UNSUPPORTED);
        assert_fails(store_get(f->r, "once", 0, NULL, 0, &(size_t){0}, &err), &err, ERR_NOT_FOUND);
        return;
    }
    assert_ok(put_bytes(f->w, "a/once", "first", 5, STORE_PUT_CREATE, &err), &err);
    assert_fails(put_bytes(f->w, "a/once", "second", 6, STORE_PUT_CREATE, &err), &err, ERR_EXISTS);
    assert_text(f, "a/once", "first");
    put_text(f, "a/once", "third");
    assert_fails(put_bytes(f->w, "a/once", "third", 5, STORE_PUT_CREATE, &err), &err, ERR_EXISTS);
    assert_ok(store_remove(f->w, "a/once", &err), &err);
    assert_ok(put_bytes(f->w, "a/once", "fourth", 6, STORE_PUT_CREATE, &err), &err);
    assert_text(f, "a/once", "fourth");
}

static void
get__ranges__are_exact_and_end_with_the_object(void **state)
{
    static const struct {
        uint64_t off;
        size_t len;
        const char *expected;
    } ranges[] = {
        {0, 1, "0"},         {0, 10, "0123456789"}, {0, 100, "0123456789"},
        {3, 4, "3456"},      {9, 1, "9"},           {9, 100, "9"},
        {10, 1, ""},         {11, 5, ""},           {1u << 30, 1, ""},
        {UINT64_MAX, 1, ""}, {INT64_MAX, 100, ""},  {8, 2, "89"},
        {8, 3, "89"},
    };
    const struct fixture *f = *state;
    struct err err = ERR_INIT;

    put_text(f, "ten", "0123456789");
    for (size_t i = 0; i < ARRAY_LEN(ranges); i++) {
        char back[128];
        size_t got = 77;

        memset(back, '#', sizeof(back));
        assert_ok(store_get(f->r, "ten", ranges[i].off, back, ranges[i].len, &got, &err), &err);
        assert_int_equal(got, strlen(ranges[i].expected));
        assert_memory_equal(back, ranges[i].expected, got);
        assert_int_equal(back[ranges[i].len], '#');
    }
}

static void
get__of_an_empty_object_and_of_0_bytes__gets_nothing(void **state)
{
    const struct fixture *f = *state;
    struct err err = ERR_INIT;
    char c = '#';
    size_t got = 1;

    put_text(f, "empty", "");
    assert_ok(store_get(f->r, "empty", 0, &c, 1, &got, &err), &err);
    assert_int_equal(got, 0);
    got = 1;
    assert_ok(store_get(f->r, "empty", 0, NULL, 0, &got, &err), &err);
    assert_int_equal(got, 0);
    assert_fails(store_get(f->r, "no-such", 0, NULL, 0, &got, &err), &err, ERR_NOT_FOUND);
}

static void
get_stat__absent__are_not_found_and_say_where(void **state)
{
    static const char *const keys[] = {"absent", "there/absent", "no/such/folder/absent", "there/is/below-an-object",
                                       "there"};
    const struct fixture *f = *state;
    struct store_object object;
    struct err err = ERR_INIT;
    char c;
    size_t got;

    put_text(f, "there/is", "x");
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        assert_fails(store_stat(f->r, keys[i], &object, &err), &err, ERR_NOT_FOUND);
        assert_fails(store_get(f->r, keys[i], 0, &c, 1, &got, &err), &err, ERR_NOT_FOUND);
    }
    assert_int_equal(store_get(f->r, "no/such", 0, &c, 1, &got, &err), -1);
    assert_ptr_equal(strstr(err.msg, store_url(f->r)), err.msg);
    assert_non_null(strstr(err.msg, ": get no/such: "));
}

static void
get_all__around_its_limits__is_whole_or_refused(void **state)
{
    static const size_t sizes[] = {0, 1, 65534, 65535, 65536, 65537, 200000};
    const struct fixture *f = *state;
    struct err err = ERR_INIT;

    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        uint8_t *data = pattern(sizes[i], 7);
        char *back = NULL;
        size_t len = 0;

        assert_ok(put_bytes(f->w, "whole", data, sizes[i], 0, &err), &err);
        assert_ok(store_get_all(f->r, "whole", sizes[i], &back, &len, &err), &err);
        assert_int_equal(len, sizes[i]);
        assert_memory_equal(back, data, len);
        assert_int_equal(back[len], '\0');
        free(back);
        if (sizes[i] > 0)
            assert_fails(store_get_all(f->r, "whole", sizes[i] - 1, &back, &len, &err), &err, ERR_CORRUPT);
        free(data);
    }
}

static void
stat__after_put__has_the_stores_time(void **state)
{
    const struct fixture *f = *state;
    struct store_object first, second;
    int64_t before = 0, after = 0;
    struct err err = ERR_INIT;

    assert_ok(store_now(f->r, &before, &err), &err);
    put_text(f, "when", "x");
    assert_ok(store_stat(f->r, "when", &first, &err), &err);
    clock_sleep_ms(20);
    put_text(f, "when", "y");
    assert_ok(store_stat(f->r, "when", &second, &err), &err);
    assert_ok(store_now(f->r, &after, &err), &err);
    assert_true(first.mtime_ms >= before - f->suite.clock_slack_ms);
    assert_true(second.mtime_ms >= first.mtime_ms);
    assert_true(second.mtime_ms <= after + f->suite.clock_slack_ms);
    assert_true(after >= before);
    assert_true(after - before < 60000);
}

static void
remove__once_twice_and_absent__is_gone(void **state)
{
    const struct fixture *f = *state;
    struct store_object object;
    struct err err = ERR_INIT;

    put_text(f, "go/one", "1");
    put_text(f, "go/two", "2");
    for (int i = 0; i < 2; i++) {
        assert_ok(store_remove(f->w, "go/one", &err), &err);
        assert_fails(store_stat(f->r, "go/one", &object, &err), &err, ERR_NOT_FOUND);
    }
    assert_text(f, "go/two", "2");
    assert_ok(store_remove(f->w, "never/was/here", &err), &err);
    assert_ok(store_remove(f->w, "go/two/below-an-object", &err), &err);
    assert_ok(store_remove(f->w, "go", &err), &err);
    assert_text(f, "go/two", "2");
    put_text(f, "go/one", "again");
    assert_text(f, "go/one", "again");
}

static void
remove_many__some_absent_and_odd__all_are_gone(void **state)
{
    static const char *const keys[] = {"go/<a>&\"b'", "go/two", "never/was/here", "go/one", "go/two", "go/%41+"};
    const struct fixture *f = *state;
    struct err err = ERR_INIT;
    struct told told = {0};

    put_text(f, "go/kept", "k");
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        if (strncmp(keys[i], "go/", 3) == 0)
            put_text(f, keys[i], "x");
    assert_ok(store_remove_many(f->w, keys, 0, &err), &err);
    for (int twice = 0; twice < 2; twice++) {
        assert_ok(store_remove_many(f->w, keys, ARRAY_LEN(keys), &err), &err);
        assert_ok(store_list(f->r, &(struct store_list){0}, told_add, &told, &err), &err);
        assert_int_equal(told.count, 1);
        assert_string_equal(told.objects[0].key, "go/kept");
        told_free(&told);
    }
}

/* ---- keys ---- */

/* A key of LEN bytes in parts of at most PART bytes. */
static void
make_key(char *key, size_t len, size_t part)
{
    for (size_t i = 0; i < len; i++)
        key[i] = (i + 1) % (part + 1) == 0 ? '/' : (char)('a' + i % 26);
    key[len] = '\0';
}

static void
keys__odd_but_allowed__work_in_every_call(void **state)
{
    static const char *const keys[] = {"with space",
                                       " lead/ trail ",
                                       "plus+equals=percent%41",
                                       "amp&ersand",
                                       "quote\"apostrophe'",
                                       "semi;colon",
                                       "hash#frag",
                                       "query?x=1&y=2",
                                       "star*[a-z]{b}",
                                       "back\\slash",
                                       "tilde~",
                                       "%2e%2e/%2F",
                                       "..dots/a...",
                                       ".hidden/.tmp",
                                       "-dash/--",
                                       "<xml>&amp;",
                                       "\xc3\xbc\xc3\xb1/\xd0\xba\xd0\xbb\xd1\x8e\xd1\x87/\xe6\x97\xa5\xe6\x9c\xac",
                                       "colon:at@",
                                       "comma,$(dollar)`tick",
                                       "con",
                                       "A/a",
                                       "a/A"};
    const struct fixture *f = *state;
    const size_t first = f->suite.plain_keys ? 2 : 0;
    struct err err = ERR_INIT;
    struct told told = {0};

    for (size_t i = 0; i < first; i++) {
        assert_fails(put_bytes(f->w, keys[i], "x", 1, 0, &err), &err, ERR_UNSUPPORTED);
        assert_fails(store_get(f->r, keys[i], 0, NULL, 0, &(size_t){0}, &err), &err, ERR_UNSUPPORTED);
        assert_fails(store_remove(f->w, keys[i], &err), &err, ERR_UNSUPPORTED);
    }
    for (size_t i = first; i < ARRAY_LEN(keys); i++)
        put_text(f, keys[i], keys[i]);
    assert_ok(store_list(f->r, &(struct store_list){0}, told_add, &told, &err), &err);
    assert_int_equal(told.count, ARRAY_LEN(keys) - first);
    told_free(&told);
    for (size_t i = first; i < ARRAY_LEN(keys); i++) {
        assert_text(f, keys[i], keys[i]);
        assert_ok(store_list(f->r, &(struct store_list){.prefix = keys[i]}, told_add, &told, &err), &err);
        assert_int_equal(told.count, 1);
        assert_string_equal(told.objects[0].key, keys[i]);
        told_free(&told);
        assert_ok(store_remove(f->w, keys[i], &err), &err);
    }
    assert_ok(store_list(f->r, &(struct store_list){0}, told_add, &told, &err), &err);
    assert_int_equal(told.count, 0);
    told_free(&told);
}

static void
keys__of_the_greatest_length__work(void **state)
{
    const struct fixture *f = *state;
    char key[STORE_KEY_MAX + 2];
    struct err err = ERR_INIT;
    struct told told = {0};

    make_key(key, STORE_KEY_PART_MAX, STORE_KEY_PART_MAX);
    put_text(f, key, "a part of the greatest length");
    assert_text(f, key, "a part of the greatest length");
    assert_ok(store_remove(f->w, key, &err), &err);
    make_key(key, STORE_KEY_MAX, STORE_KEY_PART_MAX);
    put_text(f, key, "a key of the greatest length");
    assert_text(f, key, "a key of the greatest length");
    assert_ok(store_list(f->r, &(struct store_list){0}, told_add, &told, &err), &err);
    assert_int_equal(told.count, 1);
    assert_string_equal(told.objects[0].key, key);
    told_free(&told);
}

static void
assert_forbidden(const struct fixture *f, const char *key)
{
    struct store_object object;
    struct err err = ERR_INIT;
    char c;
    size_t got;

    assert_fails(store_key_check(key, &err), &err, ERR_USAGE);
    assert_fails(put_bytes(f->w, key, "x", 1, 0, &err), &err, ERR_USAGE);
    assert_fails(store_get(f->r, key, 0, &c, 1, &got, &err), &err, ERR_USAGE);
    assert_fails(store_stat(f->r, key, &object, &err), &err, ERR_USAGE);
    assert_fails(store_remove(f->w, key, &err), &err, ERR_USAGE);
}

static void
keys__forbidden__are_refused_by_every_call(void **state)
{
    static const char *const keys[] = {"",           "/",     "/a",     "a/",   "a//b",    ".",     "..",     "a/.",
                                       "a/..",       "a/./b", "a/../b", "../a", "./a",     ".tmp-", ".tmp-a", "a/.tmp-",
                                       "a/.tmp-b/c", "a\nb",  "a\x01",  "\x1f", "a\x7f/b", "a\tb",  "a///b"};
    const struct fixture *f = *state;
    char key[STORE_KEY_MAX + 2];
    struct told told = {0};
    struct err err = ERR_INIT;

    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        assert_forbidden(f, keys[i]);
    make_key(key, STORE_KEY_PART_MAX + 1, STORE_KEY_PART_MAX + 1);
    assert_forbidden(f, key);
    make_key(key, STORE_KEY_MAX + 1, 100);
    assert_forbidden(f, key);
    assert_ok(store_list(f->r, &(struct store_list){0}, told_add, &told, &err), &err);
    assert_int_equal(told.count, 0);
    told_free(&told);
}

const struct CMUnitTest store_object_cases[] = {
    cmocka_unit_test(put__sizes_from_empty_to_big__come_back_whole),
    cmocka_unit_test(put__null_data_of_length_0__is_an_empty_object),
    cmocka_unit_test(put__with_its_digest__is_stored_the_same),
    cmocka_unit_test(put__permanent__is_stored_the_same),
    cmocka_unit_test(put__existing_key__is_overwritten),
    cmocka_unit_test(put__create_only__keeps_what_was_there),
    cmocka_unit_test(get__ranges__are_exact_and_end_with_the_object),
    cmocka_unit_test(get__of_an_empty_object_and_of_0_bytes__gets_nothing),
    cmocka_unit_test(get_stat__absent__are_not_found_and_say_where),
    cmocka_unit_test(get_all__around_its_limits__is_whole_or_refused),
    cmocka_unit_test(stat__after_put__has_the_stores_time),
    cmocka_unit_test(remove__once_twice_and_absent__is_gone),
    cmocka_unit_test(remove_many__some_absent_and_odd__all_are_gone),
    cmocka_unit_test(keys__odd_but_allowed__work_in_every_call),
    cmocka_unit_test(keys__of_the_greatest_length__work),
    cmocka_unit_test(keys__forbidden__are_refused_by_every_call),
    {NULL, NULL, NULL, NULL, NULL},
};
