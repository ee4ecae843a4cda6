/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test_common.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/queue.h"

static void
push_pop__one_thread__is_first_in_first_out(void **state)
{
    struct queue *q = queue_new(3);
    int items[7];

    (void)state;
    for (int i = 0; i < 7; i++) { /* round the ring */
        assert_true(queue_push(q, &items[i]));
        if (i > 0)
            assert_ptr_equal(queue_pop(q), &items[i - 1]);
    }
    assert_ptr_equal(queue_pop(q), &items[6]);
    queue_free(q);
    queue_free(NULL);
}

static void
close__items_inside__can_still_be_popped(void **state)
{
    struct queue *q = queue_new(2);
    int item;

    (void)state;
    assert_true(queue_push(q, &item));
    queue_close(q);
    queue_close(q);
    assert_false(queue_push(q, &item));
    assert_ptr_equal(queue_pop(q), &item);
    assert_null(queue_pop(q));
    assert_null(queue_pop(q));
    queue_free(q);
}

static void *
push_one(void *arg)
{
    static int item;

    return queue_push(arg, &item) ? arg : NULL;
}

static void *
pop_one(void *arg)
{
    return queue_pop(arg);
}

static void
close__while_others_wait__wakes_them(void **state)
{
    struct queue *full = queue_new(1), *empty = queue_new(1);
    pthread_t threads[4];
    void *result;
    int item;

    (void)state;
    assert_true(queue_push(full, &item));
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, push_one, full), 0);
    for (int i = 2; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, pop_one, empty), 0);
    clock_sleep_ms(30); /* let them get to wait */
    queue_close(full);
    queue_close(empty);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(threads[i], &result), 0);
        assert_null(result);
    }
    assert_ptr_equal(queue_pop(full), &item);
    queue_free(full);
    queue_free(empty);
}

struct flow {
    struct queue *q;
    int items[1000];
    atomic_int *seen; /* by item */
};

static void *
take_all(void *arg)
{
    struct flow *f = arg;
    int *item;

    while ((item = queue_pop(f->q)) != NULL)
        atomic_fetch_add(&f->seen[item - f->items], 1);
    return NULL;
}

static void
push_pop__several_consumers__each_item_comes_once(void **state)
{
    static struct flow f;
    static atomic_int seen[ARRAY_LEN(f.items)];
    pthread_t threads[3];

    (void)state;
    f.q = queue_new(4);
    f.seen = seen;
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, take_all, &f), 0);
    for (size_t i = 0; i < ARRAY_LEN(f.items); i++)
        assert_true(queue_push(f.q, &f.items[i]));
    queue_close(f.q);
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    for (size_t i = 0; i < ARRAY_LEN(seen); i++)
        assert_int_equal(atomic_load(&seen[i]), 1);
    queue_free(f.q);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(push_pop__one_thread__is_first_in_first_out),
        cmocka_unit_test(close__items_inside__can_still_be_popped),
        cmocka_unit_test(close__while_others_wait__wakes_them),
        cmocka_unit_test(push_pop__several_consumers__each_item_comes_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
