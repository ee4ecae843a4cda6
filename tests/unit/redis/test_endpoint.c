/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test_common.h"

#include <string.h>

#include "snapshot/redis/endpoint.h"

static void
same(const char *got, const char *expected)
{
    if (expected == NULL)
        assert_null(got);
    else
        assert_string_equal(got, expected);
}

static void
endpoint_parse__good_urls__every_part(void **state)
{
    static const struct {
        const char *url, *host;
        uint16_t port;
        const char *path, *user, *password, *text;
    } cases[] = {
        {"redis://h", "h", 6379, NULL, NULL, NULL, "redis://h:6379"},
        {"REDIS://h:1", "h", 1, NULL, NULL, NULL, "redis://h:1"},
        {"redis://h:65535/", "h", 65535, NULL, NULL, NULL, "redis://h:65535"},
        {"redis://h/0?x=y", "h", 6379, NULL, NULL, NULL, "redis://h:6379"},
        {"redis://h?db=1", "h", 6379, NULL, NULL, NULL, "redis://h:6379"},
        {"redis://:pw@h:7000", "h", 7000, NULL, NULL, "pw", "redis://h:7000"},
        {"redis://u@h", "h", 6379, NULL, "u", NULL, "redis://h:6379"},
        {"redis://u:@h", "h", 6379, NULL, "u", "", "redis://h:6379"},
        {"redis://u:p:q@h", "h", 6379, NULL, "u", "p:q", "redis://h:6379"},
        {"redis://u:p@q@h", "h", 6379, NULL, "u", "p@q", "redis://h:6379"},
        {"redis://a%20b:%2f%40%3A%25@h", "h", 6379, NULL, "a b", "/@:%", "redis://h:6379"},
        {"redis://[::1]", "::1", 6379, NULL, NULL, NULL, "redis://[::1]:6379"},
        {"redis://u:p@[fd00::1]:6380/3", "fd00::1", 6380, NULL, "u", "p", "redis://[fd00::1]:6380"},
        {"rediss://u:p@h", "h", 6379, NULL, "u", "p", "rediss://h:6379"},
        {"REDISS://[::1]:6380", "::1", 6380, NULL, NULL, NULL, "rediss://[::1]:6380"},
        {"unix:///run/redis.sock", NULL, 0, "/run/redis.sock", NULL, NULL, "unix:///run/redis.sock"},
        {"unix://u:pw@/run/r%20s", NULL, 0, "/run/r s", "u", "pw", "unix:///run/r s"},
        {"unix://:pw@/s", NULL, 0, "/s", NULL, "pw", "unix:///s"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err err = ERR_INIT;
        struct endpoint e;

        assert_ok(endpoint_parse(cases[i].url, &e, &err), &err);
        assert_int_equal(e.kind, cases[i].path != NULL ? ENDPOINT_UNIX : ENDPOINT_TCP);
        same(e.host, cases[i].host);
        same(e.path, cases[i].path);
        same(e.user, cases[i].user);
        same(e.password, cases[i].password);
        assert_int_equal(e.port, cases[i].port);
        assert_string_equal(endpoint_describe(&e), cases[i].text);
        assert_int_equal(e.tls, strncmp(cases[i].text, "rediss", 6) == 0);
        endpoint_fini(&e);
        endpoint_fini(&e);
    }
}

static void
endpoint_parse__bad_urls__are_refused_without_their_secret(void **state)
{
    static const struct {
        const char *url;
        enum err_code code;
    } cases[] = {
        {"", ERR_USAGE},
        {"h:6379", ERR_USAGE},
        {"http://u:SECRET@h", ERR_USAGE},
        {"rediss://u:SECRET@h:x", ERR_USAGE},
        {"redis://", ERR_USAGE},
        {"redis://:6379", ERR_USAGE},
        {"redis://u:SECRET@", ERR_USAGE},
        {"redis://u:SECRET@h:", ERR_USAGE},
        {"redis://u:SECRET@h:0", ERR_USAGE},
        {"redis://u:SECRET@h:65536", ERR_USAGE},
        {"redis://u:SECRET@h:99999999999999999999", ERR_USAGE},
        {"redis://u:SECRET@h:63x", ERR_USAGE},
        {"redis://u:SECRET@[::1", ERR_USAGE},
        {"redis://u:SECRET@[]", ERR_USAGE},
        {"redis://u:SECRET@[::1]x", ERR_USAGE},
        {"redis://u:SEC/RET@h", ERR_USAGE},
        {"redis://u:SECRET%@h", ERR_USAGE},
        {"redis://u:SECRET%4@h", ERR_USAGE},
        {"redis://u:SECRET%zz@h", ERR_USAGE},
        {"redis://u:SECRET%00@h", ERR_USAGE},
        {"redis://SECRET%0g@h", ERR_USAGE},
        {"unix://", ERR_USAGE},
        {"unix://SECRET/run/s", ERR_USAGE},
        {"unix://u:SECRET%@/run/s", ERR_USAGE},
        {"unix:///run/%", ERR_USAGE},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err err = ERR_INIT;
        struct endpoint e;

        if (endpoint_parse(cases[i].url, &e, &err) == 0)
            fail_msg("%s was taken", cases[i].url);
        assert_int_equal(err.code, cases[i].code);
        assert_null(strstr(err.msg, "SEC"));
        assert_null(strstr(err.msg, "RET"));
    }
}

static void
endpoint_parse__slash_in_password__says_how_to_write_it(void **state)
{
    struct err err = ERR_INIT;
    struct endpoint e;

    (void)state;
    assert_int_equal(endpoint_parse("redis://:a/b@h", &e, &err), -1);
    assert_non_null(strstr(err.msg, "%2F"));
}

static void
endpoint_parse__long_socket_path__is_refused(void **state)
{
    struct err err = ERR_INIT;
    struct endpoint e;
    char url[200] = "unix:///";

    (void)state;
    memset(url + 8, 'x', 107);
    assert_fails(endpoint_parse(url, &e, &err), &err, ERR_USAGE);
    url[8 + 106] = '\0';
    assert_ok(endpoint_parse(url, &e, &err), &err);
    assert_int_equal(strlen(e.path), 107);
    endpoint_fini(&e);
}

static void
endpoint_set_password__replaces_and_removes(void **state)
{
    struct err err = ERR_INIT;
    struct endpoint e;

    (void)state;
    assert_ok(endpoint_parse("redis://u:old@h", &e, &err), &err);
    endpoint_set_password(&e, "new");
    assert_string_equal(e.password, "new");
    endpoint_set_password(&e, e.password);
    assert_string_equal(e.password, "new");
    endpoint_set_password(&e, NULL);
    assert_null(e.password);
    endpoint_fini(&e);
}

static void
endpoint_set_tls__what_does_not_fit__is_refused(void **state)
{
    static const struct {
        const char *url;
        struct endpoint_tls files;
        const char *says; /* NULL: taken */
    } cases[] = {
        {"redis://h", {0}, NULL},
        {"rediss://h", {0}, NULL},
        {"rediss://h", {"ca", "cert", "key", "name"}, NULL},
        {"rediss://h", {NULL, "cert", NULL, NULL}, NULL},
        {"rediss://h", {NULL, NULL, "key", NULL}, "without its certificate"},
        {"redis://h", {"ca", NULL, NULL, NULL}, "rediss://"},
        {"unix:///s", {NULL, NULL, NULL, "name"}, "rediss://"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err err = ERR_INIT;
        struct endpoint e;
        int rc;

        assert_ok(endpoint_parse(cases[i].url, &e, &err), &err);
        rc = endpoint_set_tls(&e, &cases[i].files, &err);
        assert_int_equal(rc, cases[i].says == NULL ? 0 : -1);
        if (cases[i].says != NULL) {
            assert_int_equal(err.code, ERR_USAGE);
            assert_non_null(strstr(err.msg, cases[i].says));
        } else {
            same(e.tls_files.server_name, cases[i].files.server_name);
        }
        endpoint_fini(&e);
    }
}

static void
endpoint_parse_host__good_addresses__host_and_port(void **state)
{
    static const struct {
        const char *text, *host;
        uint16_t port;
        const char *describes;
    } cases[] = {
        {"redis-headless", "redis-headless", 6379, "redis://redis-headless:6379"},
        {"r_1.ns.svc.cluster.local.:7000", "r_1.ns.svc.cluster.local.", 7000, "redis://r_1.ns.svc.cluster.local.:7000"},
        {"10.0.0.7:1", "10.0.0.7", 1, "redis://10.0.0.7:1"},
        {"[fd00::7]:65535", "fd00::7", 65535, "redis://[fd00::7]:65535"},
        {"[::1]", "::1", 6379, "redis://[::1]:6379"},
        {"[fe80::1%25eth0]:7000", "fe80::1%eth0", 7000, "redis://[fe80::1%eth0]:7000"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err err = ERR_INIT;
        struct endpoint e = {0};

        assert_ok(endpoint_parse_host(cases[i].text, &e, &err), &err);
        assert_string_equal(e.host, cases[i].host);
        assert_int_equal(e.port, cases[i].port);
        assert_string_equal(endpoint_describe(&e), cases[i].describes);
        endpoint_fini(&e);
    }
}

static void
endpoint_parse_host__all_else__is_refused_and_not_repeated(void **state)
{
    static const char *const cases[] = {
        "",
        ":6379",
        "s3cret@h",
        "redis://:s3cret@h",
        "h:",
        "h:0",
        "h:65536",
        "h:x",
        "6379",
        "a,b",
        "a:1,b:2",
        "a b",
        "::1",
        "[::1",
        "[h]:1",
        "[]:1",
        "[::1]x",
        "h/0",
        "[::g]:1",
        "[fe80::1%25]",
        "[10.0.0.7]",
        "h%20x",
        "[aaaa:bbbb:cccc:dddd:eeee:ffff:aaaa:bbbb:cccc:dddd:eeee:ffff]",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err err = ERR_INIT;
        struct endpoint e;

        if (endpoint_parse_host(cases[i], &e, &err) != -1 || err.code != ERR_USAGE || strstr(err.msg, "s3cret") != NULL)
            fail_msg("\"%s\": %s", cases[i], err.msg);
    }
}

static void
endpoint_init_like__all_but_the_place__is_copied(void **state)
{
    struct err err = ERR_INIT;
    struct endpoint like, e;
    const struct endpoint_tls files = {.ca = "/ca", .server_name = "n"};

    (void)state;
    assert_ok(endpoint_parse("rediss://bk:pw@elsewhere:1", &like, &err), &err);
    assert_ok(endpoint_set_tls(&like, &files, &err), &err);
    endpoint_init_like(&e, &like, "fd00::7", 7000);
    endpoint_fini(&like);
    assert_string_equal(endpoint_describe(&e), "rediss://[fd00::7]:7000");
    assert_string_equal(e.user, "bk");
    assert_string_equal(e.password, "pw");
    assert_true(e.tls);
    assert_string_equal(e.tls_files.ca, "/ca");
    assert_string_equal(e.tls_files.server_name, "n");
    endpoint_fini(&e);

    endpoint_init_like(&e, NULL, "h", 1);
    assert_string_equal(endpoint_describe(&e), "redis://h:1");
    assert_null(e.user);
    assert_null(e.password);
    endpoint_fini(&e);
}

static void
endpoint_is_here__sockets_and_loopback__only(void **state)
{
    static const struct {
        const char *url;
        bool here;
    } cases[] = {
        {"unix:///run/redis.sock", true},     {"redis://localhost", true},   {"redis://127.0.0.1:7000", true},
        {"rediss://127.8.8.8", true},         {"redis://[::1]:7000", true},  {"redis://redis-0.redis", false},
        {"redis://localhost.example", false}, {"redis://10.127.0.1", false}, {"redis://[fe80::1]", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err err = ERR_INIT;
        struct endpoint e;

        assert_ok(endpoint_parse(cases[i].url, &e, &err), &err);
        if (endpoint_is_here(&e) != cases[i].here)
            fail_msg("%s", cases[i].url);
        endpoint_fini(&e);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(endpoint_parse_host__good_addresses__host_and_port),
        cmocka_unit_test(endpoint_parse_host__all_else__is_refused_and_not_repeated),
        cmocka_unit_test(endpoint_init_like__all_but_the_place__is_copied),
        cmocka_unit_test(endpoint_set_tls__what_does_not_fit__is_refused),
        cmocka_unit_test(endpoint_parse__good_urls__every_part),
        cmocka_unit_test(endpoint_parse__bad_urls__are_refused_without_their_secret),
        cmocka_unit_test(endpoint_parse__slash_in_password__says_how_to_write_it),
        cmocka_unit_test(endpoint_parse__long_socket_path__is_refused),
        cmocka_unit_test(endpoint_set_password__replaces_and_removes),
        cmocka_unit_test(endpoint_is_here__sockets_and_loopback__only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
