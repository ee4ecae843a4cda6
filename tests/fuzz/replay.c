/* SPDX-License-Identifier: Apache-2.0 */
/* replay.c PATH...: gives every file, and every file in every folder below, to a fuzz target, without libFuzzer: with
 * any compiler, as a regression test. */
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "tests/fuzz/fuzz.h"

#define INPUT_MAX ((size_t)64 << 20)

static unsigned count; /* nftw() passes nothing on */

static int
try_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
    struct err err = ERR_INIT;
    char *data = NULL;
    size_t len = 0;

    (void)st;
    (void)where;
    if (type == FTW_D)
        return 0;
    if (type != FTW_F || file_read_all(AT_FDCWD, path, INPUT_MAX, &data, &len, &err) < 0) {
        fprintf(stderr, "replay: %s cannot be read: %s\n", path, err.msg);
        return 1;
    }
    (void)LLVMFuzzerTestOneInput((const uint8_t *)data, len);
    count++;
    free(data);
    return 0;
}

int
main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (nftw(argv[i], try_one, 16, FTW_PHYS) != 0)
            return 1;
    }
    if (count == 0) {
        fputs("replay: no input found; usage: replay FILE-OR-FOLDER...\n", stderr);
        return 1;
    }
    printf("replay: %u inputs, no failure\n", count);
    return 0;
}
