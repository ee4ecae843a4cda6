/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test_common.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "storage/s3/credentials.h"
#include "storage/s3/grant.h"
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
    static const char *const variables[] = {"AWS_ACCESS_KEY_ID",
                                            "AWS_SECRET_ACCESS_KEY",
                                            "AWS_SESSION_TOKEN",
                                            "AWS_PROFILE",
                                            "AWS_REGION",
                                            "AWS_DEFAULT_REGION",
                                            "AWS_ENDPOINT_URL",
                                            "AWS_ENDPOINT_URL_S3",
                                            "AWS_WEB_IDENTITY_TOKEN_FILE",
                                            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
                                            "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(variables); i++)
        (void)unsetenv(variables[i]);
    test_make_dir(dir);
    (void)snprintf(key_file, sizeof(key_file), "%s/key", dir);
    (void)snprintf(credentials_file, sizeof(credentials_file), "%s/credentials", dir);
    (void)snprintf(config_file, sizeof(config_file), "%s/config", dir);
    (void)setenv("AWS_SHARED_CREDENTIALS_FILE", credentials_file, 1);
    (void)setenv("AWS_CONFIG_FILE", config_file, 1);
    (void)setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    test_remove_dir(dir);
    return 0;
}

static struct credentials *
chain(const char *file, struct err *err)
{
    return credentials_new(&(struct credentials_options){.access_key_file = file}, err);
}

static void
expect(const char *file, const char *id, const char *secret, const char *token, const char *source)
{
    struct err err = ERR_INIT;
    struct credentials *c = chain(file, &err);
    struct sigv4_keys keys;
    char who[100];

    if (c == NULL)
        fail_msg("%s", err.msg);
    assert_ok(credentials_get(c, &keys, &err), &err);
    assert_string_equal(keys.id, id);
    assert_string_equal(keys.secret, secret);
    if (token == NULL)
        assert_null(keys.token);
    else
        assert_string_equal(keys.token, token);
    credentials_describe(c, who, sizeof(who));
    assert_string_equal(who, source);
    grant_keys_fini(&keys);
    credentials_free(c);
}

/* Some links are asked only when there is a request. */
static void
refused(const char *file, enum err_code code, const char *word)
{
    struct err err = ERR_INIT;
    struct credentials *c = chain(file, &err);
    struct sigv4_keys keys = {0};

    if (c != NULL)
        assert_int_equal(credentials_get(c, &keys, &err), -1);
    if (err.code != code || strstr(err.msg, word) == NULL || strstr(err.msg, "s3cret") != NULL)
        fail_msg("%s: %s", err_name(err.code), err.msg);
    grant_keys_fini(&keys);
    credentials_free(c);
}

static void
load__every_link_of_the_chain__wins_over_the_next(void **state)
{
    (void)state;
    refused(NULL, ERR_STORE_DENIED, "AWS_ACCESS_KEY_ID");
    write_file(config_file, "[default]\naws_access_key_id = FROMCONFIG\naws_secret_access_key = s1\n");
    expect(NULL, "FROMCONFIG", "s1", NULL, "a profile of the shared files");
    write_file(credentials_file, "[default]\naws_access_key_id=FROMFILE\naws_secret_access_key=s2\n");
    expect(NULL, "FROMFILE", "s2", NULL, "a profile of the shared files");
    (void)setenv("AWS_ACCESS_KEY_ID", "FROMENV", 1);
    (void)setenv("AWS_SECRET_ACCESS_KEY", "s3", 1);
    (void)setenv("AWS_SESSION_TOKEN", "t3", 1);
    expect(NULL, "FROMENV", "s3", "t3", "the environment");
    write_file(key_file, "test:tester\r\ns4\r\nt4\r\n");
    expect(key_file, "test:tester", "s4", "t4", "the access key file");
    write_file(key_file, "A\nB");
    expect(key_file, "A", "B", NULL, "the access key file");
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
profile__roles_and_programs__are_settings_or_mistakes(void **state)
{
    (void)state;
    write_file(config_file, "[default]\nrole_arn = arn:r\n");
    refused(NULL, ERR_USAGE, "source_profile, credential_source");
    write_file(config_file, "[default]\nrole_arn = arn:r\nsource_profile = gone\n");
    refused(NULL, ERR_USAGE, "gone");
    write_file(config_file, "[default]\nrole_arn = r\nsource_profile = a\n[profile a]\nrole_arn = r\n"
                            "source_profile = b\n[profile b]\nrole_arn = r\nsource_profile = a\n");
    refused(NULL, ERR_USAGE, "circle");
    write_file(config_file, "[default]\nrole_arn = r\nsource_profile = default\n");
    refused(NULL, ERR_USAGE, "itself");
    write_file(config_file, "[default]\nrole_arn = r\ncredential_source = Elsewhere\n");
    refused(NULL, ERR_USAGE, "Elsewhere");
    write_file(config_file, "[default]\nrole_arn = r\ncredential_source = Ec2InstanceMetadata\n");
    refused(NULL, ERR_USAGE, "Ec2InstanceMetadata, of which nothing is set");
    write_file(config_file, "[default]\nrole_arn = r\nsource_profile = a\nmfa_serial = m\n");
    refused(NULL, ERR_UNSUPPORTED, "mfa_serial");
    write_file(config_file, "[default]\nsso_session = s\nsso_account_id = 1\n");
    refused(NULL, ERR_UNSUPPORTED, "single sign-on");
    write_file(config_file, "[default]\ncredential_process = 'printf s3cret\n");
    refused(NULL, ERR_USAGE, "quote");
    write_file(config_file, "[default]\ncredential_process = /nowhere/at/all s3cret\n");
    refused(NULL, ERR_STORE_DENIED, "/nowhere/at/all");
    write_file(config_file, "[default]\ncredential_process = sh -c 'echo s3cret; exit 3'\n");
    refused(NULL, ERR_STORE_DENIED, "exit status 3");
    write_file(config_file, "[default]\ncredential_process = echo s3cret\n");
    refused(NULL, ERR_STORE_DENIED, "\"Version\": 1");
    write_file(config_file, "[default]\ncredential_process = echo '{\"Version\":1,\"AccessKeyId\":\"s3cret\"}'\n");
    refused(NULL, ERR_STORE_DENIED, "half a key");
    write_file(config_file, "[default]\ncredential_process = head -c 70000 /dev/zero\n");
    refused(NULL, ERR_STORE_DENIED, "more than");
    write_file(config_file, "[default]\ncredential_process = echo '{\"Version\":1,\"AccessKeyId\":\"I\","
                            "\"SecretAccessKey\":\"S\",\"SessionToken\":\"T\"}'\n");
    expect(NULL, "I", "S", "T", "a profile of the shared files");
}

static void
new__a_link_that_is_configured__is_not_passed_over(void **state)
{
    (void)state;
    (void)setenv("AWS_WEB_IDENTITY_TOKEN_FILE", "/nowhere/token", 1);
    refused(NULL, ERR_USAGE, "AWS_ROLE_ARN");
    (void)setenv("AWS_ROLE_ARN", "arn:r", 1);
    (void)setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:1/", 1);
    refused(NULL, ERR_STORE_DENIED, "web identity");
    (void)unsetenv("AWS_ROLE_ARN");
    (void)unsetenv("AWS_WEB_IDENTITY_TOKEN_FILE");
    refused(NULL, ERR_STORAGE, "cannot be reached");
    (void)setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://example.com/keys", 1);
    refused(NULL, ERR_USAGE, "169.254.170.23");
    (void)unsetenv("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    refused(NULL, ERR_STORE_DENIED, "there is no access key");
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
    struct credentials *c;

    (void)state;
    (void)setenv("AWS_ACCESS_KEY_ID", "I", 1);
    (void)setenv("AWS_SECRET_ACCESS_KEY", "S", 1);
    c = chain(NULL, &err);
    assert_non_null(c);
    assert_null(credentials_endpoint(c, NULL));
    assert_string_equal(credentials_region(c, NULL), "us-east-1");
    credentials_free(c);
    write_file(config_file, "[default]\nregion = r1\nendpoint_url = http://e1\n");
    c = chain(NULL, &err);
    assert_non_null(c);
    assert_string_equal(credentials_endpoint(c, NULL), "http://e1");
    assert_string_equal(credentials_region(c, NULL), "r1");
    (void)setenv("AWS_ENDPOINT_URL", "http://e2", 1);
    (void)setenv("AWS_DEFAULT_REGION", "r2", 1);
    assert_string_equal(credentials_endpoint(c, NULL), "http://e2");
    assert_string_equal(credentials_region(c, NULL), "r2");
    (void)setenv("AWS_ENDPOINT_URL_S3", "http://e3", 1);
    (void)setenv("AWS_REGION", "r3", 1);
    assert_string_equal(credentials_endpoint(c, NULL), "http://e3");
    assert_string_equal(credentials_region(c, NULL), "r3");
    assert_string_equal(credentials_endpoint(c, "http://e4"), "http://e4");
    assert_string_equal(credentials_region(c, "r4"), "r4");
    credentials_free(c);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(load__every_link_of_the_chain__wins_over_the_next),
        TEST(load__half_or_odd_keys__are_usage_errors),
        TEST(profile__roles_and_programs__are_settings_or_mistakes),
        TEST(new__a_link_that_is_configured__is_not_passed_over),
        TEST(profile__sections_comments_and_nesting__are_read_as_aws_does),
        TEST(endpoint_and_region__given_environment_profile__in_this_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
