/* SPDX-License-Identifier: Apache-2.0 */
/* What store.c does for every backend, shown on a backend that lies. The rest is in tests/conformance/. */
#include "tests/support/test_common.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "storage/store.h"
#include "storage/store_mem.h"
#include "tests/support/test_child.h"

/* A store that tells the keys it is given, in that order, and whose other calls fail. */
struct liar {
    struct store store;
    const char *const *keys; /* ended by NULL; a folder ends with a slash */
    unsigned *freed;
};

static int
liar_put(struct store *s, const struct store_put *put, struct err *err)
{
    (void)put;
    store_drop_features(s, STORE_CREATE_ONLY);
    return err_set(err, ERR_UNSUPPORTED, "not after all");
}

static int
liar_get(struct store *s, const char *key, uint64_t off, void *buf, size_t len, size_t *got, struct err *err)
{
    (void)s;
    (void)key;
    (void)buf;
    (void)off;
    *got = len;
    return err_sys(err, ERR_STORAGE, 28, "write");
}

static int
liar_stat(struct store *s, const char *key, struct store_object *object, struct err *err)
{
    (void)s;
    (void)key;
    (void)object;
    return err_set(err, ERR_STORE_DENIED, "no");
}

static int
liar_list(struct store *s, const struct store_list *what, store_list_fn *fn, void *cookie, struct err *err)
{
    (void)what;
    (void)err;
    for (const char *const *key = ((struct liar *)s)->keys; *key != NULL; key++) {
        struct store_object object = {.key = *key, .size = 1};

        object.is_folder = strlen(*key) > 0 && (*key)[strlen(*key) - 1] == '/' && what->delimiter != '\0';
        if (!fn(&object, cookie))
            break;
    }
    return 0;
}

static int
liar_remove(struct store *s, const char *key, struct err *err)
{
    (void)s;
    (void)key;
    return err_set(err, ERR_STORAGE, "no");
}

static int
liar_now(struct store *s, int64_t *now_ms, struct err *err)
{
    (void)s;
    (void)now_ms;
    return err_set(err, ERR_STORAGE, "no clock");
}

static void
liar_free(struct store *s)
{
    struct liar *l = (struct liar *)s;

    if (l->freed != NULL)
        (*l->freed)++;
    free(l);
}

static const struct store_ops liar_ops = {
    .name = "liar",
    .put = liar_put,
    .get = liar_get,
    .stat = liar_stat,
    .list = liar_list,
    .remove = liar_remove,
    .now = liar_now,
    .free = liar_free,
};

static struct store *
liar_new(const char *const *keys, struct store *inner, unsigned *freed)
{
    struct liar *l = mem_new(sizeof(*l));

    l->store.ops = &liar_ops;
    l->store.features = STORE_WRITABLE | STORE_CREATE_ONLY;
    l->store.url = mem_strdup("liar://x");
    l->store.inner = inner;
    l->keys = keys;
    l->freed = freed;
    return &l->store;
}

static bool
count_told(const struct store_object *object, void *cookie)
{
    (void)object;
    (*(unsigned *)cookie)++;
    return true;
}

static int
list_keys(const char *const *keys, struct store_list what, unsigned *told, struct err *err)
{
    struct store *s = liar_new(keys, NULL, NULL);
    int rc;

    *told = 0;
    rc = store_list(s, &what, count_told, told, err);
    store_free(s);
    return rc;
}

static void
store_list__keys_out_of_order_or_out_of_place__is_corrupt(void **state)
{
    struct err err = ERR_INIT;
    unsigned told;

    (void)state;
    assert_fails(list_keys((const char *const[]){"b", "a", NULL}, (struct store_list){0}, &told, &err), &err,
                 ERR_CORRUPT);
    assert_int_equal(told, 1);
    assert_fails(list_keys((const char *const[]){"a", "a", NULL}, (struct store_list){0}, &told, &err), &err,
                 ERR_CORRUPT);
    assert_fails(list_keys((const char *const[]){"b", NULL}, (struct store_list){.prefix = "a"}, &told, &err), &err,
                 ERR_CORRUPT);
    assert_int_equal(told, 0);
    assert_fails(list_keys((const char *const[]){"b", NULL}, (struct store_list){.start_after = "b"}, &told, &err),
                 &err, ERR_CORRUPT);
    assert_fails(list_keys((const char *const[]){"b/", "b/", NULL}, (struct store_list){.delimiter = '/'}, &told, &err),
                 &err, ERR_CORRUPT);
}

static void
store_list__what_is_no_key__is_left_out(void **state)
{
    static const char *const keys[] = {"", "/", "a/", "a//b", "a/../b", "a/.tmp-1", "a/b", "a\nb", "b", NULL};
    struct err err = ERR_INIT;
    unsigned told;

    (void)state;
    assert_ok(list_keys(keys, (struct store_list){0}, &told, &err), &err);
    assert_int_equal(told, 2);
    assert_ok(list_keys((const char *const[]){"/", "a/", "b//", "c", NULL}, (struct store_list){.delimiter = '/'},
                        &told, &err),
              &err);
    assert_int_equal(told, 2);
}

static void
errors__of_every_call__name_the_store_the_call_and_the_key(void **state)
{
    const struct store_put put = {.key = "a/b", .data = "x", .len = 1};
    struct store *s = liar_new(NULL, NULL, NULL);
    struct store_object object;
    struct err err = ERR_INIT;
    int64_t now;
    char c;
    size_t got;

    (void)state;
    assert_int_equal(store_get(s, "a/b", 0, &c, 1, &got, &err), -1);
    assert_string_equal(err.msg, "liar://x: get a/b: write: No space left on device");
    assert_int_equal(err.code, ERR_NO_SPACE);
    assert_int_equal(store_put(s, &put, &err), -1);
    assert_string_equal(err.msg, "liar://x: put a/b: not after all");
    assert_int_equal(store_stat(s, "a/b", &object, &err), -1);
    assert_string_equal(err.msg, "liar://x: stat a/b: no");
    assert_int_equal(store_remove(s, "a/b", &err), -1);
    assert_string_equal(err.msg, "liar://x: remove a/b: no");
    assert_int_equal(store_now(s, &now, &err), -1);
    assert_string_equal(err.msg, "liar://x: ask for the time: no clock");
    assert_int_equal(store_get(s, "a\033[2Jb", 0, &c, 1, &got, &err), -1);
    assert_string_equal(err.msg, "liar://x: get: the key has the byte 0x1b, which is not allowed");
    store_free(s);
}

static void
store_put__after_a_dropped_feature__is_unsupported_through_wrappers_too(void **state)
{
    const struct store_put put = {.key = "a", .data = "x", .len = 1, .flags = STORE_PUT_CREATE};
    struct store *inner = liar_new(NULL, NULL, NULL), *outer = liar_new(NULL, inner, NULL);
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(store_features(outer), STORE_WRITABLE | STORE_CREATE_ONLY);
    assert_fails(store_put(inner, &put, &err), &err, ERR_UNSUPPORTED);
    assert_int_equal(store_features(outer), STORE_WRITABLE);
    assert_int_equal(store_put(outer, &put, &err), -1);
    assert_string_equal(err.msg, "liar://x: put a: this store cannot put without overwriting");
    store_free(outer);
}

static void
store_put_remove__handle_not_writable__are_refused(void **state)
{
    const struct store_put put = {.key = "a", .data = "x", .len = 1};
    struct store *s = store_mem_new();
    struct err err = ERR_INIT;

    (void)state;
    store_drop_features(s, STORE_WRITABLE);
    assert_fails(store_put(s, &put, &err), &err, ERR_REFUSED);
    assert_fails(store_remove(s, "a", &err), &err, ERR_REFUSED);
    store_free(s);
}

static void
store_free__wrapper__frees_what_it_wraps_once(void **state)
{
    unsigned freed = 0;

    (void)state;
    store_free(liar_new(NULL, liar_new(NULL, liar_new(NULL, NULL, &freed), &freed), &freed));
    assert_int_equal(freed, 3);
    store_free(NULL);
}

/* ---- bugs of the caller stop the program ---- */

static bool
call_store(const struct store_object *object, void *cookie)
{
    struct err err = ERR_INIT;
    int64_t now;

    (void)object;
    return store_now(cookie, &now, &err) == 0;
}

static int
list_that_calls_its_store(void *arg)
{
    static const char *const keys[] = {"a", NULL};
    struct store *s = liar_new(keys, NULL, NULL);
    struct err err = ERR_INIT;

    (void)arg;
    return store_list(s, &(struct store_list){0}, call_store, s, &err);
}

static int
put_without_data(void *arg)
{
    const struct store_put put = {.key = "a", .data = NULL, .len = 1};
    struct err err = ERR_INIT;

    return store_put(arg, &put, &err);
}

static int
put_with_unknown_flags(void *arg)
{
    const struct store_put put = {.key = "a", .data = "x", .len = 1, .flags = 1u << 7};
    struct err err = ERR_INIT;

    return store_put(arg, &put, &err);
}

static void
bugs__of_the_caller__stop_the_program(void **state)
{
    struct store *s = store_mem_new();

    (void)state;
    assert_int_equal(test_child_run(list_that_calls_its_store, NULL), 128 + SIGABRT);
    assert_int_equal(test_child_run(put_without_data, s), 128 + SIGABRT);
    assert_int_equal(test_child_run(put_with_unknown_flags, s), 128 + SIGABRT);
    store_free(s);
}

static bool
list_another(const struct store_object *object, void *cookie)
{
    struct err err = ERR_INIT;
    unsigned told = 0;

    (void)object;
    return store_list(cookie, &(struct store_list){0}, count_told, &told, &err) == 0 && call_store(NULL, cookie);
}

static void
store_list__callback_uses_another_store__is_allowed(void **state)
{
    static const char *const keys[] = {"a", "b", NULL};
    struct store *s = liar_new(keys, NULL, NULL), *other = store_mem_new();
    struct err err = ERR_INIT;

    (void)state;
    assert_ok(store_list(s, &(struct store_list){0}, list_another, other, &err), &err);
    store_free(s);
    store_free(other);
}

static void
store_mem_set_clock__shifted__stamps_and_tells_the_new_time(void **state)
{
    const struct store_put put = {.key = "a", .data = "x", .len = 1}, late = {.key = "b", .data = "x", .len = 1};
    struct store *s = store_mem_new();
    struct store_object a, b;
    struct err err = ERR_INIT;
    int64_t now = 0;

    (void)state;
    assert_ok(store_put(s, &put, &err), &err);
    store_mem_set_clock(s, 3600000);
    assert_ok(store_put(s, &late, &err), &err);
    assert_ok(store_stat(s, "a", &a, &err), &err);
    assert_ok(store_stat(s, "b", &b, &err), &err);
    assert_ok(store_now(s, &now, &err), &err);
    assert_in_range(b.mtime_ms - a.mtime_ms, 3600000, 3660000);
    assert_in_range(now - b.mtime_ms, 0, 60000);
    store_free(s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(store_list__keys_out_of_order_or_out_of_place__is_corrupt),
        cmocka_unit_test(store_list__what_is_no_key__is_left_out),
        cmocka_unit_test(errors__of_every_call__name_the_store_the_call_and_the_key),
        cmocka_unit_test(store_put__after_a_dropped_feature__is_unsupported_through_wrappers_too),
        cmocka_unit_test(store_put_remove__handle_not_writable__are_refused),
        cmocka_unit_test(store_free__wrapper__frees_what_it_wraps_once),
        cmocka_unit_test(bugs__of_the_caller__stop_the_program),
        cmocka_unit_test(store_list__callback_uses_another_store__is_allowed),
        cmocka_unit_test(store_mem_set_clock__shifted__stamps_and_tells_the_new_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
