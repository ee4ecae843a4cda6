/* SPDX-License-Identifier: Apache-2.0 */
/* The suite against a real S3 server, in up to four ways: http and https, path style and virtual-host style; through
 * the retry wrapper, as the program uses it: RADOS Gateway 16 now and then answers 500 to the get of an object that is
 * just being overwritten. Without a server it is skipped, and says so.
 *
 * S3_TEST_NO_CREATE_ONLY: the server is Swift, which has no create-only puts, answers 500 to a prefix that is cut in
 * the middle of a character, and is slow, so that less is asked of it. */
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

static bool
has_create_only(void)
{
    return s3_place_env("S3_TEST_NO_CREATE_ONLY") == NULL;
}

/* The store finds out by its first such put, which is then done without. */
static void
learn_that_there_is_no_create_only(struct store *s)
{
    const struct store_put put = {.key = "learn", .data = "x", .len = 1, .flags = STORE_PUT_CREATE};
    struct err err = ERR_INIT;

    if (store_put(s, &put, &err) < 0 || store_remove(s, put.key, &err) < 0) {
        fprintf(stderr, "%s: %s\n", way.name, err.msg);
        abort();
    }
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
    if (!has_create_only())
        learn_that_there_is_no_create_only(s);
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
                                    .rounds = has_create_only() ? 20 : 5,
                                    .sparse = has_create_only() ? 5 : 50,
                                    .many_keys = !has_create_only() ? 120
                                                 : i == 0           ? 2010
                                                                    : 300,
                                    .whole_characters = !has_create_only(),
                                    .no_create_only = !has_create_only()};

        if (s3_place_env(ways[i].endpoint) == NULL)
            continue;
        way = ways[i];
        failed += store_suite_run(&suite);
    }
    return failed;
}
