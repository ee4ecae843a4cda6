/* SPDX-License-Identifier: Apache-2.0 */
/* test_live_peers_servers.c: the live peers as real servers. What those do rarely is in test_live_peers.c. */
#include "tests/support/test_common.h"

#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "snapshot/redis/client.h"
#include "snapshot/redis/live_peers.h"
#include "tests/support/redis_server.h"
#include "tests/support/test_child.h"

/* A name with two addresses; another with one. */
static int
look_up(const char *host, int family, struct addresses *out)
{
    if (family == AF_INET6)
        return EAI_NODATA;
    if (strcmp(host, "both.test") == 0)
        addresses_add(out, "127.0.0.2");
    addresses_add(out, "127.0.0.1");
    return 0;
}

static const struct live_peers_options with_names = {.names = {.look_up = look_up}};

static int
check(const char *host, uint16_t port, const struct live_peers_options *options, struct err *err)
{
    char host_port[64];

    (void)snprintf(host_port, sizeof(host_port), "%s:%u", host, port);
    return live_peers_check(host_port, options, err);
}

static void
live_peers_check__server__empty_then_keys_then_gone(void **state)
{
    struct redis_server s;
    struct err err = ERR_INIT;

    (void)state;
    redis_server_start(&s, NULL, NULL);
    assert_ok(check("127.0.0.1", s.port, NULL, &err), &err);
    assert_ok(check("localhost", s.port, NULL, &err), &err);
    /* 127.0.0.2 is refused: the server listens at the other address only. */
    assert_ok(check("both.test", s.port, &with_names, &err), &err);

    redis_server_do(&s, CLIENT_ARGS("EVAL", "redis.call('SELECT', 5) redis.call('SET', 'k', 'v') return 1", "0"));
    assert_int_equal(check("both.test", s.port, &with_names, &err), -1);
    assert_int_equal(err.code, ERR_REFUSED);
    assert_non_null(strstr(err.msg, "holds 1 key,"));
    assert_non_null(strstr(err.msg, "the master "));
    err_clear(&err);

    redis_server_shutdown(&s);
    assert_ok(check("both.test", s.port, &with_names, &err), &err);
    redis_server_stop(&s);
}

static void
live_peers_check__replica_that_outlived_its_master__is_found(void **state)
{
    struct redis_server master, replica;
    struct err err = ERR_INIT;
    char port[8];

    (void)state;
    redis_server_start(&master, NULL, CLIENT_ARGS("--repl-diskless-sync-delay", "0"));
    (void)snprintf(port, sizeof(port), "%u", master.port);
    redis_server_do(&master, CLIENT_ARGS("SET", "a", "1"));
    redis_server_start(&replica, NULL, CLIENT_ARGS("--replicaof", "127.0.0.1", port));
    redis_server_wait_for(&replica, "master_link_status", "up");
    redis_server_do(&master, CLIENT_ARGS("SET", "b", "2"));
    redis_server_wait_for(&replica, "db0", "keys=2,expires=0,avg_ttl=0");
    redis_server_stop(&master);
    redis_server_wait_for(&replica, "master_link_status", "down");

    assert_int_equal(check("127.0.0.1", replica.port, NULL, &err), -1);
    assert_int_equal(err.code, ERR_REFUSED);
    assert_non_null(strstr(err.msg, "the replica "));
    assert_non_null(strstr(err.msg, "holds 2 keys"));
    assert_non_null(strstr(err.msg, "promote it"));
    redis_server_stop(&replica);
}

static void
live_peers_check__acl__denied_without_info_and_fine_with_it(void **state)
{
    struct live_peers_options o = {0};
    struct redis_server s;
    struct endpoint like;
    struct err err = ERR_INIT;

    (void)state;
    redis_server_start(&s, NULL, NULL);
    redis_server_do(&s, CLIENT_ARGS("ACL", "SETUSER", "bk", "on", ">pw", "resetchannels", "-@all", "+ping"));
    assert_ok(endpoint_parse("redis://bk:pw@elsewhere", &like, &err), &err);
    o.like = &like;
    assert_fails(check("127.0.0.1", s.port, &o, &err), &err, ERR_SERVER_DENIED);
    redis_server_do(&s, CLIENT_ARGS("ACL", "SETUSER", "bk", "+info"));
    assert_ok(check("127.0.0.1", s.port, &o, &err), &err);
    endpoint_set_password(&like, "wrong");
    assert_fails(check("127.0.0.1", s.port, &o, &err), &err, ERR_SERVER_DENIED);
    endpoint_fini(&like);

    redis_server_do(&s, CLIENT_ARGS("ACL", "SETUSER", "default", "resetpass", ">pw"));
    assert_fails(check("127.0.0.1", s.port, NULL, &err), &err, ERR_SERVER_DENIED);
    redis_server_stop(&s);
}

/* ---- TLS -------------------------------------------------------------------------------------------------------- */

/* In a child: the certificates of the tests into the folder ARG. */
static int
make_certificates(void *arg)
{
    (void)execlp("sh", "sh", "tests/servers/certificates.sh", (const char *)arg, (char *)NULL);
    return 127;
}

/* The certificate is for redis.test alone, and every peer is connected to by its address. */
static void
live_peers_check__tls__the_certificate_must_carry_the_name(void **state)
{
    char dir[256], port[8], files[3][300];
    struct live_peers_options o = {.names = {.look_up = look_up}};
    struct endpoint_tls tls = {.ca = files[2]};
    uint16_t number = redis_server_free_port();
    struct redis_server s;
    struct endpoint like;
    struct err err = ERR_INIT;

    (void)state;
    test_make_dir(dir);
    assert_int_equal(test_child_run(make_certificates, dir), 0);
    (void)snprintf(files[0], sizeof(files[0]), "%s/named.crt", dir);
    (void)snprintf(files[1], sizeof(files[1]), "%s/named.key", dir);
    (void)snprintf(files[2], sizeof(files[2]), "%s/ca.crt", dir);
    (void)snprintf(port, sizeof(port), "%u", number);
    redis_server_start(&s, NULL,
                       CLIENT_ARGS("--tls-port", port, "--tls-cert-file", files[0], "--tls-key-file", files[1],
                                   "--tls-ca-cert-file", files[2], "--tls-auth-clients", "no"));
    redis_server_do(&s, CLIENT_ARGS("SET", "k", "v"));
    assert_ok(endpoint_parse("rediss://elsewhere", &like, &err), &err);
    assert_ok(endpoint_set_tls(&like, &tls, &err), &err);
    o.like = &like;

    assert_fails(check("redis.test", number, &o, &err), &err, ERR_REFUSED);
    assert_fails(check("other.test", number, &o, &err), &err, ERR_SERVER);
    tls.server_name = "redis.test";
    assert_ok(endpoint_set_tls(&like, &tls, &err), &err);
    assert_fails(check("other.test", number, &o, &err), &err, ERR_REFUSED);
    /* TLS to a port without it, and the other way round: nothing that is understood comes back, and nobody is empty. */
    o.connect_timeout_ms = o.reply_timeout_ms = 300;
    assert_fails(check("redis.test", s.port, &o, &err), &err, ERR_SERVER);
    o.like = NULL;
    assert_fails(check("redis.test", number, &o, &err), &err, ERR_SERVER);
    endpoint_fini(&like);
    redis_server_stop(&s);
    test_remove_dir(dir);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(live_peers_check__server__empty_then_keys_then_gone),
        cmocka_unit_test(live_peers_check__replica_that_outlived_its_master__is_found),
        cmocka_unit_test(live_peers_check__acl__denied_without_info_and_fine_with_it),
        cmocka_unit_test(live_peers_check__tls__the_certificate_must_carry_the_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
