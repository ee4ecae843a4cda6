/* SPDX-License-Identifier: Apache-2.0 */
/* test_common.c: see test_common.h. */
#include "tests/support/test_common.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"

void
test_make_dir(char path[256])
{
    const char *tmp = getenv("TMPDIR");

    (void)snprintf(path, 256, "%s/remora-test-XXXXXX", tmp != NULL ? tmp : "/tmp");
    assert_non_null(mkdtemp(path));
}

void
test_remove_dir(const char *path)
{
    struct err err = ERR_INIT;

    assert_ok(file_remove_tree(AT_FDCWD, path, &err), &err);
}
