/* SPDX-License-Identifier: Apache-2.0 */
/* test_import.c: a backup comes out of a tar, and nothing in the tar is believed. */
#include "snapshot/import.h"

#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/tar_write.h"
#include "storage/store_fault.h"
#include "tests/support/test_common.h"
#include "tests/support/travel_case.h"

#define JOBS    2
#define ENTRIES (4 + TRAVEL_SEGMENTS)
#define FOLDER  LAYOUT_INSTANCES CASE_INSTANCE "/"

struct entry {
    struct layout_key key;
    char *data;
    size_t len;
};

struct scene {
    struct travel_case t;
    struct entry entries[ENTRIES]; /* as export writes them */
    struct buf tar;
};

static int
setup(void **state)
{
    struct scene *s = mem_new(sizeof(*s));

    travel_case_open(&s->t);
    (void)snprintf(s->entries[0].key.text, sizeof(s->entries[0].key.text), LAYOUT_MARKER);
    layout_instance_marker(&s->entries[1].key, CASE_INSTANCE);
    s->entries[2].key = travel_case_manifest(&s->t, false);
    s->entries[3].key = travel_case_index(&s->t, false);
    for (uint64_t n = 0; n < TRAVEL_SEGMENTS; n++)
        s->entries[4 + n].key = travel_case_segment(&s->t, false, n);
    for (size_t i = 0; i < ENTRIES; i++)
        s->entries[i].data = repo_case_get(s->t.from.mem, s->entries[i].key.text, &s->entries[i].len);
    buf_init(&s->tar, 1 << 20);
    *state = s;
    return 0;
}

static int
teardown(void **state)
{
    struct scene *s = *state;

    for (size_t i = 0; i < ENTRIES; i++)
        free(s->entries[i].data);
    buf_fini(&s->tar);
    travel_case_close(&s->t);
    free(s);
    return 0;
}

/* Pack the entries with these numbers, in this order. */
static void
pack(struct scene *s, const size_t *order, size_t count)
{
    struct err err = ERR_INIT;
    struct tar_writer *w;

    buf_reset(&s->tar);
    w = tar_writer_to_buf(&s->tar, &err);
    assert_non_null(w);
    for (size_t i = 0; i < count; i++) {
        const struct entry *e = &s->entries[order[i]];

        assert_ok(tar_writer_file(w, e->key.text, e->len, 1700000000000, &err), &err);
        assert_ok(tar_writer_data(w, e->data, e->len, &err), &err);
    }
    assert_ok(tar_writer_finish(w, &err), &err);
    tar_writer_free(w);
}

static const size_t in_order[ENTRIES] = {0, 1, 2, 3, 4, 5, 6, 7};

static struct import_options
options(const struct scene *s)
{
    return (struct import_options){
        .to = &s->t.to.repo, .instance = TRAVEL_TO, .jobs = JOBS, .memory = (uint64_t)64 << 20};
}

static int
import_bytes(struct scene *s, const void *data, size_t len, struct import_result *r, struct err *err)
{
    const struct import_options o = options(s);
    struct tar_reader *tar = tar_reader_from_memory(data, len, err);
    int rc;

    assert_non_null(tar);
    rc = import_backup(&o, tar, r, err);
    tar_reader_free(tar);
    return rc;
}

static int
import(struct scene *s, struct import_result *r, struct err *err)
{
    return import_bytes(s, s->tar.data, s->tar.len, r, err);
}

/* What is packed is refused with CODE, one sentence with WORDS in it, and nothing is published. */
static void
assert_refused(struct scene *s, enum err_code code, const char *words)
{
    struct err err = ERR_INIT;
    struct import_result r;

    if (import(s, &r, &err) == 0 || err.code != code || strstr(err.msg, words) == NULL || strchr(err.msg, '\n') != NULL)
        fail_msg("not \"%s\" but %s: %s", words, err_name(err.code), err.msg);
    assert_int_equal(repo_case_count(s->t.to.mem, LAYOUT_INSTANCES TRAVEL_TO "/backups/"), 0);
}

static void
change(struct entry *e, const char *what, const char *with)
{
    const char *at = strstr(e->data, what);
    char *changed;

    assert_non_null(at);
    changed = mem_printf("%.*s%s%s", (int)(at - e->data), e->data, with, at + strlen(what));
    free(e->data);
    e->data = changed;
    e->len = strlen(changed);
}

/* The same in the manifest, whose digest is made good again. */
static void
forge(struct entry *e, const char *what, const char *with)
{
    char *forged = repo_case_forge(e->data, &e->len, what, with);

    free(e->data);
    e->data = forged;
}

/* ---- good tars --------------------------------------------------------------------------------------------------- */

static void
import__as_exported__the_same_bytes(void **state)
{
    struct scene *s = *state;
    struct err err = ERR_INIT;
    struct import_result r;

    pack(s, in_order, ENTRIES);
    assert_ok(import(s, &r, &err), &err);
    assert_true(travel_case_arrived(&s->t));
    assert_string_equal(r.id.text, s->t.id.text);
    assert_false(r.there);
    assert_int_equal(r.segments, TRAVEL_SEGMENTS);
    assert_int_equal(r.counts.put, TRAVEL_SEGMENTS);
}

/* One that is there is success, but the tar is looked at all the same. */
static void
import__there_already__proven_and_nothing_put(void **state)
{
    struct scene *s = *state;
    struct err err = ERR_INIT;
    struct import_result r;

    pack(s, in_order, ENTRIES);
    assert_ok(import(s, &r, &err), &err);
    store_fault_reset_counts(s->t.to.store);
    assert_ok(import(s, &r, &err), &err);
    assert_true(r.there);
    assert_int_equal(store_fault_counts(s->t.to.store).calls[STORE_CALL_ANY], 1);
    s->entries[6].data[10] ^= 1;
    pack(s, in_order, ENTRIES);
    assert_fails(import(s, &r, &err), &err, ERR_CORRUPT);
    assert_true(travel_case_arrived(&s->t));
}

static void
import__too_little_memory__says_how_much(void **state)
{
    struct scene *s = *state;
    struct import_options o = options(s);
    struct err err = ERR_INIT;
    struct import_result r;
    struct tar_reader *tar;

    pack(s, in_order, ENTRIES);
    tar = tar_reader_from_memory(s->tar.data, s->tar.len, &err);
    o.memory = (uint64_t)16 << 20;
    assert_int_equal(import_backup(&o, tar, &r, &err), -1);
    assert_non_null(strstr(err.msg, "--memory at least 17MiB"));
    assert_fails(-1, &err, ERR_USAGE);
    tar_reader_free(tar);
}

static void
import__every_call_fails_in_turn__the_next_run_goes_on(void **state)
{
    struct scene *s = *state;
    unsigned rounds = 0, resumed = 0;

    pack(s, in_order, ENTRIES);
    for (int lose = 0; lose < 2; lose++) {
        for (uint64_t nth = 1;; nth++, rounds++) {
            struct err err = ERR_INIT;
            struct import_result r;
            size_t left;
            int rc;

            travel_case_clear(&s->t);
            store_fault_clear(s->t.to.store);
            store_fault_reset_counts(s->t.to.store);
            store_fault_add(
                s->t.to.store,
                &(struct store_fault){.what = lose ? STORE_FAULT_LOSE : STORE_FAULT_FAIL, .nth = nth, .times = 1});
            rc = import(s, &r, &err);
            if (store_fault_counts(s->t.to.store).calls[STORE_CALL_ANY] < nth) {
                assert_ok(rc, &err);
                break;
            }
            left = travel_case_segments(&s->t);
            store_fault_clear(s->t.to.store);
            if (travel_case_arrived(&s->t))
                continue;
            assert_fails(rc, &err, ERR_STORAGE);
            assert_ok(import(s, &r, &err), &err);
            assert_true(travel_case_arrived(&s->t));
            assert_true(r.counts.put <= TRAVEL_SEGMENTS - left + JOBS);
            resumed += r.counts.had > 0;
        }
    }
    assert_true(rounds > 10);
    assert_true(resumed > 0);
}

/* ---- damage ------------------------------------------------------------------------------------------------------ */

/* Where the content of an entry lies in the tar. */
static bool
is_content(const struct scene *s, size_t at)
{
    for (size_t i = 2; i < ENTRIES; i++) { /* of the markers only what is read counts, not the time they were made */
        const char *found = memmem(s->tar.data, s->tar.len, s->entries[i].data, s->entries[i].len);
        size_t from = (size_t)(found - s->tar.data);

        assert_non_null(found);
        if (at >= from && at < from + s->entries[i].len)
            return true;
    }
    return false;
}

/* Padding, times and the like may change unseen; what is published is the backup, or nothing is. */
static void
import__any_flipped_byte__refused_or_without_effect(void **state)
{
    struct scene *s = *state;
    size_t refused = 0, content = 0;

    pack(s, in_order, ENTRIES);
    for (size_t at = 0; at < s->tar.len; at++) {
        struct err err = ERR_INIT;
        struct import_result r;
        int rc;

        s->tar.data[at] = (char)(s->tar.data[at] ^ (1 << (at % 8)));
        rc = import(s, &r, &err);
        s->tar.data[at] = (char)(s->tar.data[at] ^ (1 << (at % 8)));
        assert_int_equal(rc == 0, travel_case_arrived(&s->t));
        if (rc == 0 && is_content(s, at))
            fail_msg("the flipped byte %zu was not noticed", at);
        if (rc < 0 && err.code != ERR_CORRUPT && err.code != ERR_UNSUPPORTED)
            fail_msg("byte %zu: %s: %s", at, err_name(err.code), err.msg);
        refused += rc < 0;
        content += is_content(s, at);
        if (rc == 0)
            travel_case_clear(&s->t);
    }
    assert_int_equal(repo_case_count(s->t.to.mem, LAYOUT_INSTANCES TRAVEL_TO "/backups/"), 0);
    assert_true(refused > content);
}

static void
import__cut_off_anywhere__refused(void **state)
{
    struct scene *s = *state;
    size_t whole;

    pack(s, in_order, ENTRIES);
    whole = s->tar.len;
    while (whole > 0 && s->tar.data[whole - 1] == '\0')
        whole--;
    for (size_t len = 0; len < whole; len += 64) {
        struct err err = ERR_INIT;
        struct import_result r;

        assert_fails(import_bytes(s, s->tar.data, len, &r, &err), &err, ERR_CORRUPT);
        assert_false(travel_case_arrived(&s->t));
    }
}

/* ---- hostile and foreign tars ------------------------------------------------------------------------------------ */

static void
import__an_entry_missing_or_twice__refused(void **state)
{
    struct scene *s = *state;

    for (size_t without = 0; without < ENTRIES; without++) {
        size_t order[ENTRIES + 1], count = 0;

        for (size_t i = 0; i < ENTRIES; i++)
            if (i != without)
                order[count++] = i;
        pack(s, order, count);
        assert_refused(s, ERR_CORRUPT, without + 1 < ENTRIES ? "remora export" : "not whole");
        memcpy(order, in_order, sizeof(in_order));
        order[ENTRIES] = without;
        pack(s, order, ENTRIES + 1);
        assert_refused(s, ERR_CORRUPT, "twice");
    }
}

static void
import__any_other_order__refused_with_the_way_out(void **state)
{
    struct scene *s = *state;

    for (size_t i = 0; i + 1 < ENTRIES; i++) {
        size_t order[ENTRIES];

        memcpy(order, in_order, sizeof(order));
        order[i] = i + 1;
        order[i + 1] = i;
        pack(s, order, ENTRIES);
        assert_refused(s, ERR_CORRUPT, "remora copy");
    }
}

static void
import__something_else_in_it__refused(void **state)
{
    struct scene *s = *state;
    static const char *const names[] = {"notes.txt", FOLDER "holds/20261122T103000Z-1a2b3c.json",
                                        FOLDER "backups/20261122T103000Z-1a2b3c.json", "sets/x"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        for (size_t at = 0; at < ENTRIES; at++) { /* in the place of each */
            size_t order[ENTRIES];
            struct entry whole = s->entries[at];

            memcpy(order, in_order, sizeof(order));
            (void)snprintf(s->entries[at].key.text, sizeof(s->entries[at].key.text), "%s", names[i]);
            pack(s, order, ENTRIES);
            assert_refused(s, ERR_CORRUPT, names[i]);
            s->entries[at] = whole;
        }
    }
}

static void
import__names_that_do_not_agree__refused(void **state)
{
    struct scene *s = *state;
    struct entry whole = s->entries[1];

    (void)snprintf(s->entries[1].key.text, sizeof(s->entries[1].key.text), LAYOUT_INSTANCES "other/instance.json");
    pack(s, in_order, ENTRIES);
    assert_refused(s, ERR_CORRUPT, "other"); /* the marker is another instance's */
    s->entries[1] = whole;
    (void)snprintf(s->entries[1].key.text, sizeof(s->entries[1].key.text), LAYOUT_INSTANCES "-x/instance.json");
    pack(s, in_order, ENTRIES);
    assert_refused(s, ERR_CORRUPT, "-x");
    s->entries[1] = whole;
    (void)snprintf(s->entries[2].key.text, sizeof(s->entries[2].key.text),
                   FOLDER "backups/20261122T103000Z-1a2b3c.json");
    pack(s, in_order, ENTRIES);
    assert_refused(s, ERR_CORRUPT, s->t.id.text);
}

static void
import__manifest_written_under_another_instance__the_folder_decides(void **state)
{
    struct scene *s = *state;
    struct err err = ERR_INIT;
    struct import_result r;

    forge(&s->entries[2], "\"instance\":\"" CASE_INSTANCE "\"", "\"instance\":\"once\"");
    repo_case_put(s->t.from.mem, s->entries[2].key.text, s->entries[2].data, s->entries[2].len);
    pack(s, in_order, ENTRIES);
    assert_ok(import(s, &r, &err), &err);
    assert_true(travel_case_arrived(&s->t));
}

static void
import__requires_something_unknown__unsupported(void **state)
{
    struct scene *s = *state;

    for (size_t i = 0; i < 3; i++) {
        struct entry whole = {.data = mem_strdup(s->entries[i].data), .len = s->entries[i].len};

        if (i == 2)
            forge(&s->entries[i], "\"requires\":[]", "\"requires\":[\"zstd-prefix\"]");
        else
            change(&s->entries[i], "\"requires\":[]", "\"requires\":[\"zstd-prefix\"]");
        pack(s, in_order, ENTRIES);
        assert_refused(s, ERR_UNSUPPORTED, "zstd-prefix");
        free(s->entries[i].data);
        s->entries[i].data = whole.data;
        s->entries[i].len = whole.len;
    }
}

/* The index says one thing and the segments another; the manifest agrees with the index. */
static void
forge_index(struct scene *s, const char *what, const char *with)
{
    struct entry *index = &s->entries[3], *m = &s->entries[2];
    char was[DIGEST_SHA256_HEX], is[DIGEST_SHA256_HEX], *old, *new;

    digest_sha256_hex(index->data, index->len, was);
    old = mem_printf("\"index_size\":%zu", index->len);
    change(index, what, with);
    digest_sha256_hex(index->data, index->len, is);
    new = mem_printf("\"index_size\":%zu", index->len);
    forge(m, was, is);
    if (strcmp(old, new) != 0)
        forge(m, old, new);
    free(old);
    free(new);
}

static void
import__segments_that_no_writer_makes__refused(void **state)
{
    struct scene *s = *state;

    forge_index(s, "\"raw\":70,", "\"raw\":99999999999,");
    forge(&s->entries[2], "\"raw_size\":370", "\"raw_size\":100000000299");
    pack(s, in_order, ENTRIES);
    assert_refused(s, ERR_CORRUPT, "no segment is that large");
}

static void
import__manifest_without_segments__refused(void **state)
{
    struct scene *s = *state;

    forge(&s->entries[2], "\"segments\":4", "\"segments\":0");
    pack(s, in_order, ENTRIES);
    assert_refused(s, ERR_CORRUPT, "without a segment");
    forge(&s->entries[2], "\"segments\":0", "\"segments\":400000000");
    pack(s, in_order, ENTRIES);
    assert_refused(s, ERR_UNSUPPORTED, "400000000");
}

static void
import__sizes_that_differ__refused(void **state)
{
    struct scene *s = *state;
    struct entry whole = s->entries[5];

    s->entries[5].len--;
    pack(s, in_order, ENTRIES);
    assert_refused(s, ERR_CORRUPT, "by the index");
    s->entries[5] = whole;
    s->entries[5].len++; /* the NUL behind it */
    pack(s, in_order, ENTRIES);
    assert_refused(s, ERR_CORRUPT, "by the index");
}

static void
import__no_tar__refused(void **state)
{
    struct scene *s = *state;
    struct err err = ERR_INIT;
    struct import_result r;
    char *noise = mem_new(100000);

    memset(noise, 'x', 100000);
    assert_fails(import_bytes(s, noise, 100000, &r, &err), &err, ERR_CORRUPT);
    memset(noise, 0, 100000);
    assert_fails(import_bytes(s, noise, 100000, &r, &err), &err, ERR_CORRUPT);
    assert_fails(import_bytes(s, noise, 0, &r, &err), &err, ERR_CORRUPT);
    free(noise);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(import__as_exported__the_same_bytes),
        TEST(import__there_already__proven_and_nothing_put),
        TEST(import__too_little_memory__says_how_much),
        TEST(import__every_call_fails_in_turn__the_next_run_goes_on),
        TEST(import__any_flipped_byte__refused_or_without_effect),
        TEST(import__cut_off_anywhere__refused),
        TEST(import__an_entry_missing_or_twice__refused),
        TEST(import__any_other_order__refused_with_the_way_out),
        TEST(import__something_else_in_it__refused),
        TEST(import__names_that_do_not_agree__refused),
        TEST(import__manifest_written_under_another_instance__the_folder_decides),
        TEST(import__requires_something_unknown__unsupported),
        TEST(import__segments_that_no_writer_makes__refused),
        TEST(import__manifest_without_segments__refused),
        TEST(import__sizes_that_differ__refused),
        TEST(import__no_tar__refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
