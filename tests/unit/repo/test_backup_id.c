/* SPDX-License-Identifier: Apache-2.0 */
/* test_backup_id.c: the id's form, its order, and texts that are none. */
#include "snapshot/repo/backup_id.h"

#include <string.h>

#include "tests/support/test_common.h"

static void
id_make__known_moment__exact_text(void **state)
{
    struct backup_id id, back;
    int64_t ms = 0;

    (void)state;
    backup_id_make(1795343400123, &id); /* 2026-11-22T10:30:00.123Z */
    assert_int_equal(strlen(id.text), BACKUP_ID_LEN);
    assert_memory_equal(id.text, "20261122T103000Z-", 17);
    assert_int_equal(strspn(id.text + 17, "0123456789abcdef"), 6);
    assert_true(backup_id_parse(id.text, &back, &ms));
    assert_string_equal(back.text, id.text);
    assert_int_equal(ms, 1795343400000);
    assert_true(backup_id_parse(id.text, &back, NULL));
}

static void
id_make__later_moments__greater_texts(void **state)
{
    static const int64_t moments[] = {0,
                                      1000,
                                      86399000,
                                      86400000,
                                      951782400000 /* 29 February 2000 */,
                                      1795343400000,
                                      1795343401000,
                                      4102444800000,
                                      253402300799000 /* the last second of 9999 */};
    struct backup_id before, id;

    (void)state;
    backup_id_make(moments[0], &before);
    for (size_t i = 1; i < ARRAY_LEN(moments); i++) {
        backup_id_make(moments[i], &id);
        assert_true(strcmp(before.text, id.text) < 0);
        before = id;
    }
}

static void
id_make__same_moment__differs(void **state)
{
    struct backup_id a, b;
    unsigned same = 0;

    (void)state;
    backup_id_make(1795343400000, &a);
    for (int i = 0; i < 50; i++) {
        backup_id_make(1795343400000, &b);
        same += strcmp(a.text, b.text) == 0;
    }
    assert_true(same < 3);
}

static void
id_parse__look_alikes__refused(void **state)
{
    static const char *const bad[] = {
        "",
        "latest",
        "20261122T103000Z-1a2b3",
        "20261122T103000Z-1a2b3cd",
        "20261122T103000Z-1A2B3C",
        "20261122T103000Z-1a2b3g",
        "20261122T103000Z 1a2b3c",
        "20261122t103000z-1a2b3c",
        "20261122T1030 0Z-1a2b3c",
        "+0261122T103000Z-1a2b3c",
        "20261322T103000Z-1a2b3c",
        "20260230T103000Z-1a2b3c",
        "20270229T103000Z-1a2b3c",
        "20261122T243000Z-1a2b3c",
        "20261122T106000Z-1a2b3c",
        "20261122T103060Z-1a2b3c",
        "20261100T103000Z-1a2b3c",
        "20260022T103000Z-1a2b3c",
        " 0261122T103000Z-1a2b3c",
        "20261122T103000Z-1a2b3\n",
        "2026112\xc3\xa9T103000Z-1a2b3",
    };
    struct backup_id id = {"untouched"};
    int64_t ms = 7;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        if (backup_id_parse(bad[i], &id, &ms))
            fail_msg("\"%s\" was taken for an id", bad[i]);
    }
    assert_string_equal(id.text, "untouched");
    assert_int_equal(ms, 7);
    assert_true(backup_id_parse("20280229T103000Z-1a2b3c", &id, &ms)); /* a leap year */
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(id_make__known_moment__exact_text),
        cmocka_unit_test(id_make__later_moments__greater_texts),
        cmocka_unit_test(id_make__same_moment__differs),
        cmocka_unit_test(id_parse__look_alikes__refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
