/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test_common.h"

#include <string.h>

#include "storage/s3/place.h"
#include "storage/store_s3.h"

static void
place__styles_and_endpoints__make_the_url(void **state)
{
    static const struct {
        const char *endpoint, *region, *bucket;
        enum s3_addressing addressing;
        const char *host, *key_path, *bucket_path;
        bool tls;
    } cases[] = {
        {NULL, "eu-west-1", "backups", S3_ADDRESSING_AUTO, "backups.s3.eu-west-1.amazonaws.com", "/a%20b/c", "/", true},
        {NULL, "eu-west-1", "dotted.name", S3_ADDRESSING_AUTO, "s3.eu-west-1.amazonaws.com", "/dotted.name/a%20b/c",
         "/dotted.name", true},
        {NULL, "cn-north-1", "backups", S3_ADDRESSING_PATH, "s3.cn-north-1.amazonaws.com.cn", "/backups/a%20b/c",
         "/backups", true},
        {"http://minio:9000", "r", "backups", S3_ADDRESSING_AUTO, "minio:9000", "/backups/a%20b/c", "/backups", false},
        {"http://minio:9000/", "r", "backups", S3_ADDRESSING_VIRTUAL, "backups.minio:9000", "/a%20b/c", "/", false},
        {"https://h:443", "r", "b", S3_ADDRESSING_AUTO, "h", "/b/a%20b/c", "/b", true},
        {"http://h:80", "r", "b", S3_ADDRESSING_AUTO, "h", "/b/a%20b/c", "/b", false},
        {"http://h:443", "r", "b", S3_ADDRESSING_AUTO, "h:443", "/b/a%20b/c", "/b", false},
        {"http://[::1]:9000", "r", "b", S3_ADDRESSING_AUTO, "[::1]:9000", "/b/a%20b/c", "/b", false},
        {"https://h/s3/", "r", "b", S3_ADDRESSING_AUTO, "h", "/s3/b/a%20b/c", "/s3/b", true},
    };
    struct err err = ERR_INIT;
    struct s3_place p;
    struct buf b;

    (void)state;
    buf_init(&b, 1000);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_ok(s3_place_init(&p, cases[i].endpoint, cases[i].region, cases[i].bucket, cases[i].addressing, &err),
                  &err);
        assert_string_equal(p.host, cases[i].host);
        assert_int_equal(p.tls, cases[i].tls);
        buf_reset(&b);
        assert_ok(s3_place_path(&p, "a b/c", &b, &err), &err);
        assert_string_equal(b.data, cases[i].key_path);
        buf_reset(&b);
        assert_ok(s3_place_path(&p, NULL, &b, &err), &err);
        assert_string_equal(b.data, cases[i].bucket_path);
        s3_place_fini(&p);
    }
    buf_fini(&b);
}

static void
place__what_cannot_be__is_a_usage_error_without_secrets(void **state)
{
    static const struct {
        const char *endpoint, *region, *bucket;
        enum s3_addressing addressing;
    } cases[] = {
        {"ftp://h", "r", "b", S3_ADDRESSING_AUTO},          {"h:9000", "r", "b", S3_ADDRESSING_AUTO},
        {"http://", "r", "b", S3_ADDRESSING_AUTO},          {"http://u:s3cret@h", "r", "b", S3_ADDRESSING_AUTO},
        {"http://h:x", "r", "b", S3_ADDRESSING_AUTO},       {"http://h:", "r", "b", S3_ADDRESSING_AUTO},
        {"http://h?x=1", "r", "b", S3_ADDRESSING_AUTO},     {"http://[::1", "r", "b", S3_ADDRESSING_AUTO},
        {NULL, "evil.example/", "b", S3_ADDRESSING_AUTO},   {NULL, "", "b", S3_ADDRESSING_AUTO},
        {"http://h", "r", "", S3_ADDRESSING_AUTO},          {"http://h", "r", "a b", S3_ADDRESSING_AUTO},
        {"http://h", "r", "..", S3_ADDRESSING_AUTO},        {"http://h", "r", "Upper", S3_ADDRESSING_VIRTUAL},
        {"http://h\r\nx: y", "r", "b", S3_ADDRESSING_AUTO}, {"http://h h", "r", "b", S3_ADDRESSING_AUTO},
    };
    struct err err = ERR_INIT;
    struct s3_place p;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        if (s3_place_init(&p, cases[i].endpoint, cases[i].region, cases[i].bucket, cases[i].addressing, &err) == 0)
            fail_msg("case %zu was accepted", i);
        assert_int_equal(err.code, ERR_USAGE);
        assert_null(strstr(err.msg, "s3cret"));
        s3_place_fini(&p);
    }
}

static void
follow__another_host__only_with_as_much_tls(void **state)
{
    struct err err = ERR_INIT;
    struct s3_place p;

    (void)state;
    assert_ok(s3_place_init(&p, "https://h", "r", "b", S3_ADDRESSING_AUTO, &err), &err);
    assert_int_equal(s3_place_follow(&p, "http://evil/"), -1);
    assert_int_equal(s3_place_follow(&p, "/relative"), -1);
    assert_string_equal(p.host, "h");
    assert_int_equal(s3_place_follow(&p, "https://other:8443/b/k?x=1"), 0);
    assert_string_equal(p.host, "other:8443");
    s3_place_fini(&p);
}

static void
parse_url__bucket_and_prefix__are_split(void **state)
{
    static const char *const good[][3] = {{"s3://b", "b", ""},        {"s3://b/", "b", ""},
                                          {"s3://b/p", "b", "p/"},    {"s3://b/p/q/", "b", "p/q/"},
                                          {"s3://b//p//", "b", "p/"}, {"s3://b.c/x y", "b.c", "x y/"}};
    static const char *const bad[] = {"s3:/b", "s3://key:secret@b", "s3://b/p?x", "s3://b/a//b", "s3://b/../c"};
    struct err err = ERR_INIT;
    char *bucket = NULL, *prefix = NULL;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        assert_ok(store_s3_parse_url(good[i][0], &bucket, &prefix, &err), &err);
        assert_string_equal(bucket, good[i][1]);
        assert_string_equal(prefix, good[i][2]);
        free(bucket);
        free(prefix);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_fails(store_s3_parse_url(bad[i], &bucket, &prefix, &err), &err, ERR_USAGE);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(place__styles_and_endpoints__make_the_url),
        cmocka_unit_test(place__what_cannot_be__is_a_usage_error_without_secrets),
        cmocka_unit_test(follow__another_host__only_with_as_much_tls),
        cmocka_unit_test(parse_url__bucket_and_prefix__are_split),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
