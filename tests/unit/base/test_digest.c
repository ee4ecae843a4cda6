/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test_common.h"

#include <ctype.h>
#include <string.h>

#include "base/digest.h"

static void
sha256__known_answers(void **state)
{
    static char million[1000000];
    char hex[DIGEST_SHA256_HEX];
    uint8_t raw[DIGEST_SHA256_LEN];

    (void)state;
    memset(million, 'a', sizeof(million));
    /* The examples of FIPS 180-4. */
    digest_sha256_hex("abc", 3, hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    digest_sha256_hex("", 0, hex);
    assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    digest_sha256_hex(NULL, 0, hex);
    assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    digest_sha256_hex(million, sizeof(million), hex);
    assert_string_equal(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    digest_sha256("abc", 3, raw);
    assert_int_equal(raw[0], 0xba);
    assert_int_equal(raw[31], 0xad);
}

static void
uuid__version_4__and_never_twice(void **state)
{
    char one[DIGEST_UUID_TEXT], two[DIGEST_UUID_TEXT];

    (void)state;
    digest_uuid(one);
    digest_uuid(two);
    assert_string_not_equal(one, two);
    assert_int_equal(strlen(one), 36);
    for (int i = 0; i < 36; i++) {
        if (i == 8 || i == 13 || i == 18 || i == 23)
            assert_int_equal(one[i], '-');
        else
            assert_true(isxdigit((unsigned char)one[i]));
    }
    assert_int_equal(one[14], '4');
    assert_non_null(strchr("89ab", one[19]));
}

static void
random__fills_all_it_is_given(void **state)
{
    uint8_t bytes[258] = {0};
    unsigned different = 0;

    (void)state;
    digest_random(bytes + 1, 256);
    assert_int_equal(bytes[0], 0);
    assert_int_equal(bytes[257], 0);
    for (int i = 2; i < 257; i++)
        different += bytes[i] != bytes[i - 1];
    assert_true(different > 200);
    digest_random(bytes, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256__known_answers),
        cmocka_unit_test(uuid__version_4__and_never_twice),
        cmocka_unit_test(random__fills_all_it_is_given),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
