/* SPDX-License-Identifier: Apache-2.0 */
/* test_repo.c: markers: made once, read strictly; instances; and a store that says no. */
#include "snapshot/repo/repo.h"

#include <pthread.h>
#include <string.h>

#include "base/mem.h"
#include "storage/store_fault.h"
#include "storage/store_mem.h"
#include "tests/support/repo_case.h"
#include "tests/support/test_common.h"

#define MARKER   "remora.json"
#define INSTANCE "instances/" CASE_INSTANCE "/instance.json"
#define UUID     "0b6ff3b2-6d0c-4b6e-9f5e-0123456789ab"

static void
repo_init__twice__the_first_markers_stay(void **state)
{
    struct err err = ERR_INIT;
    struct store *s = store_mem_new();
    struct repo_made made;
    struct repo repo;
    size_t len = 0;
    char *first, *second;

    (void)state;
    assert_ok(repo_init(s, NULL, &made, &err), &err);
    assert_true(made.repository);
    assert_false(made.instance);
    first = repo_case_get(s, MARKER, &len);
    assert_ok(repo_init(s, CASE_INSTANCE, &made, &err), &err);
    assert_false(made.repository);
    assert_true(made.instance);
    assert_ok(repo_init(s, CASE_INSTANCE, &made, &err), &err);
    assert_false(made.repository || made.instance);
    second = repo_case_get(s, MARKER, &len);
    assert_string_equal(first, second);
    assert_ok(repo_open(s, &repo, &err), &err);
    assert_non_null(strstr(first, repo.id));
    assert_ok(repo_check_instance(&repo, CASE_INSTANCE, &err), &err);
    assert_int_equal(repo_case_count(s, ""), 2);
    free(first);
    free(second);
    store_free(s);
}

static void
repo_init__bad_instance_name__makes_nothing(void **state)
{
    struct err err = ERR_INIT;
    struct store *s = store_mem_new();
    struct repo_made made;

    (void)state;
    assert_fails(repo_init(s, "a/b", &made, &err), &err, ERR_USAGE);
    assert_int_equal(repo_case_count(s, ""), 0);
    store_free(s);
}

/* Another init puts its markers between our look and our put. */
static void
rival(enum store_call call, const char *key, void *cookie)
{
    static const char repo[] = "{\"format\":\"remora\",\"version\":1,\"id\":\"" UUID "\",\"requires\":[]}\n";
    static const char instance[] =
        "{\"format\":\"remora-instance\",\"version\":1,\"id\":\"" UUID "\",\"requires\":[]}\n";

    if (call == STORE_CALL_PUT && strcmp(key, MARKER) == 0)
        repo_case_put(cookie, key, repo, strlen(repo));
    else if (call == STORE_CALL_PUT)
        repo_case_put(cookie, key, instance, strlen(instance));
}

static void
repo_init__another_comes_first__its_markers_count(void **state)
{
    struct err err = ERR_INIT;
    struct store *mem = store_mem_new(), *s = store_fault_new(mem);
    struct repo_made made;
    struct repo repo;

    (void)state;
    store_fault_set_hook(s, rival, mem);
    assert_ok(repo_init(s, CASE_INSTANCE, &made, &err), &err);
    assert_false(made.repository || made.instance);
    assert_ok(repo_open(s, &repo, &err), &err);
    assert_string_equal(repo.id, UUID);
    store_free(s);
}

struct racer {
    struct store *store;
    struct repo_made made;
    int rc;
};

static void *
race(void *cookie)
{
    struct racer *r = cookie;
    struct err err = ERR_INIT;

    r->rc = repo_init(r->store, CASE_INSTANCE, &r->made, &err);
    return NULL;
}

static void
repo_init__many_at_once__one_made_it(void **state)
{
    struct store *s = store_mem_new();
    struct racer racers[8];
    pthread_t threads[8];
    unsigned repositories = 0, instances = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(racers); i++) {
        racers[i] = (struct racer){.store = s};
        assert_int_equal(pthread_create(&threads[i], NULL, race, &racers[i]), 0);
    }
    for (size_t i = 0; i < ARRAY_LEN(racers); i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(racers[i].rc, 0);
        repositories += racers[i].made.repository;
        instances += racers[i].made.instance;
    }
    assert_int_equal(repositories, 1);
    assert_int_equal(instances, 1);
    store_free(s);
}

static void
repo_open__no_marker__says_what_to_do(void **state)
{
    struct err err = ERR_INIT;
    struct store *s = store_mem_new();
    struct repo repo;

    (void)state;
    repo_case_put(s, "instances/a/instance.json", "{}", 2);
    assert_int_equal(repo_open(s, &repo, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_non_null(strstr(err.msg, store_url(s)));
    assert_non_null(strstr(err.msg, "is not a repository"));
    assert_non_null(strstr(err.msg, "remora init"));
    store_free(s);
}

/* The marker KEY holds TEXT: opening, and making it anew, both fail with CODE and leave it. */
static void
marker_is(const char *key, const char *text, enum err_code code)
{
    struct err err = ERR_INIT;
    struct repo_case c;
    struct repo_made made;
    struct repo repo;
    size_t len = 0;
    char *after;

    repo_case_open(&c);
    repo_case_put(c.store, key, text, strlen(text));
    if (strcmp(key, MARKER) == 0)
        assert_int_equal(repo_open(c.store, &repo, &err), -1);
    else
        assert_int_equal(repo_check_instance(&c.repo, CASE_INSTANCE, &err), -1);
    if (err.code != code)
        fail_msg("%s: %s (%s)", text, err.msg, err_name(err.code));
    assert_non_null(strstr(err.msg, key));
    err_clear(&err);
    assert_fails(repo_init(c.store, CASE_INSTANCE, &made, &err), &err, code);
    after = repo_case_get(c.store, key, &len);
    assert_string_equal(after, text);
    free(after);
    repo_case_close(&c);
}

static void
markers__damaged_newer_or_requiring__refused_and_left(void **state)
{
#define GOOD_REST "\"id\":\"" UUID "\",\"requires\":[]}"
    static const struct {
        const char *text;
        enum err_code code;
    } bad[] = {
        {"", ERR_CORRUPT},
        {"{", ERR_CORRUPT},
        {"[]", ERR_CORRUPT},
        {"{}", ERR_CORRUPT},
        {"{\"format\":\"restic\",\"version\":1," GOOD_REST, ERR_CORRUPT},
        {"{\"format\":\"%s\",\"version\":2," GOOD_REST, ERR_UNSUPPORTED},
        {"{\"format\":\"%s\",\"version\":0," GOOD_REST, ERR_UNSUPPORTED},
        {"{\"format\":\"%s\",\"version\":\"1\"," GOOD_REST, ERR_CORRUPT},
        {"{\"format\":\"%s\",\"version\":1,\"id\":\"" UUID "\",\"requires\":[\"encryption-1\"]}", ERR_UNSUPPORTED},
        {"{\"format\":\"%s\",\"version\":1,\"id\":\"" UUID "\"}", ERR_CORRUPT},
        {"{\"format\":\"%s\",\"version\":1,\"id\":\"" UUID "0\",\"requires\":[]}", ERR_CORRUPT},
        {"{\"format\":\"%s\",\"version\":1,\"id\":7,\"requires\":[]}", ERR_CORRUPT},
        {"{\"format\":\"%s\",\"version\":1,\"requires\":[]}", ERR_CORRUPT},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        for (int instance = 0; instance < 2; instance++) {
            const char *hole = strstr(bad[i].text, "%s");
            char *text = hole == NULL ? mem_strdup(bad[i].text)
                                      : mem_printf("%.*s%s%s", (int)(hole - bad[i].text), bad[i].text,
                                                   instance ? "remora-instance" : "remora", hole + 2);

            marker_is(instance ? INSTANCE : MARKER, text, bad[i].code);
            free(text);
        }
    }
    /* One marker in the other's place. */
    marker_is(MARKER, "{\"format\":\"remora-instance\",\"version\":1," GOOD_REST, ERR_CORRUPT);
    marker_is(INSTANCE, "{\"format\":\"remora\",\"version\":1," GOOD_REST, ERR_CORRUPT);
}

static void
check_instance__folder_copied_by_hand__says_whose_it_is_and_what_to_do(void **state)
{
    static const char copy[] = "instances/shop-cache-copy/instance.json";
    struct err err = ERR_INIT;
    struct repo_made made;
    struct repo_case c;
    char *marker;
    size_t len = 0;

    (void)state;
    repo_case_open(&c);
    marker = repo_case_get(c.mem, INSTANCE, &len);
    repo_case_put(c.mem, copy, marker, len);
    assert_int_equal(repo_check_instance(&c.repo, "shop-cache-copy", &err), -1);
    assert_non_null(strstr(err.msg, copy));
    assert_non_null(strstr(err.msg, "\"" CASE_INSTANCE "\""));
    assert_non_null(strstr(err.msg, "write that name"));
    assert_int_equal(err.code, ERR_CORRUPT);
    assert_fails(repo_init(c.store, "shop-cache-copy", &made, &err), &err, ERR_CORRUPT);
    assert_ok(repo_check_instance(&c.repo, CASE_INSTANCE, &err), &err);
    free(marker);
    marker_is(INSTANCE, "{\"format\":\"remora-instance\",\"version\":1,\"name\":7," GOOD_REST, ERR_CORRUPT);
    repo_case_close(&c);
}

static void
marker__unknown_fields__ignored(void **state)
{
    struct err err = ERR_INIT;
    struct store *s = store_mem_new();
    struct repo repo;
    static const char text[] = "{\"later\":[{}],\"format\":\"remora\",\"version\":1," GOOD_REST;

    (void)state;
    repo_case_put(s, MARKER, text, strlen(text));
    assert_ok(repo_open(s, &repo, &err), &err);
    store_free(s);
}

static void
repo_instances__folders__our_names_ascending(void **state)
{
    struct err err = ERR_INIT;
    struct repo_case c;
    char **names = NULL;
    size_t count = 0;

    (void)state;
    repo_case_open(&c);
    repo_case_put(c.store, "instances/zebra/instance.json", "x", 1);
    repo_case_put(c.store, "instances/apple/backups/x.json", "x", 1);
    repo_case_put(c.store, "instances/_not ours/x", "x", 1);
    repo_case_put(c.store, "instances/a-file", "x", 1);
    repo_case_put(c.store, "instances.txt", "x", 1);
    assert_ok(repo_instances(&c.repo, &names, &count, &err), &err);
    assert_int_equal(count, 3);
    assert_string_equal(names[0], "apple");
    assert_string_equal(names[1], CASE_INSTANCE);
    assert_string_equal(names[2], "zebra");
    repo_instances_free(names, count);
    repo_case_close(&c);
}

static void
check_instance__missing__names_the_others(void **state)
{
    struct err err = ERR_INIT;
    struct repo_case c;

    (void)state;
    repo_case_open(&c);
    assert_int_equal(repo_check_instance(&c.repo, "shop-cahce", &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_non_null(strstr(err.msg, "shop-cahce"));
    assert_non_null(strstr(err.msg, "it has: " CASE_INSTANCE));
    assert_non_null(strstr(err.msg, "remora init --instance shop-cahce"));
    for (int i = 0; i < 300; i++) { /* more than a sentence holds */
        char key[64];

        (void)snprintf(key, sizeof(key), "instances/instance-%03d/x", i);
        repo_case_put(c.store, key, "x", 1);
    }
    assert_fails(repo_check_instance(&c.repo, "nope", &err), &err, ERR_NOT_FOUND);
    assert_fails(repo_check_instance(&c.repo, "no/pe", &err), &err, ERR_USAGE);
    repo_case_close(&c);
}

static void
check_instance__empty_repository__says_none(void **state)
{
    struct err err = ERR_INIT;
    struct store *s = store_mem_new();
    struct repo_made made;
    struct repo repo;

    (void)state;
    assert_ok(repo_init(s, NULL, &made, &err), &err);
    assert_ok(repo_open(s, &repo, &err), &err);
    assert_int_equal(repo_check_instance(&repo, "a", &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_non_null(strstr(err.msg, "it has none"));
    store_free(s);
}

/* Whatever call is refused or fails: never "not found". */
static void
all_calls__denied_or_failing__never_not_found(void **state)
{
    static const enum err_code codes[] = {ERR_STORE_DENIED, ERR_STORAGE};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        for (unsigned what = STORE_CALL_ANY; what < STORE_CALL_COUNT; what++) {
            struct err err = ERR_INIT;
            struct repo_case c;
            struct repo_made made;
            struct repo repo;
            char **names = NULL;
            size_t count = 0;

            repo_case_open(&c);
            repo_case_remove(c.mem, MARKER);
            repo_case_remove(c.mem, INSTANCE);
            store_fault_add(c.store, &(struct store_fault){.call = what, .what = STORE_FAULT_FAIL, .code = codes[i]});
            if (what == STORE_CALL_ANY || what == STORE_CALL_GET) {
                assert_fails(repo_open(c.store, &repo, &err), &err, codes[i]);
                assert_fails(repo_check_instance(&c.repo, CASE_INSTANCE, &err), &err, codes[i]);
            }
            if (what == STORE_CALL_ANY || what == STORE_CALL_LIST) {
                assert_fails(repo_instances(&c.repo, &names, &count, &err), &err, codes[i]);
                assert_fails(repo_check_instance(&c.repo, CASE_INSTANCE, &err), &err, codes[i]);
            }
            if (what == STORE_CALL_ANY || what == STORE_CALL_GET || what == STORE_CALL_PUT || what == STORE_CALL_NOW) {
                assert_fails(repo_init(c.store, CASE_INSTANCE, &made, &err), &err, codes[i]);
                assert_int_equal(repo_case_count(c.mem, ""), 0);
            }
            repo_case_close(&c);
        }
    }
}

static void
repo_now__stores_clock_differs__told_by_it(void **state)
{
    struct err err = ERR_INIT;
    struct repo_case c;
    struct repo repo;
    int64_t now = 0;

    (void)state;
    repo_case_open(&c);
    store_mem_set_clock(c.mem, -7200000);
    assert_ok(repo_open(c.store, &repo, &err), &err);
    assert_in_range(-repo.skew_ms, 7199000, 7201000);
    assert_ok(store_now(c.store, &now, &err), &err);
    assert_in_range(repo_now_ms(&repo) - now + 1000, 0, 2000);
    repo_case_close(&c);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(repo_init__twice__the_first_markers_stay),
        cmocka_unit_test(repo_init__bad_instance_name__makes_nothing),
        cmocka_unit_test(repo_init__another_comes_first__its_markers_count),
        cmocka_unit_test(repo_init__many_at_once__one_made_it),
        cmocka_unit_test(repo_open__no_marker__says_what_to_do),
        cmocka_unit_test(markers__damaged_newer_or_requiring__refused_and_left),
        cmocka_unit_test(check_instance__folder_copied_by_hand__says_whose_it_is_and_what_to_do),
        cmocka_unit_test(marker__unknown_fields__ignored),
        cmocka_unit_test(repo_instances__folders__our_names_ascending),
        cmocka_unit_test(check_instance__missing__names_the_others),
        cmocka_unit_test(check_instance__empty_repository__says_none),
        cmocka_unit_test(all_calls__denied_or_failing__never_not_found),
        cmocka_unit_test(repo_now__stores_clock_differs__told_by_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
