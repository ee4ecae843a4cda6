/* SPDX-License-Identifier: Apache-2.0 */
/* test_siphash.c: the paper's vector, other lengths of the reference, and keys. */
#include "base/siphash.h"

#include "tests/support/test_common.h"

/* The key 00 01 ... 0f of the paper. */
static const struct siphash_key reference = {UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)};

static void
siphash__reference_input__reference_output(void **state)
{
    uint8_t data[15];

    (void)state;
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)i;
    assert_true(siphash(&reference, data, 15) == UINT64_C(0xa129ca6149be45e5));
    assert_true(siphash(&reference, data, 0) == UINT64_C(0x726fdb47dd0e0e31));
    assert_true(siphash(&reference, data, 8) == UINT64_C(0x93f5f5799a932462));
}

static void
siphash_key_make__two__differ(void **state)
{
    struct siphash_key a, b;

    (void)state;
    siphash_key_make(&a);
    siphash_key_make(&b);
    assert_true(siphash(&a, "user:", 5) != siphash(&b, "user:", 5));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(siphash__reference_input__reference_output),
        cmocka_unit_test(siphash_key_make__two__differ),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
