/* SPDX-License-Identifier: Apache-2.0 */
/* Shell scripts stand for the program (dash holds its own script open, as number 10). */
#include "tests/support/test_common.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/sidecar/child.h"
#include "agent/sidecar/child_told.h"
#include "base/clock.h"
#include "base/mem.h"
#include "tests/support/test_child.h"

struct scene {
    char dir[256], program[300];
    struct err err;
};

/* The process that a program named in what it wrote; 0: none. */
static pid_t
pid_in(const char *text)
{
    return (pid_t)strtol(text, NULL, 10);
}

static int
setup(void **state)
{
    struct scene *s = mem_new(sizeof(*s));

    test_make_dir(s->dir);
    (void)snprintf(s->program, sizeof(s->program), "%s/program", s->dir);
    *state = s;
    return 0;
}

static int
teardown(void **state)
{
    struct scene *s = *state;

    test_remove_dir(s->dir);
    free(s);
    return 0;
}

static struct child *
start(struct scene *s, const char *script, const char *const *env)
{
    FILE *f = fopen(s->program, "w");
    struct child *c = NULL;

    assert_non_null(f);
    assert_true(fprintf(f, "#!/bin/sh\n%s\n", script) > 0);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(s->program, 0700), 0);
    assert_ok(child_start_program(s->program, (const char *const[]){"backup", NULL}, env, &c, &s->err), &s->err);
    return c;
}

/* Steps it as a loop would; false when it has not ended after LIMIT_MS. */
static bool
run(struct child *c, int64_t limit_ms)
{
    int64_t end_ms = clock_mono_ms() + limit_ms;

    for (;;) {
        struct pollfd fd = {.fd = child_fd(c), .events = POLLIN};
        int64_t left_ms = end_ms - clock_mono_ms();

        if (child_step(c))
            return true;
        if (left_ms <= 0)
            return false;
        (void)poll(&fd, 1, (int)left_ms);
    }
}

static const struct child_end *
run_to_end(struct child *c)
{
    assert_true(run(c, 30000));
    return child_result(c);
}

static void
child_start__any__has_words_environment_and_three_descriptors(void **state)
{
    static const char *const env[] = {"REMORA_REPO=file:///x y", "CHILD_TEST=new", NULL};
    struct scene *s = *state;
    struct child *c;
    const struct child_end *end;

    assert_int_equal(setenv("CHILD_TEST", "old", 1), 0);
    assert_int_equal(setenv("CHILD_OURS", "kept", 1), 0);
    assert_int_equal(setenv("REMORA_TELL_FD", "77", 1), 0);
    c = start(s,
              "echo \"$*|$REMORA_REPO|$CHILD_TEST|$CHILD_OURS|$REMORA_TELL_FD\"\n"
              "ls -l /proc/$$/fd | grep -c ' [0-2] -> '\nls -l /proc/$$/fd | grep -c ' 3 -> pipe'\n"
              "ls /proc/$$/fd | grep -cE '^([4-9]|1[1-9]|[2-8][0-9])$'\nread word || echo no input",
              env);
    end = run_to_end(c);
    assert_string_equal(end->out, "backup --json|file:///x y|new|kept|3\n3\n1\n0\nno input\n");
    assert_int_equal(end->exit_status, 0);
    child_free(c);
    assert_int_equal(unsetenv("REMORA_TELL_FD"), 0);
}

static void
child_step__long_output__is_all_there(void **state)
{
    struct scene *s = *state;
    struct child *c = start(s, "head -c 1000000 /dev/zero | tr '\\0' x; exit 5", NULL);
    const struct child_end *end = run_to_end(c);

    assert_int_equal(end->exit_status, 5);
    assert_int_equal(end->out_len, 1000000);
    assert_int_equal(strspn(end->out, "x"), 1000000);
    child_free(c);
}

static void
child_step__output_over_the_limit__is_dropped(void **state)
{
    struct scene *s = *state;
    struct child *c = start(s, "head -c 9000000 /dev/zero", NULL);
    const struct child_end *end = run_to_end(c);

    assert_int_equal(end->exit_status, 0);
    assert_int_equal(end->out_len, 0);
    assert_string_equal(end->out, "");
    assert_string_equal(end->error, "");
    child_free(c);
}

static void
child_step__no_output__ends(void **state)
{
    struct scene *s = *state;
    struct child *c = start(s, "exit 0", NULL);
    const struct child_end *end = run_to_end(c);

    assert_int_equal(end->exit_status, 0);
    assert_string_equal(end->out, "");
    assert_string_equal(end->error, "");
    child_free(c);
}

static void
child_result__failure__says_why_as_well_as_it_is_known(void **state)
{
    static const struct {
        const char *script, *error;
        int status;
    } cases[] = {
        {"exit 6", "the run ended with exit status 6 and did not say why; its log may tell more", 6},
        {"echo '{\"error\":{\"message\":\"no server\"}}'; exit 8", "no server", 8},
        {"echo '{\"error\":{\"message\":\"told\"}}' >&3; echo '{\"results\":[]}'; exit 5", "told", 5},
        {"kill -TERM $$", "the run was ended by signal 15 (Terminated); its log may tell more", 143},
        {"kill -KILL $$",
         "the run was killed (SIGKILL): for want of memory, if nobody did it by hand; look at the memory limit of the "
         "container",
         137},
    };
    struct scene *s = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct child *c = start(s, cases[i].script, NULL);
        const struct child_end *end = run_to_end(c);

        assert_int_equal(end->exit_status, cases[i].status);
        assert_string_equal(end->error, cases[i].error);
        child_free(c);
    }
}

static void
child_start__no_such_program__fails_with_a_sentence(void **state)
{
    struct scene *s = *state;
    struct child *c = NULL;
    const struct child_end *end;

    assert_ok(child_start_program("/nonexistent/remora", (const char *const[]){NULL}, NULL, &c, &s->err), &s->err);
    end = run_to_end(c);
    assert_int_equal(end->exit_status, 1);
    assert_non_null(strstr(end->error, "could not be started again"));
    child_free(c);
}

static void
child_progress__told_lines__are_the_last_known(void **state)
{
    struct scene *s = *state;
    int64_t told_ms = 0, before_ms = clock_mono_ms();
    struct child *c =
        start(s,
              "echo '{\"progress\":{\"phase\":\"storing\",\"done\":1,\"total\":2,\"stored\":3},\"x\":1}' >&3\n"
              "for name in put get stat list remove now; do all=\"$all${all:+,}\\\"$name\\\":"
              "{\\\"count\\\":4,\\\"failures\\\":0,\\\"total_ms\\\":7,"
              "\\\"buckets\\\":[1,3,0,0,0,0,0,0,0,0,0]}\"; done\n"
              "echo \"{\\\"storage\\\":{\\\"calls\\\":{$all},\\\"bytes_put\\\":0,"
              "\\\"bytes_got\\\":9,\\\"retries\\\":0}}\" >&3\n"
              "exec sleep 60",
              NULL);

    assert_int_equal(child_progress(c, &told_ms)->done, 0);
    assert_in_range(told_ms, before_ms, clock_mono_ms());
    assert_false(run(c, 500));
    assert_int_equal(child_progress(c, &told_ms)->phase, PROGRESS_STORING);
    assert_int_equal(child_progress(c, &told_ms)->stored, 3);
    assert_in_range(told_ms, before_ms, clock_mono_ms());
    child_terminate(c);
    assert_int_equal(run_to_end(c)->exit_status, 12);
    assert_int_equal(child_result(c)->storage.calls[METER_GET].calls, 4);
    assert_int_equal(child_result(c)->storage.calls[METER_GET].buckets[1], 3);
    assert_int_equal(child_result(c)->storage.bytes_got, 9);
    child_free(c);
}

static void
child_step__pipes_closed_and_still_running__waits_for_its_end(void **state)
{
    struct scene *s = *state;
    struct child *c = start(s, "exec >&- 3>&-; sleep 0.7; exit 3", NULL);
    int steps = 0;

    while (!child_step(c)) {
        struct pollfd fd = {.fd = child_fd(c), .events = POLLIN};

        assert_true(poll(&fd, 1, 5000) >= 0);
        steps++;
    }
    assert_in_range(steps, 1, 20); /* closed pipes do not keep the loop awake */
    assert_int_equal(child_result(c)->exit_status, 3);
    child_free(c);
}

static void
child_step__its_own_child_holds_the_pipes__is_not_waited_for(void **state)
{
    struct scene *s = *state;
    int64_t before_ms = clock_mono_ms();
    struct child *c = start(s, "sleep 20 & echo $!", NULL);
    const struct child_end *end = run_to_end(c);

    assert_true(clock_mono_ms() - before_ms < 10000);
    assert_int_equal(kill(pid_in(end->out), SIGKILL), 0);
    child_free(c);
}

static void
child_terminate__cleans_up__ends_as_it_likes(void **state)
{
    struct scene *s = *state;
    struct child *c = start(s, "trap 'echo cleaned; exit 12' TERM; echo '{}' >&3; while :; do sleep 0.05; done", NULL);

    assert_false(run(c, 500));
    child_terminate(c);
    assert_int_equal(run_to_end(c)->exit_status, 12);
    assert_string_equal(child_result(c)->out, "cleaned\n");
    child_free(c);
}

static void
take_no_notice(int signum)
{
    (void)signum;
}

/* Before the child is another program it has the agent's way to take signals. */
static void
child_terminate__at_once__is_not_lost(void **state)
{
    struct scene *s = *state;
    struct sigaction ours = {.sa_handler = take_no_notice}, before;

    assert_int_equal(sigaction(SIGTERM, &ours, &before), 0);
    for (int i = 0; i < 50; i++) {
        struct child *c = start(s, "sleep 60", NULL);

        child_terminate(c);
        assert_int_equal(run_to_end(c)->exit_status, 12);
        assert_non_null(strstr(child_result(c)->error, "stopped as it began"));
        child_free(c);
    }
    assert_int_equal(sigaction(SIGTERM, &before, NULL), 0);
}

static void
child_kill__deaf_to_sigterm__ends(void **state)
{
    struct scene *s = *state;
    struct child *c = start(s, "trap '' TERM; while :; do sleep 0.05; done", NULL);

    assert_false(run(c, 300));
    child_terminate(c);
    assert_false(run(c, 300));
    child_kill(c);
    assert_int_equal(run_to_end(c)->exit_status, 137);
    child_free(c);
}

static size_t
open_descriptors(void)
{
    DIR *d = opendir("/proc/self/fd");
    size_t n = 0;

    assert_non_null(d);
    while (readdir(d) != NULL)
        n++;
    (void)closedir(d);
    return n;
}

static void
child_free__still_running__leaves_no_process_and_no_descriptor(void **state)
{
    struct scene *s = *state;
    size_t before = open_descriptors();
    struct child *c = start(s, "echo $$ > \"${0%/*}/pid\"; exec sleep 60", NULL);
    char path[300], line[32] = "";
    pid_t pid;
    FILE *f;

    assert_false(run(c, 500));
    child_free(c);
    assert_int_equal(open_descriptors(), before);
    (void)snprintf(path, sizeof(path), "%s/pid", s->dir);
    f = fopen(path, "r");
    assert_non_null(f);
    assert_non_null(fgets(line, sizeof(line), f));
    (void)fclose(f);
    pid = pid_in(line);
    assert_true(pid > 0);
    assert_int_equal(kill(pid, 0), -1);
    assert_int_equal(errno, ESRCH);
    child_free(NULL);
}

/* Process 1 of a container, as far as orphans go. */
static int
as_process_one(void *arg)
{
    struct scene *s = arg;
    struct child *c = NULL;
    pid_t orphan;

    CHILD_CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
    CHILD_CHECK(child_start_program(s->program, (const char *const[]){NULL}, NULL, &c, &s->err) == 0);
    CHILD_CHECK(run(c, 20000));
    orphan = pid_in(child_result(c)->out);
    child_free(c);
    CHILD_CHECK(orphan > 0 && kill(orphan, SIGKILL) == 0);
    for (int i = 0; i < 100 && kill(orphan, 0) == 0; i++) {
        child_reap_orphans(NULL);
        clock_sleep_ms(50);
    }
    CHILD_CHECK(kill(orphan, 0) < 0 && errno == ESRCH);
    CHILD_CHECK(child_start_program(s->program, (const char *const[]){NULL}, NULL, &c, &s->err) == 0);
    clock_sleep_ms(500);
    child_reap_orphans(c); /* its status is kept for child_step() */
    CHILD_CHECK(run(c, 20000) && child_result(c)->exit_status == 9);
    CHILD_CHECK(kill(pid_in(child_result(c)->out), SIGKILL) == 0);
    child_free(c);
    return 0;
}

static void
child_reap_orphans__of_a_job__are_gone_and_its_own_end_is_kept(void **state)
{
    struct scene *s = *state;
    struct child *c = start(s, "sleep 60 & echo $!; exit 9", NULL);

    assert_int_equal(run_to_end(c)->exit_status, 9);
    assert_int_equal(kill(pid_in(child_result(c)->out), SIGKILL), 0);
    child_free(c);
    assert_int_equal(test_child_run(as_process_one, s), 0);
}

/* As a supervisor may leave it to those it starts. */
static void
child_start__sigchld_was_ignored__still_has_a_status(void **state)
{
    struct scene *s = *state;
    struct child *c;

    (void)signal(SIGCHLD, SIG_IGN);
    c = start(s, "exit 7", NULL);
    assert_int_equal(run_to_end(c)->exit_status, 7);
    child_free(c);
    (void)signal(SIGCHLD, SIG_DFL);
}

/* Where the kernel has neither pidfds nor close_range(), as before 5.3. */
static int
on_an_old_kernel(void *arg)
{
    struct scene *s = arg;
    struct child *c = NULL;

    CHILD_CHECK(fcntl(STDIN_FILENO, F_DUPFD, 40) >= 0);
    CHILD_CHECK(test_child_refuse(434, ENOSYS) && test_child_refuse(436, ENOSYS));
    CHILD_CHECK(child_start_program(s->program, (const char *const[]){NULL}, NULL, &c, &s->err) == 0);
    CHILD_CHECK(run(c, 20000));
    CHILD_CHECK(child_result(c)->exit_status == 9);
    CHILD_CHECK(strcmp(child_result(c)->out, "0\n") == 0);
    child_free(c);
    return 0;
}

static void
child_step__old_kernel__works_too(void **state)
{
    struct scene *s = *state;
    struct child *c = start(s, "ls /proc/$$/fd | grep -cE '^([4-9]|1[1-9]|[2-8][0-9])$'; sleep 0.3; exit 9", NULL);

    assert_int_equal(run_to_end(c)->exit_status, 9);
    child_free(c);
    assert_int_equal(test_child_run(on_an_old_kernel, s), 0);
}

static void
child_told_feed__garbage__is_skipped(void **state)
{
    static struct child_told t;
    char *longer = mem_new(TELL_LINE_MAX + 100);
    static const char good[] = "{\"progress\":{\"phase\":\"saving\",\"done\":5,\"total\":0,\"stored\":0}}\n";

    (void)state;
    memset(longer, ' ', TELL_LINE_MAX + 99);
    child_told_feed(&t, longer, TELL_LINE_MAX + 99);
    child_told_feed(&t, good, sizeof(good) - 1); /* the end of that line */
    assert_int_equal(t.told.progress.done, 0);
    child_told_feed(&t, "\n{]\n\xff\n{\"progress\":7,\"storage\":[],\"error\":null}\n", 48);
    child_told_feed(&t, "{\"progress\":{\"phase\":\"dreaming\",\"done\":9}}\n", 43);
    assert_int_equal(t.told.progress.done, 0);
    for (size_t i = 0; i < sizeof(good) - 1; i++)
        child_told_feed(&t, good + i, 1);
    assert_int_equal(t.told.progress.phase, PROGRESS_SAVING);
    assert_int_equal(t.told.progress.done, 5);
    free(longer);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(child_start__any__has_words_environment_and_three_descriptors),
        TEST(child_step__long_output__is_all_there),
        TEST(child_step__output_over_the_limit__is_dropped),
        TEST(child_step__no_output__ends),
        TEST(child_result__failure__says_why_as_well_as_it_is_known),
        TEST(child_start__no_such_program__fails_with_a_sentence),
        TEST(child_progress__told_lines__are_the_last_known),
        TEST(child_step__pipes_closed_and_still_running__waits_for_its_end),
        TEST(child_step__its_own_child_holds_the_pipes__is_not_waited_for),
        TEST(child_terminate__cleans_up__ends_as_it_likes),
        TEST(child_terminate__at_once__is_not_lost),
        TEST(child_kill__deaf_to_sigterm__ends),
        TEST(child_free__still_running__leaves_no_process_and_no_descriptor),
        TEST(child_reap_orphans__of_a_job__are_gone_and_its_own_end_is_kept),
        TEST(child_start__sigchld_was_ignored__still_has_a_status),
        TEST(child_step__old_kernel__works_too),
        TEST(child_told_feed__garbage__is_skipped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
