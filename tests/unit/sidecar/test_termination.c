/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test_common.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "agent/sidecar/termination.h"
#include "base/file.h"

static void
termination_log__file_is_there__holds_the_sentence_alone(void **state)
{
    struct err err = ERR_INIT;
    char dir[256], path[300], *text = NULL;
    size_t len = 0;

    (void)state;
    test_make_dir(dir);
    (void)snprintf(path, sizeof(path), "%s/log", dir);
    termination_log(path, "none was there");
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(close(open(path, O_CREAT | O_WRONLY, 0600)), 0);
    termination_log(path, "a long sentence of a former end");
    termination_log(path, "the end");
    assert_ok(file_read_all(AT_FDCWD, path, 1000, &text, &len, &err), &err);
    assert_string_equal(text, "the end");
    free(text);
    test_remove_dir(dir);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(termination_log__file_is_there__holds_the_sentence_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
