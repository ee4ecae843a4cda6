/* SPDX-License-Identifier: Apache-2.0 */
/* travel_case.c: see travel_case.h. */
#include "tests/support/travel_case.h"

#include <string.h>

#include "snapshot/repo/layout.h"
#include "storage/store_fault.h"
#include "tests/support/source_mem.h"
#include "tests/support/test_common.h"

#define SEGMENT_BYTES 100u

void
travel_case_open(struct travel_case *t)
{
    struct backup_options o;
    struct manifest *m = NULL;
    struct source_mem source;
    struct rdb_build dump;
    struct repo_made unused;
    struct err err = ERR_INIT;

    repo_case_open(&t->from);
    repo_case_open(&t->to);
    assert_ok(repo_init(t->to.store, TRAVEL_TO, &unused, &err), &err);
    repo_case_dump(&dump, TRAVEL_SEGMENTS * SEGMENT_BYTES - 30, 0);
    o = repo_case_options(&t->from, 1);
    o.plan.segment_bytes = SEGMENT_BYTES;
    source_mem_init(&source, dump.data, dump.len);
    assert_ok(backup_run(&o, &source.source, &m, &err), &err);
    assert_int_equal(m->rdb_member.segments, TRAVEL_SEGMENTS);
    t->id = m->id;
    manifest_free(m);
    rdb_build_fini(&dump);
    store_fault_reset_counts(t->from.store);
    store_fault_reset_counts(t->to.store);
}

void
travel_case_close(struct travel_case *t)
{
    repo_case_close(&t->from);
    repo_case_close(&t->to);
}

struct layout_key
travel_case_manifest(const struct travel_case *t, bool to)
{
    struct layout_key key;

    layout_manifest(&key, to ? TRAVEL_TO : CASE_INSTANCE, &t->id);
    return key;
}

struct layout_key
travel_case_index(const struct travel_case *t, bool to)
{
    struct layout_key key;

    layout_index(&key, to ? TRAVEL_TO : CASE_INSTANCE, &t->id, LAYOUT_MEMBER_RDB);
    return key;
}

struct layout_key
travel_case_segment(const struct travel_case *t, bool to, uint64_t n)
{
    struct layout_key key;

    layout_segment(&key, to ? TRAVEL_TO : CASE_INSTANCE, &t->id, LAYOUT_MEMBER_RDB, n);
    return key;
}

static void
assert_same(const struct travel_case *t, const struct layout_key *from, const struct layout_key *to)
{
    size_t from_len = 0, to_len = 0;
    char *was = repo_case_get(t->from.mem, from->text, &from_len), *is = repo_case_get(t->to.mem, to->text, &to_len);

    assert_int_equal(from_len, to_len);
    assert_memory_equal(was, is, from_len);
    free(was);
    free(is);
}

bool
travel_case_arrived(const struct travel_case *t)
{
    struct layout_key from = travel_case_manifest(t, false), to = travel_case_manifest(t, true);

    if (repo_case_count(t->to.mem, to.text) == 0)
        return false;
    assert_same(t, &from, &to);
    from = travel_case_index(t, false);
    to = travel_case_index(t, true);
    assert_same(t, &from, &to);
    for (uint64_t n = 0; n < TRAVEL_SEGMENTS; n++) {
        from = travel_case_segment(t, false, n);
        to = travel_case_segment(t, true, n);
        assert_same(t, &from, &to);
    }
    return true;
}

size_t
travel_case_segments(const struct travel_case *t)
{
    struct layout_key key;
    size_t count = 0;

    for (uint64_t n = 0; n < TRAVEL_SEGMENTS; n++) {
        key = travel_case_segment(t, true, n);
        count += repo_case_count(t->to.mem, key.text);
    }
    return count;
}

void
travel_case_clear(const struct travel_case *t)
{
    struct layout_key key = travel_case_manifest(t, true);

    repo_case_remove(t->to.mem, key.text);
    key = travel_case_index(t, true);
    repo_case_remove(t->to.mem, key.text);
    for (uint64_t n = 0; n < TRAVEL_SEGMENTS; n++) {
        key = travel_case_segment(t, true, n);
        repo_case_remove(t->to.mem, key.text);
    }
}

void
travel_case_forge(const struct travel_case *t, const char *what, const char *text)
{
    struct layout_key key = travel_case_manifest(t, false);
    size_t len = 0;
    char *data = repo_case_get(t->from.mem, key.text, &len), *forged = repo_case_forge(data, &len, what, text);

    repo_case_put(t->from.mem, key.text, forged, len);
    free(data);
    free(forged);
}
