/* SPDX-License-Identifier: Apache-2.0 */
/* Memory and, since they are as small, the clocks. */
#include "tests/support/test_common.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "tests/support/test_child.h"

static void
mem__new_array_grow__are_zeroed_and_never_null(void **state)
{
    char *none = mem_new(0), *p = mem_array(10, 3);

    (void)state;
    assert_non_null(none);
    for (int i = 0; i < 30; i++)
        assert_int_equal(p[i], 0);
    memset(p, 'x', 30);
    p = mem_grow(p, 100, 3);
    assert_memory_equal(p, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", 30);
    p = mem_grow(p, 0, 3);
    assert_non_null(p);
    free(p);
    free(none);
    p = mem_grow(NULL, 5, 1);
    free(p);
}

static void
mem__strings__are_copies(void **state)
{
    char *a = mem_strdup("text"), *b = mem_strndup("text\0more", 9), *c = mem_printf("%s-%03d", "x", 7);

    (void)state;
    assert_string_equal(a, "text");
    assert_memory_equal(b, "text\0more", 10);
    assert_string_equal(c, "x-007");
    free(a);
    free(b);
    free(c);
}

static int
overflow_grow(void *arg)
{
    volatile size_t many = SIZE_MAX / 2;

    (void)arg;
    (void)!close(STDERR_FILENO);
    free(mem_grow(NULL, many, 3));
    return 0;
}

static int
overflow_array(void *arg)
{
    volatile size_t many = SIZE_MAX / 2;

    (void)arg;
    (void)!close(STDERR_FILENO);
    free(mem_array(many, 3));
    return 0;
}

static void
mem__product_overflows__ends_with_no_space(void **state)
{
    (void)state;
    assert_int_equal(test_child_run(overflow_grow, NULL), 10);
    assert_int_not_equal(test_child_run(overflow_array, NULL), 0); /* a sanitizer's calloc ends it in its own way */
}

static void
mem_pages__are_zeroed_and_fail_with_an_error(void **state)
{
    size_t len = 3u << 20;
    struct err err = ERR_INIT;
    char *p = mem_pages(len, &err);

    (void)state;
    assert_non_null(p);
    assert_int_equal(p[0], 0);
    assert_int_equal(p[len - 1], 0);
    p[len - 1] = 'x';
    mem_pages_free(p, len);
    mem_pages_free(NULL, 5);
    assert_null(mem_pages(SIZE_MAX / 2, &err));
    assert_int_equal(err.code, ERR_NO_SPACE);
}

static void
mem_wipe__secret__is_gone(void **state)
{
    char secret[] = "secret";

    (void)state;
    mem_wipe(secret, sizeof(secret));
    for (size_t i = 0; i < sizeof(secret); i++)
        assert_int_equal(secret[i], 0);
    mem_wipe(NULL, 0);
}

static void
clocks__advance_with_a_sleep(void **state)
{
    int64_t wall = clock_wall_ms(), mono = clock_mono_ms(), boot = clock_boot_ms();

    (void)state;
    clock_sleep_ms(25);
    clock_sleep_ms(0);
    clock_sleep_ms(-5);
    assert_in_range(clock_mono_ms() - mono, 24, 20000);
    assert_in_range(clock_boot_ms() - boot, 24, 20000);
    assert_true(clock_boot_ms() >= clock_mono_ms() - 1);
    assert_true(wall > 1700000000000);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mem__new_array_grow__are_zeroed_and_never_null),
        cmocka_unit_test(mem__strings__are_copies),
        cmocka_unit_test(mem__product_overflows__ends_with_no_space),
        cmocka_unit_test(mem_pages__are_zeroed_and_fail_with_an_error),
        cmocka_unit_test(mem_wipe__secret__is_gone),
        cmocka_unit_test(clocks__advance_with_a_sleep),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
