/* SPDX-License-Identifier: Apache-2.0 */
/* gen_docs.c: a tool of the build, not part of the program: `gen_docs man|bash` writes one of docs.h's texts to stdout.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/docs.h"
#include "agent/output.h"

int
main(int argc, char **argv)
{
    struct output out = {.fd = STDOUT_FILENO};
    struct err err = ERR_INIT;
    struct buf text;
    int rc = -1;

    buf_init(&text, OUTPUT_MAX);
    if (argc == 2 && strcmp(argv[1], "man") == 0)
        rc = docs_man(&text, &err);
    else if (argc == 2 && strcmp(argv[1], "bash") == 0)
        rc = docs_bash(&text, &err);
    else
        (void)err_set(&err, ERR_USAGE, "usage: gen_docs man|bash");
    if (rc == 0)
        rc = output_buf(&out, &text, &err);
    if (rc < 0)
        (void)fprintf(stderr, "gen_docs: %s\n", err.msg);
    buf_fini(&text);
    return rc < 0 ? 1 : 0;
}
