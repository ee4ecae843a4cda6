/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test_common.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/sig.h"
#include "snapshot/redis/resolve.h"
#include "tests/support/test_child.h"

/* What the name service of these tests answers: IPV4 and IPV6 are an EAI_ code each, 0: an address. The first FAILURES
 * answers are EAI_AGAIN. */
static struct {
    int ipv4, ipv6;
    atomic_int failures;
} service;

static int
look_up(const char *host, int family, struct addresses *out)
{
    int answer = family == AF_INET ? service.ipv4 : service.ipv6;

    (void)host;
    if (atomic_fetch_sub(&service.failures, 1) > 0) {
        addresses_add(out, "192.0.2.99"); /* a part of an answer must not outlive its failure */
        return EAI_AGAIN;
    }
    if (answer == 0)
        addresses_add(out, family == AF_INET ? "192.0.2.1" : "2001:db8::1");
    return answer;
}

static void
set_service(int ipv4, int ipv6, int failures)
{
    service.ipv4 = ipv4;
    service.ipv6 = ipv6;
    atomic_store(&service.failures, failures);
}

static atomic_bool hanging, let_go;

static int
hang(const char *host, int family, struct addresses *out)
{
    atomic_store(&hanging, true);
    while (!atomic_load(&let_go))
        clock_sleep_ms(5);
    return look_up(host, family, out);
}

/* How many threads this process has. */
static size_t
count_threads(void)
{
    DIR *tasks = opendir("/proc/self/task");
    size_t n = 0;

    while (tasks != NULL && readdir(tasks) != NULL)
        n++;
    if (tasks != NULL)
        (void)closedir(tasks);
    return n >= 2 ? n - 2 : 0; /* "." and ".." */
}

/* Let the look-up that was left behind end: valgrind takes what a thread still holds at the end for lost. */
static void
let_it_end(size_t threads)
{
    atomic_store(&let_go, true);
    for (int i = 0; i < 1000 && count_threads() > threads; i++)
        clock_sleep_ms(5);
}

static void
resolve_host__each_family__nobody_is_an_answer_and_failure_is_none(void **state)
{
    static const struct {
        int ipv4, ipv6;
        size_t count;
        bool fails;
    } cases[] = {
        {0, 0, 2, false},
        {0, EAI_NONAME, 1, false},
        {EAI_NODATA, 0, 1, false},
        {0, EAI_ADDRFAMILY, 1, false},
        {EAI_NONAME, EAI_NONAME, 0, false},
        {0, EAI_AGAIN, 0, true}, /* the one family that answered is not all there may be */
        {EAI_FAIL, 0, 0, true},
        {EAI_NONAME, EAI_SYSTEM, 0, true},
    };
    const struct resolve_options o = {.look_up = look_up, .retry_ms = 1};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct addresses a = {0};
        struct err err = ERR_INIT;
        int rc;

        set_service(cases[i].ipv4, cases[i].ipv6, 0);
        rc = resolve_host("h", &o, &a, &err);
        assert_int_equal(rc, cases[i].fails ? -1 : 0);
        assert_int_equal(err.code, cases[i].fails ? ERR_SERVER : ERR_NONE);
        assert_int_equal(a.count, cases[i].count);
        addresses_fini(&a);
    }
}

static void
resolve_host__fails_twice__is_tried_again(void **state)
{
    const struct resolve_options o = {.look_up = look_up, .retry_ms = 10000};
    struct addresses a = {0};
    struct err err = ERR_INIT;

    (void)state;
    set_service(0, EAI_NONAME, 2);
    assert_ok(resolve_host("h", &o, &a, &err), &err);
    assert_int_equal(a.count, 1);
    assert_string_equal(a.items[0], "192.0.2.1");
    addresses_fini(&a);
}

static void
resolve_host__no_answer__is_left_behind(void **state)
{
    const struct resolve_options o = {.look_up = hang, .hang_ms = 100};
    struct addresses a = {0};
    struct err err = ERR_INIT;
    size_t threads = count_threads();

    (void)state;
    set_service(0, 0, 0);
    assert_fails(resolve_host("h", &o, &a, &err), &err, ERR_SERVER);
    assert_int_equal(a.count, 0);
    let_it_end(threads);
}

static void *
raise_once_hanging(void *arg)
{
    (void)arg;
    while (!atomic_load(&hanging))
        clock_sleep_ms(5);
    (void)kill(getpid(), SIGTERM);
    return NULL;
}

static int
interrupt_in_child(void *arg)
{
    const struct resolve_options o = {.look_up = hang, .hang_ms = 60000};
    struct addresses a = {0};
    struct err err = ERR_INIT;
    size_t threads = count_threads();
    pthread_t thread;

    (void)arg;
    sig_install();
    CHILD_CHECK(pthread_create(&thread, NULL, raise_once_hanging, NULL) == 0);
    CHILD_CHECK(resolve_host("h", &o, &a, &err) == -1);
    CHILD_CHECK(err.code == ERR_INTERRUPTED);
    CHILD_CHECK(pthread_join(thread, NULL) == 0);
    let_it_end(threads);
    return 0;
}

static void
resolve_host__signal__ends_it(void **state)
{
    int64_t started = clock_mono_ms();

    (void)state;
    assert_int_equal(test_child_run(interrupt_in_child, NULL), 0);
    assert_true(clock_mono_ms() - started < 10000);
}

static void
resolve_host__numbers_and_localhost__by_the_c_library(void **state)
{
    static const char *const hosts[][2] = {
        {"127.0.0.2", "127.0.0.2"}, {"::1", "::1"}, {"2001:db8::0:1", "2001:db8::1"}, {"localhost", NULL}};
    const struct resolve_options o = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
        struct addresses a = {0};
        struct err err = ERR_INIT;

        assert_ok(resolve_host(hosts[i][0], &o, &a, &err), &err);
        assert_true(a.count >= 1);
        if (hosts[i][1] != NULL) {
            assert_int_equal(a.count, 1);
            assert_string_equal(a.items[0], hosts[i][1]);
        }
        addresses_fini(&a);
    }
}

static void
resolve_own__interfaces__without_loopback(void **state)
{
    struct addresses a = {0};
    struct err err = ERR_INIT;

    (void)state;
    assert_ok(resolve_own(&a, &err), &err);
    for (size_t i = 0; i < a.count; i++) {
        struct in6_addr ignored;
        char text[ADDRESS_TEXT_MAX];

        assert_int_not_equal(strncmp(a.items[i], "127.", 4), 0);
        assert_string_not_equal(a.items[i], "::1");
        (void)snprintf(text, sizeof(text), "%.*s", (int)strcspn(a.items[i], "%"), a.items[i]);
        assert_int_equal(inet_pton(strchr(text, ':') != NULL ? AF_INET6 : AF_INET, text, &ignored), 1);
    }
    addresses_fini(&a);
}

static void
addresses_add__twice__is_there_once(void **state)
{
    struct addresses a = {0};

    (void)state;
    addresses_add(&a, "192.0.2.1");
    addresses_add(&a, "192.0.2.2");
    addresses_add(&a, "192.0.2.1");
    assert_int_equal(a.count, 2);
    assert_true(addresses_have(&a, "192.0.2.2"));
    assert_false(addresses_have(&a, "192.0.2.3"));
    addresses_fini(&a);
    assert_false(addresses_have(&a, "192.0.2.2"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        /* First, as it forks: ThreadSanitizer wants no threads before. */
        cmocka_unit_test(resolve_host__signal__ends_it),
        cmocka_unit_test(resolve_host__each_family__nobody_is_an_answer_and_failure_is_none),
        cmocka_unit_test(resolve_host__fails_twice__is_tried_again),
        cmocka_unit_test(resolve_host__no_answer__is_left_behind),
        cmocka_unit_test(resolve_host__numbers_and_localhost__by_the_c_library),
        cmocka_unit_test(resolve_own__interfaces__without_loopback),
        cmocka_unit_test(addresses_add__twice__is_there_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
