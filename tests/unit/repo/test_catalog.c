/* SPDX-License-Identifier: Apache-2.0 */
/* test_catalog.c: which backups there are, which is the latest, what is passed over and told, and what it costs. */
#include "snapshot/repo/catalog.h"

#include <string.h>

#include "base/mem.h"
#include "storage/store_fault.h"
#include "tests/support/repo_case.h"
#include "tests/support/test_common.h"

#define FOLDER "instances/" CASE_INSTANCE "/"
#define OLD    "20261120T010000Z-00000a"
#define MIDDLE "20261121T010000Z-00000b"
#define NEW    "20261122T010000Z-00000c"

/* What was passed over, "id: why; " each. */
struct skips {
    char text[2000];
};

static void
note_skip(const struct backup_id *id, const char *why, void *cookie)
{
    struct skips *s = cookie;
    size_t len = strlen(s->text);

    (void)snprintf(s->text + len, sizeof(s->text) - len, "%s: %s; ", id->text, why);
}

static void
put_manifest(struct repo_case *c, const char *id, bool suspicious)
{
    size_t len = 0;
    char *key = mem_printf(FOLDER "backups/%s.json", id), *data = repo_case_manifest(id, suspicious, &len);

    repo_case_put(c->mem, key, data, len);
    free(key);
    free(data);
}

static void
put_text(struct repo_case *c, const char *folder, const char *id, const char *text)
{
    char *key = mem_printf(FOLDER "%s/%s.json", folder, id);

    repo_case_put(c->mem, key, text, strlen(text));
    free(key);
}

static void
put_requiring(struct repo_case *c, const char *id)
{
    size_t len = 0;
    char *key = mem_printf(FOLDER "backups/%s.json", id), *data = repo_case_manifest(id, false, &len);
    char *forged = repo_case_forge(data, &len, "\"requires\":[]", "\"requires\":[\"zstd-prefix\"]");

    repo_case_put(c->mem, key, forged, len);
    free(key);
    free(data);
    free(forged);
}

static int
three_backups(void **state)
{
    struct repo_case *c = mem_new(sizeof(*c));

    repo_case_open(c);
    put_manifest(c, MIDDLE, false);
    put_manifest(c, NEW, false);
    put_manifest(c, OLD, false);
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
latest_is(struct repo_case *c, const char *want, struct skips *skips)
{
    struct err err = ERR_INIT;
    struct manifest *m = NULL;

    memset(skips, 0, sizeof(*skips));
    assert_ok(catalog_find(&c->repo, CASE_INSTANCE, "latest", note_skip, skips, &m, &err), &err);
    assert_string_equal(m->id.text, want);
    manifest_free(m);
    assert_ok(catalog_find(&c->repo, CASE_INSTANCE, "latest", NULL, NULL, &m, &err), &err); /* nobody to tell */
    manifest_free(m);
}

static void
latest__all_good__greatest_id(void **state)
{
    struct skips skips;

    latest_is(*state, NEW, &skips);
    assert_string_equal(skips.text, "");
}

static void
latest__damaged_and_suspicious__passed_over_and_named(void **state)
{
    struct skips skips;

    put_text(*state, "backups", NEW, "{\"format\":\"remora-backup\"");
    put_manifest(*state, MIDDLE, true);
    latest_is(*state, OLD, &skips);
    assert_memory_equal(skips.text, NEW ": ", strlen(NEW) + 2); /* newest first */
    assert_non_null(strstr(skips.text, "cut short"));
    assert_non_null(strstr(skips.text, MIDDLE ": it is marked suspicious"));
    assert_null(strstr(skips.text, OLD));
}

static void
latest__suspicious_but_accepted__counts(void **state)
{
    struct skips skips;

    put_manifest(*state, NEW, true);
    put_text(*state, "accepted", NEW, "{}");
    latest_is(*state, NEW, &skips);
    assert_string_equal(skips.text, "");
}

static void
latest__newest_needs_a_newer_remora__refused(void **state)
{
    struct repo_case *c = *state;
    struct err err = ERR_INIT;
    struct manifest *m = NULL;

    put_requiring(c, NEW);
    assert_int_equal(catalog_find(&c->repo, CASE_INSTANCE, "latest", NULL, NULL, &m, &err), -1);
    assert_int_equal(err.code, ERR_UNSUPPORTED);
    assert_int_equal(err_exit_status(err.code), 13);
    assert_non_null(strstr(err.msg, NEW));
    assert_non_null(strstr(err.msg, "zstd-prefix"));
    assert_null(m);
}

static void
latest__manifest_of_another_backup__damaged(void **state)
{
    struct repo_case *c = *state;
    struct skips skips;
    size_t len = 0;
    char *data = repo_case_manifest(OLD, false, &len);

    repo_case_put(c->mem, FOLDER "backups/" NEW ".json", data, len); /* copied over by somebody */
    latest_is(c, MIDDLE, &skips);
    assert_non_null(strstr(skips.text, "another backup"));
    free(data);
}

static void
latest__nothing_usable__not_found_and_says_which(void **state)
{
    struct repo_case *c = *state;
    struct err err = ERR_INIT;
    struct manifest *m = NULL;

    put_text(c, "backups", NEW, "x");
    put_text(c, "backups", MIDDLE, "");
    put_manifest(c, OLD, true);
    assert_int_equal(catalog_find(&c->repo, CASE_INSTANCE, "latest", NULL, NULL, &m, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_non_null(strstr(err.msg, "no usable backup"));
    assert_int_equal(catalog_find(&c->repo, "other", "latest", NULL, NULL, &m, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_non_null(strstr(err.msg, "has no backup"));
}

/* A copy of the folder inside it, or other files, are not backups. */
static void
latest__foreign_objects__left_alone(void **state)
{
    struct repo_case *c = *state;
    struct skips skips;
    size_t len = 0;
    char *data = repo_case_manifest(OLD, false, &len);
    struct catalog *catalog = NULL;
    struct err err = ERR_INIT;

    repo_case_put(c->mem, FOLDER "backups/old/" OLD ".json", data, len);
    repo_case_put(c->mem, FOLDER "backups/" NEW ".json.orig", data, len);
    repo_case_put(c->mem, FOLDER "backups/README", data, len);
    repo_case_put(c->mem, FOLDER "verified/old/" OLD ".json", "{", 1);
    latest_is(c, NEW, &skips);
    assert_string_equal(skips.text, "");
    assert_ok(catalog_load(&c->repo, CASE_INSTANCE, CATALOG_VERIFIED, &catalog, &err), &err);
    assert_int_equal(catalog->count, 3);
    catalog_free(catalog);
    free(data);
}

static void
count_progress(const struct progress *p, void *cookie)
{
    unsigned *told = cookie;

    assert_int_equal(p->phase, PROGRESS_LISTING);
    assert_true(p->done <= p->total);
    (*told)++;
}

static void
catalog_load__progress__a_listing_and_a_manifest_each(void **state)
{
    struct repo_case *c = *state;
    struct catalog *catalog = NULL;
    struct err err = ERR_INIT;
    unsigned told = 0;
    struct repo telling = c->repo;

    telling.progress = (struct progress_sink){.fn = count_progress, .cookie = &told};
    assert_ok(catalog_load(&telling, CASE_INSTANCE, CATALOG_MARKS, &catalog, &err), &err);
    assert_int_equal(told, 1 + 4 + catalog->count);
    catalog_free(catalog);
}

/* "Could not be read" says nothing about a backup: no older one is taken in its place. */
static void
latest__store_fails__not_passed_over(void **state)
{
    static const enum err_code codes[] = {ERR_STORAGE, ERR_STORE_DENIED, ERR_INTERRUPTED};
    struct repo_case *c = *state;
    struct catalog *catalog = NULL;
    struct manifest *m = NULL;
    struct err err = ERR_INIT;

    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        store_fault_clear(c->store);
        store_fault_add(c->store, &(struct store_fault){.call = STORE_CALL_GET, .key = NEW, .code = codes[i]});
        assert_fails(catalog_find(&c->repo, CASE_INSTANCE, "latest", NULL, NULL, &m, &err), &err, codes[i]);
        assert_fails(catalog_find(&c->repo, CASE_INSTANCE, NEW, NULL, NULL, &m, &err), &err, codes[i]);
        assert_fails(catalog_load(&c->repo, CASE_INSTANCE, CATALOG_VERIFIED, &catalog, &err), &err, codes[i]);
        store_fault_clear(c->store);
        store_fault_add(c->store, &(struct store_fault){.call = STORE_CALL_LIST, .code = codes[i]});
        assert_fails(catalog_find(&c->repo, CASE_INSTANCE, "latest", NULL, NULL, &m, &err), &err, codes[i]);
        assert_fails(catalog_load(&c->repo, CASE_INSTANCE, CATALOG_VERIFIED, &catalog, &err), &err, codes[i]);
        /* Nor is a listing that broke off. */
        store_fault_clear(c->store);
        store_fault_add(c->store, &(struct store_fault){
                                      .call = STORE_CALL_LIST, .what = STORE_FAULT_CUT, .at = 1, .code = codes[i]});
        assert_fails(catalog_find(&c->repo, CASE_INSTANCE, "latest", NULL, NULL, &m, &err), &err, codes[i]);
    }
    put_manifest(c, NEW, true);
    store_fault_clear(c->store);
    store_fault_add(c->store, &(struct store_fault){.call = STORE_CALL_STAT, .code = ERR_STORE_DENIED});
    assert_fails(catalog_find(&c->repo, CASE_INSTANCE, "latest", NULL, NULL, &m, &err), &err, ERR_STORE_DENIED);
    assert_null(m);
}

static void
remove_new(enum store_call call, const char *key, void *cookie)
{
    (void)key;
    if (call == STORE_CALL_GET)
        repo_case_remove(cookie, FOLDER "backups/" NEW ".json");
}

static void
listing__backup_removed_meanwhile__left_out(void **state)
{
    struct repo_case *c = *state;
    struct catalog *catalog = NULL;
    struct err err = ERR_INIT;
    struct skips skips;

    put_text(c, "verified", NEW, "{}");
    store_fault_set_hook(c->store, remove_new, c->mem);
    assert_ok(catalog_load(&c->repo, CASE_INSTANCE, CATALOG_VERIFIED, &catalog, &err), &err);
    assert_int_equal(catalog->count, 2);
    assert_string_equal(catalog->entries[1].id.text, MIDDLE);
    catalog_free(catalog);
    put_manifest(c, NEW, false);
    latest_is(c, MIDDLE, &skips);
    assert_memory_equal(skips.text, NEW ": ", strlen(NEW) + 2);
}

static void
find__by_id__that_one_or_why_not(void **state)
{
    struct repo_case *c = *state;
    struct manifest *m = NULL;
    struct err err = ERR_INIT;

    assert_ok(catalog_find(&c->repo, CASE_INSTANCE, MIDDLE, NULL, NULL, &m, &err), &err);
    assert_string_equal(m->id.text, MIDDLE);
    manifest_free(m);
    put_manifest(c, MIDDLE, true); /* asked for by name, it is given */
    assert_ok(catalog_find(&c->repo, CASE_INSTANCE, MIDDLE, NULL, NULL, &m, &err), &err);
    assert_true(m->suspicious);
    manifest_free(m);
    assert_fails(catalog_find(&c->repo, CASE_INSTANCE, "newest", NULL, NULL, &m, &err), &err, ERR_USAGE);
    assert_fails(catalog_find(&c->repo, CASE_INSTANCE, "", NULL, NULL, &m, &err), &err, ERR_USAGE);
    assert_fails(catalog_find(&c->repo, CASE_INSTANCE, "20261122T010000Z-ffffff", NULL, NULL, &m, &err), &err,
                 ERR_NOT_FOUND);
    put_text(c, "backups", NEW, "x");
    assert_fails(catalog_find(&c->repo, CASE_INSTANCE, NEW, NULL, NULL, &m, &err), &err, ERR_CORRUPT);
    put_requiring(c, NEW);
    assert_fails(catalog_find(&c->repo, CASE_INSTANCE, NEW, NULL, NULL, &m, &err), &err, ERR_UNSUPPORTED);
}

static void
find__instance_folder_was_renamed__new_name(void **state)
{
    struct repo_case *c = *state;
    struct manifest *m = NULL;
    struct err err = ERR_INIT;
    size_t len = 0;
    char *data = repo_case_manifest(OLD, false, &len);

    repo_case_put(c->mem, "instances/moved/backups/" OLD ".json", data, len);
    assert_ok(catalog_find(&c->repo, "moved", "latest", NULL, NULL, &m, &err), &err);
    assert_string_equal(m->instance, "moved");
    manifest_free(m);
    free(data);
}

static void
load__facts_and_problems__with_their_backups(void **state)
{
    struct repo_case *c = *state;
    struct catalog *catalog = NULL;
    struct err err = ERR_INIT;

    put_text(c, "backups", "20261119T010000Z-000009", "damaged");
    put_requiring(c, "20261123T010000Z-00000d");
    put_text(c, "verified", NEW,
             "{\"time\":\"2026-11-22T10:30:00.000Z\",\"level\":\"digests\",\"load\":{\"time\":\"2026-11-22T10:29:59Z\","
             "\"server\":\"redis 7.0.15\"}}");
    put_text(c, "verified", OLD, "{\"time\":\"2026-11-22T10:30:00.000Z\",\"level\":\"digests\",\"load\":{\"time\":7}}");
    put_text(c, "verified", MIDDLE, "nonsense");
    put_text(c, "accepted", OLD, "{}");
    put_text(c, "holds", MIDDLE, "{}");
    put_text(c, "holds", "20200101T000000Z-000000", "{}"); /* its backup is gone */
    put_text(c, "expired", NEW, "{}");                     /* a note beside a manifest means nothing */
    assert_ok(catalog_load(&c->repo, CASE_INSTANCE, CATALOG_VERIFIED, &catalog, &err), &err);
    assert_int_equal(catalog->count, 5);
    assert_int_equal(catalog->entries[0].state, CATALOG_DAMAGED);
    assert_non_null(strstr(catalog->entries[0].problem, "cut short"));
    assert_string_equal(catalog->entries[1].id.text, OLD);
    assert_true(catalog->entries[1].accepted && !catalog->entries[1].held);
    assert_true(catalog->entries[2].held && !catalog->entries[2].accepted);
    assert_int_equal(catalog->entries[2].verified_ms, 0);
    assert_string_equal(catalog->entries[2].verified_level, "");
    assert_int_equal(catalog->entries[3].state, CATALOG_WHOLE);
    assert_null(catalog->entries[3].problem);
    assert_int_equal(catalog->entries[3].verified_ms, 1795343400000);
    assert_string_equal(catalog->entries[3].verified_level, "digests");
    assert_int_equal(catalog->entries[3].loaded_ms, 1795343399000);
    assert_string_equal(catalog->entries[3].loaded_by, "redis 7.0.15");
    assert_int_equal(catalog->entries[1].verified_ms, 1795343400000);
    assert_int_equal(catalog->entries[1].loaded_ms, 0);
    assert_string_equal(catalog->entries[1].loaded_by, "");
    assert_int_equal(catalog->entries[4].state, CATALOG_UNSUPPORTED);
    assert_non_null(strstr(catalog->entries[4].problem, "zstd-prefix"));
    catalog_free(catalog);
    catalog_free(NULL);
}

/* With the marks alone, the store's own times stand for the facts, and none of them is read. */
static void
load__marks_only__times_of_the_store(void **state)
{
    struct repo_case *c = *state;
    struct catalog *catalog = NULL;
    struct store_object object;
    struct err err = ERR_INIT;

    put_text(c, "verified", NEW, "nonsense");
    put_text(c, "expired", MIDDLE, "{}");
    put_manifest(c, OLD, true);
    store_fault_add(c->store, &(struct store_fault){.call = STORE_CALL_GET, .key = "verified/", .code = ERR_STORAGE});
    assert_ok(catalog_load(&c->repo, CASE_INSTANCE, CATALOG_MARKS, &catalog, &err), &err);
    assert_int_equal(catalog->count, 3);
    assert_ok(store_stat(c->mem, FOLDER "verified/" NEW ".json", &object, &err), &err);
    assert_int_equal(catalog->entries[2].verified_ms, object.mtime_ms);
    assert_string_equal(catalog->entries[2].verified_level, "");
    assert_int_equal(catalog->entries[2].noted_ms, 0);
    assert_ok(store_stat(c->mem, FOLDER "expired/" MIDDLE ".json", &object, &err), &err);
    assert_int_equal(catalog->entries[1].noted_ms, object.mtime_ms);
    assert_int_equal(catalog->entries[1].verified_ms, 0);
    assert_true(catalog->entries[0].suspicious && !catalog->entries[1].suspicious);
    catalog_free(catalog);
}

static void
load__whole_backup__its_manifest_in_brief(void **state)
{
    struct repo_case *c = *state;
    struct catalog *catalog = NULL;
    const struct catalog_entry *e;
    struct err err = ERR_INIT;
    struct rdb_build dump;
    struct manifest *m;

    repo_case_dump(&dump, 5 * CASE_SEGMENT, 0);
    m = repo_case_backup(c, &dump);
    assert_ok(catalog_load(&c->repo, CASE_INSTANCE, CATALOG_MARKS, &catalog, &err), &err);
    assert_int_equal(catalog->count, 4);
    e = &catalog->entries[strcmp(m->id.text, NEW) > 0 ? 3 : 0];
    assert_string_equal(e->id.text, m->id.text);
    assert_int_equal(e->state, CATALOG_WHOLE);
    assert_null(e->problem);
    assert_int_equal(e->taken_ms, m->snapshot_ms / 1000 * 1000);
    assert_int_equal(e->snapshot_ms, m->snapshot_ms);
    assert_string_equal(e->method, m->method);
    assert_int_equal(e->keys, m->rdb.keys);
    assert_int_equal(e->raw_size, 5 * CASE_SEGMENT);
    assert_int_equal(e->stored_size, m->rdb_member.stored_size);
    catalog_free(catalog);
    manifest_free(m);
    rdb_build_fini(&dump);
}

static void
entry_load__one_backup__what_the_whole_catalogue_says_of_it(void **state)
{
    struct repo_case *c = *state;
    struct catalog *catalog = NULL;
    struct catalog_entry one;
    struct store_fault_counts n;
    struct err err = ERR_INIT;

    put_manifest(c, NEW, true);
    put_text(c, "verified", NEW, "{\"time\":\"2026-11-22T10:30:00.000Z\",\"level\":\"digests\"}");
    put_text(c, "accepted", NEW, "{}");
    put_text(c, "holds", NEW, "{}");
    put_text(c, "expired", NEW, "{}");
    put_text(c, "backups", OLD, "x");
    assert_ok(catalog_load(&c->repo, CASE_INSTANCE, CATALOG_VERIFIED, &catalog, &err), &err);
    for (size_t i = 0; i < catalog->count; i++) {
        const struct catalog_entry *e = &catalog->entries[i];

        store_fault_reset_counts(c->store);
        assert_ok(catalog_entry_load(&c->repo, CASE_INSTANCE, &e->id, &one, &err), &err);
        n = store_fault_counts(c->store);
        assert_int_equal(n.calls[STORE_CALL_ANY], 5);
        assert_int_equal(n.calls[STORE_CALL_LIST], 0);
        assert_int_equal(one.state, e->state);
        assert_int_equal(one.taken_ms, e->taken_ms);
        assert_int_equal(one.snapshot_ms, e->snapshot_ms);
        assert_int_equal(one.verified_ms, e->verified_ms);
        assert_string_equal(one.verified_level, e->verified_level);
        assert_int_equal(one.noted_ms, e->noted_ms);
        assert_true(one.suspicious == e->suspicious && one.accepted == e->accepted && one.held == e->held);
        assert_string_equal(one.problem != NULL ? one.problem : "", e->problem != NULL ? e->problem : "");
        catalog_entry_fini(&one);
    }
    assert_true(catalog->entries[2].held && catalog->entries[2].accepted && catalog->entries[2].noted_ms != 0);
    catalog_free(catalog);
}

static void
entry_load__missing_or_unreadable__an_error(void **state)
{
    static const enum err_code codes[] = {ERR_STORAGE, ERR_STORE_DENIED};
    static const char *const folders[] = {"backups/", "accepted/", "holds/", "expired/", "verified/"};
    struct repo_case *c = *state;
    struct catalog_entry one;
    struct backup_id id;
    struct err err = ERR_INIT;

    assert_true(backup_id_parse("20261122T010000Z-ffffff", &id, NULL));
    assert_fails(catalog_entry_load(&c->repo, CASE_INSTANCE, &id, &one, &err), &err, ERR_NOT_FOUND);
    assert_true(backup_id_parse(NEW, &id, NULL));
    put_text(c, "backups", NEW, "x"); /* with a problem to be freed */
    for (size_t f = 0; f < ARRAY_LEN(folders); f++) {
        for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
            store_fault_clear(c->store);
            store_fault_add(c->store, &(struct store_fault){.key = folders[f], .code = codes[i]});
            assert_fails(catalog_entry_load(&c->repo, CASE_INSTANCE, &id, &one, &err), &err, codes[i]);
        }
    }
}

static uint64_t
calls(const struct store_fault_counts *n, enum store_call call)
{
    return n->calls[call];
}

/* What 2,000 backups cost: one listing of manifests and one a kind of fact, a get a manifest and a verified fact; and
 * no segment or index is ever touched. */
static void
load__two_thousand_backups__exact_number_of_calls(void **state)
{
    struct repo_case *c = *state;
    struct catalog *catalog = NULL;
    struct manifest *m = NULL;
    struct store_fault_counts n;
    struct err err = ERR_INIT;

    for (unsigned i = 0; i < 1997; i++) {
        char id[BACKUP_ID_LEN + 1], *key;

        (void)snprintf(id, sizeof(id), "2025%02u%02uT%02u0000Z-%06x", 1 + i / 24 / 28 % 12, 1 + i / 24 % 28, i % 24, i);
        put_manifest(c, id, false);
        if (i % 4 == 0)
            put_text(c, "verified", id, "{\"time\":\"2026-11-22T10:30:00Z\"}");
        if (i % 10 == 0)
            put_text(c, "holds", id, "{}");
        for (unsigned s = 0; s < 3; s++) {
            key = mem_printf(FOLDER "data/%s/rdb/%08u.zst", id, s);
            repo_case_put(c->mem, key, "x", 1);
            free(key);
        }
    }
    store_fault_reset_counts(c->store);
    assert_ok(catalog_load(&c->repo, CASE_INSTANCE, CATALOG_VERIFIED, &catalog, &err), &err);
    n = store_fault_counts(c->store);
    assert_int_equal(catalog->count, 2000);
    for (size_t i = 1; i < catalog->count; i++)
        assert_true(strcmp(catalog->entries[i - 1].id.text, catalog->entries[i].id.text) < 0);
    catalog_free(catalog);
    assert_int_equal(calls(&n, STORE_CALL_LIST), 5);
    assert_int_equal(calls(&n, STORE_CALL_GET), 2000 + 500);
    assert_int_equal(calls(&n, STORE_CALL_ANY), 5 + 2500);
    assert_int_equal(n.listed, 2000 + 500 + 200);
    store_fault_reset_counts(c->store);
    assert_ok(catalog_load(&c->repo, CASE_INSTANCE, CATALOG_MARKS, &catalog, &err), &err);
    catalog_free(catalog);
    n = store_fault_counts(c->store);
    assert_int_equal(calls(&n, STORE_CALL_LIST), 5);
    assert_int_equal(calls(&n, STORE_CALL_GET), 2000);
    assert_int_equal(calls(&n, STORE_CALL_ANY), 5 + 2000);
    store_fault_reset_counts(c->store);
    assert_ok(catalog_find(&c->repo, CASE_INSTANCE, "latest", NULL, NULL, &m, &err), &err);
    manifest_free(m);
    n = store_fault_counts(c->store);
    assert_int_equal(calls(&n, STORE_CALL_LIST), 1);
    assert_int_equal(calls(&n, STORE_CALL_GET), 1);
    assert_int_equal(calls(&n, STORE_CALL_ANY), 2);
}

/* A server may start empty for want of a backup only where there never was anything. */
static void
is_bare__anything_at_all__is_not(void **state)
{
    static const char *const any[] = {"backups/" OLD ".json", "backups/readme.txt", "data/" OLD "/rdb/00000000.zst",
                                      "log/0123/timeline.json"};
    static const char *const nothing[] = {"probe/check-1", "verified/" OLD ".json"};
    struct repo_case c;
    struct err err = ERR_INIT;
    bool bare = false;

    (void)state;
    repo_case_open(&c);
    for (size_t i = 0; i < ARRAY_LEN(nothing); i++) {
        char *key = mem_printf(FOLDER "%s", nothing[i]);

        repo_case_put(c.mem, key, "x", 1);
        free(key);
    }
    assert_ok(catalog_is_bare(&c.repo, CASE_INSTANCE, &bare, &err), &err);
    assert_true(bare);
    for (size_t i = 0; i < ARRAY_LEN(any); i++) {
        char *key = mem_printf(FOLDER "%s", any[i]);

        repo_case_put(c.mem, key, "x", 1);
        assert_ok(catalog_is_bare(&c.repo, CASE_INSTANCE, &bare, &err), &err);
        assert_false(bare);
        repo_case_remove(c.mem, key);
        free(key);
    }
    assert_ok(catalog_is_bare(&c.repo, CASE_INSTANCE, &bare, &err), &err);
    assert_true(bare);
    store_fault_add(c.store, &(struct store_fault){.call = STORE_CALL_LIST, .code = ERR_STORE_DENIED});
    assert_fails(catalog_is_bare(&c.repo, CASE_INSTANCE, &bare, &err), &err, ERR_STORE_DENIED);
    repo_case_close(&c);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, three_backups, close_case)
    const struct CMUnitTest tests[] = {
        TEST(latest__all_good__greatest_id),
        TEST(catalog_load__progress__a_listing_and_a_manifest_each),
        TEST(latest__damaged_and_suspicious__passed_over_and_named),
        TEST(latest__suspicious_but_accepted__counts),
        TEST(latest__newest_needs_a_newer_remora__refused),
        TEST(latest__manifest_of_another_backup__damaged),
        TEST(latest__nothing_usable__not_found_and_says_which),
        TEST(latest__foreign_objects__left_alone),
        TEST(latest__store_fails__not_passed_over),
        TEST(listing__backup_removed_meanwhile__left_out),
        TEST(find__by_id__that_one_or_why_not),
        TEST(find__instance_folder_was_renamed__new_name),
        TEST(load__facts_and_problems__with_their_backups),
        TEST(load__marks_only__times_of_the_store),
        TEST(load__whole_backup__its_manifest_in_brief),
        TEST(entry_load__one_backup__what_the_whole_catalogue_says_of_it),
        TEST(entry_load__missing_or_unreadable__an_error),
        cmocka_unit_test(is_bare__anything_at_all__is_not),
        TEST(load__two_thousand_backups__exact_number_of_calls),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
