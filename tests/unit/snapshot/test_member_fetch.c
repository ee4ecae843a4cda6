/* SPDX-License-Identifier: Apache-2.0 */
/* test_member_fetch.c: a member read by several workers: the order, the places, the ring that bounds them, what is had
 * already, and every way to end early. Which damage is found is test_member_reader.c's subject. */
#include "snapshot/member_fetch.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/sig.h"
#include "snapshot/memory_plan.h"
#include "snapshot/repo/layout.h"
#include "snapshot/repo/segment.h"
#include "storage/store_fault.h"
#include "tests/support/repo_case.h"
#include "tests/support/test_child.h"
#include "tests/support/test_common.h"

#define SEGMENTS 24
#define PATIENCE 10000 /* ms until a wait that should end counts as hung */
#define NOBODY   UINT64_MAX

/* What the callbacks do and see; cmocka's asserts work in the main thread only, so they count. */
struct reading {
    struct repo_case c;
    struct rdb_build dump;
    struct manifest *m;
    struct read_options options;
    struct member_read read;
    struct member_outcome outcome;
    pthread_t main;

    size_t sunk_bytes;       /* main thread only */
    bool out_of_order;       /* the sink's bytes were not the dump's */
    uint8_t *placed;         /* a picture of the file */
    uint64_t sink_fails_at;  /* the segment; NOBODY: none */
    uint64_t place_fails_at; /* the same */
    uint64_t had_every;      /* have: multiples of it; 0: none */
    uint64_t had_wrong;      /* this one gets other bytes */
    uint64_t wait_in_sink;   /* segment 0 stays in the sink until this one was begun; 0: not */
    uint64_t hold;           /* this segment's get waits until `hold_for` were begun, and a little longer */
    uint64_t hold_for;
    uint64_t raise_at; /* the get of this one sends SIGTERM */
    uint64_t ring;     /* what is expected of it; 0: not looked at */

    atomic_uint places[SEGMENTS]; /* calls of place */
    atomic_uint gets[SEGMENTS];
    atomic_ullong begun, sunk; /* the most segments of which a get was begun; calls of the sink that came back */
    atomic_uint wrong;         /* anything that must not be */
};

static void
expect(struct reading *t, bool holds, const char *what)
{
    if (holds)
        return;
    (void)fprintf(stderr, "not so: %s\n", what);
    atomic_fetch_add(&t->wrong, 1);
}

static void
wait_until_begun(struct reading *t, uint64_t count)
{
    int64_t until = clock_mono_ms() + PATIENCE;

    while (atomic_load(&t->begun) < count && clock_mono_ms() < until)
        clock_sleep_ms(1);
    expect(t, atomic_load(&t->begun) >= count, "as many segments are begun as the ring has room for");
}

static void
on_get(enum store_call call, const char *key, void *cookie)
{
    struct reading *t = cookie;
    uint64_t n;
    unsigned long long seen;

    if (call != STORE_CALL_GET || !layout_parse_segment(key, &n) || n >= SEGMENTS)
        return;
    expect(t, t->ring == 0 || n < atomic_load(&t->sunk) + t->ring, "no worker is further ahead than the ring");
    atomic_fetch_add(&t->gets[n], 1);
    seen = atomic_load(&t->begun);
    while (seen < n + 1 && !atomic_compare_exchange_weak(&t->begun, &seen, n + 1))
        continue;
    if (n == t->raise_at)
        (void)kill(getpid(), SIGTERM);
    if (n == t->hold) {
        wait_until_begun(t, t->hold_for);
        clock_sleep_ms(30); /* for one too many */
        expect(t, atomic_load(&t->begun) == t->hold_for, "the ring's end holds the others back");
    }
}

static int
sink(const void *data, size_t len, void *cookie, struct err *err)
{
    struct reading *t = cookie;
    uint64_t n = atomic_load(&t->sunk);

    expect(t, pthread_equal(t->main, pthread_self()) != 0, "the sink runs in the calling thread");
    t->out_of_order |= t->sunk_bytes + len > t->dump.len || memcmp(t->dump.data + t->sunk_bytes, data, len) != 0;
    t->sunk_bytes += len;
    if (n == t->sink_fails_at)
        return err_set(err, ERR_NO_SPACE, "the sink is full");
    if (n == 0 && t->wait_in_sink > 0)
        wait_until_begun(t, t->wait_in_sink + 1);
    atomic_fetch_add(&t->sunk, 1);
    return 0;
}

static int
place(uint64_t number, uint64_t offset, const void *data, size_t len, void *cookie, struct err *err)
{
    struct reading *t = cookie;

    expect(t, pthread_equal(t->main, pthread_self()) == 0, "place runs in a worker");
    expect(t, offset == number * CASE_SEGMENT && offset + len <= t->dump.len, "the offset is the segment's");
    atomic_fetch_add(&t->places[number], 1);
    if (number == t->place_fails_at)
        return err_set(err, ERR_NO_SPACE, "no room for it");
    memcpy(t->placed + offset, data, len);
    return 0;
}

static bool
have(uint64_t number, uint64_t offset, void *raw, size_t len, void *cookie)
{
    struct reading *t = cookie;

    if (t->had_every == 0 || number % t->had_every != 0)
        return false;
    memcpy(raw, t->dump.data + offset, len);
    if (number == t->had_wrong)
        ((uint8_t *)raw)[len / 2] ^= 1;
    return true;
}

/* A new reading with JOBS workers, of a backup of its own, with sink and place. */
static void
begin(struct reading *t, unsigned jobs)
{
    memset(t, 0, sizeof(*t));
    repo_case_open(&t->c);
    repo_case_dump(&t->dump, (SEGMENTS - 1) * (size_t)CASE_SEGMENT + 700, 1700000000);
    t->m = repo_case_backup(&t->c, &t->dump);
    assert_int_equal(t->m->rdb_member.segments, SEGMENTS);
    store_fault_reset_counts(t->c.store);
    store_fault_set_hook(t->c.store, on_get, t);
    t->placed = mem_new(t->dump.len);
    t->sink_fails_at = t->place_fails_at = t->had_wrong = t->hold = t->raise_at = NOBODY;
    t->options = (struct read_options){.jobs = jobs, .memory = (uint64_t)64 << 20};
    t->main = pthread_self();
    t->read = (struct member_read){
        .repo = &t->c.repo,
        .m = t->m,
        .member = &t->m->rdb_member,
        .options = &t->options,
        .phase = PROGRESS_VERIFYING,
        .sink = sink,
        .place = place,
        .cookie = t,
        .outcome = &t->outcome,
    };
}

static void
end(struct reading *t)
{
    assert_int_equal(atomic_load(&t->wrong), 0);
    assert_false(t->out_of_order);
    free(t->placed);
    manifest_free(t->m);
    rdb_build_fini(&t->dump);
    repo_case_close(&t->c);
}

/* ---- all is well ---- */

static void
read__any_number_of_jobs__in_order_and_each_placed_once(void **state)
{
    (void)state;
    for (unsigned jobs = 1; jobs <= 8; jobs++) {
        struct err err = ERR_INIT;
        struct reading t;

        begin(&t, jobs);
        t.ring = jobs + 2;
        assert_ok(member_read(&t.read, &err), &err);
        assert_int_equal(t.sunk_bytes, t.dump.len);
        assert_memory_equal(t.placed, t.dump.data, t.dump.len);
        for (int n = 0; n < SEGMENTS; n++) {
            assert_int_equal(atomic_load(&t.places[n]), 1);
            assert_int_equal(atomic_load(&t.gets[n]), 1);
        }
        assert_int_equal(t.outcome.had, 0);
        assert_false(t.outcome.disproved);
        end(&t);
    }
}

static void
read__one_job__fetches_while_the_sink_has_the_last(void **state)
{
    struct err err = ERR_INIT;
    struct reading t;

    (void)state;
    begin(&t, 1);
    t.wait_in_sink = 1;
    assert_ok(member_read(&t.read, &err), &err);
    end(&t);
}

/* The segment that is waited for is slow: the others fill the ring, not more, and nobody is locked out. */
static void
read__a_slow_segment__the_others_go_on_to_the_end_of_the_ring(void **state)
{
    static const uint64_t slow[] = {0, 5, SEGMENTS - 7};

    (void)state;
    for (unsigned jobs = 2; jobs <= 4; jobs++) {
        for (size_t i = 0; i < ARRAY_LEN(slow); i++) {
            struct err err = ERR_INIT;
            struct reading t;

            begin(&t, jobs);
            t.ring = jobs + 2;
            t.hold = slow[i];
            t.hold_for = slow[i] + t.ring;
            assert_ok(member_read(&t.read, &err), &err);
            assert_int_equal(t.sunk_bytes, t.dump.len);
            end(&t);
        }
    }
}

static void
read__little_memory__one_buffer_and_nothing_ahead_or_refused(void **state)
{
    struct err err = ERR_INIT;
    struct reading t;
    uint64_t least = MEMORY_PLAN_RESERVE + CASE_SEGMENT + segment_decoder_memory();

    (void)state;
    begin(&t, 4);
    t.ring = 1;
    /* Nearly incompressible segments: stored they are hardly smaller. */
    for (t.options.memory = least; member_read(&t.read, &err) < 0; t.options.memory += 64) {
        assert_fails(-1, &err, ERR_USAGE);
        assert_int_equal(atomic_load(&t.begun), 0);
        assert_true(t.options.memory < least + 2 * (uint64_t)CASE_SEGMENT);
    }
    assert_true(t.options.memory > least + CASE_SEGMENT / 2);
    assert_int_equal(t.sunk_bytes, t.dump.len);
    end(&t);
}

static void
note_progress(const struct progress *p, void *cookie)
{
    struct progress *last = cookie;

    assert_true(p->done > last->done && p->stored >= last->stored);
    *last = *p;
}

static void
read__progress__ends_with_everything(void **state)
{
    struct err err = ERR_INIT;
    struct progress last = {.done = 0};
    struct reading t;

    (void)state;
    begin(&t, 3);
    t.options.progress = (struct progress_sink){note_progress, &last};
    assert_ok(member_read(&t.read, &err), &err);
    assert_int_equal(last.phase, PROGRESS_VERIFYING);
    assert_int_equal(last.done, t.dump.len);
    assert_int_equal(last.total, t.dump.len);
    assert_int_equal(last.stored, t.m->rdb_member.stored_size);
    end(&t);
}

/* ---- had already ---- */

static void
have__some_segments__neither_fetched_nor_placed_but_scanned(void **state)
{
    (void)state;
    for (unsigned jobs = 1; jobs <= 4; jobs++) {
        for (uint64_t every = 1; every <= 3; every++) {
            struct err err = ERR_INIT;
            struct reading t;

            begin(&t, jobs);
            t.read.have = have;
            t.had_every = every;
            assert_ok(member_read(&t.read, &err), &err);
            assert_int_equal(t.sunk_bytes, t.dump.len);
            assert_int_equal(t.outcome.had, (SEGMENTS + every - 1) / every);
            for (uint64_t n = 0; n < SEGMENTS; n++) {
                assert_int_equal(atomic_load(&t.gets[n]), n % every != 0);
                assert_int_equal(atomic_load(&t.places[n]), n % every != 0);
            }
            end(&t);
        }
    }
}

static void
have__says_good_what_is_not__disproved(void **state)
{
    (void)state;
    for (uint64_t wrong = 0; wrong < SEGMENTS; wrong += SEGMENTS - 1) {
        struct err err = ERR_INIT;
        struct reading t;

        begin(&t, 2);
        t.read.sink = NULL;
        t.read.have = have;
        t.had_every = 1;
        t.had_wrong = wrong;
        assert_fails(member_read(&t.read, &err), &err, ERR_CORRUPT);
        assert_true(t.outcome.disproved);
        assert_true(t.outcome.had > wrong);
        end(&t);
    }
}

/* ---- failures ---- */

static void
flip(struct reading *t, uint64_t n)
{
    char key[16];

    (void)snprintf(key, sizeof(key), "%08u.zst", (unsigned)n);
    store_fault_add(t->c.store,
                    &(struct store_fault){.call = STORE_CALL_GET, .what = STORE_FAULT_FLIP, .key = key, .at = 100});
}

/* K is damaged and slow, two behind it are damaged and quick: K is told, and the sink has had what is in front of it.
 */
static void
damage__in_several_segments__the_lowest_is_told(void **state)
{
    static const uint64_t where[] = {0, 1, 9, SEGMENTS - 3};

    (void)state;
    for (unsigned jobs = 1; jobs <= 4; jobs++) {
        for (size_t i = 0; i < ARRAY_LEN(where); i++) {
            struct err err = ERR_INIT;
            uint64_t k = where[i];
            struct reading t;
            char key[16], want[32];

            begin(&t, jobs);
            flip(&t, k);
            flip(&t, k + 1);
            flip(&t, k + 2);
            (void)snprintf(key, sizeof(key), "%08u.zst", (unsigned)k);
            store_fault_add(
                t.c.store,
                &(struct store_fault){.call = STORE_CALL_GET, .what = STORE_FAULT_DELAY, .key = key, .delay_ms = 20});
            assert_int_equal(member_read(&t.read, &err), -1);
            assert_int_equal(err.code, ERR_CORRUPT);
            (void)snprintf(want, sizeof(want), "segment %u: ", (unsigned)k);
            assert_non_null(strstr(err.msg, want));
            assert_int_equal(t.sunk_bytes, k * CASE_SEGMENT);
            assert_int_equal(atomic_load(&t.places[k]), 0);
            assert_false(t.outcome.disproved);
            end(&t);
        }
    }
}

static void
sink_or_place__fails__that_error_and_no_more_calls(void **state)
{
    (void)state;
    for (unsigned jobs = 1; jobs <= 4; jobs++) {
        for (uint64_t n = 0; n < SEGMENTS; n += 5) {
            struct err err = ERR_INIT;
            struct reading t;
            unsigned long long begun;

            begin(&t, jobs);
            t.ring = jobs + 2;
            t.sink_fails_at = n;
            assert_fails(member_read(&t.read, &err), &err, ERR_NO_SPACE);
            begun = atomic_load(&t.begun);
            clock_sleep_ms(2);
            assert_int_equal(atomic_load(&t.begun), begun);
            end(&t);
            begin(&t, jobs);
            t.place_fails_at = n;
            assert_fails(member_read(&t.read, &err), &err, ERR_NO_SPACE);
            assert_int_equal(t.sunk_bytes, n * CASE_SEGMENT);
            end(&t);
        }
    }
}

struct signalled {
    unsigned jobs;
    uint64_t raise_at;
    int64_t delay_ms; /* of every get from there on */
};

static int
read_under_a_signal(void *arg)
{
    const struct signalled *s = arg;
    struct err err = ERR_INIT;
    struct reading t;

    sig_install();
    begin(&t, s->jobs);
    t.raise_at = s->raise_at;
    store_fault_add(
        t.c.store,
        &(struct store_fault){
            .call = STORE_CALL_GET, .what = STORE_FAULT_DELAY, .nth = s->raise_at + 1, .delay_ms = s->delay_ms});
    CHILD_CHECK(member_read(&t.read, &err) < 0);
    CHILD_CHECK(err.code == ERR_INTERRUPTED);
    CHILD_CHECK(t.sunk_bytes < t.dump.len && !t.out_of_order);
    CHILD_CHECK(atomic_load(&t.begun) <= s->raise_at + s->jobs + 3);
    end(&t);
    return 0;
}

static void
signal__in_the_middle__interrupted_and_no_worker_goes_on(void **state)
{
    (void)state;
    for (unsigned jobs = 1; jobs <= 4; jobs++) {
        for (int64_t delay = 0; delay <= 150; delay += 150) {
            struct signalled s = {.jobs = jobs, .raise_at = 7, .delay_ms = delay};

            assert_int_equal(test_child_run(read_under_a_signal, &s), 0);
        }
    }
}

/* ---- other members, other sizes ---- */

/* The same objects as the member "config": no dump, whatever its bytes are. */
static void
member__of_another_name__digests_only(void **state)
{
    struct err err = ERR_INIT;
    struct manifest_member other;
    struct layout_key from, to;
    struct reading t;
    size_t len = 0;
    char *data;

    (void)state;
    begin(&t, 2);
    other = t.m->rdb_member;
    (void)snprintf(other.name, sizeof(other.name), "config");
    for (uint64_t n = 0; n <= SEGMENTS; n++) {
        layout_segment(&from, t.m->instance, &t.m->id, LAYOUT_MEMBER_RDB, n);
        layout_segment(&to, t.m->instance, &t.m->id, other.name, n);
        if (n == SEGMENTS) {
            layout_index(&from, t.m->instance, &t.m->id, LAYOUT_MEMBER_RDB);
            layout_index(&to, t.m->instance, &t.m->id, other.name);
        }
        data = repo_case_get(t.c.mem, from.text, &len);
        repo_case_put(t.c.mem, to.text, data, len);
        free(data);
    }
    t.m->rdb.crc_computed++; /* nobody asks */
    t.read.member = &other;
    assert_ok(member_read(&t.read, &err), &err);
    assert_memory_equal(t.placed, t.dump.data, t.dump.len);
    flip(&t, 3);
    t.sunk_bytes = 0;
    assert_fails(member_read(&t.read, &err), &err, ERR_CORRUPT);
    store_fault_clear(t.c.store);
    t.read.member = &t.m->rdb_member;
    t.sunk_bytes = 0;
    assert_fails(member_read(&t.read, &err), &err, ERR_CORRUPT);
    assert_true(t.outcome.disproved);
    end(&t);
}

static void
read__fewer_segments_than_jobs__works(void **state)
{
    struct err err = ERR_INIT;
    struct rdb_build small;
    struct reading t;

    (void)state;
    begin(&t, 64);
    manifest_free(t.m);
    repo_case_dump(&small, 300, 0);
    t.read.m = t.m = repo_case_backup(&t.c, &small);
    t.read.member = &t.m->rdb_member;
    t.read.sink = NULL;
    assert_int_equal(t.m->rdb_member.segments, 1);
    assert_ok(member_read(&t.read, &err), &err);
    assert_memory_equal(t.placed, small.data, small.len);
    rdb_build_fini(&small);
    end(&t);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(read__any_number_of_jobs__in_order_and_each_placed_once),
        cmocka_unit_test(read__one_job__fetches_while_the_sink_has_the_last),
        cmocka_unit_test(read__a_slow_segment__the_others_go_on_to_the_end_of_the_ring),
        cmocka_unit_test(read__little_memory__one_buffer_and_nothing_ahead_or_refused),
        cmocka_unit_test(read__progress__ends_with_everything),
        cmocka_unit_test(have__some_segments__neither_fetched_nor_placed_but_scanned),
        cmocka_unit_test(have__says_good_what_is_not__disproved),
        cmocka_unit_test(damage__in_several_segments__the_lowest_is_told),
        cmocka_unit_test(sink_or_place__fails__that_error_and_no_more_calls),
        cmocka_unit_test(signal__in_the_middle__interrupted_and_no_worker_goes_on),
        cmocka_unit_test(member__of_another_name__digests_only),
        cmocka_unit_test(read__fewer_segments_than_jobs__works),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
