/* SPDX-License-Identifier: Apache-2.0 */
/* test_fact.c: facts put, read back, listed and removed, what is no fact of ours, and what a store may say no to. */
#include "snapshot/repo/fact.h"

#include <string.h>

#include "base/json_read.h"
#include "base/mem.h"
#include "storage/store_fault.h"
#include "tests/support/repo_case.h"
#include "tests/support/test_common.h"

#define FOLDER "instances/" CASE_INSTANCE "/"
#define OLD    "20261120T010000Z-00000a"
#define NEW    "20261122T010000Z-00000c"

static struct backup_id
id_of(const char *text)
{
    struct backup_id id;

    assert_true(backup_id_parse(text, &id, NULL));
    return id;
}

static int
open_case(void **state)
{
    struct repo_case *c = mem_new(sizeof(*c));

    repo_case_open(c);
    *state = c;
    return 0;
}

static int
close_case(void **state)
{
    repo_case_close(*state);
    free(*state);
    return 0;
}

static void
put(struct repo_case *c, enum layout_fact kind, const char *id, const char *reason)
{
    struct backup_id which = id_of(id);
    struct err err = ERR_INIT;

    assert_ok(fact_put(&c->repo, CASE_INSTANCE, kind, &which, reason, "0.0.test", &err), &err);
}

static void
put__with_and_without_reason__the_documented_object(void **state)
{
    static const char *const reasons[] = {"before \"the\" migration, été", NULL};
    struct repo_case *c = *state;
    const int64_t now_ms = repo_now_ms(&c->repo);

    for (size_t i = 0; i < ARRAY_LEN(reasons); i++) {
        struct err err = ERR_INIT;
        const char *text = NULL;
        int64_t ms = 0;
        size_t len = 0;
        char *data;
        json_t *o;

        put(c, LAYOUT_HOLD, NEW, reasons[i]); /* the second time over the first */
        data = repo_case_get(c->mem, FOLDER "holds/" NEW ".json", &len);
        assert_int_equal(data[len - 1], '\n');
        o = json_read_object(data, len, &err);
        assert_non_null(o);
        assert_int_equal(json_object_size(o), reasons[i] != NULL ? 4 : 3);
        assert_ok(json_read_str(o, "id", &text, &err), &err);
        assert_string_equal(text, NEW);
        assert_ok(json_read_time(o, "time", &ms, &err), &err);
        assert_in_range(ms, now_ms - 1000, now_ms + 60000);
        assert_ok(json_read_str(o, "tool", &text, &err), &err);
        assert_string_equal(text, "0.0.test");
        if (reasons[i] != NULL) {
            assert_ok(json_read_str(o, "reason", &text, &err), &err);
            assert_string_equal(text, reasons[i]);
        }
        json_decref(o);
        free(data);
    }
}

static void
put__reason_that_cannot_be_shown__usage(void **state)
{
    char longest[FACT_REASON_MAX + 2];
    const char *const bad[] = {"two\nlines", "\033[2J", "\177", "\xff\xfe", longest};
    struct repo_case *c = *state;
    struct backup_id id = id_of(NEW);
    struct err err = ERR_INIT;

    memset(longest, 'x', sizeof(longest));
    longest[FACT_REASON_MAX + 1] = '\0';
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_fails(fact_put(&c->repo, CASE_INSTANCE, LAYOUT_HOLD, &id, bad[i], "0.0.test", &err), &err, ERR_USAGE);
    assert_int_equal(repo_case_count(c->mem, FOLDER "holds/"), 0);
    longest[FACT_REASON_MAX] = '\0';
    put(c, LAYOUT_HOLD, NEW, longest);
}

static void
read__ours__time_and_reason(void **state)
{
    struct repo_case *c = *state;
    struct backup_id id = id_of(NEW);
    struct err err = ERR_INIT;
    struct fact_words words;
    bool there = true;
    const int64_t now_ms = repo_now_ms(&c->repo);

    assert_ok(fact_read(&c->repo, CASE_INSTANCE, LAYOUT_ACCEPTED, &id, &there, &words, &err), &err);
    assert_false(there);
    put(c, LAYOUT_ACCEPTED, NEW, "meant so");
    assert_ok(fact_read(&c->repo, CASE_INSTANCE, LAYOUT_ACCEPTED, &id, &there, &words, &err), &err);
    assert_true(there);
    assert_string_equal(words.reason, "meant so");
    assert_in_range(words.time_ms, now_ms - 1000, now_ms + 60000);
    put(c, LAYOUT_ACCEPTED, NEW, NULL);
    assert_ok(fact_read(&c->repo, CASE_INSTANCE, LAYOUT_ACCEPTED, &id, &there, &words, &err), &err);
    assert_true(there);
    assert_string_equal(words.reason, "");
}

/* Who puts one by hand need not know our JSON: that it is there is the fact. */
static void
read__by_hand__there_and_harmless(void **state)
{
    static const char *const texts[] = {"", "x", "{}", "[]", "{\"time\":7,\"reason\":{}}", "{\"time\":\"soon\"}"};
    static const char escape[] = "{\"time\":\"2026-11-22T10:30:00Z\",\"reason\":\"a\\u001b[2J\\nb\"}";
    struct repo_case *c = *state;
    struct backup_id id = id_of(NEW);
    struct err err = ERR_INIT;
    struct fact_words words;
    bool there = false;

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        repo_case_put(c->mem, FOLDER "holds/" NEW ".json", texts[i], strlen(texts[i]));
        assert_ok(fact_read(&c->repo, CASE_INSTANCE, LAYOUT_HOLD, &id, &there, &words, &err), &err);
        assert_true(there);
        assert_int_equal(words.time_ms, 0);
        assert_string_equal(words.reason, "");
    }
    repo_case_put(c->mem, FOLDER "holds/" NEW ".json", escape, strlen(escape));
    assert_ok(fact_read(&c->repo, CASE_INSTANCE, LAYOUT_HOLD, &id, &there, &words, &err), &err);
    assert_int_equal(words.time_ms, 1795343400000);
    assert_string_equal(words.reason, "a?[2J?b");
}

static void
read__larger_than_any_fact__there(void **state)
{
    struct repo_case *c = *state;
    struct backup_id id = id_of(NEW);
    struct err err = ERR_INIT;
    struct fact_words words;
    char *huge = mem_new(REPO_SMALL_OBJECT + 1);
    bool there = false;

    repo_case_put(c->mem, FOLDER "holds/" NEW ".json", huge, REPO_SMALL_OBJECT + 1);
    assert_ok(fact_read(&c->repo, CASE_INSTANCE, LAYOUT_HOLD, &id, &there, &words, &err), &err);
    assert_true(there);
    assert_string_equal(words.reason, "");
    free(huge);
}

static void
list__one_kind__ascending_with_the_stores_times(void **state)
{
    struct repo_case *c = *state;
    struct backup_id id = id_of(OLD);
    struct store_object object;
    struct fact_list list;
    struct err err = ERR_INIT;
    int64_t put_ms = 0;
    bool there = false;

    put(c, LAYOUT_EXPIRED, NEW, "no rule keeps it");
    put(c, LAYOUT_EXPIRED, OLD, NULL);
    put(c, LAYOUT_HOLD, "20261121T010000Z-00000b", NULL); /* another kind */
    repo_case_put(c->mem, FOLDER "expired/README", "x", 1);
    repo_case_put(c->mem, FOLDER "expired/old/" OLD ".json", "x", 1);
    store_fault_shift_times(c->store, -7200000, 0);
    assert_ok(fact_list(&c->repo, CASE_INSTANCE, LAYOUT_EXPIRED, &list, &err), &err);
    assert_int_equal(list.count, 2);
    assert_string_equal(list.facts[0].id.text, OLD);
    assert_string_equal(list.facts[1].id.text, NEW);
    assert_ok(store_stat(c->mem, FOLDER "expired/" OLD ".json", &object, &err), &err);
    assert_int_equal(list.facts[0].put_ms, object.mtime_ms - 7200000);
    assert_ok(fact_find(&c->repo, CASE_INSTANCE, LAYOUT_EXPIRED, &id, &there, &put_ms, &err), &err);
    assert_true(there);
    assert_int_equal(put_ms, list.facts[0].put_ms);
    fact_list_free(&list);
    assert_ok(fact_list(&c->repo, CASE_INSTANCE, LAYOUT_ACCEPTED, &list, &err), &err);
    assert_int_equal(list.count, 0);
    fact_list_free(&list);
}

static void
list__many__all_of_them(void **state)
{
    struct repo_case *c = *state;
    struct fact_list list;
    struct err err = ERR_INIT;

    for (unsigned i = 0; i < 1500; i++) {
        char key[100];

        (void)snprintf(key, sizeof(key), FOLDER "holds/20261122T010000Z-%06x.json", i);
        repo_case_put(c->mem, key, "{}", 2);
    }
    assert_ok(fact_list(&c->repo, CASE_INSTANCE, LAYOUT_HOLD, &list, &err), &err);
    assert_int_equal(list.count, 1500);
    fact_list_free(&list);
}

static void
remove__twice__gone_and_fine(void **state)
{
    struct repo_case *c = *state;
    struct backup_id id = id_of(NEW);
    struct err err = ERR_INIT;
    bool there = true;

    put(c, LAYOUT_HOLD, NEW, NULL);
    put(c, LAYOUT_HOLD, OLD, NULL);
    for (int i = 0; i < 2; i++)
        assert_ok(fact_remove(&c->repo, CASE_INSTANCE, LAYOUT_HOLD, &id, &err), &err);
    assert_ok(fact_find(&c->repo, CASE_INSTANCE, LAYOUT_HOLD, &id, &there, NULL, &err), &err);
    assert_false(there);
    assert_int_equal(repo_case_count(c->mem, FOLDER "holds/"), 1);
}

/* A store that fails has said nothing about the fact. */
static void
any__store_fails__an_error_and_never_absent(void **state)
{
    static const enum err_code codes[] = {ERR_STORAGE, ERR_STORE_DENIED, ERR_INTERRUPTED};
    struct repo_case *c = *state;
    struct backup_id id = id_of(NEW);

    put(c, LAYOUT_HOLD, NEW, NULL);
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        struct err err = ERR_INIT;
        struct fact_words words;
        struct fact_list list;
        bool there = false;

        store_fault_clear(c->store);
        store_fault_add(c->store, &(struct store_fault){.key = FOLDER "holds/", .code = codes[i]});
        assert_fails(fact_list(&c->repo, CASE_INSTANCE, LAYOUT_HOLD, &list, &err), &err, codes[i]);
        assert_fails(fact_find(&c->repo, CASE_INSTANCE, LAYOUT_HOLD, &id, &there, NULL, &err), &err, codes[i]);
        assert_fails(fact_read(&c->repo, CASE_INSTANCE, LAYOUT_HOLD, &id, &there, &words, &err), &err, codes[i]);
        assert_fails(fact_put(&c->repo, CASE_INSTANCE, LAYOUT_HOLD, &id, NULL, "0.0.test", &err), &err, codes[i]);
        assert_fails(fact_remove(&c->repo, CASE_INSTANCE, LAYOUT_HOLD, &id, &err), &err, codes[i]);
        store_fault_clear(c->store);
        store_fault_add(c->store, &(struct store_fault){
                                      .call = STORE_CALL_LIST, .what = STORE_FAULT_CUT, .at = 1, .code = codes[i]});
        assert_fails(fact_list(&c->repo, CASE_INSTANCE, LAYOUT_HOLD, &list, &err), &err, codes[i]);
    }
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, open_case, close_case)
    const struct CMUnitTest tests[] = {
        TEST(put__with_and_without_reason__the_documented_object),
        TEST(put__reason_that_cannot_be_shown__usage),
        TEST(read__ours__time_and_reason),
        TEST(read__by_hand__there_and_harmless),
        TEST(read__larger_than_any_fact__there),
        TEST(list__one_kind__ascending_with_the_stores_times),
        TEST(list__many__all_of_them),
        TEST(remove__twice__gone_and_fine),
        TEST(any__store_fails__an_error_and_never_absent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
