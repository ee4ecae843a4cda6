/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test_common.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "storage/s3/credentials.h"
#include "storage/s3/profile.h"

static char dir[256], key_file[300], credentials_file[300], config_file[300];

static void
write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    assert_int_equal(fputs(text, f) >= 0 && fclose(f) == 0, 1);
}

static int
set_up(void **state)
{
    static const char *const variables[] = {
        "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE",
        "AWS_REGION",        "AWS_DEFAULT_REGION",    "AWS_ENDPOINT_URL",  "AWS_ENDPOINT_URL_S3"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(variables); i++)
        (void)unsetenv(variables[i]);
    test_make_dir(dir);
    (void)snprintf(key_file, sizeof(key_file), "%s/key", dir);
    (void)snprintf(credentials_file, sizeof(credentials_file), "%s/credentials", dir);
    (void)snprintf(config_file, sizeof(config_file), "%s/config", dir);
    (void)setenv("AWS_SHARED_CREDENTIALS_FILE", credentials_file, 1);
    (void)setenv("AWS_CONFIG_FILE", config_file, 1);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    test_remove_dir(dir);
    return 0;
}

static void
expect(const char *file, const char *id, const char *secret, const char *token, const char *source)
{
    struct err err = ERR_INIT;
    struct credentials c;

    assert_ok(credentials_load(file, &c, &err), &err);
    assert_string_equal(c.keys.id, id);
    assert_string_equal(c.keys.secret, secret);
    if (token == NULL)
        assert_null(c.keys.token);
    else
        assert_string_equal(c.keys.token, token);
    assert_string_equal(c.source, source);
    credentials_fini(&c);
}

static void
refused(const char *file, enum err_code code, const char *word)
{
    struct err err = ERR_INIT;
    struct credentials c;

    assert_int_equal(credentials_load(file, &c, &err), -1);
    if (err.code != code || strstr(err.msg, word) == NULL || strstr(err.msg, "s3cret") != NULL)
        fail_msg("%s: %s", err_name(err.code), err.msg);
    credentials_fini(&c);
}

static void
load__every_link_of_the_chain__wins_over_the_next(void **state)
{
    (void)state;
    refused(NULL, ERR_STORE_DENIED, "AWS_ACCESS_KEY_ID");
    write_file(config_file, "[default]\naws_access_key_id = FROMCONFIG\naws_secret_access_key = s1\n");
    expect(NULL, "FROMCONFIG", "s1", NULL, "shared files");
    write_file(credentials_file, "[default]\naws_access_key_id=FROMFILE\naws_secret_access_key=s2\n");
    expect(NULL, "FROMFILE", "s2", NULL, "shared files");
    (void)setenv("AWS_ACCESS_KEY_ID", "FROMENV", 1);
    (void)setenv("AWS_SECRET_ACCESS_KEY", "s3", 1);
    (void)setenv("AWS_SESSION_TOKEN", "t3", 1);
    expect(NULL, "FROMENV", "s3", "t3", "environment");
    write_file(key_file, "test:tester\r\ns4\r\nt4\r\n");
    expect(key_file, "test:tester", "s4", "t4", "access key file");
    write_file(key_file, "A\nB");
    expect(key_file, "A", "B", NULL, "access key file");
}

static void
load__half_or_odd_keys__are_usage_errors(void **state)
{
    char missing[300];

    (void)state;
    (void)snprintf(missing, sizeof(missing), "%s/none", dir);
    refused(missing, ERR_USAGE, "cannot be used");
    write_file(key_file, "");
    refused(key_file, ERR_USAGE, "is empty");
    write_file(key_file, "ID-s3cret\n");
    refused(key_file, ERR_USAGE, "secret is missing");
    write_file(key_file, "ID\ns3cret with blanks\n");
    refused(key_file, ERR_USAGE, "blanks");
    (void)setenv("AWS_SECRET_ACCESS_KEY", "s3cret", 1);
    refused(NULL, ERR_USAGE, "id of the access key is missing");
    (void)unsetenv("AWS_SECRET_ACCESS_KEY");
    (void)setenv("AWS_PROFILE", "nobody", 1);
    refused(NULL, ERR_USAGE, "nobody");
}

static void
profile__sections_comments_and_nesting__are_read_as_aws_does(void **state)
{
    static const char credentials[] = "# aws_access_key_id = NO\n[default]\naws_access_key_id = DEFAULT\n\n[ prod ]\r\n"
                                      "aws_access_key_id = PROD\r\n; x = y\naws_secret_access_key = a=b/c+d==\n"
                                      "aws_session_token =\n[other]\naws_access_key_id = OTHER";
    static const char config[] = "[prod]\nregion = wrong\n[profile prod]\nregion = eu-central-1\ns3 =\n"
                                 "  endpoint_url = http://nested\n  region = nested\nendpoint_url = http://h:1\n"
                                 "aws_access_key_id = LATER\naws_session_token = LATER\n";
    struct s3_profile p = {0};

    (void)state;
    s3_profile_parse(&p, credentials, strlen(credentials), "prod", false);
    s3_profile_parse(&p, config, strlen(config), "prod", true);
    assert_true(p.found);
    assert_string_equal(p.access_key_id, "PROD");
    assert_string_equal(p.secret_access_key, "a=b/c+d==");
    assert_null(p.session_token);
    assert_string_equal(p.region, "eu-central-1");
    assert_string_equal(p.endpoint_url, "http://h:1");
    s3_profile_fini(&p);
    s3_profile_parse(&p, credentials, strlen(credentials), "other", false);
    assert_string_equal(p.access_key_id, "OTHER");
    s3_profile_fini(&p);
    s3_profile_parse(&p, credentials, strlen(credentials), "nobody", false);
    assert_false(p.found);
    s3_profile_fini(&p);
}

static void
endpoint_and_region__given_environment_profile__in_this_order(void **state)
{
    struct err err = ERR_INIT;
    struct credentials c;

    (void)state;
    (void)setenv("AWS_ACCESS_KEY_ID", "I", 1);
    (void)setenv("AWS_SECRET_ACCESS_KEY", "S", 1);
    assert_ok(credentials_load(NULL, &c, &err), &err);
    assert_null(credentials_endpoint(&c, NULL));
    assert_string_equal(credentials_region(&c, NULL), "us-east-1");
    credentials_fini(&c);
    write_file(config_file, "[default]\nregion = r1\nendpoint_url = http://e1\n");
    assert_ok(credentials_load(NULL, &c, &err), &err);
    assert_string_equal(credentials_endpoint(&c, NULL), "http://e1");
    assert_string_equal(credentials_region(&c, NULL), "r1");
    (void)setenv("AWS_ENDPOINT_URL", "http://e2", 1);
    (void)setenv("AWS_DEFAULT_REGION", "r2", 1);
    assert_string_equal(credentials_endpoint(&c, NULL), "http://e2");
    assert_string_equal(credentials_region(&c, NULL), "r2");
    (void)setenv("AWS_ENDPOINT_URL_S3", "http://e3", 1);
    (void)setenv("AWS_REGION", "r3", 1);
    assert_string_equal(credentials_endpoint(&c, NULL), "http://e3");
    assert_string_equal(credentials_region(&c, NULL), "r3");
    assert_string_equal(credentials_endpoint(&c, "http://e4"), "http://e4");
    assert_string_equal(credentials_region(&c, "r4"), "r4");
    credentials_fini(&c);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(load__every_link_of_the_chain__wins_over_the_next),
        TEST(load__half_or_odd_keys__are_usage_errors),
        TEST(profile__sections_comments_and_nesting__are_read_as_aws_does),
        TEST(endpoint_and_region__given_environment_profile__in_this_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
