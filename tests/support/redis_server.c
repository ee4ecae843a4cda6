/* SPDX-License-Identifier: Apache-2.0 */
/* redis_server.c: see redis_server.h. */
#include "tests/support/redis_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "snapshot/redis/client.h"
#include "snapshot/redis/info.h"
#include "tests/support/test_common.h"

#define START_TIMEOUT_MS 20000

uint16_t
redis_server_free_port(void)
{
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(addr);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&addr, sizeof(addr)), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&addr, &len), 0);
    (void)close(fd);
    return ntohs(addr.sin_port);
}

/* In the child. */
static _Noreturn void
run_server(const struct redis_server *s, const char *const *args)
{
    const char *program = getenv("REMORA_TEST_SERVER");
    const char *argv[64];
    char port[8], socket_path[300], log_path[300];
    const char *const fixed[] = {"--port",    port,    "--bind",      "127.0.0.1", "--unixsocket",
                                 socket_path, "--dir", s->dir,        "--logfile", log_path,
                                 "--save",    "",      "--daemonize", "no"};
    size_t argc = 0;

    (void)snprintf(port, sizeof(port), "%u", s->port);
    (void)snprintf(socket_path, sizeof(socket_path), "%s/s.sock", s->dir);
    (void)snprintf(log_path, sizeof(log_path), "%s/server.log", s->dir);
    argv[argc++] = program != NULL ? program : "redis-server";
    for (size_t i = 0; i < ARRAY_LEN(fixed); i++)
        argv[argc++] = fixed[i];
    for (; args != NULL && *args != NULL && argc + 1 < ARRAY_LEN(argv); args++)
        argv[argc++] = *args;
    argv[argc] = NULL;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    /* exec takes words it does not write to, but its type is older than const. */
    (void)execvp(argv[0], (char *const *)(uintptr_t)argv);
    (void)fprintf(stderr, "cannot run %s: %s (the tests need Debian's redis-server)\n", argv[0], strerror(errno));
    _exit(127);
}

/* Does it answer PING (not LOADING, no refusal of a password either: that too is an answer)? */
static bool
is_up(const struct redis_server *s)
{
    struct endpoint e;
    struct err err = ERR_INIT;
    struct client *c;
    struct reply *r = NULL;
    bool up = false;

    assert_ok(endpoint_parse(s->url, &e, &err), &err);
    c = client_connect(&e, NULL, &err);
    if (c != NULL && client_call(c, CLIENT_ARGS("PING"), &r, &err) == 0)
        up = !reply_has_code(r, "LOADING");
    reply_free(r);
    client_free(c);
    endpoint_fini(&e);
    return up;
}

/* False: it ended by itself, as when another process took the port. */
static bool
wait_until_up(struct redis_server *s)
{
    int64_t until = clock_mono_ms() + START_TIMEOUT_MS;

    while (clock_mono_ms() < until) {
        int status = 0;

        if (waitpid(s->pid, &status, WNOHANG) == s->pid) {
            s->pid = 0;
            if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
                fail_msg("there is no redis-server to test with");
            return false;
        }
        if (is_up(s))
            return true;
        clock_sleep_ms(10);
    }
    fail_msg("the server in %s does not answer", s->dir);
    return false;
}

void
redis_server_start(struct redis_server *s, const char *dir, const char *const *args)
{
    memset(s, 0, sizeof(*s));
    s->own_dir = dir == NULL;
    if (dir == NULL)
        test_make_dir(s->dir);
    else
        (void)snprintf(s->dir, sizeof(s->dir), "%s", dir);
    (void)snprintf(s->dump, sizeof(s->dump), "%s/dump.rdb", s->dir);
    (void)snprintf(s->unix_url, sizeof(s->unix_url), "unix://%s/s.sock", s->dir);
    for (int attempt = 0; attempt < 5; attempt++) {
        s->port = redis_server_free_port();
        (void)snprintf(s->url, sizeof(s->url), "redis://127.0.0.1:%u", s->port);
        s->pid = fork();
        assert_true(s->pid >= 0);
        if (s->pid == 0) {
            (void)setpgid(0, 0);
            run_server(s, args);
        }
        (void)setpgid(s->pid, s->pid); /* on both sides: whoever comes first */
        if (wait_until_up(s))
            return;
    }
    fail_msg("the server in %s does not start: see its server.log", s->dir);
}

void
redis_server_stop(struct redis_server *s)
{
    if (s->pid > 0) {
        (void)kill(-s->pid, SIGKILL);
        (void)waitpid(s->pid, NULL, 0);
    }
    s->pid = 0;
    if (s->own_dir)
        test_remove_dir(s->dir);
    s->own_dir = false;
}

void
redis_server_crash(struct redis_server *s)
{
    /* Not waited for: as long as it is a zombie its number, which is its group's, is not given to anyone else. */
    assert_int_equal(kill(s->pid, SIGKILL), 0);
}

void
redis_server_shutdown(struct redis_server *s)
{
    assert_int_equal(kill(s->pid, SIGTERM), 0);
    assert_int_equal(waitpid(s->pid, NULL, 0), s->pid);
    s->pid = 0;
}

struct reply *
redis_server_call(const struct redis_server *s, const char *const *argv)
{
    struct endpoint e;
    struct err err = ERR_INIT;
    struct client *c;
    struct reply *r = NULL;

    assert_ok(endpoint_parse(s->unix_url, &e, &err), &err);
    c = client_connect(&e, NULL, &err);
    if (c == NULL)
        fail_msg("%s", err.msg);
    assert_ok(client_command(c, argv, &r, &err), &err);
    client_free(c);
    endpoint_fini(&e);
    return r;
}

void
redis_server_do(const struct redis_server *s, const char *const *argv)
{
    reply_free(redis_server_call(s, argv));
}

void
redis_server_wait_for(const struct redis_server *s, const char *field, const char *value)
{
    int64_t until = clock_mono_ms() + START_TIMEOUT_MS;
    char text[256] = "";

    while (clock_mono_ms() < until) {
        struct reply *r = redis_server_call(s, CLIENT_ARGS("INFO"));
        bool there = info_text(r->text, field, text, sizeof(text)) && strcmp(text, value) == 0;

        reply_free(r);
        if (there)
            return;
        clock_sleep_ms(10);
    }
    fail_msg("%s is \"%s\" and does not become \"%s\"", field, text, value);
}
