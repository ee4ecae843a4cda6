/* SPDX-License-Identifier: Apache-2.0 */
/* The suite against a real S3 server, in four ways: http and https, path style and virtual-host style; through the
 * retry wrapper, as the program uses it: RADOS Gateway 16 now and then answers 500 to the get of an object that is just
 * being overwritten. Without a server it is skipped, and says so. */
#include "tests/conformance/store_suite.h"

#include <stdio.h>
#include <stdlib.h>

#include "storage/store_retry.h"
#include "storage/store_s3.h"
#include "tests/support/s3_place.h"

static struct way {
    const char *name;
    const char *endpoint; /* the variable that has it */
    enum s3_addressing addressing;
} way;

static const struct way ways[] = {
    {"s3 http, path", "S3_TEST_HTTP", S3_ADDRESSING_AUTO},
    {"s3 http, virtual host", "S3_TEST_VHOST", S3_ADDRESSING_VIRTUAL},
    {"s3 https, path", "S3_TEST_HTTPS", S3_ADDRESSING_PATH},
    {"s3 https, virtual host", "S3_TEST_VHOSTS", S3_ADDRESSING_VIRTUAL},
};

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
    const struct store_s3_options options = {.url = place,
                                             .endpoint = s3_place_env(way.endpoint),
                                             .region = "us-east-1",
                                             .addressing = way.addressing,
                                             .http.ca_file = s3_place_env("S3_TEST_CA")};
    struct err err = ERR_INIT;
    struct store *s = store_s3_open(&options, &err);

    if (s == NULL) {
        fprintf(stderr, "%s: %s\n", way.name, err.msg);
        abort();
    }
    return store_retry_new(s, &(struct store_retry_options){0});
}

int
main(void)
{
    int failed = 0;

    if (s3_place_env("S3_TEST_HTTP") == NULL)
        return s3_place_skip("test_store_s3");
    s3_place_prepare();
    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        struct store_suite suite = {.name = ways[i].name,
                                    .place_new = place_new,
                                    .place_free = place_free,
                                    .writer = writer,
                                    .rounds = 20,
                                    .sparse = 5,
                                    .many_keys = i == 0 ? 2010 : 300};

        way = ways[i];
        failed += store_suite_run(&suite);
    }
    return failed;
}
