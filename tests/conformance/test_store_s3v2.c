/* SPDX-License-Identifier: Apache-2.0 */
/* The suite with Signature v2 against a real S3 server. Skipped, aloud, without a server, and where libs3 is no part of
 * the build. */
#include "tests/conformance/store_suite.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/support/s3_place.h"

#ifdef REMORA_LIBS3
#include "storage/store_retry.h"
#include "storage/store_s3v2.h"

static void *
place_new(void)
{
    return s3_place_new();
}

static void
place_free(void *place)
{
    s3_place_clear(place);
    free(place);
}

static struct store *
writer(void *place)
{
    const struct store_s3_options options = {.url = place, .endpoint = s3_place_env("S3_TEST_HTTP")};
    struct err err = ERR_INIT;
    struct store *s = store_s3v2_open(&options, &err);

    if (s == NULL) {
        fprintf(stderr, "s3v2: %s\n", err.msg);
        abort();
    }
    return store_retry_new(s, &(struct store_retry_options){0});
}
#endif

int
main(void)
{
#ifdef REMORA_LIBS3
    const struct store_suite suite = {.name = "s3v2",
                                      .place_new = place_new,
                                      .place_free = place_free,
                                      .writer = writer,
                                      .rounds = 20,
                                      .sparse = 5,
                                      .many_keys = 1010,
                                      .plain_keys = true,
                                      .no_create_only = true};

    if (s3_place_env("S3_TEST_HTTP") == NULL)
        return s3_place_skip("test_store_s3v2");
    s3_place_prepare();
    return store_suite_run(&suite);
#else
    return s3_place_skip("test_store_s3v2 (built without libs3)");
#endif
}
