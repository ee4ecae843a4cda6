/* SPDX-License-Identifier: Apache-2.0 */
/* test_catalog_reload.c: one who reads a catalogue again and again pays for what is new, and sees all that changed. */
#include <string.h>

#include "base/mem.h"
#include "snapshot/repo/catalog.h"
#include "storage/store_fault.h"
#include "tests/support/repo_case.h"
#include "tests/support/test_common.h"

#define FOLDER   "instances/" CASE_INSTANCE "/"
#define OLD      "20261120T010000Z-00000a"
#define MIDDLE   "20261121T010000Z-00000b"
#define NEW      "20261122T010000Z-00000c"
#define NEWEST   "20261123T010000Z-00000d"
#define LISTINGS 5 /* the manifests, and each kind of fact */

static void
put_text(struct repo_case *c, const char *folder, const char *id, const char *text)
{
    char *key = mem_printf(FOLDER "%s/%s.json", folder, id);

    repo_case_put(c->mem, key, text, strlen(text));
    free(key);
}

static void
put_manifest(struct repo_case *c, const char *id)
{
    size_t len = 0;
    char *key = mem_printf(FOLDER "backups/%s.json", id), *data = repo_case_manifest(id, false, &len);

    repo_case_put(c->mem, key, data, len);
    free(key);
    free(data);
}

static void
remove_object(struct repo_case *c, const char *folder, const char *id)
{
    char *key = mem_printf(FOLDER "%s/%s.json", folder, id);

    repo_case_remove(c->mem, key);
    free(key);
}

/* What it is to be read with: a repository of three backups, two of them verified, and what was read of it before. */
struct scene {
    struct repo_case c;
    struct catalog *known;
};

/* Read it again; it has to cost GETS gets, and to say what one says who reads all of it. */
static void
read_again(struct scene *s, unsigned gets)
{
    struct catalog *again = NULL, *whole = NULL;
    struct store_fault_counts n;
    struct err err = ERR_INIT;

    store_fault_reset_counts(s->c.store);
    assert_ok(catalog_reload(&s->c.repo, CASE_INSTANCE, s->known, &again, &err), &err);
    n = store_fault_counts(s->c.store);
    assert_int_equal(n.calls[STORE_CALL_LIST], LISTINGS);
    assert_int_equal(n.calls[STORE_CALL_GET], gets);
    assert_int_equal(n.calls[STORE_CALL_ANY], LISTINGS + gets);

    assert_ok(catalog_load(&s->c.repo, CASE_INSTANCE, CATALOG_VERIFIED, &whole, &err), &err);
    assert_int_equal(again->count, whole->count);
    for (size_t i = 0; i < whole->count; i++) {
        struct catalog_entry a = again->entries[i], b = whole->entries[i];

        assert_int_equal(a.problem == NULL, b.problem == NULL);
        if (b.problem != NULL)
            assert_string_equal(a.problem, b.problem);
        a.problem = b.problem = NULL;
        assert_memory_equal(&a, &b, sizeof(a)); /* both began as zeros */
    }
    catalog_free(whole);
    catalog_free(s->known);
    s->known = again;
}

static int
setup(void **state)
{
    struct scene *s = mem_new(sizeof(*s));

    repo_case_open(&s->c);
    put_manifest(&s->c, OLD);
    put_manifest(&s->c, MIDDLE);
    put_manifest(&s->c, NEW);
    put_text(&s->c, "verified", OLD, "{\"time\":\"2026-11-22T10:30:00Z\",\"level\":\"digests\"}");
    put_text(&s->c, "verified", NEW,
             "{\"time\":\"2026-11-22T11:30:00Z\",\"level\":\"load\",\"load\":{\"time\":\"2026-11-22T11:30:00Z\","
             "\"server\":\"redis 7.0.15\"}}");
    *state = s;
    read_again(s, 3 + 2); /* nothing is known yet */
    return 0;
}

static int
teardown(void **state)
{
    struct scene *s = *state;

    catalog_free(s->known);
    repo_case_close(&s->c);
    free(s);
    return 0;
}

static void
reload__nothing_new__listings_alone(void **state)
{
    struct scene *s = *state;

    read_again(s, 0);
    assert_int_equal(s->known->count, 3);
    assert_string_equal(s->known->entries[2].loaded_by, "redis 7.0.15");
    assert_string_not_equal(s->known->entries[0].method, "");
    read_again(s, 0); /* what was taken over can be taken over again */
}

static void
reload__one_backup_more_and_one_less__one_get(void **state)
{
    struct scene *s = *state;

    put_manifest(&s->c, NEWEST);
    remove_object(&s->c, "backups", OLD); /* its fact stays for now */
    read_again(s, 1);
    assert_int_equal(s->known->count, 3);
    assert_string_equal(s->known->entries[2].id.text, NEWEST);
}

static void
reload__verified_anew__that_fact_is_read(void **state)
{
    struct scene *s = *state;

    put_text(&s->c, "verified", OLD, "{\"time\":\"2026-11-23T10:30:00Z\",\"level\":\"load\"}");
    put_text(&s->c, "verified", MIDDLE, "{\"time\":\"2026-11-23T10:31:00Z\",\"level\":\"digests\"}");
    read_again(s, 2);
    assert_string_equal(s->known->entries[0].verified_level, "load");
    assert_string_equal(s->known->entries[1].verified_level, "digests");
    remove_object(&s->c, "verified", OLD);
    read_again(s, 0);
    assert_int_equal(s->known->entries[0].verified_ms, 0);
    assert_string_equal(s->known->entries[0].verified_level, "");
}

static void
reload__marks_come_and_go__seen_without_a_get(void **state)
{
    struct scene *s = *state;

    put_text(&s->c, "holds", OLD, "{}");
    put_text(&s->c, "accepted", MIDDLE, "{}");
    put_text(&s->c, "expired", NEW, "{}");
    read_again(s, 0);
    assert_true(s->known->entries[0].held);
    assert_true(s->known->entries[1].accepted);
    assert_true(s->known->entries[2].noted_ms > 0);
    remove_object(&s->c, "holds", OLD);
    read_again(s, 0);
    assert_false(s->known->entries[0].held);
}

/* A store that once handed out nonsense is asked again; an object that is not the one it was, too. */
static void
reload__damaged_then_or_changed_since__read_again(void **state)
{
    struct scene *s = *state;

    put_text(&s->c, "backups", NEW, "x");
    read_again(s, 1);
    assert_int_equal(s->known->entries[2].state, CATALOG_DAMAGED);
    read_again(s, 1);
    put_manifest(&s->c, NEW);
    read_again(s, 1);
    assert_int_equal(s->known->entries[2].state, CATALOG_WHOLE);
    read_again(s, 0);
}

static void
reload__store_fails__error_and_what_is_known_stays(void **state)
{
    struct scene *s = *state;
    struct catalog *out = NULL;
    struct err err = ERR_INIT;

    store_fault_add(s->c.store, &(struct store_fault){.call = STORE_CALL_LIST, .code = ERR_STORAGE});
    assert_fails(catalog_reload(&s->c.repo, CASE_INSTANCE, s->known, &out, &err), &err, ERR_STORAGE);
    assert_null(out);
    store_fault_clear(s->c.store);
    read_again(s, 0);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(reload__nothing_new__listings_alone),
        TEST(reload__one_backup_more_and_one_less__one_get),
        TEST(reload__verified_anew__that_fact_is_read),
        TEST(reload__marks_come_and_go__seen_without_a_get),
        TEST(reload__damaged_then_or_changed_since__read_again),
        TEST(reload__store_fails__error_and_what_is_known_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
