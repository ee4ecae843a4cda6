/* SPDX-License-Identifier: Apache-2.0 */
/* The signer against what AWS has published: its Signature v4 test suite, and the examples of S3's documentation. */
#include "tests/support/test_common.h"

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "storage/s3/sigv4.h"

#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

/* The account of the test suite, and that of S3's examples. */
static char suite_id[] = "AKIDEXAMPLE", suite_secret[] = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
static char s3_id[] = "AKIAIOSFODNN7EXAMPLE", s3_secret[] = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
static const struct sigv4_keys suite_keys = {suite_id, suite_secret, NULL};
static const struct sigv4_keys s3_keys = {s3_id, s3_secret, NULL};

struct vector {
    const char *name, *method, *path, *query;
    struct sigv4_header headers[6];
    const char *hash;
    const char *signature;
};

static void
check(const struct vector *v, const struct sigv4_keys *keys, const char *date, const char *service)
{
    struct sigv4_request r = {.method = v->method,
                              .path = v->path,
                              .query = v->query,
                              .headers = v->headers,
                              .payload_hash = v->hash,
                              .date = date,
                              .region = "us-east-1",
                              .service = service};
    char *authorization;

    while (r.header_count < ARRAY_LEN(v->headers) && v->headers[r.header_count].name != NULL)
        r.header_count++;
    authorization = sigv4_authorization(&r, keys);
    if (strcmp(strstr(authorization, "Signature=") + 10, v->signature) != 0) {
        char *canonical = sigv4_canonical(&r);

        print_error("%s: %s\nnot %s; canonical request:\n%s\n", v->name, authorization, v->signature, canonical);
        free(canonical);
        fail();
    }
    free(authorization);
}

static void
authorization__the_published_suite__is_met(void **state)
{
    static const char date[] = "20150830T123600Z";
    static const struct vector vectors[] = {
        {"get-vanilla",
         "GET",
         "/",
         "",
         {{"host", "example.amazonaws.com"}, {"x-amz-date", date}},
         EMPTY,
         "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
        {"get-vanilla-query-order-key-case",
         "GET",
         "/",
         "Param1=value1&Param2=value2",
         {{"x-amz-date", date}, {"host", "example.amazonaws.com"}},
         EMPTY,
         "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
        {"post-vanilla",
         "POST",
         "/",
         "",
         {{"host", "example.amazonaws.com"}, {"x-amz-date", date}},
         EMPTY,
         "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
        {"get-header-value-trim",
         "GET",
         "/",
         "",
         {{"host", "example.amazonaws.com"},
          {"my-header1", " value1"},
          {"my-header2", " \"a   b   c\""},
          {"x-amz-date", date}},
         EMPTY,
         "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(vectors); i++)
        check(&vectors[i], &suite_keys, date, "service");
}

static void
authorization__the_examples_of_s3__are_met(void **state)
{
    static const char date[] = "20130524T000000Z";
    static const char put_hash[] = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072";
    static const struct vector vectors[] = {
        {"GET Object",
         "GET",
         "/test.txt",
         "",
         {{"host", "examplebucket.s3.amazonaws.com"},
          {"range", "bytes=0-9"},
          {"x-amz-content-sha256", EMPTY},
          {"x-amz-date", date}},
         EMPTY,
         "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"},
        {"PUT Object",
         "PUT",
         "/test%24file.text",
         "",
         {{"x-amz-storage-class", "REDUCED_REDUNDANCY"},
          {"date", "Fri, 24 May 2013 00:00:00 GMT"},
          {"host", "examplebucket.s3.amazonaws.com"},
          {"x-amz-content-sha256", put_hash},
          {"x-amz-date", date}},
         put_hash,
         "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"},
        {"GET Bucket Lifecycle",
         "GET",
         "/",
         "lifecycle=",
         {{"host", "examplebucket.s3.amazonaws.com"}, {"x-amz-content-sha256", EMPTY}, {"x-amz-date", date}},
         EMPTY,
         "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
        {"GET Bucket (List Objects)",
         "GET",
         "/",
         "max-keys=2&prefix=J",
         {{"host", "examplebucket.s3.amazonaws.com"}, {"x-amz-content-sha256", EMPTY}, {"x-amz-date", date}},
         EMPTY,
         "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"},
    };
    char hash[DIGEST_SHA256_HEX];

    (void)state;
    digest_sha256_hex("Welcome to Amazon S3.", 21, hash);
    assert_string_equal(hash, put_hash);
    for (size_t i = 0; i < ARRAY_LEN(vectors); i++)
        check(&vectors[i], &s3_keys, date, "s3");
}

static void
authorization__whole_header__is_as_s3_wants_it(void **state)
{
    static const struct sigv4_header headers[] = {{"x-amz-date", "20130524T000000Z"}, {"host", "h"}};
    const struct sigv4_request r = {.method = "GET",
                                    .path = "/",
                                    .query = "",
                                    .headers = headers,
                                    .header_count = 2,
                                    .payload_hash = EMPTY,
                                    .date = "20130524T000000Z",
                                    .region = "eu-west-1",
                                    .service = "s3"};
    char *text = sigv4_authorization(&r, &s3_keys);
    static const char expected[] = "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/eu-west-1/s3/"
                                   "aws4_request,SignedHeaders=host;x-amz-date,Signature=";

    (void)state;
    assert_memory_equal(text, expected, strlen(expected));
    assert_int_equal(strlen(text), strlen(expected) + 64);
    free(text);
}

static void
date__times__are_in_utc(void **state)
{
    char text[SIGV4_DATE];

    (void)state;
    sigv4_date(INT64_C(1369353600000), text);
    assert_string_equal(text, "20130524T000000Z");
    sigv4_date(INT64_C(1709251199999), text);
    assert_string_equal(text, "20240229T235959Z");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(authorization__the_published_suite__is_met),
        cmocka_unit_test(authorization__the_examples_of_s3__are_met),
        cmocka_unit_test(authorization__whole_header__is_as_s3_wants_it),
        cmocka_unit_test(date__times__are_in_utc),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
