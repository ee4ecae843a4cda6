/* SPDX-License-Identifier: Apache-2.0 */
/* test_hold.c: hold, release and accept: once and again, of what is there, of what is gone, and beside a removal that
 * begins at any of their steps. */
#include "snapshot/repo/hold.h"

#include <string.h>

#include "base/mem.h"
#include "snapshot/repo/catalog.h"
#include "snapshot/repo/fact.h"
#include "storage/store_fault.h"
#include "tests/support/repo_case.h"
#include "tests/support/test_common.h"

#define FOLDER   "instances/" CASE_INSTANCE "/"
#define OLD      "20261120T010000Z-00000a"
#define NEW      "20261122T010000Z-00000c"
#define MANIFEST FOLDER "backups/" NEW ".json"
#define HOLD     FOLDER "holds/" NEW ".json"
#define NOTE     FOLDER "expired/" NEW ".json"

static struct backup_id new_id, old_id;

static void
put_manifest(struct repo_case *c, const char *id, bool suspicious)
{
    size_t len = 0;
    char *key = mem_printf(FOLDER "backups/%s.json", id), *data = repo_case_manifest(id, suspicious, &len);

    repo_case_put(c->mem, key, data, len);
    free(key);
    free(data);
}

static int
two_backups(void **state)
{
    struct repo_case *c = mem_new(sizeof(*c));

    assert_true(backup_id_parse(NEW, &new_id, NULL));
    assert_true(backup_id_parse(OLD, &old_id, NULL));
    repo_case_open(c);
    put_manifest(c, OLD, false);
    put_manifest(c, NEW, false);
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

static int
hold(struct repo_case *c, const char *reason, bool *changed, struct err *err)
{
    return hold_put(&c->repo, CASE_INSTANCE, &new_id, reason, "0.0.test", changed, err);
}

static bool
is_there(struct repo_case *c, const char *key)
{
    return repo_case_count(c->mem, key) == 1;
}

static void
hold__twice__held_for_the_first_reason(void **state)
{
    struct repo_case *c = *state;
    struct err err = ERR_INIT;
    struct fact_words words;
    bool changed = false, there = false;

    assert_ok(hold(c, "before the migration", &changed, &err), &err);
    assert_true(changed);
    assert_ok(hold(c, "again", &changed, &err), &err);
    assert_false(changed);
    assert_ok(fact_read(&c->repo, CASE_INSTANCE, LAYOUT_HOLD, &new_id, &there, &words, &err), &err);
    assert_true(there);
    assert_string_equal(words.reason, "before the migration");
    assert_false(is_there(c, FOLDER "holds/" OLD ".json"));
}

/* It may be put right by hand some day: whoever wants to keep it may. */
static void
hold__damaged_backup__held(void **state)
{
    struct repo_case *c = *state;
    struct err err = ERR_INIT;
    bool changed = false;

    repo_case_put(c->mem, MANIFEST, "x", 1);
    assert_ok(hold(c, NULL, &changed, &err), &err);
    assert_true(is_there(c, HOLD));
}

static void
hold__no_such_backup__not_found_and_nothing_left(void **state)
{
    struct repo_case *c = *state;
    struct err err = ERR_INIT;
    bool changed = false;

    repo_case_remove(c->mem, MANIFEST);
    assert_int_equal(hold(c, NULL, &changed, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_non_null(strstr(err.msg, NEW));
    assert_false(is_there(c, HOLD));
    /* One that was there is prune's to remove. */
    repo_case_put(c->mem, HOLD, "{}", 2);
    assert_fails(hold(c, NULL, &changed, &err), &err, ERR_NOT_FOUND);
    assert_true(is_there(c, HOLD));
    /* A courtesy that is not possible is not missed. */
    repo_case_remove(c->mem, HOLD);
    store_fault_add(c->store, &(struct store_fault){.call = STORE_CALL_REMOVE, .code = ERR_STORE_DENIED});
    assert_fails(hold(c, NULL, &changed, &err), &err, ERR_NOT_FOUND);
}

static void
hold__note_is_there__locked_and_the_hold_stays(void **state)
{
    struct repo_case *c = *state;
    struct err err = ERR_INIT;
    bool changed = false;

    repo_case_put(c->mem, NOTE, "{}", 2);
    assert_fails(hold(c, NULL, &changed, &err), &err, ERR_LOCKED);
    assert_true(is_there(c, HOLD));
    /* The removal gave up, and prune took its note away. */
    repo_case_remove(c->mem, NOTE);
    assert_ok(hold(c, NULL, &changed, &err), &err);
    assert_false(changed);
}

/* A removal as removal.h has it, in one go, just before the call AT of the holder. */
struct race {
    struct repo_case *c;
    unsigned calls, at;
    bool removed, saw_hold;
};

static void
remove_backup(enum store_call call, const char *key, void *cookie)
{
    struct race *r = cookie;

    (void)call;
    (void)key;
    if (++r->calls != r->at)
        return;
    repo_case_put(r->c->mem, NOTE, "{}", 2);
    r->saw_hold = is_there(r->c, HOLD);
    r->removed = !r->saw_hold;
    if (r->removed)
        repo_case_remove(r->c->mem, MANIFEST);
}

/* Wherever a removal comes in between: hold says yes only for a backup that stays. */
static void
hold__removal_at_any_step__never_a_hold_of_nothing(void **state)
{
    struct repo_case *c = *state;
    unsigned kept = 0, lost = 0, steps = 0;

    for (unsigned at = 1; at <= steps + 1; at++) {
        struct race race = {.c = c, .at = at};
        struct err err = ERR_INIT;
        bool changed = false;
        int rc;

        repo_case_remove(c->mem, HOLD);
        repo_case_remove(c->mem, NOTE);
        put_manifest(c, NEW, false);
        store_fault_set_hook(c->store, remove_backup, &race);
        rc = hold(c, NULL, &changed, &err);
        store_fault_set_hook(c->store, NULL, NULL);
        steps = race.calls > steps ? race.calls : steps;
        assert_int_equal(is_there(c, MANIFEST), !race.removed);
        if (race.removed) {
            assert_fails(rc, &err, ERR_NOT_FOUND);
            assert_false(is_there(c, HOLD));
            lost++;
        } else {
            assert_true(is_there(c, HOLD));
            if (rc < 0)
                assert_int_equal(err.code, ERR_LOCKED);
            kept++;
        }
    }
    assert_true(lost >= 2 && kept >= 2); /* both really came about */
}

/* The same with the removal's two halves apart: its note and its look for holds first, the manifest later. */
struct slow_race {
    struct repo_case *c;
    unsigned calls, note_at, manifest_at;
    bool saw_hold;
};

static void
remove_slowly(enum store_call call, const char *key, void *cookie)
{
    struct slow_race *r = cookie;

    (void)call;
    (void)key;
    r->calls++;
    if (r->calls == r->note_at) {
        repo_case_put(r->c->mem, NOTE, "{}", 2);
        r->saw_hold = is_there(r->c, HOLD);
    }
    if (r->calls == r->manifest_at && !r->saw_hold)
        repo_case_remove(r->c->mem, MANIFEST);
}

static void
hold__slow_removal__never_a_yes(void **state)
{
    struct repo_case *c = *state;

    for (unsigned note_at = 1; note_at <= 4; note_at++) {
        for (unsigned manifest_at = note_at; manifest_at <= 5; manifest_at++) {
            struct slow_race race = {.c = c, .note_at = note_at, .manifest_at = manifest_at};
            struct err err = ERR_INIT;
            bool changed = false;
            int rc;

            repo_case_remove(c->mem, HOLD);
            repo_case_remove(c->mem, NOTE);
            put_manifest(c, NEW, false);
            store_fault_set_hook(c->store, remove_slowly, &race);
            rc = hold(c, NULL, &changed, &err);
            store_fault_set_hook(c->store, NULL, NULL);
            if (rc == 0 && !race.saw_hold)
                fail_msg("held, but the removal that began at call %u did not see it", note_at);
        }
    }
}

static void
hold__store_fails__an_error(void **state)
{
    static const enum err_code codes[] = {ERR_STORAGE, ERR_STORE_DENIED};
    static const char *const keys[] = {HOLD, MANIFEST, NOTE};
    struct repo_case *c = *state;

    for (size_t k = 0; k < ARRAY_LEN(keys); k++) {
        for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
            struct err err = ERR_INIT;
            bool changed = false;

            store_fault_clear(c->store);
            store_fault_add(c->store, &(struct store_fault){.key = keys[k], .code = codes[i]});
            assert_fails(hold(c, NULL, &changed, &err), &err, codes[i]);
        }
    }
    store_fault_clear(c->store);
    assert_true(is_there(c, HOLD)); /* not in time, for all anybody knows, but kept from the next removal */
}

static void
release__held_or_not__not_held(void **state)
{
    struct repo_case *c = *state;
    struct err err = ERR_INIT;
    bool changed = false;

    assert_ok(hold(c, NULL, &changed, &err), &err);
    assert_ok(hold_release(&c->repo, CASE_INSTANCE, &new_id, &changed, &err), &err);
    assert_true(changed);
    assert_false(is_there(c, HOLD));
    assert_ok(hold_release(&c->repo, CASE_INSTANCE, &new_id, &changed, &err), &err);
    assert_false(changed);
    /* What is left of a backup that is gone. */
    repo_case_put(c->mem, HOLD, "{}", 2);
    repo_case_remove(c->mem, MANIFEST);
    assert_ok(hold_release(&c->repo, CASE_INSTANCE, &new_id, &changed, &err), &err);
    assert_true(changed);
    store_fault_add(c->store, &(struct store_fault){.call = STORE_CALL_STAT, .code = ERR_STORAGE});
    assert_fails(hold_release(&c->repo, CASE_INSTANCE, &new_id, &changed, &err), &err, ERR_STORAGE);
}

static const char *
latest(struct repo_case *c)
{
    struct manifest *m = NULL;
    struct err err = ERR_INIT;
    bool is_new;

    assert_ok(catalog_find(&c->repo, CASE_INSTANCE, "latest", NULL, NULL, &m, &err), &err);
    is_new = strcmp(m->id.text, NEW) == 0;
    manifest_free(m);
    return is_new ? NEW : OLD;
}

static enum hold_acceptance
accept_new(struct repo_case *c, const char *reason)
{
    enum hold_acceptance outcome;
    struct err err = ERR_INIT;

    assert_ok(hold_accept(&c->repo, CASE_INSTANCE, &new_id, reason, "0.0.test", &outcome, &err), &err);
    return outcome;
}

static void
accept__suspicious__the_latest_from_then_on(void **state)
{
    struct repo_case *c = *state;
    struct catalog_entry entry;
    struct fact_words words;
    struct err err = ERR_INIT;
    bool there = false;

    put_manifest(c, NEW, true);
    assert_string_equal(latest(c), OLD);
    assert_int_equal(accept_new(c, "the cache was emptied"), HOLD_ACCEPTED);
    assert_string_equal(latest(c), NEW);
    assert_int_equal(accept_new(c, "again"), HOLD_WAS_ACCEPTED);
    assert_ok(fact_read(&c->repo, CASE_INSTANCE, LAYOUT_ACCEPTED, &new_id, &there, &words, &err), &err);
    assert_string_equal(words.reason, "the cache was emptied");
    assert_ok(catalog_entry_load(&c->repo, CASE_INSTANCE, &new_id, &entry, &err), &err);
    assert_true(entry.suspicious && entry.accepted && !entry.held);
    catalog_entry_fini(&entry);
}

static void
accept__not_suspicious__nothing_is_put(void **state)
{
    struct repo_case *c = *state;

    assert_int_equal(accept_new(c, NULL), HOLD_NOTHING_TO_ACCEPT);
    assert_int_equal(repo_case_count(c->mem, FOLDER "accepted/"), 0);
}

static void
accept__missing_damaged_or_too_new__refused(void **state)
{
    struct repo_case *c = *state;
    enum hold_acceptance outcome;
    struct err err = ERR_INIT;
    size_t len = 0;
    char *data = repo_case_manifest(NEW, true, &len);
    char *forged = repo_case_forge(data, &len, "\"requires\":[]", "\"requires\":[\"set\"]");

    repo_case_put(c->mem, MANIFEST, forged, len);
    assert_fails(hold_accept(&c->repo, CASE_INSTANCE, &new_id, NULL, "0", &outcome, &err), &err, ERR_UNSUPPORTED);
    repo_case_put(c->mem, MANIFEST, "x", 1);
    assert_fails(hold_accept(&c->repo, CASE_INSTANCE, &new_id, NULL, "0", &outcome, &err), &err, ERR_CORRUPT);
    repo_case_remove(c->mem, MANIFEST);
    assert_fails(hold_accept(&c->repo, CASE_INSTANCE, &new_id, NULL, "0", &outcome, &err), &err, ERR_NOT_FOUND);
    assert_int_equal(repo_case_count(c->mem, FOLDER "accepted/"), 0);
    free(data);
    free(forged);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, two_backups, close_case)
    const struct CMUnitTest tests[] = {
        TEST(hold__twice__held_for_the_first_reason),
        TEST(hold__damaged_backup__held),
        TEST(hold__no_such_backup__not_found_and_nothing_left),
        TEST(hold__note_is_there__locked_and_the_hold_stays),
        TEST(hold__removal_at_any_step__never_a_hold_of_nothing),
        TEST(hold__slow_removal__never_a_yes),
        TEST(hold__store_fails__an_error),
        TEST(release__held_or_not__not_held),
        TEST(accept__suspicious__the_latest_from_then_on),
        TEST(accept__not_suspicious__nothing_is_put),
        TEST(accept__missing_damaged_or_too_new__refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
