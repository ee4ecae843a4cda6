/* SPDX-License-Identifier: Apache-2.0 */
/* test_transport_tls.c: TLS to a server that is as it should be, and to those that are not; certificates are made anew
 * by tests/servers/certificates.sh. */
#include "snapshot/redis/transport_tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "tests/support/test_common.h"

#define PATIENCE_MS 20000

static char dir[256];

/* The path of one of the certificates' files; valid until the end. */
static const char *
file(const char *name)
{
    static char paths[24][400];
    char path[400];

    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        if (paths[i][0] == '\0')
            memcpy(paths[i], path, sizeof(path));
        if (strcmp(paths[i], path) == 0)
            return paths[i];
    }
    fail_msg("too many files");
    return NULL;
}

/* ---- a server for one connection ---- */

enum manner { ECHO, CLOSE_AT_ONCE, CLOSE_AFTER_HELLO, RESET_AFTER_HELLO, SAY_NOTHING, SPEAK_PLAINLY };

struct server {
    enum manner manner;
    SSL_CTX *context;
    int listener;
    uint16_t port;
    pthread_t thread;
};

/* Shake hands, and send back what comes, until the client closes. */
static void
echo(SSL_CTX *context, int fd)
{
    SSL *ssl = SSL_new(context);
    char buf[256];
    int n;

    if (ssl == NULL || SSL_set_fd(ssl, fd) != 1 || SSL_accept(ssl) != 1)
        goto out;
    while ((n = SSL_read(ssl, buf, sizeof(buf))) > 0 && SSL_write(ssl, buf, n) == n)
        continue;
out:
    SSL_free(ssl);
    ERR_clear_error();
}

static void *
serve(void *arg)
{
    const struct server *s = arg;
    const struct linger linger = {.l_onoff = 1};
    static const char plain[] = "-ERR unknown command\r\n";
    int fd = accept(s->listener, NULL, NULL);
    char hello[64];

    if (fd < 0)
        return NULL;
    if (s->manner == ECHO)
        echo(s->context, fd);
    if (s->manner > CLOSE_AT_ONCE)
        (void)!read(fd, hello, sizeof(hello));
    if (s->manner == RESET_AFTER_HELLO)
        (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
    if (s->manner == SPEAK_PLAINLY)
        (void)send(fd, plain, strlen(plain), MSG_NOSIGNAL);
    while (s->manner >= SAY_NOTHING && read(fd, hello, sizeof(hello)) > 0)
        continue;
    (void)close(fd);
    return NULL;
}

/* With the certificate NAME; CLIENTS: it wants one of the client's too. */
static void
start(struct server *s, enum manner manner, const char *name, bool clients, int newest_tls)
{
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(addr);
    char cert[64], key[64];

    (void)snprintf(cert, sizeof(cert), "%s.crt", name);
    (void)snprintf(key, sizeof(key), "%s.key", name);
    s->manner = manner;
    s->context = SSL_CTX_new(TLS_server_method());
    assert_non_null(s->context);
    assert_int_equal(SSL_CTX_use_certificate_chain_file(s->context, file(cert)), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey_file(s->context, file(key), SSL_FILETYPE_PEM), 1);
    assert_int_equal(SSL_CTX_set_max_proto_version(s->context, newest_tls), 1);
    if (clients) {
        assert_int_equal(SSL_CTX_load_verify_locations(s->context, file("ca.crt"), NULL), 1);
        SSL_CTX_set_verify(s->context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    }
    s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(s->listener >= 0);
    assert_int_equal(bind(s->listener, (struct sockaddr *)&addr, sizeof(addr)), 0);
    assert_int_equal(listen(s->listener, 1), 0);
    assert_int_equal(getsockname(s->listener, (struct sockaddr *)&addr, &len), 0);
    s->port = ntohs(addr.sin_port);
    assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

/* It ends when the client has closed, or never came. */
static void
stop(struct server *s)
{
    (void)shutdown(s->listener, SHUT_RDWR);
    assert_int_equal(pthread_join(s->thread, NULL), 0);
    (void)close(s->listener);
    SSL_CTX_free(s->context);
}

/* ---- the client ---- */

/* Connect, send a few bytes and get them back. */
static int
talk(const struct server *s, const struct endpoint_tls *files, int64_t patience_ms, struct err *err)
{
    const int64_t deadline = clock_mono_ms() + patience_ms;
    struct transport *t = NULL;
    struct endpoint e;
    char url[64], back[16];
    size_t got = 0;
    int rc = -1;

    (void)snprintf(url, sizeof(url), "rediss://127.0.0.1:%u", s->port);
    if (endpoint_parse(url, &e, err) < 0)
        return -1;
    if (endpoint_set_tls(&e, files, err) < 0)
        goto out;
    t = transport_connect(&e, deadline, err);
    if (t == NULL || transport_write(t, "PING\r\n", 6, deadline, err) < 0 ||
        transport_read(t, back, sizeof(back), deadline, &got, err) < 0)
        goto out;
    if (got != 6 || memcmp(back, "PING\r\n", 6) != 0) {
        (void)err_set(err, ERR_CORRUPT, "%zu other bytes came back", got);
        goto out;
    }
    rc = 0;
out:
    transport_free(t);
    endpoint_fini(&e);
    return rc;
}

/* One conversation with one server: CODE with WORD in its sentence, or ERR_NONE. */
static void
expect(enum manner manner, const char *name, bool clients, int newest_tls, const struct endpoint_tls *files,
       enum err_code code, const char *word)
{
    struct err err = ERR_INIT;
    struct server s;
    int rc;

    start(&s, manner, name, clients, newest_tls);
    rc = talk(&s, files, PATIENCE_MS, &err);
    stop(&s);
    if ((code == ERR_NONE) != (rc == 0) || err.code != code || strstr(err.msg, word) == NULL)
        fail_msg("%s: \"%s\", not %s with \"%s\"", err_name(err.code), err.msg, err_name(code), word);
}

static void
expect_plain(const char *name, const struct endpoint_tls *files, enum err_code code, const char *word)
{
    expect(ECHO, name, false, TLS1_3_VERSION, files, code, word);
}

/* ---- the server's certificate ---- */

static void
open__certificate_of_a_trusted_ca__carries_bytes_both_ways(void **state)
{
    const struct endpoint_tls files = {.ca = file("ca.crt")};

    (void)state;
    expect(ECHO, "server", false, TLS1_3_VERSION, &files, ERR_NONE, "");
    expect(ECHO, "server", false, TLS1_2_VERSION, &files, ERR_NONE, "");
}

static void
open__another_ca_or_the_systems__is_refused_and_says_what_to_give(void **state)
{
    const struct endpoint_tls other = {.ca = file("other-ca.crt")}, system_ca = {.ca = NULL};

    (void)state;
    expect_plain("server", &other, ERR_SERVER, "--tls-ca");
    expect_plain("server", &system_ca, ERR_SERVER, "--tls-ca");
}

static void
open__certificate_for_another_name__is_refused_unless_that_name_is_given(void **state)
{
    const struct endpoint_tls none = {.ca = file("ca.crt")};
    const struct endpoint_tls right = {.ca = file("ca.crt"), .server_name = "redis.test"};
    const struct endpoint_tls wrong = {.ca = file("ca.crt"), .server_name = "redis.test.example"};
    const struct endpoint_tls address = {.ca = file("ca.crt"), .server_name = "127.0.0.2"};

    (void)state;
    expect_plain("named", &none, ERR_SERVER, "not for \"127.0.0.1\"");
    expect_plain("named", &right, ERR_NONE, "");
    expect_plain("named", &wrong, ERR_SERVER, "not for \"redis.test.example\"");
    expect_plain("server", &wrong, ERR_SERVER, "--tls-server-name");
    expect_plain("server", &address, ERR_SERVER, "not for \"127.0.0.2\"");
}

static void
open__expired_certificate__is_refused_and_says_so(void **state)
{
    const struct endpoint_tls files = {.ca = file("ca.crt")};

    (void)state;
    expect_plain("expired", &files, ERR_SERVER, "expired");
}

/* ---- ours ---- */

static void
talk__client_certificate_wanted__only_the_right_one_is_taken(void **state)
{
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    const struct endpoint_tls none = {.ca = file("ca.crt")};
    const struct endpoint_tls two_files = {.ca = file("ca.crt"), .cert = file("client.crt"), .key = file("client.key")};
    const struct endpoint_tls one_file = {.ca = file("ca.crt"), .cert = file("client.pem")};
    const struct endpoint_tls stranger = {
        .ca = file("ca.crt"), .cert = file("stranger.crt"), .key = file("stranger.key")};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
        expect(ECHO, "server", true, versions[i], &none, ERR_SERVER_DENIED, "give --tls-cert and --tls-key");
        expect(ECHO, "server", true, versions[i], &stranger, ERR_SERVER_DENIED, "does not take the client certificate");
        expect(ECHO, "server", true, versions[i], &two_files, ERR_NONE, "");
        expect(ECHO, "server", true, versions[i], &one_file, ERR_NONE, "");
    }
}

static void
open__files_that_cannot_be_used__are_usage_and_named(void **state)
{
    const struct {
        struct endpoint_tls files;
        const char *word;
    } cases[] = {
        {{.ca = "/no/such/ca"}, "--tls-ca /no/such/ca"},
        {{.ca = file("server.key")}, "--tls-ca"},
        {{.ca = file("ca.crt"), .cert = "/no/such/cert"}, "--tls-cert /no/such/cert"},
        {{.ca = file("ca.crt"), .cert = file("client.key")}, "--tls-cert"},
        {{.ca = file("ca.crt"), .cert = file("client.crt")}, "--tls-key"}, /* which is not in the same file */
        {{.ca = file("ca.crt"), .cert = file("client.crt"), .key = "/no/such/key"}, "--tls-key /no/such/key"},
        {{.ca = file("ca.crt"), .cert = file("client.crt"), .key = file("stranger.key")}, "--tls-key"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        expect_plain("server", &cases[i].files, ERR_USAGE, cases[i].word);
}

/* ---- servers that do not shake hands ---- */

static void
open__server_closes_in_the_handshake__the_connection_was_lost(void **state)
{
    const struct endpoint_tls files = {.ca = file("ca.crt")};

    (void)state;
    expect(CLOSE_AT_ONCE, "server", false, TLS1_3_VERSION, &files, ERR_SERVER, "connection was lost");
    expect(CLOSE_AFTER_HELLO, "server", false, TLS1_3_VERSION, &files, ERR_SERVER, "connection was lost");
    expect(RESET_AFTER_HELLO, "server", false, TLS1_3_VERSION, &files, ERR_SERVER, "connection was lost");
}

static void
open__no_tls_there__says_to_look_at_the_port(void **state)
{
    const struct endpoint_tls files = {.ca = file("ca.crt")};

    (void)state;
    expect(SPEAK_PLAINLY, "server", false, TLS1_3_VERSION, &files, ERR_SERVER, "does not speak TLS");
}

static void
open__silent_server__gives_up_at_the_deadline(void **state)
{
    const struct endpoint_tls files = {.ca = file("ca.crt")};
    int64_t began = clock_mono_ms();
    struct err err = ERR_INIT;
    struct server s;

    (void)state;
    start(&s, SAY_NOTHING, "server", false, TLS1_3_VERSION);
    assert_int_equal(talk(&s, &files, 300, &err), -1);
    stop(&s);
    assert_in_range(clock_mono_ms() - began, 300, 5000);
    assert_int_equal(err.code, ERR_SERVER);
    assert_int_equal(err.sys, ETIMEDOUT);
    assert_non_null(strstr(err.msg, "handshake"));
}

static int
make_certificates(void **state)
{
    const char *tests = getenv("REMORA_TESTS");
    char *command;
    int status;

    (void)state;
    (void)signal(SIGPIPE, SIG_IGN);
    test_make_dir(dir);
    command = mem_printf("sh %s/servers/certificates.sh '%s'", tests != NULL ? tests : "tests", dir);
    status = system(command); /* NOLINT(cert-env33-c): our own script */
    free(command);
    return status;
}

static int
remove_certificates(void **state)
{
    (void)state;
    test_remove_dir(dir);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(open__certificate_of_a_trusted_ca__carries_bytes_both_ways),
        cmocka_unit_test(open__another_ca_or_the_systems__is_refused_and_says_what_to_give),
        cmocka_unit_test(open__certificate_for_another_name__is_refused_unless_that_name_is_given),
        cmocka_unit_test(open__expired_certificate__is_refused_and_says_so),
        cmocka_unit_test(talk__client_certificate_wanted__only_the_right_one_is_taken),
        cmocka_unit_test(open__files_that_cannot_be_used__are_usage_and_named),
        cmocka_unit_test(open__server_closes_in_the_handshake__the_connection_was_lost),
        cmocka_unit_test(open__no_tls_there__says_to_look_at_the_port),
        cmocka_unit_test(open__silent_server__gives_up_at_the_deadline),
    };

    return cmocka_run_group_tests(tests, make_certificates, remove_certificates);
}
