/* SPDX-License-Identifier: Apache-2.0 */
/* test_common.h: what every cmocka program needs: cmocka's four headers in the order it wants, and a few checks of our
 * own. */
#ifndef TESTS_SUPPORT_TEST_COMMON_H
#define TESTS_SUPPORT_TEST_COMMON_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"

/* The call succeeded; prints the error's sentence when it did not. */
#define assert_ok(call, err)                                                                                           \
    do {                                                                                                               \
        if ((call) < 0)                                                                                                \
            fail_msg("%s: %s (%s)", #call, (err)->msg, err_name((err)->code));                                         \
    } while (0)

/* The call failed with CODE; ERR is cleared for the next. */
#define assert_fails(call, err, expected)                                                                              \
    do {                                                                                                               \
        if ((call) >= 0)                                                                                               \
            fail_msg("%s: succeeded", #call);                                                                          \
        if ((err)->code != (expected))                                                                                 \
            fail_msg("%s: %s, not %s: %s", #call, err_name((err)->code), err_name(expected), (err)->msg);              \
        err_clear(err);                                                                                                \
    } while (0)

/* A new empty folder below $TMPDIR or /tmp, for one test; the path goes to PATH. */
void test_make_dir(char path[256]);
/* Remove it and all below it. */
void test_remove_dir(const char *path);

#endif
