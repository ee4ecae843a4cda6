/* SPDX-License-Identifier: Apache-2.0 */
/*
 * page_demo.c SCENE [SECONDS]: writes the status page of a scene (tests/support/page_scene.h) to stdout, as it is so
 * many seconds later; `policy` writes its Content-Security-Policy, and no word at all the names of the scenes.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "agent/sidecar/page.h"
#include "tests/support/page_scene.h"

static int
write_page(const char *scene, int64_t later_ms)
{
    struct board *b = page_scene_new(scene);
    struct err err = ERR_INIT;
    struct buf page;
    int rc = 1;

    if (b == NULL) {
        (void)fprintf(stderr, "page_demo: there is no scene %s\n", scene);
        return 2;
    }
    buf_init(&page, PAGE_MAX);
    if (page_write(b, PAGE_SCENE_NOW_MS + later_ms, &page, &err) == 0 &&
        fwrite(page.data, 1, page.len, stdout) == page.len)
        rc = 0;
    else
        (void)fprintf(stderr, "page_demo: %s\n", err.msg);
    buf_fini(&page);
    page_scene_free(b);
    return rc;
}

int
main(int argc, char **argv)
{
    const char *name;

    if (argc > 1 && strcmp(argv[1], "policy") == 0)
        return puts(page_policy()) < 0;
    if (argc > 1)
        return write_page(argv[1], argc > 2 ? 1000 * strtoll(argv[2], NULL, 10) : 0);
    for (unsigned i = 0; (name = page_scene_name(i)) != NULL; i++)
        (void)puts(name);
    return 0;
}
