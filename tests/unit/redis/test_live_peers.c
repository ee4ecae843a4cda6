/* SPDX-License-Identifier: Apache-2.0 */
/* test_live_peers.c: what live peers can answer, by a server that plays it. Real ones: test_live_peers_servers.c. */
#include "tests/support/test_common.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/sig.h"
#include "snapshot/redis/live_peers.h"
#include "tests/support/fake_redis.h"
#include "tests/support/test_child.h"

#define EMPTY   "$EMPTY" /* INFO of a master without keys */
#define LOADING "-LOADING Redis is loading the dataset in memory\r\n"
#define NOAUTH  "-NOAUTH Authentication required.\r\n"
#define LOST    "$LOST"
#define GONE    "$GONE"

/* What a fake says to each INFO: line I to the I-th, the last one to all further. Lines that start with '-' or are one
 * of the words above are what they say; all others are the text of INFO. */
struct play {
    const char *lines[4];
    const char *auth; /* to AUTH; NULL: +OK */
    atomic_int asked;
    char seen_auth[64];
};

/* INFO's text as a server has it, with these lines of its sections. */
#define INFO(persistence, replication, keyspace)                                                                       \
    "# Server\r\nredis_version:7.0.15\r\nredis_mode:standalone\r\nrun_id:ab\r\n\r\n# Persistence\r\n" persistence      \
    "\r\n# Replication\r\n" replication "\r\n# Keyspace\r\n" keyspace
#define INFO_EMPTY INFO("loading:0\r\nasync_loading:0\r\n", "role:master\r\n", "")

static void
play(const struct reply *command, struct fake_answer *answer, void *cookie)
{
    struct play *p = cookie;
    const char *line = p->lines[0];
    int turn;

    if (fake_redis_word_is(command, 0, "AUTH")) {
        for (size_t i = 1; i < command->count; i++) {
            size_t at = strlen(p->seen_auth);

            (void)snprintf(p->seen_auth + at, sizeof(p->seen_auth) - at, "%s ", command->elements[i]->text);
        }
        fake_answer_raw(answer, p->auth != NULL ? p->auth : "+OK\r\n");
        return;
    }
    turn = atomic_fetch_add(&p->asked, 1);
    for (int i = 1; i <= turn && i < (int)ARRAY_LEN(p->lines) && p->lines[i] != NULL; i++)
        line = p->lines[i];
    answer->hang_up_long = strcmp(line, GONE) == 0;
    answer->hang_up = strcmp(line, LOST) == 0;
    if (answer->hang_up || answer->hang_up_long || line[0] == '\0')
        return;
    if (line[0] == '-' || line[0] == ':')
        fake_answer_raw(answer, line);
    else
        fake_answer_bulk(answer, strcmp(line, EMPTY) == 0 ? INFO_EMPTY : line);
}

/* ---- the stage -------------------------------------------------------------------------------------------------- */

static uint16_t
port_of(const struct fake_redis *f)
{
    struct endpoint e;
    uint16_t port;

    fake_redis_endpoint(f, &e);
    port = e.port;
    endpoint_fini(&e);
    return port;
}

/* A port of 127.0.0.2 that takes connections and says nothing; it is *PORT, or any when that is 0. */
static int
hang_at(uint16_t *port)
{
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons(*port)};
    socklen_t len = sizeof(addr);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(inet_pton(AF_INET, "127.0.0.2", &addr.sin_addr), 1);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&addr, sizeof(addr)), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&addr, &len), 0);
    *port = ntohs(addr.sin_port);
    return fd;
}

/* The name service of these tests. */
static int
look_up(const char *host, int family, struct addresses *out)
{
    if (family == AF_INET6)
        return EAI_NONAME;
    if (strcmp(host, "here.test") == 0) {
        addresses_add(out, "127.0.0.1");
    } else if (strcmp(host, "both.test") == 0) {
        addresses_add(out, "127.0.0.2");
        addresses_add(out, "127.0.0.1");
    } else {
        return EAI_NONAME;
    }
    return 0;
}

static int
own_nothing(struct addresses *out, struct err *err)
{
    (void)out;
    (void)err;
    return 0;
}

static int
own_second(struct addresses *out, struct err *err)
{
    (void)err;
    addresses_add(out, "127.0.0.2");
    return 0;
}

static const struct live_peers_options quick = {
    .loading_wait_ms = 300,
    .connect_timeout_ms = 200,
    .reply_timeout_ms = 200,
    .poll_ms = 20,
    .names = {.look_up = look_up},
    .own = own_nothing,
};

static int
check_name(const char *host, uint16_t port, const struct live_peers_options *options, struct err *err)
{
    char host_port[64];

    (void)snprintf(host_port, sizeof(host_port), "%s:%u", host, port);
    return live_peers_check(host_port, options, err);
}

/* Ask a fake that plays P. */
static int
check(struct play *p, const struct live_peers_options *options, struct err *err)
{
    struct fake_redis *f = fake_redis_start(play, p);
    int rc = check_name("here.test", port_of(f), options, err);

    fake_redis_stop(f);
    return rc;
}

/* ---- one peer --------------------------------------------------------------------------------------------------- */

static void
live_peers_check__one_answer__is_judged(void **state)
{
    static const struct {
        const char *line;
        enum err_code code; /* ERR_NONE: nobody holds keys */
        const char *says;
    } cases[] = {
        {EMPTY, ERR_NONE, ""},
        {INFO("loading:0\r\n", "role:slave\r\nmaster_link_status:down\r\nmaster_sync_in_progress:0\r\n", ""), ERR_NONE,
         ""},
        {INFO("loading:0\r\n", "role:master\r\n", "db5:keys=1234,expires=0,avg_ttl=0\r\n"), ERR_REFUSED,
         "holds 1,234 keys"},
        {INFO("loading:0\r\n", "role:master\r\n", "db0:keys=1,expires=0\r\ndb15:keys=2,expires=0\r\n"), ERR_REFUSED,
         "the master redis://127.0.0.1:"},
        {INFO("loading:0\r\n", "role:slave\r\nmaster_sync_in_progress:1\r\n", "db0:keys=3,expires=0\r\n"), ERR_REFUSED,
         "promote it"},
        {INFO("loading:1\r\n", "role:master\r\n", "db0:keys=3,expires=0\r\n"), ERR_REFUSED, "holds 3 keys so far"},
        {INFO("loading:1\r\n", "role:master\r\n", ""), ERR_REFUSED, "still loading its data"},
        {INFO("loading:0\r\nasync_loading:1\r\n", "role:slave\r\n", ""), ERR_REFUSED, "still loading its data"},
        {INFO("loading:0\r\n", "role:slave\r\nmaster_sync_in_progress:1\r\n", ""), ERR_REFUSED, "data of its master"},
        {LOADING, ERR_REFUSED, "still loading its data"},
        {"-BUSY Redis is busy running a script.\r\n", ERR_REFUSED, "busy with a script"},
        {NOAUTH, ERR_SERVER_DENIED, "wants a password"},
        {"-NOPERM this user has no permissions to run the 'info' command\r\n", ERR_SERVER_DENIED, "+info"},
        {"-ERR unknown command 'INFO'\r\n", ERR_SERVER_DENIED, "renamed or disabled"},
        {"-ERR max number of clients reached\r\n", ERR_SERVER, "max number of clients"},
        {":1\r\n", ERR_SERVER, "not a text"},
        {"", ERR_SERVER, "whether it holds keys is not known"},
        {LOST, ERR_SERVER, "closed the connection"},
        {"# Replication\r\nrole:master\r\nloading:0\r\n", ERR_SERVER, "does not say how many keys"},
        {INFO("loading:0\r\n", "", ""), ERR_SERVER, "does not say how many keys"},
        {INFO("loading:0\r\n", "role:master\r\n", "db0:keys=many\r\n"), ERR_SERVER, "does not say how many keys"},
        {"# Server\r\nredis_mode:sentinel\r\n# Sentinel\r\n", ERR_USAGE, "is a Sentinel"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct play p = {.lines = {cases[i].line}};
        struct err err = ERR_INIT;

        assert_int_equal(check(&p, &quick, &err), cases[i].code == ERR_NONE ? 0 : -1);
        if (err.code != cases[i].code || strstr(err.msg, cases[i].says) == NULL)
            fail_msg("case %zu: %s: \"%s\"", i, err_name(err.code), err.msg);
    }
}

static void
live_peers_check__peer_with_keys__says_whom_and_the_rescue(void **state)
{
    struct play p = {.lines = {INFO("", "role:slave\r\n", "db0:keys=9,expires=0\r\n")}};
    struct fake_redis *f = fake_redis_start(play, &p);
    struct err err = ERR_INIT;
    char backup[128];

    (void)state;
    (void)snprintf(backup, sizeof(backup), "`remora backup --redis-url redis://127.0.0.1:%u`", port_of(f));
    assert_int_equal(check_name("here.test", port_of(f), &quick, &err), -1);
    assert_int_equal(err.code, ERR_REFUSED);
    assert_non_null(strstr(err.msg, "ask the live peers here.test:"));
    assert_non_null(strstr(err.msg, "the replica "));
    assert_non_null(strstr(err.msg, backup));
    assert_non_null(strstr(err.msg, "--force"));
    fake_redis_stop(f);
}

static void
live_peers_check__user_and_password__are_those_of_like(void **state)
{
    static const struct {
        const char *url, *auth, *seen;
        enum err_code code;
    } cases[] = {
        {"redis://bk:s3cret@elsewhere", NULL, "bk s3cret ", ERR_NONE},
        {"unix://:s3cret@/elsewhere", NULL, "s3cret ", ERR_NONE},
        {"redis://elsewhere", NULL, "", ERR_NONE},
        {"redis://:s3cret@elsewhere", "-WRONGPASS invalid username-password pair or user is disabled.\r\n", "s3cret ",
         ERR_SERVER_DENIED},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct play p = {.lines = {EMPTY}, .auth = cases[i].auth};
        struct live_peers_options o = quick;
        struct endpoint like;
        struct err err = ERR_INIT;

        assert_ok(endpoint_parse(cases[i].url, &like, &err), &err);
        o.like = &like;
        (void)check(&p, &o, &err);
        assert_int_equal(err.code, cases[i].code);
        assert_null(strstr(err.msg, "s3cret"));
        assert_string_equal(p.seen_auth, cases[i].seen);
        endpoint_fini(&like);
    }
}

/* ---- the wait --------------------------------------------------------------------------------------------------- */

static void
live_peers_check__not_ready_at_first__the_last_word_counts(void **state)
{
    static const char syncing[] = INFO("", "role:slave\r\nmaster_sync_in_progress:1\r\n", "");
    static const struct {
        const char *lines[4];
        enum err_code code;
        const char *says;
    } cases[] = {
        {{LOADING, EMPTY}, ERR_NONE, ""},
        {{LOADING, syncing, EMPTY}, ERR_NONE, ""},
        {{syncing, INFO("", "role:slave\r\n", "db0:keys=7,expires=0\r\n")}, ERR_REFUSED, "holds 7 keys"},
        {{LOADING, NOAUTH}, ERR_SERVER_DENIED, "wants a password"},
        {{LOADING, LOST, EMPTY}, ERR_NONE, ""},
        {{LOADING, GONE}, ERR_REFUSED, "does not answer any more"}, /* it had something to load */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct play p = {0};
        struct live_peers_options o = quick;
        struct err err = ERR_INIT;

        memcpy(p.lines, cases[i].lines, sizeof(p.lines));
        if (i + 1 < ARRAY_LEN(cases))
            o.loading_wait_ms = 20000; /* it must not be waited for so long */
        (void)check(&p, &o, &err);
        if (err.code != cases[i].code || strstr(err.msg, cases[i].says) == NULL)
            fail_msg("case %zu: %s: \"%s\"", i, err_name(err.code), err.msg);
    }
}

static void
live_peers_check__loading_for_ever__waits_as_long_as_it_may(void **state)
{
    struct play p = {.lines = {LOADING}};
    struct err err = ERR_INIT;
    int64_t started = clock_mono_ms();

    (void)state;
    assert_fails(check(&p, &quick, &err), &err, ERR_REFUSED);
    assert_true(clock_mono_ms() - started >= quick.loading_wait_ms);
    assert_true(atomic_load(&p.asked) > 2);
}

/* In a process of its own, which is forked before there are threads (ThreadSanitizer asks for that): it is told the
 * port by the pipe ARG. */
static int
wait_in_child(void *arg)
{
    const int *from = arg;
    struct live_peers_options o = quick;
    struct err err = ERR_INIT;
    uint16_t port = 0;

    CHILD_CHECK(read(*from, &port, sizeof(port)) == (ssize_t)sizeof(port));
    o.loading_wait_ms = o.reply_timeout_ms = 60000;
    sig_install();
    CHILD_CHECK(check_name("here.test", port, &o, &err) == -1);
    CHILD_CHECK(err.code == ERR_INTERRUPTED);
    return 0;
}

/* A wait of a minute for LINE ends with a signal, soon. */
static void
interrupt(const char *line)
{
    struct play p = {.lines = {line}};
    struct fake_redis *f;
    int64_t until = clock_mono_ms() + 10000, sent;
    int ends[2];
    uint16_t port;
    pid_t pid;

    assert_int_equal(pipe(ends), 0);
    pid = test_child_start(wait_in_child, &ends[0]);
    f = fake_redis_start(play, &p);
    port = port_of(f);
    assert_int_equal(write(ends[1], &port, sizeof(port)), sizeof(port));
    while (atomic_load(&p.asked) == 0 && clock_mono_ms() < until)
        clock_sleep_ms(5);
    sent = clock_mono_ms();
    assert_int_equal(kill(pid, SIGTERM), 0);
    assert_int_equal(test_child_wait(pid), 0);
    assert_true(clock_mono_ms() - sent < 5000);
    fake_redis_stop(f);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

static void
live_peers_check__signal_while_it_waits__ends_it(void **state)
{
    (void)state;
    interrupt(LOADING);
    interrupt(""); /* a server that hangs */
}

/* ---- several peers ---------------------------------------------------------------------------------------------- */

static void
live_peers_check__several_peers__the_worst_is_told_and_keys_first(void **state)
{
    static const struct {
        const char *line;
        enum err_code code;
    } cases[] = {
        {INFO("", "role:master\r\n", "db0:keys=1,expires=0\r\n"), ERR_REFUSED},
        {LOADING, ERR_REFUSED},
        {NOAUTH, ERR_SERVER_DENIED},
        {EMPTY, ERR_SERVER},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct play p = {.lines = {cases[i].line}};
        struct fake_redis *f = fake_redis_start(play, &p);
        uint16_t port = port_of(f);
        int hanging = hang_at(&port);
        struct err err = ERR_INIT;
        int64_t started = clock_mono_ms();

        assert_fails(check_name("both.test", port, &quick, &err), &err, cases[i].code);
        assert_true(atomic_load(&p.asked) >= 1); /* the one that hangs came first */
        /* Once for its time-outs, and the wait where there is one. */
        assert_true(clock_mono_ms() - started < 3000);
        (void)close(hanging);
        fake_redis_stop(f);
    }
}

static void
live_peers_check__first_address_refuses__the_next_is_asked(void **state)
{
    struct play p = {.lines = {INFO("", "role:master\r\n", "db0:keys=1,expires=0\r\n")}};
    struct fake_redis *f = fake_redis_start(play, &p);
    struct err err = ERR_INIT;

    (void)state;
    assert_fails(check_name("both.test", port_of(f), &quick, &err), &err, ERR_REFUSED);
    fake_redis_stop(f);
}

static void
live_peers_check__own_address__is_not_asked(void **state)
{
    struct live_peers_options o = quick;
    struct err err = ERR_INIT;
    uint16_t port = 0;
    int hanging = hang_at(&port);

    (void)state;
    assert_fails(check_name("both.test", port, &o, &err), &err, ERR_SERVER);
    o.own = own_second;
    assert_ok(check_name("both.test", port, &o, &err), &err);
    (void)close(hanging);
}

/* ---- nobody there ----------------------------------------------------------------------------------------------- */

static int
look_up_in_vain(const char *host, int family, struct addresses *out)
{
    (void)host;
    (void)family;
    (void)out;
    return EAI_AGAIN;
}

static void
live_peers_check__name__unknown_is_nobody_and_failing_is_not(void **state)
{
    struct live_peers_options o = quick;
    struct err err = ERR_INIT;

    (void)state;
    assert_ok(live_peers_check("nobody.test", &o, &err), &err);
    o.names.look_up = look_up_in_vain;
    o.names.retry_ms = 10;
    assert_int_equal(live_peers_check("nobody.test", &o, &err), -1);
    assert_int_equal(err.code, ERR_SERVER);
    assert_non_null(strstr(err.msg, "look up nobody.test"));
}

static void
live_peers_check__no_address__is_usage_and_nobody_is_looked_up(void **state)
{
    static const char *const cases[] = {
        "",    ":6379", "redis://h:6379", "h:0", "h:65536", "h:x",     "6379", "a:1,b:2", "a,b",
        "a b", "::1",   "[::1",           "[h]", "user@h",  "h:6379/0"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err err = ERR_INIT;

        if (live_peers_check(cases[i], &quick, &err) != -1 || err.code != ERR_USAGE)
            fail_msg("\"%s\": %s: %s", cases[i], err_name(err.code), err.msg);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(live_peers_check__one_answer__is_judged),
        cmocka_unit_test(live_peers_check__peer_with_keys__says_whom_and_the_rescue),
        cmocka_unit_test(live_peers_check__user_and_password__are_those_of_like),
        cmocka_unit_test(live_peers_check__not_ready_at_first__the_last_word_counts),
        cmocka_unit_test(live_peers_check__loading_for_ever__waits_as_long_as_it_may),
        cmocka_unit_test(live_peers_check__signal_while_it_waits__ends_it),
        cmocka_unit_test(live_peers_check__several_peers__the_worst_is_told_and_keys_first),
        cmocka_unit_test(live_peers_check__first_address_refuses__the_next_is_asked),
        cmocka_unit_test(live_peers_check__own_address__is_not_asked),
        cmocka_unit_test(live_peers_check__name__unknown_is_nobody_and_failing_is_not),
        cmocka_unit_test(live_peers_check__no_address__is_usage_and_nobody_is_looked_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
