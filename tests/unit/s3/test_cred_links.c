/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test_common.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "storage/s3/cred_links.h"

static void
container_url__near_hosts_and_https__are_allowed(void **state)
{
    static const char *const allowed[] = {
        "http://127.0.0.1/x",       "http://127.1.2.3:80/x",   "http://localhost:1234/x",
        "http://[::1]:51679/x",     "http://169.254.170.2/v2", "http://169.254.170.23/v1/credentials",
        "http://[fd00:ec2::23]/v1", "https://example.com/x",   "http://[fd00:ec2:0::23]:80/v1",
        "http://127.0.0.1",
    };
    static const char *const denied[] = {
        "http://example.com/x",
        "http://127.0.0.1.example.com/",
        "http://127.0.0.1@example.com/",
        "http://localhost.evil/",
        "http://169.254.169.254/",
        "http://169.254.170.230/",
        "http://[fd00:ec2::254]/",
        "http://0x7f000001/",
        "http://2130706433/",
        "http://127.0.0.1\\@evil/",
        "ftp://127.0.0.1/",
        "127.0.0.1",
        "http:///x",
        "http://[::1]evil/",
        "http://[::1.example.com/",
        "http://:80@evil.com:127.0.0.1/",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(allowed); i++)
        if (!cred_container_url_allowed(allowed[i]))
            fail_msg("%s", allowed[i]);
    for (size_t i = 0; i < ARRAY_LEN(denied); i++)
        if (cred_container_url_allowed(denied[i]))
            fail_msg("%s", denied[i]);
}

static void
expect_words(const char *command, const char *joined)
{
    struct err err = ERR_INIT;
    char **words = cred_process_words(command, &err), text[200] = "";
    size_t len = 0;

    assert_ok(words != NULL ? 0 : -1, &err);
    for (size_t i = 0; words != NULL && words[i] != NULL && len < sizeof(text); i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s|", words[i]);
    assert_string_equal(text, joined);
    cred_process_words_free(words);
}

static void
process_words__quotes_and_backslashes__are_a_shells(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    expect_words("a", "a|");
    expect_words("  /opt/bin/get  --for me\t", "/opt/bin/get|--for|me|");
    expect_words("\"/opt/my tools/get\" 'a b'c \"\"", "/opt/my tools/get|a bc||");
    expect_words("a\\ b \"c\\\"d\\e\" 'f\\g' $HOME `x`", "a b|c\"d\\e|f\\g|$HOME|`x`|");
    expect_words("a\\", "a\\|");
    assert_null(cred_process_words("", &err));
    assert_null(cred_process_words("  ", &err));
    assert_null(cred_process_words("a 'b", &err));
    assert_int_equal(err.code, ERR_USAGE);
}

static void
expect_sts(const char *endpoint, const char *region, bool is_aws)
{
    struct cred_scene scene = {.region = NULL};
    const char *r;
    bool aws;
    char *url = cred_sts_endpoint(&scene, &r, &aws);

    assert_string_equal(url, endpoint);
    assert_string_equal(r, region);
    assert_int_equal(aws, is_aws);
    free(url);
}

static void
sts_endpoint__named_regional_or_global(void **state)
{
    (void)state;
    (void)unsetenv("AWS_ENDPOINT_URL");
    (void)unsetenv("AWS_ENDPOINT_URL_STS");
    (void)unsetenv("AWS_REGION");
    (void)unsetenv("AWS_DEFAULT_REGION");
    (void)unsetenv("AWS_STS_REGIONAL_ENDPOINTS");
    expect_sts("https://sts.amazonaws.com", "us-east-1", true);
    (void)setenv("AWS_REGION", "eu-central-1", 1);
    expect_sts("https://sts.eu-central-1.amazonaws.com", "eu-central-1", true);
    (void)setenv("AWS_STS_REGIONAL_ENDPOINTS", "regional", 1);
    expect_sts("https://sts.eu-central-1.amazonaws.com", "eu-central-1", true);
    (void)setenv("AWS_STS_REGIONAL_ENDPOINTS", "legacy", 1);
    expect_sts("https://sts.amazonaws.com", "us-east-1", true);
    (void)setenv("AWS_REGION", "cn-north-1", 1);
    expect_sts("https://sts.cn-north-1.amazonaws.com.cn", "cn-north-1", true);
    (void)setenv("AWS_ENDPOINT_URL", "http://store", 1);
    expect_sts("http://store", "cn-north-1", false);
    (void)setenv("AWS_ENDPOINT_URL_STS", "https://sts", 1);
    expect_sts("https://sts", "cn-north-1", false);
}

static int
take(struct grant *g, const char *text, struct err *err)
{
    return grant_take_json(
        g, &(struct grant_json){.data = text, .len = strlen(text), .token_name = "Token", .issuer_now_ms = 1000}, "it",
        err);
}

static void
take_json__keys_and_their_life__or_a_word_without_secrets(void **state)
{
    static const char *const bad[] = {"",
                                      "s3cret",
                                      "[\"s3cret\"]",
                                      "{\"AccessKeyId\":\"s3cret\"}",
                                      "{\"Code\":\"s3cret\"}",
                                      "{\"AccessKeyId\":\"a b\",\"SecretAccessKey\":\"s3cret\"}",
                                      "{\"AccessKeyId\":\"a\",\"SecretAccessKey\":\"s3cret\\r\\nx\"}",
                                      "{\"AccessKeyId\":\"a\",\"SecretAccessKey\":\"s3cret\",\"Expiration\":\"soon\"}",
                                      "{\"AccessKeyId\":\"a\",\"SecretAccessKey\":7}"};
    struct err err = ERR_INIT;
    struct grant g = {0};

    (void)state;
    assert_ok(take(&g,
                   "{\"AccessKeyId\":\"a\",\"SecretAccessKey\":\"b\",\"Token\":\"c\","
                   "\"Expiration\":\"1970-01-01T01:00:00Z\"}",
                   &err),
              &err);
    assert_string_equal(g.keys.token, "c");
    assert_int_equal(g.lives_ms, 3599000);
    grant_fini(&g);
    assert_ok(take(&g, "{\"AccessKeyId\":\"a\",\"SecretAccessKey\":\"b\"}", &err), &err);
    assert_null(g.keys.token);
    assert_true(g.lives_ms == GRANT_FOREVER);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        if (take(&g, bad[i], &err) >= 0 || err.code != ERR_STORE_DENIED || strstr(err.msg, "s3cret") != NULL)
            fail_msg("%s: %s", bad[i], err.msg);
    }
    grant_fini(&g);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(container_url__near_hosts_and_https__are_allowed),
        cmocka_unit_test(process_words__quotes_and_backslashes__are_a_shells),
        cmocka_unit_test(sts_endpoint__named_regional_or_global),
        cmocka_unit_test(take_json__keys_and_their_life__or_a_word_without_secrets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
