/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test_common.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "storage/s3/cred_cache.h"

#define MINUTE ((int64_t)60000)

static _Atomic int64_t clock_ms;
static atomic_uint fetches;
static atomic_int lives_s, fails, pause_ms;
static atomic_bool frozen; /* the same key again and again */

static int64_t
now(void)
{
    return clock_ms;
}

static int
fetch(void *cookie, struct grant *g, struct err *err)
{
    unsigned n = ++fetches;

    (void)cookie;
    clock_sleep_ms(pause_ms);
    if (fails > 0)
        return err_set(err, (enum err_code)(int)fails, "the issuer is away");
    g->keys.id = mem_printf("key%u", frozen ? 0 : n);
    g->keys.secret = mem_strdup("secret");
    g->lives_ms = lives_s < 0 ? GRANT_FOREVER : (int64_t)lives_s * 1000;
    g->source = "a test";
    return 0;
}

static struct cred_cache *
begin(int lives)
{
    log_setup(2, LOG_TEXT, LOG_OFF);
    clock_ms = 1000;
    fetches = 0;
    fails = 0;
    pause_ms = 0;
    frozen = false;
    lives_s = lives;
    return cred_cache_new(fetch, NULL, now);
}

static void
expect(struct cred_cache *c, const char *id)
{
    struct err err = ERR_INIT;
    struct sigv4_keys keys;

    assert_ok(cred_cache_get(c, &keys, &err), &err);
    assert_string_equal(keys.id, id);
    grant_keys_fini(&keys);
}

static void
get__keys_that_live_for_ever__are_got_once(void **state)
{
    struct cred_cache *c = begin(-1);
    int64_t lives = 0;

    (void)state;
    assert_null(cred_cache_source(c, &lives));
    expect(c, "key1");
    clock_ms = clock_ms + 1000000 * MINUTE;
    expect(c, "key1");
    assert_string_equal(cred_cache_source(c, &lives), "a test");
    assert_true(lives == GRANT_FOREVER);
    cred_cache_free(c);
}

static void
get__five_minutes_before_they_run_out__others_are_got(void **state)
{
    struct cred_cache *c = begin(3600);
    int64_t lives = 0;

    (void)state;
    expect(c, "key1");
    clock_ms = clock_ms + 54 * MINUTE;
    expect(c, "key1");
    (void)cred_cache_source(c, &lives);
    assert_int_equal(lives, 6 * MINUTE);
    clock_ms = clock_ms + MINUTE;
    expect(c, "key2");
    expect(c, "key2");
    cred_cache_free(c);
}

static void
get__of_a_short_life__others_are_got_at_its_half(void **state)
{
    struct cred_cache *c = begin(4 * 60);

    (void)state;
    expect(c, "key1");
    clock_ms = clock_ms + 2 * MINUTE - 1;
    expect(c, "key1");
    clock_ms = clock_ms + 1;
    expect(c, "key2");
    cred_cache_free(c);
}

static void
get__said_to_have_run_out_already__are_used_for_a_minute(void **state)
{
    struct cred_cache *c = begin(0);

    (void)state;
    expect(c, "key1");
    clock_ms = clock_ms + MINUTE / 2 - 1;
    expect(c, "key1");
    clock_ms = clock_ms + 1;
    expect(c, "key2");
    cred_cache_free(c);
}

static void
get__no_others_to_be_had__the_old_ones_to_their_end(void **state)
{
    struct cred_cache *c = begin(3600);
    struct err err = ERR_INIT;
    struct sigv4_keys keys;

    (void)state;
    expect(c, "key1");
    fails = ERR_STORAGE;
    clock_ms = clock_ms + 55 * MINUTE;
    expect(c, "key1");
    expect(c, "key1");
    assert_int_equal(fetches, 2); /* and not for every request */
    clock_ms = clock_ms + MINUTE / 2;
    expect(c, "key1");
    assert_int_equal(fetches, 3);
    clock_ms = clock_ms + 5 * MINUTE;
    assert_fails(cred_cache_get(c, &keys, &err), &err, ERR_STORAGE);
    fails = ERR_STORE_DENIED;
    assert_fails(cred_cache_get(c, &keys, &err), &err, ERR_STORE_DENIED);
    fails = 0;
    expect(c, "key6");
    cred_cache_free(c);
}

static void
renew__refused_keys__are_dropped_once(void **state)
{
    struct cred_cache *c = begin(-1);
    struct err err = ERR_INIT;
    struct sigv4_keys old, keys;

    (void)state;
    assert_ok(cred_cache_get(c, &old, &err), &err);
    assert_int_equal(cred_cache_renew(c, &old, &err), 1);
    expect(c, "key2");
    assert_int_equal(cred_cache_renew(c, &old, &err), 1); /* by another thread, too late */
    assert_int_equal(fetches, 2);
    grant_keys_fini(&old);
    frozen = true;
    assert_ok(cred_cache_get(c, &old, &err), &err);
    assert_int_equal(cred_cache_renew(c, &old, &err), 1); /* key0 */
    grant_keys_fini(&old);
    assert_ok(cred_cache_get(c, &old, &err), &err);
    assert_int_equal(cred_cache_renew(c, &old, &err), 0);
    fails = ERR_STORAGE;
    assert_fails(cred_cache_renew(c, &old, &err), &err, ERR_STORAGE);
    assert_fails(cred_cache_get(c, &keys, &err), &err, ERR_STORAGE); /* what was refused is not given out again */
    grant_keys_fini(&old);
    cred_cache_free(c);
}

struct crowd {
    struct cred_cache *cache;
    atomic_int good, bad, slow;
};

static void *
one_of_many(void *cookie)
{
    struct crowd *crowd = cookie;
    struct err err = ERR_INIT;
    struct sigv4_keys keys;
    int64_t began = clock_mono_ms();

    if (cred_cache_get(crowd->cache, &keys, &err) == 0)
        crowd->good++;
    else
        crowd->bad++;
    if (clock_mono_ms() - began > pause_ms / 2)
        crowd->slow++;
    grant_keys_fini(&keys);
    return NULL;
}

static void
all_ask(struct crowd *crowd)
{
    pthread_t threads[16];

    crowd->good = crowd->bad = crowd->slow = 0;
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, one_of_many, crowd), 0);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
}

static void
get__many_threads__one_fetches(void **state)
{
    struct crowd crowd = {.cache = begin(3600)};

    (void)state;
    pause_ms = 600;
    fails = ERR_STORE_DENIED;
    all_ask(&crowd);
    assert_int_equal(crowd.bad, 16); /* those who waited have the same answer */
    assert_in_range(fetches, 1, 3);  /* a thread may begin after all is over */
    fails = 0;
    fetches = 0;
    all_ask(&crowd);
    assert_int_equal(crowd.good, 16);
    assert_int_equal(fetches, 1);
    clock_ms = clock_ms + 56 * MINUTE;
    all_ask(&crowd);
    assert_int_equal(crowd.good, 16);
    assert_int_equal(fetches, 2);
    assert_in_range(crowd.slow, 1, 4); /* the others went on with the old ones; a busy machine may hold one up */
    cred_cache_free(crowd.cache);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(get__keys_that_live_for_ever__are_got_once),
        cmocka_unit_test(get__five_minutes_before_they_run_out__others_are_got),
        cmocka_unit_test(get__of_a_short_life__others_are_got_at_its_half),
        cmocka_unit_test(get__said_to_have_run_out_already__are_used_for_a_minute),
        cmocka_unit_test(get__no_others_to_be_had__the_old_ones_to_their_end),
        cmocka_unit_test(renew__refused_keys__are_dropped_once),
        cmocka_unit_test(get__many_threads__one_fetches),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
