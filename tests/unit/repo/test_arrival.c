/* SPDX-License-Identifier: Apache-2.0 */
/* test_arrival.c: what of a backup is there already, its publication, and the races with removers and with a second
 * arrival of the same backup. */
#include "snapshot/repo/arrival.h"

#include <string.h>

#include "base/mem.h"
#include "snapshot/repo/fact.h"
#include "snapshot/repo/layout.h"
#include "snapshot/repo/stored.h"
#include "storage/store_fault.h"
#include "storage/store_mem.h"
#include "tests/support/repo_case.h"
#include "tests/support/test_common.h"

#define HOUR_MS  INT64_C(3600000)
#define INSTANCE "elsewhere" /* where it arrives */
#define FOLDER   "instances/" INSTANCE "/"

/* A backup of five segments in one repository, on its way into another. */
struct journey {
    struct repo_case from, to;
    struct manifest *m;
    char *data;
    size_t len;
    struct arrival_index index;
    struct arrival *a;
    const char *rival; /* put in place of our manifest, as ours is put */
    bool notes;        /* a removal's note is put as our index is */
    bool clears;       /* a remover takes the data and the note while we publish */
    int64_t now_ms, step_ms;
    bool doomed; /* the remover has found the data old: it strikes at the next call */
};

static int
setup(void **state)
{
    struct journey *j = mem_new(sizeof(*j));
    struct manifest *made;
    struct rdb_build dump;
    struct repo_made unused;
    struct err err = ERR_INIT;

    repo_case_open(&j->from);
    repo_case_open(&j->to);
    assert_ok(repo_init(j->to.store, INSTANCE, &unused, &err), &err);
    repo_case_dump(&dump, 5 * CASE_SEGMENT - 1000, 0);
    made = repo_case_backup(&j->from, &dump);
    rdb_build_fini(&dump);
    assert_ok(stored_manifest(&j->from.repo, CASE_INSTANCE, &made->id, &j->data, &j->len, &j->m, &err), &err);
    manifest_free(made);
    assert_ok(stored_index(&j->from.repo, j->m, &j->m->rdb_member, &j->index.data, &j->index.len, &err), &err);
    assert_ok(stored_index_check(&j->m->rdb_member, j->index.data, j->index.len, &j->index.parsed, &err), &err);
    assert_int_equal(j->index.parsed.count, 5);
    store_fault_reset_counts(j->to.store);
    *state = j;
    return 0;
}

static int
teardown(void **state)
{
    struct journey *j = *state;

    arrival_free(j->a);
    index_fini(&j->index.parsed);
    free(j->index.data);
    free(j->data);
    manifest_free(j->m);
    repo_case_close(&j->from);
    repo_case_close(&j->to);
    free(j);
    return 0;
}

/* ---- steps ------------------------------------------------------------------------------------------------------- */

static int
begin(struct journey *j, bool *there, struct err *err)
{
    arrival_free(j->a);
    j->a = NULL;
    return arrival_begin(&j->to.repo, INSTANCE, j->m, j->data, j->len, there, &j->a, err);
}

static bool
has(struct journey *j, uint64_t n)
{
    return arrival_has(j->a, &j->m->rdb_member, n, j->index.parsed.segments[n].stored_size);
}

static int
put(struct journey *j, struct arrival *a, uint64_t n, struct err *err)
{
    const struct index_segment *s = &j->index.parsed.segments[n];
    char *bytes = mem_new((size_t)s->stored_size + 1);
    int rc;

    assert_ok(stored_segment(&j->from.repo, j->m, &j->m->rdb_member, n, s, bytes, err), err);
    rc = arrival_put(a, &j->m->rdb_member, n, bytes, (size_t)s->stored_size, s->sha256, err);
    free(bytes);
    return rc;
}

/* All of it; *PUT is how many segments were put. */
static int
travel(struct journey *j, unsigned *puts, struct err *err)
{
    bool there = false;

    *puts = 0;
    if (begin(j, &there, err) < 0)
        return -1;
    if (there)
        return 0;
    for (uint64_t n = 0; n < j->index.parsed.count; n++) {
        if (has(j, n))
            continue;
        if (put(j, j->a, n, err) < 0)
            return -1;
        ++*puts;
    }
    return arrival_publish(j->a, &j->index, err);
}

/* What an interrupted run leaves: segments FIRST to LAST. */
static void
leave(struct journey *j, uint64_t first, uint64_t last)
{
    struct err err = ERR_INIT;
    bool there = false;

    assert_ok(begin(j, &there, &err), &err);
    for (uint64_t n = first; n <= last; n++)
        assert_ok(put(j, j->a, n, &err), &err);
    store_fault_reset_counts(j->to.store);
}

static char *
manifest_key(struct journey *j)
{
    static struct layout_key key;

    layout_manifest(&key, INSTANCE, &j->m->id);
    return key.text;
}

static char *
data_key(struct journey *j)
{
    static struct layout_key key;

    layout_data(&key, INSTANCE, &j->m->id);
    return key.text;
}

static void
remove_data(struct journey *j)
{
    struct layout_key key;

    for (uint64_t n = 0; n < 5; n++) {
        layout_segment(&key, INSTANCE, &j->m->id, LAYOUT_MEMBER_RDB, n);
        repo_case_remove(j->to.mem, key.text);
    }
    layout_index(&key, INSTANCE, &j->m->id, LAYOUT_MEMBER_RDB);
    repo_case_remove(j->to.mem, key.text);
}

static bool
published(struct journey *j)
{
    return repo_case_count(j->to.mem, manifest_key(j)) == 1;
}

/* The target holds the backup, byte for byte. */
static void
assert_arrived(struct journey *j)
{
    struct manifest *m = NULL;
    struct index index;
    char *data = NULL, *bytes = mem_new(2 * CASE_SEGMENT);
    size_t len = 0;
    struct err err = ERR_INIT;

    assert_ok(stored_manifest(&j->to.repo, INSTANCE, &j->m->id, &data, &len, &m, &err), &err);
    assert_int_equal(len, j->len);
    assert_memory_equal(data, j->data, len);
    free(data);
    assert_ok(stored_index(&j->to.repo, m, &m->rdb_member, &data, &len, &err), &err);
    assert_ok(stored_index_check(&m->rdb_member, data, len, &index, &err), &err);
    for (uint64_t n = 0; n < index.count; n++)
        assert_ok(stored_segment(&j->to.repo, m, &m->rdb_member, n, &index.segments[n], bytes, &err), &err);
    index_fini(&index);
    free(data);
    free(bytes);
    manifest_free(m);
}

static void
put_note(struct journey *j)
{
    struct layout_key key;

    layout_fact(&key, INSTANCE, LAYOUT_EXPIRED, &j->m->id);
    repo_case_put(j->to.mem, key.text, "{}\n", 3);
}

static void
remove_note(struct journey *j)
{
    struct layout_key key;

    layout_fact(&key, INSTANCE, LAYOUT_EXPIRED, &j->m->id);
    repo_case_remove(j->to.mem, key.text);
}

/* ---- what is there ----------------------------------------------------------------------------------------------- */

static void
arrival__nothing_there__all_is_put_and_published(void **state)
{
    struct journey *j = *state;
    struct err err = ERR_INIT;
    unsigned puts;

    assert_ok(travel(j, &puts, &err), &err);
    assert_int_equal(puts, 5);
    assert_arrived(j);
    assert_string_not_equal(j->m->instance, INSTANCE); /* the folder decides */
}

static void
arrival__that_very_backup_is_there__one_request(void **state)
{
    struct journey *j = *state;
    struct err err = ERR_INIT;
    bool there = false;
    unsigned puts;

    assert_ok(travel(j, &puts, &err), &err);
    store_fault_reset_counts(j->to.store);
    put_note(j); /* beside a manifest it means nothing */
    assert_ok(begin(j, &there, &err), &err);
    assert_true(there);
    assert_null(j->a);
    assert_int_equal(store_fault_counts(j->to.store).calls[STORE_CALL_ANY], 1);
}

static void
arrival__another_backup_under_the_id__refused_and_untouched(void **state)
{
    struct journey *j = *state;
    struct err err = ERR_INIT;
    bool there = true;
    char *damaged = mem_strndup(j->data, j->len - 2);

    repo_case_put(j->to.mem, manifest_key(j), damaged, strlen(damaged));
    assert_fails(begin(j, &there, &err), &err, ERR_REFUSED);
    assert_false(there);
    assert_int_equal(repo_case_count(j->to.mem, data_key(j)), 0);
    free(damaged);
}

static void
arrival__being_removed__locked(void **state)
{
    struct journey *j = *state;
    struct err err = ERR_INIT;
    bool there = false;

    put_note(j);
    assert_int_equal(begin(j, &there, &err), -1);
    assert_non_null(strstr(err.msg, "remora prune --apply"));
    assert_fails(-1, &err, ERR_LOCKED);
}

static void
arrival__hostile_manifest__refused(void **state)
{
    struct journey *j = *state;
    struct err err = ERR_INIT;
    bool there = false;
    uint64_t segments = j->m->rdb_member.segments;

    j->m->rdb_member.segments = 0;
    assert_fails(begin(j, &there, &err), &err, ERR_CORRUPT);
    j->m->rdb_member.segments = UINT64_MAX;
    assert_fails(begin(j, &there, &err), &err, ERR_UNSUPPORTED);
    j->m->rdb_member.segments = segments;
    assert_int_equal(store_fault_counts(j->to.store).calls[STORE_CALL_ANY], 0);
}

/* ---- remains ----------------------------------------------------------------------------------------------------- */

static void
remains__young__relied_upon_after_one_put(void **state)
{
    struct journey *j = *state;
    struct err err = ERR_INIT;
    bool there = false;

    leave(j, 0, 3);
    assert_ok(begin(j, &there, &err), &err);
    for (uint64_t n = 0; n < 5; n++)
        assert_false(has(j, n));
    assert_ok(put(j, j->a, 0, &err), &err);
    for (uint64_t n = 0; n < 5; n++)
        assert_int_equal(has(j, n), n < 4);
    assert_false(arrival_has(j->a, &j->m->rdb_member, 1, j->index.parsed.segments[1].stored_size + 1));
    assert_false(arrival_has(j->a, &j->m->rdb_member, 5, 1));
    assert_ok(put(j, j->a, 4, &err), &err);
    assert_true(has(j, 4));
    assert_ok(arrival_publish(j->a, &j->index, &err), &err);
    assert_arrived(j);
}

static void
remains__of_another_size__put_again(void **state)
{
    struct journey *j = *state;
    struct err err = ERR_INIT;
    struct layout_key key;
    unsigned puts;

    leave(j, 0, 4);
    layout_segment(&key, INSTANCE, &j->m->id, LAYOUT_MEMBER_RDB, 3);
    repo_case_put(j->to.mem, key.text, "half", 4);
    assert_ok(travel(j, &puts, &err), &err);
    assert_int_equal(puts, 2); /* the first, and that one */
    assert_arrived(j);
}

static void
remains__up_to_23_hours__made_young_by_a_put(void **state)
{
    struct journey *j = *state;
    struct err err = ERR_INIT;
    unsigned puts;

    leave(j, 0, 4);
    store_mem_set_clock(j->to.mem, ARRIVAL_FRESH_MS - 60000);
    assert_ok(travel(j, &puts, &err), &err); /* without the put it would be too old to publish */
    assert_int_equal(puts, 1);
    assert_arrived(j);
}

static void
remains__older__locked_with_the_remedy(void **state)
{
    struct journey *j = *state;
    struct err err = ERR_INIT;
    bool there = false;

    leave(j, 0, 1);
    store_mem_set_clock(j->to.mem, ARRIVAL_FRESH_MS + 1000);
    assert_int_equal(begin(j, &there, &err), -1);
    assert_non_null(strstr(err.msg, "remora prune --apply"));
    assert_fails(-1, &err, ERR_LOCKED);
    assert_int_equal(repo_case_count(j->to.mem, data_key(j)), 2);
}

/* A remover at work: at every call of ours it looks, and what it found old it takes at our next call. By the clock of
 * the store, which goes STEP_MS on with each call. */
static void
remover(enum store_call call, const char *key, void *cookie)
{
    struct journey *j = cookie;
    struct layout_key prefix;
    struct err err = ERR_INIT;
    struct store_object object;
    int64_t newest = 0;
    bool any = false;

    (void)call;
    (void)key;
    j->now_ms += j->step_ms;
    store_mem_set_clock(j->to.mem, j->now_ms);
    if (j->doomed && !published(j))
        remove_data(j);
    j->doomed = false;
    for (uint64_t n = 0; n <= 5; n++) {
        if (n < 5)
            layout_segment(&prefix, INSTANCE, &j->m->id, LAYOUT_MEMBER_RDB, n);
        else
            layout_index(&prefix, INSTANCE, &j->m->id, LAYOUT_MEMBER_RDB);
        if (store_stat(j->to.mem, prefix.text, &object, &err) == 0) {
            any = true;
            newest = object.mtime_ms > newest ? object.mtime_ms : newest;
        }
        err_clear(&err);
    }
    if (any && !published(j)) {
        int64_t now = 0;

        assert_ok(store_now(j->to.mem, &now, &err), &err);
        j->doomed = now - newest >= 24 * HOUR_MS;
    }
}

/* Whatever the age of the remains when the arrival comes, and however fast time goes by: what is published is whole. */
static void
remains__a_remover_at_every_moment__what_is_published_is_whole(void **state)
{
    struct journey *j = *state;
    unsigned arrived = 0, failed = 0, puts;

    for (int64_t age_min = 0; age_min < 30 * 60; age_min += 5) {
        for (j->step_ms = 0; j->step_ms <= 1800000; j->step_ms += 600000) {
            struct err err = ERR_INIT;

            store_fault_set_hook(j->to.store, NULL, NULL);
            repo_case_remove(j->to.mem, manifest_key(j));
            remove_data(j);
            store_mem_set_clock(j->to.mem, 0);
            leave(j, 0, 4);
            j->doomed = false;
            j->now_ms = age_min * 60000;
            store_mem_set_clock(j->to.mem, j->now_ms);
            store_fault_set_hook(j->to.store, remover, j);
            if (travel(j, &puts, &err) == 0) {
                arrived++;
                assert_arrived(j);
            } else {
                failed++;
                assert_true(err.code == ERR_LOCKED || err.code == ERR_STORAGE);
                assert_false(published(j));
            }
        }
    }
    assert_true(arrived > 100 && failed > 50);
}

/* ---- removals ---------------------------------------------------------------------------------------------------- */

static bool
ends_with(const char *text, const char *end)
{
    return strlen(text) >= strlen(end) && strcmp(text + strlen(text) - strlen(end), end) == 0;
}

static void
interfere(enum store_call call, const char *key, void *cookie)
{
    struct journey *j = cookie;

    if (call == STORE_CALL_PUT && ends_with(key, "/index")) {
        if (j->notes)
            put_note(j);
        if (j->clears) {
            remove_data(j);
            remove_note(j);
        }
    }
    if (call == STORE_CALL_PUT && j->rival != NULL && strcmp(key, manifest_key(j)) == 0)
        repo_case_put(j->to.mem, key, j->rival, strlen(j->rival));
}

static void
removal__begun_while_we_publish__seen_at_the_last_moment(void **state)
{
    struct journey *j = *state;
    struct err err = ERR_INIT;
    unsigned puts;

    j->notes = true;
    store_fault_set_hook(j->to.store, interfere, j);
    assert_fails(travel(j, &puts, &err), &err, ERR_LOCKED);
    assert_false(published(j));
    assert_int_equal(repo_case_count(j->to.mem, data_key(j)), 6); /* what was put stays */
}

/* A removal began after we did; a day later its data, which are ours now, and its note go while we publish. Our look at
 * the last moment would find nothing any more. */
static void
removal__ends_while_we_publish__seen_before(void **state)
{
    struct journey *j = *state;
    struct err err = ERR_INIT;
    bool there = false;

    assert_ok(begin(j, &there, &err), &err);
    for (uint64_t n = 0; n < 5; n++)
        assert_ok(put(j, j->a, n, &err), &err);
    put_note(j);
    j->clears = true;
    store_fault_set_hook(j->to.store, interfere, j);
    assert_fails(arrival_publish(j->a, &j->index, &err), &err, ERR_LOCKED);
    assert_false(published(j));
}

static void
removal__cannot_be_asked_for__not_published(void **state)
{
    struct journey *j = *state;
    struct err err = ERR_INIT;
    unsigned puts;

    for (uint64_t nth = 1; nth <= 3; nth++) { /* at the beginning, before the publication, at the last moment */
        store_fault_clear(j->to.store);
        store_fault_add(j->to.store, &(struct store_fault){.call = STORE_CALL_STAT,
                                                           .what = STORE_FAULT_FAIL,
                                                           .key = "expired/",
                                                           .nth = nth,
                                                           .code = ERR_STORE_DENIED});
        assert_fails(travel(j, &puts, &err), &err, ERR_STORE_DENIED);
        assert_false(published(j));
    }
    store_fault_clear(j->to.store);
    assert_ok(travel(j, &puts, &err), &err);
    assert_int_equal(puts, 1);
    assert_arrived(j);
}

/* ---- two at once ------------------------------------------------------------------------------------------------- */

static void
two__side_by_side__both_succeed(void **state)
{
    struct journey *j = *state;
    struct err err = ERR_INIT;
    struct arrival *other = NULL;
    bool there = false;

    for (int create_only = 1; create_only >= 0; create_only--) {
        if (!create_only)
            store_drop_features(j->to.store, STORE_CREATE_ONLY);
        repo_case_remove(j->to.mem, manifest_key(j));
        assert_ok(begin(j, &there, &err), &err);
        assert_ok(arrival_begin(&j->to.repo, INSTANCE, j->m, j->data, j->len, &there, &other, &err), &err);
        assert_false(there);
        for (uint64_t n = 0; n < 5; n++) {
            assert_ok(put(j, j->a, n, &err), &err);
            assert_ok(put(j, other, 4 - n, &err), &err);
        }
        assert_ok(arrival_publish(other, &j->index, &err), &err);
        assert_ok(arrival_publish(j->a, &j->index, &err), &err);
        arrival_free(other);
        assert_arrived(j);
    }
}

static void
two__the_others_manifest_comes_as_ours_is_put__success(void **state)
{
    struct journey *j = *state;
    struct err err = ERR_INIT;
    unsigned puts;

    j->rival = j->data;
    store_fault_set_hook(j->to.store, interfere, j);
    assert_ok(travel(j, &puts, &err), &err);
    assert_arrived(j);
    repo_case_remove(j->to.mem, manifest_key(j));
    store_drop_features(j->to.store, STORE_CREATE_ONLY);
    assert_ok(travel(j, &puts, &err), &err);
    assert_arrived(j);
}

static void
two__another_backups_manifest_comes__never_overwritten(void **state)
{
    struct journey *j = *state;
    struct err err = ERR_INIT;
    unsigned puts;
    bool there = false;
    size_t len = 0;
    char *text;

    j->rival = "another's";
    store_fault_set_hook(j->to.store, interfere, j);
    assert_fails(travel(j, &puts, &err), &err, ERR_EXISTS);
    text = repo_case_get(j->to.mem, manifest_key(j), &len);
    assert_string_equal(text, "another's");
    free(text);

    /* A store that cannot refuse is asked before the publication. */
    store_fault_set_hook(j->to.store, NULL, NULL);
    store_drop_features(j->to.store, STORE_CREATE_ONLY);
    repo_case_remove(j->to.mem, manifest_key(j));
    assert_ok(begin(j, &there, &err), &err);
    for (uint64_t n = 0; n < 5; n++)
        assert_ok(put(j, j->a, n, &err), &err);
    repo_case_put(j->to.mem, manifest_key(j), "another's", 9);
    assert_fails(arrival_publish(j->a, &j->index, &err), &err, ERR_REFUSED);
    text = repo_case_get(j->to.mem, manifest_key(j), &len);
    assert_string_equal(text, "another's");
    free(text);
}

/* ---- faults ------------------------------------------------------------------------------------------------------ */

/* Every call fails once, done or not; the next run goes on, and puts one segment more than are missing. */
static void
faults__every_call_in_turn__the_next_run_goes_on(void **state)
{
    struct journey *j = *state;
    unsigned puts, rounds = 0;

    for (int lose = 0; lose < 2; lose++) {
        for (uint64_t nth = 1;; nth++, rounds++) {
            struct err err = ERR_INIT;
            size_t left;

            repo_case_remove(j->to.mem, manifest_key(j));
            remove_data(j);
            store_fault_clear(j->to.store);
            store_fault_add(
                j->to.store,
                &(struct store_fault){.what = lose ? STORE_FAULT_LOSE : STORE_FAULT_FAIL, .nth = nth, .times = 1});
            if (travel(j, &puts, &err) == 0 && store_fault_counts(j->to.store).calls[STORE_CALL_ANY] < nth)
                break;
            store_fault_clear(j->to.store);
            left = repo_case_count(j->to.mem, data_key(j));
            left = left > 5 ? 5 : left;
            assert_ok(travel(j, &puts, &err), &err);
            assert_true(puts <= 5 - left + 1);
            assert_arrived(j);
            store_fault_reset_counts(j->to.store);
        }
    }
    assert_true(rounds > 20);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(arrival__nothing_there__all_is_put_and_published),
        TEST(arrival__that_very_backup_is_there__one_request),
        TEST(arrival__another_backup_under_the_id__refused_and_untouched),
        TEST(arrival__being_removed__locked),
        TEST(arrival__hostile_manifest__refused),
        TEST(remains__young__relied_upon_after_one_put),
        TEST(remains__of_another_size__put_again),
        TEST(remains__up_to_23_hours__made_young_by_a_put),
        TEST(remains__older__locked_with_the_remedy),
        TEST(remains__a_remover_at_every_moment__what_is_published_is_whole),
        TEST(removal__begun_while_we_publish__seen_at_the_last_moment),
        TEST(removal__ends_while_we_publish__seen_before),
        TEST(removal__cannot_be_asked_for__not_published),
        TEST(two__side_by_side__both_succeed),
        TEST(two__the_others_manifest_comes_as_ours_is_put__success),
        TEST(two__another_backups_manifest_comes__never_overwritten),
        TEST(faults__every_call_in_turn__the_next_run_goes_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
