/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test_common.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/sig.h"
#include "tests/support/test_child.h"

struct sent {
    int signum;
    const char *name;
};

static int
catch_one(void *arg)
{
    const struct sent *sent = arg;
    struct err err = ERR_INIT;

    sig_install();
    CHILD_CHECK(!sig_pending() && sig_check(&err) == 0);
    CHILD_CHECK(raise(sent->signum) == 0);
    CHILD_CHECK(sig_pending());
    CHILD_CHECK(sig_check(&err) < 0 && err.code == ERR_INTERRUPTED && strstr(err.msg, sent->name) != NULL);
    return 0;
}

static void
sig__each_stop_signal__is_told_by_name(void **state)
{
    static struct sent all[] = {{SIGTERM, "SIGTERM"}, {SIGINT, "SIGINT"}, {SIGHUP, "SIGHUP"}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        assert_int_equal(test_child_run(catch_one, &all[i]), 0);
}

static int
many_at_once(void *arg)
{
    struct err err = ERR_INIT;

    (void)arg;
    sig_install();
    for (int i = 0; i < 20; i++)
        CHILD_CHECK(raise(SIGTERM) == 0 && raise(SIGHUP) == 0);
    CHILD_CHECK(sig_check(&err) < 0 && strstr(err.msg, "SIGTERM") != NULL);
    return 7;
}

static void
sig__several_within_a_second__do_not_end_the_process(void **state)
{
    (void)state;
    assert_int_equal(test_child_run(many_at_once, NULL), 7);
}

static int
again_later(void *arg)
{
    (void)arg;
    sig_install();
    CHILD_CHECK(raise(SIGTERM) == 0);
    clock_sleep_ms(1100);
    CHILD_CHECK(raise(SIGINT) == 0);
    return 7;
}

static void
sig__again_after_a_second__ends_the_process(void **state)
{
    (void)state;
    assert_int_equal(test_child_run(again_later, NULL), 12);
}

static int
write_to_a_closed_pipe(void *arg)
{
    int ends[2];

    (void)arg;
    sig_install();
    CHILD_CHECK(pipe(ends) == 0 && close(ends[0]) == 0);
    CHILD_CHECK(write(ends[1], "x", 1) < 0 && errno == EPIPE);
    return sig_pending() ? 1 : 7;
}

static void
sig__sigpipe__is_an_error_of_write(void **state)
{
    (void)state;
    assert_int_equal(test_child_run(write_to_a_closed_pipe, NULL), 7);
}

static int
sleep_long(void *arg)
{
    int64_t start = clock_mono_ms();

    (void)arg;
    sig_install();
    CHILD_CHECK(write(*(int *)arg, "x", 1) == 1);
    clock_sleep_ms(20000);
    CHILD_CHECK(sig_pending());
    return clock_mono_ms() - start < 15000 ? 7 : 1;
}

static void
sig__while_sleeping__interrupts_it(void **state)
{
    int ends[2];
    char ready;
    pid_t pid;

    (void)state;
    assert_int_equal(pipe(ends), 0);
    pid = test_child_start(sleep_long, &ends[1]);
    assert_int_equal(read(ends[0], &ready, 1), 1);
    clock_sleep_ms(50); /* the signal is caught either way; asleep is what is to be seen */
    assert_int_equal(kill(pid, SIGTERM), 0);
    assert_int_equal(test_child_wait(pid), 7);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

static bool
is_readable(int fd)
{
    uint64_t n;

    return read(fd, &n, sizeof(n)) == sizeof(n);
}

static int
watch_signals(void *arg)
{
    struct err err = ERR_INIT;
    int fd;

    (void)arg;
    sig_install();
    CHILD_CHECK((fd = sig_watch(&err)) >= 0 && !is_readable(fd));
    CHILD_CHECK(raise(SIGHUP) == 0 && is_readable(fd) && !is_readable(fd));
    CHILD_CHECK(sig_take_hangup() && !sig_take_hangup() && sig_stops() == 0);
    CHILD_CHECK(raise(SIGTERM) == 0 && is_readable(fd) && sig_stops() == 1);
    CHILD_CHECK(!sig_pending() && sig_check(&err) == 0 && !sig_take_hangup());
    CHILD_CHECK(raise(SIGINT) == 0 && sig_stops() == 1);
    clock_sleep_ms(1100);
    CHILD_CHECK(raise(SIGINT) == 0 && sig_stops() == 2);
    sig_stop();
    CHILD_CHECK(sig_pending() && sig_check(&err) < 0 && strstr(err.msg, "SIGTERM") != NULL);
    clock_sleep_ms(1100);
    (void)raise(SIGTERM);
    return 7;
}

static void
sig_watch__signals__are_told_and_stop_nothing_before_sig_stop(void **state)
{
    (void)state;
    assert_int_equal(test_child_run(watch_signals, NULL), 12); /* of the third */
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sig__each_stop_signal__is_told_by_name),
        cmocka_unit_test(sig__several_within_a_second__do_not_end_the_process),
        cmocka_unit_test(sig__again_after_a_second__ends_the_process),
        cmocka_unit_test(sig_watch__signals__are_told_and_stop_nothing_before_sig_stop),
        cmocka_unit_test(sig__sigpipe__is_an_error_of_write),
        cmocka_unit_test(sig__while_sleeping__interrupts_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
