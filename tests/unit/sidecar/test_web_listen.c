/* SPDX-License-Identifier: Apache-2.0 */
/* test_web_listen.c: the forms of --listen, and what is said of those that cannot be had. */
#include "agent/sidecar/web_listen.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/test_common.h"

static bool
can_connect(const char *host, unsigned port)
{
    struct sockaddr_in to4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct sockaddr_in6 to6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
    bool six = strchr(host, ':') != NULL;
    int fd = socket(six ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool yes;

    if (fd < 0)
        return false;
    if (six) {
        assert_int_equal(inet_pton(AF_INET6, host, &to6.sin6_addr), 1);
        yes = connect(fd, (struct sockaddr *)&to6, sizeof(to6)) == 0;
    } else {
        assert_int_equal(inet_pton(AF_INET, host, &to4.sin_addr), 1);
        yes = connect(fd, (struct sockaddr *)&to4, sizeof(to4)) == 0;
    }
    (void)close(fd);
    return yes;
}

/* Does this machine have ::1? */
static bool
has_ipv6(void)
{
    const struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool yes = fd >= 0 && bind(fd, (const struct sockaddr *)&to, sizeof(to)) == 0;

    if (fd >= 0)
        (void)close(fd);
    return yes;
}

static void
web_listen__an_address__listens_there_and_nowhere_else(void **state)
{
    struct err err = ERR_INIT;
    unsigned port = 0;
    int fd;

    (void)state;
    fd = web_listen("127.0.0.1:0", &port, &err);
    assert_ok(fd, &err);
    assert_true(port > 0);
    assert_true(can_connect("127.0.0.1", port));
    assert_false(can_connect("127.0.0.2", port));
    (void)close(fd);
    fd = web_listen("localhost:0", &port, &err);
    assert_ok(fd, &err);
    (void)close(fd);
}

static void
web_listen__no_host__is_all_addresses_of_both_families(void **state)
{
    struct err err = ERR_INIT;
    unsigned port = 0;
    int fd;

    (void)state;
    fd = web_listen(":0", &port, &err);
    assert_ok(fd, &err);
    assert_true(can_connect("127.0.0.1", port));
    assert_true(can_connect("127.0.0.2", port));
    assert_int_equal(can_connect("::1", port), has_ipv6());
    (void)close(fd);
}

static void
web_listen__ipv6__in_brackets(void **state)
{
    struct err err = ERR_INIT;
    unsigned port = 0;
    int fd;

    (void)state;
    fd = web_listen("[::1]:0", &port, &err);
    if (!has_ipv6()) {
        assert_fails(fd, &err, ERR_USAGE);
        return;
    }
    assert_ok(fd, &err);
    assert_true(can_connect("::1", port));
    assert_false(can_connect("127.0.0.1", port));
    (void)close(fd);
}

static void
web_listen__forms_that_are_none__are_usage(void **state)
{
    static const char *const bad[] = {"",         ":",         "8629",           "127.0.0.1",  "127.0.0.1:",
                                      "::1:8629", "[::1]",     "[]:8629",        "[::1:8629",  "127.0.0.1:65536",
                                      ":-1",      ":8629x",    "127.0.0.1:http", ": 8629",     "::8629",
                                      ":+8629",   "[::1]8629", "[::1]::8629",    ":000008629", "http://127.0.0.1:8629"};
    struct err err = ERR_INIT;
    unsigned port = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        int fd = web_listen(bad[i], &port, &err);

        if (fd >= 0)
            fail_msg("\"%s\" was taken", bad[i]);
        assert_int_equal(err.code, ERR_USAGE);
        assert_non_null(strstr(err.msg, "--listen"));
    }
}

static void
web_listen__a_port_in_use__is_named(void **state)
{
    struct err err = ERR_INIT;
    char address[64];
    unsigned port = 0, again;
    int fd;

    (void)state;
    fd = web_listen("127.0.0.1:0", &port, &err);
    assert_ok(fd, &err);
    for (int i = 0; i < 2; i++) {
        (void)snprintf(address, sizeof(address), i == 0 ? "127.0.0.1:%u" : ":%u", port);
        assert_true(web_listen(address, &again, &err) < 0);
        assert_int_equal(err.code, ERR_USAGE);
        assert_non_null(strstr(err.msg, address));
        assert_non_null(strstr(err.msg, "another process has this port"));
    }
    (void)close(fd);
}

static void
web_listen__an_address_that_is_not_ours__is_usage(void **state)
{
    struct err err = ERR_INIT;
    unsigned port = 0;

    (void)state;
    assert_fails(web_listen("192.0.2.1:8629", &port, &err), &err, ERR_USAGE);
    assert_fails(web_listen("no-such-host.invalid:8629", &port, &err), &err, ERR_USAGE);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(web_listen__an_address__listens_there_and_nowhere_else),
        cmocka_unit_test(web_listen__no_host__is_all_addresses_of_both_families),
        cmocka_unit_test(web_listen__ipv6__in_brackets),
        cmocka_unit_test(web_listen__forms_that_are_none__are_usage),
        cmocka_unit_test(web_listen__a_port_in_use__is_named),
        cmocka_unit_test(web_listen__an_address_that_is_not_ours__is_usage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
